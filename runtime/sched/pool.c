#include "sched/pool.h"

#include "base/assert.h"
#include "os/os.h"
#include "sched/answers.h"
#include "sched/core.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/wake.h"

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

void filch_pool_drain(struct filch_pool *pool)
{
    filch_pool_await_quiet(pool);
    if (filch_pool_end_threads(
            pool)) { /* until then, one that was just made may still take a core */
        if (pool->poller_calls) {
            pool->poller_calls->end(pool);
        }
        filch_core_give_spares(pool);
        filch_core_finish_all(pool);
    }
}
