#include "sched/seize.h"

#include "base/assert.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"

enum {
    WORTH_WAKING = 150000, /* ticks, about 50 us: a thread that sleeps is worth waking */
    AHEAD_MOST = 1 << 26,
    CUT_SPINS = 1000, /* the thread that has the slot may have lost its processor */
};

/* Values of the word that are no slot. */
static filch_slot *const busy = (filch_slot *)1;
static filch_slot *const spent = (filch_slot *)2;

static bool is_slot(const filch_slot *slot)
{
    return slot && slot != busy && slot != spent;
}

/* relaxed: what was read is checked by an exchange, or of the owner */
static filch_slot *glance_at(struct filch_opening *opening)
{
    return atomic_load_explicit(&opening->slot, memory_order_relaxed);
}

void filch_opening_init(struct filch_opening *opening)
{
    /* relaxed: no range is open; a late thread finds none */
    atomic_store_explicit(&opening->slot, (filch_slot *)NULL, memory_order_relaxed);
}

bool filch_range_open(struct filch_opening *opening, filch_slot *slot, filch_cutter *cut,
                      uint64_t from)
{
    /* acquire: pairs with the release in seize(), which may have left `spent` for a range below
     * this one: that range's end is seen */
    filch_slot *open = atomic_load_explicit(&opening->slot, memory_order_acquire);
    if (open == busy || is_slot(open)) {
        return false;
    }
    opening->cut = cut;
    /* relaxed, then release: pairs with the exchange in seize(), which has seen the slot */
    atomic_store_explicit(&opening->from, from, memory_order_relaxed);
    atomic_store_explicit(&opening->slot, slot, memory_order_release);
    return true;
}

static filch_slot *await_slot(struct filch_opening *opening)
{
    filch_slot *open;
    for (unsigned spins = 0; (open = glance_at(opening)) == busy; spins++) {
        if (spins < CUT_SPINS) {
            filch_relax();
        } else {
            filch_os_yield();
        }
    }
    return open;
}

void filch_range_close(struct filch_opening *opening, filch_slot *slot)
{
    filch_slot *open;
    do {
        open = await_slot(opening);
        if (open != slot && open != spent) {
            return;
        }
        /* acquire: pairs with the release in seize(); where the range ends now is seen */
    } while (!atomic_compare_exchange_weak_explicit(&opening->slot, &open, (filch_slot *)NULL,
                                                    memory_order_acquire, memory_order_relaxed));
}

static struct filch_opening *opening_on(struct filch_core *victim)
{
    /* acquire: pairs with the release in filch_core_enter. The fiber may have left: it stays
     * mapped. */
    filch_lane *lane = atomic_load_explicit(&victim->lane, memory_order_acquire);
    return lane ? &filch_fiber_of_lane(lane)->opening : NULL;
}

/* Is something open since so many ticks? */
static bool is_open_since(struct filch_opening *opening, uint64_t ticks)
{
    if (!opening || !is_slot(glance_at(opening))) {
        return false;
    }
    /* relaxed: seen late, a thief comes a little early or late */
    uint64_t from = atomic_load_explicit(&opening->from, memory_order_relaxed) + ticks;
    return from - filch_os_ticks() >= AHEAD_MOST;
}

bool filch_core_is_seizable(struct filch_core *victim)
{
    return is_open_since(opening_on(victim), WORTH_WAKING);
}

/* Who has the range for itself has also seen what its owner published before it was open. That is
 * more, and older: it comes first, though a thief that looked for it a moment ago found nothing. */
static bool has_older(struct filch_core *victim)
{
    return filch_deque_count(&victim->deque) > 0 || filch_core_late_offer(victim);
}

static enum filch_cut seize(struct filch_core *victim, struct filch_opening *opening,
                            struct filch_seized *seized)
{
    filch_slot *open = glance_at(opening);
    /* acquire: pairs with the release in filch_range_open, or the one below */
    if (!is_slot(open) ||
        !atomic_compare_exchange_strong_explicit(&opening->slot, &open, busy, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return FILCH_CUT_NOTHING;
    }
    bool leaves = has_older(victim);
    enum filch_cut cut = leaves ? FILCH_CUT_NOTHING : opening->cut(open, seized);
    /* release: pairs with the acquires in filch_range_open and filch_range_close */
    atomic_store_explicit(&opening->slot, leaves || cut == FILCH_CUT_SOME ? open : spent,
                          memory_order_release);
    return cut;
}

uintptr_t filch_core_seize(struct filch_core *core, struct filch_core *victim)
{
    FILCH_ASSERT(filch_core_is_own(core));
    struct filch_opening *opening = core == victim ? NULL : opening_on(victim);
    if (!is_open_since(opening, 0)) {
        return 0;
    }
    /* A start hook may let others run here before the part does. */
    bool hook_is_due = core->pool->config.hooks && !core->started;
    if (hook_is_due || seize(victim, opening, &core->seized) == FILCH_CUT_NOTHING) {
        return 0;
    }
    core->seized.task.work.kind = FILCH_WORK_TASK;
    return filch_entry_of_work(&core->seized.task.work);
}
