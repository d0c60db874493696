/* Names of statuses. */
#include <filch/status.h>

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
