/* pending: what a pool has accepted and waits for, and how that ends when it is terminated. */
#include "sched/pending.h"

#include "base/assert.h"
#include "base/base.h"
#include "sched/fiber.h"
#include "sched/pool.h"

bool filch_pool_list_pending(struct filch_pool *pool, struct filch_pending *pending)
{
    filch_lock_acquire(&pool->pending_lock, FILCH_RANK_PENDING);
    bool wanted = !pool->refuses_pending;
    if (wanted && !pending->come) {
        FILCH_ASSERT(!pending->listed);
        filch_list_push(&pool->pending, &pending->link);
        pending->listed = true;
    }
    filch_lock_release(&pool->pending_lock);
    return wanted;
}

static void unlist_pending_locked(struct filch_pool *pool, struct filch_pending *pending)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->pending_lock));
    if (pending->listed) {
        pending->listed = false;
        filch_list_remove(&pool->pending, &pending->link);
    }
}

void filch_pool_unlist_pending(struct filch_pool *pool, struct filch_pending *pending)
{
    filch_lock_acquire(&pool->pending_lock, FILCH_RANK_PENDING);
    unlist_pending_locked(pool, pending);
    pending->come = true;
    filch_lock_release(&pool->pending_lock);
}

/* The first that has not come yet, retained; NULL: none. */
static struct filch_pending *take_first(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->pending_lock, FILCH_RANK_PENDING);
    pool->refuses_pending = true;
    struct filch_link *link = pool->pending.first;
    struct filch_pending *first = link ? FILCH_CONTAINER(link, struct filch_pending, link) : NULL;
    if (first) {
        unlist_pending_locked(pool, first);
        first->retain(first);
    }
    filch_lock_release(&pool->pending_lock);
    return first;
}

static void cancel_pending(struct filch_pool *pool)
{
    struct filch_pending *first;
    while ((first = take_first(pool))) {
        first->cancel(first);
    }
}

/* ---- waits of a pool that is terminated ---- */

/* Those without a deadline are in no list. A fiber that waits says so, fences, then looks whether
 * the pool was terminated; we terminate it, fence, then look which wait: one sees the other. */
static void end_pending_wait(struct filch_stack *stack, void *unused)
{
    struct filch_party *party = &((struct filch_fiber *)stack)->own_party;
    (void)unused;
    if (filch_party_hold_surely(party)) {
        if (party->waiter) {
            filch_waiter_end(party->waiter, FILCH_CLOSED);
        }
        filch_party_let_go(party);
    }
}

static void end_pending_waits(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* as said */
    filch_stacks_each(&pool->stacks, end_pending_wait, NULL);
}

void filch_pool_end_late_wait(struct filch_pool *pool, struct filch_waiter *waiter)
{
    atomic_thread_fence(memory_order_seq_cst); /* as said */
    if (filch_pool_state(pool) == FILCH_POOL_TERMINATED) {
        filch_waiter_end(waiter, FILCH_CLOSED);
    }
}

void filch_pool_terminate_now(struct filch_pool *pool)
{
    filch_pool_refuse(pool, FILCH_POOL_TERMINATED);
    filch_timers_close(&pool->timers);
    end_pending_waits(pool);
    cancel_pending(pool);
}
