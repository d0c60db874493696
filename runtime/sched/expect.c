/* expect: what a pool has accepted and still waits for, and how that ends when it is terminated. */
#include "sched/expect.h"

#include "sched/pool.h"
#include "sched/strand.h"

bool filch_pool_list_expected(struct filch_pool *pool, struct filch_expected *expected)
{
    filch_lock_acquire(&pool->expect_lock);
    bool wanted = !pool->expects_none;
    if (wanted && !expected->come) {
        expected->prev = NULL;
        expected->next = pool->expected;
        if (expected->next) {
            expected->next->prev = expected;
        }
        pool->expected = expected;
        expected->listed = true;
    }
    filch_lock_release(&pool->expect_lock);
    return wanted;
}

static void unlist_locked(struct filch_pool *pool, struct filch_expected *expected)
{
    if (!expected->listed) {
        return;
    }
    expected->listed = false;
    if (expected->prev) {
        expected->prev->next = expected->next;
    } else {
        pool->expected = expected->next;
    }
    if (expected->next) {
        expected->next->prev = expected->prev;
    }
}

void filch_pool_expected(struct filch_pool *pool, struct filch_expected *expected)
{
    filch_lock_acquire(&pool->expect_lock);
    unlist_locked(pool, expected);
    expected->come = true;
    filch_lock_release(&pool->expect_lock);
}

/* The first that has not come yet, retained; NULL: none. */
static struct filch_expected *take_first(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->expect_lock);
    pool->expects_none = true;
    struct filch_expected *first = pool->expected;
    if (first) {
        unlist_locked(pool, first);
        first->retain(first);
    }
    filch_lock_release(&pool->expect_lock);
    return first;
}

static void cancel_expected(struct filch_pool *pool)
{
    struct filch_expected *first;
    while ((first = take_first(pool))) {
        first->cancel(first);
    }
}

/* ---- waits of a pool that is terminated ---- */

/* Those without a deadline are in no list. Who begins to wait says so, fences, then looks whether
 * the pool was terminated; we terminate it, fence, then look who waits: one sees the other. */
static void end_wait(struct filch_stack *stack, void *unused)
{
    struct filch_party *party = &((struct filch_strand *)stack)->own_party;
    (void)unused;
    if (filch_party_hold_surely(party)) {
        if (party->waiter) {
            filch_waiter_end(party->waiter, FILCH_CLOSED);
        }
        filch_party_let_go(party);
    }
}

static void end_waits(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* as said */
    filch_stacks_each(&pool->stacks, end_wait, NULL);
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
    end_waits(pool);
    cancel_expected(pool);
}
