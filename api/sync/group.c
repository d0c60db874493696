#include "sync/group_wait.h"

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "os/os_modes.h"
#include "pool/call_options.h"
#include "pool/closure_private.h"
#include "pool/deadline.h"
#include "pool/default_pool.h"
#include "pool/fault.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/unwound.h"
#include "work/work.h"

/* One task of a group. */
struct spawned {
    struct filch_detached task;
    struct filch_group *group;
    filch_closure closure;
    void *result;
    uint64_t modes;                             /* of its spawner */
    FILCH_ALIGNED(16) unsigned char unwanted[]; /* room for a result that was not asked for */
};

/* The owner's thread has ended: what of the group runs already is waited for, the rest is not. */
static void owner_ended(struct filch_region *region)
{
    struct filch_group *group = FILCH_CONTAINER(region, struct filch_group, region);
    filch_cancel_scope_cancel(&group->scope);
    filch_group_close(group, NULL);
}

static filch_status enter_group(struct filch_group *group)
{
    filch_status status = FILCH_OK;
    if (!filch_fiber_self()) { /* a program's own thread works, too, until the group is closed */
        status = filch_region_enter(&group->region, group->pool, NULL, NULL);
        group->entered = status == FILCH_OK;
    }
    return status == FILCH_OK ? filch_pool_check(group->pool) : status;
}

/* From here on the owner's own code is inside the group's scope. In all else the frame stands for
 * the one around it: errors that are raised are that one's, with its name and its index. */
static void push_frame(struct filch_group *group)
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame *frame = filch_region_frame(&group->region);
    if (!group->entered) {
        const struct filch_frame *around = fiber->frame;
        filch_frame_push(frame, fiber, NULL, around ? around->info : NULL);
        frame->next = around ? around->next : NULL;
        frame->stop = around ? around->stop : NULL;
    }
    frame->scope = &group->scope;
}

/* Forks of the block that are not joined yet, and were published for the group's frame: they end
 * with the block. Their joins find the results. */
static void finish_forks(struct filch_fiber *fiber, const struct filch_frame *frame)
{
    for (filch_slot *slot = frame->base; slot < fiber->lane.split; slot++) {
        bool ended = !slot->type || filch_slot_is_done(slot);
        if (!ended && filch_core_reclaim(fiber, slot)) {
            filch_core_run_own(fiber, slot);
            filch_slot_finish(slot);
        }
    }
}

static void pop_frame(struct filch_group *group)
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame *frame = filch_region_frame(&group->region);
    finish_forks(fiber, frame);
    if (!group->entered) {
        filch_frame_pop(frame, fiber);
    } /* else it leaves the region with it */
}

/* Is the caller the owner, and has closed all groups that it opened in this one? */
static bool is_innermost(struct filch_group *group)
{
    const struct filch_fiber *fiber = filch_fiber_self();
    return fiber && fiber->frame == filch_region_frame(&group->region);
}

static const filch_function_info group_info = {.name = "group", .doc = "", .file = ""};

filch_status filch_group_open(filch_pool *pool, const filch_group_options *options,
                              filch_group **out)
{
    const filch_options *how = filch_options_of(pool);
    filch_deadline until = options ? options->until : filch_never();
    if (how) {
        until = filch_earlier(until, how->until);
    }
    if (!out) {
        return FILCH_EINVAL;
    }
    *out = NULL;
    filch_status status = filch_pool_resolve(pool, &pool);
    struct filch_group *group = status == FILCH_OK ? filch_calloc(1, sizeof *group) : NULL;
    if (!group) {
        return filch_options_end(how, status == FILCH_OK ? FILCH_ENOMEM : status);
    }
    filch_options_check(how, pool, FILCH_USES_IN_CALL, &group_info);
    group->told = filch_options_error(how);
    group->pool = pool;
    group->cancel_on_error = options && options->cancel_on_error;
    filch_fault_init(&group->fault);
    atomic_init(&group->undone, 1);
    filch_cell_init(&group->done);
    status = enter_group(group);
    if (status != FILCH_OK) {
        if (group->entered) {
            filch_region_leave(&group->region);
        }
        filch_free(group);
        return filch_options_end(how, status);
    }
    group->until_ns = filch_deadline_ns(until);
    filch_cancel_scope_open(&group->scope, filch_cancel_scope_self(), group->until_ns);
    if (group->entered) {
        filch_region_keep(&group->region, owner_ended);
    }
    push_frame(group);
    *out = group;
    return FILCH_OK;
}

static bool is_over(struct filch_group *group)
{
    return filch_cancel_scope_is_cancelled(&group->scope) ||
           filch_pool_state(group->pool) == FILCH_POOL_TERMINATED;
}

static void cut_short(struct filch_group *group)
{
    /* relaxed: read by the owner when all are done */
    atomic_store_explicit(&group->cut_short, true, memory_order_relaxed);
}

/* A program's own thread ran a task of the group, and ends. */
static inline void task_call_left(struct filch_frame **running)
{
    struct filch_fiber *fiber = *running ? filch_fiber_self() : NULL;
    if (fiber && filch_unwound_begin(fiber, *running)) {
        filch_unwound_to(fiber, *running, (*running)->base);
        filch_frame_pop(*running, fiber);
    }
}

static void call(struct filch_group *group, filch_closure *closure, void *result, uint64_t modes)
{
    if (is_over(group)) {
        cut_short(group);
        return;
    }
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    filch_frame_push(&frame, fiber, &group->fault, closure->callable->info);
    frame.scope = &group->scope;
    filch_frame_seclude_as(&frame, fiber, modes);
    filch_frame_seclude_locale(&frame, fiber);
    FILCH_UNWINDS(task_call_left) struct filch_frame *running = &frame;
    filch_closure_invoke(closure, result);
    running = NULL;
    filch_frame_pop(&frame, fiber);
    if (is_over(group)) {
        cut_short(group);
    } else if (group->cancel_on_error && filch_fault_is_set(&group->fault)) {
        filch_cancel_scope_cancel(&group->scope);
    }
}

static void one_done(struct filch_group *group)
{
    /* acq_rel: the last sees what all others did, and so does the owner */
    if (atomic_fetch_sub_explicit(&group->undone, 1, memory_order_acq_rel) == 1) {
        filch_waiters_call(filch_cell_complete(&group->done)); /* none is to be called */
    }
}

static void spawned_done(struct spawned *spawned)
{
    struct filch_group *group = spawned->group;
    struct filch_pool *pool = group->pool;
    filch_closure_release(&spawned->closure);
    filch_free(spawned);
    one_done(group);
    filch_pool_task_ended(pool);
}

static inline void spawned_left(struct spawned **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        cut_short((*running)->group);
        spawned_done(*running);
    }
}

static void run_spawned(struct filch_detached *task)
{
    struct spawned *spawned = FILCH_CONTAINER(task, struct spawned, task);
    struct filch_group *group = spawned->group;
    enum filch_trace_type end =
        filch_core_trace_task(filch_core_picked(), spawned->closure.callable->info, spawned);
    FILCH_UNWINDS(spawned_left) struct spawned *running = spawned;
    call(group, &spawned->closure, spawned->result, spawned->modes);
    running = NULL;
    filch_trace(end, 0, NULL, filch_trace_name_of(group)); /* it counts for the group */
    spawned_done(spawned);
}

static struct spawned *spawned_new(struct filch_group *group, const filch_closure *closure,
                                   void *result)
{
    size_t unwanted = result ? 0 : closure->callable->result_bytes;
    size_t bytes;
    struct spawned *spawned = filch_add(sizeof *spawned, unwanted, &bytes)
                                  ? filch_alloc_at(bytes, filch_alignment_for(unwanted),
                                                   offsetof(struct spawned, unwanted))
                                  : NULL;
    if (spawned) {
        spawned->task.run = run_spawned;
        spawned->group = group;
        spawned->closure = filch_closure_retain(closure);
        spawned->result = result ? result : spawned->unwanted;
        spawned->modes = filch_os_modes();
    }
    return spawned;
}

/* There is no memory, or no thread, to put it off. */
static filch_status call_at_once(struct filch_group *group, const filch_closure *closure,
                                 void *result)
{
    FILCH_ALIGNED(64) unsigned char unwanted[256];
    filch_closure own = filch_closure_retain(closure);
    filch_status status = FILCH_OK;
    if (!result && closure->callable->result_bytes > sizeof unwanted) {
        status = FILCH_ENOMEM;
    } else if (filch_fiber_self()) {
        call(group, &own, result ? result : unwanted, filch_os_modes());
    } else {
        status = FILCH_EINVAL; /* neither the owner nor a task of the group */
    }
    filch_closure_release(&own);
    return status;
}

filch_status filch_group_spawn(filch_group *group, const filch_closure *closure, void *result)
{
    if (!group || !closure || !closure->callable) {
        return FILCH_EINVAL;
    }
    if (filch_group_is_parents(group)) {
        return FILCH_EFORKED;
    }
    struct spawned *spawned =
        filch_pool_has_thread(group->pool) ? spawned_new(group, closure, result) : NULL;
    if (spawned) {
        /* relaxed: the caller is counted, so no thread sees it reach zero */
        atomic_fetch_add_explicit(&group->undone, 1, memory_order_relaxed);
        filch_trace(FILCH_TRACE_SPAWN, 0, closure->callable->info, filch_trace_name_of(spawned));
        filch_pool_continue(group->pool, &spawned->task);
        return FILCH_OK;
    }
    return call_at_once(group, closure, result);
}

static bool is_of_group(struct filch_detached *task, void *group)
{
    return task->run == run_spawned && FILCH_CONTAINER(task, struct spawned, task)->group == group;
}

static filch_status outcome(struct filch_group *group, filch_error *error)
{
    filch_status status = filch_fault_result(&group->fault, error);
    /* relaxed: all are done */
    if (status == FILCH_OK && atomic_load_explicit(&group->cut_short, memory_order_relaxed)) {
        status = filch_pool_ended_as(group->pool, FILCH_ECANCELED);
    }
    if (status == FILCH_ECANCELED && group->until_ns <= filch_os_now_ns()) {
        status = FILCH_ETIMEDOUT;
    }
    if (error) {
        error->status = status;
    }
    if (group->told) {
        filch_fault_result(&group->fault, group->told);
        group->told->status = status;
    }
    return status;
}

filch_status filch_group_wait(filch_group *group, filch_error *error)
{
    if (!group || filch_group_is_parents(group)) {
        return group ? FILCH_EFORKED : FILCH_EINVAL;
    }
    if (is_over(group)) { /* before the owner was through with its own part */
        cut_short(group);
    }
    filch_core_run_tasks(group->pool, is_of_group, group);
    filch_group_join(group);
    filch_trace(FILCH_TRACE_JOINED, 0, NULL, filch_trace_name_of(group));
    return outcome(group, error);
}

filch_status filch_group_cancel(filch_group *group)
{
    if (!group || filch_group_is_parents(group)) {
        return group ? FILCH_EFORKED : FILCH_EINVAL;
    }
    filch_cancel_scope_cancel(&group->scope);
    return FILCH_OK;
}

/* The memory stays: others have it. */
static filch_status leave_in_child(struct filch_group *group)
{
    if (group->entered && filch_thread_known()->left == FILCH_LEFT_REGION) {
        filch_region_leave(&group->region);
    }
    return FILCH_EFORKED;
}

filch_status filch_group_close(filch_group *group, filch_error *error)
{
    if (!group) {
        return FILCH_OK;
    }
    if (filch_group_is_parents(group)) {
        return leave_in_child(group);
    }
    if (!is_innermost(group)) {
        return FILCH_EINVAL;
    }
    filch_status status = filch_group_wait(group, error);
    pop_frame(group);
    filch_cancel_scope_close(&group->scope);
    if (group->entered) {
        filch_region_leave(&group->region);
    }
    filch_free(group);
    return status;
}
