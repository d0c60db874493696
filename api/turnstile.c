#include "turnstile.h"

#include <filch/sync.h>

#include "block.h"
#include "region.h"
#include "thread.h"
#include "waiting.h"

_Static_assert(sizeof(struct filch_turnstile) <= sizeof(filch_mutex) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_semaphore) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_condition) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_wait_group) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_once),
               "they have room");

bool filch_turnstile_serve_locked(struct filch_turnstile *turnstile, struct filch_claims *claims)
{
    return filch_line_claim_locked(&turnstile->line, claims) != NULL;
}

void filch_turnstile_serve_all_locked(struct filch_turnstile *turnstile,
                                      struct filch_claims *claims)
{
    while (filch_turnstile_serve_locked(turnstile, claims)) {
    }
}

static bool try_to_take(struct filch_turnstile_request *request, struct filch_waiter *waiter)
{
    struct filch_turnstile *turnstile = request->turnstile;
    filch_lock_acquire(&turnstile->lock);
    bool taken = request->take_locked(turnstile);
    if (!taken && waiter) { /* it is given to us with the signal */
        filch_line_add_locked(&turnstile->line, &request->place, waiter);
    }
    filch_lock_release(&turnstile->lock);
    return taken;
}

bool filch_turnstile_enlist(struct filch_waiter *waiter, void *request)
{
    return !try_to_take(request, waiter);
}

void filch_turnstile_leave(struct filch_waiter *waiter, void *context)
{
    struct filch_turnstile_request *request = context;
    (void)waiter;
    filch_lock_acquire(&request->turnstile->lock);
    filch_line_remove_locked(&request->turnstile->line, &request->place);
    filch_lock_release(&request->turnstile->lock);
}

const void *filch_turnstile_object(void *request)
{
    return ((struct filch_turnstile_request *)request)->turnstile;
}

struct filch_party *filch_turnstile_owner(void *context)
{
    struct filch_turnstile_request *request = context;
    /* relaxed: whoever searches looks twice */
    return atomic_load_explicit(&request->turnstile->owner, memory_order_relaxed);
}

void filch_turnstile_own(struct filch_turnstile *turnstile, struct filch_party *owner)
{
    atomic_store_explicit(&turnstile->owner, owner, memory_order_relaxed); /* as above */
}

bool filch_turnstile_is_own_locked(struct filch_turnstile *turnstile)
{
    /* relaxed: under the lock */
    struct filch_party *owner = atomic_load_explicit(&turnstile->owner, memory_order_relaxed);
    return owner && owner == filch_party_self();
}

filch_status filch_turnstile_take_until(void *object,
                                        bool (*take_locked)(struct filch_turnstile *turnstile),
                                        const struct filch_wait_kind *kind, uint64_t deadline)
{
    struct filch_turnstile_request request = {.turnstile = filch_turnstile_of(object),
                                              .take_locked = take_locked};
    if (!object) {
        return FILCH_EINVAL;
    }
    if (try_to_take(&request, NULL)) { /* without leaving the strand */
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    return filch_wait_until(kind, &request, deadline);
}

void filch_turnstile_take_surely(void *object,
                                 bool (*take_locked)(struct filch_turnstile *turnstile),
                                 const struct filch_wait_kind *kind)
{
    struct filch_turnstile_request request = {.turnstile = filch_turnstile_of(object),
                                              .take_locked = take_locked};
    if (!try_to_take(&request, NULL)) {
        filch_block_join(kind, &request);
    }
}
