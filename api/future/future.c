/* Waiting for futures and asking about them. */
#include <filch/future.h>

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "future/task_future.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/fiber.h"
#include "sched/region.h"
#include "sched/unwound.h"

/* Is the caller part of the task that `future` is for? Also when that task runs on top of others,
 * because a waiter took it up, and in its stolen children. */
static bool waits_for_itself(const struct filch_future *future, const struct filch_fiber *fiber)
{
    for (const struct filch_frame *f = fiber ? fiber->frame : NULL; f; f = f->parent) {
        if (f->fault == &future->fault) {
            return true;
        }
    }
    return false;
}

/* A task that was claimed, and the waiter's stay in its pool, if it was not there already. */
struct claimed {
    struct filch_future *future;
    struct filch_region *region; /* NULL: it was */
};

static void claimed_done(struct claimed *claimed)
{
    if (claimed->region) {
        filch_region_leave_counted(claimed->region);
    }
    filch_future_unclaim(claimed->future);
}

static inline void claimed_left(struct claimed **running)
{
    struct filch_fiber *fiber = *running ? filch_fiber_self() : NULL;
    if (fiber && filch_unwound_begin(fiber, fiber->frame)) {
        claimed_done(*running);
    }
}

/* False: there is no memory to run it here. */
static bool run_claimed(struct filch_future *future, struct filch_fiber *fiber)
{
    struct filch_region region;
    if (!fiber && filch_region_enter_counted(&region, future->pool) != FILCH_OK) {
        return false;
    }
    struct claimed claimed = {future, fiber ? NULL : &region};
    FILCH_UNWINDS(claimed_left) struct claimed *running = &claimed;
    filch_future_execute(future, FILCH_RUNS_FOR_A_WAITER);
    running = NULL;
    claimed_done(&claimed);
    return true;
}

/* The waiter runs the awaited task itself if no other has begun it: it costs no thread, no wake-up
 * and no stack switch. */
static void run_awaited(struct filch_future *future, struct filch_fiber *fiber)
{
    bool here =
        fiber ? fiber->pool == future->pool && filch_fiber_has_room(fiber) : future->pool != NULL;
    if (!here || !filch_future_claim(future)) {
        return;
    }
    filch_future_withdraw(future);
    if (!run_claimed(future, fiber)) {
        filch_future_give_back(future);
    }
}

static bool enlist_for_future(struct filch_waiter *waiter, void *future)
{
    return filch_cell_add(&((struct filch_future *)future)->cell, waiter);
}

static void unlist(struct filch_waiter *waiter, void *future)
{
    filch_cell_remove(&((struct filch_future *)future)->cell, waiter);
}

static struct filch_party *runner(void *future)
{
    return filch_future_runner(future);
}

static const struct filch_wait_kind task_wait = {.what = "a future",
                                                 .enlist = enlist_for_future,
                                                 .leave = unlist,
                                                 .holder = runner,
                                                 .derived = true};
static const struct filch_wait_kind promise_wait = {
    .what = "a promise", .enlist = enlist_for_future, .leave = unlist};

/* Its end is known without a wait. */
static filch_status seen_ready(const struct filch_future *future)
{
    filch_trace(FILCH_TRACE_JOINED, 0, NULL, filch_trace_name_of(future));
    return FILCH_OK;
}

static filch_status wait_for_future(struct filch_future *future, uint64_t deadline)
{
    if (!future) {
        return FILCH_EINVAL;
    }
    if (filch_cell_done(&future->cell)) {
        return seen_ready(future);
    }
    if (filch_future_is_parents(future)) {
        return FILCH_EFORKED;
    }
    struct filch_fiber *fiber = filch_fiber_self();
    if (waits_for_itself(future, fiber)) {
        return FILCH_EDEADLK;
    }
    if (deadline == FILCH_OS_NEVER) {
        run_awaited(future, fiber);
    }
    if (filch_cell_done(&future->cell)) {
        return seen_ready(future);
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    return filch_wait_until(future->pool ? &task_wait : &promise_wait, future, deadline);
}

filch_status filch_future_wait(filch_future *future)
{
    return wait_for_future(future, FILCH_OS_NEVER);
}

filch_status filch_future_wait_for(filch_future *future, double seconds)
{
    return wait_for_future(future, filch_deadline_after(seconds));
}

static filch_status copy_result(struct filch_future *future, void *result, size_t bytes)
{
    FILCH_ASSERT(filch_cell_done(&future->cell));
    if (bytes != future->result_bytes || (bytes && !result)) {
        return FILCH_EINVAL;
    }
    if (future->outcome == FILCH_OK && bytes) {
        memcpy(result, future->payload, bytes);
    }
    return future->outcome;
}

filch_status filch_future_get(filch_future *future, void *result, size_t bytes)
{
    filch_status status = wait_for_future(future, FILCH_OS_NEVER);
    return status == FILCH_OK ? copy_result(future, result, bytes) : status;
}

filch_status filch_future_try_get(filch_future *future, void *result, size_t bytes)
{
    if (!future) {
        return FILCH_EINVAL;
    }
    return filch_cell_done(&future->cell) ? copy_result(future, result, bytes) : FILCH_EPENDING;
}

bool filch_future_ready(filch_future *future)
{
    return future && filch_cell_done(&future->cell);
}

bool filch_future_successful(filch_future *future)
{
    return filch_future_ready(future) && future->outcome == FILCH_OK;
}

bool filch_future_cancelled(filch_future *future)
{
    return filch_future_ready(future) && future->outcome == FILCH_ECANCELED;
}

bool filch_future_running(filch_future *future)
{
    return future && !filch_cell_done(&future->cell) && future->pool &&
           filch_future_has_begun(future);
}

filch_status filch_future_error(filch_future *future, filch_error *error)
{
    if (!future || !error) {
        return FILCH_EINVAL;
    }
    if (!filch_cell_done(&future->cell)) {
        return FILCH_EPENDING;
    }
    filch_future_tell(future, error);
    return FILCH_OK;
}
static const char *state_name(struct filch_future *future)
{
    if (filch_cell_done(&future->cell)) {
        return future->outcome == FILCH_OK ? "done" : filch_strerror(future->outcome);
    }
    return filch_future_has_begun(future) ? "running" : "pending";
}

int filch_future_repr(filch_future *future, char *buffer, size_t bytes)
{
    if (!future) {
        return snprintf(buffer, bytes, "<filch_future none>");
    }
    return snprintf(buffer, bytes, "<filch_future %s state=%s>",
                    future->info ? future->info->name : "promise", state_name(future));
}
