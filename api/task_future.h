/* task_future: the inside of a future, for those in api/ who make some.
 *
 * Whoever claims a pending future runs its task, or cancels it, and so owns its end: the pool, when
 * its queue's entry comes up, or somebody else before that. The pool counts a task as there until
 * both the entry has come up and the end has been seen to, so it is not freed under a claimer.
 * References: one for each owner that the user has, one for the queue's entry, one for a promise.
 */
#ifndef FILCH_TASK_FUTURE_H
#define FILCH_TASK_FUTURE_H

#include <stdatomic.h>

#include <filch/future.h>

#include "fault.h"
#include "lane.h"
#include "wait.h"
#include "work.h"

struct filch_pool;

struct filch_future {
    struct filch_detached task;
    struct filch_cell cell;
    _Atomic(uint32_t) owners;
    _Atomic(int) claim;      /* enum claim, future.c */
    struct filch_pool *pool; /* NULL for a promise's; valid until the task has ended */
    void (*run)(struct filch_future *future);     /* the task, inside the pool */
    void (*release)(struct filch_future *future); /* what it holds, once, when it has ended */
    const filch_function_info *info;
    struct filch_fault fault;
    filch_status outcome;  /* the one who claimed it, before the cell is complete */
    filch_closure closure; /* of apply_async */
    size_t result_bytes;
    FILCH_ALIGNED(16) unsigned char payload[]; /* the result; or what run needs */
};

/* A pending future with `payload_bytes` of payload and one owner; NULL: no memory. */
struct filch_future *filch_future_new(size_t payload_bytes, const filch_function_info *info);

/* Hand it to its pool. On success *out, if asked for, gets the caller's reference; on failure the
 * future is released and gone. */
filch_status filch_future_submit(struct filch_future *future, struct filch_pool *pool,
                                 struct filch_future **out);

/* Not the queue: try to own its end; then filch_future_finish(), then filch_future_unclaim(). */
bool filch_future_claim(struct filch_future *future);

/* The one who owns its end: it ends with `outcome`; waiters are woken. */
void filch_future_finish(struct filch_future *future, filch_status outcome);

/* The claimer is done with the future's pool. */
void filch_future_unclaim(struct filch_future *future);

#endif
