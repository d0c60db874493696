#include "sched/threads.h"

#include "base/assert.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/handoff.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/wake.h"
#include "sched/worker.h"

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

/* ---- where a new thread begins ----
 *
 * Linux often puts it where its maker is, which goes on, and looks for a better place milliseconds
 * later. To move it takes some 100 us from the maker, who may be done before: it is moved when that
 * is known to pay. After it has begun, its place is its own affair, and its start hook's. */

static struct filch_thread *starting(struct filch_pool *pool)
{
    /* relaxed: written under the lock; a hint without it */
    return atomic_load_explicit(&pool->starting, memory_order_relaxed);
}

static void set_starting_locked(struct filch_pool *pool, struct filch_thread *thread)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    atomic_store_explicit(&pool->starting, thread, memory_order_relaxed); /* as above */
}

static void move_starting_locked(struct filch_pool *pool)
{
    if (starting(pool)) {
        filch_os_thread_move(pool->threads[thread_count(pool) - 1]);
        set_starting_locked(pool, NULL);
    }
}

void filch_pool_move_starting(struct filch_pool *pool)
{
    if (!pool->crowded && starting(pool)) {
        filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
        move_starting_locked(pool);
        filch_lock_release(&pool->lock);
    }
}

void filch_pool_thread_begins(struct filch_pool *pool, struct filch_thread *thread)
{
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    if (starting(pool) == thread) {
        set_starting_locked(pool, NULL);
    }
    filch_lock_release(&pool->lock);
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
    if (!filch_pool_ask_thread_locked(pool, made, filch_core_thread, thread)) {
        filch_process_give_thread(thread);
        return false;
    }
    set_starting_locked(pool, thread);
    set_thread_count_locked(pool, thread_count(pool) + 1);
    if (goes_on_forking(pool)) {
        move_starting_locked(pool);
    }
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

bool filch_pool_end_threads(struct filch_pool *pool)
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
