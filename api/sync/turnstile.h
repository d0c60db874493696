/* turnstile: what the objects of <filch/sync.h> have in common: a number, from which something can
 * be taken or not, and a line of those who wait for it, who are served in order. What is given to
 * somebody in line is given with the signal, so that nobody can come between.
 *
 * In the child of a fork() those in line are the parent's, and out of reach; so is whoever has what
 * is waited for. `token` says who has put somebody in line, or has counted something that others
 * are to do.
 *
 * A waiter that is served may free it at once: the server claims the waiter under the lock, tells
 * it after the release (wait.h), and so is done with the turnstile by then. Nor does the waiter
 * touch it any more.
 *
 * Zero is a valid start: users' objects are nothing else. */
#ifndef FILCH_TURNSTILE_H
#define FILCH_TURNSTILE_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>

#include "os/lock.h"
#include "sleep/line.h"
#include "sleep/party.h"

struct filch_turnstile {
    struct filch_lock lock;
    uint32_t count;                      /* lock; what it means is its owner's business */
    struct filch_line line;              /* lock */
    _Atomic(struct filch_party *) owner; /* see filch_turnstile_own */
    uint32_t token;                      /* lock; of a process, or 0 */
    _Atomic(uint32_t) mail;              /* a semaphore's; see api/sync/semaphore.c */
};

static inline struct filch_turnstile *filch_turnstile_of(void *object)
{
    return object;
}

/* Serve the first in line who still waits, or all; the caller tells them when it has released the
 * lock. False: there is nobody. */
bool filch_turnstile_serve_locked(struct filch_turnstile *turnstile, struct filch_claims *claims);
void filch_turnstile_serve_all_locked(struct filch_turnstile *turnstile,
                                      struct filch_claims *claims);

/* Serve so many in line, of a semaphore; what is left is counted. */
void filch_turnstile_give_locked(struct filch_turnstile *turnstile, uint32_t count,
                                 struct filch_claims *claims);
void filch_turnstile_tell(struct filch_claims *claims);

/* A semaphore was released by those who found its lock held: do it, and let go of the lock. */
void filch_turnstile_open_mail(struct filch_turnstile *turnstile);

/* Let go of the lock of something that may be a semaphore. */
static inline void filch_turnstile_release(struct filch_turnstile *turnstile)
{
    if (!filch_lock_release_unless_marked(&turnstile->lock)) {
        filch_turnstile_open_mail(turnstile);
    }
}

/* Who stands in line, or is counted, from now on is of this process. */
void filch_turnstile_adopt_locked(struct filch_turnstile *turnstile);

/* Somebody who wants to take something; what its waits are about. */
struct filch_turnstile_request {
    struct filch_turnstile *turnstile;
    bool (*take_locked)(struct filch_turnstile *turnstile);
    struct filch_place place;
    const struct filch_wait_kind *kind;
    bool forked; /* who could give it to us is in the parent */
};

/* For the filch_wait_kind of what is taken; the context is the request. */
bool filch_turnstile_enlist(struct filch_waiter *waiter, void *request);
void filch_turnstile_leave(struct filch_waiter *waiter, void *request);
const void *filch_turnstile_object(void *request);
struct filch_party *filch_turnstile_owner(void *request);

/* Take it, or stand in line until it is given, until the deadline, or until the caller is asked to
 * stop. A NULL object is FILCH_EINVAL; FILCH_EFORKED: only the parent could give it. */
filch_status filch_turnstile_take_until(void *object,
                                        bool (*take_locked)(struct filch_turnstile *turnstile),
                                        const struct filch_wait_kind *kind, uint64_t deadline);

/* The same whatever happens, but for FILCH_EFORKED. The caller's thread is known. */
filch_status filch_turnstile_take_surely(void *object,
                                         bool (*take_locked)(struct filch_turnstile *turnstile),
                                         const struct filch_wait_kind *kind);

/* Whose it is, of a mutex, or who runs a once; NULL: nobody's. Under the lock, or by the one who
 * has been served, until which nobody else writes it. */
void filch_turnstile_own(struct filch_turnstile *turnstile, struct filch_party *owner);
bool filch_turnstile_is_own_locked(struct filch_turnstile *turnstile);

#endif
