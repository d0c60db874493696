/* spin: the little that one may do before it stands in line for something that is held briefly. */
#ifndef FILCH_SYNC_SPIN_H
#define FILCH_SYNC_SPIN_H

#include <stdbool.h>

#include "base/base.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/ready.h"
#include "sched/thread.h"

enum {
    FILCH_SPIN_TRIES = 8,
    FILCH_SPIN_PAUSES = 80, /* between two: the holder does more if it is let alone meanwhile */
};

/* May the holder be running now? Not if the caller's core is the only one in use. And has the core
 * nothing else to do? */
static inline bool filch_spin_may_help(void)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_core *core = thread ? thread->core : NULL;
    if (!core) {
        return true;
    }
    return filch_pool_running(core->pool) > 1 && !filch_core_next(core) &&
           filch_queue_empty(&core->ready);
}

static inline void filch_spin_pause(void)
{
    for (int pause = 0; pause < FILCH_SPIN_PAUSES; pause++) {
        filch_relax();
    }
}

#endif
