/* Where a fork function begins when it is called from plain C. */
#include <filch/fork.h>

#include "default_pool.h"
#include "region.h"
#include "strand.h"

_Static_assert(sizeof(struct filch_region) <= sizeof(((filch_fork_entry *)0)->opaque),
               "an entry holds a region");

/* Always full and never written: forks on it run at once. For when there is no memory to enter a
 * pool, since a plain call has no way to say so. */
static filch_lane serial_lane;

void filch_fork_enter(filch_fork_entry *entry, const filch_function_info *info)
{
    struct filch_region *region = (struct filch_region *)(void *)entry->opaque;
    struct filch_strand *strand = filch_strand_self();
    struct filch_pool *pool;
    region->guest = false;
    if (!strand && filch_pool_resolve(NULL, &pool) == FILCH_OK &&
        filch_region_enter(region, pool, NULL, info) == FILCH_OK) {
        strand = region->strand;
    }
    entry->lane = strand ? &strand->lane : &serial_lane;
    entry->top = strand ? strand->lane.top : NULL;
}

void filch_fork_leave(filch_fork_entry *entry)
{
    struct filch_region *region = (struct filch_region *)(void *)entry->opaque;
    if (region->guest) {
        filch_region_leave(region);
    }
}
