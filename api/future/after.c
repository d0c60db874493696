/* Futures that run when several others have succeeded.
 *
 * A need that is not ready calls a waiter when it is. `undecided` counts those that are to be or
 * are being called, and one for the maker: the one that takes the last of them has the future go,
 * as filch_future_accept() wants it. A need that fails, or a cancel, ends the future before that,
 * and takes back the waiters that have not been called. */
#include <filch/then.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/after.h"
#include "future/fits.h"
#include "future/hold.h"
#include "future/task_future.h"
#include "pool/call_options.h"
#include "pool/closure_private.h"
#include "pool/default_pool.h"

/* In the payload of such a future, behind its result. */
struct after {
    struct filch_future_awaiting awaiting;
    _Atomic(size_t) undecided;
    _Atomic(int) stage;     /* enum after_stage */
    struct filch_hold hold; /* of the needs */
    size_t n;
    struct need {
        struct filch_waiter waiter;
        struct after *after;
        struct filch_future *future; /* a reference, until both are over */
    } needs[];
};

enum after_stage { ADDING, ADDED, ENDED_EARLY, ENDED };
/* Of its hold. */
static const enum filch_hold_part WAITS_OVER = FILCH_HOLD_FIRST;
static const enum filch_hold_part TASK_OVER = FILCH_HOLD_SECOND;

static struct after *after_of(struct filch_future *future)
{
    return (struct after *)(void *)(future->payload + filch_aligned_up(future->result_bytes, 16));
}

static void free_needs(struct after *after)
{
    for (size_t i = 0; i < after->n; i++) {
        filch_future_free(after->needs[i].future);
    }
}

/* Until both are over a waiter that is being called, and the body, use the needs. */
static void note_over(struct after *after, enum filch_hold_part over)
{
    if (filch_hold_end(&after->hold, over)) {
        free_needs(after);
    }
}

/* So many more are decided. True: those were the last. */
static bool decide_needs(struct after *after, size_t count)
{
    /* acq_rel: the last sees what the needs have done */
    return atomic_fetch_sub_explicit(&after->undecided, count, memory_order_acq_rel) == count;
}

static void decide_one(struct after *after)
{
    struct filch_future *future = after->awaiting.future;
    if (decide_needs(after, 1)) {
        note_over(after, WAITS_OVER);
        filch_future_go(future);
    }
}

static struct filch_waiter *need_is_ready(struct filch_waiter *waiter)
{
    struct need *need = FILCH_CONTAINER(waiter, struct need, waiter);
    struct after *after = need->after;
    struct filch_waiter *next = NULL;
    FILCH_ASSERT(filch_cell_done(&need->future->cell));
    if (need->future->outcome != FILCH_OK) {
        next = filch_future_end_early(after->awaiting.future, need->future);
    }
    decide_one(after);
    return next;
}

/* True: those were the last. */
static bool take_back_waiters(struct after *after)
{
    size_t taken = 0;
    for (size_t i = 0; i < after->n; i++) {
        struct need *need = &after->needs[i];
        taken += filch_cell_remove(&need->future->cell, &need->waiter);
    }
    return taken && decide_needs(after, taken);
}

static bool advance_stage(struct after *after, enum after_stage from, enum after_stage to)
{
    int expected = (int)from;
    /* acq_rel: the one that takes the waiters back sees all that were added */
    return atomic_compare_exchange_strong_explicit(&after->stage, &expected, (int)to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* While waiters are being added, their adder takes them back, and has the future go. */
static bool withdraw_after(struct filch_future *future)
{
    struct after *after = after_of(future);
    if (advance_stage(after, ADDING, ENDED_EARLY)) {
        return false;
    }
    bool first = advance_stage(after, ADDED, ENDED);
    FILCH_ASSERT(first); /* it ends once */
    bool last = take_back_waiters(after);
    if (last) {
        note_over(after, WAITS_OVER);
    }
    return last;
}

static void run_after(struct filch_future *future)
{
    filch_closure_invoke(&future->closure, future->result_bytes ? future->payload : NULL);
}

static void release_after(struct filch_future *future)
{
    filch_closure_release(&future->closure);
    note_over(after_of(future), TASK_OVER);
}

static struct filch_pending *pending_after(struct filch_future *future)
{
    return &after_of(future)->awaiting.pending;
}

static void visit_needs_of_after(struct filch_future *future, struct filch_needs_visitor *visitor)
{
    struct after *after = after_of(future);
    if (!filch_hold_look(&after->hold)) {
        return;
    }
    for (size_t i = 0; i < after->n; i++) {
        visitor->need(visitor, after->needs[i].future);
    }
    if (filch_hold_look_end(&after->hold)) {
        free_needs(after);
    }
}

static const struct filch_future_kind after_kind = {.run = run_after,
                                                    .release = release_after,
                                                    .withdraw = withdraw_after,
                                                    .pending = pending_after,
                                                    .visit_needs = visit_needs_of_after};

static struct filch_future *after_new(filch_future *const needs[], size_t n,
                                      const filch_closure *closure, size_t bytes)
{
    const filch_callable *callable = closure->callable;
    struct filch_future *made = filch_future_new_at(
        bytes, filch_alignment_for(callable->result_bytes), 0, &after_kind, callable->info);
    if (!made) {
        return NULL;
    }
    made->result_bytes = callable->result_bytes;
    made->closure = filch_closure_retain(closure);
    struct after *after = after_of(made);
    filch_future_awaiting_init(&after->awaiting, made);
    atomic_init(&after->undecided, n + 1);
    atomic_init(&after->stage, ADDING);
    filch_hold_init(&after->hold, WAITS_OVER); /* none has begun */
    after->n = n;
    for (size_t i = 0; i < n; i++) {
        struct need *need = &after->needs[i];
        filch_waiter_init(&need->waiter, NULL, NULL);
        need->waiter.call = need_is_ready;
        need->after = after;
        need->future = filch_future_retain(needs[i]);
    }
    return made;
}

/* Before the first of them can call. */
static void trace_needs(struct filch_future *future)
{
    struct after *after = after_of(future);
    filch_future_trace_needs(future, FILCH_TRACE_NEEDS_ALL);
    for (size_t i = 0; i < after->n; i++) {
        filch_future_trace_need(after->needs[i].future);
    }
}

/* The caller holds a reference. */
static void wait_for_needs(struct filch_future *future)
{
    struct after *after = after_of(future);
    trace_needs(future);
    filch_hold_init(&after->hold, 0); /* no other thread knows it yet */
    for (size_t i = 0; i < after->n; i++) {
        struct need *need = &after->needs[i];
        if (!filch_cell_add(&need->future->cell, &need->waiter)) {
            filch_waiters_call(need_is_ready(&need->waiter));
        }
    }
    /* relaxed: if they are all there it goes below */
    if (atomic_load_explicit(&after->undecided, memory_order_relaxed) > 1) {
        filch_future_waits(future);
    }
    if (!advance_stage(after, ADDING, ADDED)) {
        bool last = take_back_waiters(after);
        FILCH_ASSERT(!last); /* one is ours */
    }
    decide_one(after);
}

/* The bytes of the payload; FILCH_EINVAL is told of. */
static filch_status check_after(filch_future *const needs[], size_t n,
                                const filch_callable *callable, size_t *bytes)
{
    if (!callable) {
        return filch_future_refuse(NULL, "after", "the closure is empty, or NULL");
    }
    if (n && !needs) {
        return filch_future_refuse(callable->info, "after", "the needs are NULL");
    }
    if (!filch_multiply(n, sizeof(struct need), bytes) ||
        !filch_add(*bytes, sizeof(struct after) + 2 * FILCH_CACHE_LINE, bytes) ||
        !filch_add(*bytes, callable->result_bytes, bytes)) {
        return FILCH_EOVERFLOW;
    }
    for (size_t i = 0; i < n; i++) {
        if (!needs[i]) {
            return filch_future_refuse(callable->info, "after", "one of the needs is NULL");
        }
        if (filch_future_is_parents(needs[i])) {
            return FILCH_EFORKED;
        }
    }
    return FILCH_OK;
}

filch_status filch_after_make(filch_future *const needs[], size_t n, const filch_closure *closure,
                              filch_pool **pool, struct filch_future **made)
{
    size_t bytes = 0;
    filch_status status = check_after(needs, n, closure ? closure->callable : NULL, &bytes);
    if (status == FILCH_OK) {
        status = filch_pool_resolve(*pool, pool);
    }
    if (status == FILCH_OK) {
        *made = after_new(needs, n, closure, bytes);
        status = *made ? FILCH_OK : FILCH_ENOMEM;
    }
    return status;
}

filch_status filch_after_begin(struct filch_future *made, filch_pool *pool,
                               const filch_options *options, filch_future **next)
{
    filch_future_retain(made); /* it may end at once */
    filch_status status = filch_future_accept(made, pool, options, next);
    if (status == FILCH_OK) {
        wait_for_needs(made);
        filch_future_free(made);
    }
    return status;
}

filch_status filch_future_after(filch_pool *pool, filch_future *const needs[], size_t n,
                                const filch_closure *closure, filch_future **next)
{
    const filch_options *options = filch_options_of(pool);
    struct filch_future *made;
    if (next) {
        *next = NULL;
    }
    filch_status status = filch_after_make(needs, n, closure, &pool, &made);
    if (status != FILCH_OK) {
        return status;
    }
    filch_options_check(options, pool, FILCH_USES_IN_TASK, made->info);
    return filch_after_begin(made, pool, options, next);
}

filch_status filch_future_after_captured(filch_pool *pool, filch_future *const needs[], size_t n,
                                         const filch_callable *callable, const void *captures,
                                         filch_future **next)
{
    filch_closure closure;
    if (next) {
        *next = NULL;
    }
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status == FILCH_EINVAL) {
        return filch_future_refuse(callable ? callable->info : NULL, "after",
                                   "its function or the captures are missing");
    }
    if (status == FILCH_OK) {
        status = filch_future_after(pool, needs, n, &closure, next);
        filch_closure_release(&closure);
    }
    return status;
}
