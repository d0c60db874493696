/* after: the two halves of filch_future_after(), for those that put something in between. */
#ifndef FILCH_AFTER_H
#define FILCH_AFTER_H

#include <filch/core.h>

#include "base/private.h"

/* All arguments are good, and *pool, which may be NULL, is one: a future that no other thread knows
 * yet. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_after_make(filch_future *const needs[], size_t n,
                                                             const filch_closure *closure,
                                                             filch_pool **pool,
                                                             struct filch_future **made);

/* Accepted by its pool, it waits for its needs; or is gone. next: NULL, or set. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_after_begin(struct filch_future *made,
                                                              filch_pool *pool,
                                                              const filch_options *options,
                                                              filch_future **next);

#endif
