/* os_plain_poll: os_poll.h once more, under names of its own: poll(), where Linux refuses epoll. */
#ifndef FILCH_OS_PLAIN_POLL_H
#define FILCH_OS_PLAIN_POLL_H

#include "base/private.h"
#include "os/os_poll.h"

#ifndef FILCH_OS_POSIX /* which has no other */
struct filch_os_plain_poll;

FILCH_SEAM struct filch_os_plain_poll *filch_os_plain_poll_open(void);
FILCH_SEAM void filch_os_plain_poll_close(struct filch_os_plain_poll *poll);
FILCH_SEAM int filch_os_plain_poll_ask(struct filch_os_plain_poll *poll, int fd, unsigned events,
                                       uint32_t question);
FILCH_SEAM void filch_os_plain_poll_drop(struct filch_os_plain_poll *poll, int fd);
FILCH_SEAM size_t filch_os_plain_poll_wait(struct filch_os_plain_poll *poll,
                                           struct filch_os_ready *ready, size_t most);
FILCH_SEAM void filch_os_plain_poll_interrupt(struct filch_os_plain_poll *poll);
#endif

#endif
