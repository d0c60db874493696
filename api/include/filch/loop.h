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
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* Elements that run as one piece, in order, on one worker. */
typedef struct filch_chunk {
    ptrdiff_t size; /* 1 or more */
    bool given;     /* false: automatic */
    bool python;    /* as multiprocessing.Pool computes it */
} filch_chunk;

/* An explicit chunk size, honoured exactly: FILCH_CHUNK(3) on 5 elements runs {0,1,2} and {3,4}. */
static inline filch_chunk filch_chunk_of(ptrdiff_t size)
{
    filch_chunk chunk;
    chunk.size = size;
    chunk.given = true;
    chunk.python = false;
    return chunk;
}
#define FILCH_CHUNK(size) filch_chunk_of(size)

/* The chunk size that Python's Pool.map() takes by default: the elements by four times the workers,
 * rounded up. */
static inline filch_chunk filch_chunk_as_python(void)
{
    filch_chunk chunk;
    chunk.size = 1;
    chunk.given = true;
    chunk.python = true;
    return chunk;
}
#define FILCH_CHUNK_PYTHON filch_chunk_as_python()

/* What happens to the others when an element raises an error. */
typedef enum filch_map_policy {
    FILCH_RUN_ALL,  /* they run; the error of the lowest index is reported */
    FILCH_FAIL_FAST /* those that have not begun need not run; an error of the lowest index among
                       those that were raised is reported */
} filch_map_policy;

/* How one element ended. */
typedef struct filch_item {
    filch_status status; /* FILCH_OK, FILCH_ERAISED, or FILCH_ECANCELED: it did not run */
    int code;            /* as given to filch_raise(), or 0 */
} filch_item;

/* Told now and then how many elements have ended: with done == 0 at the beginning, then at most ten
 * times a second, from any worker but never by two at once, never with a smaller number than
 * before; with done == total at the end, if all have run. It should be short. */
typedef void filch_progress(void *context, size_t done, size_t total);

/* For filch_map() and its relatives. Zero in a field means its default.
 *
 * Results are in input order. Input and output may be the same array. The output of elements that
 * failed is what they returned. FILCH_EINVAL: a missing argument, an explicit chunk size below 1,
 * an unknown policy. */
struct filch_map_options {
    filch_chunk chunksize; /* default: automatic */
    /* Not NULL: told what was raised; for an asynchronous map ask the future instead. */
    filch_error *error;
    filch_async_options done; /* of an asynchronous map: what its end calls */
    filch_map_policy policy;  /* default: FILCH_RUN_ALL */
    filch_item *items;        /* not NULL: n of them, told how each element ended; must stay until
                                 then */
    filch_progress *progress; /* not NULL: told how far it is */
    void *progress_context;
};

/* Effect: as filch_map, but returns at once; the future is ready when all elements have run. The
 * arrays must stay until then.
 * Args: future: receives a reference, or NULL. Its result has 0 bytes.
 * Errors: as filch_map, raised errors in the future; FILCH_EAGAIN as filch_apply_async(). */
FILCH_MUST_CHECK filch_status filch_map_async(filch_pool *pool, const filch_body *body,
                                              const void *environment, size_t n,
                                              const filch_map_options *options,
                                              filch_future **future);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_LOOP(name, ["doc",] (size_t, i), (T, shared), ...) { body }
 *
 * Defines a loop body: its first parameter is the index, the others are the same for all elements.
 *     name_for(pool, n, shared, ...)                       runs it for i = 0 to n - 1
 *     name_for_with(pool, n, shared, ..., &options)
 *     name_for_async(pool, n, shared, ..., &options, &future)
 */
#define FILCH_LOOP(...) FILCH_SHAPED(FILCH_LOOP, FILCH_LOOP, void, __VA_ARGS__, ~)
#define FILCH_LOOP_TAKES FILCH_TAKES_1_AND_UP_TO_8
#define FILCH_LOOP_RULE FILCH_RULE_INDEX_FIRST
#define FILCH_LOOP_STUBS(R, name, ...)                                                             \
    FILCH_STUB(void, name)                                                                         \
    FILCH_STUB(filch_status, name##_for)                                                           \
    FILCH_STUB(filch_status, name##_for_with)                                                      \
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
    FILCH_CHECKED filch_status name##_for_with(                                                    \
        filch_pool *filch_to, size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),               \
        const filch_map_options *filch_options)                                                    \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_map(filch_to, &filch_of_body_of_loop_##name, filch_args, filch_n,             \
                filch_options);                                                                    \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_for(                                                         \
        filch_pool *filch_to, size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))               \
    {                                                                                              \
        return name##_for_with(filch_to, filch_n FILCH_MORE(FILCH_NAME, __VA_ARGS__), NULL);       \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_for_async(                                                   \
        filch_pool *filch_to, size_t filch_n FILCH_MORE(FILCH_DECLARE, __VA_ARGS__),               \
        const filch_map_options *filch_options, filch_future **filch_out)                          \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_map_async(filch_to, &filch_of_body_of_loop_##name, filch_args, filch_n,       \
                filch_options,                                                                     \
                               filch_out);                                                         \
    }                                                                                              \
    FILCH_MENTION(name)                                                                            \
    static void name(FILCH_DECLARE index FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))
/* clang-format on */

#endif
