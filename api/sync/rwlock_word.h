/* rwlock_word: the steps of the word of a read-write lock; see the top of rwlock.c. */
#ifndef FILCH_SYNC_RWLOCK_WORD_H
#define FILCH_SYNC_RWLOCK_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/sync.h>

#include "base/assert.h"
#include "base/base.h"
#include "os/lock.h"
#include "sched/process.h"
#include "sleep/wait_list.h"
#include "sync/patience.h"
#include "sync/spin.h"

enum { WRITTEN = 1, RW_WAITED = 2, RW_WOKEN = 4, RW_STARVING = 8, READER = 16 };
static const uint32_t RW_FLAGS = RW_WAITED | RW_WOKEN | RW_STARVING;
static const uint32_t READERS_FULL = (uint32_t)1 << 31; /* this bit of the word: too many */

/* Zero is a valid start. */
struct rwlock {
    _Atomic(uint32_t) word;
    struct filch_lock lock;
    _Atomic(struct filch_party *) owner; /* the writer, or, for a moment, NULL */
    struct filch_wait_list line;         /* lock */
    uint32_t token;                      /* lock; of the process whose waiters are in line, or 0 */
};

_Static_assert(sizeof(struct rwlock) <= sizeof(filch_rwlock), "it has room");

struct rwlock_wait {
    struct rwlock *rwlock;        /* constant */
    struct filch_party *party;    /* constant: the caller */
    struct filch_wait_node place; /* lock */
    uint64_t since_ns;            /* when it came to stand in line; 0: it has not yet */
    uint32_t unit;                /* constant: READER or WRITTEN */
    bool in;                      /* it is; written by the caller, or the one that serves it */
    bool woken;                   /* the caller's: those that leave count on it */
    bool leads;                   /* the caller's: readers in line may come in with it */
    bool forked;                  /* the caller's: the writer is in the parent */
};

static inline struct rwlock *rwlock_of(filch_rwlock *rwlock)
{
    return (struct rwlock *)(void *)rwlock;
}

static inline uint32_t word_of_rwlock(struct rwlock *rwlock)
{
    /* relaxed: checked by the exchange that follows, or under the lock */
    return atomic_load_explicit(&rwlock->word, memory_order_relaxed);
}

static inline void own_rwlock(struct rwlock *rwlock, struct filch_party *owner)
{
    /* relaxed: only a party itself, or one that it is handed over by, says that it is the owner,
     * and a search looks twice */
    atomic_store_explicit(&rwlock->owner, owner, memory_order_relaxed);
}

static inline struct filch_party *writer_of(struct rwlock *rwlock)
{
    return atomic_load_explicit(&rwlock->owner, memory_order_relaxed); /* as above */
}

static inline bool is_rwlock_held(uint32_t word)
{
    return word >= READER || word & WRITTEN;
}

/* `first`: it has been in line, and is the first of those. */
static inline bool may_enter(uint32_t word, uint32_t unit, bool first)
{
    if (word & (WRITTEN | RW_STARVING | READERS_FULL)) {
        return false;
    }
    return word < READER || (unit == READER && (first || !(word & RW_WAITED)));
}

/* The word was *word; false: it is what that is now. acquire: pairs with the release in let_out and
 * let_next_in_locked. */
static inline bool let_in(struct rwlock *rwlock, uint32_t *word, uint32_t wanted)
{
    return atomic_compare_exchange_strong_explicit(&rwlock->word, word, wanted,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* The same. The last touch. release: pairs with the acquire in let_in and let_next_in_locked. */
static inline bool let_out(struct rwlock *rwlock, uint32_t *word, uint32_t less)
{
    return atomic_compare_exchange_strong_explicit(&rwlock->word, word, *word - less,
                                                   memory_order_release, memory_order_relaxed);
}

static inline bool change_rwlock_flags(struct rwlock *rwlock, uint32_t word, uint32_t wanted)
{
    FILCH_ASSERT((word & ~RW_FLAGS) == (wanted & ~RW_FLAGS));
    /* relaxed: see the top of rwlock.c */
    return atomic_compare_exchange_strong_explicit(&rwlock->word, &word, wanted,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static inline void drop_rwlock_flags(struct rwlock *rwlock, uint32_t flags)
{
    atomic_fetch_and_explicit(&rwlock->word, ~flags, memory_order_relaxed); /* as above */
}

/* A reader that comes, and none that is in line. The guess that it is free: where others come and
 * go at the same time, what asks for the word's cache line does so once, and to write. */
static inline bool share_rwlock(struct rwlock *rwlock)
{
    uint32_t word = 0;
    while (!let_in(rwlock, &word, word + READER)) {
        if (!may_enter(word, READER, false)) {
            return false;
        }
    }
    return true;
}

/* Is one that leaves like this the last, and to see to the line? */
static inline bool is_line_due(uint32_t word, uint32_t less)
{
    bool last = less == WRITTEN || word < 2 * READER;
    return last && (word & RW_STARVING || (word & (RW_WAITED | RW_WOKEN)) == RW_WAITED);
}

static inline void enter_as_served(struct rwlock_wait *wait)
{
    wait->in = true;
    if (wait->unit == WRITTEN) {
        own_rwlock(wait->rwlock, wait->party);
    }
}

/* False: it must wait. */
static inline bool enter_rwlock(struct rwlock_wait *wait)
{
    uint32_t word = word_of_rwlock(wait->rwlock);
    while (may_enter(word, wait->unit, wait->woken)) {
        uint32_t rest = wait->woken ? word & ~(uint32_t)RW_WOKEN : word;
        if (let_in(wait->rwlock, &word, rest + wait->unit)) {
            wait->leads = wait->woken && wait->unit == READER && word & RW_WAITED;
            wait->woken = false;
            enter_as_served(wait);
            return true;
        }
    }
    return false;
}

static inline struct rwlock_wait *rwlock_wait_at(struct filch_wait_node *place)
{
    return FILCH_CONTAINER(place, struct rwlock_wait, place);
}

static inline bool reads_first(const struct rwlock *rwlock)
{
    return rwlock->line.first && rwlock_wait_at(rwlock->line.first)->unit == READER;
}

/* Readers that are the first in line may join others that read: by one that is in for a moment. */
static inline bool join_readers_locked(struct rwlock *rwlock)
{
    uint32_t word = word_of_rwlock(rwlock);
    bool in = false;
    while (!in && reads_first(rwlock) && word >= READER && !(word & READERS_FULL)) {
        in = let_in(rwlock, &word, word + READER);
    }
    return in;
}

/* Those in line are the parent's, and so is the one that was woken. */
static inline void forget_parents_line_locked(struct rwlock *rwlock)
{
    FILCH_ASSERT(filch_lock_is_held(&rwlock->lock));
    if (FILCH_UNLIKELY(filch_process_inherited(rwlock->token))) {
        rwlock->line = (struct filch_wait_list){NULL, NULL};
        rwlock->token = 0;
        drop_rwlock_flags(rwlock, RW_FLAGS);
    }
}

#endif
