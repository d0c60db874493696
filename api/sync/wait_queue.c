#include "sync/wait_queue.h"

#include <filch/sync.h>

#include "base/assert.h"
#include "debug/deadlock.h"
#include "future/waiting.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/thread.h"

_Static_assert(sizeof(struct filch_wait_queue) <= sizeof(filch_mutex) &&
                   sizeof(struct filch_wait_queue) <= sizeof(filch_condition) &&
                   sizeof(struct filch_wait_queue) <= sizeof(filch_wait_group) &&
                   sizeof(struct filch_wait_queue) <= sizeof(filch_once),
               "they have room");

static struct filch_wait_list empty_list(void)
{
    return (struct filch_wait_list){NULL, NULL};
}

void filch_wait_queue_adopt_locked(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    uint32_t token = filch_process_token();
    if (queue->token != token) {
        queue->line = empty_list();
        queue->token = token;
    }
}

/* No thread of this process will give it to a waiter. What has an owner is free when that owner
 * says so; of all else it is enough that the parent's threads have used it. */
static bool is_parents_locked(const struct filch_wait_queue_request *request)
{
    FILCH_ASSERT(filch_lock_is_held(&request->queue->lock));
    const struct filch_wait_queue *queue = request->queue;
    bool ours = queue->token && filch_process_owns(queue->token);
    if (!filch_process()->forked || ours) {
        return false;
    }
    struct filch_party *owner = atomic_load_explicit(&queue->owner, memory_order_relaxed);
    return request->kind->holder ? !owner || !filch_process_has_party(owner) : queue->token != 0;
}

bool filch_wait_queue_serve_locked(struct filch_wait_queue *queue, struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    if (queue->line.first && filch_process_inherited(queue->token)) {
        queue->line = empty_list(); /* they are in the parent */
    }
    return filch_wait_list_claim_locked(&queue->line, claims) != NULL;
}

void filch_wait_queue_serve_all_locked(struct filch_wait_queue *queue, struct filch_claims *claims)
{
    while (filch_wait_queue_serve_locked(queue, claims)) {
    }
}

/* ---- taking ---- */

/* Taken, what has an owner is ours, also until that owner is named. */
static bool take_for(struct filch_wait_queue_request *request)
{
    FILCH_ASSERT(filch_lock_is_held(&request->queue->lock));
    bool taken = request->take_locked(request->queue);
    if (taken && request->kind->holder && filch_process()->forked) {
        filch_wait_queue_adopt_locked(request->queue);
    }
    return taken;
}

static bool try_to_take(struct filch_wait_queue_request *request)
{
    struct filch_wait_queue *queue = request->queue;
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    bool taken = take_for(request);
    filch_lock_release(&queue->lock);
    return taken;
}

/* In line it is given to us with the signal. */
bool filch_wait_queue_enlist(struct filch_waiter *waiter, void *context)
{
    struct filch_wait_queue_request *request = context;
    struct filch_wait_queue *queue = request->queue;
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    bool waits = !take_for(request);
    if (waits && is_parents_locked(request)) {
        request->forked = true;
        waits = false;
    } else if (waits) {
        filch_wait_queue_adopt_locked(queue);
        filch_wait_list_add_locked(&queue->line, &request->place, waiter);
    }
    filch_lock_release(&queue->lock);
    return waits;
}

void filch_wait_queue_leave(struct filch_waiter *waiter, void *context)
{
    struct filch_wait_queue_request *request = context;
    (void)waiter;
    filch_lock_acquire(&request->queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&request->queue->line, &request->place);
    filch_lock_release(&request->queue->lock);
}

const void *filch_wait_queue_object(void *request)
{
    return ((struct filch_wait_queue_request *)request)->queue;
}

struct filch_party *filch_wait_queue_owner(void *context)
{
    struct filch_wait_queue_request *request = context;
    /* relaxed: a search looks twice */
    return atomic_load_explicit(&request->queue->owner, memory_order_relaxed);
}

void filch_wait_queue_own(struct filch_wait_queue *queue, struct filch_party *owner)
{
    atomic_store_explicit(&queue->owner, owner, memory_order_relaxed); /* as above */
}

bool filch_wait_queue_is_own_locked(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    /* relaxed: under the lock */
    struct filch_party *owner = atomic_load_explicit(&queue->owner, memory_order_relaxed);
    return owner && owner == filch_party_self();
}

filch_status filch_wait_queue_take_until(void *object,
                                         bool (*take_locked)(struct filch_wait_queue *queue),
                                         const struct filch_wait_kind *kind, uint64_t deadline)
{
    struct filch_wait_queue_request request = {
        .queue = filch_wait_queue_of(object), .take_locked = take_locked, .kind = kind};
    if (!object) {
        return FILCH_EINVAL;
    }
    if (try_to_take(&request)) { /* without leaving the fiber */
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(kind, &request, deadline);
    return request.forked ? FILCH_EFORKED : status;
}

filch_status filch_wait_queue_take_surely(void *object,
                                          bool (*take_locked)(struct filch_wait_queue *queue),
                                          const struct filch_wait_kind *kind)
{
    struct filch_wait_queue_request request = {
        .queue = filch_wait_queue_of(object), .take_locked = take_locked, .kind = kind};
    if (!try_to_take(&request)) {
        filch_deadlock_watch();
        filch_suspend_join(kind, &request);
    }
    return request.forked ? FILCH_EFORKED : FILCH_OK;
}
