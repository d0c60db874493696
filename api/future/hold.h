/* hold: what a future keeps until it is over, and others may look at meanwhile.
 *
 * It is over when two things have ended. The one that ends last, or a looker that leaves after
 * both, lets go of what was kept. */
#ifndef FILCH_HOLD_H
#define FILCH_HOLD_H

#include <stdatomic.h>
#include <stdbool.h>

enum filch_hold_part { FILCH_HOLD_FIRST = 1, FILCH_HOLD_SECOND = 2, FILCH_HOLD_BOTH = 3 };
enum { FILCH_HOLD_LOOKER = 4 }; /* each counts for so much */

struct filch_hold {
    _Atomic(unsigned) word; /* parts that have ended, and lookers */
};

static inline void filch_hold_init(struct filch_hold *hold, unsigned ended)
{
    atomic_init(&hold->word, ended);
}

/* Once for each part. True: let go. */
static inline bool filch_hold_end(struct filch_hold *hold, enum filch_hold_part part)
{
    /* acq_rel: the one that lets go does so after all others; pairs with itself, and with the one
     * in look_end */
    unsigned before = atomic_fetch_or_explicit(&hold->word, part, memory_order_acq_rel);
    return (before | part) == FILCH_HOLD_BOTH;
}

/* True: what is kept stays until look_end. The caller has a reference to the future. */
static inline bool filch_hold_look(struct filch_hold *hold)
{
    /* relaxed: what was kept was there before the caller knew the future */
    unsigned word = atomic_load_explicit(&hold->word, memory_order_relaxed);
    while ((word & FILCH_HOLD_BOTH) != FILCH_HOLD_BOTH) {
        /* relaxed, both: as above */
        if (atomic_compare_exchange_weak_explicit(&hold->word, &word, word + FILCH_HOLD_LOOKER,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/* True: let go. */
static inline bool filch_hold_look_end(struct filch_hold *hold)
{
    /* acq_rel: as in end */
    unsigned before =
        atomic_fetch_sub_explicit(&hold->word, FILCH_HOLD_LOOKER, memory_order_acq_rel);
    return before - FILCH_HOLD_LOOKER == FILCH_HOLD_BOTH;
}

#endif
