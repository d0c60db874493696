/* handoff: fibers that keep their thread for a while, and what becomes of the core.
 *
 * A fiber that calls something that blocks in the system lends its core to another thread and
 * takes one again when it is back. A fiber that is pinned to its thread waits as a program's own
 * thread does: the thread sleeps, without the core. For each such fiber the pool may have one more
 * thread; a permit, of which the pool has so many, stands for it. Threads that are too many after
 * that end when they have been idle for a while. */
#ifndef FILCH_HANDOFF_H
#define FILCH_HANDOFF_H

#include <stdbool.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/wait_list.h"

struct filch_pool;
struct filch_fiber;
struct filch_thread;

struct filch_permits {
    struct filch_lock lock;
    unsigned most;                 /* constant */
    _Atomic(unsigned) taken;       /* lock; without it a hint */
    struct filch_wait_list wanted; /* lock */
};

/* The calling fiber, if there is one, lends its core; pairs may be nested. Waits for a permit. */
FILCH_PRIVATE void filch_handoff_begin(void);
FILCH_PRIVATE void filch_handoff_end(void);

/* Bind the calling fiber to its thread. False: there is no permit. Pairs may be nested; a thread
 * that is no pool's is bound anyway. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_handoff_pin(void);
FILCH_PRIVATE void filch_handoff_unpin(void);

/* A job that has ended may have left these open. */
FILCH_PRIVATE void filch_handoff_forget(struct filch_fiber *fiber);

/* Does it wait as its thread, because it is bound to it? */
FILCH_PRIVATE bool filch_handoff_is_bound(const struct filch_fiber *fiber);

/* How many threads the pool may have. */
FILCH_PRIVATE unsigned filch_handoff_threads(struct filch_pool *pool);

#endif
