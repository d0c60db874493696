/* offer: how latent work becomes something that others can take. */
#include "core.h"
#include "os_modes.h"
#include "os_ticks.h"
#include "pool.h"
#include "strand.h"
#include "thread.h"
#include "wake.h"

/* Before anybody can take it. */
static void trace_published(struct filch_core *core, struct filch_strand *strand, filch_slot *slot)
{
    const filch_function_info *info = slot->type->info;
    filch_core_trace(core, FILCH_TRACE_PUBLISH, slot->type->publish != NULL,
                     info ? info : strand->frame->info, filch_trace_name_of(slot));
}

/* False: the deque cannot grow; nobody has seen it. */
static bool push_published(struct filch_core *core, struct filch_strand *strand, filch_slot *slot)
{
    trace_published(core, strand, slot);
    if (filch_deque_push(&core->deque, filch_entry_of_slot(slot))) {
        return true;
    }
    filch_core_trace(core, FILCH_TRACE_RECLAIM, 0, NULL, filch_trace_name_of(slot));
    return false;
}

/* The oldest that is latent, or NULL. Its thief begins as its owner would, which is us, or what we
 * run on top of. */
static filch_slot *publish(struct filch_strand *strand)
{
    if (strand->lane.split >= strand->lane.top) {
        return NULL;
    }
    filch_frame_set_modes(strand->frame, filch_os_modes());
    return filch_lane_publish(&strand->lane, strand->frame);
}

/* What was asked for, or NULL. */
static filch_slot *publish_oldest(struct filch_strand *strand)
{
    filch_lane_settle(&strand->lane);
    filch_slot *slot = publish(strand);
    if (!slot) {
        filch_lane_want(&strand->lane); /* the next fork will have something */
    }
    return slot;
}

bool filch_core_offer(struct filch_strand *strand)
{
    struct filch_core *core = filch_thread_known()->core;
    if (!core) {
        return false; /* a guest without a core stays poisoned, and serial */
    }
    filch_slot *slot = publish_oldest(strand);
    if (slot && push_published(core, strand, slot)) {
        return true;
    }
    if (slot && filch_slot_take_back(slot)) {
        filch_lane_unpublish(&strand->lane, slot);
    }
    return false;
}

/* ---- quiet offers ----
 *
 * A call that is known to be over in a microsecond or two gains nothing from a thief, who needs
 * about as long to come; but that it is must not be relied on, and its elements may even wait for
 * each other. So half of it is published as ever, but lies beside the deque, where for a while
 * nobody takes it. Nobody is woken for it either: the watchman's looks find it (watch.c). */

enum { QUIET_MOST = 1 << 20 }; /* ticks: beyond that the clocks of two processors do not agree */

bool filch_core_is_quiet(struct filch_core *core)
{
    /* relaxed: seen late, somebody comes a little early or late */
    uint64_t until = atomic_load_explicit(&core->quiet_until, memory_order_relaxed);
    return until && until - filch_os_ticks() < QUIET_MOST;
}

filch_slot *filch_core_late_offer(struct filch_core *core)
{
    /* acquire: pairs with the release in filch_core_offer_quietly; the slot is published */
    filch_slot *slot = atomic_load_explicit(&core->offer, memory_order_acquire);
    return slot && filch_slot_is_published(slot) && !filch_core_is_quiet(core) ? slot : NULL;
}

static filch_slot *own_offer(struct filch_core *core)
{
    return atomic_load_explicit(&core->offer, memory_order_relaxed); /* relaxed: the holder's */
}

static void forget_offer(struct filch_core *core)
{
    /* relaxed: whoever has the address still finds out from the slot's state */
    atomic_store_explicit(&core->offer, (filch_slot *)NULL, memory_order_relaxed);
}

bool filch_core_offer_quietly(struct filch_strand *strand, uint64_t until)
{
    struct filch_core *core = filch_thread_known()->core;
    if (!core || own_offer(core)) {
        return filch_core_offer(strand);
    }
    filch_slot *slot = publish_oldest(strand);
    if (!slot) {
        return false;
    }
    trace_published(core, strand, slot);
    /* relaxed, then release: pairs with filch_core_late_offer, which reads them the other way */
    atomic_store_explicit(&core->quiet_until, until, memory_order_relaxed);
    atomic_store_explicit(&core->offer, slot, memory_order_release);
    return true;
}

/* Somebody is to come now. True: there was an offer, and it is where it will be found. */
static bool offer_loudly(struct filch_core *core)
{
    filch_slot *slot = own_offer(core);
    if (!slot || !filch_deque_push(&core->deque, filch_entry_of_slot(slot))) {
        return false; /* no memory: it stays an offer */
    }
    forget_offer(core);
    atomic_store_explicit(&core->quiet_until, 0, memory_order_relaxed); /* relaxed: the holder's */
    return true;
}

void filch_core_serve_all(struct filch_strand *strand)
{
    struct filch_core *here = filch_thread_known()->core;
    bool pushed = here && offer_loudly(here);
    filch_slot *slot;
    while ((slot = publish(strand))) {
        struct filch_core *core = filch_thread_known()->core;
        if (core && push_published(core, strand, slot)) {
            pushed = true;
        } else if (filch_slot_take_back(slot)) {
            filch_core_run_own(strand, slot); /* nowhere to put it: do it now */
            filch_slot_finish(slot);
        }
    }
    if (pushed) {
        filch_pool_wake(strand->pool);
    }
}

void filch_core_withdraw(struct filch_core *core, filch_slot *slot, bool ours)
{
    if (own_offer(core) == slot) {
        forget_offer(core);
    } else if (ours) {
        filch_deque_pop_if(&core->deque, filch_entry_of_slot(slot));
    }
    if (ours) {
        filch_core_trace(core, FILCH_TRACE_RECLAIM, 0, NULL, filch_trace_name_of(slot));
    }
}
