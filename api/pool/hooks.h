/* hooks: what users have done when a worker starts and finishes, and what becomes of a pool one of
 * whose workers could not start. */
#ifndef FILCH_HOOKS_H
#define FILCH_HOOKS_H

#include <filch/pool.h>

#include "base/private.h"

struct filch_hooks;
struct filch_pool_config;

/* Into the config; nothing if the options name none. Errors: FILCH_ENOMEM. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_hooks_new(const filch_pool_options *options,
                                                            struct filch_pool_config *config);
FILCH_PRIVATE void filch_hooks_free(struct filch_hooks *hooks);

/* How a task of a terminated pool ends that was not begun: FILCH_ECANCELED; or FILCH_EBROKEN, and
 * *error says why. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_hooks_verdict(filch_pool *pool,
                                                                filch_error *error);

#endif
