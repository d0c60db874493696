#include "task_future.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "block.h"
#include "box.h"
#include "deadline.h"
#include "default_pool.h"
#include "os.h"
#include "pool.h"
#include "region.h"
#include "strand.h"
#include "thread.h"

struct filch_future *filch_future_new(size_t payload_bytes, const filch_function_info *info)
{
    size_t bytes;
    struct filch_future *future =
        filch_add(sizeof *future, payload_bytes, &bytes) ? malloc(bytes) : NULL;
    if (future) {
        memset(future, 0, sizeof *future);
        filch_cell_init(&future->cell);
        filch_fault_init(&future->fault);
        atomic_init(&future->owners, 1);
        future->info = info;
    }
    return future;
}

filch_future *filch_future_retain(filch_future *future)
{
    if (future) {
        /* relaxed: the caller has a reference, the future cannot go meanwhile */
        atomic_fetch_add_explicit(&future->owners, 1, memory_order_relaxed);
    }
    return future;
}

void filch_future_free(filch_future *future)
{
    /* acq_rel: the last owner sees what all others did */
    if (future && atomic_fetch_sub_explicit(&future->owners, 1, memory_order_acq_rel) == 1) {
        free(future);
    }
}

enum claim {
    PENDING,
    BY_QUEUE,     /* its entry came up first */
    BY_OTHER,     /* a waiter runs it, or somebody cancels it; the entry is still to come up */
    ENTRY_PASSED, /* as BY_OTHER, and the entry has come up */
    OTHER_DONE,   /* the other has finished; the entry is still to come up */
};

static bool move(struct filch_future *future, enum claim from, enum claim to)
{
    int expected = (int)from;
    /* acq_rel: the claimer sees the task as it was submitted; who comes second sees what the
     * first did */
    return atomic_compare_exchange_strong_explicit(&future->claim, &expected, (int)to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

bool filch_future_claim(struct filch_future *future)
{
    return move(future, PENDING, BY_OTHER);
}

void filch_future_unclaim(struct filch_future *future)
{
    if (future->pool && !move(future, BY_OTHER, OTHER_DONE)) {
        filch_pool_task_ended(future->pool);
    }
}

void filch_future_finish(struct filch_future *future, filch_status outcome)
{
    if (future->release) {
        future->release(future);
    }
    future->outcome = outcome;
    filch_cell_complete(&future->cell);
}

/* Run a claimed future's task on the strand that we are on. */
static void execute(struct filch_future *future)
{
    struct filch_strand *strand = filch_strand_self();
    if (filch_pool_state(future->pool) == FILCH_POOL_TERMINATED) {
        filch_future_finish(future, FILCH_ECANCELED);
        return;
    }
    struct filch_frame frame;
    filch_frame_push(&frame, strand, &future->fault, future->info);
    future->run(future);
    filch_frame_pop(&frame, strand);
    filch_future_finish(future, filch_fault_result(&future->fault, NULL));
}

/* The queue's entry has come up. */
static void run_queued(struct filch_detached *task)
{
    struct filch_future *future = FILCH_CONTAINER(task, struct filch_future, task);
    struct filch_pool *pool = future->pool;
    bool ours = move(future, PENDING, BY_QUEUE);
    if (ours) {
        execute(future);
    }
    bool ended = ours || !move(future, BY_OTHER, ENTRY_PASSED);
    filch_future_free(future);
    if (ended) {
        filch_pool_task_ended(pool);
    }
}

filch_status filch_future_submit(struct filch_future *future, struct filch_pool *pool,
                                 struct filch_future **out)
{
    future->pool = pool;
    future->task.run = run_queued;
    if (out) {
        *out = filch_future_retain(future);
    }
    filch_status status = filch_pool_submit(pool, &future->task);
    if (status != FILCH_OK) {
        if (future->release) {
            future->release(future);
        }
        free(future); /* nobody has seen it */
        if (out) {
            *out = NULL;
        }
    }
    return status;
}

static void run_closure(struct filch_future *future)
{
    void *result = future->result_bytes ? future->payload : NULL;
    future->closure.callable->invoke(filch_closure_captures(&future->closure), result);
}

static void release_closure(struct filch_future *future)
{
    filch_closure_release(&future->closure);
}

filch_status filch_apply_async(filch_pool *pool, const filch_closure *closure,
                               filch_future **future)
{
    if (future) {
        *future = NULL;
    }
    if (!closure || !closure->callable) {
        return FILCH_EINVAL;
    }
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status != FILCH_OK) {
        return status;
    }
    const filch_callable *callable = closure->callable;
    struct filch_future *made = filch_future_new(callable->result_bytes, callable->info);
    if (!made) {
        return FILCH_ENOMEM;
    }
    made->closure = filch_closure_retain(closure);
    made->result_bytes = callable->result_bytes;
    made->run = run_closure;
    made->release = release_closure;
    return filch_future_submit(made, pool, future);
}

struct application {
    const filch_closure *closure;
    void *result;
};

static void run_application(void *context)
{
    struct application *application = context;
    filch_closure_call(application->closure, application->result);
}

filch_status filch_apply(filch_pool *pool, const filch_closure *closure, void *result,
                         filch_error *error)
{
    if (!closure || !closure->callable || (closure->callable->result_bytes && !result)) {
        return FILCH_EINVAL;
    }
    FILCH_ALIGNED(16) unsigned char small[FILCH_INLINE_BYTES];
    size_t bytes = closure->callable->result_bytes;
    filch_status status = filch_pool_resolve(pool, &pool);
    void *kept = small; /* the result, until we know that nothing was raised */
    if (status == FILCH_OK && bytes > sizeof small) {
        kept = malloc(bytes);
        status = kept ? FILCH_OK : FILCH_ENOMEM;
    }
    if (status == FILCH_OK) {
        struct application application = {closure, kept};
        struct filch_fault fault;
        filch_fault_init(&fault);
        status =
            filch_region_call(pool, run_application, &application, &fault, closure->callable->info);
        status = status == FILCH_OK ? filch_fault_result(&fault, error) : status;
    }
    if (status == FILCH_OK && bytes) {
        memcpy(result, kept, bytes);
    }
    if (kept != small) {
        free(kept);
    }
    return status;
}

/* Is the caller part of the task that `future` is for? Also when that task runs on top of others,
 * because a waiter took it up, and in its stolen children. */
static bool waits_for_itself(const struct filch_future *future, const struct filch_strand *strand)
{
    for (const struct filch_frame *f = strand ? strand->frame : NULL; f; f = f->parent) {
        if (f->fault == &future->fault) {
            return true;
        }
    }
    return false;
}

static void run_claimed(struct filch_future *future, struct filch_strand *strand)
{
    struct filch_region region;
    filch_status status = strand ? FILCH_OK : filch_region_enter_counted(&region, future->pool);
    if (status != FILCH_OK) {
        filch_future_finish(future, status);
        return;
    }
    execute(future);
    if (!strand) {
        filch_region_leave_counted(&region);
    }
}

/* The waiter runs the awaited task itself if nobody has begun it: it costs no thread, no wake-up
 * and no stack switch. */
static void run_awaited(struct filch_future *future, struct filch_strand *strand)
{
    bool here = strand ? strand->pool == future->pool && filch_strand_has_room(strand)
                       : future->pool != NULL;
    if (here && filch_future_claim(future)) {
        run_claimed(future, strand);
        filch_future_unclaim(future);
    }
}

static bool enlist(struct filch_waiter *waiter, void *cell)
{
    return filch_cell_add(cell, waiter);
}

static void unlist(struct filch_waiter *waiter, void *cell)
{
    filch_cell_remove(cell, waiter);
}

static filch_status wait_until(struct filch_future *future, uint64_t deadline)
{
    if (!future) {
        return FILCH_EINVAL;
    }
    if (filch_cell_done(&future->cell)) {
        return FILCH_OK;
    }
    struct filch_strand *strand = filch_strand_self();
    if (waits_for_itself(future, strand)) {
        return FILCH_EDEADLK;
    }
    if (deadline == FILCH_OS_NEVER) {
        run_awaited(future, strand);
    }
    if (filch_cell_done(&future->cell)) {
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    switch (filch_block_until(enlist, unlist, &future->cell, deadline)) {
    case FILCH_SIGNALED: return FILCH_OK;
    case FILCH_TIMED_OUT: return FILCH_ETIMEDOUT;
    case FILCH_NO_MEMORY: return FILCH_ENOMEM;
    default: return FILCH_ECANCELED;
    }
}

filch_status filch_future_wait(filch_future *future)
{
    return wait_until(future, FILCH_OS_NEVER);
}

filch_status filch_future_wait_for(filch_future *future, double seconds)
{
    return wait_until(future, filch_deadline_after(seconds));
}

static filch_status copy_result(struct filch_future *future, void *result, size_t bytes)
{
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
    filch_status status = wait_until(future, FILCH_OS_NEVER);
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

filch_status filch_future_error(filch_future *future, filch_error *error)
{
    if (!future || !error) {
        return FILCH_EINVAL;
    }
    if (!filch_cell_done(&future->cell)) {
        return FILCH_EPENDING;
    }
    filch_fault_result(&future->fault, error);
    error->status = future->outcome;
    return FILCH_OK;
}

filch_status filch_future_cancel(filch_future *future)
{
    if (!future) {
        return FILCH_EINVAL;
    }
    if (!future->pool || !filch_future_claim(future)) {
        return FILCH_EALREADY; /* a promise's task is outside and has begun */
    }
    filch_future_finish(future, FILCH_ECANCELED);
    filch_future_unclaim(future);
    return FILCH_OK;
}

static const char *state_name(struct filch_future *future)
{
    if (filch_cell_done(&future->cell)) {
        return future->outcome == FILCH_OK ? "done" : filch_strerror(future->outcome);
    }
    /* relaxed: a glance */
    return atomic_load_explicit(&future->claim, memory_order_relaxed) != PENDING ? "running"
                                                                                 : "pending";
}

int filch_future_repr(filch_future *future, char *buffer, size_t bytes)
{
    if (!future) {
        return snprintf(buffer, bytes, "<filch_future none>");
    }
    return snprintf(buffer, bytes, "<filch_future %s state=%s>",
                    future->info ? future->info->name : "promise", state_name(future));
}
