#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "io/io_wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <filch/io.h>

#include "future/waiting.h"
#include "os/os.h"
#include "poll/poller.h"
#include "pool/deadline.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sleep/closing.h"

/* A thread that waits and finds no descriptor of its own to be woken by looks that often. */
enum { SLICE_NS = 10000000 };

struct filch_io_call filch_io_begin(int fd, filch_deadline until)
{
    uint32_t closes = filch_fd_closes(fd);
    if (FILCH_UNLIKELY(closes % 2 == 1)) { /* it begins when that close has ended */
        closes = filch_fd_settle(fd, closes);
    }
    return (struct filch_io_call){
        .fd = fd, .closes = closes, .deadline_ns = filch_deadline_ns(until)};
}

int filch_io_hold(struct filch_io_call *call)
{
    int error = filch_fd_use(call->fd, call->closes);
    call->holds = error == 0;
    return error == ENOMEM ? 0 : -error; /* a try needs none */
}

void filch_io_let_go(struct filch_io_call *call)
{
    if (call->holds) {
        call->holds = false;
        filch_fd_unuse(call->fd);
    }
}

static filch_status status_of(int error)
{
    switch (error) {
    case 0: return FILCH_OK;
    case ENOMEM:
    case ENOSPC: return FILCH_ENOMEM;
    case ENOSYS: return FILCH_ENOSYS;
    default: return FILCH_EINVAL;
    }
}

/* The other way round: what a wait that failed with this is to callers that know errno. */
static int error_of(filch_status status)
{
    switch (status) {
    case FILCH_OK: return 0;
    case FILCH_ETIMEDOUT: return -ETIMEDOUT;
    case FILCH_ECANCELED: return -ECANCELED;
    case FILCH_ENOMEM: return -ENOMEM;
    case FILCH_EAGAIN: return -EAGAIN;
    case FILCH_ENOSYS: return -ENOSYS;
    default: return -EBADF;
    }
}

/* Milliseconds for poll(), rounded up; -1: for ever. */
static int until(uint64_t deadline)
{
    if (deadline == FILCH_OS_NEVER) {
        return -1;
    }
    uint64_t now = filch_os_now_ns();
    uint64_t left = deadline > now ? (deadline - now + 999999) / 1000000 : 0;
    return left < INT_MAX ? (int)left : INT_MAX;
}

/* noinline: as in io.c */
__attribute__((noinline)) static int try_poll(struct pollfd *fds, unsigned count, int milliseconds)
{
    int n = poll(fds, count, milliseconds);
    return n < 0 ? -errno : n;
}

/* What a poll() says that has returned n: false: nothing. */
static bool says(int n, const struct pollfd *one, short *came, filch_status *status)
{
    bool refused = n == -EPERM || n == -ENOSYS;
    *came = one->revents;
    *status = refused                   ? FILCH_ENOSYS
              : n < 0                   ? FILCH_ENOMEM
              : one->revents & POLLNVAL ? FILCH_EINVAL
                                        : FILCH_OK;
    return (n < 0 && n != -EINTR) || (n > 0 && one->revents);
}

filch_status filch_io_look(int fd, short events, short *came)
{
    struct pollfd one = {.fd = fd, .events = events};
    filch_status status;
    return says(try_poll(&one, 1, 0), &one, came, &status) ? status : FILCH_ETIMEDOUT;
}

filch_status filch_io_look_as_user(struct filch_io_call *call, short events, short *came)
{
    if (filch_io_hold(call) != 0) {
        return FILCH_ECLOSED;
    }
    filch_status status = filch_io_look(call->fd, events, came);
    filch_io_let_go(call);
    return status;
}

/* Sleep once as a user of the descriptor. True: that was it. */
static bool sleep_in_poll(const struct filch_io_call *call, const struct filch_fd_sleeper *sleeper,
                          short events, short *came, filch_status *status)
{
    struct pollfd both[2] = {{.fd = events ? call->fd : -1, .events = events},
                             {.fd = sleeper->event, .events = POLLIN}};
    uint64_t deadline = call->deadline_ns;
    if (sleeper->event < 0) {
        uint64_t slice = filch_os_now_ns() + SLICE_NS;
        deadline = slice < deadline ? slice : deadline;
    }
    int error = filch_fd_use(call->fd, call->closes);
    if (error) {
        *status = error == EBADF ? FILCH_ECLOSED : FILCH_ENOMEM;
        return true;
    }
    int n = try_poll(both, 2, until(deadline));
    filch_fd_unuse(call->fd);
    return says(n, &both[0], came, status);
}

/* On a thread that is in no pool, and for what the system does not watch for a pool. */
static filch_status wait_here(struct filch_io_call *call, short events, short *came)
{
    struct filch_fd_sleeper sleeper;
    filch_status status = FILCH_ETIMEDOUT;
    if (call->deadline_ns == 0) {
        return events ? filch_io_look_as_user(call, events, came) : FILCH_ETIMEDOUT;
    }
    filch_fd_sleeper_add(&sleeper, call->fd);
    while (!sleep_in_poll(call, &sleeper, events, came, &status)) {
        if (call->deadline_ns <= filch_os_now_ns()) {
            status = FILCH_ETIMEDOUT;
            break;
        }
    }
    filch_fd_sleeper_remove(&sleeper);
    return status;
}

static filch_status wait_in_pool(struct filch_pool *pool, struct filch_io_call *call, short events,
                                 short *came)
{
    struct filch_fd_wait wait = {.poller = filch_poller_of(pool),
                                 .fd = call->fd,
                                 .closes = call->closes,
                                 .events = (unsigned short)events};
    if (!wait.poller) {
        return FILCH_EAGAIN;
    }
    filch_status status = filch_wait_until(&filch_fd_kind, &wait, call->deadline_ns);
    if (status != FILCH_OK) {
        return status;
    }
    if (wait.error == EPERM) { /* a file on disk, which is always ready */
        status = filch_io_look_as_user(call, events, came);
        return status == FILCH_ETIMEDOUT ? wait_here(call, events, came) : status;
    }
    *came = (short)wait.came;
    return *came & POLLNVAL ? FILCH_ECLOSED : status_of(wait.error);
}

/* The pool whose fiber this is. NULL: none, or one of the parent's in the child of a fork(): its
 * poller is the parent's, too. */
static struct filch_pool *own_pool(void)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && filch_process_owns(fiber->pool->token) ? fiber->pool : NULL;
}

static filch_status wait_for_fd(struct filch_io_call *call, short events, short *came)
{
    struct filch_pool *pool = own_pool();
    call->waited = true;
    return pool && call->deadline_ns && call->fd < FILCH_FD_MOST
               ? wait_in_pool(pool, call, events, came)
               : wait_here(call, events, came);
}

static filch_status wait_surely(struct filch_io_call *call, short events, short *came)
{
    filch_status status;
    bool hint;
    do {
        status = wait_for_fd(call, events, came);
        hint = status == FILCH_OK;
        status = hint ? filch_io_look_as_user(call, events, came) : status;
    } while (hint && status == FILCH_ETIMEDOUT);
    return status;
}

filch_status filch_wait_fd(int fd, short events, short *came)
{
    return filch_wait_fd_until(fd, events, filch_never(), came);
}

filch_status filch_wait_fd_until(int fd, short events, filch_deadline until, short *came)
{
    struct filch_io_call call = filch_io_begin(fd, until);
    short any = 0;
    came = came ? came : &any;
    if (fd < 0 || !events) {
        return FILCH_EINVAL;
    }
    if (!own_pool()) { /* no line to stand in */
        filch_status status = filch_io_look_as_user(&call, events, came);
        if (status != FILCH_ETIMEDOUT) {
            return status;
        }
    }
    return wait_surely(&call, events, came);
}

int filch_io_wait(struct filch_io_call *call, short events)
{
    short came;
    return error_of(wait_for_fd(call, events, &came));
}

int filch_io_wait_surely(struct filch_io_call *call, short events)
{
    short came;
    return error_of(wait_surely(call, events, &came));
}

int filch_io_nap(struct filch_io_call *call, uint64_t ns)
{
    struct filch_io_call nap = *call;
    uint64_t end = filch_os_now_ns() + ns;
    short came;
    nap.deadline_ns = end < call->deadline_ns ? end : call->deadline_ns;
    filch_status status = wait_for_fd(&nap, 0, &came);
    bool over = status == FILCH_ETIMEDOUT && filch_os_now_ns() < call->deadline_ns;
    return over ? 0 : error_of(status);
}
