/* dispenser: gives out the indices of a loop in ascending order, and slots to those that run them.
 *
 * A participant enters, which gives it a slot, takes indices as long as there are some, and leaves.
 * What it takes is a run of neighbours. Those of a run that have not begun when one of them waits
 * are given back, and given out again before any higher ones; but their participant takes its own
 * back first. So the lowest index that has not ended is never stuck behind one that waits for it:
 * its participant either runs it or something lower, which is no longer unended, or comes to it
 * next. */
#ifndef FILCH_DISPENSER_H
#define FILCH_DISPENSER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/slots.h>

#include "base/base.h"
#include "base/private.h"
#include "os/lock.h"

/* What a participant has; on its stack. */
struct filch_portion {
    size_t next, end; /* its own: [next, end) have not begun */
    size_t slot;
    bool is_returned; /* lock, and the next */
    size_t returned_next, returned_end;
    struct filch_portion *after;
};

enum { FILCH_SLOT_WORDS = FILCH_SLOTS_MAX / 64 };

struct filch_dispenser {
    size_t n;
    size_t slots;                                         /* so many may be inside */
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(size_t) next; /* the first that was never given out */
    _Atomic(uint32_t) returned_count;                     /* lock to write; of `returned` */
    _Atomic(uint32_t) inside;                             /* lock to write */
    struct filch_lock lock;
    struct filch_portion *returned;   /* lock; by rising index */
    uint64_t taken[FILCH_SLOT_WORDS]; /* lock; a bit for each slot */
};

/* Of n indices, to at most `limit` at a time. */
FILCH_PRIVATE void filch_dispenser_init(struct filch_dispenser *dispenser, size_t n, size_t limit);

/* False: there is no slot. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_dispenser_enter(struct filch_dispenser *dispenser,
                                                          struct filch_portion *portion);

/* Take the next indices, at most so many, and at most one part in `parts` of those that were never
 * given out. False: there are none. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_dispenser_take(struct filch_dispenser *dispenser,
                                                         struct filch_portion *portion, size_t most,
                                                         size_t parts);

/* The participant's own thread: what has not begun of its run is others'. */
FILCH_PRIVATE void filch_dispenser_return(struct filch_dispenser *dispenser,
                                          struct filch_portion *portion);

/* False: something was given back meanwhile, which it has now. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_dispenser_leave(struct filch_dispenser *dispenser,
                                                          struct filch_portion *portion);

/* Nothing more is given out. */
FILCH_PRIVATE void filch_dispenser_close(struct filch_dispenser *dispenser);

/* Has something been given back? A glance. */
static inline bool filch_dispenser_has_returned(struct filch_dispenser *dispenser)
{
    /* relaxed: who gives something back publishes it then, see slots.c */
    return atomic_load_explicit(&dispenser->returned_count, memory_order_relaxed) > 0;
}

/* How many were never given out. A glance. */
static inline size_t filch_dispenser_left(struct filch_dispenser *dispenser)
{
    /* relaxed: only the number matters */
    return dispenser->n - atomic_load_explicit(&dispenser->next, memory_order_relaxed);
}

/* Is there something to do for one more, and a slot? A glance. */
static inline bool filch_dispenser_wants(struct filch_dispenser *dispenser)
{
    /* relaxed: seen late, one comes in vain or a little later */
    return atomic_load_explicit(&dispenser->inside, memory_order_relaxed) < dispenser->slots &&
           (filch_dispenser_left(dispenser) > 0 || filch_dispenser_has_returned(dispenser));
}

#endif
