#include <filch/sync.h>

#include "sched/region.h"
#include "sched/strand.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sync/turnstile.h"

enum { NOT_YET, RUNNING, RUN }; /* a once's count */

static bool see_it_run(struct filch_turnstile *turnstile)
{
    return turnstile->count != RUNNING;
}

static const struct filch_wait_kind once_wait = {.what = "a once",
                                                 .enlist = filch_turnstile_enlist,
                                                 .leave = filch_turnstile_leave,
                                                 .object = filch_turnstile_object,
                                                 .holder = filch_turnstile_owner};

static void ended_as(struct filch_turnstile *turnstile, uint32_t state)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&turnstile->lock);
    turnstile->count = state;
    filch_turnstile_own(turnstile, NULL);
    filch_turnstile_serve_all_locked(turnstile, &claims);
    filch_lock_release(&turnstile->lock);
    filch_claims_tell(&claims);
}

/* The function ended its thread: it is for another to call it. */
static inline void function_left(struct filch_turnstile **running)
{
    struct filch_strand *strand = *running ? filch_strand_self() : NULL;
    if (*running && (!strand || filch_unwound_begin(strand, strand->frame))) {
        ended_as(*running, NOT_YET);
    }
}

static void run_once(struct filch_turnstile *turnstile, void (*function)(void *), void *context)
{
    FILCH_UNWINDS(function_left) struct filch_turnstile *running = turnstile;
    function(context);
    running = NULL;
    ended_as(turnstile, RUN);
}

static bool has_run(struct filch_turnstile *turnstile)
{
    filch_lock_acquire(&turnstile->lock);
    bool run = turnstile->count == RUN;
    filch_lock_release(&turnstile->lock);
    return run;
}

filch_status filch_once_run(filch_once *once, void (*function)(void *context), void *context)
{
    struct filch_turnstile *turnstile = filch_turnstile_of(once);
    if (!turnstile || !function) {
        return FILCH_EINVAL;
    }
    if (!filch_thread_self()) {
        return FILCH_ENOMEM;
    }
    filch_lock_acquire(&turnstile->lock);
    uint32_t state = turnstile->count;
    bool own = state == RUNNING && filch_turnstile_is_own_locked(turnstile);
    if (state == NOT_YET) {
        turnstile->count = RUNNING;
        filch_turnstile_own(turnstile, filch_party_self());
    }
    filch_lock_release(&turnstile->lock);
    if (own) {
        return FILCH_EDEADLK;
    }
    if (state == NOT_YET) {
        run_once(turnstile, function, context);
        return FILCH_OK;
    }
    filch_status status = filch_turnstile_take_surely(turnstile, see_it_run, &once_wait);
    if (status == FILCH_OK && !has_run(turnstile)) { /* its runner has ended */
        status = filch_once_run(once, function, context);
    }
    return status;
}
