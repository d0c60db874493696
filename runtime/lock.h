/* lock: a mutex of one word for the slow paths. Held for a handful of instructions, never across
 * user code or a stack switch.
 *
 * Source: Drepper, "Futexes are tricky" (2011), mutex 2. Not mtx_t: ThreadSanitizer does not know
 * the C library's C11 locks and would report every access that one protects. */
#ifndef FILCH_LOCK_H
#define FILCH_LOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct filch_lock {
    _Atomic(uint32_t) word; /* 0 free, 1 held, 2 held and somebody sleeps */
};

void filch_lock_init(struct filch_lock *lock);
void filch_lock_acquire(struct filch_lock *lock);
void filch_lock_release(struct filch_lock *lock);

#endif
