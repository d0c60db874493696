/* spin: the little that one may do before it stands in line for something that is held briefly. */
#ifndef FILCH_SYNC_SPIN_H
#define FILCH_SYNC_SPIN_H

#include <stdbool.h>

#include "base/base.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/thread.h"

enum {
    FILCH_SPIN_TRIES = 12,
    FILCH_SPIN_PAUSES = 16, /* between two */
};

/* May the holder be running now? Not if the caller's core is the only one in use. */
static inline bool filch_spin_may_help(void)
{
    struct filch_thread *thread = filch_thread_known();
    return !thread || !thread->core || filch_pool_running(thread->core->pool) > 1;
}

static inline void filch_spin_pause(void)
{
    for (int pause = 0; pause < FILCH_SPIN_PAUSES; pause++) {
        filch_relax();
    }
}

#endif
