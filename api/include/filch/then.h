/* filch/then.h: what is to be done with a result when it is there, or when several are.
 *
 *     FILCH_FUNCTION(int, parse, (text, line)) { ... }
 *     FILCH_FUNCTION(int, scaled, (int, value), (int, factor)) { return value * factor; }
 *     FILCH_HANDLER(int, or_else, (int, fallback)) { return fallback; }
 *     FILCH_FUNCTION(int, sum_of, (filch_future *, a), (filch_future *, b))
 *     {
 *         int x = 0;
 *         int y = 0;
 *         return parse_get(a, &x) || scaled_get(b, &y) ? filch_raise(1, "no sum") : x + y;
 *     }
 *
 *     status = parse_apply_async(pool, line, &parsed);
 *     status = scaled_then(pool, parsed, 10, &tenfold);     // its first parameter is the result
 *     status = or_else_catch(pool, tenfold, -1, &answer);   // called if one of them has failed
 *     status = sum_of_after(pool, FILCH_NEEDS(parsed, tenfold), parsed, tenfold, &sum);
 *                                    // when both are; or an array of futures and its length
 *
 * An error passes through then and after, a value passes through catch.
 *
 * After is for graphs of tasks: the futures are the graph. What a function needs is not handed to
 * it: its get() neither waits nor fails in the body. The needs may be of any types, or of none, as
 * those of void functions and of filch_when_all(); a function without parameters can follow one of
 * these, or any other, by then, too.
 *
 * The value must be what the parameter takes. They may differ as far as C converts the one into the
 * other and the bytes stay the same: by names, by enumerations, by the sign of integers, by what a
 * pointer points to if that is void or neither is characters. Of structs and unions, and of
 * pointers to them, the tags are compared where both are spelled with one (struct point): two tags
 * are two types. A typedef's name says nothing: of other structs the sizes decide. */
#ifndef FILCH_THEN_H
#define FILCH_THEN_H

#include <stddef.h>
#include <string.h>

#include <filch/future.h>
#include <filch/graph.h>
#include <filch/macros.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* One of the two functions is not NULL; what has none passes through. Captures, value and result
 * are where types of their sizes may lie, aligned to up to 64 bytes. */
typedef struct filch_continuation {
    void (*on_value)(const void *captures, const void *value, void *result);
    void (*on_error)(const void *captures, const filch_error *error, void *result);
    size_t value_bytes;  /* of the value that on_value takes; 0: it takes none, if there is one */
    size_t result_bytes; /* without on_value: the size of the value that passes */
    size_t captures_bytes;
    const filch_function_info *info; /* the types, too */
} filch_continuation;

/* Effect: when `future` is ready, has the pool call what is to be done with it; the new future is
 * that call's. The pool counts it as accepted now: closing the pool lets it happen, and terminating
 * or cancelling it before fails it with FILCH_ECANCELED.
 * Args: captures: captures_bytes, copied; next: receives a reference, or NULL.
 * Errors: FILCH_EINVAL: a missing argument, or the future's value is not of the type or size; a
 * line in the log (log.h) says which; FILCH_ENOMEM, FILCH_EOVERFLOW, FILCH_ECLOSED, FILCH_EFORKED,
 * FILCH_EAGAIN as filch_apply_async().
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_future_then(filch_pool *pool, filch_future *future,
                                                const filch_continuation *what,
                                                const void *captures, filch_future **next);

/* Effect: when all `needs` have succeeded, has the pool call the closure; the new future is that
 * call's. The needs are kept until it has returned. When one has failed or was cancelled, the new
 * future ends as that one at once, without a call, whatever the others do. n = 0: as
 * filch_apply_async(). Accepted and cancelled as then.
 * Args: needs: of any pools and types, also promises'; copied, as is the closure; next: receives a
 * reference, or NULL.
 * Errors: as then; FILCH_EINVAL: also a NULL among the needs, and an empty closure.
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_future_after(filch_pool *pool, filch_future *const needs[],
                                                 size_t n, const filch_closure *closure,
                                                 filch_future **next);

/* Effect: the same, of a closure that is made of `callable` and `captures` for this call. What
 * generated code uses. */
FILCH_MUST_CHECK filch_status filch_future_after_captured(filch_pool *pool,
                                                          filch_future *const needs[], size_t n,
                                                          const filch_callable *callable,
                                                          const void *captures,
                                                          filch_future **next);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_NEEDS(a, b, ...): the futures of a name_after(), one or more: an array and its length. One
 * that is there already is passed as it is: name_after(pool, futures, n, ...). */
#ifdef __cplusplus
extern "C++" {
template <size_t n> struct filch_needs {
    filch_future *futures[n];
};
template <typename... T> char (&filch_needs_count(const T &...))[sizeof...(T)];
}
#define FILCH_NEEDS(...)                                                                           \
    filch_needs<sizeof(filch_needs_count(__VA_ARGS__))>{{__VA_ARGS__}}.futures,                    \
        sizeof(filch_needs_count(__VA_ARGS__))
#else
#define FILCH_NEEDS(...)                                                                           \
    (filch_future *const[]){__VA_ARGS__},                                                          \
        sizeof((filch_future *const[]){__VA_ARGS__}) / sizeof(filch_future *)
#endif

/* name_then(), name_after() and name_node() of a FILCH_FUNCTION; generated with it. The value is
 * the first parameter, if there is one. */
#define FILCH_THEN_OF(R, name, ...)                                                                \
    FILCH_CAT(FILCH_THEN_OF_, FILCH_COUNT_9(__VA_ARGS__))(R, name, __VA_ARGS__)                    \
    FILCH_CHECKED filch_status name##_after(                                                       \
        filch_pool *filch_to, filch_future *const *filch_needs,                                    \
        size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__), filch_future **filch_out)           \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_future_after_captured(filch_to, filch_needs, filch_n, &name##_callable,       \
                                           filch_args, filch_out);                                 \
    }                                                                                              \
    FILCH_NODE_OF(R, name, __VA_ARGS__)
#define FILCH_THEN_OF_0(R, name, end)                                                              \
    FILCH_ON_VALUE(R, name, 0, , end)                                                              \
    FILCH_CONTINUE(name, then, end)
#define FILCH_THEN_OF_1(R, name, first, ...)                                                       \
    FILCH_ON_VALUE(R, name, sizeof(((name##_args *)0)->FILCH_NAME first),                          \
                   memcpy(&filch_bound.FILCH_NAME first, filch_value,                              \
                          sizeof filch_bound.FILCH_NAME first);,                                   \
                   first, __VA_ARGS__)                                                             \
    FILCH_CONTINUE(name, then, __VA_ARGS__)
#define FILCH_ON_VALUE(R, name, bytes, take, ...)                                                  \
    FILCH_UNUSED static void filch_of_on_value_##name(const void *filch_captures,                  \
                                                      const void *filch_value, void *filch_result) \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        take                                                                                       \
        (void)filch_value;                                                                         \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(FILCH_LIST(FILCH_OF_ARGS, , __VA_ARGS__));                                            \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_continuation name##_continuation = {                           \
        filch_of_on_value_##name,                                                                  \
        NULL,                                                                                      \
        bytes,                                                                                     \
        FILCH_RESULT(FILCH_RESULT_BYTES_, R),                                                      \
        sizeof(name##_args),                                                                       \
        &name##_info};

/* name_then() and name_catch(). */
#define FILCH_CONTINUE(name, verb, ...)                                                            \
    FILCH_CHECKED filch_status name##_##verb(                                                      \
        filch_pool *filch_to, filch_future *filch_after FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),    \
        filch_future **filch_out)                                                                  \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_future_then(filch_to, filch_after, &name##_continuation,                      \
                filch_args,                                                                        \
                                 filch_out);                                                       \
    }

/* FILCH_HANDLER(R, name, ["doc",] (T, x), ...) { body }: defines what is done about an error, which
 * the body finds as `error`, a const filch_error *. It gives
 *     name_catch(pool, future, x, ..., &next)
 * for futures of results R. */
#define FILCH_HANDLER(R, ...) FILCH_SHAPED(FILCH_HANDLER, FILCH_HANDLER, R, __VA_ARGS__, ~)
#define FILCH_HANDLER_TAKES FILCH_TAKES_UP_TO_8
#define FILCH_HANDLER_RULE FILCH_RULE_UP_TO_8
#define FILCH_HANDLER_STUBS(R, name, ...)                                                          \
    FILCH_STUB(R, name)                                                                            \
    FILCH_STUB(filch_status, name##_catch)
#define FILCH_HANDLER_GENERATE(R, name, doc, ...)                                                  \
    static R name(FILCH_UNUSED const filch_error *error FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));   \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_RESULT(FILCH_RESULT_ALIGNED_, R)                                                         \
    FILCH_INFO_OF(name, doc, sizeof(name##_args), FILCH_RESULT_TYPE(R), FILCH_TYPE_NONE)           \
    FILCH_UNUSED static void filch_of_on_error_##name(const void *filch_captures,                  \
                                             const filch_error *filch_why, void *filch_result)     \
    {                                                                                              \
        name##_args filch_bound;                                                                   \
        FILCH_UNUSED const name##_args *filch_args = &filch_bound;                                 \
        memcpy(&filch_bound, filch_captures, sizeof filch_bound);                                  \
        FILCH_RESULT(FILCH_RESULT_STORE_, R)                                                       \
        name(filch_why FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                                    \
        (void)filch_result;                                                                        \
    }                                                                                              \
    FILCH_UNUSED static const filch_continuation                                                   \
        name##_continuation = {NULL,                                                               \
                               filch_of_on_error_##name,                                           \
                               0,                                                                  \
                               FILCH_RESULT(FILCH_RESULT_BYTES_, R),                               \
                               sizeof(name##_args),                                                \
                               &name##_info};                                                      \
    FILCH_CONTINUE(name, catch, __VA_ARGS__)                                                       \
    FILCH_MENTION(name)                                                                            \
    static R name(FILCH_UNUSED const filch_error *error FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))
/* clang-format on */

#endif
