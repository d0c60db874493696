/* first_fd: what a case keeps that is watched through a descriptor. */
#ifndef FILCH_FIRST_FD_H
#define FILCH_FIRST_FD_H

#include <filch/first.h>

#include "base/private.h"
#include "poll/poller.h"

struct filch_case_fd {
    struct filch_fd_wait wait;
    bool waits;     /* it has a place in the line */
    bool unwatched; /* the system does not tell of it: one must look */
    bool set;       /* a listener was made non-blocking; a descriptor of its own was asked for */
};

static inline struct filch_case_fd *filch_case_fd_of(filch_case *one)
{
    return (struct filch_case_fd *)(void *)one->opaque;
}

/* Begin with this descriptor. */
FILCH_PRIVATE void filch_case_fd_watch(struct filch_case_fd *state, int fd, short events);

#endif
