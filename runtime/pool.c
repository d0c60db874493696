#include "pool.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "os.h"
#include "overflow.h"
#include "process.h"
#include "thread.h"

static const uint64_t closed_bit = (uint64_t)1 << 63;

enum { LOOK_AGAIN_NS = 10000000 }; /* who waits for the end of work looks up this often */

unsigned filch_pool_running(struct filch_pool *pool)
{
    /* seq_cst: sleepers and releasers decide by it, under the handshake of park.h */
    return (unsigned)(uint32_t)atomic_load_explicit(&pool->running, memory_order_seq_cst);
}

enum filch_pool_state filch_pool_state(struct filch_pool *pool)
{
    /* seq_cst: a task that sees TERMINATED sees all that led to it */
    return (enum filch_pool_state)atomic_load_explicit(&pool->state, memory_order_seq_cst);
}

filch_status filch_pool_check(struct filch_pool *pool)
{
    if (!filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    return filch_pool_state(pool) == FILCH_POOL_RUNNING ? FILCH_OK : FILCH_ECLOSED;
}

static int thread_main(void *argument)
{
    struct filch_thread *thread = argument;
    filch_os_thread_name("filch");
    filch_thread_adopt(thread);
    bool reports = thread->pool->config.report_overflow && filch_overflow_begin_thread();
    filch_core_thread(thread->pool, thread);
    if (reports) {
        filch_overflow_end_thread();
    }
    filch_thread_resign();
    return 0;
}

/* A thread that starts has all that it needs: it must not fail after it was counted on. */
static bool start_thread_locked(struct filch_pool *pool)
{
    struct filch_thread *thread = filch_process_take_thread();
    if (!thread) {
        return false;
    }
    thread->pool = pool;
    if (!filch_os_thread_create(&pool->threads[pool->thread_count], thread_main, thread)) {
        filch_process_give_thread(thread);
        return false;
    }
    pool->thread_count++;
    return true;
}

/* One more thread, unless there are enough or the pool is ending. */
static bool make_thread(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->lock);
    bool room = pool->thread_count <= pool->config.workers && !pool->threads_exhausted &&
                !atomic_load_explicit(&pool->stopping, memory_order_relaxed); /* under the lock */
    bool made = room && start_thread_locked(pool);
    pool->threads_exhausted = pool->threads_exhausted || (room && !made);
    filch_lock_release(&pool->lock);
    return made;
}

filch_status filch_pool_start_threads(struct filch_pool *pool)
{
    for (unsigned i = 0; i < pool->config.workers; i++) {
        if (!make_thread(pool)) {
            return FILCH_EAGAIN;
        }
    }
    return FILCH_OK;
}

static bool has_thread(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->lock);
    bool has = pool->thread_count > 0;
    filch_lock_release(&pool->lock);
    return has || make_thread(pool);
}

static bool wake_watchman(struct filch_pool *pool)
{
    /* seq_cst: pairs with claim_watch, as sleepers do with filch_park_wake_one. Taking the name
     * away tells the watchman that he was chosen. */
    struct filch_thread *watchman = atomic_exchange_explicit(
        &pool->watchman, (struct filch_thread *)NULL, memory_order_seq_cst);
    if (watchman) {
        filch_parker_unpark(&watchman->parker);
    }
    return watchman != NULL;
}

static bool anybody_asleep(struct filch_pool *pool)
{
    /* seq_cst: after the fence in the caller */
    return filch_park_sleepers(&pool->park) > 0 ||
           atomic_load_explicit(&pool->watchman, memory_order_seq_cst) != NULL;
}

/* One wake-up at a time; whoever is woken wakes the next. */
static void wake_somebody(struct filch_pool *pool, bool even_watchman)
{
    /* seq_cst: pairs with answer_wake; one who finds it set has been seen by the one who set it */
    while (atomic_exchange_explicit(&pool->waking, 1, memory_order_seq_cst) == 0) {
        if (filch_park_wake_one(&pool->park) || (even_watchman && wake_watchman(pool)) ||
            make_thread(pool)) {
            return;
        }
        atomic_store_explicit(&pool->waking, 0, memory_order_seq_cst);
        /* Somebody may have announced himself, and a publisher passed us by, while it was set. */
        atomic_thread_fence(memory_order_seq_cst);
        even_watchman = even_watchman || filch_core_work_visible(pool);
        if (!even_watchman || !anybody_asleep(pool)) {
            return;
        }
    }
}

void filch_pool_wake(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, see park.h */
    /* seq_cst: a searcher counts itself out before it looks for the last time */
    if (atomic_load_explicit(&pool->searching, memory_order_seq_cst) == 0 &&
        filch_pool_has_idle(pool)) {
        wake_somebody(pool, true);
    }
}

void filch_pool_poke_watch(struct filch_pool *pool, uint64_t deadline_ns)
{
    /* seq_cst, both: see watch() in watch.c. A record outlives its thread: a late poke is stale. */
    struct filch_thread *watchman = atomic_load_explicit(&pool->watchman, memory_order_seq_cst);
    if (watchman &&
        atomic_load_explicit(&pool->watch_until_ns, memory_order_seq_cst) > deadline_ns) {
        filch_parker_unpark(&watchman->parker);
    }
}

void filch_pool_appoint_watch(struct filch_pool *pool)
{
    /* relaxed: asked again at each pick */
    if (atomic_load_explicit(&pool->watchman, memory_order_relaxed) == NULL &&
        (filch_timers_earliest(&pool->timers) != FILCH_OS_NEVER || filch_pool_has_idle(pool))) {
        wake_somebody(pool, false);
    }
}

static struct filch_core *own_core(struct filch_pool *pool)
{
    struct filch_thread *thread = filch_thread_known();
    return thread && thread->core && thread->core->pool == pool ? thread->core : NULL;
}

static void tell_joiners(struct filch_pool *pool)
{
    /* seq_cst: after the change that is told; pairs with the load in filch_pool_drain */
    atomic_fetch_add_explicit(&pool->ends, 1, memory_order_seq_cst);
    filch_os_wake(&pool->ends, INT_MAX);
}

void filch_pool_thread_sleeps(struct filch_pool *pool)
{
    if (filch_pool_state(pool) != FILCH_POOL_RUNNING) {
        tell_joiners(pool);
    }
}

/* One of the outsiders is done with the pool. Not to be touched after that: with nobody left it
 * may be freed at once. While nobody waits for that, the exchange is the last touch; once the pool
 * is closed it is the release of the lock, which a joiner takes before it goes on. */
static void leave_outside(struct filch_pool *pool)
{
    /* relaxed: checked by the exchange */
    uint64_t outside = atomic_load_explicit(&pool->outside, memory_order_relaxed);
    while (!(outside & closed_bit)) {
        /* seq_cst: read by quiet() */
        if (atomic_compare_exchange_weak_explicit(&pool->outside, &outside, outside - 1,
                                                  memory_order_seq_cst, memory_order_relaxed)) {
            return;
        }
    }
    filch_lock_acquire(&pool->lock);
    atomic_fetch_sub_explicit(&pool->outside, 1, memory_order_seq_cst);
    tell_joiners(pool);
    filch_lock_release(&pool->lock);
}

static void count_task(struct filch_core *core, int64_t delta)
{
    /* relaxed, both: one writer at a time; read when nobody runs */
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
        leave_outside(pool);
        return FILCH_ECLOSED;
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

void filch_pool_inject(struct filch_pool *pool, struct filch_work *work)
{
    filch_queue_push(&pool->inject, work);
    filch_pool_wake(pool);
    if (!filch_pool_has_idle(pool)) {
        filch_pool_poke_watch(pool, 0); /* he asks the busy ones for a turn */
    }
}

static filch_status submit_outside(struct filch_pool *pool, struct filch_detached *task)
{
    filch_status status = filch_pool_admit(pool);
    if (status == FILCH_OK && !has_thread(pool)) {
        filch_pool_dismiss(pool);
        status = FILCH_EAGAIN;
    }
    if (status == FILCH_OK) {
        filch_pool_inject(pool, &task->work);
    }
    return status;
}

filch_status filch_pool_submit(struct filch_pool *pool, struct filch_detached *task)
{
    task->work.kind = FILCH_WORK_TASK;
    struct filch_core *core = own_core(pool);
    if (!core) {
        return submit_outside(pool, task);
    }
    filch_status status = filch_pool_check(pool);
    if (status == FILCH_OK) {
        count_task(core, 1);
        if (!filch_deque_push(&core->deque, filch_entry_of_work(&task->work))) {
            filch_queue_push(&pool->inject, &task->work); /* which never needs memory */
        }
        filch_pool_wake(pool);
    }
    return status;
}

void filch_pool_task_ended(struct filch_pool *pool)
{
    struct filch_core *core = own_core(pool);
    if (core) {
        count_task(core, -1);
    } else {
        leave_outside(pool);
    }
}

void filch_pool_refuse(struct filch_pool *pool, enum filch_pool_state state)
{
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
    for (unsigned i = 0; i < pool->core_limit; i++) {
        struct filch_core *core = atomic_load_explicit(&pool->cores[i], memory_order_acquire);
        /* relaxed: frozen while nobody runs, which quiet() verifies */
        left += core ? atomic_load_explicit(&core->tasks, memory_order_relaxed) : 0;
    }
    return left;
}

bool filch_pool_has_tasks(struct filch_pool *pool)
{
    return tasks_left(pool) != 0;
}

/* Nothing runs and nothing is left. The counters of the cores add up only while no core is held:
 * the number of acquisitions, in the high half of `running`, shows that none was meanwhile. */
static bool quiet(struct filch_pool *pool)
{
    uint64_t before = atomic_load_explicit(&pool->running, memory_order_seq_cst);
    return (uint32_t)before == 0 && tasks_left(pool) == 0 &&
           atomic_load_explicit(&pool->running, memory_order_seq_cst) == before;
}

static void end_threads(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->lock);
    unsigned count = pool->thread_count;
    pool->thread_count = 0;
    /* seq_cst: read by sleepers between announcement and sleep (park.h) */
    atomic_store_explicit(&pool->stopping, true, memory_order_seq_cst);
    filch_lock_release(&pool->lock);
    filch_park_wake_all(&pool->park);
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, for the watchman */
    wake_watchman(pool);
    for (unsigned i = 0; i < count; i++) {
        thrd_join(pool->threads[i], NULL);
    }
}

filch_status filch_pool_drain(struct filch_pool *pool)
{
    for (;;) {
        /* seq_cst: pairs with tell_joiners; read before quiet() looks */
        uint32_t ends = atomic_load_explicit(&pool->ends, memory_order_seq_cst);
        if (quiet(pool)) {
            break;
        }
        filch_os_wait(&pool->ends, ends, filch_os_now_ns() + LOOK_AGAIN_NS);
    }
    filch_lock_acquire(&pool->lock); /* the last to leave has let go of it, see leave_outside */
    filch_lock_release(&pool->lock);
    end_threads(pool);
    return FILCH_OK;
}
