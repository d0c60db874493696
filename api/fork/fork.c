/* Where a fork function begins when it is called from plain C. */
#include <filch/fork.h>

#include "os/os.h"
#include "os/os_ticks.h"
#include "pool/default_pool.h"
#include "sched/call_site.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/wake.h"

/* A fork function's outermost call: its stay in a pool, and how long it takes. */
struct stay {
    struct filch_region region;
    struct filch_call_site *site; /* NULL: no thread could be woken anyway */
    uint64_t began;               /* ticks, less those that are not the work's */
};

_Static_assert(sizeof(struct stay) <= sizeof(((filch_fork_entry *)0)->opaque),
               "an entry holds a stay");

/* Always full: forks on it run at once. For when there is no memory to enter a pool, since a plain
 * call has no way to say so. */
struct serial {
    FILCH_ALIGNED(64) filch_lane lane;
    filch_slot slot;
};

/* A call that is known to be short wakes no thread; see call_site.h. */
static void begin(struct stay *stay, struct filch_fiber *fiber, const filch_function_info *info)
{
    struct filch_pool *pool = fiber->pool;
    stay->site = pool->config.workers > 1 ? filch_call_site_of(&pool->call_sites, info) : NULL;
    fiber->forking = true;
    if (stay->site) {
        fiber->help = filch_pool_help_for(pool, filch_call_site_estimate(stay->site, 1));
        if (fiber->help == FILCH_HELP_LATE && !fiber->guest) {
            fiber->help = FILCH_HELP_OFFER; /* something older in its lane may be published */
        }
        stay->began = filch_os_ticks() - fiber->overhead_ticks;
    }
}

_Static_assert(sizeof(struct serial) + 56 <= sizeof(((filch_fork_entry *)0)->opaque),
               "an entry holds a lane, wherever it lies");

static filch_lane *serial_lane(filch_fork_entry *entry)
{
    uintptr_t place = ((uintptr_t)entry->opaque + 63) & ~(uintptr_t)63;
    struct serial *serial = (struct serial *)place;
    filch_lane_init(&serial->lane, &serial->slot, 0, 0); /* there is a spare one */
    return &serial->lane;
}

FILCH_APART static void enter_fork(filch_fork_entry *entry, struct filch_fiber *fiber,
                                   const filch_function_info *info)
{
    struct stay *stay = (struct stay *)(void *)entry->opaque;
    struct filch_pool *pool;
    stay->region.guest = false;
    if (!fiber && filch_pool_resolve(NULL, &pool) == FILCH_OK &&
        filch_region_enter(&stay->region, pool, NULL, info) == FILCH_OK) {
        fiber = stay->region.fiber;
    }
    if (fiber) {
        stay->region.fiber = fiber;
        begin(stay, fiber, info);
    }
    entry->lane = fiber ? &fiber->lane : serial_lane(entry);
    entry->top = entry->lane->top;
    entry->outermost = fiber != NULL;
}

void filch_fork_enter(filch_fork_entry *entry, const filch_function_info *info)
{
    struct filch_fiber *fiber = filch_fiber_self();
    if (fiber && fiber->forking) { /* plain code in between: what is known of the call holds */
        entry->lane = &fiber->lane;
        entry->top = fiber->lane.top;
        entry->outermost = 0;
    } else {
        enter_fork(entry, fiber, info);
    }
}

void filch_fork_leave(filch_fork_entry *entry)
{
    struct stay *stay = (struct stay *)(void *)entry->opaque;
    struct filch_fiber *fiber = stay->region.fiber;
    if (stay->site) {
        uint64_t took = filch_os_ticks() - fiber->overhead_ticks - stay->began;
        filch_call_site_learn(stay->site, 1, 1, took);
    }
    fiber->forking = false;
    fiber->help = FILCH_HELP_ASK;
    if (stay->region.guest) {
        filch_region_leave(&stay->region);
    }
}
