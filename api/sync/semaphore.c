/* Semaphores. A release never waits: a signal handler may be the one that releases, and interrupt
 * whoever has the lock. It then adds to the mail, marks the lock (lock.h), and the holder does it.
 * Waiters are told without a lock (post.h), unless by a pool's thread. */
#include <filch/sync.h>

#include <limits.h>

#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sync/turnstile.h"

void filch_semaphore_init(filch_semaphore *semaphore, unsigned count)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(semaphore);
    if (turnstile) {
        *turnstile = (struct filch_turnstile){.count = count, .token = filch_process_token()};
        filch_lock_init(&turnstile->lock);
    }
}

static bool take_permit(struct filch_turnstile *turnstile)
{
    bool some = turnstile->count != 0;
    turnstile->count -= some;
    return some;
}

static const struct filch_wait_kind permit_wait = {.what = "a semaphore",
                                                   .enlist = filch_turnstile_enlist,
                                                   .leave = filch_turnstile_leave,
                                                   .object = filch_turnstile_object,
                                                   .in_handlers = true};

filch_status filch_semaphore_acquire(filch_semaphore *semaphore)
{
    return filch_turnstile_take_until(semaphore, take_permit, &permit_wait, FILCH_OS_NEVER);
}

filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore, double deadline)
{
    return filch_turnstile_take_until(semaphore, take_permit, &permit_wait,
                                      filch_deadline_at(deadline));
}

/* The lock is held, maybe by the code that we interrupt: its holder does the rest. */
static filch_status post(struct filch_turnstile *turnstile, uint32_t count)
{
    /* relaxed, all: ordered by the mark, or by the lock */
    uint32_t mail = atomic_load_explicit(&turnstile->mail, memory_order_relaxed);
    do {
        if (count > UINT_MAX - mail) {
            return FILCH_EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak_explicit(&turnstile->mail, &mail, mail + count,
                                                    memory_order_relaxed, memory_order_relaxed));
    while (!filch_lock_mark(&turnstile->lock)) {
        if (filch_lock_try_acquire(&turnstile->lock)) {
            filch_turnstile_open_mail(turnstile);
            break;
        }
    }
    return FILCH_OK;
}

filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(semaphore);
    if (!turnstile) {
        return FILCH_EINVAL;
    }
    if (!filch_lock_try_acquire(&turnstile->lock)) {
        return post(turnstile, count);
    }
    struct filch_claims claims = {NULL, NULL};
    filch_status status = count <= UINT_MAX - turnstile->count ? FILCH_OK : FILCH_EOVERFLOW;
    if (status == FILCH_OK) {
        filch_turnstile_give_locked(turnstile, count, &claims);
    }
    filch_turnstile_release(turnstile);
    if (claims.first) {
        filch_turnstile_tell(&claims);
    }
    return status;
}
