/* mutex: what a condition has to know of its mutex. The protocol is at the top of mutex.c. */
#ifndef FILCH_SYNC_MUTEX_H
#define FILCH_SYNC_MUTEX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>
#include <filch/sync.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/party.h"
#include "sleep/wait_list.h"

/* Zero is a valid start: users' mutexes are nothing else. */
struct filch_mutex_state {
    _Atomic(uintptr_t) word; /* the owner, a party, or 0: it is free; and flags, see mutex.c */
    struct filch_lock lock;
    uint32_t token;              /* lock; of the process whose waiters stand in line, or 0 */
    struct filch_wait_list line; /* lock */
};

_Static_assert(sizeof(struct filch_mutex_state) <= sizeof(filch_mutex), "it has room");

static inline struct filch_mutex_state *filch_mutex_of(filch_mutex *mutex)
{
    return (struct filch_mutex_state *)(void *)mutex;
}

/* A caller that wants the mutex. */
struct filch_mutex_wait {
    struct filch_mutex_state *mutex; /* constant */
    struct filch_party *party;       /* constant: the caller */
    struct filch_wait_node place;    /* lock of the line that it is in */
    uint64_t since_ns;               /* when it came to stand in line; 0: it has not yet */
    _Atomic(bool) moved;             /* lock to write, or it is in no line yet; signalled */
    bool woken;                      /* the caller's: the next unlock counts on it */
    bool forked;                     /* the caller's: the owner is in the parent */
};

FILCH_PRIVATE bool filch_mutex_is_locked(struct filch_mutex_state *mutex);

/* A wait that is claimed (wait.h) will be moved: it is to stand in line for its mutex from now on,
 * and to be told when it is its turn. */
FILCH_PRIVATE void filch_mutex_note_move(struct filch_mutex_wait *wait, uint64_t now_ns);

/* Move some, all for the same mutex, in a line of their own. */
FILCH_PRIVATE void filch_mutex_move(struct filch_wait_list *claimed);

/* Of a wait: it has been moved, and stands in line still; the one that it is for (of the kind of
 * wait of a mutex, whose context is the wait). */
FILCH_PRIVATE bool filch_mutex_is_moved(const struct filch_mutex_wait *wait);
FILCH_PRIVATE struct filch_party *filch_mutex_holder(void *wait);

/* Take it whatever happens, after a wait of another kind. `woken`: it had been moved. */
FILCH_PRIVATE void filch_mutex_take_surely(struct filch_mutex_wait *wait, bool woken);

/* Is the lock being handed over, to one that has waited for long? */
FILCH_FOR_TESTS bool filch_mutex_starves(filch_mutex *mutex);

#endif
