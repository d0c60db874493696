/* filch/options.h: how a call is to run, said where its pool stands.
 *
 *     filch_error error;
 *     status = half_of_map(FILCH_ON(pool, .error = &error, .until = filch_in(2)), in, n, out);
 *
 * Whatever takes a pool takes FILCH_ON(pool, .field = value, ...) in its place. Which field means
 * something where:
 *
 *     until, error          every call that waits for what it runs: apply, maps, loops, folds,
 *                           reductions, scans, sorts, filters, counts, searches, pipelines,
 *                           graphs, groups
 *     progress              maps, loops, folds, reductions, scans, filters, counts, searches;
 *                           asynchronous maps
 *     chunksize, policy,    maps, loops, folds and searches, over arrays, ranges and grids; their
 *     items                 asynchronous forms
 *     until, done,          what begins and returns at once: apply_async, then, after, asynchronous
 *     background            maps; iterators have until (imap.h)
 *
 * In FILCH_ON(FILCH_ON(pool, ...), ...) the outer one counts where both say something, but for
 * until, where the earlier one does, and for error, where both are told: a library may add its own
 * to what its caller has said.
 *
 * What a call has no use for it leaves alone; with FILCH_CHECK=1 in the environment it says so in
 * the log. What is refused (FILCH_EINVAL): an explicit chunk size below 1, an unknown policy. */
#ifndef FILCH_OPTIONS_H
#define FILCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Elements that run as one piece, in order, on one worker. */
typedef struct filch_chunk {
    ptrdiff_t size; /* 0: automatic */
    bool python;    /* as multiprocessing.Pool computes it */
} filch_chunk;

/* An explicit chunk size, honoured exactly: FILCH_CHUNK(3) on 5 elements runs {0,1,2} and {3,4}. */
static inline filch_chunk filch_chunk_of(ptrdiff_t size)
{
    filch_chunk chunk;
    chunk.size = size ? size : -1; /* to ask for 0 is a mistake */
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
    /* FILCH_OK; FILCH_ERAISED; FILCH_ECANCELED: it did not run, or, if code is not 0, was asked to
       stop and ended as what it waited for did (filch_raise_status(), FILCH_TRY) */
    filch_status status;
    int code; /* as given to filch_raise(), or 0 */
} filch_item;

/* Told now and then how many elements have ended (of a reduction, scan or filter: pieces of the
 * array): with done == 0 at the beginning, then at most ten times a second, from any worker but
 * never by two at once, never with a smaller number than before; with done == total at the end, if
 * all have run. It should be short. */
typedef void filch_progress(void *context, size_t done, size_t total);

/* What the end of a task or of an asynchronous map calls: one of the two, once, by the thread
 * that ended it, before the future is ready, so that a waiter for the future sees what it did. They
 * should be short, and must not wait for the future. What they raise is dropped. */
typedef struct filch_callbacks {
    /* NULL, or: it succeeded. result: as of the closure; NULL if that has none, and of a map. */
    void (*callback)(void *context, const void *result);
    /* NULL, or: it failed or was cancelled. */
    void (*error_callback)(void *context, const filch_error *error);
    void *context;
} filch_callbacks;

/* Zero in a field means its default. What is pointed to must stay until the call has returned; of
 * an asynchronous map, items, and what progress and done need, until it has ended. */
struct filch_options {
    filch_pool *pool; /* its own: filch_on() sets it */
    /* Default: never. What the call runs is asked to stop then, as by filch_group_cancel():
       elements that have not begun never do, filch_cancelled() is true and waits end. A call that
       has not ended by then answers FILCH_ETIMEDOUT, whatever its parts return; only what they
       raise comes before it. What begins and returns at once: a task that has not begun by then
       never does, and the future of one that has not ended fails with FILCH_ECANCELED. */
    filch_deadline until;
    /* Default: NULL. Told what was raised, and else the call's status in error->status. */
    filch_error *error;
    filch_chunk chunksize;    /* default: automatic */
    filch_map_policy policy;  /* default: FILCH_RUN_ALL */
    filch_item *items;        /* not NULL: n of them, told how each element ended */
    filch_progress *progress; /* not NULL: told how far it is */
    void *progress_context;
    filch_callbacks done;
    /* Not 0: it begins when nothing else is to be done, or when it has waited while a good deal of
       other work was begun: it is put off, not starved. */
    int background;
};

/* Effect: stands for `pool` with these options, in every call that takes a pool, as long as
 * *options is there; it is not freed. options: NULL: stands for the pool as it is.
 * *options takes over what it leaves open from those that `pool` stands for already.
 * Threads: one at a time with the same *options. Does not block. */
filch_pool *filch_on(filch_pool *pool, filch_options *options);

#ifdef __cplusplus
}
#else
/* FILCH_ON(pool, .field = value, ...): good in the block that it is in; never returned from it, or
 * kept. In C++: filch_on(). */
#define FILCH_ON(pool, ...) filch_on((pool), &(filch_options){__VA_ARGS__})
#endif

#endif
