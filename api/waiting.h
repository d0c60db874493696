/* waiting: how the blocking calls of api/ wait, and what they answer. */
#ifndef FILCH_WAITING_H
#define FILCH_WAITING_H

#include <filch/status.h>

#include "strand.h"
#include "wait.h"

/* As filch_block_until(): FILCH_OK, FILCH_ETIMEDOUT, FILCH_ECANCELED or FILCH_ENOMEM. */
filch_status filch_wait_until(filch_enlist *enlist,
                              void (*leave)(struct filch_waiter *waiter, void *context),
                              void *context, uint64_t deadline);

#endif
