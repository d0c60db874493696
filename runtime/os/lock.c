#include "os/lock.h"

#include "base/base.h"
#include "os/os.h"

/* A word: 0 free, else the holder's process in the upper bits, and: */
enum { HELD = 1, CONTENDED = 2, MARKED = 4, ONE_FORK = 8 };

/* What a holder in this process writes. It changes while the process has one thread only. It is not
 * in the process object, which is above the locks. */
static uint32_t held_word = HELD;

void filch_lock_forget_holders(void)
{
    held_word += ONE_FORK;
    filch_rank_start_anew();
}

void filch_lock_init(struct filch_lock *lock)
{
    atomic_init(&lock->word, 0);
}

static bool try_acquire(struct filch_lock *lock)
{
    uint32_t expected = 0;
    /* acquire: pairs with the release in filch_lock_release; relaxed on failure: nothing is read */
    return atomic_compare_exchange_strong_explicit(&lock->word, &expected, held_word,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Is no thread there that will let go of it? */
static bool is_free(uint32_t word)
{
    return word == 0 || word / ONE_FORK != held_word / ONE_FORK;
}

/* Take one that is_free(), if it stays what it was. */
static bool take_free(struct filch_lock *lock, uint32_t word, uint32_t wanted)
{
    /* acquire: as in try_acquire */
    return atomic_compare_exchange_strong_explicit(&lock->word, &word, wanted, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bool spin_for_lock(struct filch_lock *lock)
{
    for (int i = 0; i < FILCH_SPINS; i++) {
        if (try_acquire(lock)) {
            return true;
        }
        filch_relax();
    }
    return false;
}

static uint32_t word_of(struct filch_lock *lock)
{
    /* relaxed: checked by the exchange that follows */
    return atomic_load_explicit(&lock->word, memory_order_relaxed);
}

FILCH_APART static bool try_acquire_slow(struct filch_lock *lock)
{
    bool taken = spin_for_lock(lock);
    for (uint32_t word; !taken && is_free(word = word_of(lock));) {
        taken = take_free(lock, word, held_word);
    }
    return taken;
}

bool filch_lock_try_acquire(struct filch_lock *lock, enum filch_rank rank)
{
    bool taken = FILCH_LIKELY(try_acquire(lock)) || try_acquire_slow(lock);
    if (taken) {
        filch_rank_take(lock, rank);
    }
    return taken;
}

/* Say that we sleep, then sleep. A mark that is left meanwhile wakes us for nothing. */
static void sleep_while_held(struct filch_lock *lock, uint32_t word)
{
    uint32_t contended = word | CONTENDED;
    /* relaxed, both: nothing is read or written on account of it */
    if (word == contended ||
        atomic_compare_exchange_strong_explicit(&lock->word, &word, contended, memory_order_relaxed,
                                                memory_order_relaxed)) {
        filch_os_wait(&lock->word, contended, FILCH_OS_NEVER);
    }
}

FILCH_APART static bool acquire_slow(struct filch_lock *lock)
{
    uint32_t word = 0;
    bool taken = spin_for_lock(lock);
    while (!taken) {
        word = word_of(lock);
        if (is_free(word)) { /* others may sleep still */
            taken = take_free(lock, word, held_word | CONTENDED);
        } else {
            sleep_while_held(lock, word);
        }
    }
    return word == 0;
}

bool filch_lock_acquire(struct filch_lock *lock, enum filch_rank rank)
{
    filch_rank_check(lock, rank);
    bool in_order = FILCH_LIKELY(try_acquire(lock)) || acquire_slow(lock);
    filch_rank_take(lock, rank);
    return in_order;
}

void filch_lock_release(struct filch_lock *lock)
{
    filch_rank_drop(lock);
    /* release: pairs with the acquires above. The lock may be freed by its next holder between
     * this exchange and the wake, which touches no memory. */
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) & CONTENDED) {
        filch_os_wake(&lock->word, 1);
    }
}

bool filch_lock_mark(struct filch_lock *lock)
{
    for (uint32_t word; !is_free(word = word_of(lock));) {
        /* release: pairs with the acquire in filch_lock_release_unless_marked; the holder sees what
         * the mark is about. Also if there was one before. */
        if (atomic_compare_exchange_strong_explicit(&lock->word, &word, word | MARKED,
                                                    memory_order_release, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

FILCH_APART static bool release_slow(struct filch_lock *lock)
{
    for (;;) {
        uint32_t word = word_of(lock);
        uint32_t wanted = word & MARKED ? word & ~(uint32_t)MARKED : 0;
        /* release: as in filch_lock_release. acquire: pairs with the release in filch_lock_mark. */
        if (atomic_compare_exchange_strong_explicit(&lock->word, &word, wanted,
                                                    memory_order_acq_rel, memory_order_relaxed)) {
            if (!wanted && word & CONTENDED) {
                filch_os_wake(&lock->word, 1);
            }
            return !wanted;
        }
    }
}

bool filch_lock_release_unless_marked(struct filch_lock *lock)
{
    uint32_t word = held_word;
    filch_rank_drop(lock); /* before: it may be freed after that */
    /* release: as in filch_lock_release */
    bool released = FILCH_LIKELY(atomic_compare_exchange_strong_explicit(
                        &lock->word, &word, 0, memory_order_release, memory_order_relaxed)) ||
                    release_slow(lock);
    if (!released) {
        filch_rank_take(lock, FILCH_RANK_WAIT_QUEUE); /* of which alone marks are left */
    }
    return released;
}
