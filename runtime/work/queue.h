/* queue: first in, first out, many producers, many consumers, no allocation.
 *
 * A pool has one for tasks from outside (the inject queue); it and each core have one for fibers
 * that became ready, so that a fiber which yields in a loop goes behind the others instead of on
 * top. */
#ifndef FILCH_QUEUE_H
#define FILCH_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/private.h"
#include "os/lock.h"
#include "work/work.h"

struct filch_queue {
    struct filch_lock lock;
    struct filch_work *head; /* lock */
    struct filch_work *tail; /* lock */
    _Atomic(size_t) count;   /* lock; read by any thread as a hint */
    _Atomic(struct filch_work *)
        posted; /* the last that was posted; in line from the next pop on */
};

FILCH_PRIVATE void filch_queue_init(struct filch_queue *queue);
FILCH_PRIVATE void filch_queue_push(struct filch_queue *queue, struct filch_work *work);

/* Several at once, chained from `first` to `last` by their `next`. */
FILCH_PRIVATE void filch_queue_push_all(struct filch_queue *queue, struct filch_work *first,
                                        struct filch_work *last, size_t count);

/* The same in two steps: in between they can be seen, and no thread can take them. */
FILCH_PRIVATE void filch_queue_show(struct filch_queue *queue, struct filch_work *first,
                                    struct filch_work *last, size_t count);
FILCH_PRIVATE void filch_queue_release(struct filch_queue *queue);

/* For one, without the lock: also from a signal handler. */
FILCH_PRIVATE void filch_queue_post(struct filch_queue *queue, struct filch_work *work);

/* The oldest, or NULL. */
FILCH_PRIVATE struct filch_work *filch_queue_pop(struct filch_queue *queue);

/* Take `work` out, if it is the oldest, which may be wanted to stay, or the second. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_queue_take_out(struct filch_queue *queue,
                                                         struct filch_work *work,
                                                         bool oldest_stays);

/* Push `work`, then pop the oldest, which may be the same. */
FILCH_PRIVATE struct filch_work *filch_queue_rotate(struct filch_queue *queue,
                                                    struct filch_work *work);

/* Exact between a sleeper's announcement and its sleep (park.h); else a hint. */
FILCH_PRIVATE bool filch_queue_empty(struct filch_queue *queue);

/* A hint. */
static inline size_t filch_queue_count(struct filch_queue *queue)
{
    /* relaxed: as said */
    return atomic_load_explicit(&queue->count, memory_order_relaxed);
}

#endif
