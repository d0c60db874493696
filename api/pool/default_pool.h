/* default_pool: the pool that NULL stands for. */
#ifndef FILCH_DEFAULT_POOL_H
#define FILCH_DEFAULT_POOL_H

#include <filch/status.h>

#include "base/private.h"

struct filch_pool;

/* *pool = given, without its options (call_options.h), or the default pool, opened if need be; a
 * fork()'s child gets a new one. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_resolve(struct filch_pool *given,
                                                               struct filch_pool **pool);

#endif
