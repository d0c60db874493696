/* rank: which lock may be taken while which other is held.
 *
 * The ranks and the pairs that are allowed are the table in rank.c, and nowhere else. Where
 * assertions are on each thread knows which locks it holds; a lock that must not be taken under one
 * of them ends the process before it is waited for, with both names (assert.h). The same for one
 * that the thread has already, and for one that is let go of and not held. Elsewhere nothing is
 * kept, and a rank is a constant that has no reader. */
#ifndef FILCH_RANK_H
#define FILCH_RANK_H

#include <stdbool.h>

#include "base/assert.h"

/* What a lock is the lock of. */
enum filch_rank {
    FILCH_RANK_WAIT_QUEUE,
    FILCH_RANK_CHANNEL,
    FILCH_RANK_COMPLETIONS,
    FILCH_RANK_POOLS,
    FILCH_RANK_STACKS,
    FILCH_RANK_DESCRIPTOR,
    FILCH_RANK_SCOPE,
    FILCH_RANK_TIMERS,
    FILCH_RANK_CELL,
    FILCH_RANK_PARTY,
    FILCH_RANK_POOL,
    FILCH_RANK_DUMP,
    FILCH_RANK_PROCESS,
    FILCH_RANK_REGISTRY,
    FILCH_RANK_TRACES,
    /* Nothing is taken under these. */
    FILCH_RANK_QUEUE,
    FILCH_RANK_PARK,
    FILCH_RANK_PERMITS,
    FILCH_RANK_PENDING,
    FILCH_RANK_FAULT,
    FILCH_RANK_LINE,
    FILCH_RANK_TURN,
    FILCH_RANK_LIMIT,
    FILCH_RANK_STATES,
    FILCH_RANK_SLOTS,
    FILCH_RANK_SLEEPERS,
    FILCH_RANK_QUESTIONS,
    FILCH_RANK_OVERFLOW,
    FILCH_RANK_LOG,
    FILCH_RANKS
};

#ifdef FILCH_ASSERTIONS
/* The calling thread is about to wait for it. */
FILCH_PRIVATE void filch_rank_check(const void *lock, enum filch_rank rank);

/* It has it, or has no longer. Not of a party. */
FILCH_PRIVATE void filch_rank_take(const void *lock, enum filch_rank rank);
FILCH_PRIVATE void filch_rank_drop(const void *lock);

/* The same of parties, of which a search may hold any number. */
FILCH_PRIVATE void filch_rank_take_party(void);
FILCH_PRIVATE void filch_rank_drop_party(void);

/* The child of a fork(): what its thread held is the parent's. */
FILCH_PRIVATE void filch_rank_start_anew(void);
#else
static inline void filch_rank_check(const void *lock, enum filch_rank rank)
{
    (void)lock, (void)rank;
}

static inline void filch_rank_take(const void *lock, enum filch_rank rank)
{
    (void)lock, (void)rank;
}

static inline void filch_rank_drop(const void *lock)
{
    (void)lock;
}

static inline void filch_rank_take_party(void)
{
}

static inline void filch_rank_drop_party(void)
{
}

static inline void filch_rank_start_anew(void)
{
}
#endif

FILCH_FOR_ASSERTIONS bool filch_rank_is_held(const void *lock);
FILCH_FOR_ASSERTIONS bool filch_rank_holds_any(void);

#endif
