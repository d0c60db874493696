/* worker: what a thread does on its native stack between two fibers, for others that do it. */
#ifndef FILCH_WORKER_H
#define FILCH_WORKER_H

#include "base/private.h"

struct filch_fiber;
struct filch_thread;

/* Run `fiber` until it leaves, with an order in thread->leave. The thread holds a core; when this
 * returns maybe none, and runs no fiber. */
FILCH_PRIVATE void filch_worker_run(struct filch_thread *thread, struct filch_fiber *fiber);

/* It has left to wait. Not NULL: it need not, and goes on; else it is another thread's by now. */
FILCH_PRIVATE struct filch_fiber *filch_worker_carry_out_wait(struct filch_thread *thread,
                                                              struct filch_fiber *left);

#endif
