/* pending: what a pool has accepted and that will come later, when something else has happened. */
#ifndef FILCH_PENDING_H
#define FILCH_PENDING_H

#include <stdbool.h>

#include "base/list.h"
#include "base/private.h"

struct filch_pool;

struct filch_pending {
    struct filch_link link; /* pending_lock of the pool */
    bool listed;            /* pending_lock of the pool */
    bool come;              /* pending_lock of the pool: too late to list it */
    void (*retain)(struct filch_pending *pending); /* it stays until cancel has returned */
    void (*cancel)(struct filch_pending *pending); /* the pool was terminated */
};

/* It is accepted and may take time. False: the pool was terminated, it is to be cancelled. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_pool_list_pending(struct filch_pool *pool,
                                                            struct filch_pending *pending);

/* It has come, or never will. */
FILCH_PRIVATE void filch_pool_unlist_pending(struct filch_pool *pool,
                                             struct filch_pending *pending);

#endif
