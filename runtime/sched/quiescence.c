/* quiescence: what a pool has to do still, counted so that its end is known.
 *
 * Tasks are counted per core, by its holder; tasks, regions and wakers from outside in one
 * counter, `outside`. A joiner waits until the sum is nothing and no core is held. */
#include <limits.h>

#include "base/assert.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum { END_NS = 5000 }; /* less than a sleep and a wake-up cost */

static const uint64_t closed_bit = (uint64_t)1 << 63;

enum filch_pool_state filch_pool_state(struct filch_pool *pool)
{
    /* seq_cst: a task that sees TERMINATED sees all that led to it */
    return (enum filch_pool_state)atomic_load_explicit(&pool->state, memory_order_seq_cst);
}

filch_status filch_pool_ended_as(struct filch_pool *pool, filch_status status)
{
    /* acquire: pairs with the release in api/pool/hooks.c; the error is there */
    return atomic_load_explicit(&pool->broken, memory_order_acquire) ? FILCH_EBROKEN : status;
}

filch_status filch_pool_check(struct filch_pool *pool)
{
    if (!filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    return filch_pool_state(pool) == FILCH_POOL_RUNNING ? FILCH_OK
                                                        : filch_pool_ended_as(pool, FILCH_ECLOSED);
}

struct filch_core *filch_pool_own_core(struct filch_pool *pool)
{
    struct filch_thread *thread = filch_thread_known();
    return thread && thread->core && thread->core->pool == pool ? thread->core : NULL;
}

static void tell_joiners(struct filch_pool *pool)
{
    /* seq_cst: after the change that is told; pairs with the load in filch_pool_await_quiet */
    atomic_fetch_add_explicit(&pool->ends, 1, memory_order_seq_cst);
    filch_os_wake(&pool->ends, INT_MAX);
}

void filch_pool_core_freed(struct filch_pool *pool)
{
    if (filch_pool_state(pool) != FILCH_POOL_RUNNING) {
        tell_joiners(pool);
    }
}

/* One of the outsiders is done with the pool. Not to be touched after that: with none left it
 * may be freed at once. While no joiner waits for that, the exchange is the last touch; once the
 * pool is closed it is the release of the lock, which a joiner takes before it goes on. */
static void leave_outside(struct filch_pool *pool)
{
    /* relaxed: checked by the exchange */
    uint64_t outside = atomic_load_explicit(&pool->outside, memory_order_relaxed);
    FILCH_ASSERT((outside & ~closed_bit) > 0);
    while (!(outside & closed_bit)) {
        /* seq_cst: read by quiet() */
        if (atomic_compare_exchange_weak_explicit(&pool->outside, &outside, outside - 1,
                                                  memory_order_seq_cst, memory_order_relaxed)) {
            return;
        }
    }
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    atomic_fetch_sub_explicit(&pool->outside, 1, memory_order_seq_cst);
    tell_joiners(pool);
    filch_lock_release(&pool->lock);
}

static void count_task(struct filch_core *core, int64_t delta)
{
    FILCH_ASSERT(filch_core_is_own(core));
    /* relaxed, both: one writer at a time; read while no thread runs */
    int64_t tasks = atomic_load_explicit(&core->tasks, memory_order_relaxed);
    atomic_store_explicit(&core->tasks, tasks + delta, memory_order_relaxed);
}

filch_status filch_pool_admit(struct filch_pool *pool)
{
    if (!filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    /* seq_cst: counted before the pool closed, and then waited for, or refused */
    uint64_t before = atomic_fetch_add_explicit(&pool->outside, 1, memory_order_seq_cst);
    if (before & closed_bit) {
        filch_status status = filch_pool_ended_as(pool, FILCH_ECLOSED);
        leave_outside(pool);
        return status;
    }
    return FILCH_OK;
}

void filch_pool_hold(struct filch_pool *pool)
{
    /* seq_cst: read by quiet() */
    atomic_fetch_add_explicit(&pool->outside, 1, memory_order_seq_cst);
}

void filch_pool_dismiss(struct filch_pool *pool)
{
    leave_outside(pool);
}

void filch_pool_task_begun(struct filch_core *core)
{
    count_task(core, 1);
}

void filch_pool_task_ended(struct filch_pool *pool)
{
    struct filch_core *core = filch_pool_own_core(pool);
    if (core) {
        count_task(core, -1);
    } else {
        leave_outside(pool);
    }
}

void filch_pool_refuse(struct filch_pool *pool, enum filch_pool_state state)
{
    FILCH_ASSERT(state != FILCH_POOL_RUNNING); /* it only ever rises */
    int old = (int)filch_pool_state(pool);
    while (old < (int)state &&
           !atomic_compare_exchange_weak_explicit(&pool->state, &old, (int)state,
                                                  memory_order_seq_cst, memory_order_seq_cst)) {
    }
    /* seq_cst: pairs with filch_pool_admit */
    atomic_fetch_or_explicit(&pool->outside, closed_bit, memory_order_seq_cst);
}

static int64_t tasks_left(struct filch_pool *pool)
{
    uint64_t outside = atomic_load_explicit(&pool->outside, memory_order_seq_cst);
    int64_t left = (int64_t)(outside & ~closed_bit) - (int64_t)filch_outside_none;
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        /* relaxed: frozen while no thread runs, which quiet() verifies */
        left += atomic_load_explicit(&filch_core_at(pool, i)->tasks, memory_order_relaxed);
    }
    return left;
}

bool filch_pool_is_over(struct filch_pool *pool)
{
    /* relaxed: a guess */
    return atomic_load_explicit(&pool->state, memory_order_relaxed) != FILCH_POOL_RUNNING &&
           tasks_left(pool) <= 0;
}

/* Nothing runs and nothing is left. The counters of the cores add up only while no core is held:
 * the number of acquisitions, in the high half of `running`, shows that none was meanwhile. */
static bool quiet(struct filch_pool *pool)
{
    uint64_t before = atomic_load_explicit(&pool->running, memory_order_seq_cst);
    if ((uint32_t)before > 0) {
        return false;
    }
    int64_t left = tasks_left(pool);
    bool frozen = atomic_load_explicit(&pool->running, memory_order_seq_cst) == before;
    FILCH_ASSERT(!frozen || left >= 0); /* none ends that has not begun */
    return frozen && left == 0;
}

/* A sleeper here can be woken by the pool alone; if nothing can wake that, it is told. */
static void sleep_until_told(struct filch_pool *pool, uint32_t ends, uint64_t *look_ns)
{
    FILCH_ASSERT(!filch_rank_holds_any());
    struct filch_thread *thread = filch_thread_known();
    if (thread) {
        filch_thread_nap(thread);
    }
    bool in_time = filch_os_wait(&pool->ends, ends, *look_ns);
    if (thread) {
        filch_thread_rise(thread);
    }
    if (!in_time) {
        filch_process_look(NULL);
        *look_ns = FILCH_OS_NEVER;
    }
}

/* The last task has ended, or does so now, and threads that look for more see that there will be
 * none: that is over sooner than a sleep. */
static bool falls_quiet_soon(struct filch_pool *pool)
{
    uint64_t start_ns = filch_os_now_ns();
    uint64_t spent_ns = 0;
    bool is = quiet(pool);
    while (!is && !pool->crowded &&
           spent_ns < (filch_pool_is_over(pool) ? FILCH_END_SPIN_NS : END_NS)) {
        filch_os_yield(); /* to those that may be on this processor */
        spent_ns = filch_os_now_ns() - start_ns;
        is = quiet(pool);
    }
    return is;
}

void filch_pool_await_quiet(struct filch_pool *pool)
{
    uint64_t look_ns = filch_os_now_ns() + FILCH_LOOK_NS;
    bool over = falls_quiet_soon(pool);
    while (!over) {
        /* seq_cst: pairs with tell_joiners; read before quiet() looks */
        uint32_t ends = atomic_load_explicit(&pool->ends, memory_order_seq_cst);
        over = quiet(pool);
        if (!over) {
            sleep_until_told(pool, ends, &look_ns);
        }
    }
    /* The last to leave has let go of it, see leave_outside. */
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    filch_lock_release(&pool->lock);
}
