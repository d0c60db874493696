/* Before it stands in their lines, a caller looks once more with the locks of all channels in hand,
 * taken in the order of their addresses: no other thread can come between that look and the lines.
 * From then on a thread that serves one of its cases claims it, which only one can, so only one
 * case is done. */
#include "first/first_case.h"

#include "base/assert.h"
#include "sched/process.h"
#include "sync/channel.h"

static filch_case *case_above(filch_case *one)
{
    return filch_case_state_of(one)->above;
}

void filch_first_add_channel(struct filch_first *first, filch_case *one)
{
    *filch_case_state_of(one) = (struct filch_case_state){.status = FILCH_EPENDING};
    filch_case **next = &first->lowest;
    if (!one->channel) {
        return;
    }
    while (*next && (uintptr_t)(*next)->channel < (uintptr_t)one->channel) {
        next = &filch_case_state_of(*next)->above;
    }
    filch_case_state_of(one)->above = *next;
    *next = one;
}

bool filch_first_try_channel(filch_case *one)
{
    struct filch_claims claims = {NULL, NULL};
    if (!one->channel) {
        return false;
    }
    filch_channel_lock(one->channel);
    bool done = filch_channel_try_locked(one->channel, one, &claims);
    filch_lock_release(&one->channel->lock);
    filch_claims_tell(&claims);
    return done;
}

filch_status filch_first_check_channel(const filch_case *one)
{
    bool inherited = one->channel && filch_process_inherited(one->channel->token);
    return inherited ? FILCH_EFORKED : FILCH_OK;
}

/* A channel may be in several cases: it is locked once. */
static void lock_channels(const struct filch_first *first)
{
    filch_channel *last = NULL;
    for (filch_case *one = first->lowest; one; one = case_above(one)) {
        if (one->channel != last) {
            last = one->channel;
            filch_channel_lock(last);
        }
    }
}

static void release_channels(const struct filch_first *first)
{
    filch_channel *last = NULL;
    for (filch_case *one = first->lowest; one; one = case_above(one)) {
        if (one->channel != last) {
            last = one->channel;
            filch_lock_release(&last->lock);
        }
    }
}

static bool try_channels_locked(const struct filch_first *first, struct filch_claims *claims)
{
    for (size_t k = 0; k < first->n; k++) {
        filch_case *one = &first->cases[(first->next + k) % first->n];
        if (filch_case_is_channel(one) && one->channel &&
            filch_channel_try_locked(one->channel, one, claims)) {
            return true;
        }
    }
    return false;
}

bool filch_first_enlist_channels(struct filch_first *first, struct filch_waiter *waiter)
{
    struct filch_claims claims = {NULL, NULL};
    if (!first->lowest) {
        return true;
    }
    lock_channels(first);
    bool done = try_channels_locked(first, &claims);
    for (filch_case *one = done ? NULL : first->lowest; one; one = case_above(one)) {
        filch_case_state_of(one)->lowest = first->lowest;
        filch_channel_wait_locked(one->channel, one, waiter);
    }
    release_channels(first);
    filch_claims_tell(&claims);
    return !done;
}

filch_case *filch_first_done_channel(const struct filch_first *first)
{
    filch_case *one = first->lowest;
    while (one && filch_case_state_of(one)->status == FILCH_EPENDING) {
        one = case_above(one);
    }
    return one;
}

/* The lines of all channels but the one that we were served by, if we were: the thread that did
 * has seen to it, and the channel may be gone. One that meets a place of ours meanwhile finds us
 * served, and lets go of it before we have that channel's lock. */
void filch_first_leave_channels(struct filch_first *first)
{
    filch_case *done = filch_first_done_channel(first);
    filch_channel *last = done ? done->channel : NULL;
    for (filch_case *one = first->lowest; one; one = case_above(one)) {
        if (one->channel != last && (!done || one->channel != done->channel)) {
            last = one->channel;
            filch_lock_acquire(&last->lock, FILCH_RANK_CHANNEL);
            filch_channel_leave_locked(last, one);
            filch_lock_release(&last->lock);
        }
    }
}
