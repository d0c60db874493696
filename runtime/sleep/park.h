/* park: threads that sleep, and how to wake one without ever losing a wake-up.
 *
 * The handshake has two halves, and needs both:
 *
 *   sleeper                              publisher
 *   1 announce (filch_park_announce)     1 make the work visible (push)
 *   2 fence                              2 fence
 *   3 re-check every source of work      3 read the number of sleepers
 *   4 sleep, unless 3 found something    4 wake one, unless 3 found none
 *
 * The two fences are sequentially consistent, so one is first. If the sleeper's, the publisher's
 * 3 sees the announcement; if the publisher's, the sleeper's 3 sees the work. Either way one
 * acts. oneTBB #2136 is this with the publisher's fence missing, JDK-6822370 with the sleeper's.
 *
 * A parker is one thread's sleeping place: a token that a waker leaves and the sleeper consumes.
 * Parkers are never freed while the process lives (thread.h), because a waker may still be in
 * its system call when the sleeper has long gone on. A token may be stale: every sleeper loops.
 *
 * Source: Vyukov's eventcount; Go's scheduler for the list of sleepers, newest first. */
#ifndef FILCH_PARK_H
#define FILCH_PARK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "base/base.h"
#include "os/lock.h"

enum { FILCH_PARKER_FREE = -1, FILCH_PARKER_MOVING = -2 };

struct filch_parker {
    _Atomic(uint32_t) token;   /* the waker sets it, the sleeper clears it */
    uint64_t thread;           /* constant: the kernel's number of the thread that sleeps here */
    _Atomic(int) processor;    /* where its thread was when it went to sleep */
    _Atomic(int) kept_off;     /* the processor that a waker keeps it off; FILCH_PARKER_FREE */
    bool listed;               /* lock of the park */
    struct filch_parker *next; /* lock of the park; or the private list of one waker */
    struct filch_parker *prev; /* lock of the park */
};

struct filch_park {
    FILCH_ALIGNED(FILCH_CACHE_LINE)
    _Atomic(uint32_t)
        sleepers; /* lock; read by every publisher: a line of its own, rarely written */

    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_lock lock;
    struct filch_parker *newest; /* lock */
};

FILCH_PRIVATE void filch_parker_init(struct filch_parker *parker);

/* Leave a token and wake the parker's thread. The parker's own memory is all that is touched. */
FILCH_PRIVATE void filch_parker_unpark(struct filch_parker *parker);

/* The same, by a thread that goes on running. The system often lets a thread wake up where it fell
 * asleep, though its waker is there and another processor is idle: it runs when the waker sleeps,
 * or a millisecond later. So it is kept off that processor until it has woken up. */
FILCH_PRIVATE void filch_parker_unpark_apart(struct filch_parker *parker);

/* Sleep until a token is there, and consume it. False: the deadline came first. */
FILCH_PRIVATE bool filch_parker_wait(struct filch_parker *parker, uint64_t deadline_ns);

/* Consume a token if there is one. */
FILCH_PRIVATE bool filch_parker_poll(struct filch_parker *parker);

FILCH_PRIVATE void filch_park_init(struct filch_park *park);

/* Sleeper's 1 and 2. */
FILCH_PRIVATE void filch_park_announce(struct filch_park *park, struct filch_parker *parker);

/* The sleeper found something to do, or has been woken, or timed out. True: it was still listed;
 * false: a waker had chosen it already (its token is there or comes). */
FILCH_PRIVATE bool filch_park_retract(struct filch_park *park, struct filch_parker *parker);

/* Publisher's 2 and 3. The caller unparks it, which is 4. NULL: none sleeps. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_parker *filch_park_choose(struct filch_park *park);

/* Publisher's 2 to 4. False: none sleeps. */
FILCH_PRIVATE bool filch_park_wake_one(struct filch_park *park);

/* Wake all that sleep. */
FILCH_PRIVATE void filch_park_wake_all(struct filch_park *park);

/* How many sleep; a hint. */
FILCH_PRIVATE uint32_t filch_park_sleepers(struct filch_park *park);

#endif
