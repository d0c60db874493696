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
    struct filch_mutex_wait lock; /* its place is in the condition's line first */
    struct filch_wait_queue *condition;
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
    FILCH_ALIGNED(FILCH_CACHE_LINE) /* a broadcast touches one line of it */
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
                                        filch_deadline until)
{
    return condition_wait(condition, mutex, filch_deadline_ns(until));
}

/* ---- signals ---- */

static struct filch_mutex_wait *lock_wait_at(struct filch_wait_node *place)
{
    return FILCH_CONTAINER(place, struct filch_mutex_wait, place);
}

/* One that is to go on stays in the line, and needs its mutex next; else it leaves the line. */
static void claim_signalled_locked(struct filch_wait_list *line, struct filch_wait_node *place,
                                   uint64_t now_ns)
{
    struct filch_claims claim = {NULL, NULL};
    if (filch_waiter_claim(place->waiter, &claim)) {
        filch_mutex_note_move(lock_wait_at(place), now_ns);
    } else {
        filch_wait_list_remove_locked(line, place);
    }
}

/* From both ends: each lies on a stack of its own, which no other has touched since it waits, and
 * is fetched while those at the other end are claimed. True: all are for the same mutex. */
static bool claim_crowd_locked(struct filch_wait_list *line, uint64_t now_ns)
{
    struct filch_wait_node *front = line->first;
    struct filch_wait_node *back = line->last;
    const struct filch_mutex_state *mutex = front ? lock_wait_at(front)->mutex : NULL;
    bool same = true;
    for (bool met = !front; !met;) {
        struct filch_wait_node *next = front->next;
        struct filch_wait_node *before = back->prev;
        bool apart = front != back;
        filch_prefetch(next);
        filch_prefetch(before);
        filch_prefetch(back->waiter);
        met = !apart || next == back;
        same = same && lock_wait_at(front)->mutex == mutex && lock_wait_at(back)->mutex == mutex;
        claim_signalled_locked(line, front, now_ns);
        if (apart) {
            claim_signalled_locked(line, back, now_ns);
        }
        front = next;
        back = before;
    }
    return same;
}

/* They are for several mutexes. */
static void move_each(struct filch_wait_list *claimed)
{
    for (struct filch_wait_node *place; (place = claimed->first);) {
        struct filch_wait_list one = {NULL, NULL};
        struct filch_waiter *waiter = place->waiter;
        filch_wait_list_remove_locked(claimed, place);
        filch_wait_list_add_locked(&one, place, waiter);
        filch_mutex_move(&one);
    }
}

/* Those that wait now: none in the child of a fork(), where they are the parent's. */
static struct filch_wait_list *line_locked(struct filch_wait_queue *queue)
{
    if (filch_process_inherited(queue->token)) {
        queue->line = (struct filch_wait_list){NULL, NULL};
    }
    return &queue->line;
}

filch_status filch_condition_signal(filch_condition *condition)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(condition);
    struct filch_wait_list claimed = {NULL, NULL};
    struct filch_claims claim = {NULL, NULL};
    if (!queue) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    struct filch_wait_node *place = filch_wait_list_claim_locked(line_locked(queue), &claim);
    filch_lock_release(&queue->lock);
    if (place) {
        filch_wait_list_add_locked(&claimed, place, claim.first);
        filch_mutex_note_move(lock_wait_at(place), filch_os_now_ns());
        filch_mutex_move(&claimed);
    }
    return FILCH_OK;
}

filch_status filch_condition_broadcast(filch_condition *condition)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(condition);
    if (!queue) {
        return FILCH_EINVAL;
    }
    uint64_t now_ns = filch_os_now_ns();
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    struct filch_wait_list *line = line_locked(queue);
    bool same = claim_crowd_locked(line, now_ns);
    struct filch_wait_list claimed = *line;
    *line = (struct filch_wait_list){NULL, NULL};
    filch_lock_release(&queue->lock);
    if (same) {
        filch_mutex_move(&claimed);
    } else {
        move_each(&claimed);
    }
    return FILCH_OK;
}
