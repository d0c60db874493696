/* filch/function.h: functions with all that a Python function has.
 *
 *     FILCH_FUNCTION(int, mult, "Multiplies its arguments.", (int, a), (int, b))
 *     {
 *         return a * b;
 *     }
 *
 * defines the plain function `mult`, and for any R, name and parameters T x, ... (at most eight):
 *
 *     name_info                                    its descriptor: name, doc, file, line
 *     name_bind(x, ...)                            a closure with all arguments captured; empty if
 *                                                  they need memory (above 48 bytes) and there is
 *                                                  none; name_capture(&closure, x, ...) says so
 *     name_capture_owned(&closure, x, ..., destroy)   the same for arguments that own something:
 *                                                  destroy(captures), a name_args *, is called once
 *     name_apply(pool, x, ..., &result)            call it in a pool and wait
 *     name_apply_async(pool, x, ..., &future)      have it called
 *     name_spawn(group, x, ..., &result)           have it called as part of a group (group.h)
 *     name_then(pool, future, ..., &next)          have it called with a future's value (then.h)
 *     name_after(pool, FILCH_NEEDS(a, b), x, ..., &next)         have it called when all these
 *                                                  futures have succeeded (then.h)
 *     name_node(graph, x, ..., &result, &node)     have it called in each run of a graph (graph.h)
 *     name_get(future, &result)                    the future's result, if it is of this type
 *     name_map(pool, xs, ..., n, results)          results[i] = name(xs[i], ...), in parallel
 *     name_map_async(pool, xs, ..., n, results, &future)
 *     name_starmap...                              the same, by the name of several arguments
 *     name_map_strided(...), name_map_from(...)    arguments from elsewhere (source.h)
 *     name_imap(...), name_imap_unordered(...)     results one by one, computed ahead (imap.h)
 *     name_lazy(xs, ..., n), name_next(&lazy, &result)   results one by one, each when asked for
 *
 * As `pool`, FILCH_ON(pool, ...) says how the call is to run (options.h).
 * In a map each parameter is an array of n elements: what all elements share is for FILCH_LOOP
 * (loop.h) or FILCH_FOLD (fold.h). A type that does not stand before the name (an array, a pointer
 * to a function) needs a typedef.
 * For void functions `results`, `result` and `&result` are left out. All is static, and checked by
 * the compiler, which refuses types aligned to more than 64 bytes, here and elsewhere. Errors are
 * those of filch_apply(), filch_apply_async(), filch_future_get(), and filch_map() (loop.h). */
#ifndef FILCH_FUNCTION_H
#define FILCH_FUNCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <filch/block.h>
#include <filch/closure.h>
#include <filch/future.h>
#include <filch/group.h>
#include <filch/imap.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/shape.h>
#include <filch/source.h>
#include <filch/then.h>

FILCH_SHORT_ERRORS

/* clang-format off */
/* FILCH_FUNCTION(R, name, ["doc",] (T, x), ...) { body } */
#define FILCH_FUNCTION(R, ...) FILCH_SHAPED(FILCH_FUNCTION, FILCH_FUNCTION, R, __VA_ARGS__, ~)
#define FILCH_FUNCTION_TAKES FILCH_TAKES_UP_TO_8
#define FILCH_FUNCTION_RULE FILCH_RULE_UP_TO_8
#define FILCH_FUNCTION_STUBS(R, name, ...)                                                         \
    FILCH_STUB(R, name) FILCH_STUB(filch_closure, name##_bind) FILCH_STUB(filch_status, name##_get)\
    FILCH_STUB(filch_status, name##_apply) FILCH_STUB(filch_status, name##_apply_async)            \
    FILCH_STUB(filch_status, name##_spawn) FILCH_STUB(filch_status, name##_then)                   \
    FILCH_STUB(filch_status, name##_map)

#define FILCH_FUNCTION_GENERATE(R, name, doc, ...)                                                 \
    static R name(FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__));                                   \
    typedef R filch_of_result_##name;                                                              \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO_OF(name, doc, sizeof(name##_args), FILCH_RESULT_TYPE(R),                            \
                  FILCH_FIRST_TYPE(__VA_ARGS__))                                                   \
    FILCH_CALLABLE(R, name, __VA_ARGS__)                                                           \
    FILCH_MAPS(R, name, __VA_ARGS__)                                                               \
    FILCH_LAZY_MAP(R, name, __VA_ARGS__)                                                           \
    FILCH_THEN_OF(R, name, __VA_ARGS__)                                                            \
    FILCH_SPAWN_OF(R, name, __VA_ARGS__)                                                           \
    FILCH_IMAP_OF(R, name, __VA_ARGS__)                                                            \
    FILCH_SOURCES_OF(R, name, __VA_ARGS__)                                                         \
    FILCH_MENTION(name)                                                                            \
    static R name(FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__))

/* Closures and calls through a pool. */
#define FILCH_CALLABLE(R, name, ...)                                                               \
    FILCH_RESULT(FILCH_RESULT_ALIGNED_, R)                                                         \
    FILCH_UNUSED static void filch_of_invoke_##name(void *filch_captures, void *filch_result)      \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(FILCH_LIST(FILCH_OF_ARGS, , __VA_ARGS__));                                            \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_callable name##_callable = {                                   \
        filch_of_invoke_##name, sizeof(name##_args), FILCH_RESULT(FILCH_RESULT_BYTES_, R),         \
                &name##_info};                                                                     \
    FILCH_CHECKED filch_status name##_capture_owned(                                               \
        filch_closure *filch_made FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),                          \
        void (*filch_destroy)(void *filch_captures))                                               \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_closure_make(filch_made, &name##_callable, filch_args, filch_destroy);        \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_capture(                                                     \
        filch_closure *filch_made FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                          \
    {                                                                                              \
        return name##_capture_owned(filch_made FILCH_MORE(FILCH_NAME, __VA_ARGS__), NULL);         \
    }                                                                                              \
    FILCH_UNUSED static inline filch_closure name##_bind(                                          \
        FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__))                                              \
    {                                                                                              \
        filch_closure filch_made;                                                                  \
        FILCH_UNUSED const filch_status filch_known = /* by the closure: empty without memory, */  \
            name##_capture(&filch_made FILCH_MORE(FILCH_NAME, __VA_ARGS__));                       \
        return filch_made; /* and every call refuses it */                                         \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_apply(                                                       \
        filch_pool *filch_to FILCH_MORE(FILCH_DECLARE, __VA_ARGS__)                                \
            FILCH_RESULT(FILCH_RESULT_POINTER_, R))                                                \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_apply_captured(filch_to, &name##_callable, filch_args,                        \
                                    FILCH_RESULT(FILCH_RESULT_PASS_, R));                          \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_apply_async(                                                 \
        filch_pool *filch_to FILCH_MORE(FILCH_DECLARE, __VA_ARGS__), filch_future **filch_out)     \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_apply_async_captured(filch_to, &name##_callable, filch_args, filch_out);      \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_get(                                                         \
        filch_future *filch_from FILCH_RESULT(FILCH_RESULT_POINTER_, R))                           \
    {                                                                                              \
        return filch_future_get_as(filch_from, &name##_callable,                                   \
                                   FILCH_RESULT(FILCH_RESULT_PASS_, R));                           \
    }

/* filch_block_run() is inlined around the user's function, and that into it. */
#define FILCH_MAPS(R, name, ...)                                                                   \
    typedef struct filch_of_arrays_##name {                                                        \
        FILCH_EACH(FILCH_ARRAY_FIELD, __VA_ARGS__)                                                 \
        FILCH_RESULT(FILCH_RESULT_ARRAY_FIELD_, R)                                                 \
    } filch_of_arrays_##name;                                                                      \
    FILCH_UNUSED static void filch_of_map_one_##name(const void *filch_environment,                \
                                                     size_t filch_i)                               \
    {                                                                                              \
        FILCH_UNUSED const filch_of_arrays_##name *filch_arrays =                                  \
            (const filch_of_arrays_##name *)filch_environment;                                     \
        FILCH_RESULT(FILCH_RESULT_ARRAY_STORE_, R)                                                 \
        name(FILCH_LIST(FILCH_OF_ARRAYS, , __VA_ARGS__));                                          \
        (void)filch_i;                                                                             \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_block_##name(const void *filch_environment,                  \
                                                   filch_range *filch_on)                          \
    {                                                                                              \
        const filch_of_arrays_##name filch_copy =                                                  \
                *(const filch_of_arrays_##name *)filch_environment;                                \
        filch_block_run(filch_on, filch_of_map_one_##name, &filch_copy);                           \
    }                                                                                              \
    FILCH_UNUSED static const filch_body filch_of_body_of_map_##name = {                           \
        filch_of_block_##name, sizeof(filch_of_arrays_##name),                                     \
                FILCH_RESULT(FILCH_RESULT_BYTES_, R), &name##_info};                               \
    FILCH_MAP_CALLS(R, name, __VA_ARGS__)                                                          \
    FILCH_STARMAP_CALLS(R, name, __VA_ARGS__)

#define FILCH_MAP_CALLS(R, name, ...)                                                              \
    FILCH_CHECKED filch_status name##_map##_async(                                                 \
        filch_pool *filch_to, FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n                  \
            FILCH_RESULT(FILCH_RESULT_ARRAY_, R),                                                  \
        filch_future **filch_future_out)                                                           \
    {                                                                                              \
        FILCH_ARRAYS_GIVEN(R, name, __VA_ARGS__)                                                   \
        return filch_map_async(filch_to, filch_missing ? NULL : &filch_of_body_of_map_##name,      \
                               &filch_arrays, filch_n, filch_future_out);                          \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_map(                                                         \
        filch_pool *filch_to, FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n                  \
            FILCH_RESULT(FILCH_RESULT_ARRAY_, R))                                                  \
    {                                                                                              \
        FILCH_ARRAYS_GIVEN(R, name, __VA_ARGS__)                                                   \
        return filch_map(filch_to, filch_missing ? NULL : &filch_of_body_of_map_##name,            \
                         &filch_arrays, filch_n);                                                  \
    }

/* The same, by the name of several arguments. */
#define FILCH_STARMAP_CALLS(R, name, ...)                                                          \
    FILCH_STARMAP(R, name, _async, (, filch_future **filch_next), (, filch_next), __VA_ARGS__)     \
    FILCH_STARMAP(R, name, , (), (), __VA_ARGS__)
#define FILCH_STARMAP(R, name, verb, declared, passed, ...)                                        \
    FILCH_CHECKED filch_status name##_starmap##verb(                                               \
        filch_pool *filch_to, FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n                  \
            FILCH_RESULT(FILCH_RESULT_ARRAY_, R) FILCH_UNGROUP declared)                           \
    {                                                                                              \
        return name##_map##verb(filch_to, FILCH_THEN(FILCH_NAME, __VA_ARGS__) filch_n              \
                                FILCH_RESULT(FILCH_RESULT_ARRAY_MORE_, R) FILCH_UNGROUP passed);   \
    }
#define FILCH_ARRAYS_GIVEN(R, name, ...)                                                           \
    filch_of_arrays_##name filch_arrays = {                                                        \
        FILCH_THEN(FILCH_NAME, __VA_ARGS__) FILCH_RESULT(FILCH_RESULT_ARRAY_PASS_, R)};            \
    const bool filch_missing = FILCH_ARRAYS_MISSING(R, __VA_ARGS__);

/* name_lazy() and name_next(). */
#define FILCH_LAZY_MAP(R, name, ...)                                                               \
    typedef struct name##_lazy_map {                                                               \
        filch_of_arrays_##name filch_arrays;                                                       \
        size_t filch_i, filch_n;                                                                   \
    } name##_lazy_map;                                                                             \
    FILCH_UNUSED static inline name##_lazy_map name##_lazy(                                        \
        FILCH_THEN(FILCH_ARRAY, __VA_ARGS__) size_t filch_n)                                       \
    {                                                                                              \
        name##_lazy_map filch_map = {{FILCH_THEN(FILCH_NAME, __VA_ARGS__) NULL}, 0, filch_n};      \
        return filch_map;                                                                          \
    }                                                                                              \
    FILCH_UNUSED static inline bool name##_next(                                                   \
        name##_lazy_map *filch_map FILCH_RESULT(FILCH_RESULT_POINTER_, R))                         \
    {                                                                                              \
        FILCH_UNUSED const filch_of_arrays_##name *filch_arrays = &filch_map->filch_arrays;        \
        FILCH_UNUSED const size_t filch_i = filch_map->filch_i;                                    \
        if (filch_i >= filch_map->filch_n) {                                                       \
            return false;                                                                          \
        }                                                                                          \
        filch_map->filch_i++;                                                                      \
        FILCH_RESULT(FILCH_RESULT_DEREF_, R) name(FILCH_LIST(FILCH_OF_ARRAYS, , __VA_ARGS__));     \
        return true;                                                                               \
    }
/* clang-format on */

#endif
