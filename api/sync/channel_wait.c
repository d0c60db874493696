/* Sending and receiving: one channel, one thing to do. For the first of several: first/. */
#include "base/assert.h"
#include "sync/channel.h"
#include "sync/linger.h"

#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/ready.h"

/* Release the lock, and tell those that were served. */
static inline void let_go(filch_channel *channel, struct filch_claims *claims)
{
    uint32_t exchanged = 0;
    if (claims->first) {
        exchanged = channel->exchanged;
        channel->exchanged = 0;
    }
    filch_lock_release(&channel->lock);
    if (exchanged) {
        filch_core_exchanged(exchanged);
    }
    if (claims->first) {
        filch_claims_tell(claims);
    }
}

static bool enlist_for_one(struct filch_waiter *waiter, void *context)
{
    filch_case *one = context;
    struct filch_claims claims = {NULL, NULL};
    filch_channel_lock(one->channel);
    bool done = filch_channel_try_locked(one->channel, one, &claims);
    if (!done) {
        filch_channel_wait_locked(one->channel, one, waiter);
    }
    let_go(one->channel, &claims);
    return !done;
}

static void leave_one_line(struct filch_waiter *waiter, void *context)
{
    filch_case *one = context;
    (void)waiter;
    filch_lock_acquire(&one->channel->lock, FILCH_RANK_CHANNEL);
    filch_channel_leave_locked(one->channel, one);
    filch_lock_release(&one->channel->lock);
}

/* One that was served stands in no other line. */
static const struct filch_wait_kind wait_for_one_kind = {
    .what = "a channel", .enlist = enlist_for_one, .leave = leave_one_line};

static filch_status wait_in_line(filch_channel *channel, const void *send, void *receive,
                                 uint64_t deadline)
{
    filch_case one;
    struct filch_case_state *state = filch_case_state_of(&one);
    one.channel = channel;
    one.subject = send;
    one.out = receive;
    state->place.waiter = NULL;
    state->status = FILCH_EPENDING;
    state->above = NULL;
    state->lowest = &one;
    filch_status status = filch_wait_until(&wait_for_one_kind, &one, deadline);
    return state->status != FILCH_EPENDING ? state->status : status;
}

/* FILCH_EPENDING: one must wait. */
static inline filch_status try_channel(filch_channel *channel, const void *send, void *receive)
{
    struct filch_claims claims = {NULL, NULL};
    filch_channel_lock(channel);
    filch_status status = filch_channel_do_locked(channel, send, receive, &claims);
    let_go(channel, &claims);
    return status;
}

/* It could not be done at once. */
FILCH_APART static filch_status wait_for_channel(filch_channel *channel, const void *send,
                                                 void *receive, uint64_t deadline)
{
    filch_status status = FILCH_EPENDING;
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    if (filch_process_inherited(channel->token)) {
        return FILCH_EFORKED;
    }
    if (filch_channel_can_linger(channel) &&
        filch_channel_linger(channel, send != NULL, deadline)) {
        status = try_channel(channel, send, receive);
    }
    return status != FILCH_EPENDING ? status : wait_in_line(channel, send, receive, deadline);
}

static filch_status send_until(filch_channel *channel, const void *item, uint64_t deadline)
{
    if (!channel || !item) {
        return FILCH_EINVAL;
    }
    filch_status status = try_channel(channel, item, NULL);
    return status != FILCH_EPENDING ? status : wait_for_channel(channel, item, NULL, deadline);
}

static filch_status receive_until(filch_channel *channel, void *item, uint64_t deadline)
{
    if (!channel || !item) {
        return FILCH_EINVAL;
    }
    filch_status status = try_channel(channel, NULL, item);
    return status != FILCH_EPENDING ? status : wait_for_channel(channel, NULL, item, deadline);
}

filch_status filch_channel_send(filch_channel *channel, const void *item)
{
    return send_until(channel, item, FILCH_OS_NEVER);
}

filch_status filch_channel_send_until(filch_channel *channel, const void *item,
                                      filch_deadline until)
{
    return send_until(channel, item, filch_deadline_ns(until));
}

filch_status filch_channel_receive(filch_channel *channel, void *item)
{
    return receive_until(channel, item, FILCH_OS_NEVER);
}

filch_status filch_channel_receive_until(filch_channel *channel, void *item, filch_deadline until)
{
    return receive_until(channel, item, filch_deadline_ns(until));
}
