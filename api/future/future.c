/* Waiting for futures and asking about them. */
#include <filch/future.h>

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "future/fits.h"
#include "future/task_future.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/stint.h"
#include "sched/wake.h"

enum { COMING_NS = 50000 }; /* what it takes a thread to come, and one to go to sleep and wake up */

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

static void run_claimed(void *future)
{
    filch_future_execute((struct filch_future *)future, FILCH_RUNS_FOR_A_WAITER);
}

static void claimed_over(void *future)
{
    filch_future_unclaim((struct filch_future *)future);
    filch_future_free((struct filch_future *)future);
}

/* The waiter runs the awaited task itself if no other has begun it: it costs no thread and no
 * wake-up. A fiber does so on its own stack; a program's thread on one that the task leaves when it
 * waits, so that the thread waits for nothing but its end. */
static void run_awaited(struct filch_future *future, struct filch_fiber *fiber)
{
    bool on_top = fiber && !fiber->guest;
    bool here = future->pool && (!fiber || fiber->pool == future->pool) &&
                (!on_top || filch_fiber_has_room(fiber));
    if (!here || !filch_future_claim(future)) {
        return;
    }
    if (!filch_future_withdraw(future)) {
        filch_future_retain(future);
    }
    if (on_top) {
        run_claimed(future);
        claimed_over(future);
    } else {
        const struct filch_job job = {run_claimed, claimed_over, future};
        if (filch_stint_run(future->pool, &job) == FILCH_STINT_REFUSED) {
            filch_future_give_back(future);
        }
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

/* A thread is on its way for it, maybe: what it does may be short, and then our sleep and wake-up
 * would be the longest part. */
static bool task_ends_soon(struct filch_future *future, uint64_t deadline)
{
    struct filch_pool *pool = future->pool;
    bool soon = pool && !pool->crowded && filch_pool_expects_thread(pool);
    uint64_t until_ns = soon ? filch_os_now_ns() + COMING_NS : 0;
    while (filch_os_now_ns() < (until_ns < deadline ? until_ns : deadline) &&
           !filch_cell_done(&future->cell)) {
        filch_os_yield(); /* it may have come to this processor */
    }
    return filch_cell_done(&future->cell);
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
    if (!fiber && task_ends_soon(future, deadline)) {
        return seen_ready(future);
    }
    return filch_wait_until(future->pool ? &task_wait : &promise_wait, future, deadline);
}

filch_status filch_future_wait(filch_future *future)
{
    return wait_for_future(future, FILCH_OS_NEVER);
}

filch_status filch_future_wait_until(filch_future *future, filch_deadline until)
{
    return wait_for_future(future, filch_deadline_ns(until));
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

filch_status filch_future_get_as(filch_future *future, const filch_callable *as, void *result)
{
    if (!future || !as) {
        return FILCH_EINVAL;
    }
    /* Most are asked by the function that they are of. */
    filch_status status = future->info == as->info && future->result_bytes == as->result_bytes
                              ? FILCH_OK
                              : filch_future_gives(future, as);
    return status == FILCH_OK ? filch_future_get(future, result, as->result_bytes) : status;
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

filch_status filch_raise_from(filch_future *future)
{
    filch_error error;
    filch_status status = filch_future_error(future, &error);
    return status == FILCH_OK ? filch_raise_error(&error) : status;
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
