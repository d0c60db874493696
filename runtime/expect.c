/* expect: what a pool has accepted and still waits for. */
#include "pool.h"

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

void filch_pool_terminate_now(struct filch_pool *pool)
{
    filch_pool_refuse(pool, FILCH_POOL_TERMINATED);
    filch_timers_close(&pool->timers);
    cancel_expected(pool);
}
