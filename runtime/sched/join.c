/* join: how the owner of what was forked finds out what became of it, and runs what was not
 * taken. */
#include "base/assert.h"
#include "os/os_ticks.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/stint.h"
#include "sched/suspend.h"
#include "sched/thread.h"

/* Run it for its owner, here. */
static void run_traced(struct filch_fiber *fiber, filch_slot *slot, const filch_slot_type *type)
{
    uint64_t name = filch_trace_name_of(slot);
    if (FILCH_UNLIKELY(fiber->lane.traced)) {
        filch_trace(FILCH_TRACE_BEGIN_JOIN, FILCH_TRACE_OWN, type->info, name);
    }
    type->run(&fiber->lane, fiber->lane.top, slot);
    if (FILCH_UNLIKELY(fiber->lane.traced)) {
        filch_trace(FILCH_TRACE_END_JOIN, 0, NULL, name);
    }
}

void filch_core_run_own(struct filch_fiber *fiber, filch_slot *slot)
{
    FILCH_ASSERT(filch_fiber_is_own(fiber) && slot->type);
    const filch_slot_type *type = slot->type;
    slot->type = &filch_slot_running;
    run_traced(fiber, slot, type);
}

void filch_core_run_at_once(filch_lane *lane, filch_slot *slot)
{
    filch_slot moved = {.type = slot->type};
    memcpy(moved.payload, slot->payload, sizeof moved.payload);
    slot->type = NULL;
    lane->top = slot;
    moved.type->run(lane, slot, &moved); /* its own forks end up in the same slot */
    memcpy(slot->payload, moved.payload, sizeof moved.payload);
}

/* The newest entry of our own core, if it is a task that is wanted. */
static struct filch_detached *take_own(struct filch_pool *pool,
                                       bool (*wanted)(struct filch_detached *task, void *context),
                                       void *context)
{
    struct filch_core *core = filch_pool_own_core(pool);
    uintptr_t entry = core ? filch_deque_pop(&core->deque) : 0;
    if (!entry) {
        return NULL;
    }
    struct filch_work *work = filch_entry_slot(entry) ? NULL : filch_entry_work(entry);
    if (work && work->kind == FILCH_WORK_TASK) {
        struct filch_detached *task = FILCH_CONTAINER(work, struct filch_detached, work);
        if (wanted(task, context)) {
            return task;
        }
    }
    bool has_room = filch_deque_push(&core->deque, entry);
    FILCH_ASSERT(has_room); /* there was room for it */
    return NULL;
}

static void run_helped(struct filch_detached *task)
{
    FILCH_ASSERT(!filch_rank_holds_any());
    filch_thread_known()->core->picked = (struct filch_picked){.how = FILCH_TRACE_HELPED};
    task->run(task);
}

/* What a guest runs for its wait. It lies on the guest's stack: once a task has waited, and the
 * guest goes on meanwhile, it is not to be touched. */
struct selection_of_tasks {
    struct filch_pool *pool;
    bool (*wanted)(struct filch_detached *task, void *context);
    void *context;
    struct filch_detached *first;
};

static void run_selection(void *context)
{
    struct selection_of_tasks *selection = context;
    struct filch_detached *task = selection->first;
    do {
        run_helped(task);
    } while (filch_stint_goes_on() &&
             (task = take_own(selection->pool, selection->wanted, selection->context)));
}

void filch_core_run_tasks(struct filch_pool *pool,
                          bool (*wanted)(struct filch_detached *task, void *context), void *context)
{
    struct selection_of_tasks selection = {pool, wanted, context, NULL};
    const struct filch_job job = {.run = run_selection, .context = &selection};
    struct filch_fiber *fiber = filch_fiber_self();
    while (fiber && filch_fiber_has_room(fiber) &&
           (selection.first = take_own(pool, wanted, context))) {
        if (!fiber->guest || filch_stint_run(pool, &job) == FILCH_STINT_REFUSED) {
            run_helped(selection.first);
        }
    }
}

static bool enlist_join(struct filch_waiter *waiter, void *slot)
{
    return filch_slot_await(slot, waiter);
}

static const struct filch_wait_kind join_wait = {
    .what = "a stolen child", .enlist = enlist_join, .derived = true};

bool filch_core_reclaim(struct filch_fiber *fiber, filch_slot *slot)
{
    FILCH_ASSERT(filch_fiber_is_own(fiber));
    struct filch_core *core = filch_thread_known()->core;
    bool ours = filch_slot_take_back(slot);
    if (core) {
        filch_core_withdraw(core, slot, ours);
    }
    if (ours) {
        return true;
    }
    if (!filch_slot_is_done(slot)) {
        uint64_t began = filch_os_ticks();
        filch_suspend_join(&join_wait, slot);
        fiber->overhead_ticks += filch_os_ticks() - began;
    } else {
        filch_trace(FILCH_TRACE_JOINED, 0, NULL, filch_trace_name_of(slot));
    }
    return false;
}

/* No thief has it; before we run it ourselves, see whether older work is wanted. */
static void join_latent(struct filch_fiber *fiber, filch_slot *slot)
{
    const filch_slot_type *type = slot->type;
    slot->type = &filch_slot_running; /* not this one */
    if (!fiber->lane.traced || filch_lane_is_asked(&fiber->lane)) {
        filch_core_serve(fiber);
    }
    run_traced(fiber, slot, type);
}

static void join(filch_lane *lane, filch_slot *slot, filch_slot *top)
{
    struct filch_fiber *fiber = filch_fiber_of_lane(lane);
    FILCH_ASSERT(filch_fiber_is_own(fiber) && fiber->frame);
    lane->top = top ? top : slot + 1;
    FILCH_ASSERT(filch_fiber_bottom(fiber) <= slot && slot < lane->top);
    if (slot >= lane->split) {
        join_latent(fiber, slot);
    } else if (filch_core_reclaim(fiber, slot)) {
        filch_core_run_own(fiber, slot);
    }
}

filch_slot *filch_join_slow(filch_lane *lane, filch_slot *slot, filch_slot *top, void *result,
                            size_t bytes)
{
    join(lane, slot, top);
    memcpy(result, slot->payload, bytes);
    return filch_lane_retire(lane, slot);
}

void filch_join_abandoned(filch_slot *slot)
{
    filch_lane *lane = &filch_fiber_self()->lane;
    join(lane, slot, lane->top);
    filch_lane_retire(lane, slot);
}

filch_slot *filch_fork_top(filch_slot *top)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber ? fiber->lane.top : top; /* without a fiber there is no latent work */
}
