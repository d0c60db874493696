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

const void *filch_turnstile_caller(void)
{
    const void *strand = filch_strand_self();
    return strand ? strand : filch_thread_self();
}

bool filch_turnstile_serve_locked(struct filch_turnstile *turnstile)
{
    struct filch_waiter *waiter;
    while ((waiter = filch_line_next_locked(&turnstile->line))) {
        if (filch_waiter_end(waiter, FILCH_SIGNALED)) {
            return true;
        }
    }
    return false;
}

struct request {
    struct filch_turnstile *turnstile;
    bool (*take_locked)(struct filch_turnstile *turnstile);
};

static bool try_to_take(struct request *request, struct filch_waiter *waiter)
{
    struct filch_turnstile *turnstile = request->turnstile;
    filch_lock_acquire(&turnstile->lock);
    bool taken = request->take_locked(turnstile);
    if (!taken && waiter) {
        filch_line_add_locked(&turnstile->line, waiter); /* it is given to us with the signal */
    }
    filch_lock_release(&turnstile->lock);
    return taken;
}

static bool stand_in_line(struct filch_waiter *waiter, void *request)
{
    return !try_to_take(request, waiter);
}

void filch_turnstile_leave(struct filch_turnstile *turnstile, struct filch_waiter *waiter)
{
    filch_lock_acquire(&turnstile->lock);
    filch_line_remove_locked(&turnstile->line, waiter);
    filch_lock_release(&turnstile->lock);
}

static void give_up(struct filch_waiter *waiter, void *context)
{
    filch_turnstile_leave(((struct request *)context)->turnstile, waiter);
}

void filch_turnstile_meet(struct filch_turnstile *turnstile)
{
    filch_lock_acquire(&turnstile->lock);
    filch_lock_release(&turnstile->lock);
}

filch_status filch_turnstile_take_until(void *object,
                                        bool (*take_locked)(struct filch_turnstile *turnstile),
                                        uint64_t deadline)
{
    struct request request = {filch_turnstile_of(object), take_locked};
    if (!object) {
        return FILCH_EINVAL;
    }
    if (try_to_take(&request, NULL)) { /* without leaving the strand */
        return FILCH_OK;
    }
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(stand_in_line, give_up, &request, deadline);
    filch_turnstile_meet(request.turnstile);
    return status;
}

void filch_turnstile_take_surely(void *object,
                                 bool (*take_locked)(struct filch_turnstile *turnstile))
{
    struct request request = {filch_turnstile_of(object), take_locked};
    if (!try_to_take(&request, NULL)) {
        filch_block_join(stand_in_line, &request);
        filch_turnstile_meet(request.turnstile);
    }
}
