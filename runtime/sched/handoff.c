#include "sched/handoff.h"

#include "base/assert.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/threads.h"

/* ---- permits ---- */

static unsigned permits_taken(struct filch_permits *permits)
{
    /* seq_cst: counted before a core is let go of, read after work was published; see
     * filch_pool_retire */
    return atomic_load_explicit(&permits->taken, memory_order_seq_cst);
}

static void count_permits_locked(struct filch_permits *permits, unsigned count)
{
    FILCH_ASSERT(filch_lock_is_held(&permits->lock) && count <= permits->most);
    atomic_store_explicit(&permits->taken, count, memory_order_seq_cst); /* as above */
}

struct petition {
    struct filch_permits *permits;
    struct filch_wait_node place;
};

static bool try_to_take_permit(struct petition *petition, struct filch_waiter *waiter)
{
    struct filch_permits *permits = petition->permits;
    filch_lock_acquire(&permits->lock, FILCH_RANK_PERMITS);
    bool free = permits_taken(permits) < permits->most;
    if (free) {
        count_permits_locked(permits, permits_taken(permits) + 1);
    } else if (waiter) { /* it is given to us with the signal */
        filch_wait_list_add_locked(&permits->wanted, &petition->place, waiter);
    }
    filch_lock_release(&permits->lock);
    return free;
}

static bool enlist_for_permit(struct filch_waiter *waiter, void *petition)
{
    return !try_to_take_permit((struct petition *)petition,
                               waiter); /* the cast is for the models' C++ */
}

static const struct filch_wait_kind permit_kind = {
    .what = "a thread to block", .enlist = enlist_for_permit, .outside = true};

static bool take_handoff_permit(struct filch_pool *pool)
{
    struct petition petition = {.permits = &pool->permits};
    return try_to_take_permit(&petition, NULL);
}

static void await_permit(struct filch_pool *pool)
{
    struct petition petition = {.permits = &pool->permits};
    if (!try_to_take_permit(&petition, NULL)) {
        filch_suspend_join(&permit_kind, &petition);
    }
}

/* Does every thread of the pool block, or stay with its fiber? One more is made: a signal handler
 * may be what makes a fiber ready next, and that makes none. */
static void keep_thread_at_hand(struct filch_pool *pool)
{
    /* relaxed: a hint; a thread that is made meanwhile is one */
    unsigned threads = atomic_load_explicit(&pool->thread_count, memory_order_relaxed);
    if (threads <= permits_taken(&pool->permits)) {
        filch_pool_make_thread(pool);
    }
}

static void give_permit(struct filch_pool *pool)
{
    struct filch_permits *permits = &pool->permits;
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&permits->lock, FILCH_RANK_PERMITS);
    if (!filch_wait_list_claim_locked(&permits->wanted, &claims)) {
        count_permits_locked(permits, permits_taken(permits) - 1);
    }
    filch_lock_release(&permits->lock);
    filch_claims_tell(&claims);
}

unsigned filch_handoff_threads(struct filch_pool *pool)
{
    return pool->config.workers + 1 + permits_taken(&pool->permits);
}

bool filch_handoff_is_bound(const struct filch_fiber *fiber)
{
    return fiber->guest || fiber->pins;
}

/* ---- lending ---- */

void filch_handoff_begin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (!fiber || fiber->lent++ > 0) {
        return;
    }
    if (!fiber->guest) {
        await_permit(fiber->pool);
        keep_thread_at_hand(fiber->pool);
    }
    filch_core_serve_all(fiber);
    filch_trace(FILCH_TRACE_LEND, 1, NULL, filch_trace_name_of(fiber));
    filch_core_release_guest(fiber->pool, filch_thread_known());
}

/* Take a core, in turn: others may have come in the meantime. */
static void take_core_in_turn(struct filch_fiber *fiber)
{
    struct filch_thread *thread = filch_thread_known();
    if (filch_core_acquire(fiber->pool, thread)) {
        filch_core_enter(thread->core, fiber);
    } else {
        thread->leave.kind = FILCH_LEAVE_YIELD;
        filch_fiber_leave(fiber, thread);
    }
}

static void take_core(struct filch_fiber *fiber)
{
    struct filch_thread *thread = filch_thread_known();
    if (thread->core) {
        return; /* it has waited meanwhile, and goes on with one */
    }
    if (!filch_handoff_is_bound(fiber)) {
        take_core_in_turn(fiber);
    } else if (filch_core_acquire_guest(fiber->pool, thread)) {
        filch_core_enter(thread->core, fiber);
    }
    thread = filch_thread_known();
    if (thread->core) {
        filch_core_start(thread->core);
    }
}

void filch_handoff_end(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (!fiber || fiber->lent == 0 || --fiber->lent > 0) {
        return;
    }
    if (!fiber->guest) {
        give_permit(fiber->pool);
    }
    take_core(fiber);
    filch_trace(FILCH_TRACE_LEND, 0, NULL, filch_trace_name_of(fiber));
}

/* ---- pinning ---- */

bool filch_handoff_pin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (!fiber || fiber->guest) {
        return true;
    }
    if (fiber->pins == 0) {
        if (!take_handoff_permit(fiber->pool)) {
            return false;
        }
        keep_thread_at_hand(fiber->pool);
    }
    fiber->pins++;
    return true;
}

void filch_handoff_unpin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (fiber && !fiber->guest && fiber->pins > 0 && --fiber->pins == 0) {
        give_permit(fiber->pool);
    }
}

void filch_handoff_forget(struct filch_fiber *fiber)
{
    while (fiber->lent) {
        filch_handoff_end();
    }
    while (fiber->pins) {
        filch_handoff_unpin();
    }
}
