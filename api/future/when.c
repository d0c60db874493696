/* Futures of several futures. */
#include <filch/futures.h>
#include <filch/kind.h>

#include <string.h>

#include "base/base.h"
#include "future/task_future.h"

/* In the payload of such a future, behind its value. */
struct gathering {
    struct filch_future *result; /* itself */
    /* Returns what is to be called if that is its end. */
    struct filch_waiter *(*decide)(struct gathering *gathering, size_t index);
    _Atomic(size_t) undecided; /* members that are not ready, and one while it is being made */
    _Atomic(int) phase;        /* of when_any: enum phase */
    size_t n;
    struct gathered {
        struct filch_waiter waiter;
        struct gathering *gathering;
        struct filch_future *future; /* a reference */
    } members[];
};

enum { VALUE_BYTES = 16 }; /* a size_t, aligned */
enum phase { MAKING, MADE, DECIDED_EARLY, DECIDED };

static struct gathering *gathering_of(struct filch_future *result)
{
    return (struct gathering *)(void *)(result->payload + VALUE_BYTES);
}

static struct filch_waiter *gathered_is_ready(struct filch_waiter *waiter)
{
    struct gathered *member = FILCH_CONTAINER(waiter, struct gathered, waiter);
    struct gathering *gathering = member->gathering;
    struct filch_future *result = gathering->result;
    struct filch_waiter *next = gathering->decide(gathering, (size_t)(member - gathering->members));
    filch_future_free(result); /* the member's reference */
    return next;
}

/* ---- all ---- */

static struct filch_waiter *end_all(struct gathering *all)
{
    struct filch_future *result = all->result;
    size_t failed = 0;
    while (failed < all->n && all->members[failed].future->outcome == FILCH_OK) {
        failed++;
    }
    if (failed < all->n) {
        filch_future_end_like(result, all->members[failed].future);
        result->fault.error.index = failed;
    }
    return filch_future_complete(result, filch_fault_result(&result->fault, NULL));
}

static struct filch_waiter *decide_all(struct gathering *all, size_t index)
{
    (void)index;
    /* acq_rel: the last sees how all others ended */
    bool last = atomic_fetch_sub_explicit(&all->undecided, 1, memory_order_acq_rel) == 1;
    return last && filch_future_claim(all->result) ? end_all(all) : NULL;
}

/* ---- any ---- */

/* Do not wait for the others: they may never end, and keep memory until they do. */
static void withdraw_others(struct gathering *any)
{
    for (size_t i = 0; i < any->n; i++) {
        struct gathered *member = &any->members[i];
        if (member->future && filch_cell_remove(&member->future->cell, &member->waiter)) {
            filch_future_free(any->result); /* the member's reference; we have one, too */
        }
    }
}

static bool advance(struct gathering *any, enum phase from, enum phase to)
{
    int expected = (int)from;
    /* acq_rel: the one that withdraws sees all members that were added */
    return atomic_compare_exchange_strong_explicit(&any->phase, &expected, (int)to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* It is decided. While members are still being added, their adder withdraws them. */
static bool withdraw_any(struct filch_future *result)
{
    struct gathering *any = gathering_of(result);
    if (!advance(any, MAKING, DECIDED_EARLY) && advance(any, MADE, DECIDED)) {
        withdraw_others(any);
    }
    return true;
}

static struct filch_waiter *decide_any(struct gathering *any, size_t index)
{
    struct filch_future *result = any->result;
    struct filch_waiter *next = NULL;
    if (filch_future_claim(result)) {
        memcpy(result->payload, &index, sizeof index);
        next = filch_future_complete(result, FILCH_OK);
        withdraw_any(result);
    }
    return next;
}

/* ---- both ---- */

/* The members' futures stay until then: the one that withdraws looks at all of them. */
static void dismantle(struct filch_future *result, struct filch_unowned *unowned)
{
    struct gathering *gathering = gathering_of(result);
    for (size_t i = 0; i < gathering->n; i++) {
        filch_future_disown(gathering->members[i].future, unowned);
    }
}

static struct gathering *gathering_new(size_t n,
                                       struct filch_waiter *(*decide)(struct gathering *, size_t),
                                       const struct filch_future_kind *kind,
                                       const filch_function_info *info)
{
    size_t bytes = n * sizeof(struct gathered) + sizeof(struct gathering) + VALUE_BYTES;
    struct filch_future *result = filch_future_new(bytes, kind, info);
    if (!result) {
        return NULL;
    }
    memset(result->payload, 0, bytes);
    struct gathering *gathering = gathering_of(result);
    gathering->result = result;
    gathering->decide = decide;
    gathering->n = n;
    atomic_init(&gathering->undecided, n + 1);
    atomic_init(&gathering->phase, MAKING);
    return gathering;
}

static void add_member(struct gathering *gathering, size_t index, struct filch_future *future)
{
    struct gathered *member = &gathering->members[index];
    filch_waiter_init(&member->waiter, NULL, NULL);
    member->waiter.call = gathered_is_ready;
    member->gathering = gathering;
    member->future = filch_future_retain(future);
    filch_future_retain(gathering->result);
    if (!filch_cell_add(&future->cell, &member->waiter)) {
        filch_waiters_call(gathered_is_ready(&member->waiter));
    }
}

static void trace_members(const struct gathering *gathering, filch_future *const futures[],
                          enum filch_trace_needs which)
{
    filch_future_trace_needs(gathering->result, which);
    for (size_t i = 0; i < gathering->n; i++) {
        filch_future_trace_need(futures[i]);
    }
}

static filch_status check_members(filch_future *const futures[], size_t n, filch_future **out)
{
    size_t bytes;
    if (!out) {
        return FILCH_EINVAL;
    }
    *out = NULL;
    if (n && !futures) {
        return FILCH_EINVAL;
    }
    if (!filch_multiply(n, 2 * sizeof(struct gathered), &bytes) ||
        !filch_add(bytes, sizeof(struct gathering), &bytes)) {
        return FILCH_EOVERFLOW;
    }
    for (size_t i = 0; i < n; i++) {
        if (!futures[i]) {
            return FILCH_EINVAL;
        }
        if (filch_future_is_parents(futures[i])) {
            return FILCH_EFORKED;
        }
    }
    return FILCH_OK;
}

/* Of one that was decided while it was made some are missing. */
static void visit_members(struct filch_future *result, struct filch_needs_visitor *visitor)
{
    struct gathering *gathering = gathering_of(result);
    for (size_t i = 0; i < gathering->n; i++) {
        if (gathering->members[i].future) {
            visitor->need(visitor, gathering->members[i].future);
        }
    }
}

static const struct filch_future_kind all_kind = {.dismantle = dismantle,
                                                  .visit_needs = visit_members};
static const struct filch_future_kind any_kind = {
    .dismantle = dismantle, .withdraw = withdraw_any, .visit_needs = visit_members};
static const filch_function_info all_info = {
    "when_all", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, NULL};
static const filch_function_info any_info = {
    "when_any", "", __FILE__, __LINE__, 0, FILCH_TYPE(size_t), FILCH_TYPE_NONE, NULL};

filch_status filch_when_all(filch_future *const futures[], size_t n, filch_future **all)
{
    filch_status status = check_members(futures, n, all);
    if (status != FILCH_OK) {
        return status;
    }
    struct gathering *made = gathering_new(n, decide_all, &all_kind, &all_info);
    if (!made) {
        return FILCH_ENOMEM;
    }
    trace_members(made, futures, FILCH_TRACE_NEEDS_ALL);
    for (size_t i = 0; i < n; i++) {
        add_member(made, i, futures[i]);
    }
    filch_waiters_call(decide_all(made, n)); /* it is made */
    *all = made->result;
    return FILCH_OK;
}

filch_status filch_when_any(filch_future *const futures[], size_t n, filch_future **any)
{
    filch_status status = check_members(futures, n, any);
    if (status != FILCH_OK || n == 0) {
        return status == FILCH_OK ? FILCH_EINVAL : status;
    }
    struct gathering *made = gathering_new(n, decide_any, &any_kind, &any_info);
    if (!made) {
        return FILCH_ENOMEM;
    }
    made->result->result_bytes = sizeof(size_t);
    trace_members(made, futures, FILCH_TRACE_NEEDS_ANY);
    for (size_t i = 0; i < n && !filch_future_ready(made->result); i++) {
        add_member(made, i, futures[i]);
    }
    if (!advance(made, MAKING, MADE)) {
        withdraw_others(made);
    }
    *any = made->result;
    return FILCH_OK;
}
