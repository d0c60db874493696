/* poller: fibers that wait for descriptors.
 *
 * A pool whose fibers wait for descriptors has one more thread, which sleeps in the system's poll
 * and wakes them. For each descriptor number there is a line of those that wait. The system answers
 * a question once; the first in line for each event that came is woken, and the system is asked
 * again for the others: if what came was enough for two, the answer is there at once. */
#ifndef FILCH_POLLER_H
#define FILCH_POLLER_H

#include "base/private.h"
#include "os/os_poll.h"
#include "sleep/party.h"
#include "sleep/wait_list.h"

struct filch_pool;
struct filch_poller;

/* One that waits, in its own frame. */
struct filch_fd_wait {
    struct filch_wait_node place;
    struct filch_poller *poller;
    int fd;
    uint32_t closes; /* the descriptor of that time is meant (closing.h) */
    unsigned events; /* asked for; 0: only the deadline or its being closed ends the wait */
    unsigned came;   /* what came, POLLNVAL if it was closed; lock of the descriptor */
    int error;       /* an errno: it cannot be waited for; EPERM: not in this way; lock likewise */
};

/* The pool's, made at its first use. NULL: the system has no thread or memory to give. */
FILCH_PRIVATE struct filch_poller *filch_poller_of(struct filch_pool *pool);

/* The pool's fibers are gone: end the thread, free it all, if there is one. */
FILCH_PRIVATE void filch_poller_end(struct filch_pool *pool);

/* What is waited for; the context is a struct filch_fd_wait. */
FILCH_PRIVATE_OBJECT const struct filch_wait_kind filch_fd_kind;

/* fd is being closed, and from filch_fd_close_begin() on no more waits for it begin: wake those
 * that wait for it here. */
FILCH_PRIVATE void filch_poller_forget(struct filch_poller *poller, int fd);

#endif
