/* waiting: how the blocking calls of api/ wait, and what they answer. */
#ifndef FILCH_WAITING_H
#define FILCH_WAITING_H

#include <filch/status.h>

#include "base/private.h"
#include "sleep/party.h"
#include "sleep/wait.h"

/* As filch_suspend_until(): FILCH_OK, FILCH_ETIMEDOUT, FILCH_ECANCELED, FILCH_EDEADLK,
 * FILCH_EFORKED or FILCH_ENOMEM. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_wait_until(const struct filch_wait_kind *kind,
                                                             void *context, uint64_t deadline);

#endif
