/* Where a fork function begins when it is called from plain C. */
#include <filch/fork.h>

#include "os/os.h"
#include "os/os_ticks.h"
#include "pool/default_pool.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/site.h"
#include "sched/strand.h"
#include "sched/wake.h"

/* A fork function's outermost call: its stay in a pool, and how long it takes. */
struct stay {
    struct filch_region region;
    struct filch_site *site; /* NULL: nobody could be woken anyway */
    uint64_t began;          /* ticks, less those that are not the work's */
};

_Static_assert(sizeof(struct stay) <= sizeof(((filch_fork_entry *)0)->opaque),
               "an entry holds a stay");

/* Always full and never written: forks on it run at once. For when there is no memory to enter a
 * pool, since a plain call has no way to say so. */
static filch_lane serial_lane;

/* A call that is known to be short wakes nobody; see site.h. */
static void begin(struct stay *stay, struct filch_strand *strand, const filch_function_info *info)
{
    struct filch_pool *pool = strand->pool;
    stay->site = pool->config.workers > 1 ? filch_site_of(&pool->sites, info) : NULL;
    strand->forking = true;
    if (stay->site) {
        strand->help = filch_pool_help_for(pool, filch_site_estimate(stay->site, 1));
        if (strand->help == FILCH_HELP_LATE && !strand->guest) {
            strand->help = FILCH_HELP_OFFER; /* something older in its lane may be published */
        }
        stay->began = filch_os_ticks() - strand->apart;
    }
}

FILCH_APART static void enter(filch_fork_entry *entry, struct filch_strand *strand,
                              const filch_function_info *info)
{
    struct stay *stay = (struct stay *)(void *)entry->opaque;
    struct filch_pool *pool;
    stay->region.guest = false;
    if (!strand && filch_pool_resolve(NULL, &pool) == FILCH_OK &&
        filch_region_enter(&stay->region, pool, NULL, info) == FILCH_OK) {
        strand = stay->region.strand;
    }
    if (strand) {
        stay->region.strand = strand;
        begin(stay, strand, info);
    }
    entry->lane = strand ? &strand->lane : &serial_lane;
    entry->top = strand ? strand->lane.top : NULL;
    entry->outermost = strand != NULL;
}

void filch_fork_enter(filch_fork_entry *entry, const filch_function_info *info)
{
    struct filch_strand *strand = filch_strand_self();
    if (strand && strand->forking) { /* plain code in between: what is known of the call holds */
        entry->lane = &strand->lane;
        entry->top = strand->lane.top;
        entry->outermost = 0;
    } else {
        enter(entry, strand, info);
    }
}

void filch_fork_leave(filch_fork_entry *entry)
{
    struct stay *stay = (struct stay *)(void *)entry->opaque;
    struct filch_strand *strand = stay->region.strand;
    if (stay->site) {
        uint64_t took = filch_os_ticks() - strand->apart - stay->began;
        filch_site_learn(stay->site, 1, 1, took);
    }
    strand->forking = false;
    strand->help = FILCH_HELP_ASK;
    if (stay->region.guest) {
        filch_region_leave(&stay->region);
    }
}
