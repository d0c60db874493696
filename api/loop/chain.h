/* chain: leaves (partition.h) each of which needs what those before it come to: its base.
 *
 * Threads take leaves in order, several at a time: a run. A run whose base is known is finished at
 * once; on one worker each is. Another run is measured, which is to find out what it comes to by
 * itself, and finished later, mostly by the thread that has it in its cache. A thread prefers the
 * run that all others wait for, then one that was measured and can be finished by now, and measures
 * only where there is neither: so p threads go twice over (p - 1) / (p + 1) of the elements, and
 * it cannot be less.
 *
 * Sources: Snir, "Depth-size trade-offs for parallel prefix computation" (1986); Traoré, Roch,
 * Maillard, Gautier & Bernard, "Deque-free work-optimal parallel STL algorithms" (Euro-Par 2008),
 * for one thread that goes ahead and others that only measure as long as it has not come by;
 * Merrill & Garland, "Single-pass parallel prefix scan with decoupled look-back" (2016), for runs
 * that are short and taken in order. */
#ifndef FILCH_CHAIN_H
#define FILCH_CHAIN_H

#include <stddef.h>

#include <filch/loop.h>

#include "base/private.h"

/* All functions are given a run: its first leaf, and how many. */
struct filch_chain {
    size_t count; /* leaves, at most FILCH_LEAVES_MAX (partition.h) */
    size_t most;  /* in a run */
    /* The base of `first` is known: finish them, and make the base of what follows known. */
    void (*finish)(void *context, size_t first, size_t leaves);
    /* Find out what they come to. */
    void (*measure)(void *context, size_t first, size_t leaves);
    /* They were measured, and the base of `first` is known: make that of what follows known. */
    void (*carry)(void *context, size_t first, size_t leaves);
    /* As finish, for those that were measured and carried. */
    void (*finish_late)(void *context, size_t first, size_t leaves);
    void *context;
};

FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_chain_run(filch_pool *pool,
                                                            const struct filch_chain *chain,
                                                            const filch_function_info *info);

#endif
