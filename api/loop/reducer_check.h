/* reducer_check: whether a reducer is associative, as far as three elements can tell. */
#ifndef FILCH_REDUCER_CHECK_H
#define FILCH_REDUCER_CHECK_H

#include <filch/reduce.h>

#include "base/base.h"
#include "base/private.h"
#include "sched/pool.h"

/* Compares the two ways to combine the three, and tells the log if they differ by more than
 * rounding. Only of numbers: what has members may be consumed by being combined. */
FILCH_PRIVATE void filch_reducer_compare(const filch_reducer *reducer, const void *elements);

/* The same of the first of `n`, if FILCH_CHECK was set when the pool was opened. */
static inline void filch_reducer_check(const filch_pool *pool, const filch_reducer *reducer,
                                       const void *elements, size_t n)
{
    if (FILCH_UNLIKELY(pool->config.check) && n >= 3) {
        filch_reducer_compare(reducer, elements);
    }
}

#endif
