/* wait_queue: what the objects of <filch/sync.h> have in common: a number, from which something can
 * be taken or not, and a line of waiters, which are served in order. What is given to a waiter in
 * line is given with the signal, so that no other can come between.
 *
 * In the child of a fork() those in line are the parent's, and out of reach; so is the holder of
 * what is waited for. `token` says which process has put a waiter in line, or has counted something
 * that others are to do.
 *
 * A waiter that is served may free it at once: the server claims the waiter under the lock, tells
 * it after the release (wait.h), and so is done with the queue by then. Nor does the waiter
 * touch it any more.
 *
 * Zero is a valid start: users' objects are nothing else. */
#ifndef FILCH_WAIT_QUEUE_H
#define FILCH_WAIT_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/party.h"
#include "sleep/wait_list.h"

struct filch_wait_queue {
    struct filch_lock lock;
    uint32_t count;                      /* lock; what it means is its owner's business */
    struct filch_wait_list line;         /* lock */
    _Atomic(struct filch_party *) owner; /* see filch_wait_queue_own */
    uint32_t token;                      /* lock; of a process, or 0 */
};

static inline struct filch_wait_queue *filch_wait_queue_of(void *object)
{
    return object;
}

/* Serve the first in line that still waits, or all; the caller tells them when it has released the
 * lock. False: there is none. */
FILCH_PRIVATE bool filch_wait_queue_serve_locked(struct filch_wait_queue *queue,
                                                 struct filch_claims *claims);
FILCH_PRIVATE void filch_wait_queue_serve_all_locked(struct filch_wait_queue *queue,
                                                     struct filch_claims *claims);

/* What stands in line, or is counted, from now on is of this process. */
FILCH_PRIVATE void filch_wait_queue_adopt_locked(struct filch_wait_queue *queue);

/* A caller that wants to take something; what its waits are about. */
struct filch_wait_queue_request {
    struct filch_wait_queue *queue;
    bool (*take_locked)(struct filch_wait_queue *queue);
    struct filch_wait_node place;
    const struct filch_wait_kind *kind;
    bool forked; /* what could give it to us is in the parent */
};

/* For the filch_wait_kind of what is taken; the context is the request. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_wait_queue_enlist(struct filch_waiter *waiter,
                                                            void *request);
FILCH_PRIVATE void filch_wait_queue_leave(struct filch_waiter *waiter, void *request);
FILCH_PRIVATE const void *filch_wait_queue_object(void *request);
FILCH_PRIVATE struct filch_party *filch_wait_queue_owner(void *request);

/* Take it, or stand in line until it is given, until the deadline, or until the caller is asked to
 * stop. A NULL object is FILCH_EINVAL; FILCH_EFORKED: only the parent could give it. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_wait_queue_take_until(void *object, bool (*take_locked)(struct filch_wait_queue *queue),
                            const struct filch_wait_kind *kind, uint64_t deadline);

/* The same whatever happens, but for FILCH_EFORKED. The caller's thread is known. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_wait_queue_take_surely(void *object, bool (*take_locked)(struct filch_wait_queue *queue),
                             const struct filch_wait_kind *kind);

/* The holder of a mutex, or the runner of a once; NULL: none. Under the lock, or by the one that
 * has been served, until which no other writes it. */
FILCH_PRIVATE void filch_wait_queue_own(struct filch_wait_queue *queue, struct filch_party *owner);
FILCH_PRIVATE bool filch_wait_queue_is_own_locked(struct filch_wait_queue *queue);

#endif
