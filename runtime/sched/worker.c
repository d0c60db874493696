#include "sched/worker.h"

#include "base/assert.h"
#include "os/os.h"
#include "os/os_modes.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/ready.h"
#include "sched/starve.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/unwound.h"
#include "sched/wake.h"
#include "stack/overflow.h"
#include "stack/sanitize.h"

enum { NEW_EVERY = 4 }; /* yields: after so many, one gives its turn to new work */

struct filch_fiber *filch_worker_carry_out_wait(struct filch_thread *thread,
                                                struct filch_fiber *left)
{
    FILCH_ASSERT(!thread->fiber); /* its registers are saved */
    struct filch_leave *order = &thread->leave;
    struct filch_waiter *waiter = order->waiter;
    struct filch_pool *pool = left->pool;
    uint64_t deadline = waiter->deadline_ns; /* the waiter is gone once it is armed */
    FILCH_ASSERT(waiter->fiber == left);
    bool timed = order->ends && deadline != FILCH_OS_NEVER;
    bool earliest = timed && filch_timers_arm(&pool->timers, left->stack.timer);
    if (order->enlist && !order->enlist(waiter, order->context)) {
        filch_waiter_found(waiter);
        return left;
    }
    if (order->ends) {
        filch_pool_end_late_wait(pool, waiter);
    }
    if (!filch_waiter_arm(waiter)) {
        return left;
    }
    if (earliest) {
        filch_pool_poke_monitor(pool, deadline);
    }
    return NULL;
}

/* A stack to run new work on. When there is no memory for one, only fibers that have theirs go
 * on. NULL: none is ready either. */
static struct filch_fiber *fresh_fiber(struct filch_pool *pool, struct filch_thread *thread)
{
    struct filch_fiber *fiber = filch_fiber_new(pool, thread->core);
    return FILCH_LIKELY(fiber != NULL) ? fiber : filch_pool_starve(pool, thread);
}

/* A fiber has yielded to others. If there are any here, we go on with one of them: another thread
 * may take the fiber. */
static void pass_turn(struct filch_core *core)
{
    if (filch_deque_count(&core->deque) > 0) {
        filch_pool_wake(core->pool);
    }
}

/* Does nothing come before the fibers that are ready here? Then one of them goes on without a
 * fresh stack in between, on which to look for it. It counts as a pick. */
static bool ready_come_first(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    if (core->new_first || (filch_core_picks(core) + 1) % FILCH_FAIR_PICKS == 0 ||
        filch_pool_overcrowded(core->pool)) {
        return false;
    }
    filch_core_count_pick(core);
    return true;
}

static struct filch_fiber *first_ready(struct filch_core *core)
{
    struct filch_fiber *fiber = filch_core_take_next(core);
    struct filch_work *work = fiber ? NULL : filch_queue_pop(&core->ready);
    return work ? filch_fiber_of_work(work) : fiber;
}

static struct filch_fiber *ready_here(struct filch_thread *thread)
{
    struct filch_core *core = thread->core;
    struct filch_fiber *fiber = ready_come_first(core) ? first_ready(core) : NULL;
    if (fiber && thread->woken) {
        thread->woken = false;
        filch_pool_pass_on(core->pool); /* as in core.c: a thread that was woken wakes the next */
    }
    if (fiber) {
        filch_pool_take_turn(core->pool);
    }
    return fiber;
}

/* A fiber has yielded: it stands in line behind what is ready; whose turn it is now, NULL: that is
 * to be looked for. Every so often something new has its turn before those that are ready. A fiber
 * that had lent its core stands in the pool's line. */
static struct filch_fiber *stand_in_line(struct filch_pool *pool, struct filch_thread *thread,
                                         struct filch_fiber *fiber)
{
    struct filch_core *core = thread->core;
    if (!core) {
        filch_pool_resume(pool, &fiber->work, &fiber->work, 1);
        return NULL;
    }
    filch_core_queue_next(core); /* it was ready before */
    core->new_first = ++core->yields % NEW_EVERY == 0 && filch_deque_count(&core->deque) > 0;
    if (ready_come_first(core)) {
        return filch_fiber_of_work(filch_queue_rotate(&core->ready, &fiber->work));
    }
    filch_queue_push(&core->ready, &fiber->work);
    pass_turn(core);
    return NULL;
}

void filch_worker_run(struct filch_thread *thread, struct filch_fiber *fiber)
{
    FILCH_ASSERT(thread == filch_thread_known() && !thread->fiber && !fiber->guest);
    FILCH_ASSERT(!filch_rank_holds_any());
    thread->fiber = fiber;
    if (thread->exceptions) {
        filch_exceptions_move(thread->exceptions, &fiber->exceptions);
    }
    thread->native_tsan_fiber = filch_sanitize_tsan_fiber_current();
    filch_core_enter(thread->core, fiber);
    filch_sanitize_leave(&thread->native_fake_stack, fiber->stack.low, fiber->stack.bytes,
                         fiber->stack.tsan_fiber);
    filch_context_switch(&thread->native, &fiber->context);
    filch_sanitize_arrive(thread->native_fake_stack, NULL, NULL);
    FILCH_ASSERT(thread == filch_thread_known() && thread->fiber == fiber);
    if (thread->exceptions) {
        filch_exceptions_move(&fiber->exceptions, thread->exceptions);
    }
    filch_core_leave(thread->core);
    thread->fiber = NULL;
}

static void run_fibers(struct filch_pool *pool, struct filch_thread *thread)
{
    filch_core_answer_wake(pool);
    if (!filch_core_obtain(pool, thread)) {
        return;
    }
    struct filch_fiber *next = NULL;
    for (;;) {
        if (!next && !thread->core && !filch_core_obtain(pool, thread)) {
            return; /* the fiber had lent the core, and nothing needs us now */
        }
        if (!next) {
            next = ready_here(thread);
        }
        struct filch_fiber *fiber = next ? next : fresh_fiber(pool, thread);
        if (!fiber) {
            filch_core_release(thread);
            filch_pool_wake_all(pool);
            continue;
        }
        filch_worker_run(thread, fiber);
        if (thread->leave.kind == FILCH_LEAVE_WAIT) {
            next = filch_worker_carry_out_wait(thread, fiber);
        } else if (thread->leave.kind == FILCH_LEAVE_YIELD) {
            next = stand_in_line(pool, thread, fiber);
        } else {
            FILCH_ASSERT(thread->leave.kind == FILCH_LEAVE_DISCARD);
            next = thread->leave.next;
            filch_fiber_free(fiber, thread->core);
            filch_pool_feed(pool, thread->core);
            if (!next) {
                return;
            }
        }
    }
}

static void live(void *record)
{
    struct filch_thread *thread = record;
    struct filch_pool *pool = filch_thread_pool(thread);
    bool reports = pool->config.report_overflow;
    filch_pool_thread_begins(pool, thread);
    filch_os_thread_begin("filch");
    filch_thread_adopt(thread);
    filch_os_set_modes(FILCH_OS_MODES_DEFAULT); /* it has inherited its maker's */
    thread->exceptions = filch_exceptions_here();
    if (reports) {
        filch_overflow_begin_thread(thread->fault_stack);
    }
    do {
        run_fibers(pool, thread);
    } while (!filch_pool_retire(pool)); /* which may be gone */
    if (reports) {
        filch_overflow_end_thread();
    }
    filch_thread_resign();
}

/* What a task does to its thread, the task's stack being as it was. */
static void was_ended(void *thread)
{
    filch_unwound_fatally(thread);
}

int filch_core_thread(void *record)
{
    filch_os_run_guarded(live, record, was_ended);
    return 0;
}
