/* What waits in line: a lock over some numbers, and a line of waiters that is served in order. */
#include <filch/sync.h>

#include <limits.h>

#include "base.h"
#include "block.h"
#include "deadline.h"
#include "line.h"
#include "lock.h"
#include "os.h"
#include "region.h"
#include "thread.h"
#include "waiting.h"

/* All of them have this layout; zero is a valid start. */
struct sync {
    struct filch_lock lock;
    uint32_t count;         /* lock; permits, things to be done; 1: locked, or done */
    struct filch_line line; /* lock */
    const void *owner;      /* lock; of a mutex, or who runs a once */
};

_Static_assert(sizeof(struct sync) <= sizeof(filch_mutex) &&
                   sizeof(struct sync) <= sizeof(filch_semaphore) &&
                   sizeof(struct sync) <= sizeof(filch_condition) &&
                   sizeof(struct sync) <= sizeof(filch_wait_group) &&
                   sizeof(struct sync) <= sizeof(filch_once),
               "they have room");

static struct sync *sync_of(void *object)
{
    return object;
}

/* Who calls: a task, or a thread outside of every pool. */
static const void *self(void)
{
    const void *strand = filch_strand_self();
    return strand ? strand : filch_thread_self();
}

/* Serve the first in line who still waits. False: there is nobody. */
static bool serve_locked(struct sync *sync)
{
    struct filch_waiter *waiter;
    while ((waiter = filch_line_next_locked(&sync->line))) {
        if (filch_waiter_end(waiter, FILCH_SIGNALED)) {
            return true;
        }
    }
    return false;
}

/* ---- waiting for what can be taken ---- */

struct request {
    struct sync *sync;
    bool (*take_locked)(struct sync *sync);
};

static bool try_to_take(struct request *request, struct filch_waiter *waiter)
{
    struct sync *sync = request->sync;
    filch_lock_acquire(&sync->lock);
    bool taken = request->take_locked(sync);
    if (!taken && waiter) {
        filch_line_add_locked(&sync->line, waiter); /* it is given to us with the signal */
    }
    filch_lock_release(&sync->lock);
    return taken;
}

static bool stand_in_line(struct filch_waiter *waiter, void *request)
{
    return !try_to_take(request, waiter);
}

static void leave_line(struct filch_waiter *waiter, void *context)
{
    struct sync *sync = ((struct request *)context)->sync;
    filch_lock_acquire(&sync->lock);
    filch_line_remove_locked(&sync->line, waiter);
    filch_lock_release(&sync->lock);
}

/* Whoever served us lets go of the lock before we return: what it is in may be freed then. */
static void meet(struct sync *sync)
{
    filch_lock_acquire(&sync->lock);
    filch_lock_release(&sync->lock);
}

static filch_status take_until(void *object, bool (*take_locked)(struct sync *sync),
                               uint64_t deadline)
{
    struct request request = {sync_of(object), take_locked};
    if (!object) {
        return FILCH_EINVAL;
    }
    if (try_to_take(&request, NULL)) { /* without leaving the strand */
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(stand_in_line, leave_line, &request, deadline);
    meet(request.sync);
    return status;
}

/* Whatever happens. The caller's thread is known. */
static void take_surely(void *object, bool (*take_locked)(struct sync *sync))
{
    struct request request = {sync_of(object), take_locked};
    if (!try_to_take(&request, NULL)) {
        filch_block_join(stand_in_line, &request);
        meet(request.sync);
    }
}

/* ---- mutex ---- */

static bool take_mutex(struct sync *sync)
{
    bool is_free = sync->count == 0;
    sync->count = 1;
    return is_free;
}

static void own(struct sync *sync)
{
    filch_lock_acquire(&sync->lock);
    sync->owner = self();
    filch_lock_release(&sync->lock);
}

static bool is_own(struct sync *sync)
{
    filch_lock_acquire(&sync->lock);
    bool own = sync->count && sync->owner == self();
    filch_lock_release(&sync->lock);
    return own;
}

static filch_status lock_until(struct sync *sync, uint64_t deadline)
{
    if (sync && is_own(sync)) {
        return FILCH_EDEADLK;
    }
    filch_status status = take_until(sync, take_mutex, deadline);
    if (status == FILCH_OK) {
        own(sync);
    }
    return status;
}

filch_status filch_mutex_lock(filch_mutex *mutex)
{
    return lock_until(sync_of(mutex), FILCH_OS_NEVER);
}

filch_status filch_mutex_lock_until(filch_mutex *mutex, double deadline)
{
    return lock_until(sync_of(mutex), filch_deadline_at(deadline));
}

filch_status filch_mutex_unlock(filch_mutex *mutex)
{
    struct sync *sync = sync_of(mutex);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    filch_status status = sync->count ? FILCH_OK : FILCH_EINVAL;
    if (status == FILCH_OK) {
        sync->owner = NULL;
        sync->count = serve_locked(sync); /* whoever is served has it */
    }
    filch_lock_release(&sync->lock);
    return status;
}

/* ---- semaphore ---- */

void filch_semaphore_init(filch_semaphore *semaphore, unsigned count)
{
    struct sync *sync = sync_of(semaphore);
    if (sync) {
        *sync = (struct sync){.count = count};
        filch_lock_init(&sync->lock);
    }
}

static bool take_permit(struct sync *sync)
{
    bool some = sync->count != 0;
    sync->count -= some;
    return some;
}

filch_status filch_semaphore_acquire(filch_semaphore *semaphore)
{
    return take_until(semaphore, take_permit, FILCH_OS_NEVER);
}

filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore, double deadline)
{
    return take_until(semaphore, take_permit, filch_deadline_at(deadline));
}

filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count)
{
    struct sync *sync = sync_of(semaphore);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    filch_status status = count <= UINT_MAX - sync->count ? FILCH_OK : FILCH_EOVERFLOW;
    while (status == FILCH_OK && count && serve_locked(sync)) {
        count--;
    }
    if (status == FILCH_OK) {
        sync->count += count;
    }
    filch_lock_release(&sync->lock);
    return status;
}

/* ---- condition ---- */

struct condition_wait {
    struct sync *condition;
    filch_mutex *mutex;
};

static bool wait_for_signal(struct filch_waiter *waiter, void *context)
{
    struct condition_wait *wait = context;
    filch_lock_acquire(&wait->condition->lock);
    filch_line_add_locked(&wait->condition->line, waiter);
    filch_lock_release(&wait->condition->lock);
    filch_mutex_unlock(wait->mutex);
    return true;
}

static void forget_signal(struct filch_waiter *waiter, void *context)
{
    struct request request = {((struct condition_wait *)context)->condition, NULL};
    leave_line(waiter, &request);
}

static bool is_locked(struct sync *mutex)
{
    filch_lock_acquire(&mutex->lock);
    bool locked = mutex->count != 0;
    filch_lock_release(&mutex->lock);
    return locked;
}

static filch_status condition_wait(filch_condition *condition, filch_mutex *mutex,
                                   uint64_t deadline)
{
    if (!condition || !mutex || !is_locked(sync_of(mutex))) {
        return FILCH_EINVAL;
    }
    struct condition_wait wait = {sync_of(condition), mutex};
    filch_status status = filch_wait_until(wait_for_signal, forget_signal, &wait, deadline);
    if (status == FILCH_ENOMEM) {
        return status; /* it has not been unlocked */
    }
    meet(wait.condition);
    take_surely(mutex, take_mutex);
    own(sync_of(mutex));
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
    struct sync *sync = sync_of(condition);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    serve_locked(sync);
    filch_lock_release(&sync->lock);
    return FILCH_OK;
}

filch_status filch_condition_broadcast(filch_condition *condition)
{
    struct sync *sync = sync_of(condition);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    while (serve_locked(sync)) {
    }
    filch_lock_release(&sync->lock);
    return FILCH_OK;
}

/* ---- wait group ---- */

filch_status filch_wait_group_add(filch_wait_group *group, unsigned count)
{
    struct sync *sync = sync_of(group);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    filch_status status = count <= UINT_MAX - sync->count ? FILCH_OK : FILCH_EOVERFLOW;
    sync->count += status == FILCH_OK ? count : 0;
    filch_lock_release(&sync->lock);
    return status;
}

filch_status filch_wait_group_done(filch_wait_group *group)
{
    struct sync *sync = sync_of(group);
    if (!sync) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&sync->lock);
    filch_status status = sync->count ? FILCH_OK : FILCH_EINVAL;
    sync->count -= status == FILCH_OK;
    while (sync->count == 0 && serve_locked(sync)) {
    }
    filch_lock_release(&sync->lock);
    return status;
}

static bool see_all_done(struct sync *sync)
{
    return sync->count == 0;
}

filch_status filch_wait_group_wait(filch_wait_group *group)
{
    return take_until(group, see_all_done, FILCH_OS_NEVER);
}

filch_status filch_wait_group_wait_until(filch_wait_group *group, double deadline)
{
    return take_until(group, see_all_done, filch_deadline_at(deadline));
}

/* ---- once ---- */

enum { NOT_YET, RUNNING, RUN }; /* a once's count */

static bool see_it_run(struct sync *sync)
{
    return sync->count != RUNNING;
}

static void run_once(struct sync *sync, void (*function)(void *), void *context)
{
    function(context);
    filch_lock_acquire(&sync->lock);
    sync->count = RUN;
    sync->owner = NULL;
    while (serve_locked(sync)) {
    }
    filch_lock_release(&sync->lock);
}

filch_status filch_once_run(filch_once *once, void (*function)(void *context), void *context)
{
    struct sync *sync = sync_of(once);
    if (!sync || !function) {
        return FILCH_EINVAL;
    }
    if (!filch_thread_self()) {
        return FILCH_ENOMEM;
    }
    filch_lock_acquire(&sync->lock);
    uint32_t state = sync->count;
    bool own = state == RUNNING && sync->owner == self();
    if (state == NOT_YET) {
        sync->count = RUNNING;
        sync->owner = self();
    }
    filch_lock_release(&sync->lock);
    if (own) {
        return FILCH_EDEADLK;
    }
    if (state == NOT_YET) {
        run_once(sync, function, context);
    } else {
        take_surely(sync, see_it_run);
    }
    return FILCH_OK;
}
