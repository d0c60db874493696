#include "future/waiting.h"

#include "debug/deadlock.h"
#include "sched/suspend.h"

filch_status filch_wait_until(const struct filch_wait_kind *kind, void *context, uint64_t deadline)
{
    filch_deadlock_watch();
    switch (filch_suspend_until(kind, context, deadline)) {
    case FILCH_SIGNALED: return FILCH_OK;
    case FILCH_TIMED_OUT: return FILCH_ETIMEDOUT;
    case FILCH_DEADLOCKED: return FILCH_EDEADLK;
    case FILCH_NO_MEMORY: return FILCH_ENOMEM;
    case FILCH_FORKED: return FILCH_EFORKED;
    default: return FILCH_ECANCELED;
    }
}
