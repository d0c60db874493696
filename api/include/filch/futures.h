/* filch/futures.h: waiting for several futures at once.
 *
 *     filch_future *ready;
 *     filch_completions *done;
 *     status = filch_as_completed(futures, n, &done);
 *     while (filch_completions_next(done, &ready, NULL) == FILCH_OK) {
 *         ...
 *         filch_future_free(ready);
 *     }
 *     filch_completions_free(done);
 *
 * A set may be freed by the caller that has taken the last of its futures, though what made that
 * one ready may still be on its way, and at any other time when no other call uses it. */
#ifndef FILCH_FUTURES_H
#define FILCH_FUTURES_H

#include <stddef.h>
#include <stdio.h>

#include <filch/future.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: a future that is ready when all `n` are; n = 0: at once. Its result has 0 bytes. It
 * succeeds if all did, else it ends as the one of the lowest index that did not, and that is the
 * index in its error.
 * Errors: FILCH_EINVAL: also for a NULL among them; FILCH_ENOMEM; FILCH_EOVERFLOW.
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_when_all(filch_future *const futures[], size_t n,
                                             filch_future **all);

/* Effect: a future that is ready when one of them is; its value is that one's index, a size_t. How
 * that one ended is for it to say.
 * Errors: as when_all; FILCH_EINVAL also for n = 0. */
FILCH_MUST_CHECK filch_status filch_when_any(filch_future *const futures[], size_t n,
                                             filch_future **any);

/* Effect: writes the graph that leads to the future: what it needs, by then, after, when_all and
 * when_any, what those need, and so on, in the language of Graphviz (filch_dump_graph(...), then
 * `dot -Tsvg`). A future is drawn as an ellipse while it is pending, a box while it runs, a double
 * circle when it has succeeded, and an octagon, with its error, when it has failed or was
 * cancelled; its name and place are those of its function. Arrows lead from what is needed. What
 * has ended does not know what it needed. Each future is shown as it was at some time of the call.
 * Errors: FILCH_EINVAL: an argument is NULL; FILCH_EFORKED; FILCH_ENOMEM: nothing was written.
 * Threads: any. Does not block, except for writing. */
filch_status filch_dump_graph(filch_future *future, FILE *stream);

/* What to wait for. */
typedef enum filch_wait_mode {
    FILCH_ALL_COMPLETED,
    FILCH_FIRST_COMPLETED,
    FILCH_FIRST_ERROR /* or all, if none of them fails */
} filch_wait_mode;

/* Effect: waits until what `mode` says has happened. filch_future_ready() tells which are ready
 * then. n = 0: returns.
 * Errors: FILCH_EINVAL; FILCH_ETIMEDOUT; FILCH_ENOMEM; FILCH_ECANCELED as filch_future_wait().
 * Threads: any. Blocks; may migrate. */
FILCH_MUST_CHECK filch_status filch_futures_wait(filch_future *const futures[], size_t n,
                                                 filch_wait_mode mode);
FILCH_MUST_CHECK filch_status filch_futures_wait_until(filch_future *const futures[], size_t n,
                                                       filch_wait_mode mode, filch_deadline until);

/* Futures in the order in which they become ready. */
typedef struct filch_completions filch_completions;

/* Effect: an empty set of futures. Owns: the caller. Errors: FILCH_EINVAL, FILCH_ENOMEM. */
FILCH_MUST_CHECK filch_status filch_completions_new(filch_completions **set);

/* Effect: adds a future, of which the set keeps a reference until it has been returned.
 * Errors: FILCH_EINVAL, FILCH_ENOMEM. Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_completions_add(filch_completions *set, filch_future *future);

/* Effect: a new set with these futures. Errors: as new and add; *set is NULL then. */
FILCH_MUST_CHECK filch_status filch_as_completed(filch_future *const futures[], size_t n,
                                                 filch_completions **set);

/* Effect: waits for the next of them to be ready, in the order in which that happens, each once.
 * Args: ready: receives a reference; index: NULL, or told how many were added before it.
 * Errors: FILCH_END: all have been returned; FILCH_EINVAL; FILCH_ECANCELED as filch_future_wait().
 * Threads: any, several at once too. Blocks; may migrate. */
FILCH_MUST_CHECK filch_status filch_completions_next(filch_completions *set, filch_future **ready,
                                                     size_t *index);

/* Effect: the same, until then; FILCH_ETIMEDOUT. */
FILCH_MUST_CHECK filch_status filch_completions_next_until(filch_completions *set,
                                                           filch_deadline until,
                                                           filch_future **ready, size_t *index);

/* Effect: forgets the futures that are in it. No caller waits for it any more. NULL: no-op. */
void filch_completions_free(filch_completions *set);

#ifdef __cplusplus
}
#endif

#endif
