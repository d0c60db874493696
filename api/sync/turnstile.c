#include "sync/turnstile.h"

#include <limits.h>

#include <filch/sync.h>

#include "debug/stuck.h"
#include "future/waiting.h"
#include "sched/block.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/thread.h"

_Static_assert(sizeof(struct filch_turnstile) <= sizeof(filch_mutex) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_semaphore) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_condition) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_wait_group) &&
                   sizeof(struct filch_turnstile) <= sizeof(filch_once),
               "they have room");

static struct filch_line nobody(void)
{
    return (struct filch_line){NULL, NULL};
}

void filch_turnstile_adopt_locked(struct filch_turnstile *turnstile)
{
    uint32_t token = filch_process_token();
    if (turnstile->token != token) {
        turnstile->line = nobody();
        turnstile->token = token;
    }
}

/* Nobody in this process will give it to one who waits. What somebody in particular has is free
 * when that one says so; of all else it is enough that the parent's threads have used it. */
static bool is_parents_locked(const struct filch_turnstile_request *request)
{
    const struct filch_turnstile *turnstile = request->turnstile;
    bool ours = turnstile->token && filch_process_owns(turnstile->token);
    if (!filch_process()->forked || ours) {
        return false;
    }
    struct filch_party *owner = atomic_load_explicit(&turnstile->owner, memory_order_relaxed);
    return request->kind->holder ? !owner || !filch_process_has_party(owner)
                                 : turnstile->token != 0;
}

bool filch_turnstile_serve_locked(struct filch_turnstile *turnstile, struct filch_claims *claims)
{
    if (turnstile->line.first && filch_process_inherited(turnstile->token)) {
        turnstile->line = nobody(); /* they are in the parent */
    }
    return filch_line_claim_locked(&turnstile->line, claims) != NULL;
}

void filch_turnstile_serve_all_locked(struct filch_turnstile *turnstile,
                                      struct filch_claims *claims)
{
    while (filch_turnstile_serve_locked(turnstile, claims)) {
    }
}

/* ---- mail ---- */

/* More than there can be are lost: whoever released them has been told that they will be there. */
void filch_turnstile_give_locked(struct filch_turnstile *turnstile, uint32_t count,
                                 struct filch_claims *claims)
{
    while (count && filch_turnstile_serve_locked(turnstile, claims)) {
        count--;
    }
    uint32_t room = UINT_MAX - turnstile->count;
    turnstile->count += count < room ? count : room;
}

/* Signal handlers run on the program's own threads; a pool's threads leave signals to these. */
void filch_turnstile_tell(struct filch_claims *claims)
{
    struct filch_thread *thread = filch_thread_known();
    if (thread && filch_thread_pool(thread)) {
        filch_claims_tell(claims);
    } else {
        filch_claims_tell_from_anywhere(claims);
    }
}

void filch_turnstile_open_mail(struct filch_turnstile *turnstile)
{
    struct filch_claims claims = {NULL, NULL};
    do {
        /* relaxed: the mark was seen, and with it what was posted before it was left */
        filch_turnstile_give_locked(
            turnstile, atomic_exchange_explicit(&turnstile->mail, 0, memory_order_relaxed),
            &claims);
    } while (!filch_lock_release_unless_marked(&turnstile->lock));
    filch_turnstile_tell(&claims);
}

/* ---- taking ---- */

/* Taken, what somebody in particular has is ours, also until its owner is named. */
static bool take_for(struct filch_turnstile_request *request)
{
    bool taken = request->take_locked(request->turnstile);
    if (taken && request->kind->holder && filch_process()->forked) {
        filch_turnstile_adopt_locked(request->turnstile);
    }
    return taken;
}

static bool try_to_take(struct filch_turnstile_request *request)
{
    struct filch_turnstile *turnstile = request->turnstile;
    filch_lock_acquire(&turnstile->lock);
    bool taken = take_for(request);
    filch_turnstile_release(turnstile);
    return taken;
}

/* In line it is given to us with the signal. */
bool filch_turnstile_enlist(struct filch_waiter *waiter, void *context)
{
    struct filch_turnstile_request *request = context;
    struct filch_turnstile *turnstile = request->turnstile;
    filch_lock_acquire(&turnstile->lock);
    bool waits = !take_for(request);
    if (waits && is_parents_locked(request)) {
        request->forked = true;
        waits = false;
    } else if (waits) {
        filch_turnstile_adopt_locked(turnstile);
        filch_line_add_locked(&turnstile->line, &request->place, waiter);
    }
    filch_turnstile_release(turnstile);
    return waits;
}

void filch_turnstile_leave(struct filch_waiter *waiter, void *context)
{
    struct filch_turnstile_request *request = context;
    (void)waiter;
    filch_lock_acquire(&request->turnstile->lock);
    filch_line_remove_locked(&request->turnstile->line, &request->place);
    filch_turnstile_release(request->turnstile);
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
    struct filch_turnstile_request request = {
        .turnstile = filch_turnstile_of(object), .take_locked = take_locked, .kind = kind};
    if (!object) {
        return FILCH_EINVAL;
    }
    if (try_to_take(&request)) { /* without leaving the strand */
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(kind, &request, deadline);
    return request.forked ? FILCH_EFORKED : status;
}

filch_status filch_turnstile_take_surely(void *object,
                                         bool (*take_locked)(struct filch_turnstile *turnstile),
                                         const struct filch_wait_kind *kind)
{
    struct filch_turnstile_request request = {
        .turnstile = filch_turnstile_of(object), .take_locked = take_locked, .kind = kind};
    if (!try_to_take(&request)) {
        filch_stuck_watch();
        filch_block_join(kind, &request);
    }
    return request.forked ? FILCH_EFORKED : FILCH_OK;
}
