#include <filch/sync.h>

#include <limits.h>

#include "deadline.h"
#include "os.h"
#include "turnstile.h"

void filch_semaphore_init(filch_semaphore *semaphore, unsigned count)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(semaphore);
    if (turnstile) {
        *turnstile = (struct filch_turnstile){.count = count};
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
                                                   .object = filch_turnstile_object};

filch_status filch_semaphore_acquire(filch_semaphore *semaphore)
{
    return filch_turnstile_take_until(semaphore, take_permit, &permit_wait, FILCH_OS_NEVER);
}

filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore, double deadline)
{
    return filch_turnstile_take_until(semaphore, take_permit, &permit_wait,
                                      filch_deadline_at(deadline));
}

filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(semaphore);
    if (!turnstile) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&turnstile->lock);
    filch_status status = count <= UINT_MAX - turnstile->count ? FILCH_OK : FILCH_EOVERFLOW;
    while (status == FILCH_OK && count && filch_turnstile_serve_locked(turnstile, &claims)) {
        count--;
    }
    if (status == FILCH_OK) {
        turnstile->count += count;
    }
    filch_lock_release(&turnstile->lock);
    filch_claims_tell(&claims);
    return status;
}
