/* filch/first.h: waiting for the first of several things, of whatever kind.
 *
 *     int connection;
 *     switch (FILCH_FIRST(filch_in(60), filch_on_signal(SIGTERM, NULL),
 *                         filch_on_accept(listener, &connection),
 *                         jobs_receiving(jobs, &job, NULL))) {
 *     case 0: run = false; break;
 *     case 1: serve(connection); break;
 *     case 2: do_job(job); break;
 *     default: ...                     minus a filch_status: -FILCH_ETIMEDOUT and so on
 *     }
 *
 * What is not chosen has not happened: nothing is received, accepted, reaped or taken. What is
 * chosen has: how it went is told through the last pointer that its case was given. A case whose
 * pointer is NULL where a channel, future or group is expected is left out, as filch_none() is.
 *
 * A case lasts for one call at a time; an array of them can be used again and again. What a case
 * refers to, and where its answers go, are the caller's until the call returns.
 *
 * A task that must wait is suspended, and its core goes on with other work. An ordinary thread
 * sleeps; if there are descriptors, signals or processes among the cases it visits the default pool
 * for that, whose thread for descriptors wakes it. */
#ifndef FILCH_FIRST_H
#define FILCH_FIRST_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include <filch/future.h>
#include <filch/group.h>
#include <filch/platform.h>
#include <filch/signals.h>
#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_channel filch_channel; /* channel.h */

/* One thing that may happen: a plain value, made by the functions below and by those that
 * FILCH_CHANNEL generates. Its fields are the library's. */
typedef struct filch_case {
    int kind;   /* 0: left out */
    int number; /* of a descriptor, a process or a signal */
    short events;
    filch_channel *channel;
    const void *subject; /* what is sent; a future, a group, a set of signals */
    void *out;           /* what is received; what came; the rest of the answer */
    filch_status *status;
    filch_deadline at;
    FILCH_ALIGNED(8) unsigned char opaque[88]; /* while it waits */
} filch_case;

/* Effect: waits for the first of n cases that can be done, and does it. Of several that can, the
 * one after that with the index *turn is looked at first, then those behind it, in a ring, and
 * *turn is set to the one chosen: served in turn. turn: NULL: any may be looked at first. `until`
 * has passed: only looks. Without cases that are not left out it waits for the deadline. Meant for
 * a few cases, not for hundreds: each is looked at by a call or two.
 * Returns: the index of the one that was done, 0 and above; or minus a status, and none was:
 * -FILCH_ETIMEDOUT; -FILCH_ECANCELED: the caller is asked to stop; -FILCH_EDEADLK: nothing is left
 * that could end the wait (deadlock.h); -FILCH_EFORKED; -FILCH_ENOMEM; -FILCH_EAGAIN: no thread
 * could be made that watches descriptors; -FILCH_ENOSYS: the system lets none be watched;
 * -FILCH_EINVAL: `cases` is NULL though n is not 0, or a case was made of what its function does
 * not allow.
 * Threads: any. Blocks; may migrate. */
FILCH_MUST_CHECK int filch_first(filch_case *cases, size_t n, filch_deadline until, unsigned *turn);

/* Left out: the others keep their indices. */
filch_case filch_none(void);

/* *value is sent through the channel (name_sending() of FILCH_CHANNEL). *status, unless it is NULL,
 * gets what filch_channel_send() would answer: FILCH_OK, FILCH_ECLOSED, FILCH_ENOMEM. */
filch_case filch_on_send(filch_channel *channel, const void *value, filch_status *status);

/* A value is received into *value (name_receiving()). *status likewise: FILCH_OK, FILCH_END. */
filch_case filch_on_receive(filch_channel *channel, void *value, filch_status *status);

/* The descriptor, 0 or above, is ready for one of `events`: POLLIN, POLLOUT, POLLPRI. *came, unless
 * NULL, gets for which, POLLERR and POLLHUP included, or POLLNVAL: it is not open, or was closed
 * with filch_close() meanwhile. */
filch_case filch_on_fd(int fd, short events, short *came);

/* The listening socket, which is made non-blocking, has a connection, and that has been accepted:
 * *socket, not NULL, is closed on exec. Below 0 it is an errno, negative, as of filch_accept(). */
filch_case filch_on_accept(int listener, int *socket);

/* The future is ready, however it ended. */
filch_case filch_on_future(filch_future *future);

/* The group's tasks are all done; filch_group_wait() answers at once then. Of the caller's groups
 * only. While it waits it does not run their tasks itself, as filch_group_wait() does. */
filch_case filch_on_group(filch_group *group);

/* It is that late. An index instead of -FILCH_ETIMEDOUT. */
filch_case filch_on_time(filch_deadline at);

/* The signal was sent to the process, and has been taken; all threads have it blocked
 * (filch_signal_block(), signals.h). *taken, unless it is NULL, says more. */
filch_case filch_on_signal(int signal, filch_signal *taken);

/* The same for any of several, with a 0 behind them: FILCH_SIGNALS(SIGTERM, SIGINT). */
filch_case filch_on_signals(const int *signals, filch_signal *taken);

/* The child of this process has ended, and has been reaped: *wait_status, unless NULL, is as
 * waitpid() sets it, or -ECHILD: there is no such child, or another call has reaped it. pid: above
 * 0. */
filch_case filch_on_process(pid_t pid, int *wait_status);

#ifdef __cplusplus
}

/* FILCH_FIRST(until, case, ...): filch_first() of cases that are written down in place. */
template <typename... Cases> inline int filch_first_of(filch_deadline until, Cases... cases)
{
    filch_case all[] = {cases...};
    return filch_first(all, sizeof...(cases), until, nullptr);
}
#define FILCH_FIRST(until, ...) filch_first_of(until, __VA_ARGS__)
#else
/* FILCH_FIRST(until, case, ...): filch_first() of cases that are written down in place. */
#define FILCH_FIRST(until, ...)                                                                    \
    filch_first((filch_case[]){__VA_ARGS__},                                                       \
                sizeof((filch_case[]){__VA_ARGS__}) / sizeof(filch_case), until, NULL)
#endif

#endif
