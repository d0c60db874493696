#include "sched/pool.h"

#include "base/assert.h"
#include "os/os.h"
#include "sched/answers.h"
#include "sched/core.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/wake.h"

static unsigned thread_count(struct filch_pool *pool)
{
    /* relaxed: written under the lock; a hint without it */
    return atomic_load_explicit(&pool->thread_count, memory_order_relaxed);
}

static void set_thread_count_locked(struct filch_pool *pool, unsigned count)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    FILCH_ASSERT(count <= pool->config.workers + pool->config.permits + 1);
    atomic_store_explicit(&pool->thread_count, count, memory_order_relaxed); /* as above */
}

/* ---- making threads ----
 *
 * A thread that is refused (a limit on processes, no memory for its stack) may be granted later.
 * The system is asked again when one is needed, but not at once: each refusal costs it some
 * microseconds, and every publication of a pool that lacks a thread would ask. */

enum { PAUSE_MIN_NS = 1000000, PAUSE_MAX_NS = 256000000 }; /* doubled from refusal to refusal */

bool filch_pool_may_ask_thread(struct filch_pool *pool)
{
    /* relaxed: written under the lock; a hint without it */
    uint64_t again_ns = atomic_load_explicit(&pool->ask_again_ns, memory_order_relaxed);
    return again_ns == 0 || filch_os_now_ns() >= again_ns;
}

static void note_answer_locked(struct filch_pool *pool, bool granted)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    uint64_t pause_ns = pool->ask_pause_ns ? 2 * pool->ask_pause_ns : PAUSE_MIN_NS;
    pause_ns = pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
    pool->ask_pause_ns = granted ? 0 : pause_ns;
    atomic_store_explicit(&pool->ask_again_ns, granted ? 0 : filch_os_now_ns() + pause_ns,
                          memory_order_relaxed); /* as above */
}

bool filch_pool_ask_thread_locked(struct filch_pool *pool, thrd_t *thread, thrd_start_t start,
                                  void *argument)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    bool granted = filch_os_thread_create(thread, start, argument);
    note_answer_locked(pool, granted);
    return granted;
}

/* Does the caller go on for a while, with more for others to do than it takes to come? */
static bool goes_on_forking(struct filch_pool *pool)
{
    struct filch_thread *maker = filch_thread_known();
    return !pool->crowded && maker && maker->core && maker->fiber && maker->fiber->forking;
}

/* A thread that starts has all that it needs: it must not fail after it was counted on. */
static bool start_thread_locked(struct filch_pool *pool)
{
    FILCH_ASSERT(filch_core_count(pool) > 0); /* or it could not begin */
    struct filch_thread *thread = filch_process_take_thread();
    if (!thread) {
        note_answer_locked(pool, false);
        return false;
    }
    atomic_store_explicit(&thread->pool, pool, memory_order_relaxed); /* see filch_thread_pool */
    thread->fresh = true;
    if (pool->config.report_overflow) {
        filch_thread_furnish(thread);
    }
    thrd_t *made = &pool->threads[thread_count(pool)];
    bool moves = goes_on_forking(pool);
    atomic_store_explicit(&thread->moving, moves, memory_order_relaxed); /* it is not there yet */
    if (!filch_pool_ask_thread_locked(pool, made, filch_core_thread, thread)) {
        filch_process_give_thread(thread);
        return false;
    }
    if (moves) {
        filch_os_thread_move(*made);
        /* relaxed: what the thread does to itself comes after the calls above, by the system */
        atomic_store_explicit(&thread->moving, false, memory_order_relaxed);
    }
    set_thread_count_locked(pool, thread_count(pool) + 1);
    return true;
}

static bool has_room(struct filch_pool *pool)
{
    /* relaxed, both: written under the lock; a hint without it */
    return thread_count(pool) < filch_handoff_threads(pool) &&
           !atomic_load_explicit(&pool->stopping, memory_order_relaxed) &&
           filch_pool_may_ask_thread(pool);
}

/* Has the first thread what it needs, or could it begin nothing? Others may have to wait for
 * stacks, and are made while the lock of the stacks is held (filch_stacks_each). */
static bool first_can_begin(struct filch_pool *pool)
{
    return filch_core_make_first(pool) &&
           (thread_count(pool) > 0 || filch_stacks_reserve(&pool->stacks));
}

bool filch_pool_make_thread(struct filch_pool *pool)
{
    if (!has_room(pool) || !first_can_begin(pool)) {
        return false;
    }
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    bool made = has_room(pool) && start_thread_locked(pool);
    filch_lock_release(&pool->lock);
    return made;
}

bool filch_pool_has_surplus(struct filch_pool *pool)
{
    return thread_count(pool) > filch_handoff_threads(pool);
}

/* We count no more. Our place in the list goes to the last: no thread will join us. */
static void forget_self_locked(struct filch_pool *pool)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    unsigned last = thread_count(pool);
    thrd_t self = thrd_current();
    for (unsigned i = 0; i < last; i++) {
        if (thrd_equal(pool->threads[i], self)) {
            pool->threads[i] = pool->threads[last];
            break;
        }
    }
    thrd_detach(self);
}

/* A publisher shows its work, then sees that no thread sleeps, then looks for room for a thread;
 * we make room, then look for work: one of us acts. So the room stays unless we find some. */
static bool leave_room_locked(struct filch_pool *pool)
{
    FILCH_ASSERT(thread_count(pool) > 0);
    set_thread_count_locked(pool, thread_count(pool) - 1);
    atomic_thread_fence(memory_order_seq_cst); /* pairs with that in filch_pool_wake */
    bool needed = filch_core_work_visible(pool);
    if (needed) {
        set_thread_count_locked(pool, thread_count(pool) + 1);
    }
    return !needed;
}

bool filch_pool_retire(struct filch_pool *pool)
{
    FILCH_ASSERT(!filch_thread_known()->core && !filch_thread_known()->fiber);
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    bool joined = atomic_load_explicit(&pool->stopping, memory_order_relaxed); /* under the lock */
    bool leaves = !joined && filch_pool_has_surplus(pool) && leave_room_locked(pool);
    if (leaves) {
        forget_self_locked(pool);
    }
    filch_lock_release(&pool->lock);
    return joined || leaves;
}

filch_status filch_pool_start_threads(struct filch_pool *pool)
{
    for (unsigned i = 0; i < pool->config.workers; i++) {
        if (!filch_pool_make_thread(pool)) {
            return FILCH_EAGAIN;
        }
    }
    return FILCH_OK;
}

bool filch_pool_has_thread(struct filch_pool *pool)
{
    if (FILCH_UNLIKELY(thread_count(pool) == 0)) {
        filch_pool_wake_first(pool);
    }
    return thread_count(pool) > 0 || filch_pool_make_thread(pool) || thread_count(pool) > 0;
}

/* From outside, see that a thread comes. As soon as the queue is released they may run to their
 * ends, and the pool with them, freed by one that has learned of that. So the look whether a thread
 * is to be called is before that; and if so, we count ourselves in until we let go of the pool. */
static void push_and_call(struct filch_pool *pool, struct filch_queue *queue,
                          struct filch_work *first, struct filch_work *last, size_t count)
{
    filch_queue_show(queue, first, last, count);
    bool calls = filch_pool_must_call(pool);
    if (calls) {
        filch_pool_hold(pool);
    }
    filch_queue_release(queue);
    if (calls) {
        filch_pool_call(pool);
        filch_pool_dismiss(pool);
    }
}

void filch_pool_resume(struct filch_pool *pool, struct filch_work *first, struct filch_work *last,
                       size_t count)
{
    push_and_call(pool, &pool->ready, first, last, count);
}

static void inject_one(struct filch_pool *pool, struct filch_work *work)
{
    FILCH_ASSERT(work->kind == FILCH_WORK_TASK);
    push_and_call(pool, &pool->inject, work, work, 1);
}

filch_status filch_pool_accept(struct filch_pool *pool)
{
    filch_status status = filch_pool_admit(pool);
    if (status == FILCH_OK && !filch_pool_has_thread(pool)) {
        filch_pool_dismiss(pool);
        return FILCH_EAGAIN;
    }
    return status;
}

static filch_status submit_outside(struct filch_pool *pool, struct filch_detached *task)
{
    (void)filch_thread_self(); /* with a record it allocates from what others gave back */
    filch_status status = filch_pool_accept(pool);
    if (status == FILCH_OK) {
        inject_one(pool, &task->work);
    }
    return status;
}

static void push_inside(struct filch_pool *pool, struct filch_core *core,
                        struct filch_detached *task)
{
    FILCH_ASSERT(filch_core_is_own(core) && core->pool == pool && task->run);
    if (!filch_deque_push(&core->deque, filch_entry_of_work(&task->work))) {
        filch_queue_push(&pool->inject, &task->work); /* which never needs memory */
    }
    filch_pool_wake(pool);
}

static filch_status submit_inside(struct filch_pool *pool, struct filch_core *core,
                                  struct filch_detached *task)
{
    filch_status status = filch_pool_check(pool);
    if (status == FILCH_OK && !filch_pool_has_thread(pool)) {
        status = FILCH_EAGAIN; /* a guest's, which leaves before the task is run */
    }
    if (status == FILCH_OK) {
        filch_pool_task_begun(core);
        push_inside(pool, core, task);
    }
    return status;
}

filch_status filch_pool_submit(struct filch_pool *pool, struct filch_detached *task)
{
    task->work.kind = FILCH_WORK_TASK;
    struct filch_core *core = filch_pool_own_core(pool);
    return core ? submit_inside(pool, core, task) : submit_outside(pool, task);
}

bool filch_pool_withdraw(struct filch_pool *pool, struct filch_detached *task)
{
    /* A thread on the way shall not come for nothing: the system would wake one
     * that never has anything to do on a processor that is slow to come. */
    bool expected = filch_pool_expects_thread(pool);
    return filch_queue_take_out(&pool->inject, &task->work, expected);
}

filch_status filch_pool_submit_background(struct filch_pool *pool, struct filch_detached *task)
{
    task->work.kind = FILCH_WORK_TASK;
    filch_status status = filch_pool_accept(pool);
    if (status == FILCH_OK) {
        filch_pool_hold(pool); /* as in push_and_call */
        filch_queue_push(&pool->background, &task->work);
        filch_pool_wake(pool);
        filch_pool_dismiss(pool);
    }
    return status;
}

void filch_pool_submit_accepted(struct filch_pool *pool, struct filch_detached *task)
{
    struct filch_core *core = filch_pool_own_core(pool);
    task->work.kind = FILCH_WORK_TASK;
    if (core) {
        push_inside(pool, core, task);
    } else {
        inject_one(pool, &task->work);
    }
}

void filch_pool_continue(struct filch_pool *pool, struct filch_detached *task)
{
    struct filch_core *core = filch_pool_own_core(pool);
    if (core) {
        filch_pool_task_begun(core);
    } else {
        filch_pool_hold(pool);
    }
    filch_pool_submit_accepted(pool, task);
}

/* False: another thread has, or is about to. */
static bool end_threads(struct filch_pool *pool)
{
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    unsigned count = thread_count(pool);
    bool first = !atomic_load_explicit(&pool->stopping, memory_order_relaxed); /* under the lock */
    set_thread_count_locked(pool, 0);
    /* seq_cst: read by sleepers between announcement and sleep (park.h) */
    atomic_store_explicit(&pool->stopping, true, memory_order_seq_cst);
    filch_lock_release(&pool->lock);
    filch_pool_wake_all(pool);
    int cancel = filch_os_cancel_off(); /* a join would be a point of cancellation */
    for (unsigned i = 0; i < count; i++) {
        filch_os_thread_join(pool->threads[i]);
    }
    filch_os_cancel_restore(cancel);
    return first;
}

void filch_pool_drain(struct filch_pool *pool)
{
    filch_pool_await_quiet(pool);
    if (end_threads(pool)) { /* until then, one that was just made may still take a core */
        if (pool->poller_calls) {
            pool->poller_calls->end(pool);
        }
        filch_core_give_spares(pool);
        filch_core_finish_all(pool);
    }
}
