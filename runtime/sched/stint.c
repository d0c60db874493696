#include "sched/stint.h"

#include "base/assert.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/handoff.h"
#include "sched/pool.h"
#include "sched/starve.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sched/wake.h"
#include "sched/worker.h"
#include "stack/sanitize.h"

bool filch_stint_goes_on(void)
{
    return filch_thread_known()->fiber->on_stint;
}

/* The thread that is on the stint ends; a worker cannot. */
FILCH_NEVER_RETURNS static void give_up_job(struct filch_fiber *fiber)
{
    filch_unwound_to(fiber, NULL, filch_fiber_bottom(fiber));
    filch_fiber_discard_as(fiber, FILCH_LEAVE_UNWOUND, NULL);
}

static inline void job_left(struct filch_fiber **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_job(*running);
    }
}

static void do_job(struct filch_fiber *fiber)
{
    filch_pool_appoint_monitor(fiber->pool, 1);
    filch_core_start(filch_thread_known()->core);
    filch_core_begin(fiber);
    FILCH_UNWINDS(job_left) struct filch_fiber *running = fiber;
    fiber->job.run(fiber->job.context);
    running = NULL;
    FILCH_ASSERT(!fiber->frame && fiber->lane.top == filch_fiber_bottom(fiber));
    if (FILCH_UNLIKELY(filch_thread_known()->left)) {
        filch_suspend_end_child("to end a task of its parent's");
    }
    if (FILCH_UNLIKELY(fiber->lent || fiber->pins)) {
        filch_handoff_forget(fiber);
    }
}

static void rest(struct filch_fiber *fiber)
{
    struct filch_thread *thread = filch_thread_known();
    thread->leave.kind = FILCH_LEAVE_REST;
    filch_fiber_leave(fiber, thread);
}

struct filch_fiber *filch_stint_main(struct filch_fiber *fiber)
{
    do_job(fiber);
    while (fiber->on_stint) {
        if (FILCH_SANITIZES_STACKS) {
            return NULL; /* they are told when a stack is left for good: each stint has its own */
        }
        rest(fiber);
        do_job(fiber);
    }
    if (fiber->job.over) {
        fiber->job.over(fiber->job.context);
    }
    return filch_core_main(fiber);
}

/* What is the thread's and not the job's. */
struct aside {
    struct filch_exceptions *here;
    struct filch_exceptions exceptions;
    void *locale;
};

static void put_aside(struct filch_thread *thread, struct aside *aside)
{
    aside->locale = filch_os_locale();
    aside->here = thread->exceptions = filch_exceptions_here();
    if (aside->here) {
        aside->exceptions = (struct filch_exceptions){NULL, 0};
        filch_exceptions_move(&aside->exceptions, aside->here);
    }
}

static void take_up_again(struct filch_thread *thread, struct aside *aside)
{
    thread->exceptions = NULL;
    if (aside->here) {
        filch_exceptions_move(aside->here, &aside->exceptions);
    }
    if (filch_os_locale() != aside->locale) {
        filch_os_set_locale(aside->locale);
    }
}

/* The job has left. From the first moment on that another thread may have it, the pool's end does
 * not wait for us because of it: so a caller from outside counts itself in before that. True: it
 * goes on here, because what it wanted to wait for is there. */
static bool part(struct filch_thread *thread, struct filch_fiber *fiber, bool *held)
{
    struct filch_pool *pool = fiber->pool;
    if (!*held) {
        *held = true;
        filch_pool_hold(pool);
    }
    fiber->on_stint = false;
    if (thread->leave.kind == FILCH_LEAVE_WAIT) {
        return filch_worker_carry_out_wait(thread, fiber) != NULL;
    }
    FILCH_ASSERT(thread->leave.kind == FILCH_LEAVE_YIELD);
    filch_pool_resume(pool, &fiber->work, &fiber->work, 1);
    return false;
}

/* The fiber has left and will not come back by itself. */
static void put_away(struct filch_thread *thread, struct filch_fiber *fiber)
{
    struct filch_core *core = thread->core;
    FILCH_ASSERT(fiber->on_stint);
    if (core && !core->resting && thread->leave.kind == FILCH_LEAVE_REST) {
        core->resting = fiber;
    } else {
        filch_fiber_free(fiber, core);
    }
    filch_pool_feed(fiber->pool, core);
}

static enum filch_stint run_fiber(struct filch_thread *thread, struct filch_fiber *fiber,
                                  bool *held)
{
    do {
        fiber->on_stint = true;
        filch_worker_run(thread, fiber);
        if (thread->leave.kind >= FILCH_LEAVE_DISCARD) {
            enum filch_leave_kind kind = thread->leave.kind;
            put_away(thread, fiber);
            return kind == FILCH_LEAVE_UNWOUND ? FILCH_STINT_UNWOUND : FILCH_STINT_ENDED;
        }
    } while (part(thread, fiber, held));
    return FILCH_STINT_LEFT;
}

static struct filch_fiber *fiber_for_stint(struct filch_pool *pool, struct filch_core *core)
{
    struct filch_fiber *fiber = core->resting;
    core->resting = NULL;
    return fiber ? fiber : filch_fiber_new_for_stint(pool, core);
}

/* On the core that the thread holds. */
static enum filch_stint run_on_core(struct filch_pool *pool, struct filch_thread *thread,
                                    const struct filch_job *job, bool *held)
{
    struct filch_fiber *fiber = fiber_for_stint(pool, thread->core);
    if (!fiber) {
        return FILCH_STINT_REFUSED;
    }
    fiber->job = *job;
    struct aside aside;
    put_aside(thread, &aside);
    enum filch_stint stint = run_fiber(thread, fiber, held);
    take_up_again(thread, &aside);
    return stint;
}

static enum filch_stint run_for_guest(struct filch_pool *pool, struct filch_thread *thread,
                                      const struct filch_job *job)
{
    struct filch_fiber *guest = thread->fiber;
    bool held = true; /* a guest is counted */
    FILCH_ASSERT(guest->guest && guest->pool == pool);
    if (!thread->core) {
        return FILCH_STINT_REFUSED;
    }
    filch_core_leave(thread->core);
    thread->fiber = NULL;
    enum filch_stint stint = run_on_core(pool, thread, job, &held);
    thread->fiber = guest;
    if (thread->core || filch_core_acquire_guest(pool, thread)) { /* the job may have lent it */
        filch_core_enter(thread->core, guest);
    }
    return stint;
}

static enum filch_stint run_from_outside(struct filch_pool *pool, struct filch_thread *thread,
                                         const struct filch_job *job)
{
    enum filch_stint stint = FILCH_STINT_REFUSED;
    bool held = false;
    if (filch_core_acquire_guest(pool, thread)) {
        stint = run_on_core(pool, thread, job, &held);
        filch_core_release_guest(pool, thread);
    }
    if (held) {
        filch_pool_dismiss(pool);
    }
    return stint;
}

enum filch_stint filch_stint_run(struct filch_pool *pool, const struct filch_job *job)
{
    struct filch_thread *thread = filch_thread_self();
    if (!thread) {
        return FILCH_STINT_REFUSED;
    }
    enum filch_stint stint =
        thread->fiber ? run_for_guest(pool, thread, job) : run_from_outside(pool, thread, job);
    if (stint >= FILCH_STINT_ENDED && job->over) {
        job->over(job->context);
    }
    if (FILCH_UNLIKELY(stint == FILCH_STINT_UNWOUND)) {
        filch_os_thread_exit();
    }
    return stint;
}
