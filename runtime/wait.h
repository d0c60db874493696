/* wait: one who waits, and the two kinds of thing that can be waited for.
 *
 * A waiter lives on the stack of the strand or thread that waits. It is prepared
 * (filch_waiter_init), registered with a cell, a latch or a timer, *then* armed (filch_waiter_arm).
 * Whoever fires it first decides the outcome; only that one may wake it, and only if it was armed.
 * The registration happens after the waiting strand's registers have been saved (strand.h):
 * otherwise a fast waker resumes a strand that is still running.
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

#include "base.h"
#include "timer.h"

struct filch_strand;
struct filch_parker;

enum filch_outcome {
    FILCH_ARMING,
    FILCH_WAITING,
    FILCH_SIGNALED,
    FILCH_TIMED_OUT,
    FILCH_CLOSED,
    FILCH_DEADLOCKED,
    FILCH_NO_MEMORY
};

/* Who ends the waits of many touches the first line of each. */
struct filch_waiter {
    struct filch_strand *strand; /* a pool's strand to make ready; NULL: */
    struct filch_parker *parker; /* a thread to unpark */
    _Atomic(int) outcome;
    struct filch_waiter *next; /* lock of the cell or line */
    struct filch_waiter *prev; /* lock of the cell or line */
    /* Not NULL: not somebody who sleeps but something to do when a cell is complete. It is called
     * by the completer, after the cell has let go of it. */
    void (*call)(struct filch_waiter *waiter);
    struct filch_scope *scope; /* the one it is in the list of; see scope.h */

    struct filch_timer timer;
    struct filch_waiter *scope_next; /* lock of the scope */
    struct filch_waiter *scope_prev; /* lock of the scope */
};

void filch_waiter_init(struct filch_waiter *waiter, struct filch_strand *strand,
                       struct filch_parker *parker);

/* All registrations are done. False: it was fired meanwhile, nobody will wake it: go on. */
bool filch_waiter_arm(struct filch_waiter *waiter);

/* Decide the outcome. True: the caller won over an armed waiter and must wake it; it may read
 * strand and parker before this call only. */
bool filch_waiter_fire(struct filch_waiter *waiter, enum filch_outcome outcome);

/* Before it is armed: what it was to wait for is there, and was taken. That stands, even if its
 * time-out was a little faster: or it would be lost. */
void filch_waiter_found(struct filch_waiter *waiter);

/* What it was fired with; FILCH_ARMING or FILCH_WAITING: not yet. */
enum filch_outcome filch_waiter_outcome(struct filch_waiter *waiter);

static inline bool filch_waiter_fired(struct filch_waiter *waiter)
{
    return filch_waiter_outcome(waiter) >= FILCH_SIGNALED;
}

/* How strands are made ready, together: one lock and one look for sleepers, not each its own.
 * Supplied by core.c (and by the models in the tests). */
void filch_strands_ready(struct filch_strand *const *strands, unsigned count);

/* Fire with `outcome`, and wake the waiter if that is ours to do. False: another outcome stands. */
bool filch_waiter_end(struct filch_waiter *waiter, enum filch_outcome outcome);

struct filch_cell {
    _Atomic(uint32_t) word;       /* bit 0: done, bit 1: locked */
    struct filch_waiter *waiters; /* the lock bit */
};

void filch_cell_init(struct filch_cell *cell);
bool filch_cell_done(struct filch_cell *cell);

/* False: it is done already, the waiter was not added. */
bool filch_cell_add(struct filch_cell *cell, struct filch_waiter *waiter);

/* Of a waiter that was added: after this returns nobody touches a sleeping one through the cell.
 * True: it was there still; one that is to be called never will be. False: it has been called, or
 * is going to be. */
bool filch_cell_remove(struct filch_cell *cell, struct filch_waiter *waiter);

/* Once. The caller keeps the cell alive until this returns. */
void filch_cell_complete(struct filch_cell *cell);

struct filch_latch {
    _Atomic(uintptr_t) word; /* 0 closed, 1 open, else the waiter */
};

void filch_latch_init(struct filch_latch *latch);
bool filch_latch_is_open(struct filch_latch *latch);

/* False: it is open already. */
bool filch_latch_add(struct filch_latch *latch, struct filch_waiter *waiter);
void filch_latch_open(struct filch_latch *latch);

#endif
