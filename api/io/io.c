#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <filch/io.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io_wait.h"
#include "os/os_poll.h"
#include "poll/poller.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sleep/closing.h"

enum { NAP_NS = 1000000 }; /* between tries of what cannot be waited for */

/* One call of the program's, and its arguments. */
struct io {
    struct filch_io_call call;
    void *in;
    const void *out;
    size_t bytes;
    struct sockaddr *peer;
    socklen_t *peer_bytes;
};

typedef ssize_t io_try(struct io *io);

/* One system call each, and its errno at once: noinline, because the compiler takes the address of
 * errno to be the same for the whole of a function, while a wait may move us to another thread. */
#define FILCH_ONE_CALL __attribute__((noinline)) static

FILCH_ONE_CALL ssize_t try_recv(struct io *io)
{
    ssize_t n = recv(io->call.fd, io->in, io->bytes, MSG_DONTWAIT);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_read(struct io *io)
{
    ssize_t n = read(io->call.fd, io->in, io->bytes);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_send(struct io *io)
{
    ssize_t n = send(io->call.fd, io->out, io->bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}

FILCH_ONE_CALL ssize_t try_write(struct io *io)
{
    ssize_t n = write(io->call.fd, io->out, io->bytes);
    return n < 0 ? -errno : n;
}

/* What is never ready and yet does not have to be waited for. */
static bool is_on_disk(int fd)
{
    struct stat is;
    return fstat(fd, &is) == 0 && (S_ISREG(is.st_mode) || S_ISBLK(is.st_mode));
}

/* A file on disk says "again" when it has to be fetched from there, after a wait as before. */
static ssize_t unless_on_disk(const struct io *io, ssize_t n)
{
    return n == -EAGAIN && io->call.waited && is_on_disk(io->call.fd) ? -EOPNOTSUPP : n;
}

static ssize_t try_read_now(struct io *io)
{
    return unless_on_disk(io, filch_os_read_now(io->call.fd, io->in, io->bytes));
}

static ssize_t try_write_now(struct io *io)
{
    return unless_on_disk(io, filch_os_write_now(io->call.fd, io->out, io->bytes));
}

FILCH_ONE_CALL ssize_t try_accept(struct io *io)
{
    int accepted = accept(io->call.fd, io->peer, io->peer_bytes);
    if (accepted >= 0) {
        fcntl(accepted, F_SETFD, FD_CLOEXEC);
    }
    return accepted < 0 ? -errno : accepted;
}

FILCH_ONE_CALL int try_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return connect(fd, address, length) != 0 ? -errno : 0;
}

FILCH_ONE_CALL int flags_of(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : flags;
}

FILCH_ONE_CALL int try_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    bool done = flags >= 0 && (flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    return done ? 0 : -errno;
}

int filch_io_make_nonblocking(struct filch_io_call *call)
{
    int error = filch_io_hold(call);
    if (!error) {
        error = try_nonblocking(call->fd);
        filch_io_let_go(call);
    }
    return error;
}

/* After a call that answered `n`: wait if it would have, and have it tried again. False: that was
 * it, and *n is the answer. */
static bool again(ssize_t *n, struct io *io, short events)
{
    if (*n == -EINTR) {
        return true;
    }
    if (*n != -EAGAIN && *n != -EWOULDBLOCK) {
        return false;
    }
    *n = filch_io_wait(&io->call, events);
    return *n == 0;
}

/* Try, and wait whenever that would. */
static ssize_t persist(struct io *io, io_try *try_it, short events)
{
    ssize_t n;
    do {
        n = filch_io_hold(&io->call);
        if (n == 0) {
            n = try_it(io);
            filch_io_let_go(&io->call);
        }
    } while (again(&n, io, events));
    return n;
}

/* What cannot be asked not to wait is tried when it is ready: then it does not, as long as no other
 * is faster. Not as a user: it may take time, and a close does not wait for it. */
static ssize_t try_ready(struct io *io, io_try *try_it, short events)
{
    ssize_t n;
    do {
        int error = filch_io_wait_surely(&io->call, events);
        if (error) {
            return error; /* -EAGAIN, too: there is no thread to wait with */
        }
        n = try_it(io);
    } while (n == -EINTR || n == -EAGAIN);
    return n;
}

/* How something that is no socket is read, or written. */
struct way {
    io_try *try_now; /* without waiting, if the system can do that */
    io_try *try_it;
    short events;
    int other_mode; /* a descriptor that is open so only is not for this */
    size_t most;    /* bytes that do not wait when it is ready */
};

/* Will a plain try answer at once: because it is set so, or is not allowed at all? */
static bool answers_at_once(const struct io *io, int flags, int other_mode)
{
    int mode = flags & O_ACCMODE;
    bool allowed = mode == O_RDWR || (mode != other_mode && mode != O_ACCMODE);
    return io->bytes == 0 || flags & O_NONBLOCK || !allowed;
}

static ssize_t go(struct io *io, const struct way *way)
{
    ssize_t n = io->bytes ? persist(io, way->try_now, way->events) : -EOPNOTSUPP;
    if (n != -EOPNOTSUPP) {
        return n;
    }
    int flags = flags_of(io->call.fd);
    if (flags < 0) {
        return flags;
    }
    if (answers_at_once(io, flags, way->other_mode)) {
        return persist(io, way->try_it, way->events);
    }
    size_t all = io->bytes;
    io->bytes = all < way->most ? all : way->most;
    n = try_ready(io, way->try_it, way->events);
    io->bytes = all;
    return n;
}

static const struct way reading = {try_read_now, try_read, POLLIN, O_WRONLY, SIZE_MAX};
static const struct way writing = {try_write_now, try_write, POLLOUT, O_RDONLY, PIPE_BUF};

ssize_t filch_read(int fd, void *buffer, size_t bytes)
{
    return filch_read_until(fd, buffer, bytes, filch_never());
}

ssize_t filch_read_until(int fd, void *buffer, size_t bytes, filch_deadline until)
{
    struct io io = {.call = filch_io_begin(fd, until), .in = buffer, .bytes = bytes};
    if (bytes == 0) {
        return try_read(&io); /* nothing to wait for */
    }
    ssize_t n = persist(&io, try_recv, POLLIN);
    /* a filter of system calls may refuse recv() and allow read() */
    return n == -ENOTSOCK || n == -EPERM || n == -ENOSYS ? go(&io, &reading) : n;
}

static ssize_t write_some(struct io *io, bool *is_socket)
{
    ssize_t n = *is_socket ? persist(io, try_send, POLLOUT) : -ENOTSOCK;
    *is_socket = n != -ENOTSOCK;
    return *is_socket ? n : go(io, &writing);
}

ssize_t filch_write(int fd, const void *buffer, size_t bytes)
{
    return filch_write_until(fd, buffer, bytes, filch_never());
}

ssize_t filch_write_until(int fd, const void *buffer, size_t bytes, filch_deadline until)
{
    struct io io = {.call = filch_io_begin(fd, until), .out = buffer, .bytes = bytes};
    bool is_socket = true;
    do {
        ssize_t n = write_some(&io, &is_socket);
        if (n < 0) {
            return n;
        }
        io.out = (const char *)io.out + n;
        io.bytes -= (size_t)n;
    } while (io.bytes);
    return (ssize_t)bytes;
}

int filch_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return filch_accept_until(fd, address, length, filch_never());
}

int filch_accept_until(int fd, struct sockaddr *address, socklen_t *length, filch_deadline until)
{
    struct io io = {.call = filch_io_begin(fd, until), .peer = address, .peer_bytes = length};
    ssize_t n = filch_io_make_nonblocking(&io.call);
    if (n == 0) {
        do {
            n = persist(&io, try_accept, POLLIN);
        } while (n == -ECONNABORTED);
    }
    return (int)n;
}

int filch_io_accept_now(struct filch_io_call *call)
{
    struct io io = {.call = *call};
    ssize_t n = filch_io_hold(&io.call);
    if (n == 0) {
        n = try_accept(&io);
        filch_io_let_go(&io.call);
    }
    return (int)n;
}

/* 0: it is connected; the error that it failed with; -ENOTCONN: neither. */
FILCH_ONE_CALL int connected(int fd)
{
    struct sockaddr_storage peer;
    socklen_t bytes = sizeof(int);
    int outcome = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &bytes) != 0) {
        return -errno;
    }
    bytes = sizeof peer;
    return outcome ? -outcome : getpeername(fd, (struct sockaddr *)&peer, &bytes) ? -errno : 0;
}

/* What has become of a connect(): what woke us was a hint. -EINPROGRESS: it is not decided. */
static int outcome_of_connect(int fd)
{
    short came;
    int error = connected(fd);
    if (error != -ENOTCONN) {
        return error;
    }
    if (filch_io_look(fd, POLLOUT, &came) == FILCH_ETIMEDOUT) {
        return -EINPROGRESS;
    }
    error = connected(fd);                             /* it may have happened just now */
    return error == -ENOTCONN ? -ECONNABORTED : error; /* it was shut down */
}

static int await_connect(struct filch_io_call *call)
{
    int error;
    do {
        error = filch_io_wait(call, POLLOUT);
        error = error ? error : filch_io_hold(call);
        if (!error) {
            error = outcome_of_connect(call->fd);
            filch_io_let_go(call);
        }
    } while (error == -EINPROGRESS);
    return error;
}

static int connect_as_user(struct filch_io_call *call, const struct sockaddr *address,
                           socklen_t length)
{
    int error = filch_io_hold(call);
    if (!error) {
        error = try_connect(call->fd, address, length);
        filch_io_let_go(call);
    }
    return error;
}

/* A local socket whose listener has no room answers "again", and nothing tells when it has. */
static int retry_connect(struct filch_io_call *call, const struct sockaddr *address,
                         socklen_t length)
{
    int error;
    do {
        error = filch_io_nap(call, NAP_NS);
        error = error ? error : connect_as_user(call, address, length);
    } while (error == -EAGAIN);
    return error;
}

int filch_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return filch_connect_until(fd, address, length, filch_never());
}

int filch_connect_until(int fd, const struct sockaddr *address, socklen_t length,
                        filch_deadline until)
{
    struct filch_io_call call = filch_io_begin(fd, until);
    int error = filch_io_make_nonblocking(&call);
    error = error ? error : connect_as_user(&call, address, length);
    if (error == -EAGAIN && address->sa_family == AF_UNIX) {
        return retry_connect(&call, address, length);
    }
    bool under_way = error == -EINPROGRESS || error == -EALREADY || error == -EINTR;
    return under_way ? await_connect(&call) : error;
}

/* In all pools. */
static void wake_waiting(int fd)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    for (struct filch_pool *pool = process->pools; pool; pool = pool->next_pool) {
        /* acquire: pairs with the release in filch_poller_of */
        struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
        if (poller) {
            filch_poller_forget(poller, fd);
        }
    }
    filch_lock_release(&process->pools_lock);
}

FILCH_ONE_CALL int try_close(int fd)
{
    return close(fd) == 0 || errno == EINTR ? 0 : -errno;
}

int filch_close(int fd)
{
    if (fd < 0 || fcntl(fd, F_GETFD) < 0) {
        return -EBADF;
    }
    bool begun = filch_fd_close_begin(fd);
    wake_waiting(fd);
    int error = try_close(fd);
    if (begun) {
        filch_fd_close_end(fd);
    }
    return error;
}
