/* Descriptors: a place of the waiter in the line for one (poll/poller.h). */
#include "first/first_case.h"

#include <errno.h>

#include "first/first_fd.h"
#include "io/io_wait.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sleep/closing.h"

_Static_assert(sizeof(struct filch_case_fd) <= sizeof(((filch_case *)0)->opaque),
               "a case has room");

void filch_case_fd_watch(struct filch_case_fd *state, int fd, short events)
{
    *state = (struct filch_case_fd){.wait = {.fd = fd, .events = (unsigned short)events}};
    state->wait.closes = filch_io_begin(fd, filch_never()).closes;
}

bool filch_case_fd_is_valid(const filch_case *one)
{
    return one->number >= 0 && one->events;
}

void filch_case_fd_begin(filch_case *one)
{
    filch_case_fd_watch(filch_case_fd_of(one), one->number, one->events);
}

/* What the last wait came to. FILCH_OK: nothing that the next look does not find. */
static filch_status status_of_watch(struct filch_case_fd *state)
{
    switch (state->wait.error) {
    case 0:
    case EBADF: return FILCH_OK;
    case EPERM: state->unwatched = true; return FILCH_OK;
    case ENOMEM:
    case ENOSPC: return FILCH_ENOMEM;
    case ENOSYS: return FILCH_ENOSYS;
    default: return FILCH_EINVAL;
    }
}

filch_status filch_case_fd_prepare(filch_case *one, struct filch_first *first)
{
    struct filch_case_fd *state = filch_case_fd_of(one);
    struct filch_fiber *fiber = filch_fiber_self();
    filch_status status = status_of_watch(state);
    bool ours = fiber && filch_process_owns(fiber->pool->token);
    state->unwatched = state->unwatched || state->wait.fd >= FILCH_FD_MOST || !ours;
    if (state->unwatched) {
        first->glances = true;
    } else if (status == FILCH_OK) {
        state->wait.poller = filch_poller_of(fiber->pool);
        status = state->wait.poller ? FILCH_OK : FILCH_EAGAIN;
    }
    return status;
}

bool filch_case_fd_enlist(filch_case *one, struct filch_waiter *waiter)
{
    struct filch_case_fd *state = filch_case_fd_of(one);
    if (state->unwatched) {
        return true;
    }
    state->wait.came = 0;
    state->wait.error = 0;
    state->waits = filch_fd_kind.enlist(waiter, &state->wait);
    return state->waits;
}

void filch_case_fd_leave(filch_case *one)
{
    struct filch_case_fd *state = filch_case_fd_of(one);
    if (state->waits) {
        state->waits = false;
        filch_fd_kind.leave(NULL, &state->wait);
    }
}

/* What it is ready for now; 0: nothing. */
static short came_by_now(struct filch_case_fd *state)
{
    struct filch_io_call call = {.fd = state->wait.fd, .closes = state->wait.closes};
    short came = 0;
    switch (filch_io_look_as_user(&call, (short)state->wait.events, &came)) {
    case FILCH_ECLOSED: return POLLNVAL;
    case FILCH_ENOSYS:
    case FILCH_ENOMEM: return (short)state->wait.came; /* a look is refused: the hint must do */
    default: return came;
    }
}

bool filch_case_fd_done(filch_case *one)
{
    short came = came_by_now(filch_case_fd_of(one));
    if (came && one->out) {
        *(short *)one->out = came;
    }
    return came != 0;
}

/* ---- connections ---- */

bool filch_case_accept_is_valid(const filch_case *one)
{
    return one->number >= 0 && one->out;
}

static int make_listener_ready(const struct filch_case_fd *state)
{
    struct filch_io_call call = {.fd = state->wait.fd, .closes = state->wait.closes};
    return filch_io_make_nonblocking(&call);
}

bool filch_case_accept_done(filch_case *one)
{
    struct filch_case_fd *state = filch_case_fd_of(one);
    struct filch_io_call call = {.fd = state->wait.fd, .closes = state->wait.closes};
    int answer = state->set ? 0 : make_listener_ready(state);
    state->set = answer == 0;
    while (state->set) {
        answer = filch_io_accept_now(&call);
        if (answer != -EINTR && answer != -ECONNABORTED) {
            break;
        }
    }
    bool done = answer != -EAGAIN && answer != -EWOULDBLOCK;
    if (done) {
        *(int *)one->out = answer;
    }
    return done;
}
