#include "sched/lend.h"

#include "sched/block.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/thread.h"

/* ---- permits ---- */

static unsigned taken(struct filch_permits *permits)
{
    /* seq_cst: counted before a core is let go of, read after work was published; see
     * filch_pool_retire */
    return atomic_load_explicit(&permits->taken, memory_order_seq_cst);
}

static void count_locked(struct filch_permits *permits, unsigned count)
{
    atomic_store_explicit(&permits->taken, count, memory_order_seq_cst); /* as above */
}

struct petition {
    struct filch_permits *permits;
    struct filch_place place;
};

static bool try_to_take(struct petition *petition, struct filch_waiter *waiter)
{
    struct filch_permits *permits = petition->permits;
    filch_lock_acquire(&permits->lock);
    bool free = taken(permits) < permits->most;
    if (free) {
        count_locked(permits, taken(permits) + 1);
    } else if (waiter) { /* it is given to us with the signal */
        filch_line_add_locked(&permits->wanted, &petition->place, waiter);
    }
    filch_lock_release(&permits->lock);
    return free;
}

static bool enlist(struct filch_waiter *waiter, void *petition)
{
    return !try_to_take((struct petition *)petition, waiter); /* the cast is for the models' C++ */
}

static const struct filch_wait_kind permit_kind = {
    .what = "a thread to block", .enlist = enlist, .outside = true};

static bool take_permit(struct filch_pool *pool)
{
    struct petition petition = {.permits = &pool->permits};
    return try_to_take(&petition, NULL);
}

static void await_permit(struct filch_pool *pool)
{
    struct petition petition = {.permits = &pool->permits};
    if (!try_to_take(&petition, NULL)) {
        filch_block_join(&permit_kind, &petition);
    }
}

static void give_permit(struct filch_pool *pool)
{
    struct filch_permits *permits = &pool->permits;
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&permits->lock);
    if (!filch_line_claim_locked(&permits->wanted, &claims)) {
        count_locked(permits, taken(permits) - 1);
    }
    filch_lock_release(&permits->lock);
    filch_claims_tell(&claims);
}

unsigned filch_lend_threads(struct filch_pool *pool)
{
    return pool->config.workers + 1 + taken(&pool->permits);
}

bool filch_lend_is_bound(const struct filch_strand *strand)
{
    return strand->guest || strand->pins;
}

/* ---- lending ---- */

void filch_lend_begin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (!strand || strand->lent++ > 0) {
        return;
    }
    if (!strand->guest) {
        await_permit(strand->pool);
    }
    filch_core_serve_all(strand);
    filch_trace(FILCH_TRACE_LEND, 1, NULL, filch_trace_name_of(strand));
    filch_core_release_guest(strand->pool, filch_thread_known());
}

/* Take a core, in turn: others may have come in the meantime. */
static void take_core_in_turn(struct filch_strand *strand)
{
    struct filch_thread *thread = filch_thread_known();
    if (filch_core_acquire(strand->pool, thread)) {
        filch_core_enter(thread->core, strand);
    } else {
        thread->leave.kind = FILCH_LEAVE_YIELD;
        filch_strand_leave(strand, thread);
    }
}

static void take_core(struct filch_strand *strand)
{
    struct filch_thread *thread = filch_thread_known();
    if (thread->core) {
        return; /* it has waited meanwhile, and goes on with one */
    }
    if (!filch_lend_is_bound(strand)) {
        take_core_in_turn(strand);
    } else if (filch_core_acquire_guest(strand->pool, thread)) {
        filch_core_enter(thread->core, strand);
    }
    thread = filch_thread_known();
    if (thread->core) {
        filch_core_start(thread->core);
    }
}

void filch_lend_end(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (!strand || strand->lent == 0 || --strand->lent > 0) {
        return;
    }
    if (!strand->guest) {
        give_permit(strand->pool);
    }
    take_core(strand);
    filch_trace(FILCH_TRACE_LEND, 0, NULL, filch_trace_name_of(strand));
}

/* ---- pinning ---- */

bool filch_lend_pin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (!strand || strand->guest) {
        return true;
    }
    if (strand->pins == 0 && !take_permit(strand->pool)) {
        return false;
    }
    strand->pins++;
    return true;
}

void filch_lend_unpin(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (strand && !strand->guest && strand->pins > 0 && --strand->pins == 0) {
        give_permit(strand->pool);
    }
}

void filch_lend_forget(struct filch_strand *strand)
{
    while (strand->lent) {
        filch_lend_end();
    }
    while (strand->pins) {
        filch_lend_unpin();
    }
}
