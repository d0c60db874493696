/* Conditions. One that is signalled needs its mutex next: it is claimed (wait.h), and stands in
 * line for that at once. So a broadcast wakes one, and each unlock the next, instead of all that
 * would find the mutex taken. */
#include <filch/sync.h>

#include "base/base.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sync/mutex.h"
#include "sync/wait_queue.h"

struct condition_wait {
    struct filch_wait_queue *condition;
    struct filch_mutex_wait lock; /* its place is in the condition's line first */
    filch_mutex *mutex;
    bool unlocked; /* the wait began: it does not if the caller has been asked to stop */
};

static bool wait_for_signal(struct filch_waiter *waiter, void *context)
{
    struct condition_wait *wait = context;
    filch_lock_acquire(&wait->condition->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_queue_adopt_locked(wait->condition);
    filch_wait_list_add_locked(&wait->condition->line, &wait->lock.place, waiter);
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
    filch_wait_list_remove_locked(&wait->condition->line, &wait->lock.place);
    filch_lock_release(&wait->condition->lock);
}

static bool waits_for_lock(void *wait)
{
    return filch_mutex_is_moved(&((struct condition_wait *)wait)->lock);
}

static struct filch_party *lock_holder(void *wait)
{
    return waits_for_lock(wait) ? filch_mutex_holder(&((struct condition_wait *)wait)->lock) : NULL;
}

static const struct filch_wait_kind signal_wait = {.what = "a condition",
                                                   .enlist = wait_for_signal,
                                                   .leave = forget_signal,
                                                   .holder = lock_holder,
                                                   .moved = waits_for_lock};

static filch_status condition_wait(filch_condition *condition, filch_mutex *mutex,
                                   uint64_t deadline)
{
    if (!condition || !mutex || !filch_mutex_is_locked(filch_mutex_of(mutex))) {
        return FILCH_EINVAL;
    }
    struct condition_wait wait = {
        .condition = filch_wait_queue_of(condition),
        .lock = {.mutex = filch_mutex_of(mutex), .party = filch_party_self()},
        .mutex = mutex};
    filch_status status = filch_wait_until(&signal_wait, &wait, deadline);
    if (wait.unlocked) {
        filch_mutex_take_surely(&wait.lock, status == FILCH_OK);
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

/* The first so many that wait are to go on. */
static filch_status signal_some(filch_condition *condition, size_t most)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(condition);
    if (!queue) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    struct filch_wait_list claimed = {NULL, NULL};
    struct filch_wait_node *place;
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    if (filch_process_inherited(queue->token)) {
        queue->line = (struct filch_wait_list){NULL, NULL}; /* they are in the parent */
    }
    for (; most && (place = filch_wait_list_claim_locked(&queue->line, &claims)); most--) {
        filch_prefetch(queue->line.first); /* no other has touched it since it waits */
        filch_wait_list_add_locked(&claimed, place, claims.last);
    }
    filch_lock_release(&queue->lock);
    filch_mutex_move(&claimed);
    return FILCH_OK;
}

filch_status filch_condition_signal(filch_condition *condition)
{
    return signal_some(condition, 1);
}

filch_status filch_condition_broadcast(filch_condition *condition)
{
    return signal_some(condition, SIZE_MAX);
}
