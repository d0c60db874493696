/* Mutexes, and the conditions that belong to them. */
#include <filch/sync.h>

#include "base/assert.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/thread.h"
#include "sync/wait_queue.h"

static bool take_mutex(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    FILCH_ASSERT(queue->count <= 1);
    bool is_free = queue->count == 0;
    queue->count = 1;
    return is_free;
}

/* Without waiting: FILCH_OK, FILCH_EDEADLK if it is the caller's, FILCH_ETIMEDOUT if another's. */
static filch_status try_lock(struct filch_wait_queue *queue)
{
    struct filch_party *self = filch_party_self();
    filch_status status = FILCH_ETIMEDOUT;
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    if (take_mutex(queue)) {
        filch_wait_queue_own(queue, self);
        status = FILCH_OK;
    } else if (filch_wait_queue_is_own_locked(queue)) {
        status = FILCH_EDEADLK;
    }
    filch_lock_release(&queue->lock);
    return status;
}

static const struct filch_wait_kind mutex_wait = {.what = "a mutex",
                                                  .enlist = filch_wait_queue_enlist,
                                                  .leave = filch_wait_queue_leave,
                                                  .object = filch_wait_queue_object,
                                                  .holder = filch_wait_queue_owner};

static filch_status lock_until(struct filch_wait_queue *queue, uint64_t deadline)
{
    filch_status status = queue ? try_lock(queue) : FILCH_EINVAL;
    if (status != FILCH_ETIMEDOUT) {
        return status;
    }
    status = filch_wait_queue_take_until(queue, take_mutex, &mutex_wait, deadline);
    if (status == FILCH_OK) {
        filch_wait_queue_own(queue, filch_party_self());
    }
    return status;
}

filch_status filch_mutex_lock(filch_mutex *mutex)
{
    return lock_until(filch_wait_queue_of(mutex), FILCH_OS_NEVER);
}

filch_status filch_mutex_lock_until(filch_mutex *mutex, double deadline)
{
    return lock_until(filch_wait_queue_of(mutex), filch_deadline_at(deadline));
}

filch_status filch_mutex_unlock(filch_mutex *mutex)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(mutex);
    if (!queue) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_status status = queue->count ? FILCH_OK : FILCH_EINVAL;
    if (status == FILCH_OK) {
        filch_wait_queue_own(queue, NULL);
        /* the waiter that is served has it */
        queue->count = filch_wait_queue_serve_locked(queue, &claims);
        FILCH_ASSERT(!queue->count == !claims.first);
    }
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
    return status;
}

/* ---- condition ---- */

struct condition_wait {
    struct filch_wait_queue *condition;
    filch_mutex *mutex;
    struct filch_wait_node place;
    bool unlocked; /* the wait began: it does not if the caller has been asked to stop */
};

static bool wait_for_signal(struct filch_waiter *waiter, void *context)
{
    struct condition_wait *wait = context;
    filch_lock_acquire(&wait->condition->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_queue_adopt_locked(wait->condition);
    filch_wait_list_add_locked(&wait->condition->line, &wait->place, waiter);
    filch_lock_release(&wait->condition->lock);
    wait->unlocked = true;
    filch_mutex_unlock(wait->mutex);
    return true;
}

static void forget_signal(struct filch_waiter *waiter, void *context)
{
    struct condition_wait *wait = context;
    (void)waiter;
    filch_lock_acquire(&wait->condition->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&wait->condition->line, &wait->place);
    filch_lock_release(&wait->condition->lock);
}

static const struct filch_wait_kind signal_wait = {
    .what = "a condition", .enlist = wait_for_signal, .leave = forget_signal};

static bool is_locked(struct filch_wait_queue *mutex)
{
    filch_lock_acquire(&mutex->lock, FILCH_RANK_WAIT_QUEUE);
    bool locked = mutex->count != 0;
    filch_lock_release(&mutex->lock);
    return locked;
}

static filch_status condition_wait(filch_condition *condition, filch_mutex *mutex,
                                   uint64_t deadline)
{
    if (!condition || !mutex || !is_locked(filch_wait_queue_of(mutex))) {
        return FILCH_EINVAL;
    }
    struct condition_wait wait = {.condition = filch_wait_queue_of(condition), .mutex = mutex};
    filch_status status = filch_wait_until(&signal_wait, &wait, deadline);
    if (wait.unlocked) {
        filch_status locked = filch_wait_queue_take_surely(mutex, take_mutex, &mutex_wait);
        FILCH_ASSERT(locked == FILCH_OK); /* no wait goes on in the child of a fork() */
        filch_wait_queue_own(filch_wait_queue_of(mutex), filch_party_self());
    }
    return status;
}

filch_status filch_condition_wait(filch_condition *condition, filch_mutex *mutex)
{
    return condition_wait(condition, mutex, FILCH_OS_NEVER);
}

filch_status filch_condition_wait_until(filch_condition *condition, filch_mutex *mutex,
                                        double deadline)
{
    return condition_wait(condition, mutex, filch_deadline_at(deadline));
}

filch_status filch_condition_signal(filch_condition *condition)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(condition);
    if (!queue) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_queue_serve_locked(queue, &claims);
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
    return FILCH_OK;
}

filch_status filch_condition_broadcast(filch_condition *condition)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(condition);
    if (!queue) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_queue_serve_all_locked(queue, &claims);
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
    return FILCH_OK;
}
