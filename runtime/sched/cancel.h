/* cancel: what is cancelled together. Scopes form a tree: one that is cancelled takes all below
 * along, and a deadline holds for all below.
 *
 * A frame (lane.h) says which scope its function runs in; stolen children and pieces of loops run
 * in their parent's. What waits in a scope is in the scope's list meanwhile.
 *
 * Locks: a parent's before its children's. */
#ifndef FILCH_CANCEL_SCOPE_H
#define FILCH_CANCEL_SCOPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/private.h"
#include "os/lock.h"
#include "sleep/wait.h"

struct filch_cancel_scope {
    struct filch_cancel_scope *parent; /* constant; NULL: none above */
    uint64_t deadline_ns;              /* constant; the earliest of its own and those above */
    struct filch_lock lock;
    _Atomic(bool) cancelled;    /* lock; read by any thread */
    struct filch_list waiters;  /* lock */
    struct filch_list children; /* lock */
    struct filch_link link;     /* lock of the parent; in its children */
};

/* Below `parent`, which may be NULL and stays open longer. */
FILCH_PRIVATE void filch_cancel_scope_open(struct filch_cancel_scope *scope,
                                           struct filch_cancel_scope *parent, uint64_t deadline_ns);

/* Nothing runs in it any more. After this returns it may be freed. */
FILCH_PRIVATE void filch_cancel_scope_close(struct filch_cancel_scope *scope);

/* It and all below: waits end with FILCH_CLOSED, now and from now on. */
FILCH_PRIVATE void filch_cancel_scope_cancel(struct filch_cancel_scope *scope);

/* Was it cancelled, or has its deadline passed? NULL: no. */
FILCH_PRIVATE bool filch_cancel_scope_is_cancelled(struct filch_cancel_scope *scope);

/* False: it is cancelled, the waiter was not added. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_cancel_scope_add(struct filch_cancel_scope *scope,
                                                           struct filch_waiter *waiter);

/* The wait is over: after this no thread touches the waiter through its scope, if it has one. */
FILCH_PRIVATE void filch_cancel_scope_remove(struct filch_waiter *waiter);

#endif
