/* post: making a fiber ready from a signal handler, or from where one may be.
 *
 * A handler may interrupt code that holds any lock, or is in the middle of making a thread. So a
 * fiber is posted to its pool's queue by one exchange (queue.h), and sleepers are woken without
 * their lists: the monitor, whose name is an atomic, or else all threads of the pool, which are
 * found among the records of the process; a token that is left for nothing is consumed by the
 * sleeper's loop (park.h). No thread is made, unless it is clear that this is not a handler: the
 * fiber has run before, so there are threads that will come by.
 *
 * As soon as a fiber is posted it may run to its end, and the pool with it: `posters` of the
 * process keeps the memory of pools until we have let go. */
#include "base/assert.h"
#include "os/os.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/wake.h"

static bool wake_sleepers(struct filch_pool *pool)
{
    if (filch_park_sleepers(&pool->park) == 0) {
        return false;
    }
    struct filch_thread *newest = filch_process_newest_thread(filch_process());
    for (struct filch_thread *t = newest; t; t = t->older) {
        if (filch_thread_pool(t) == pool) {
            filch_parker_unpark(&t->parker);
        }
    }
    return true;
}

/* While a handler runs, its signal is blocked; a program's thread that has blocked more signals
 * since we saw it first is taken for one that is in a handler. */
static bool may_be_in_handler(void)
{
    struct filch_thread *thread = filch_thread_known();
    return filch_os_blocked_signals() != (thread ? thread->blocked_signals : 0);
}

static void ensure_one_comes(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, see park.h */
    if (!filch_pool_has_idle(pool)) {
        filch_pool_call_monitor(pool); /* which asks the busy ones for a turn */
        return;
    }
    /* seq_cst: as in filch_pool_wake */
    bool sought = atomic_load_explicit(&pool->searching, memory_order_seq_cst) > 0;
    if (!sought && !filch_pool_wake_monitor(pool) && !wake_sleepers(pool) && !may_be_in_handler()) {
        filch_pool_wake(pool);
    }
}

void filch_fiber_post(struct filch_fiber *fiber)
{
    FILCH_ASSERT(!fiber->guest && fiber->work.kind == FILCH_WORK_FIBER);
    struct filch_process *process = filch_process();
    struct filch_pool *pool = fiber->pool;
    /* relaxed: before the fiber goes on, by the exchange in filch_queue_post; the thread that
     * frees the pool has seen its end */
    atomic_fetch_add_explicit(&process->posters, 1, memory_order_relaxed);
    filch_queue_post(&pool->ready, &fiber->work);
    ensure_one_comes(pool);
    /* release: pairs with the acquire in filch_process_remove_pool */
    atomic_fetch_sub_explicit(&process->posters, 1, memory_order_release);
}
