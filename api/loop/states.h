/* states: what the elements of a fold are accumulated into.
 *
 * A state is held by the call of a block, not by a thread: an element that waits keeps its own, and
 * others take another meanwhile. States that none holds lie in seats, one for each core, where the
 * next block on that core finds the one that is in its cache; those for which there is no seat, in
 * a pile under a lock. A new one is made only when there is none of either, so there are never more
 * than were held at the same time.
 *
 * The user's functions are called without a lock, and may wait. */
#ifndef FILCH_STATES_H
#define FILCH_STATES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <filch/fold.h>

#include "base/base.h"
#include "base/private.h"
#include "os/lock.h"

struct filch_state {
    struct filch_state *older;               /* constant: the one that was made before it */
    struct filch_state *below;               /* lock, while it is in the pile */
    bool started;                            /* its holder */
    FILCH_ALIGNED(16) unsigned char bytes[]; /* aligned to a cache line */
};

enum { FILCH_SEATS = 64 };

struct filch_states {
    const filch_accumulator *accumulator;
    size_t bytes; /* of a state */
    unsigned seat_count;
    struct filch_lock lock;
    struct filch_state *pile;             /* lock; the top */
    _Atomic(struct filch_state *) newest; /* all of them, by `older` */
    struct filch_seat {
        FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(struct filch_state *) state; /* or NULL */
    } seats[FILCH_SEATS];
};

/* For up to so many cores. */
FILCH_PRIVATE void filch_states_init(struct filch_states *states, size_t state_bytes,
                                     const filch_accumulator *accumulator, unsigned cores);

/* Hold one, which has been started: one that was given back as it was then, or a new one. Inside a
 * pool. FILCH_ENOMEM, or what start() has answered: *state is NULL. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_states_take(struct filch_states *states,
                                                              struct filch_state **state);

/* Let go of it. */
FILCH_PRIVATE void filch_states_give(struct filch_states *states, struct filch_state *state);

/* Its holder: merge it into another, also one of the caller's, and finish it. */
FILCH_PRIVATE void filch_states_merge(struct filch_states *states, void *into,
                                      struct filch_state *state);

/* Merge all that have been started into one of the caller's, in any order. None is held. */
FILCH_PRIVATE void filch_states_merge_all(struct filch_states *states, void *into);

/* Finish those that are started still, and free all. None is used any more. */
FILCH_PRIVATE void filch_states_free(struct filch_states *states);

#endif
