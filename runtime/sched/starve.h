/* starve: what a pool does when it has no stacks, and with those that it does not need.
 *
 * When there are no more stacks, fibers that have theirs go on, and what is new waits: a thread
 * that found none sleeps, and does not see it (monitor.c). Threads that sleep on a stack do, so all
 * are woken, then and at each wake-up that follows. The first stack that becomes free ends that; or
 * the monitor does, when the system has memory again. If nothing in the pool can go on meanwhile,
 * those that have a stack may wait for what is new: after a while their waits end with
 * FILCH_NO_MEMORY, but for those that something outside of the program ends. */
#ifndef FILCH_STARVE_H
#define FILCH_STARVE_H

#include <stdbool.h>

#include "base/private.h"

struct filch_core;
struct filch_pool;
struct filch_fiber;
struct filch_thread;

/* There is no stack to begin something new on, on a core that the thread holds: a stack after
 * all, or a fiber that is ready anywhere. NULL: there is none either, and the thread may sleep. */
FILCH_PRIVATE struct filch_fiber *filch_pool_starve(struct filch_pool *pool,
                                                    struct filch_thread *thread);

/* A stack has become free, on the core if there is one: what is new may begin again. */
FILCH_PRIVATE void filch_pool_feed(struct filch_pool *pool, struct filch_core *core);

/* The monitor: see whether the system gives memory again; if not, and nothing has run for
 * `long_ago`, end the waits of those that have stacks. */
FILCH_PRIVATE void filch_pool_feed_again(struct filch_pool *pool, bool long_ago);

FILCH_PRIVATE bool filch_pool_is_starving(struct filch_pool *pool);

/* Give memory back that an idle pool does not need: at once a few hundred stacks, and all of them
 * when it has been idle for `long_ago`. True: there is more to give. */
FILCH_PRIVATE bool filch_pool_give_memory(struct filch_pool *pool, struct filch_thread *thread,
                                          bool long_ago);

#endif
