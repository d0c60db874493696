/* filch/io.h: reading and writing in plain sequential code, without holding a core meanwhile.
 *
 *     char buffer[256];
 *     ssize_t n;
 *     while ((n = filch_read(socket, buffer, sizeof buffer)) > 0 &&
 *            filch_write(socket, buffer, (size_t)n) == n) {
 *     }
 *
 * A call tries first; a task that must wait is suspended until the descriptor is ready; an ordinary
 * thread sleeps. Answers are those of the system calls, but since errno does not survive a
 * task's wait, errors are returned as negative numbers: -ECONNRESET and so on, and -ETIMEDOUT: the
 * deadline came first, -ECANCELED: the caller is asked to stop, -EBADF: not open (for that), or
 * closed with filch_close() meanwhile, -ENOMEM, -EAGAIN: no thread could be made that watches
 * descriptors, -ENOSYS: the system lets none be watched (a filter of system calls).
 *
 * A call is about what its number stood for when it began. filch_close() ends all calls that wait
 * for it, in tasks and in ordinary threads, and they never read or write what gets that number
 * next. A plain close() is not noticed: what waits for the number waits on, for whatever the number
 * stands for next. Numbers may be closed plainly and used again when none waits for them,
 * whatever waited for them before; duplicates may be kept.
 *
 * In the child of a fork(), a task of a parent's pool waits as an ordinary thread does.
 *
 * Threads: any. All but filch_close() block; may migrate. */
#ifndef FILCH_IO_H
#define FILCH_IO_H

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: waits until the descriptor is ready for one of `events`: POLLIN, POLLOUT, POLLPRI.
 * `came`, if not NULL, gets what it is ready for, errors (POLLERR, POLLHUP) included. Files on disk
 * are always ready. If several tasks wait for the same, the one that came first is woken first.
 * Errors: FILCH_EINVAL: no events, or the descriptor is not open; FILCH_ETIMEDOUT; FILCH_ECANCELED;
 * FILCH_ECLOSED: it was closed meanwhile, with filch_close(), where the calls below say -EBADF;
 * FILCH_ENOMEM; FILCH_EAGAIN: no thread could be made that watches descriptors;
 * FILCH_ENOSYS: the system lets none be watched. */
FILCH_MUST_CHECK filch_status filch_wait_fd(int fd, short events, short *came);
FILCH_MUST_CHECK filch_status filch_wait_fd_until(int fd, short events, filch_deadline until,
                                                  short *came);

/* Effect: reads at most `bytes`, as soon as there are any. Sockets, pipes, terminals and the like;
 * the descriptor's flags are left alone. Returns: how many; 0: the end. */
FILCH_MUST_CHECK ssize_t filch_read(int fd, void *buffer, size_t bytes);
FILCH_MUST_CHECK ssize_t filch_read_until(int fd, void *buffer, size_t bytes, filch_deadline until);

/* Effect: writes all `bytes`. A peer that has gone is -EPIPE; for sockets without a signal.
 * Returns: `bytes`, or the error, when an unknown part of them has been written. */
FILCH_MUST_CHECK ssize_t filch_write(int fd, const void *buffer, size_t bytes);
FILCH_MUST_CHECK ssize_t filch_write_until(int fd, const void *buffer, size_t bytes,
                                           filch_deadline until);

/* Effect: waits for a connection. `address` and `length` as for accept(), or NULL. Makes the
 * listening socket non-blocking. Returns: the new socket, which is closed on exec. */
FILCH_MUST_CHECK int filch_accept(int fd, struct sockaddr *address, socklen_t *length);
FILCH_MUST_CHECK int filch_accept_until(int fd, struct sockaddr *address, socklen_t *length,
                                        filch_deadline until);

/* Effect: connects the socket, and makes it non-blocking. If it is being connected already, by an
 * earlier call that timed out for example, waits for that. Returns: 0: it is connected. */
FILCH_MUST_CHECK int filch_connect(int fd, const struct sockaddr *address, socklen_t length);
FILCH_MUST_CHECK int filch_connect_until(int fd, const struct sockaddr *address, socklen_t length,
                                         filch_deadline until);

/* Effect: closes the descriptor; first, all that wait for it, tasks and threads, are woken, and
 * fail with -EBADF or FILCH_ECLOSED. Returns: 0. Does not block, except until a thread that sleeps
 * for the descriptor has woken. Not in a signal handler. */
int filch_close(int fd);

#ifdef __cplusplus
}
#endif

#endif
