/* Names of statuses. */
#include <filch/status.h>

#include <errno.h>

const char *filch_strerror(filch_status status)
{
    switch (status) {
    case FILCH_OK: return "success";
    case FILCH_EINVAL: return "invalid argument";
    case FILCH_ENOMEM: return "out of memory";
    case FILCH_EAGAIN: return "a thread could not be created";
    case FILCH_EOVERFLOW: return "number of elements times their size overflows";
    case FILCH_ECLOSED: return "the pool accepts no more work";
    case FILCH_ECANCELED: return "cancelled";
    case FILCH_ETIMEDOUT: return "timed out";
    case FILCH_EDEADLK: return "deadlock: nothing could end the wait";
    case FILCH_EALREADY: return "already done";
    case FILCH_EBUSY: return "the pool is still running";
    case FILCH_EPENDING: return "not ready yet";
    case FILCH_EBROKEN: return "the promise was dropped, or a worker could not start";
    case FILCH_EFORKED: return "it belongs to the parent process";
    case FILCH_ERAISED: return "the task raised an error";
    case FILCH_END: return "there is no more";
    case FILCH_ENOSYS: return "the system refuses a call that is needed";
    }
    return "unknown status";
}

/* By status. */
static const int numbers_of_statuses[] = {
    [FILCH_OK] = 0,
    [FILCH_EINVAL] = EINVAL,
    [FILCH_ENOMEM] = ENOMEM,
    [FILCH_EAGAIN] = EAGAIN,
    [FILCH_EOVERFLOW] = EOVERFLOW,
    [FILCH_ECLOSED] = EBADF,
    [FILCH_ECANCELED] = ECANCELED,
    [FILCH_ETIMEDOUT] = ETIMEDOUT,
    [FILCH_EDEADLK] = EDEADLK,
    [FILCH_EALREADY] = EALREADY,
    [FILCH_EBUSY] = EBUSY,
    [FILCH_EPENDING] = EINPROGRESS,
    [FILCH_EBROKEN] = EPIPE,
    [FILCH_EFORKED] = ECHILD,
    [FILCH_ERAISED] = EIO,
    [FILCH_END] = ENODATA,
    [FILCH_ENOSYS] = ENOSYS,
};
enum { STATUSES = sizeof numbers_of_statuses / sizeof *numbers_of_statuses };

int filch_errno_of(filch_status status)
{
    return (unsigned)status < STATUSES ? numbers_of_statuses[status] : EINVAL;
}

filch_status filch_status_of_errno(long answer)
{
    unsigned status = 0;
    if (answer >= 0) {
        return FILCH_OK;
    }
    while (status < STATUSES && numbers_of_statuses[status] != -answer) {
        status++;
    }
    return status < STATUSES ? (filch_status)status : FILCH_ERAISED;
}
