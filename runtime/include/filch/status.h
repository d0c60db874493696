/* filch/status.h: what a call of filch can answer. */
#ifndef FILCH_STATUS_H
#define FILCH_STATUS_H

#include <filch/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call came to. */
typedef enum filch_status {
    FILCH_OK = 0,
    FILCH_EINVAL,    /* an argument is NULL, zero or out of its documented bounds */
    FILCH_ENOMEM,    /* no memory; nothing was changed */
    FILCH_EAGAIN,    /* a thread could not be created */
    FILCH_EOVERFLOW, /* number of elements times their size exceeds SIZE_MAX */
    FILCH_ECLOSED,   /* the pool accepts no more work */
    FILCH_ECANCELED, /* the work was cancelled before or while it ran */
    FILCH_ETIMEDOUT, /* the deadline came first */
    FILCH_EDEADLK,   /* the call would wait for its own caller, or for ever */
    FILCH_EALREADY,  /* it has been done before; the first stands */
    FILCH_EBUSY,     /* the pool is still running: close or terminate it first */
    FILCH_EPENDING,  /* the future is not ready yet */
    FILCH_EBROKEN,   /* the promise was dropped unset, the pool's start hook failed, or the thread
                        that ran the task has ended */
    FILCH_EFORKED,   /* it belongs to the parent of this process */
    FILCH_ERAISED,   /* the task raised an error: see filch_error */
    FILCH_END,       /* there is no more: not an error */
    FILCH_ENOSYS     /* the system refuses a call that filch cannot do without */
} filch_status;

/* Effect: a short English text for a status, never NULL.
 * Threads: any. Does not block. */
const char *filch_strerror(filch_status status);

/* Effect: the number of <errno.h> that means the same: FILCH_ETIMEDOUT is ETIMEDOUT, and so on;
 * FILCH_ECLOSED EBADF, FILCH_EPENDING EINPROGRESS, FILCH_EBROKEN EPIPE, FILCH_EFORKED ECHILD,
 * FILCH_END ENODATA, FILCH_ERAISED EIO, FILCH_OK 0. And back, from what a call of io.h answers, or
 * from -errno: 0 and above are FILCH_OK; FILCH_ERAISED: no other status means the same.
 * Threads: any. Do not block. */
int filch_errno_of(filch_status status);
filch_status filch_status_of_errno(long answer);

#ifdef __cplusplus
}
#endif

#endif
