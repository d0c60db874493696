#include <filch/task.h>

#include "os/os.h"
#include "pool/deadline.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/thread.h"

static const double FAR_S = 1e10; /* 317 years: beyond what any clock has counted */
/* A point in time that has passed, and is not the zero of never. */
static const double PASSED_S = 1e-9;

uint64_t filch_deadline_after(double seconds)
{
    if (!(seconds > 0)) {
        return 0; /* also for NaN */
    }
    if (seconds > 1e9) {
        return FILCH_OS_NEVER; /* 31 years, infinity */
    }
    return filch_os_now_ns() + (uint64_t)(seconds * 1e9);
}

double filch_now(void)
{
    return (double)filch_os_now_ns() / 1e9;
}

uint64_t filch_deadline_ns(filch_deadline until)
{
    if (until.at == 0 || until.at > FAR_S) {
        return FILCH_OS_NEVER;
    }
    return until.at > filch_now() ? (uint64_t)(until.at * 1e9) : 0; /* also for NaN */
}

filch_deadline filch_at(double when)
{
    return (filch_deadline){.at = when > PASSED_S ? when : PASSED_S}; /* also for NaN */
}

filch_deadline filch_in(double seconds)
{
    return filch_at(seconds > 0 ? filch_now() + seconds : PASSED_S);
}

filch_deadline filch_never(void)
{
    return (filch_deadline){.at = 0};
}

filch_deadline filch_earlier(filch_deadline a, filch_deadline b)
{
    return a.at != 0 && (b.at == 0 || a.at < b.at) ? a : b;
}

static const struct filch_wait_kind time_wait = {.what = "time to pass", .outside = true};

static filch_status sleep_task_until(uint64_t deadline)
{
    if (deadline == 0) {
        return filch_cancelled() ? FILCH_ECANCELED : FILCH_OK;
    }
    switch (filch_suspend_until(&time_wait, NULL, deadline)) {
    case FILCH_CLOSED: return FILCH_ECANCELED;
    case FILCH_NO_MEMORY: return FILCH_ENOMEM;
    case FILCH_FORKED: return FILCH_EFORKED;
    default: return FILCH_OK;
    }
}

filch_status filch_sleep(double seconds)
{
    return sleep_task_until(filch_deadline_after(seconds));
}

filch_status filch_sleep_until(filch_deadline until)
{
    return sleep_task_until(filch_deadline_ns(until));
}

void filch_yield(void)
{
    filch_suspend_yield();
}

unsigned filch_worker_id(void)
{
    struct filch_thread *thread = filch_thread_known();
    return thread && thread->core ? thread->core->index + 1 : 0;
}

uint64_t filch_thread_id(void)
{
    return filch_os_thread_id();
}

bool filch_cancelled(void)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && (filch_pool_state(fiber->pool) == FILCH_POOL_TERMINATED ||
                     filch_cancel_scope_is_cancelled(filch_cancel_scope_self()));
}
