/* filch/slots.h: the loop that other libraries ask for.
 *
 *     static void transform_row(size_t row, size_t slot, void *context)
 *     {
 *         struct picture *picture = context;
 *         transform(picture, row, picture->scratch[slot]);
 *     }
 *
 *     filch_parallel_slots(pool, picture->rows, SCRATCHES, transform_row, picture, NULL);
 *
 * Libraries that can be told to run their loops on threads that are not their own give a function,
 * a number of jobs and a number of threads, and count on what filch_parallel_for() leaves open:
 * each job learns which of the threads it is on, jobs begin in order, and all of them run, since a
 * callback has no way to answer that they have not. This is such a loop; filch/adapters/ has the
 * callbacks of some libraries, made of it.
 *
 * Slots are not threads. A thread may be in several of these loops at the same time, and a body
 * that waits may go on on another: it keeps its slot. */
#ifndef FILCH_SLOTS_H_PUBLIC
#define FILCH_SLOTS_H_PUBLIC

#include <filch/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* More slots than this are never used. */
#define FILCH_SLOTS_MAX 4096

/* Effect: runs body(i, slot, environment) for i = 0 to n - 1, in parallel, each once, and returns
 * when all have returned. The caller takes part; others come as they do to filch_parallel_for().
 *
 * While a body runs its slot is its own: a number from 0 to limit - 1, and below FILCH_SLOTS_MAX,
 * that no other body of this call has meanwhile. So no more of them than that run at a time. A body
 * that waits, migrates or calls into the pool keeps its slot until it returns. Index 0 has slot 0.
 *
 * Indices are given out in ascending order, neighbours at a time where they take little, and those
 * to one participant begin in order. So a body may wait for what bodies with lower indices do; for
 * higher ones only if n <= limit, and n <= FILCH_SLOTS_MAX.
 *
 * Each sees what was done before the call, and what they did is seen after it. They are not
 * cancelled: all run, also in a pool or group that is, where filch_cancelled() tells each of them.
 * Where the pool cannot be used (closed, broken, the parent's in the child of a fork(), no memory,
 * no thread) the caller runs them alone. A body that ends its thread (pool.h) drops what has not
 * begun. What a body raises counts as raised by the caller.
 * Args: limit: at least 1; filch_pool_workers(pool) is as many as run at a time where bodies do not
 * wait; environment: not copied; info: what traces and dumps call it, static; NULL: its own name.
 * Errors: FILCH_EINVAL: no body, or limit is 0; nothing has run.
 * Threads: any, and any task; several at once; nested. Blocks; may migrate. */
filch_status filch_parallel_slots(filch_pool *pool, size_t n, size_t limit,
                                  void (*body)(size_t i, size_t slot, void *environment),
                                  void *environment, const filch_function_info *info);

#ifdef __cplusplus
}
#endif

#endif
