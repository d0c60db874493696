/* io_wait: how the calls of io.c wait for a descriptor.
 *
 * Such a call tries, waits if it would have to, and tries again. It is about what its number stood
 * for when it began (closing.h): a filch_close() meanwhile ends it, and each try is made as a user
 * of the descriptor. */
#ifndef FILCH_IO_WAIT_H
#define FILCH_IO_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>
#include <filch/time.h>

#include "base/private.h"

struct filch_io_call {
    int fd;
    uint32_t closes; /* of fd, when the call began */
    uint64_t deadline_ns;
    bool waited;
    bool holds; /* it is a user now */
};

FILCH_PRIVATE struct filch_io_call filch_io_begin(int fd, filch_deadline until);

/* Around each try. 0, or the error: it has been closed. */
FILCH_PRIVATE int filch_io_hold(struct filch_io_call *call);
FILCH_PRIVATE void filch_io_let_go(struct filch_io_call *call);

/* Wait until it is ready for one of `events`, which is a hint: 0, or the error. */
FILCH_PRIVATE int filch_io_wait(struct filch_io_call *call, short events);

/* The same, and it is so just now. */
FILCH_PRIVATE int filch_io_wait_surely(struct filch_io_call *call, short events);

/* Wait for that time to pass, at most. 0, or the error. */
FILCH_PRIVATE int filch_io_nap(struct filch_io_call *call, uint64_t ns);

/* What it is ready for now. FILCH_ETIMEDOUT: nothing; FILCH_EINVAL: it is not open. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_io_look(int fd, short events, short *came);

/* The same, unless it has been closed: FILCH_ECLOSED. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_io_look_as_user(struct filch_io_call *call,
                                                                  short events, short *came);

/* Listening sockets are, before they are tried. 0, or the error. */
FILCH_PRIVATE int filch_io_make_nonblocking(struct filch_io_call *call);

/* The new socket, or the error: -EAGAIN: there is no connection now. */
FILCH_PRIVATE int filch_io_accept_now(struct filch_io_call *call);

#endif
