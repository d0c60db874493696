#include "sched/suspend.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "os/log.h"
#include "os/os.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/threads.h"

enum {
    SPIN_NS = 5000,     /* less than a sleep and a wake-up cost */
    TURN_NS = 10000000, /* how long a turn that is given away may take to be taken */
    LOOK_FACTOR = 4,
    LOOK_MAX_NS = 2000000000, /* no look at what waits for what comes later than that */
};

static void timer_fired(struct filch_timer *timer, enum filch_timer_end end,
                        struct filch_ready_batch *batch)
{
    filch_waiter_end_in(timer->context, end == FILCH_TIMER_DUE ? FILCH_TIMED_OUT : FILCH_CLOSED,
                        batch);
}

/* The order is written where it is read, a word at a time: copied as a whole it would have to wait
 * for its own stores. */
static inline void block_fiber(struct filch_fiber *fiber, struct filch_thread *thread,
                               struct filch_waiter *waiter, filch_enlist *enlist, void *context,
                               bool ends)
{
    FILCH_ASSERT(waiter->fiber == fiber);
    struct filch_leave *order = &thread->leave;
    order->kind = FILCH_LEAVE_WAIT;
    order->waiter = waiter;
    order->enlist = enlist;
    order->context = context;
    order->ends = ends;
    bool timed = ends && waiter->deadline_ns != FILCH_OS_NEVER;
    if (timed) {
        struct filch_timer *timer = fiber->stack.timer;
        timer->deadline_ns = waiter->deadline_ns;
        timer->fire = timer_fired;
        timer->context = waiter;
    }
    filch_fiber_leave(fiber, thread);
    /* One that has fired is not armed, and was not touched after that. */
    if (timed && filch_waiter_outcome(waiter) != FILCH_TIMED_OUT) {
        filch_timers_disarm(&fiber->pool->timers, fiber->stack.timer);
    }
}

static void spin_for_waiter(struct filch_waiter *waiter, uint64_t deadline_ns)
{
    uint64_t until_ns = filch_os_now_ns() + SPIN_NS;
    until_ns = until_ns < deadline_ns ? until_ns : deadline_ns;
    while (!filch_waiter_fired(waiter) && filch_os_now_ns() < until_ns) {
        for (int i = 0; i < 8; i++) {
            filch_relax();
        }
    }
}

/* Asleep, until signalled. First for a while; then to see whether any thread still can. That is
 * not seen while another thread happens to be awake: so more than once, ever later. */
static void sleep_for_good(struct filch_thread *thread, struct filch_waiter *waiter)
{
    uint64_t pause_ns = FILCH_LOOK_NS;
    uint64_t look_ns = filch_os_now_ns() + pause_ns;
    while (!filch_waiter_fired(waiter)) {
        filch_thread_nap(thread);
        bool woken = filch_parker_wait(&thread->parker, look_ns);
        filch_thread_rise(thread);
        if (!woken) {
            filch_process_look(waiter);
            pause_ns *= LOOK_FACTOR;
            look_ns = pause_ns <= LOOK_MAX_NS ? filch_os_now_ns() + pause_ns : FILCH_OS_NEVER;
        }
    }
}

static void sleep_until(struct filch_thread *thread, struct filch_waiter *waiter,
                        uint64_t deadline_ns)
{
    if (deadline_ns == FILCH_OS_NEVER) {
        sleep_for_good(thread, waiter);
    }
    while (!filch_waiter_fired(waiter)) {
        /* A token may be left over from an earlier wait. */
        if (!filch_parker_wait(&thread->parker, deadline_ns) &&
            !filch_waiter_fire(waiter, FILCH_TIMED_OUT)) {
            deadline_ns = FILCH_OS_NEVER; /* it is claimed: we are woken when we may go */
        }
    }
}

FILCH_APART static void block_thread(struct filch_thread *thread, struct filch_waiter *waiter,
                                     struct filch_leave order)
{
    FILCH_ASSERT(waiter->parker == &thread->parker && thread == filch_thread_known());
    struct filch_fiber *bound = thread->fiber;
    uint64_t deadline_ns = waiter->deadline_ns;
    if (order.enlist && !order.enlist(waiter, order.context)) {
        filch_waiter_found(waiter);
        return;
    }
    if (order.ends && bound && !bound->guest) {
        filch_pool_end_late_wait(bound->pool, waiter);
    }
    if (order.enlist) {
        spin_for_waiter(waiter, deadline_ns);
    }
    if (!filch_waiter_arm(waiter)) { /* not before: the system would be asked to wake it */
        return;
    }
    bool had_core = thread->core != NULL; /* it may have lent it */
    if (bound) {
        filch_core_release_guest(bound->pool, thread);
    }
    sleep_until(thread, waiter, deadline_ns);
    if (bound && had_core && filch_core_acquire_guest(bound->pool, thread)) {
        filch_core_enter(thread->core, bound);
    }
}

static inline void block(struct filch_thread *thread, struct filch_waiter *waiter,
                         filch_enlist *enlist, void *context, bool ends)
{
    struct filch_fiber *fiber = thread->fiber;
    if (fiber && !filch_handoff_is_bound(fiber)) {
        block_fiber(fiber, thread, waiter, enlist, context, ends);
    } else {
        block_thread(thread, waiter,
                     (struct filch_leave){.kind = FILCH_LEAVE_WAIT,
                                          .waiter = waiter,
                                          .enlist = enlist,
                                          .context = context,
                                          .ends = ends});
    }
}

/* What is latent can be had by others from now on. The thread that waits: doing that may have
 * moved us to another. */
static struct filch_thread *serve_before_wait(struct filch_thread *thread,
                                              const struct filch_wait_kind *kind)
{
    FILCH_ASSERT(!filch_rank_holds_any());
    struct filch_fiber *fiber = thread->fiber;
    if (!fiber) {
        return thread;
    }
    bool counted = !kind->outside;
    bool crowded = counted && filch_crowd_enter(fiber);
    if (crowded || (counted && filch_core_has_plenty(thread->core))) {
        filch_core_serve_crowd(fiber);
    } else {
        filch_core_serve_all(fiber);
    }
    return filch_thread_known();
}

static void end_wait(struct filch_party *party, struct filch_fiber *fiber,
                     const struct filch_wait_kind *kind)
{
    FILCH_ASSERT(!fiber || filch_fiber_is_own(fiber)); /* it may have moved, the stack has not */
    filch_party_end_wait(party);
    if (fiber && !kind->outside) {
        filch_crowd_leave(fiber);
    }
}

/* Prepare the waiter, and say what for. */
static struct filch_party *begin_wait(struct filch_thread *thread,
                                      const struct filch_wait_kind *kind, void *context,
                                      struct filch_waiter *waiter, bool ends)
{
    struct filch_fiber *fiber = thread->fiber;
    bool thread_waits = !fiber || filch_handoff_is_bound(fiber);
    struct filch_party *party = fiber ? fiber->party : &thread->party;
    bool forever = waiter->deadline_ns == FILCH_OS_NEVER;
    filch_waiter_init(waiter, thread_waits ? NULL : fiber, thread_waits ? &thread->parker : NULL);
    filch_party_begin_wait(party, kind, context, ends ? waiter : NULL, forever);
    filch_trace(FILCH_TRACE_BLOCK,
                (kind->derived ? FILCH_TRACE_FOR_WORK : 0u) |
                    (kind->outside ? FILCH_TRACE_FOR_OUTSIDE : 0u),
                kind->what, filch_trace_name_of(kind->object ? kind->object(context) : context));
    return party;
}

/* A fiber's ENTER tells that it goes on; a thread says it here. */
static void trace_end(struct filch_waiter *waiter)
{
    if (!waiter->fiber) {
        filch_trace(FILCH_TRACE_GO_ON, (unsigned)filch_waiter_outcome(waiter), NULL,
                    waiter->parker->thread);
    }
}

void filch_suspend_end_child(const char *wanted)
{
    char message[160];
    snprintf(message, sizeof message,
             "the child of a fork() inside of a pool cannot go on: it wants %s\n", wanted);
    filch_log(FILCH_LOG_ERROR, message);
    abort();
}

void filch_suspend_join(const struct filch_wait_kind *kind, void *context)
{
    struct filch_thread *thread = filch_thread_known();
    if (FILCH_UNLIKELY(thread->left && !thread->fiber && kind->derived)) {
        filch_suspend_end_child(kind->what);
    }
    thread = serve_before_wait(thread, kind); /* it has forked */
    struct filch_fiber *fiber = thread->fiber;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_waiter waiter;
    waiter.deadline_ns = FILCH_OS_NEVER;
    struct filch_party *party = begin_wait(thread, kind, context, &waiter, false);
    block(thread, &waiter, kind->enlist, context, false);
    FILCH_ASSERT(filch_waiter_outcome(&waiter) == FILCH_SIGNALED); /* nothing else ends it */
    end_wait(party, fiber, kind);
    trace_end(&waiter);
}

/* A wait in a scope: it ends when the scope is cancelled, too. */
struct cancellable {
    filch_enlist *enlist;
    void *context;
    struct filch_cancel_scope *scope;
};

static bool enlist_cancellable(struct filch_waiter *waiter, void *context)
{
    struct cancellable *wait = context;
    if (!filch_cancel_scope_add(wait->scope, waiter)) {
        filch_waiter_fire(waiter, FILCH_CLOSED);
        return true;
    }
    return !wait->enlist || wait->enlist(waiter, wait->context);
}

static void block_in_scope(struct filch_thread *thread, struct filch_waiter *waiter,
                           filch_enlist *enlist, void *context, struct filch_cancel_scope *scope)
{
    struct cancellable wait = {enlist, context, scope};
    block(thread, waiter, enlist_cancellable, &wait, true);
    filch_cancel_scope_remove(waiter);
}

static struct filch_cancel_scope *scope_of(const struct filch_thread *thread)
{
    return thread->fiber && thread->fiber->frame ? thread->fiber->frame->scope : NULL;
}

enum filch_outcome filch_suspend_until(const struct filch_wait_kind *kind, void *context,
                                       uint64_t deadline_ns)
{
    struct filch_thread *thread = filch_thread_self();
    if (!thread) {
        return FILCH_NO_MEMORY;
    }
    if (FILCH_UNLIKELY(thread->left == FILCH_LEFT_TASK && !thread->fiber)) {
        return FILCH_FORKED;
    }
    thread = serve_before_wait(thread, kind);
    struct filch_fiber *fiber = thread->fiber;
    struct filch_cancel_scope *scope = scope_of(thread);
    bool scope_ends_first = scope && scope->deadline_ns <= deadline_ns;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_waiter waiter;
    waiter.deadline_ns = scope_ends_first ? scope->deadline_ns : deadline_ns;
    struct filch_party *party = begin_wait(thread, kind, context, &waiter, true);
    if (scope) {
        block_in_scope(thread, &waiter, kind->enlist, context, scope);
    } else {
        block(thread, &waiter, kind->enlist, context, true);
    }
    FILCH_ASSERT(filch_waiter_fired(&waiter));
    end_wait(party, fiber, kind);
    trace_end(&waiter);
    enum filch_outcome outcome = filch_waiter_outcome(&waiter);
    bool begun = !scope || waiter.scope; /* else it was cancelled before, and enlisted nowhere */
    if (begun && kind->leave && (outcome != FILCH_SIGNALED || kind->always_leaves)) {
        kind->leave(&waiter, context);
    }
    return outcome == FILCH_TIMED_OUT && scope_ends_first ? FILCH_CLOSED : outcome;
}

bool filch_latch_enlist(struct filch_waiter *waiter, void *latch)
{
    return filch_latch_add(latch, waiter);
}

/* ---- giving turns away ---- */

/* Does something wait that only our core could be had for? */
static bool others_want_core(struct filch_pool *pool)
{
    return !filch_pool_has_idle(pool) && filch_core_work_visible(pool) &&
           filch_pool_has_thread(pool);
}

/* A fiber that is bound to its thread cannot stand in line. Its core goes to another thread until
 * that has begun something: from then on, if need be, ours is one too many (pool.h). */
static void give_core(struct filch_fiber *fiber, struct filch_thread *thread)
{
    struct filch_pool *pool = fiber->pool;
    /* relaxed, all: the time-out bounds what a turn that is seen late costs */
    uint32_t turns = atomic_load_explicit(&pool->turns, memory_order_relaxed);
    atomic_fetch_add_explicit(&pool->givers, 1, memory_order_relaxed);
    filch_core_release_guest(pool, thread);
    filch_os_wait(&pool->turns, turns, filch_os_now_ns() + TURN_NS);
    atomic_fetch_sub_explicit(&pool->givers, 1, memory_order_relaxed);
    if (filch_core_acquire_guest(pool, thread)) {
        filch_core_enter(thread->core, fiber);
    }
}

static void yield_bound(struct filch_fiber *fiber)
{
    filch_core_serve_all(fiber);
    struct filch_thread *thread = filch_thread_known();
    if (thread->core && others_want_core(fiber->pool)) {
        give_core(fiber, thread);
    } else {
        filch_os_yield();
    }
}

static void yield_fiber(struct filch_fiber *fiber)
{
    filch_core_serve_all(fiber);
    filch_trace(FILCH_TRACE_YIELD, 0, NULL, filch_trace_name_of(fiber));
    struct filch_thread *thread = filch_thread_known(); /* that may have moved us */
    thread->leave.kind = FILCH_LEAVE_YIELD;
    filch_fiber_leave(fiber, thread);
}

void filch_suspend_yield(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (!fiber) {
        filch_os_yield();
    } else if (filch_handoff_is_bound(fiber)) {
        yield_bound(fiber);
    } else {
        yield_fiber(fiber);
    }
}
