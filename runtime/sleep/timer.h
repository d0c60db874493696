/* timer: deadlines on the monotonic clock, earliest first.
 *
 * A timer is part of what waits for it: arming allocates nothing and cannot fail. When one fires,
 * its function is called under the timers' lock, so that it is either called before
 * filch_timers_disarm() returns or never: the owner may free it after that. Fibers whose waits end
 * by that are made ready together, after the release of the lock.
 *
 * To find the next earliest, many are looked at. On the stacks of those that sleep each would be a
 * page of its own, which no thread has touched since: so that of a fiber lies elsewhere, next to
 * those of others (slab.h).
 *
 * Source: Fredman, Sedgewick, Sleator & Tarjan, "The pairing heap" (Algorithmica 1986). */
#ifndef FILCH_TIMER_H
#define FILCH_TIMER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/private.h"
#include "os/lock.h"

struct filch_ready_batch; /* wait.h */

enum { FILCH_TIMER_AT_ONCE = 32 }; /* so many are fired at a time */

enum filch_timer_end { FILCH_TIMER_DUE, FILCH_TIMER_CLOSED };

struct filch_timer {
    uint64_t deadline_ns;
    void (*fire)(struct filch_timer *timer, enum filch_timer_end end,
                 struct filch_ready_batch *batch);
    void *context;               /* fire()'s; what it touches */
    struct filch_timer *child;   /* lock */
    struct filch_timer *sibling; /* lock */
    struct filch_timer *prev;    /* lock; the parent for a first child */
    bool armed;                  /* lock */
};

struct filch_timers {
    struct filch_lock lock;
    struct filch_timer *root;      /* lock */
    bool closed;                   /* lock */
    _Atomic(uint64_t) earliest_ns; /* lock; FILCH_OS_NEVER when none; read by any thread */
};

FILCH_PRIVATE void filch_timers_init(struct filch_timers *timers);

/* True: this is now the earliest, a thread that sleeps until a later one must be told. */
FILCH_PRIVATE bool filch_timers_arm(struct filch_timers *timers, struct filch_timer *timer);
FILCH_PRIVATE void filch_timers_disarm(struct filch_timers *timers, struct filch_timer *timer);

/* Fire what is due at now_ns, FILCH_TIMER_AT_ONCE at most; how many. */
FILCH_PRIVATE size_t filch_timers_fire(struct filch_timers *timers, uint64_t now_ns);

/* Fire all, and from now on each timer as it is armed. */
FILCH_PRIVATE void filch_timers_close(struct filch_timers *timers);

/* The earliest deadline, FILCH_OS_NEVER when none is armed. */
FILCH_PRIVATE uint64_t filch_timers_earliest(struct filch_timers *timers);

#endif
