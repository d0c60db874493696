#include <filch/sync.h>

#include "base/assert.h"
#include "sched/fiber.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sync/wait_queue.h"

enum { NOT_RUN, RUNNING, RUN }; /* a once's count; RUN and more: what its function returned */

static bool see_it_run(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    return queue->count != RUNNING;
}

static const struct filch_wait_kind once_wait = {.what = "a once",
                                                 .enlist = filch_wait_queue_enlist,
                                                 .leave = filch_wait_queue_leave,
                                                 .object = filch_wait_queue_object,
                                                 .holder = filch_wait_queue_owner};

static void ended_as(struct filch_wait_queue *queue, uint32_t state)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    FILCH_ASSERT(queue->count == RUNNING && state != RUNNING);
    queue->count = state;
    filch_wait_queue_own(queue, NULL);
    filch_wait_queue_serve_all_locked(queue, &claims);
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
}

/* The function ended its thread: it is for another to call it. */
static inline void function_left(struct filch_wait_queue **running)
{
    struct filch_fiber *fiber = *running ? filch_fiber_self() : NULL;
    if (*running && (!fiber || filch_unwound_begin(fiber, fiber->frame))) {
        ended_as(*running, NOT_RUN);
    }
}

static filch_status run_once(struct filch_wait_queue *queue, filch_status (*function)(void *),
                             void *context)
{
    FILCH_UNWINDS(function_left) struct filch_wait_queue *running = queue;
    filch_status status = function(context);
    running = NULL;
    ended_as(queue, RUN + (uint32_t)status);
    return status;
}

static uint32_t state_of_once(struct filch_wait_queue *queue)
{
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    uint32_t state = queue->count;
    filch_lock_release(&queue->lock);
    return state;
}

/* Its runner is through with it. */
static filch_status answer_of_once(filch_once *once, filch_status (*function)(void *),
                                   void *context)
{
    uint32_t state = state_of_once(filch_wait_queue_of(once));
    return state >= RUN ? (filch_status)(state - RUN)
                        : filch_once_run(once, function, context); /* its thread has ended */
}

filch_status filch_once_run(filch_once *once, filch_status (*function)(void *context),
                            void *context)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(once);
    if (!queue || !function) {
        return FILCH_EINVAL;
    }
    if (!filch_thread_self()) {
        return FILCH_ENOMEM;
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    uint32_t state = queue->count;
    bool own = state == RUNNING && filch_wait_queue_is_own_locked(queue);
    if (state == NOT_RUN) {
        queue->count = RUNNING;
        filch_wait_queue_own(queue, filch_party_self());
    }
    filch_lock_release(&queue->lock);
    if (own) {
        return FILCH_EDEADLK;
    }
    if (state == NOT_RUN) {
        return run_once(queue, function, context);
    }
    filch_status status = filch_wait_queue_take_surely(queue, see_it_run, &once_wait);
    return status == FILCH_OK ? answer_of_once(once, function, context) : status;
}
