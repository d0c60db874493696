/* lock: a mutex of one word for the slow paths. Held for a short time, never across a stack switch;
 * of user code, only the allocator's hooks are called with one, and what a header says so of.
 *
 * A holder writes the number of its process into the word: in the child of a fork() a lock that was
 * held by a thread which the child does not have is taken as if it were free. What it guards may be
 * half changed then; it is the parent's, and its owner sees to that (process.h).
 *
 * A signal handler must not wait for a lock that the thread it interrupts may hold. Instead it can
 * leave a mark at a lock that is held, and the holder, which lets go of such a lock by
 * filch_lock_release_unless_marked(), does the rest.
 *
 * Source: Drepper, "Futexes are tricky" (2011), mutex 2. Not mtx_t: ThreadSanitizer does not know
 * the C library's C11 locks and would report every access that one protects. */
#ifndef FILCH_LOCK_H
#define FILCH_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "os/rank.h"

struct filch_lock {
    _Atomic(uint32_t) word; /* 0 free, else held; see lock.c */
};

FILCH_PRIVATE void filch_lock_init(struct filch_lock *lock);

/* The rank says what it is the lock of, and with that what may be held (rank.h). False: it was held
 * by a thread of the parent's, in the child of a fork(). */
FILCH_PRIVATE bool filch_lock_acquire(struct filch_lock *lock, enum filch_rank rank);
FILCH_PRIVATE void filch_lock_release(struct filch_lock *lock);

/* Without waiting, but for a moment, whatever the caller holds. Async-signal-safe. False: it is
 * held. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_lock_try_acquire(struct filch_lock *lock,
                                                           enum filch_rank rank);

/* Leave a mark for the holder. False: there is none. Async-signal-safe. */
FILCH_PRIVATE bool filch_lock_mark(struct filch_lock *lock);

/* False: a mark had been left, which is gone now; the lock is held still. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_lock_release_unless_marked(struct filch_lock *lock);

/* Does the calling thread hold it? For assertions alone. */
__attribute__((unused)) static inline bool filch_lock_is_held(const struct filch_lock *lock)
{
    return filch_rank_is_held(lock);
}

/* In the child of a fork(), before anything else: locks that are held are others'. */
FILCH_PRIVATE void filch_lock_forget_holders(void);

#endif
