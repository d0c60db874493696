/* filch/loop.h: maps and loops.
 *
 * One call serves ten million squares and ten one-second sleeps alike: the length of the pieces
 * that run without looking up is learned, idle workers take half of what is left, and an element
 * that blocks leaves the rest to others. There is no chunk size to choose. */
#ifndef FILCH_LOOP_H
#define FILCH_LOOP_H

#include <string.h>

#include <filch/block.h>
#include <filch/core.h> /* filch_map(), filch_parallel_for() */
#include <filch/future.h>
#include <filch/macros.h>
#include <filch/options.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: as filch_map, but returns at once; the future is ready when all elements have run. The
 * arrays must stay until then.
 * Args: future: receives a reference, or NULL. Its result has 0 bytes.
 * Errors: as filch_map, raised errors in the future; FILCH_EAGAIN as filch_apply_async(). */
FILCH_MUST_CHECK filch_status filch_map_async(filch_pool *pool, const filch_body *body,
                                              const void *environment, size_t n,
                                              filch_future **future);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_LOOP(name, ["doc",] (size_t, i), (T, shared), ...) { body }
 *
 * Defines a loop body: its first parameter is the index, the others are the same for all elements.
 *     name_for(pool, n, shared, ...)                       runs it for i = 0 to n - 1
 *     name_for_async(pool, n, shared, ..., &future)
 */
#define FILCH_LOOP(...) FILCH_SHAPED(FILCH_LOOP, FILCH_LOOP, void, __VA_ARGS__, ~)
#define FILCH_LOOP_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_LOOP_RULE FILCH_RULE_INDEX_FIRST
#define FILCH_LOOP_STUBS(R, name, ...)                                                             \
    FILCH_STUB(void, name)                                                                         \
    FILCH_STUB(filch_status, name##_for)                                                           \
    FILCH_STUB(filch_status, name##_for_async)
#define FILCH_LOOP_GENERATE(R, name, doc, index, ...)                                              \
    static void name(FILCH_DECLARE index FILCH_MORE(FILCH_DECLARE, __VA_ARGS__));                  \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    FILCH_UNUSED static void filch_of_runs_one_##name(const void *filch_environment,               \
                                                      size_t filch_i)                              \
    {                                                                                              \
        FILCH_UNUSED const name##_args *filch_args = (const name##_args *)filch_environment;       \
        name(filch_i FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));                                      \
    }                                                                                              \
    FILCH_UNUSED static void filch_of_block_##name(const void *filch_environment,                  \
                                                   filch_range *filch_on)                          \
    {                                                                                              \
        const name##_args filch_copy = *(const name##_args *)filch_environment;                    \
        filch_block_run(filch_on, filch_of_runs_one_##name, &filch_copy);                          \
    }                                                                                              \
    FILCH_UNUSED static const filch_body filch_of_body_of_loop_##name =                            \
            {filch_of_block_##name, sizeof(name##_args),                                           \
                                                                0, &name##_info};                  \
    FILCH_CHECKED filch_status name##_for(                                                         \
        filch_pool *filch_to, size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))               \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_map(filch_to, &filch_of_body_of_loop_##name, filch_args, filch_n);            \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_for_async(                                                   \
        filch_pool *filch_to, size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),               \
        filch_future **filch_out)                                                                  \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_map_async(filch_to, &filch_of_body_of_loop_##name, filch_args, filch_n,       \
                               filch_out);                                                         \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static void name(FILCH_DECLARE index FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))
/* clang-format on */

#endif
