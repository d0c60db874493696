/* Wait groups. What is to be done is counted without the lock, but where it becomes none, or some
 * after none: then those in line are served, and it is said whose it is. So one that sees none
 * under the lock may free the group at once.
 *
 * Orders: one that is done releases, also where it is not the last; that one, and those that see
 * none, acquire. */
#include <filch/sync.h>

#include <limits.h>

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sync/wait_queue.h"

/* Some were counted before, and some are then. */
static bool count_things_in(struct filch_wait_queue *queue, uint32_t *count, uint32_t more)
{
    while (*count != 0 && more <= UINT_MAX - *count) {
        /* relaxed, both: nothing is told by it */
        if (atomic_compare_exchange_weak_explicit(&queue->count, count, *count + more,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

FILCH_APART static filch_status add_things_slow(struct filch_wait_queue *queue, uint32_t more)
{
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    uint32_t count = filch_wait_queue_count(queue);
    bool added = count_things_in(queue, &count, more);
    if (!added && count == 0) {
        filch_wait_queue_adopt_locked(queue);
        filch_wait_queue_set_count_locked(queue, more); /* no other changes it from 0 */
        added = true;
    }
    filch_lock_release(&queue->lock);
    return added ? FILCH_OK : FILCH_EOVERFLOW;
}

filch_status filch_wait_group_add(filch_wait_group *group, unsigned count)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(group);
    if (FILCH_UNLIKELY(!queue)) {
        return FILCH_EINVAL;
    }
    uint32_t before = filch_wait_queue_count(queue);
    return FILCH_LIKELY(count_things_in(queue, &before, count)) ? FILCH_OK
                                                                : add_things_slow(queue, count);
}

/* True: more are left. The last touch. */
static bool count_thing_out(struct filch_wait_queue *queue)
{
    uint32_t count = filch_wait_queue_count(queue);
    while (count > 1) {
        /* release: pairs with the acquire in thing_done_slow and see_all_done */
        if (atomic_compare_exchange_weak_explicit(&queue->count, &count, count - 1,
                                                  memory_order_release, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

FILCH_APART static filch_status thing_done_slow(struct filch_wait_queue *queue)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    bool all = false;
    bool done = false;
    for (uint32_t count; !done && (count = filch_wait_queue_count(queue)) != 0;) {
        /* acquire, release: as in count_thing_out; those in line are told of what all have done */
        all = count == 1 &&
              atomic_compare_exchange_strong_explicit(&queue->count, &count, 0,
                                                      memory_order_acq_rel, memory_order_relaxed);
        done = all || count_thing_out(queue);
    }
    if (all) {
        filch_wait_queue_serve_all_locked(queue, &claims);
    }
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
    return done ? FILCH_OK : FILCH_EINVAL;
}

filch_status filch_wait_group_done(filch_wait_group *group)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(group);
    if (FILCH_UNLIKELY(!queue)) {
        return FILCH_EINVAL;
    }
    return FILCH_LIKELY(count_thing_out(queue)) ? FILCH_OK : thing_done_slow(queue);
}

static bool see_all_done(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    /* acquire: pairs with the release in count_thing_out and thing_done_slow */
    return atomic_load_explicit(&queue->count, memory_order_acquire) == 0;
}

static const struct filch_wait_kind done_wait = {.what = "a wait group",
                                                 .enlist = filch_wait_queue_enlist,
                                                 .leave = filch_wait_queue_leave,
                                                 .object = filch_wait_queue_object};

filch_status filch_wait_group_wait(filch_wait_group *group)
{
    return filch_wait_queue_take_until(group, see_all_done, &done_wait, FILCH_OS_NEVER);
}

filch_status filch_wait_group_wait_until(filch_wait_group *group, double deadline)
{
    return filch_wait_queue_take_until(group, see_all_done, &done_wait,
                                       filch_deadline_at(deadline));
}
