/* suspend: the one way to wait, for fibers of a pool, guests and plain threads alike.
 *
 * A pool's fiber publishes what is latent in its lane, leaves its stack behind and its thread goes
 * on with other work. A guest publishes too, spins for a moment, then lets go of its core and
 * sleeps; it takes on no other work meanwhile. A plain thread spins and sleeps. */
#ifndef FILCH_SUSPEND_H
#define FILCH_SUSPEND_H

#include "base/private.h"
#include "sched/fiber.h"
#include "sleep/wait.h"

/* Wait for something that surely comes and must be waited for: a child, the pieces of a loop. Where
 * it cannot come any more, in the child of a fork() inside of a pool, the process ends. */
FILCH_PRIVATE void filch_suspend_join(const struct filch_wait_kind *kind, void *context);

/* Wait until signalled (FILCH_SIGNALED), until the deadline (FILCH_TIMED_OUT), until the pool of
 * the waiting fiber is terminated or its scope cancelled (FILCH_CLOSED), or until it is known that
 * nothing can signal it (FILCH_DEADLOCKED). FILCH_NO_MEMORY: this thread's first call found none.
 * FILCH_FORKED: this is the child of a fork() in a task. */
FILCH_PRIVATE enum filch_outcome filch_suspend_until(const struct filch_wait_kind *kind,
                                                     void *context, uint64_t deadline_ns);

/* The child of a fork() inside of a pool cannot do without what only the parent has: say so in the
 * log, and abort(). */
FILCH_PRIVATE __attribute__((noreturn)) void filch_suspend_end_child(const char *wanted);

/* filch_latch_add(), as a filch_enlist. */
FILCH_PRIVATE bool filch_latch_enlist(struct filch_waiter *waiter, void *latch);

/* Stand in line behind what is ready, if this is a pool's fiber. A guest, or one that is bound to
 * its thread, gives its core to what waits for one, for a turn. Else let other threads run. */
FILCH_PRIVATE void filch_suspend_yield(void);

#endif
