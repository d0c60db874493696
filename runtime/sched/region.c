#include "sched/region.h"

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"
#include "os/os_modes.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/unwound.h"

void filch_frame_push(struct filch_frame *frame, struct filch_fiber *fiber,
                      struct filch_fault *fault, const filch_function_info *info)
{
    FILCH_ASSERT(filch_fiber_is_own(fiber));
    struct filch_frame *parent = fiber->frame;
    frame->parent = parent;
    frame->base = fiber->lane.top;
    frame->fault = fault || !parent ? fault : parent->fault;
    frame->scope = parent ? parent->scope : NULL;
    frame->info = info;
    frame->next = frame->stop = NULL;
    frame->crowd = NULL;
    frame->modes = FILCH_OS_MODES_DEFAULT;
    frame->secluded = frame->is_above = frame->secludes_locale = false;
    fiber->frame = frame;
    filch_party_do(fiber->party, info);
}

/* What its caller is to find again. */
static void look_around(struct filch_frame *frame)
{
    struct filch_exceptions *here = filch_exceptions_here();
    frame->exceptions = (struct filch_exceptions){NULL, 0};
    if (here) {
        filch_exceptions_move(&frame->exceptions, here);
    }
    frame->outside = filch_os_keep_modes();
    frame->modes = filch_os_modes_kept(frame->outside);
    if (frame->parent) {
        filch_frame_set_modes(frame->parent, frame->modes);
    }
}

void filch_frame_seclude(struct filch_frame *frame, struct filch_fiber *fiber)
{
    frame->secluded = true;
    frame->is_above = frame->parent || fiber->guest;
    if (frame->is_above) {
        look_around(frame);
    }
}

void filch_frame_seclude_as(struct filch_frame *frame, struct filch_fiber *fiber, uint64_t modes)
{
    filch_frame_seclude(frame, fiber);
    if (modes != frame->modes) {
        frame->modes = modes;
        filch_os_set_modes(modes);
    }
}

void filch_frame_seclude_locale(struct filch_frame *frame, struct filch_fiber *fiber)
{
    void *locale = filch_os_locale();
    if (frame->parent || fiber->guest) {
        frame->secludes_locale = true;
        frame->locale = locale;
    }
    if (FILCH_UNLIKELY(locale != NULL)) { /* the caller's, or what the last task here has left */
        filch_os_set_locale(NULL);
    }
}

/* Between two tasks a worker has the default modes, no exceptions, and any locale. */
static void restore(struct filch_frame *frame)
{
    filch_os_restore_modes(frame->is_above ? frame->outside : FILCH_OS_MODES_DEFAULT);
    if (frame->secludes_locale && filch_os_locale() != frame->locale) {
        filch_os_set_locale(frame->locale);
    }
    if (frame->is_above && FILCH_UNLIKELY(filch_exceptions_any(&frame->exceptions))) {
        *filch_exceptions_here() = frame->exceptions;
    }
}

void filch_frame_pop(struct filch_frame *frame, struct filch_fiber *fiber)
{
    FILCH_ASSERT(fiber->frame == frame); /* the innermost */
    if (frame->secluded) {
        restore(frame);
    }
    fiber->frame = frame->parent;
    filch_party_do(fiber->party, frame->parent ? frame->parent->info : NULL);
}

struct filch_fiber *filch_fiber_self(void)
{
    struct filch_thread *thread = filch_thread_known();
    return thread ? thread->fiber : NULL;
}

struct filch_cancel_scope *filch_cancel_scope_self(void)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && fiber->frame ? fiber->frame->scope : NULL;
}

static filch_status become_guest(struct filch_region *region, struct filch_pool *pool,
                                 struct filch_thread *thread)
{
    FILCH_ASSERT(thread == filch_thread_known() && !thread->fiber && !thread->core);
    filch_core_acquire_guest(pool, thread); /* without a core the region runs serially */
    struct filch_fiber *fiber = filch_fiber_new_guest(pool, thread->core);
    if (!fiber) {
        filch_core_release_guest(pool, thread);
        return FILCH_ENOMEM;
    }
    region->fiber = thread->fiber = fiber;
    filch_core_enter(thread->core, fiber);
    if (thread->core) {
        filch_core_start(thread->core);
    }
    return FILCH_OK;
}

static void stop_being_guest(struct filch_fiber *fiber)
{
    struct filch_thread *thread = filch_thread_known(); /* guests do not move */
    struct filch_pool *pool = fiber->pool;
    FILCH_ASSERT(fiber->guest && !fiber->frame);
    FILCH_ASSERT(thread->fiber == fiber || thread->left); /* in the child of a fork() it is out */
    thread->fiber = NULL;
    if (thread->left == FILCH_LEFT_REGION) {
        thread->left = FILCH_LEFT_NOTHING; /* the child of a fork() in there; now it is out */
    }
    filch_core_leave(thread->core);
    filch_fiber_free_guest(fiber, thread->core);
    filch_core_release_guest(pool, thread);
}

static filch_status enter_as_guest(struct filch_region *region, struct filch_pool *pool,
                                   struct filch_thread *thread)
{
    filch_status status = filch_pool_admit(pool);
    if (status == FILCH_OK) {
        status = become_guest(region, pool, thread);
        if (status == FILCH_OK && (status = filch_pool_ended_as(pool, FILCH_OK)) != FILCH_OK) {
            stop_being_guest(region->fiber); /* its worker could not start */
        }
        if (status != FILCH_OK) {
            filch_pool_dismiss(pool);
        }
    }
    region->guest = status == FILCH_OK;
    return status;
}

struct filch_frame *filch_region_frame(struct filch_region *region)
{
    return region->guest ? &region->fiber->entry : &region->frame;
}

filch_status filch_region_enter(struct filch_region *region, struct filch_pool *pool,
                                struct filch_fault *fault, const filch_function_info *info)
{
    struct filch_thread *thread = filch_thread_self();
    filch_status status = FILCH_OK;
    region->guest = false;
    if (!thread) {
        return FILCH_ENOMEM;
    }
    if (!thread->fiber) {
        status = enter_as_guest(region, pool, thread);
    } else if (thread->fiber->pool != pool) {
        status = FILCH_EBUSY;
    }
    if (status == FILCH_OK) {
        region->fiber = thread->fiber;
        if (region->guest) {
            region->fiber->entered = true;
            filch_trace(FILCH_TRACE_BEGIN, FILCH_TRACE_REGION, info,
                        filch_trace_name_of(region->fiber));
        }
        filch_frame_push(filch_region_frame(region), region->fiber, fault, info);
    }
    return status;
}

/* Out of the outermost frame, and of the pool, which may be gone after this. */
static void leave_as_guest(struct filch_fiber *fiber)
{
    struct filch_pool *pool = fiber->pool;
    filch_frame_pop(&fiber->entry, fiber);
    filch_trace(FILCH_TRACE_END, 0, NULL, filch_trace_name_of(fiber));
    stop_being_guest(fiber);
    filch_pool_dismiss(pool);
}

void filch_region_leave(struct filch_region *region)
{
    if (region->guest) {
        leave_as_guest(region->fiber);
    } else {
        filch_frame_pop(&region->frame, region->fiber);
    }
}

void filch_region_keep(struct filch_region *region, void (*give_up)(struct filch_region *region))
{
    region->give_up = give_up;
    region->fiber->kept = region;
}

void filch_thread_give_up(struct filch_thread *thread)
{
    struct filch_fiber *fiber = thread->fiber;
    struct filch_frame *outermost = fiber->entered ? &fiber->entry : NULL;
    if (!fiber->guest || !filch_process_owns(fiber->pool->token)) {
        return; /* the pool is the parent's, in the child of a fork() */
    }
    filch_unwound_to(fiber, outermost, filch_fiber_bottom(fiber));
    if (fiber->kept) {
        fiber->kept->give_up(fiber->kept);
    } else if (outermost) {
        leave_as_guest(fiber);
    } else {
        stop_being_guest(fiber);
    }
}

/* A call that is sent to another pool, or to another stack of this one; lives in the waiting
 * caller's frame. */
struct errand {
    struct filch_detached task;
    struct filch_latch done;
    struct filch_pool *pool;
    filch_status status;
    void (*function)(void *);
    void *context;
    struct filch_fault *fault;
    struct filch_cancel_scope *scope; /* the caller's, which waits */
    uint64_t modes;                   /* the same */
    const filch_function_info *info;
};

static void run_errand(struct filch_detached *task)
{
    struct errand *errand = FILCH_CONTAINER(task, struct errand, task);
    struct filch_pool *pool = errand->pool;
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    enum filch_trace_type end = filch_core_trace_task(filch_core_picked(), errand->info, errand);
    filch_frame_push(&frame, fiber, errand->fault, errand->info);
    frame.scope = errand->scope;
    filch_frame_seclude_as(&frame, fiber, errand->modes);
    filch_frame_seclude_locale(&frame, fiber);
    errand->status = filch_pool_ended_as(pool, FILCH_OK);
    if (errand->status == FILCH_OK) {
        errand->function(errand->context);
    }
    filch_frame_pop(&frame, fiber);
    filch_trace(end, 0, NULL, filch_trace_name_of(errand));
    filch_latch_open(&errand->done); /* the errand is gone */
    filch_pool_task_ended(pool);
}

static const struct filch_wait_kind errand_wait = {
    .what = "a call on another stack", .enlist = filch_latch_enlist, .derived = true};

static filch_status submit_errand(struct errand *errand, bool elsewhere)
{
    if (elsewhere) {
        return filch_pool_submit(errand->pool, &errand->task);
    }
    if (!filch_pool_has_thread(errand->pool)) {
        return FILCH_EAGAIN;
    }
    filch_pool_continue(errand->pool, &errand->task);
    return FILCH_OK;
}

static filch_status send_errand(struct errand *errand, bool elsewhere)
{
    errand->task.run = run_errand;
    filch_latch_init(&errand->done);
    filch_trace(FILCH_TRACE_SPAWN, 0, errand->info, filch_trace_name_of(errand));
    filch_status status = submit_errand(errand, elsewhere);
    if (status == FILCH_OK) {
        filch_suspend_join(&errand_wait, &errand->done);
        status = errand->status;
    }
    return status;
}

FILCH_APART static void give_up_region(struct filch_region *region)
{
    struct filch_frame *frame = filch_region_frame(region);
    if (filch_unwound_begin(region->fiber, frame)) {
        filch_unwound_to(region->fiber, frame, frame->base);
        filch_region_leave(region);
    }
}

static inline void call_left(struct filch_region **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_region(*running);
    }
}

/* Recursion through calls of a pool goes as deep as there is memory. */
static bool wants_another_stack(const struct filch_pool *pool)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && fiber->pool == pool && filch_fiber_is_low(fiber);
}

filch_status filch_region_call(struct filch_pool *pool, void (*function)(void *), void *context,
                               struct filch_fault *fault, const filch_function_info *info)
{
    struct filch_region region;
    bool low = wants_another_stack(pool);
    filch_status status = low ? FILCH_EBUSY : filch_region_enter(&region, pool, fault, info);
    if (status == FILCH_EBUSY) {
        struct errand errand = {.pool = pool,
                                .function = function,
                                .context = context,
                                .fault = fault,
                                .scope = filch_cancel_scope_self(),
                                .modes = filch_os_modes(),
                                .info = info};
        return send_errand(&errand, !low);
    }
    if (status == FILCH_OK) {
        filch_frame_seclude(filch_region_frame(&region), region.fiber);
        FILCH_UNWINDS(call_left) struct filch_region *running = &region;
        function(context);
        running = NULL;
        filch_region_leave(&region);
    }
    return status;
}
