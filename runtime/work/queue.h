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

void filch_queue_init(struct filch_queue *queue);
void filch_queue_push(struct filch_queue *queue, struct filch_work *work);

/* Several at once, chained from `first` to `last` by their `next`. */
void filch_queue_push_all(struct filch_queue *queue, struct filch_work *first,
                          struct filch_work *last, size_t count);

/* The same in two steps: in between they can be seen, and no thread can take them. */
void filch_queue_show(struct filch_queue *queue, struct filch_work *first, struct filch_work *last,
                      size_t count);
void filch_queue_release(struct filch_queue *queue);

/* For one, without the lock: also from a signal handler. */
void filch_queue_post(struct filch_queue *queue, struct filch_work *work);

/* The oldest, or NULL. */
struct filch_work *filch_queue_pop(struct filch_queue *queue);

/* Take `work` out, if it is the oldest, which may be wanted to stay, or the second. */
bool filch_queue_take_out(struct filch_queue *queue, struct filch_work *work, bool oldest_stays);

/* Push `work`, then pop the oldest, which may be the same. */
struct filch_work *filch_queue_rotate(struct filch_queue *queue, struct filch_work *work);

/* Exact between a sleeper's announcement and its sleep (park.h); else a hint. */
bool filch_queue_empty(struct filch_queue *queue);

#endif
