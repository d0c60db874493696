#include <filch/sync.h>

#include <limits.h>

#include "os/os.h"
#include "pool/deadline.h"
#include "sync/turnstile.h"

filch_status filch_wait_group_add(filch_wait_group *group, unsigned count)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(group);
    if (!turnstile) {
        return FILCH_EINVAL;
    }
    filch_lock_acquire(&turnstile->lock);
    filch_status status = count <= UINT_MAX - turnstile->count ? FILCH_OK : FILCH_EOVERFLOW;
    if (turnstile->count == 0) {
        filch_turnstile_adopt_locked(turnstile);
    }
    turnstile->count += status == FILCH_OK ? count : 0;
    filch_lock_release(&turnstile->lock);
    return status;
}

filch_status filch_wait_group_done(filch_wait_group *group)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(group);
    if (!turnstile) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&turnstile->lock);
    filch_status status = turnstile->count ? FILCH_OK : FILCH_EINVAL;
    turnstile->count -= status == FILCH_OK;
    if (turnstile->count == 0) {
        filch_turnstile_serve_all_locked(turnstile, &claims);
    }
    filch_lock_release(&turnstile->lock);
    filch_claims_tell(&claims);
    return status;
}

static bool see_all_done(struct filch_turnstile *turnstile)
{
    return turnstile->count == 0;
}

static const struct filch_wait_kind done_wait = {.what = "a wait group",
                                                 .enlist = filch_turnstile_enlist,
                                                 .leave = filch_turnstile_leave,
                                                 .object = filch_turnstile_object};

filch_status filch_wait_group_wait(filch_wait_group *group)
{
    return filch_turnstile_take_until(group, see_all_done, &done_wait, FILCH_OS_NEVER);
}

filch_status filch_wait_group_wait_until(filch_wait_group *group, double deadline)
{
    return filch_turnstile_take_until(group, see_all_done, &done_wait, filch_deadline_at(deadline));
}
