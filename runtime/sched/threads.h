/* threads: those that a pool has: when one is made, where it begins, when it ends. */
#ifndef FILCH_THREADS_H
#define FILCH_THREADS_H

#include <stdbool.h>
#include <threads.h>

#include <filch/status.h>

#include "base/private.h"
#include "base/base.h"

struct filch_pool;
struct filch_thread;

/* One more thread, unless there are enough, the pool is ending or the system refuses. After a
 * refusal it is asked again, at growing intervals. */
FILCH_PRIVATE bool filch_pool_make_thread(struct filch_pool *pool);

/* The caller has turned out to go on for a while: if a thread that was made has not begun yet, it
 * is not to wait for the caller's processor. */
FILCH_PRIVATE void filch_pool_move_starting(struct filch_pool *pool);

/* A new thread is about to do its first thing. */
FILCH_PRIVATE void filch_pool_thread_begins(struct filch_pool *pool, struct filch_thread *thread);

/* The steps of it, for a thread that is not a worker. The caller has the pool's lock when it asks;
 * before that it sees that no thread was refused just now. */
FILCH_PRIVATE bool filch_pool_may_ask_thread(struct filch_pool *pool);
FILCH_PRIVATE bool filch_pool_ask_thread_locked(struct filch_pool *pool, thrd_t *thread,
                                                thrd_start_t start, void *argument);

/* A thread of the pool that is one too many, and runs nothing, wants to end. False: it is needed.
 * The pool may be gone after this. */
FILCH_PRIVATE bool filch_pool_retire(struct filch_pool *pool);

/* Has it more threads than it may need? A glance. */
FILCH_PRIVATE bool filch_pool_has_surplus(struct filch_pool *pool);

/* Make all threads now. FILCH_EAGAIN: one could not be made. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_start_threads(struct filch_pool *pool);

/* See that there is a thread that will run what is accepted now. */
FILCH_PRIVATE bool filch_pool_has_thread(struct filch_pool *pool);

/* The pool takes no more work, and has none: all end. False: another caller has seen to it, or is
 * about to. */
FILCH_PRIVATE bool filch_pool_end_threads(struct filch_pool *pool);

#endif
