#include "lock.h"

#include "base.h"
#include "os.h"

enum { FREE, HELD, CONTENDED };

void filch_lock_init(struct filch_lock *lock)
{
    atomic_init(&lock->word, FREE);
}

static bool try_acquire(struct filch_lock *lock)
{
    uint32_t expected = FREE;
    /* acquire: pairs with the release in filch_lock_release; relaxed on failure: nothing is read */
    return atomic_compare_exchange_strong_explicit(&lock->word, &expected, HELD,
                                                   memory_order_acquire, memory_order_relaxed);
}

static void acquire_slow(struct filch_lock *lock)
{
    for (int i = 0; i < FILCH_SPINS; i++) {
        if (try_acquire(lock)) {
            return;
        }
        filch_relax();
    }
    /* acquire: pairs with the release in filch_lock_release */
    while (atomic_exchange_explicit(&lock->word, CONTENDED, memory_order_acquire) != FREE) {
        filch_os_wait(&lock->word, CONTENDED, FILCH_OS_NEVER);
    }
}

void filch_lock_acquire(struct filch_lock *lock)
{
    if (FILCH_UNLIKELY(!try_acquire(lock))) {
        acquire_slow(lock);
    }
}

void filch_lock_release(struct filch_lock *lock)
{
    /* release: pairs with the acquires above. The lock may be freed by its next holder between
     * this exchange and the wake, which touches no memory. */
    if (atomic_exchange_explicit(&lock->word, FREE, memory_order_release) == CONTENDED) {
        filch_os_wake(&lock->word, 1);
    }
}
