/* stint: a program's own thread works for a pool: it runs one job, on a stack of the pool's.
 *
 * The job may wait. Then its fiber leaves that thread as it would leave a worker's and goes on
 * where there is a core for it, and the thread is free to do what it was about to: mostly to wait
 * for what the job is a part of. A job that ran on the thread's own stack would bind it: each wait
 * of the job would be a sleep of the thread, and each end of a wait a wake-up by the system. */
#ifndef FILCH_STINT_H
#define FILCH_STINT_H

#include <stdbool.h>

#include "base/private.h"

struct filch_fiber;
struct filch_job;
struct filch_pool;

enum filch_stint {
    FILCH_STINT_REFUSED, /* no core is free, or there is no memory: nothing was run */
    FILCH_STINT_LEFT,    /* the job waits, or stands in line: the pool's threads see to its end */
    FILCH_STINT_ENDED,
    FILCH_STINT_UNWOUND, /* not to callers: the thread ends */
};

/* Run the job, which is copied; the caller is no pool's fiber: it is outside of all pools, or a
 * guest of this one. The pool counts something that `over` ends or that the caller does, so that it
 * stays. job->run(job->context) is called on the pool's stack. When it has ended so is `over`, by
 * the thread on which the job ended; if that is the caller's, it holds nothing of the pool's any
 * more by then, unless it is a guest. If the job ends the caller's thread (pthread_exit,
 * pthread_cancel), this does not return. */
FILCH_PRIVATE FILCH_MUST_CHECK enum filch_stint filch_stint_run(struct filch_pool *pool,
                                                                const struct filch_job *job);

/* Job: does it run on the thread still that began it, which waits for it? */
FILCH_PRIVATE bool filch_stint_goes_on(void);

/* What the fiber of a stint does first; what goes on after it, as filch_core_main(). */
FILCH_PRIVATE struct filch_fiber *filch_stint_main(struct filch_fiber *fiber);

#endif
