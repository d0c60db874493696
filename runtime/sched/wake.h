/* wake: which thread is woken, and when. The protocol is in wake.c, its other half in monitor.c. */
#ifndef FILCH_WAKE_H
#define FILCH_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "sched/call_site.h"

struct filch_pool;

/* A pool's thread begins something: fibers that gave their turns away for that may go on. */
FILCH_PRIVATE void filch_pool_take_turn(struct filch_pool *pool);

/* Something was made visible to thieves: see that one comes. */
FILCH_PRIVATE void filch_pool_wake(struct filch_pool *pool);

/* A pool without a thread gets one, if the system grants it. It is a wake-up under way: what is
 * published before it has begun makes no second one. */
FILCH_PRIVATE void filch_pool_wake_first(struct filch_pool *pool);

/* How long the threads of a pool that is over look out for its end before they sleep, and the one
 * that ends it for theirs. */
enum { FILCH_END_SPIN_NS = 50000 };

/* Closed, and nothing is left to do. A guess: cores may be held. */
FILCH_PRIVATE bool filch_pool_is_over(struct filch_pool *pool);

/* Is a thread on its way, woken or just made? A guess. */
FILCH_PRIVATE bool filch_pool_expects_thread(struct filch_pool *pool);

/* The caller stops looking for work: if there is any still, see that a thread comes. After a
 * fence, which orders this after what the caller let go of. */
FILCH_PRIVATE void filch_pool_pass_on(struct filch_pool *pool);

/* The pool stops: all threads come and see it. */
FILCH_PRIVATE void filch_pool_wake_all(struct filch_pool *pool);

/* False: there is none. Also from a signal handler. */
FILCH_PRIVATE bool filch_pool_wake_monitor(struct filch_pool *pool);

/* Wake the monitor, which must look at its deadline again, if it sleeps beyond this one. */
FILCH_PRIVATE void filch_pool_poke_monitor(struct filch_pool *pool, uint64_t deadline_ns);

/* Wake it unless it looks soon anyway: there is work, and all cores are busy. */
FILCH_PRIVATE void filch_pool_call_monitor(struct filch_pool *pool);

/* From outside: something can be seen in a queue. Is a thread to be called for it? */
FILCH_PRIVATE bool filch_pool_must_call(struct filch_pool *pool);

/* See that a thread comes for it. */
FILCH_PRIVATE void filch_pool_call(struct filch_pool *pool);

/* Is a thread looking around, or will the monitor before long? Then what is published now will be
 * found, also if none is woken for it. */
FILCH_PRIVATE bool filch_pool_is_monitored(struct filch_pool *pool);

/* The same, and within a millisecond. */
FILCH_PRIVATE bool filch_pool_looks_soon(struct filch_pool *pool);

/* Is it too soon to sleep? It is also while loops come one after the other: to be woken for each
 * takes longer than they do. Not where threads share processors: others may need ours. */
FILCH_PRIVATE bool filch_pool_searches_on(struct filch_pool *pool, uint64_t until_ns);

/* Is a thread looking around this moment? */
FILCH_PRIVATE bool filch_pool_is_searched(struct filch_pool *pool);

/* Which threads a call wants that is estimated to take so many ticks (call_site.h). */
FILCH_PRIVATE enum filch_help filch_pool_help_for(struct filch_pool *pool, uint64_t estimate);

/* See that a thread watches, if there is anything to watch. `ours`: how many cores the caller
 * holds, 0 or 1. */
FILCH_PRIVATE void filch_pool_appoint_monitor(struct filch_pool *pool, unsigned ours);

#endif
