/* Waiting for the first of several channels.
 *
 * Before it stands in their lines, a select looks once more with all their locks in hand, taken in
 * the order of their addresses: no other thread can come between that look and the lines. From
 * then on a thread that serves one of its cases claims it, which only one can, so only one case is
 * done. */
#include "base/assert.h"
#include "sync/channel.h"
#include "sync/linger.h"

#include "future/waiting.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/ready.h"

struct selection {
    filch_case *cases;
    size_t n;
    size_t first;       /* the case to try first: no case always comes before another */
    filch_case *lowest; /* those with a channel, by its address */
};

static bool cases_are_valid(const filch_case *one)
{
    return !one->channel || !one->send != !one->receive;
}

static void insert_by_address(struct selection *selection, filch_case *one)
{
    FILCH_ASSERT(one->channel);
    filch_case **next = &selection->lowest;
    while (*next && (uintptr_t)(*next)->channel < (uintptr_t)one->channel) {
        next = &filch_case_state_of(*next)->above;
    }
    filch_case_state_of(one)->above = *next;
    *next = one;
}

static filch_case *above(filch_case *one)
{
    return filch_case_state_of(one)->above;
}

static bool prepare(struct selection *selection)
{
    for (size_t i = 0; i < selection->n; i++) {
        filch_case *one = &selection->cases[i];
        if (!cases_are_valid(one)) {
            return false;
        }
        *filch_case_state_of(one) = (struct filch_case_state){.status = FILCH_EPENDING};
        if (one->channel) {
            insert_by_address(selection, one);
        }
    }
    return true;
}

/* A channel may be in several cases: it is locked once. */
static void lock_all(struct selection *selection)
{
    filch_channel *last = NULL;
    for (filch_case *one = selection->lowest; one; one = above(one)) {
        if (one->channel != last) {
            last = one->channel;
            filch_channel_lock(last);
        }
    }
}

static void release_all(struct selection *selection)
{
    filch_channel *last = NULL;
    for (filch_case *one = selection->lowest; one; one = above(one)) {
        if (one->channel != last) {
            last = one->channel;
            filch_lock_release(&last->lock);
        }
    }
}

static bool try_all_locked(struct selection *selection, struct filch_claims *claims)
{
    for (size_t k = 0; k < selection->n; k++) {
        filch_case *one = &selection->cases[(selection->first + k) % selection->n];
        if (one->channel && filch_channel_try_locked(one->channel, one, claims)) {
            return true;
        }
    }
    return false;
}

static bool try_all(struct selection *selection)
{
    struct filch_claims claims = {NULL, NULL};
    lock_all(selection);
    bool done = try_all_locked(selection, &claims);
    release_all(selection);
    filch_claims_tell(&claims);
    return done;
}

static bool enlist_for_cases(struct filch_waiter *waiter, void *context)
{
    struct selection *selection = context;
    struct filch_claims claims = {NULL, NULL};
    lock_all(selection);
    bool done = try_all_locked(selection, &claims);
    for (filch_case *one = done ? NULL : selection->lowest; one; one = above(one)) {
        filch_case_state_of(one)->lowest = selection->lowest;
        filch_channel_wait_locked(one->channel, one, waiter);
    }
    release_all(selection);
    filch_claims_tell(&claims);
    return !done;
}

static filch_case *done_case(const struct selection *selection)
{
    filch_case *one = selection->lowest;
    while (one && filch_case_state_of(one)->status == FILCH_EPENDING) {
        one = above(one);
    }
    return one;
}

/* The lines of all channels but the one that we were served by, if we were: the thread that did
 * has seen to it, and the channel may be gone. One that meets a place of ours meanwhile finds us
 * served, and lets go of it before we have that channel's lock. */
static void leave_lines(struct filch_waiter *waiter, void *context)
{
    struct selection *selection = context;
    filch_case *done = done_case(selection);
    filch_channel *last = done ? done->channel : NULL;
    (void)waiter;
    for (filch_case *one = selection->lowest; one; one = above(one)) {
        if (one->channel != last && (!done || one->channel != done->channel)) {
            last = one->channel;
            filch_lock_acquire(&last->lock, FILCH_RANK_CHANNEL);
            filch_channel_leave_locked(last, one);
            filch_lock_release(&last->lock);
        }
    }
}

static const struct filch_wait_kind channel_wait = {
    .what = "a channel", .enlist = enlist_for_cases, .leave = leave_lines, .always_leaves = true};

static filch_status wait_for_one(struct selection *selection, uint64_t deadline)
{
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    for (filch_case *one = selection->lowest; one; one = above(one)) {
        if (filch_process_inherited(one->channel->token)) {
            return FILCH_EFORKED;
        }
    }
    return filch_wait_until(&channel_wait, selection, deadline);
}

/* The case that was done, if any, says how it went. */
static filch_status verdict(const struct selection *selection, filch_status otherwise,
                            size_t *chosen)
{
    FILCH_ASSERT(otherwise != FILCH_EPENDING);
    filch_case *done = done_case(selection);
    if (!done) {
        return otherwise;
    }
    if (chosen) {
        *chosen = (size_t)(done - selection->cases);
        FILCH_ASSERT(*chosen < selection->n);
    }
    return filch_case_state_of(done)->status;
}

static filch_status select_case(filch_case *cases, size_t n, uint64_t deadline, size_t *chosen)
{
    struct selection selection = {.cases = cases, .n = n};
    filch_status status = FILCH_OK;
    if ((!cases && n) || !prepare(&selection)) {
        return FILCH_EINVAL;
    }
    if (n > 1) {
        /* As good as any, also in a loop whose turns take a multiple of the same few ticks. */
        uint64_t mixed = filch_os_ticks() * 0x9e3779b97f4a7c15u; /* multiplicative hashing */
        selection.first = (size_t)((mixed >> 32) % n);
    }
    if (!try_all(&selection)) {
        status = wait_for_one(&selection, deadline);
    }
    return verdict(&selection, status, chosen);
}

filch_status filch_select(filch_case *cases, size_t n, size_t *chosen)
{
    return select_case(cases, n, FILCH_OS_NEVER, chosen);
}

filch_status filch_select_until(filch_case *cases, size_t n, filch_deadline until, size_t *chosen)
{
    return select_case(cases, n, filch_deadline_ns(until), chosen);
}

/* ---- a send or a receive: most need no selection ---- */

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
    one.send = send;
    one.receive = receive;
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
