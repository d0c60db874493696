#define _GNU_SOURCE
#include <filch/io.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "deadline.h"
#include "os.h"
#include "pool.h"
#include "poller.h"
#include "process.h"
#include "region.h"
#include "strand.h"
#include "waiting.h"

static filch_status status_of(int error)
{
    switch (error) {
    case 0:
    case EPERM: return FILCH_OK; /* always ready */
    case ENOMEM:
    case ENOSPC: return FILCH_ENOMEM;
    case ENOSYS: return FILCH_ENOSYS;
    default: return FILCH_EINVAL;
    }
}

/* The other way round: what a wait that failed with this is to callers who know errno. */
static int error_of(filch_status status)
{
    switch (status) {
    case FILCH_ETIMEDOUT: return -ETIMEDOUT;
    case FILCH_ECANCELED: return -ECANCELED;
    case FILCH_ENOMEM: return -ENOMEM;
    case FILCH_EAGAIN: return -EAGAIN;
    case FILCH_ENOSYS: return -ENOSYS;
    default: return -EBADF;
    }
}

static filch_status wait_in_pool(struct filch_pool *pool, int fd, short events, uint64_t deadline,
                                 short *came)
{
    struct filch_fd_wait wait = {
        .poller = filch_poller_of(pool), .fd = fd, .events = (unsigned short)events};
    if (!wait.poller) {
        return FILCH_EAGAIN;
    }
    filch_status status = filch_wait_until(&filch_fd_kind, &wait, deadline);
    if (status == FILCH_OK) {
        status = status_of(wait.error);
        *came = wait.error ? events : (short)wait.came;
    }
    return status == FILCH_OK && *came & POLLNVAL ? FILCH_ECLOSED : status;
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

/* One system call each, and its errno at once: noinline, because the compiler takes the address of
 * errno to be the same for the whole of a function, while a wait may move us to another thread. */
#define FILCH_ONE_CALL __attribute__((noinline)) static

FILCH_ONE_CALL int try_poll(struct pollfd *one, int milliseconds)
{
    int n = poll(one, 1, milliseconds);
    return n < 0 ? -errno : n;
}

/* On a thread that is in no pool, or only for a look. */
static filch_status wait_here(int fd, short events, uint64_t deadline, short *came)
{
    struct pollfd one = {.fd = fd, .events = events};
    int n;
    do {
        n = try_poll(&one, until(deadline));
    } while (n == -EINTR || (n == 0 && deadline > filch_os_now_ns()));
    *came = one.revents;
    if (n < 0) {
        return n == -EPERM || n == -ENOSYS ? FILCH_ENOSYS : FILCH_ENOMEM;
    }
    return n == 0 ? FILCH_ETIMEDOUT : one.revents & POLLNVAL ? FILCH_EINVAL : FILCH_OK;
}

static filch_status wait_until(int fd, short events, uint64_t deadline, short *came)
{
    struct filch_strand *strand = filch_strand_self();
    if (fd < 0 || !events) {
        return FILCH_EINVAL;
    }
    return strand && deadline ? wait_in_pool(strand->pool, fd, events, deadline, came)
                              : wait_here(fd, events, deadline, came);
}

/* The same, and it is so: an answer that was under way when its descriptor was closed can reach
 * whoever waits for the next one of that number. */
static filch_status wait_surely(int fd, short events, uint64_t deadline, short *came)
{
    filch_status status;
    do {
        status = wait_until(fd, events, deadline, came);
    } while (status == FILCH_OK && wait_here(fd, events, 0, came) == FILCH_ETIMEDOUT);
    return status;
}

filch_status filch_wait_fd(int fd, short events, double deadline, short *came)
{
    short any;
    return wait_surely(fd, events, filch_deadline_at(deadline), came ? came : &any);
}

/* Wait, because a call would have, and is tried again: 0, or the error. */
static int wait_for(int fd, short events, uint64_t deadline)
{
    short came;
    filch_status status = wait_until(fd, events, deadline, &came);
    return status == FILCH_OK ? 0 : error_of(status);
}

/* Wait so that a call that cannot be asked not to wait does not. */
static int wait_before(int fd, short events, uint64_t deadline)
{
    short came;
    filch_status status = wait_surely(fd, events, deadline, &came);
    return status == FILCH_OK ? 0 : error_of(status);
}

FILCH_ONE_CALL ssize_t try_recv(int fd, void *buffer, size_t bytes)
{
    ssize_t n = recv(fd, buffer, bytes, MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_read(int fd, void *buffer, size_t bytes)
{
    ssize_t n = read(fd, buffer, bytes);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_send(int fd, const void *buffer, size_t bytes)
{
    ssize_t n = send(fd, buffer, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_write(int fd, const void *buffer, size_t bytes)
{
    ssize_t n = write(fd, buffer, bytes);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL int try_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    int accepted = accept(fd, address, length);
    if (accepted >= 0) {
        fcntl(accepted, F_SETFD, FD_CLOEXEC);
    }
    return accepted < 0 ? -errno : accepted;
}

FILCH_ONE_CALL int try_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return connect(fd, address, length) != 0 ? -errno : 0;
}

FILCH_ONE_CALL int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    bool done = flags >= 0 && (flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    return done ? 0 : -errno;
}

/* After a call that answered `n`: wait if it would have, and have it tried again. False: that was
 * it, and *n is the answer. */
static bool again(ssize_t *n, int fd, short events, uint64_t deadline)
{
    if (*n == -EINTR) {
        return true;
    }
    if (*n != -EAGAIN && *n != -EWOULDBLOCK) {
        return false;
    }
    int error = wait_for(fd, events, deadline);
    *n = error;
    return error == 0;
}

/* What cannot be asked not to wait is read when it is ready: then it does not. */
static ssize_t read_ready(int fd, void *buffer, size_t bytes, uint64_t deadline)
{
    ssize_t n;
    do {
        int error = wait_before(fd, POLLIN, deadline);
        if (error) {
            return error;
        }
        n = try_read(fd, buffer, bytes);
    } while (n == -EINTR || n == -EAGAIN);
    return n;
}

ssize_t filch_read(int fd, void *buffer, size_t bytes, double deadline)
{
    uint64_t until_ns = filch_deadline_at(deadline);
    ssize_t n;
    do {
        n = try_recv(fd, buffer, bytes);
        if (n == -ENOTSOCK || n == -EPERM || n == -ENOSYS) { /* or recv() is refused */
            return read_ready(fd, buffer, bytes, until_ns);
        }
    } while (again(&n, fd, POLLIN, until_ns));
    return n;
}

/* Something that is no socket takes PIPE_BUF bytes without waiting, when it is ready at all. */
static ssize_t write_some(int fd, const void *buffer, size_t bytes, uint64_t deadline)
{
    ssize_t n = try_send(fd, buffer, bytes);
    if (n == -ENOTSOCK || n == -EPERM || n == -ENOSYS) { /* or send() is refused */
        int error = wait_before(fd, POLLOUT, deadline);
        n = error ? error : try_write(fd, buffer, bytes < PIPE_BUF ? bytes : PIPE_BUF);
    }
    return n;
}

ssize_t filch_write(int fd, const void *buffer, size_t bytes, double deadline)
{
    uint64_t until_ns = filch_deadline_at(deadline);
    size_t written = 0;
    do {
        ssize_t n;
        do {
            n = write_some(fd, (const char *)buffer + written, bytes - written, until_ns);
        } while (again(&n, fd, POLLOUT, until_ns));
        if (n < 0) {
            return n;
        }
        written += (size_t)n;
    } while (written < bytes);
    return (ssize_t)bytes;
}

int filch_accept(int fd, struct sockaddr *address, socklen_t *length, double deadline)
{
    uint64_t until_ns = filch_deadline_at(deadline);
    ssize_t n = make_nonblocking(fd);
    if (n == 0) {
        do {
            n = try_accept(fd, address, length);
        } while (n == -ECONNABORTED || again(&n, fd, POLLIN, until_ns));
    }
    return (int)n;
}

int filch_connect(int fd, const struct sockaddr *address, socklen_t length, double deadline)
{
    uint64_t until_ns = filch_deadline_at(deadline);
    int error = make_nonblocking(fd);
    error = error ? error : try_connect(fd, address, length);
    if (error == -EINPROGRESS || error == -EINTR) {
        socklen_t bytes = sizeof(int);
        int outcome = 0;
        error = wait_for(fd, POLLOUT, until_ns);
        if (!error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &bytes) == 0) {
            error = -outcome;
        }
    }
    return error;
}

/* For all pools: wake those who wait for it and nobody can until it is closed. */
static void forget(struct filch_process *process, int fd,
                   void (*step)(struct filch_poller *poller, int fd))
{
    for (struct filch_pool *pool = process->pools; pool; pool = pool->next_pool) {
        /* acquire: pairs with the release in filch_poller_of */
        struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
        if (poller) {
            step(poller, fd);
        }
    }
}

int filch_close(int fd)
{
    struct filch_process *process = filch_process();
    if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    filch_lock_acquire(&process->pools_lock);
    forget(process, fd, filch_poller_forget);
    int error = close(fd) == 0 || errno == EINTR ? 0 : -errno;
    forget(process, fd, filch_poller_forgotten);
    filch_lock_release(&process->pools_lock);
    return error;
}
