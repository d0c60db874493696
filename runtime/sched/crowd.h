/* crowd: elements of a loop that wait for each other, and how many of one loop may at a time.
 *
 * An element that waits keeps its stack, and lets others run the rest of its range. Where elements
 * wait for each other (a mutex, a channel), starting more of them only makes the line longer: a
 * loop of a million would take a million stacks. So as soon as a loop has as many waiting as
 * `most`, those that begin to wait then hold the rest of their ranges back: it is published, as
 * ever, but lies where no thief looks. Its owner takes it up again when it goes on. Nor are ranges
 * split for those that ask.
 *
 * Elements may also wait for later ones, which must be started sooner or later. The monitor sees
 * to that (monitor.c): when nothing has run from one look to the next while ranges are held back,
 * `most` is doubled and as many of them are let go. While others run, what is waited for may come
 * from them: then `most` grows by its first value only, at intervals that double, so that it stays
 * small however long a loop takes.
 *
 * Sleeps, and what comes from outside of the program, are not counted. */
#ifndef FILCH_CROWD_H
#define FILCH_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/lane.h>

#include "base/private.h"
#include "base/base.h"

struct filch_core;
struct filch_pool;
struct filch_fiber;

enum { FILCH_CROWD_FIRST = 256 };

struct filch_crowding {
    _Atomic(uint32_t) most;    /* how many elements of one loop may wait; the monitor raises it */
    _Atomic(uint32_t) held;    /* ranges that are held back */
    _Atomic(uint32_t) let_go;  /* so many of them are to be let go by the next thread */
    _Atomic(uint64_t) epoch;   /* the monitor: the pool's `running` when it looked last */
    _Atomic(uint64_t) next_ns; /* the monitor: it grows no sooner while others run */
    _Atomic(uint64_t) interval_ns; /* the monitor */
};

FILCH_PRIVATE void filch_crowding_init(struct filch_crowding *crowding);

/* The fiber is about to wait for other work: count it among those of its loops that wait. True:
 * there are too many. It says when it goes on. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_crowd_enter(struct filch_fiber *fiber);
FILCH_PRIVATE void filch_crowd_leave(struct filch_fiber *fiber);

/* Do so many wait that no more of them are to begin? A glance. */
FILCH_PRIVATE bool filch_crowd_is_full(struct filch_pool *pool, _Atomic(uint32_t) *waiting);

/* A stack is used afresh. */
FILCH_PRIVATE void filch_crowd_forget(struct filch_fiber *fiber);

/* Hold a slot back that was just published, if it is a loop's range and the first one. */
FILCH_PRIVATE bool filch_crowd_hold_back(struct filch_fiber *fiber, filch_slot *slot);

/* The monitor's look. */
FILCH_PRIVATE void filch_crowd_watch(struct filch_pool *pool);

/* The holder: put as many as are to be let go into its deque. */
FILCH_PRIVATE void filch_crowd_let_go(struct filch_core *core);

/* Is something to be let go, or held back? */
FILCH_PRIVATE bool filch_crowd_is_let_go(struct filch_pool *pool);
FILCH_PRIVATE bool filch_crowd_is_held(struct filch_pool *pool);

#endif
