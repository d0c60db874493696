/* rwlock_word: the steps of the word of a read-write lock; see the top of rwlock.c. */
#ifndef FILCH_SYNC_RWLOCK_WORD_H
#define FILCH_SYNC_RWLOCK_WORD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/sync.h>

#include "base/base.h"
#include "os/lock.h"
#include "sleep/wait_list.h"

enum { WRITTEN = 1, RW_WAITED = 2, READER = 4 };
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
    struct rwlock *rwlock;
    struct filch_party *party;
    struct filch_wait_node place; /* lock */
    uint32_t unit;                /* READER or WRITTEN */
    bool forked;                  /* the writer is in the parent */
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

/* The word was `word`. acquire: pairs with the release in let_out. */
static inline bool let_in(struct rwlock *rwlock, uint32_t word, uint32_t more)
{
    return atomic_compare_exchange_strong_explicit(&rwlock->word, &word, word + more,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* The last touch, if the line is empty. release: pairs with the acquire in let_in, count_reader and
 * serve_rwlock_locked. */
static inline bool let_out(struct rwlock *rwlock, uint32_t word, uint32_t less)
{
    return atomic_compare_exchange_strong_explicit(&rwlock->word, &word, word - less,
                                                   memory_order_release, memory_order_relaxed);
}

/* The word before. acquire: pairs with the release in let_out. */
static inline uint32_t count_reader(struct rwlock *rwlock)
{
    return atomic_fetch_add_explicit(&rwlock->word, (uint32_t)READER, memory_order_acquire);
}

static inline struct rwlock_wait *rwlock_wait_at(struct filch_wait_node *place)
{
    return FILCH_CONTAINER(place, struct rwlock_wait, place);
}

static inline bool may_enter(uint32_t word, uint32_t unit)
{
    return !(word & WRITTEN) && (unit == READER || word < READER);
}

#endif
