/* publish: how latent work becomes something that thieves can take, when that is asked for. */
#include "base/assert.h"
#include "os/os_modes.h"
#include "os/os_ticks.h"
#include "sched/call_site.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum {
    ENTRIES_KEPT = 32,    /* so many of a deque are not looked at before another is pushed */
    ENTRIES_PLENTY = 256, /* with more than that, ranges are held back: memory stays bounded */
    OFTEN = 100000, /* ticks, some 30 us: asked again so soon, a fiber offers more at a time */
    MORE_MOST = 31,
};

/* Before a thief can take it. */
static void trace_published(struct filch_core *core, struct filch_fiber *fiber, filch_slot *slot)
{
    const filch_function_info *info = slot->type->info;
    filch_core_trace(core, FILCH_TRACE_PUBLISH, slot->type->publish != NULL,
                     info ? info : fiber->frame->info, filch_trace_name_of(slot));
}

/* The newest entry is of no use any more: what it was for was taken back on another core. */
static bool drop_newest(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    uintptr_t entry = filch_deque_pop(&core->deque);
    filch_slot *slot = filch_entry_slot(entry);
    if (!entry || (slot && !filch_slot_is_published(slot))) {
        return entry != 0;
    }
    bool has_room = filch_deque_push(&core->deque, entry);
    FILCH_ASSERT(has_room); /* there was room for it */
    return false;
}

/* Fibers that wait often leave such entries behind, each time one; and while there are ready
 * fibers, the deque is rarely looked at. */
static void keep_short(struct filch_core *core)
{
    for (int i = 0; i < 2 && filch_deque_count(&core->deque) > ENTRIES_KEPT; i++) {
        if (!drop_newest(core)) {
            return;
        }
    }
}

/* False: the deque cannot grow; no thread has seen it. */
static bool push_published(struct filch_core *core, struct filch_fiber *fiber, filch_slot *slot)
{
    FILCH_ASSERT(filch_core_is_own(core));
    keep_short(core);
    trace_published(core, fiber, slot);
    if (filch_deque_push(&core->deque, filch_entry_of_slot(slot))) {
        return true;
    }
    filch_core_trace(core, FILCH_TRACE_RECLAIM, 0, NULL, filch_trace_name_of(slot));
    return false;
}

/* The oldest that is latent, or NULL. The thief of a fork begins as its owner would, which is us,
 * or what we run on top of; the thief of a range as the loop's caller. */
static filch_slot *publish(struct filch_fiber *fiber)
{
    FILCH_ASSERT(filch_fiber_is_own(fiber) && !filch_rank_holds_any());
    filch_slot *oldest = fiber->lane.split;
    if (oldest >= fiber->lane.top) {
        return NULL;
    }
    if (!oldest->type || !oldest->type->publish) {
        filch_frame_set_modes(fiber->frame, filch_os_modes());
    }
    return filch_lane_publish(&fiber->lane, fiber->frame);
}

/* What was asked for, or NULL. */
static filch_slot *publish_oldest(struct filch_fiber *fiber)
{
    filch_lane_settle(&fiber->lane);
    filch_slot *slot = publish(fiber);
    if (!slot) {
        filch_lane_want(&fiber->lane); /* the next fork will have something */
    }
    return slot;
}

static filch_slot *own_offer(struct filch_core *core)
{
    return atomic_load_explicit(&core->offer, memory_order_relaxed); /* relaxed: the holder's */
}

static void forget_offer(struct filch_core *core)
{
    /* relaxed: a thread that has the address still finds out from the slot's state */
    atomic_store_explicit(&core->offer, (filch_slot *)NULL, memory_order_relaxed);
}

/* A thread is to come now. True: there was an offer, and it is where it will be found. */
static bool offer_loudly(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    filch_slot *slot = own_offer(core);
    if (!slot || !filch_deque_push(&core->deque, filch_entry_of_slot(slot))) {
        return false; /* no memory: it stays an offer */
    }
    forget_offer(core);
    atomic_store_explicit(&core->quiet_until, 0, memory_order_relaxed); /* relaxed: the holder's */
    return true;
}

/* The newest that was published. */
static bool push_or_take_back(struct filch_core *core, struct filch_fiber *fiber, filch_slot *slot)
{
    if (push_published(core, fiber, slot)) {
        return true;
    }
    if (filch_slot_take_back(slot)) {
        filch_lane_unpublish(&fiber->lane, slot);
    }
    return false;
}

bool filch_core_offer(struct filch_fiber *fiber)
{
    struct filch_core *core = filch_thread_known()->core;
    if (!core) {
        return false; /* a guest without a core stays poisoned, and serial */
    }
    offer_loudly(core); /* it is older, and more: thieves must not come to it last */
    filch_slot *slot = publish_oldest(fiber);
    return slot && push_or_take_back(core, fiber, slot);
}

/* ---- quiet offers ----
 *
 * A call that is known to be over in a microsecond or two gains nothing from a thief, which needs
 * about as long to come; but that it is must not be relied on, and its elements may even wait for
 * each other. So half of it is published as ever, but lies beside the deque, where for a while
 * no thief takes it. None is woken for it either: the monitor's looks find it (monitor.c). */

enum { QUIET_MOST = 1 << 20 }; /* ticks: beyond that the clocks of two processors do not agree */

bool filch_core_is_quiet(struct filch_core *core)
{
    /* relaxed: seen late, a thief comes a little early or late */
    uint64_t until = atomic_load_explicit(&core->quiet_until, memory_order_relaxed);
    return until && until - filch_os_ticks() < QUIET_MOST;
}

filch_slot *filch_core_late_offer(struct filch_core *core)
{
    /* acquire: pairs with the release in filch_core_offer_quietly; the slot is published */
    filch_slot *slot = atomic_load_explicit(&core->offer, memory_order_acquire);
    return slot && filch_slot_is_published(slot) && !filch_core_is_quiet(core) ? slot : NULL;
}

bool filch_core_offer_quietly(struct filch_fiber *fiber, uint64_t until)
{
    struct filch_core *core = filch_thread_known()->core;
    if (!core || own_offer(core)) {
        return filch_core_offer(fiber);
    }
    filch_slot *slot = publish_oldest(fiber);
    if (!slot) {
        return false;
    }
    trace_published(core, fiber, slot);
    /* relaxed, then release: pairs with filch_core_late_offer, which reads them the other way */
    atomic_store_explicit(&core->quiet_until, until, memory_order_relaxed);
    atomic_store_explicit(&core->offer, slot, memory_order_release);
    return true;
}

static bool hold_nothing_back(struct filch_fiber *fiber, filch_slot *slot)
{
    (void)fiber, (void)slot;
    return false;
}

/* There is nowhere to put it. A fork is done now, if there is stack for it. A range could be a long
 * one whose elements wait in turn: nothing finds it until its owner goes on, or it is let go. */
static void keep_unlisted(struct filch_fiber *fiber, struct filch_core *core, filch_slot *slot)
{
    if (core && slot->type->publish) {
        filch_crowd_hold_back(fiber, slot);
    } else if (filch_fiber_has_room(fiber) && filch_slot_take_back(slot)) {
        filch_core_run_own(fiber, slot);
        filch_slot_finish(slot);
    }
}

/* Publish all that is latent, for others to take but for what is held back. */
static void serve_all_but(struct filch_fiber *fiber,
                          bool (*holds_back)(struct filch_fiber *fiber, filch_slot *slot))
{
    struct filch_core *here = filch_thread_known()->core;
    bool pushed = here && offer_loudly(here);
    filch_slot *slot;
    while ((slot = publish(fiber))) {
        struct filch_core *core = filch_thread_known()->core;
        if (holds_back(fiber, slot)) {
            continue;
        }
        if (core && push_published(core, fiber, slot)) {
            pushed = true;
        } else {
            keep_unlisted(fiber, core, slot);
        }
    }
    if (pushed) {
        filch_pool_wake(fiber->pool);
    }
}

bool filch_core_has_plenty(struct filch_core *core)
{
    return core && filch_deque_count(&core->deque) > ENTRIES_PLENTY;
}

void filch_core_serve_all(struct filch_fiber *fiber)
{
    serve_all_but(fiber, hold_nothing_back);
}

void filch_core_serve_crowd(struct filch_fiber *fiber)
{
    serve_all_but(fiber, filch_crowd_hold_back);
}

void filch_core_withdraw(struct filch_core *core, filch_slot *slot, bool ours)
{
    FILCH_ASSERT(filch_core_is_own(core));
    if (own_offer(core) == slot) {
        forget_offer(core);
    } else if (ours) {
        filch_deque_pop_if(&core->deque, filch_entry_of_slot(slot));
    }
    if (ours) {
        filch_core_trace(core, FILCH_TRACE_RECLAIM, 0, NULL, filch_trace_name_of(slot));
    }
}

/* ---- when an idle core asks, and at every fork that is recorded ---- */

/* The monitor asked for a turn on behalf of others: a pool's fiber stands in line. */
static void yield_if_wanted(struct filch_fiber *fiber, struct filch_core *core)
{
    /* relaxed, both: a request may be answered late */
    if (!fiber->guest && atomic_load_explicit(&core->yield_wanted, memory_order_relaxed)) {
        atomic_store_explicit(&core->yield_wanted, false, memory_order_relaxed);
        filch_suspend_yield();
    }
}

static bool is_fork(const filch_slot *slot)
{
    return slot->type && !slot->type->publish;
}

/* A thread that asks again within microseconds waits about as long as it works: what it gets is a
 * small part of what there is. It finds twice as many next time, of the oldest half of all. What
 * others are served with, in between, is one each. */
static void offer_more(struct filch_fiber *fiber, uint64_t now)
{
    filch_lane *lane = &fiber->lane;
    bool often = now - fiber->served < OFTEN;
    unsigned more = often ? 2 * fiber->more + 1 : fiber->more / 2;
    fiber->more = more < MORE_MOST ? more : MORE_MOST;
    fiber->served = now;
    const filch_slot *half = lane->split + (lane->top - lane->split) / 2;
    for (unsigned i = 0; i < fiber->more && lane->split < half && is_fork(lane->split); i++) {
        filch_slot *slot = publish(fiber);
        if (!slot || !push_or_take_back(filch_thread_known()->core, fiber, slot)) {
            return;
        }
    }
}

void filch_core_serve(struct filch_fiber *fiber)
{
    uint64_t began = filch_os_ticks();
    enum filch_help help = fiber->help;
    if (help == FILCH_HELP_LATE ? filch_core_offer_quietly(fiber, began + FILCH_CALL_SITE_QUIET)
                                : filch_core_offer(fiber)) {
        fiber->help = FILCH_HELP_ASK;
        if (help == FILCH_HELP_ASK) {
            offer_more(fiber, began);
            filch_pool_wake(fiber->pool);
        }
    }
    struct filch_core *core = filch_thread_known()->core;
    if (core) {
        yield_if_wanted(fiber, core);
    }
    fiber->overhead_ticks += filch_os_ticks() - began;
}

/* At level `all` every fork comes here. The first one after the recording has ended makes those
 * after it fast again. */
static void fork_traced(filch_lane *lane)
{
    filch_slot *slot = lane->top - 1;
    FILCH_ASSERT(slot >= filch_fiber_bottom(filch_fiber_of_lane(lane)) && slot->type);
    lane->traced = filch_trace_is_on();
    filch_trace(FILCH_TRACE_FORK, 0, slot->type->info, filch_trace_name_of(slot));
}

/* The lane is full. What others may take is older then, and there is plenty: they are served as
 * ever. */
static void run_beyond_end(filch_lane *lane, filch_slot *slot)
{
    if (filch_lane_is_asked(lane)) {
        lane->top = slot; /* nothing takes the new one */
        filch_core_serve(filch_fiber_of_lane(lane));
    }
    filch_core_run_at_once(lane, slot);
    FILCH_ASSERT(lane->top == slot);
}

void filch_fork_slow(filch_lane *lane, filch_slot *slot)
{
    FILCH_ASSERT(lane->top == slot + 1);
    if (FILCH_UNLIKELY(!filch_lane_grow(lane, slot))) {
        run_beyond_end(lane, slot);
        return;
    }
    if (FILCH_UNLIKELY(lane->traced)) {
        fork_traced(lane);
    }
    if (filch_lane_is_asked(lane)) { /* else the lane has just grown, or is recorded */
        filch_core_serve(filch_fiber_of_lane(lane));
        FILCH_ASSERT(lane->top == slot + 1);
    }
}

#ifdef __x86_64__
__attribute__((target("general-regs-only"), force_align_arg_pointer))
#endif
FILCH_KEEPING void
filch_fork_slow_keeping(filch_lane *lane, filch_slot *slot)
{
    filch_fork_slow(lane, slot);
}
