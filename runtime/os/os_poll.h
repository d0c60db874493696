/* os_poll: being told by the system that descriptors are ready. One implementation is chosen with
 * that of os.h: epoll, or poll(). */
#ifndef FILCH_OS_POLL_H
#define FILCH_OS_POLL_H

#include <poll.h> /* POLLIN and so on */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/private.h"

struct filch_os_poll;

#define FILCH_OS_POLL_REFUSED SIZE_MAX

struct filch_os_ready {
    int fd;
    unsigned events;
    uint32_t question;
};

/* NULL: the system has none to give. */
FILCH_SEAM struct filch_os_poll *filch_os_poll_open(void);
FILCH_SEAM void filch_os_poll_close(struct filch_os_poll *poll);

/* Ask to be told once when fd is ready for one of `events`, instead of what was asked for that
 * descriptor before; the answer has the number `question`. 0, or an errno: EPERM: this system
 * cannot tell of such a one; EBADF, ENOMEM; ENOSYS: the system refuses. Any thread, one at a time
 * for each number. */
FILCH_SEAM int filch_os_poll_ask(struct filch_os_poll *poll, int fd, unsigned events,
                                 uint32_t question);

/* fd is asked no more, and may be closed next: when this returns the system does not keep what it
 * stands for alive on behalf of a wait. It may answer once more where that costs it nothing. Any
 * thread but the one that waits. */
FILCH_SEAM void filch_os_poll_drop(struct filch_os_poll *poll, int fd);

/* Sleep until some are ready, at most `most`, or until interrupted: none. One thread.
 * FILCH_OS_POLL_REFUSED: the system lets it wait no more. */
FILCH_SEAM size_t filch_os_poll_wait(struct filch_os_poll *poll, struct filch_os_ready *ready,
                                     size_t most);

/* The same without sleeping, beside the one that waits: any thread, one at a time; if it can be
 * had at all. */
FILCH_SEAM bool filch_os_poll_looks(const struct filch_os_poll *poll);
FILCH_SEAM size_t filch_os_poll_look(struct filch_os_poll *poll, struct filch_os_ready *ready,
                                     size_t most);

/* Any thread: end the present wait, or the next. */
FILCH_SEAM void filch_os_poll_interrupt(struct filch_os_poll *poll);

/* Read and write without waiting, however the descriptor is set. What read() and write() would
 * return, a negative errno for -1; -EOPNOTSUPP: it cannot be done with such a one. */
FILCH_SEAM ssize_t filch_os_read_now(int fd, void *buffer, size_t bytes);
FILCH_SEAM ssize_t filch_os_write_now(int fd, const void *buffer, size_t bytes);

#endif
