/* wait: one that waits, and the two kinds of thing that can be waited for.
 *
 * A waiter lives on the stack of the fiber or thread that waits. It is prepared
 * (filch_waiter_init), registered with a cell, a latch or a timer, *then* armed (filch_waiter_arm).
 * The first to fire it decides the outcome; only that one may wake it, and only if it was armed.
 * A server that has something to do for the waiter yet (write its result, let go of a lock) claims
 * it first: from then on no other outcome can come, but the waiter stays, whether it sleeps or
 * polls, until it is told. The telling is the server's last touch of the waiter's frame, and of
 * whatever the waiter may free when it knows: so it comes after the release of the object's lock.
 *
 *   ARMING --arm--> WAITING         fire: from either to an outcome
 *     | claim          | claim
 *   CLAIMED_EARLY -> CLAIMED        tell: from either to SIGNALED
 *            arm
 *
 * The registration happens after the waiting fiber's registers have been saved (fiber.h):
 * otherwise a fast waker resumes a fiber that is still running.
 *
 *   cell   done or not, any number of waiters with time-outs; lives in counted objects (futures)
 *   latch  done or not, one waiter; the store that opens it is the opener's last touch, so it may
 *          live in a frame that the waiter is about to leave (rayon #739 is this rule broken) */
#ifndef FILCH_WAIT_H
#define FILCH_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/private.h"
#include "base/base.h"
#include "base/list.h"

struct filch_fiber;
struct filch_parker;

enum filch_outcome {
    FILCH_CLAIMED_EARLY = -2, /* it will be signalled; it was not armed */
    FILCH_CLAIMED,            /* the same; it was */
    FILCH_ARMING,
    FILCH_WAITING,
    FILCH_SIGNALED, /* this and those below are written in traces */
    FILCH_TIMED_OUT,
    FILCH_CLOSED,
    FILCH_DEADLOCKED,
    FILCH_NO_MEMORY,
    FILCH_FORKED
};

/* A thread that ends the waits of many touches the first line of each. */
struct filch_waiter {
    FILCH_ALIGNED(8)
    struct filch_fiber *fiber;   /* a pool's fiber to make ready; NULL: */
    struct filch_parker *parker; /* a thread to unpark */
    _Atomic(int) outcome;
    struct filch_waiter *next; /* lock of the cell; of the one that claimed or calls it */
    struct filch_waiter *prev; /* lock of the cell */
    /* Not NULL: not a sleeper but something to do when a cell is complete. It is called
     * by the completer, after the cell has let go of it. What is to be called because of that is
     * returned, not called: there may be any number, one behind the other, and one stack. */
    struct filch_waiter *(*call)(struct filch_waiter *waiter);
    union {
        struct filch_cancel_scope *scope; /* the one it is in the list of; see cancel.h */
        /* Of one that has neither fiber nor parker and is not called: the one whose wait ends when
         * the cell is complete. It waits for other things, too, and leaves by remove. */
        struct filch_waiter *stands_for;
    };

    uint64_t deadline_ns;         /* FILCH_OS_NEVER: none */
    struct filch_link scope_link; /* lock of the scope */
};

FILCH_PRIVATE void filch_waiter_init(struct filch_waiter *waiter, struct filch_fiber *fiber,
                                     struct filch_parker *parker);

/* A place of `other` with a cell, beside those that it has elsewhere. */
static inline void filch_waiter_init_for(struct filch_waiter *waiter, struct filch_waiter *other)
{
    filch_waiter_init(waiter, NULL, NULL);
    waiter->stands_for = other;
}

/* All registrations are done. False: it was fired meanwhile, no thread will wake it: go on. One
 * that was claimed meanwhile will be woken. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_waiter_arm(struct filch_waiter *waiter);

/* Decide the outcome. True: the caller won over an armed waiter and must wake it; it may read
 * fiber and parker before this call only. */
FILCH_PRIVATE bool filch_waiter_fire(struct filch_waiter *waiter, enum filch_outcome outcome);

/* Before it is armed: what it was to wait for is there, and was taken. That stands, even if its
 * time-out was a little faster: or it would be lost. */
FILCH_PRIVATE void filch_waiter_found(struct filch_waiter *waiter);

/* What it was fired with; less than FILCH_SIGNALED: not yet. */
FILCH_PRIVATE enum filch_outcome filch_waiter_outcome(struct filch_waiter *waiter);

static inline bool filch_waiter_fired(struct filch_waiter *waiter)
{
    return filch_waiter_outcome(waiter) >= FILCH_SIGNALED;
}

/* It is fired, or will be: its wait cannot end otherwise any more. */
static inline bool filch_waiter_decided(struct filch_waiter *waiter)
{
    enum filch_outcome outcome = filch_waiter_outcome(waiter);
    return outcome != FILCH_ARMING && outcome != FILCH_WAITING;
}

/* How fibers are made ready is a matter of the scheduler, which is above. */
struct filch_wait_host {
    void (*ready)(struct filch_fiber *const *fibers, unsigned count);
    void (*post)(struct filch_fiber *fiber); /* the same for one, from a signal handler */
};

/* To be said before the first fiber is made; each time the same. */
FILCH_PRIVATE void filch_wait_hosted_by(const struct filch_wait_host *host);

/* Fire with `outcome`, and wake the waiter if that is ours to do. False: another outcome stands. */
FILCH_PRIVATE bool filch_waiter_end(struct filch_waiter *waiter, enum filch_outcome outcome);

/* Fibers whose waits have ended and that are not ready yet, but soon will be, together. */
enum { FILCH_READY_MOST = 32 };

struct filch_ready_batch {
    unsigned count;
    struct filch_fiber *fibers[FILCH_READY_MOST];
};

/* The same, a fiber goes into the batch; when that is full they are made ready first. */
FILCH_PRIVATE bool filch_waiter_end_in(struct filch_waiter *waiter, enum filch_outcome outcome,
                                       struct filch_ready_batch *batch);

/* Make all of them ready. */
FILCH_PRIVATE void filch_ready_deliver(struct filch_ready_batch *batch);

/* Waiters that one server has claimed, in the order of its claims. Zero: none. */
struct filch_claims {
    struct filch_waiter *first;
    struct filch_waiter *last;
};

/* It will be signalled, and stays until then. False: another outcome stands. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_waiter_claim(struct filch_waiter *waiter,
                                                       struct filch_claims *claims);

/* Signal all of them. Neither they nor what they waited for may be touched after this. */
FILCH_PRIVATE void filch_claims_tell(struct filch_claims *claims);

/* The same without a lock, also from a signal handler; it is not recorded. */
FILCH_PRIVATE void filch_claims_tell_from_anywhere(struct filch_claims *claims);

struct filch_cell {
    _Atomic(uint32_t) word;       /* bit 0: done, bit 1: locked */
    struct filch_waiter *waiters; /* the lock bit */
};

FILCH_PRIVATE void filch_cell_init(struct filch_cell *cell);
FILCH_PRIVATE bool filch_cell_done(struct filch_cell *cell);

/* False: it is done already, the waiter was not added. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_cell_add(struct filch_cell *cell,
                                                   struct filch_waiter *waiter);

/* Of a waiter that was added: after this returns no thread touches a sleeping one through the cell.
 * True: it was there still; one that is to be called never will be. False: it has been called, or
 * is going to be. */
FILCH_PRIVATE bool filch_cell_remove(struct filch_cell *cell, struct filch_waiter *waiter);

/* Once. The caller keeps the cell alive until this returns. Those that sleep are woken; those that
 * are to be called are returned, for filch_waiters_call(). */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_waiter *filch_cell_complete(struct filch_cell *cell);

/* It is complete, or being completed: after this returns its completer has let go of it. */
FILCH_PRIVATE void filch_cell_settle(struct filch_cell *cell);

/* Call a list of them, and what is to be called because of that. */
FILCH_PRIVATE void filch_waiters_call(struct filch_waiter *waiters);

struct filch_latch {
    _Atomic(uintptr_t) word; /* 0 closed, 1 open, else the waiter */
};

FILCH_PRIVATE void filch_latch_init(struct filch_latch *latch);
FILCH_PRIVATE bool filch_latch_is_open(struct filch_latch *latch);

/* False: it is open already. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_latch_add(struct filch_latch *latch,
                                                    struct filch_waiter *waiter);
FILCH_PRIVATE void filch_latch_open(struct filch_latch *latch);

#endif
