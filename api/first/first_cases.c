/* The cases: how they are made, and what is done with each. */
#include "first/first_case.h"

#include "base/assert.h"
#include "future/task_future.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sync/channel.h"
#include "sync/group_wait.h"

filch_case filch_none(void)
{
    return (filch_case){.kind = FILCH_CASE_NONE};
}

filch_case filch_on_send(filch_channel *channel, const void *value, filch_status *status)
{
    return (filch_case){
        .kind = FILCH_CASE_SEND, .channel = channel, .subject = value, .status = status};
}

filch_case filch_on_receive(filch_channel *channel, void *value, filch_status *status)
{
    return (filch_case){
        .kind = FILCH_CASE_RECEIVE, .channel = channel, .out = value, .status = status};
}

filch_case filch_on_fd(int fd, short events, short *came)
{
    return (filch_case){.kind = FILCH_CASE_FD, .number = fd, .events = events, .out = came};
}

filch_case filch_on_accept(int listener, int *socket)
{
    return (filch_case){
        .kind = FILCH_CASE_ACCEPT, .number = listener, .events = POLLIN, .out = socket};
}

filch_case filch_on_future(filch_future *future)
{
    return (filch_case){.kind = FILCH_CASE_FUTURE, .subject = future};
}

filch_case filch_on_group(filch_group *group)
{
    return (filch_case){.kind = FILCH_CASE_GROUP, .subject = group};
}

filch_case filch_on_time(filch_deadline at)
{
    return (filch_case){.kind = FILCH_CASE_TIME, .at = at};
}

filch_case filch_on_signal(int signal, filch_signal *taken)
{
    return (filch_case){.kind = FILCH_CASE_SIGNAL, .number = signal, .out = taken};
}

filch_case filch_on_signals(const int *signals, filch_signal *taken)
{
    return (filch_case){.kind = FILCH_CASE_SIGNALS, .subject = signals, .out = taken};
}

filch_case filch_on_process(pid_t pid, int *wait_status)
{
    return (filch_case){.kind = FILCH_CASE_PROCESS, .number = (int)pid, .out = wait_status};
}

/* ---- channels ---- */

static bool send_is_valid(const filch_case *one)
{
    return one->subject != NULL;
}

static bool receive_is_valid(const filch_case *one)
{
    return one->out != NULL;
}

/* ---- futures and groups: a place of the waiter with a cell ---- */

struct cell_state {
    struct filch_waiter place;
    bool waits;
};

_Static_assert(sizeof(struct cell_state) <= sizeof(((filch_case *)0)->opaque), "a case has room");

static struct cell_state *cell_state_of(filch_case *one)
{
    return (struct cell_state *)(void *)one->opaque;
}

static struct filch_future *future_of_case(const filch_case *one)
{
    return (struct filch_future *)(uintptr_t)one->subject;
}

static struct filch_group *group_of_case(const filch_case *one)
{
    return (struct filch_group *)(uintptr_t)one->subject;
}

static void begin_cell_case(filch_case *one)
{
    cell_state_of(one)->waits = false;
}

static filch_status prepare_future(filch_case *one, struct filch_first *first)
{
    (void)first;
    return future_of_case(one) && filch_future_is_parents(future_of_case(one)) ? FILCH_EFORKED
                                                                               : FILCH_OK;
}

static bool future_done(filch_case *one)
{
    return future_of_case(one) && filch_cell_done(&future_of_case(one)->cell);
}

static bool enlist_future_case(filch_case *one, struct filch_waiter *waiter)
{
    struct cell_state *state = cell_state_of(one);
    if (!future_of_case(one)) {
        return true;
    }
    filch_waiter_init_for(&state->place, waiter);
    state->waits = filch_cell_add(&future_of_case(one)->cell, &state->place);
    return state->waits;
}

static void leave_future(filch_case *one)
{
    if (cell_state_of(one)->waits) {
        cell_state_of(one)->waits = false;
        filch_cell_remove(&future_of_case(one)->cell, &cell_state_of(one)->place);
    }
}

static filch_status prepare_group(filch_case *one, struct filch_first *first)
{
    (void)first;
    return group_of_case(one) && filch_group_is_parents(group_of_case(one)) ? FILCH_EFORKED
                                                                            : FILCH_OK;
}

static bool group_done(filch_case *one)
{
    return group_of_case(one) && filch_group_is_done(group_of_case(one));
}

static bool enlist_group_case(filch_case *one, struct filch_waiter *waiter)
{
    struct cell_state *state = cell_state_of(one);
    if (!group_of_case(one) || group_of_case(one)->awaited) { /* another case is for the same */
        return true;
    }
    filch_waiter_init_for(&state->place, waiter);
    state->waits = filch_group_enlist(group_of_case(one), &state->place);
    return state->waits;
}

static void leave_group(filch_case *one)
{
    if (cell_state_of(one)->waits) {
        cell_state_of(one)->waits = false;
        filch_group_stop_waiting(group_of_case(one), &cell_state_of(one)->place);
    }
}

/* ---- time ---- */

static bool time_done(filch_case *one)
{
    uint64_t at = filch_deadline_ns(one->at);
    return at != FILCH_OS_NEVER && at <= filch_os_now_ns();
}

#define FILCH_WATCHED(what)                                                                        \
    {                                                                                              \
        .valid = filch_case_##what##_is_valid, .begin = filch_case_watch_begin,                    \
        .end = filch_case_watch_end, .prepare = filch_case_##what##_prepare,                       \
        .done = filch_case_##what##_done, .enlist = filch_case_fd_enlist,                          \
        .leave = filch_case_fd_leave, .outside = true                                              \
    }

const struct filch_case_kind filch_case_kinds[FILCH_CASE_KINDS] = {
    [FILCH_CASE_SEND] = {.valid = send_is_valid},
    [FILCH_CASE_RECEIVE] = {.valid = receive_is_valid},
    [FILCH_CASE_FUTURE] = {.begin = begin_cell_case,
                           .prepare = prepare_future,
                           .done = future_done,
                           .enlist = enlist_future_case,
                           .leave = leave_future,
                           .derived = true},
    [FILCH_CASE_GROUP] = {.begin = begin_cell_case,
                          .prepare = prepare_group,
                          .done = group_done,
                          .enlist = enlist_group_case,
                          .leave = leave_group,
                          .derived = true},
    [FILCH_CASE_TIME] = {.done = time_done},
    [FILCH_CASE_FD] = {.valid = filch_case_fd_is_valid,
                       .begin = filch_case_fd_begin,
                       .prepare = filch_case_fd_prepare,
                       .done = filch_case_fd_done,
                       .enlist = filch_case_fd_enlist,
                       .leave = filch_case_fd_leave,
                       .outside = true},
    [FILCH_CASE_ACCEPT] = {.valid = filch_case_accept_is_valid,
                           .begin = filch_case_fd_begin,
                           .prepare = filch_case_fd_prepare,
                           .done = filch_case_accept_done,
                           .enlist = filch_case_fd_enlist,
                           .leave = filch_case_fd_leave,
                           .outside = true},
    [FILCH_CASE_SIGNAL] = FILCH_WATCHED(signal),
    [FILCH_CASE_SIGNALS] = FILCH_WATCHED(signal),
    [FILCH_CASE_PROCESS] = FILCH_WATCHED(process),
};
