/* lend: strands that keep their thread for a while, and what becomes of the core.
 *
 * A strand that calls something that blocks in the system lends its core to another thread and
 * takes one again when it is back. A strand that is pinned to its thread waits as a program's own
 * thread does: the thread sleeps, without the core. For each such strand the pool may have one more
 * thread; a permit, of which the pool has so many, stands for it. Threads that are too many after
 * that end when they have been idle for a while. */
#ifndef FILCH_LEND_H
#define FILCH_LEND_H

#include <stdbool.h>

#include "os/lock.h"
#include "sleep/line.h"

struct filch_pool;
struct filch_strand;
struct filch_thread;

struct filch_permits {
    struct filch_lock lock;
    unsigned most;            /* constant */
    _Atomic(unsigned) taken;  /* lock; without it a hint */
    struct filch_line wanted; /* lock */
};

/* The calling strand, if there is one, lends its core; pairs may be nested. Waits for a permit. */
void filch_lend_begin(void);
void filch_lend_end(void);

/* Bind the calling strand to its thread. False: there is no permit. Pairs may be nested; a thread
 * that is no pool's is bound anyway. */
bool filch_lend_pin(void);
void filch_lend_unpin(void);

/* A job that has ended may have left these open. */
void filch_lend_forget(struct filch_strand *strand);

/* Does it wait as its thread, because it is bound to it? */
bool filch_lend_is_bound(const struct filch_strand *strand);

/* How many threads the pool may have. */
unsigned filch_lend_threads(struct filch_pool *pool);

#endif
