#include <filch/sync.h>

#include <limits.h>

#include "base/assert.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sync/wait_queue.h"

filch_status filch_wait_group_add(filch_wait_group *group, unsigned count)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(group);
    if (!queue) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_status status = count <= UINT_MAX - queue->count ? FILCH_OK : FILCH_EOVERFLOW;
    if (queue->count == 0) {
        filch_wait_queue_adopt_locked(queue);
    }
    queue->count += status == FILCH_OK ? count : 0;
    filch_lock_release(&queue->lock);
    return status;
}

filch_status filch_wait_group_done(filch_wait_group *group)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(group);
    if (!queue) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE);
    filch_status status = queue->count ? FILCH_OK : FILCH_EINVAL;
    queue->count -= status == FILCH_OK;
    if (queue->count == 0) {
        filch_wait_queue_serve_all_locked(queue, &claims);
    }
    filch_lock_release(&queue->lock);
    filch_claims_tell(&claims);
    return status;
}

static bool see_all_done(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    return queue->count == 0;
}

static const struct filch_wait_kind done_wait = {.what = "a wait group",
                                                 .enlist = filch_wait_queue_enlist,
                                                 .leave = filch_wait_queue_leave,
                                                 .object = filch_wait_queue_object};

filch_status filch_wait_group_wait(filch_wait_group *group)
{
    return filch_wait_queue_take_until(group, see_all_done, &done_wait, FILCH_OS_NEVER);
}

filch_status filch_wait_group_wait_until(filch_wait_group *group, filch_deadline until)
{
    return filch_wait_queue_take_until(group, see_all_done, &done_wait, filch_deadline_ns(until));
}
