/* run_in_pool: algorithms of several steps, which stay in the pool from one to the next. */
#ifndef FILCH_RUN_IN_POOL_H
#define FILCH_RUN_IN_POOL_H

#include <filch/lane.h>
#include <filch/pool.h>

#include "base/private.h"
#include "pool/call_options.h"

/* function(pool, context) inside the pool, as its options say, of which it makes `uses`
 * (call_options.h). The pool that it is handed tells of progress and errors, if that is wanted,
 * in whatever runs in it. What it answers, or FILCH_ERAISED if something in it raised an error, or
 * why it was not called. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_run_in_pool(filch_pool *pool, filch_status (*function)(filch_pool *pool, void *context),
                  void *context, unsigned uses, const filch_function_info *info);

#endif
