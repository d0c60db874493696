/* mutex_word: the steps of the word of a mutex; the protocol is at the top of mutex.c. */
#ifndef FILCH_SYNC_MUTEX_WORD_H
#define FILCH_SYNC_MUTEX_WORD_H

#include "base/assert.h"
#include "base/base.h"
#include "sched/process.h"
#include "sync/mutex.h"
#include "sync/patience.h"
#include "sync/spin.h"

static const uintptr_t WAITED = 1;
static const uintptr_t WOKEN = 2;
static const uintptr_t STARVING = 4;
static const uintptr_t MUTEX_FLAGS = 7;

_Static_assert(_Alignof(struct filch_party) > 7, "its address has room for the flags");

static inline uintptr_t word_of_mutex(struct filch_mutex_state *mutex)
{
    /* relaxed: checked by the exchange that follows; or is it ours, which no other writes? */
    return atomic_load_explicit(&mutex->word, memory_order_relaxed);
}

static inline struct filch_party *owner_in(uintptr_t word)
{
    return (struct filch_party *)(word & ~MUTEX_FLAGS);
}

static inline bool change_flags(struct filch_mutex_state *mutex, uintptr_t word, uintptr_t flags)
{
    FILCH_ASSERT((word & ~MUTEX_FLAGS) == (flags & ~MUTEX_FLAGS));
    /* relaxed: see the top */
    return atomic_compare_exchange_strong_explicit(&mutex->word, &word, flags, memory_order_relaxed,
                                                   memory_order_relaxed);
}

static inline void drop_flags(struct filch_mutex_state *mutex, uintptr_t flags)
{
    atomic_fetch_and_explicit(&mutex->word, ~flags, memory_order_relaxed); /* as above */
}

/* acquire: pairs with the release in free_mutex_word and let_one_in */
static inline bool take_mutex_word(struct filch_mutex_state *mutex, uintptr_t word, uintptr_t taken)
{
    FILCH_ASSERT(!owner_in(word) && owner_in(taken) && !(word & STARVING));
    return atomic_compare_exchange_strong_explicit(&mutex->word, &word, taken, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* release: pairs with the acquire in take_mutex_word. The last touch. */
static inline bool free_mutex_word(struct filch_mutex_state *mutex, uintptr_t word)
{
    return atomic_compare_exchange_strong_explicit(&mutex->word, &word, word & MUTEX_FLAGS,
                                                   memory_order_release, memory_order_relaxed);
}

static inline bool has_it(const struct filch_mutex_wait *wait)
{
    return owner_in(word_of_mutex(wait->mutex)) == wait->party;
}

/* False: it has an owner. */
static inline bool take_if_free(struct filch_mutex_wait *wait)
{
    uintptr_t word;
    while (!owner_in(word = word_of_mutex(wait->mutex))) {
        uintptr_t rest = wait->woken ? word & ~WOKEN : word;
        if (take_mutex_word(wait->mutex, word, rest | (uintptr_t)wait->party)) {
            wait->woken = false;
            return true;
        }
    }
    return false;
}

static inline struct filch_mutex_wait *wait_at(struct filch_wait_node *place)
{
    return FILCH_CONTAINER(place, struct filch_mutex_wait, place);
}

/* Those in line are the parent's, and so is the one that was woken. */
static inline void adopt_mutex_locked(struct filch_mutex_state *mutex)
{
    FILCH_ASSERT(filch_lock_is_held(&mutex->lock));
    uint32_t token = filch_process_token();
    if (mutex->token != token) {
        mutex->line = (struct filch_wait_list){NULL, NULL};
        drop_flags(mutex, MUTEX_FLAGS);
        mutex->token = token;
    }
}

#endif
