/* ready: where fibers go that were made ready (filch_fibers_ready in core.h), and when another core
 * may have them. The policy is in ready.c. */
#ifndef FILCH_READY_H
#define FILCH_READY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "sched/core.h"

struct filch_fiber;
struct filch_pool;

/* The fiber that goes on next on that core, or NULL: a glance, but for the holder. The holder: take
 * it; or put it in line with the others. */
FILCH_PRIVATE struct filch_fiber *filch_core_next(struct filch_core *core);
FILCH_PRIVATE struct filch_fiber *filch_core_take_next(struct filch_core *core);
FILCH_PRIVATE void filch_core_queue_next(struct filch_core *core);

/* Any thread: does something wait there that another core may take over? Take it. Is there one
 * where something waits, and a second look is needed to know? */
FILCH_PRIVATE bool filch_core_is_behind(struct filch_core *core);
FILCH_PRIVATE struct filch_fiber *filch_core_steal_ready(struct filch_core *victim);
FILCH_PRIVATE bool filch_pool_has_quiet(struct filch_pool *pool);

/* Any thread: so many values went through a channel, whose waiter it is about to wake. */
FILCH_PRIVATE void filch_core_exchanged(uint32_t values);

/* How often something was picked here; the holder counts one more. */
static inline uint32_t filch_core_picks(struct filch_core *core)
{
    /* relaxed: a counter with one writer */
    return atomic_load_explicit(&core->picks, memory_order_relaxed);
}

static inline uint32_t filch_core_count_pick(struct filch_core *core)
{
    uint32_t picks = filch_core_picks(core) + 1;
    atomic_store_explicit(&core->picks, picks, memory_order_relaxed); /* as above */
    return picks;
}

#endif
