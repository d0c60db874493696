/* Semaphores. A release never waits: a signal handler may be the one that releases, and interrupt
 * the thread that has the lock. It then adds to the mail, marks the lock (lock.h), and the holder
 * does it. Waiters are told without a lock (post.c), unless by a pool's thread. */
#include <filch/sync.h>

#include <limits.h>

#include "base/assert.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sync/wait_queue.h"

void filch_semaphore_init(filch_semaphore *semaphore, unsigned count)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(semaphore);
    if (queue) {
        *queue = (struct filch_wait_queue){.count = count, .token = filch_process_token()};
        filch_lock_init(&queue->lock);
    }
}

static bool take_permit(struct filch_wait_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    bool some = queue->count != 0;
    queue->count -= some;
    return some;
}

static const struct filch_wait_kind permit_wait = {.what = "a semaphore",
                                                   .enlist = filch_wait_queue_enlist,
                                                   .leave = filch_wait_queue_leave,
                                                   .object = filch_wait_queue_object,
                                                   .in_handlers = true};

filch_status filch_semaphore_acquire(filch_semaphore *semaphore)
{
    return filch_wait_queue_take_until(semaphore, take_permit, &permit_wait, FILCH_OS_NEVER);
}

filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore, double deadline)
{
    return filch_wait_queue_take_until(semaphore, take_permit, &permit_wait,
                                       filch_deadline_at(deadline));
}

/* The lock is held, maybe by the code that we interrupt: its holder does the rest. */
static filch_status post(struct filch_wait_queue *queue, uint32_t count)
{
    /* relaxed, all: ordered by the mark, or by the lock */
    uint32_t mail = atomic_load_explicit(&queue->mail, memory_order_relaxed);
    do {
        if (count > UINT_MAX - mail) {
            return FILCH_EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak_explicit(&queue->mail, &mail, mail + count,
                                                    memory_order_relaxed, memory_order_relaxed));
    while (!filch_lock_mark(&queue->lock)) {
        if (filch_lock_try_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE)) {
            filch_wait_queue_open_mail(queue);
            break;
        }
    }
    return FILCH_OK;
}

filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count)
{
    struct filch_wait_queue *queue = filch_wait_queue_of(semaphore);
    if (!queue) {
        return FILCH_EINVAL;
    }
    if (!filch_lock_try_acquire(&queue->lock, FILCH_RANK_WAIT_QUEUE)) {
        return post(queue, count);
    }
    struct filch_claims claims = {NULL, NULL};
    filch_status status = count <= UINT_MAX - queue->count ? FILCH_OK : FILCH_EOVERFLOW;
    if (status == FILCH_OK) {
        filch_wait_queue_give_locked(queue, count, &claims);
    }
    filch_wait_queue_release(queue);
    if (claims.first) {
        filch_wait_queue_tell(&claims);
    }
    return status;
}
