/* The life of a future: which thread runs its task, and how it ends. */
#include "future/task_future.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "os/os_modes.h"
#include "pool/hooks.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "sched/unwound.h"

enum claim {
    PENDING,
    NOT_YET,      /* it waits for others; see filch_future_accept() */
    BY_QUEUE,     /* its entry came up first */
    BY_OTHER,     /* a waiter runs it, or a caller cancels it; the entry is still to come up */
    ENTRY_PASSED, /* as BY_OTHER, and the entry has come up */
    OTHER_DONE,   /* the other has finished; the entry is still to come up */
};

struct filch_future *filch_future_new_at(size_t payload_bytes, size_t alignment, size_t offset,
                                         const struct filch_future_kind *kind,
                                         const filch_function_info *info)
{
    size_t bytes;
    struct filch_future *future =
        filch_add(sizeof *future, payload_bytes, &bytes)
            ? filch_alloc_at(bytes, alignment, offsetof(struct filch_future, payload) + offset)
            : NULL;
    if (future) { /* field by field: most of it is never looked at */
        future->kind = kind;
        filch_cell_init(&future->cell);
        atomic_init(&future->owners, 1);
        atomic_init(&future->claim, PENDING);
        future->pool = NULL;
        future->info = info;
        atomic_init(&future->runner, NULL);
        future->callbacks = NULL;
        atomic_init(&future->notifier, NULL);
        future->result_bytes = 0;
        future->background = false;
        future->modes = FILCH_OS_MODES_DEFAULT;
        future->outcome = FILCH_OK;
        future->token = filch_process_token();
        filch_cancel_scope_open(&future->scope, NULL, FILCH_OS_NEVER);
        future->closure.callable = NULL;
        future->destroy_result = NULL;
        filch_fault_init(&future->fault);
    }
    return future;
}

bool filch_future_is_parents(struct filch_future *future)
{
    return filch_process_inherited(future->token) && !filch_cell_done(&future->cell);
}

struct filch_future *filch_future_new(size_t payload_bytes, const struct filch_future_kind *kind,
                                      const filch_function_info *info)
{
    return filch_future_new_at(payload_bytes, filch_alignment_for(0), 0, kind, info);
}

static bool move(struct filch_future *future, enum claim from, enum claim to)
{
    int expected = (int)from;
    /* acq_rel: the claimer sees the task as it was submitted; the second one sees what the
     * first did */
    return atomic_compare_exchange_strong_explicit(&future->claim, &expected, (int)to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

bool filch_future_claim(struct filch_future *future)
{
    return move(future, PENDING, BY_OTHER);
}

bool filch_future_withdraw(struct filch_future *future)
{
    bool ours = filch_pool_withdraw(future->pool, &future->task);
    if (ours) {
        /* relaxed: the entry cannot come up, we have it, and nothing else moves it from BY_OTHER */
        atomic_store_explicit(&future->claim, (int)ENTRY_PASSED, memory_order_relaxed);
    }
    return ours;
}

void filch_future_unclaim(struct filch_future *future)
{
    /* acquire: pairs with the release in run_queued, which was there before us */
    bool passed = atomic_load_explicit(&future->claim, memory_order_acquire) == (int)ENTRY_PASSED;
    if (future->pool && (passed || !move(future, BY_OTHER, OTHER_DONE))) {
        filch_pool_task_ended(future->pool);
    }
}

struct filch_waiter *filch_future_complete(struct filch_future *future, filch_status outcome)
{
    FILCH_ASSERT(outcome != FILCH_EPENDING && !filch_cell_done(&future->cell));
    if (future->kind->release) {
        future->kind->release(future);
    }
    future->outcome = outcome;
    if (future->callbacks) {
        filch_future_call_back(future);
    }
    return filch_cell_complete(&future->cell);
}

void filch_future_finish(struct filch_future *future, filch_status outcome)
{
    filch_waiters_call(filch_future_complete(future, outcome));
}

/* How it is recorded that it ends. */
static enum filch_trace_type trace_begin(struct filch_future *future,
                                         enum filch_future_runs_in place)
{
    struct filch_picked picked = {.how = FILCH_TRACE_HELPED};
    if (!filch_trace_is_on()) {
        return FILCH_TRACE_END_OWN;
    }
    if (place == FILCH_RUNS_IN_TURN) {
        picked = filch_core_picked();
    }
    return filch_core_trace_task(picked, future->info, future);
}

/* A task that runs. */
struct execution {
    struct filch_future *future;
    struct filch_fiber *fiber;
    enum filch_trace_type end; /* how it is recorded that it ends */
    struct filch_frame frame;
};

static void executed(struct execution *execution)
{
    filch_frame_pop(&execution->frame, execution->fiber);
    filch_trace(execution->end, 0, NULL, filch_trace_name_of(execution->future));
}

/* A program's own thread ran it while it waited for it, and ends. */
FILCH_APART static void give_up_task(struct execution *execution)
{
    struct filch_frame *frame = &execution->frame;
    if (filch_unwound_begin(execution->fiber, frame)) {
        filch_unwound_to(execution->fiber, frame, frame->base);
        executed(execution);
        filch_future_finish(execution->future, FILCH_EBROKEN);
    }
}

static inline void task_left(struct execution **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_task(*running);
    }
}

/* What a task returns that has a deadline of its own, and is late, does not count. */
static filch_status outcome_in_time(struct filch_future *future)
{
    filch_status outcome = filch_fault_result(&future->fault, NULL);
    bool late = FILCH_UNLIKELY(future->scope.deadline_ns != FILCH_OS_NEVER) &&
                future->scope.deadline_ns <= filch_os_now_ns();
    return outcome == FILCH_OK && late ? FILCH_ECANCELED : outcome;
}

void filch_future_execute(struct filch_future *future, enum filch_future_runs_in place)
{
    struct filch_fiber *fiber = filch_fiber_self();
    FILCH_ASSERT(fiber && fiber->pool == future->pool);
    FILCH_ASSERT(filch_future_has_begun(future) && !filch_rank_holds_any());
    if (filch_pool_state(future->pool) == FILCH_POOL_TERMINATED) {
        filch_future_finish(future, filch_hooks_verdict(future->pool, &future->fault.error));
        return;
    }
    if (FILCH_UNLIKELY(filch_cancel_scope_is_cancelled(&future->scope))) { /* its time has passed */
        filch_future_finish(future, FILCH_ECANCELED);
        return;
    }
    struct execution execution = {future, fiber, .end = trace_begin(future, place)};
    filch_frame_push(&execution.frame, fiber, &future->fault, future->info);
    execution.frame.scope = &future->scope;
    filch_frame_seclude_as(&execution.frame, fiber, future->modes);
    filch_frame_seclude_locale(&execution.frame, fiber);
    /* relaxed: a search looks twice */
    atomic_store_explicit(&future->runner, filch_party_self(), memory_order_relaxed);
    FILCH_UNWINDS(task_left) struct execution *running = &execution;
    future->kind->run(future);
    running = NULL;
    executed(&execution);
    filch_future_finish(future, outcome_in_time(future));
}

struct filch_party *filch_future_runner(struct filch_future *future)
{
    return atomic_load_explicit(&future->runner, memory_order_relaxed); /* as above */
}

/* The queue's entry has come up. */
static void run_queued(struct filch_detached *task)
{
    struct filch_future *future = FILCH_CONTAINER(task, struct filch_future, task);
    struct filch_pool *pool = future->pool;
    bool ours = move(future, PENDING, BY_QUEUE);
    if (ours) {
        filch_future_execute(future, FILCH_RUNS_IN_TURN);
    }
    bool ended = ours || !move(future, BY_OTHER, ENTRY_PASSED);
    filch_future_free(future);
    if (ended) {
        filch_pool_task_ended(pool);
    }
}

void filch_future_give_back(struct filch_future *future)
{
    if (move(future, BY_OTHER, PENDING)) {
        filch_future_free(future); /* the entry that is there has a reference of its own */
    } else {                       /* it has come up meanwhile, and was dropped */
        bool back = move(future, ENTRY_PASSED, PENDING);
        FILCH_ASSERT(back); /* no other has claimed it */
        filch_pool_submit_accepted(future->pool, &future->task);
    }
}

/* No other thread has seen it, or will. */
static void refuse(struct filch_future *future, struct filch_future **out)
{
    if (future->kind->release) {
        future->kind->release(future);
    }
    filch_future_destroy_result(future);
    filch_free(future->callbacks);
    filch_free(future);
    if (out) {
        *out = NULL;
    }
}

static filch_status begin_later(struct filch_future *future, struct filch_pool *pool,
                                const filch_options *options, struct filch_future **out)
{
    future->pool = pool;
    future->task.run = run_queued;
    future->modes = filch_os_modes();
    if (out) {
        filch_future_retain_unshared(future);
        *out = future;
    }
    return FILCH_UNLIKELY(options != NULL) ? filch_future_obey(future, options) : FILCH_OK;
}

static filch_status hand_over(struct filch_future *future)
{
    filch_trace(FILCH_TRACE_SPAWN, 0, future->info, filch_trace_name_of(future));
    return future->background ? filch_pool_submit_background(future->pool, &future->task)
                              : filch_pool_submit(future->pool, &future->task);
}

filch_status filch_future_submit(struct filch_future *future, struct filch_pool *pool,
                                 const filch_options *options, struct filch_future **out)
{
    filch_status status = begin_later(future, pool, options, out);
    if (status == FILCH_OK) {
        status = hand_over(future);
    }
    if (status != FILCH_OK) {
        refuse(future, out);
    }
    return status;
}

filch_status filch_future_accept(struct filch_future *future, struct filch_pool *pool,
                                 const filch_options *options, struct filch_future **out)
{
    atomic_init(&future->claim, NOT_YET);
    filch_status status = begin_later(future, pool, options, out);
    if (status == FILCH_OK) {
        status = filch_pool_accept(pool);
    }
    if (status != FILCH_OK) {
        refuse(future, out);
    }
    return status;
}

void filch_future_waits(struct filch_future *future)
{
    if (!filch_pool_list_pending(future->pool, future->kind->pending(future))) {
        filch_future_cancel(future);
    }
}

void filch_future_go(struct filch_future *future)
{
    filch_pool_unlist_pending(future->pool, future->kind->pending(future));
    if (move(future, NOT_YET, PENDING)) {
        filch_trace(FILCH_TRACE_SPAWN, 0, future->info, filch_trace_name_of(future));
        filch_pool_submit_accepted(future->pool, &future->task);
    } else {
        run_queued(&future->task); /* it was cancelled: only the counting is left */
    }
}

void filch_future_end_like(struct filch_future *future, const struct filch_future *before)
{
    filch_future_tell(before, &future->fault.error);
}

/* It waits for others: it will not run. */
static void cancel_later(struct filch_future *future)
{
    bool withdrawn = future->kind->withdraw(future);
    filch_future_finish(future, FILCH_ECANCELED);
    if (withdrawn) {
        filch_pool_unlist_pending(future->pool, future->kind->pending(future));
        run_queued(&future->task); /* which would have come later */
    }
    filch_future_unclaim(future);
}

filch_status filch_future_cancel(filch_future *future)
{
    if (!future || filch_future_is_parents(future)) {
        return future ? FILCH_EFORKED : FILCH_EINVAL;
    }
    if (filch_future_claim(future)) {
        filch_future_finish(future, FILCH_ECANCELED);
        if (!future->pool && future->kind->withdraw) {
            future->kind->withdraw(future);
        }
        filch_future_unclaim(future);
    } else if (move(future, NOT_YET, BY_OTHER)) {
        cancel_later(future);
    } else if (filch_cell_done(&future->cell) || !future->pool) {
        return FILCH_EALREADY;
    } else {
        filch_cancel_scope_cancel(&future->scope); /* it runs: ask it to stop */
    }
    return FILCH_OK;
}

static void retain_awaiting(struct filch_pending *pending)
{
    filch_future_retain(FILCH_CONTAINER(pending, struct filch_future_awaiting, pending)->future);
}

static void cancel_awaiting(struct filch_pending *pending)
{
    struct filch_future *future =
        FILCH_CONTAINER(pending, struct filch_future_awaiting, pending)->future;
    filch_future_cancel(future);
    filch_future_free(future);
}

void filch_future_awaiting_init(struct filch_future_awaiting *awaiting, struct filch_future *future)
{
    awaiting->pending =
        (struct filch_pending){.retain = retain_awaiting, .cancel = cancel_awaiting};
    awaiting->future = future;
}

struct filch_waiter *filch_future_end_early(struct filch_future *future,
                                            const struct filch_future *before)
{
    if (!move(future, NOT_YET, BY_OTHER)) {
        return NULL;
    }
    bool withdrawn = future->kind->withdraw(future);
    FILCH_ASSERT(!withdrawn); /* our caller has been called, and has not said so yet */
    filch_future_end_like(future, before);
    struct filch_waiter *next =
        filch_future_complete(future, filch_fault_result(&future->fault, NULL));
    filch_future_unclaim(future);
    return next;
}

bool filch_future_has_begun(struct filch_future *future)
{
    /* relaxed: a glance */
    int claim = atomic_load_explicit(&future->claim, memory_order_relaxed);
    return claim != PENDING && claim != NOT_YET;
}
