/* loop_run: one loop, from its beginning to its end.
 *
 * The root, which called it, begins with all elements as one range (loop_range.h). When its own
 * part is done it helps the others, which wait for none. */
#ifndef FILCH_LOOP_RUN_H
#define FILCH_LOOP_RUN_H

#include <stdatomic.h>
#include <stdbool.h>

#include <filch/loop.h>

#include "base/private.h"
#include "loop/progress.h"
#include "pool/fault.h"
#include "sleep/wait.h"
#include "work/lane.h"

struct filch_pool;
struct filch_fiber;

struct filch_loop {
    struct filch_frame frame; /* what its ranges are published for; names the loop to helpers */
    const filch_body *body;
    struct filch_pool *pool;
    const void *environment;
    size_t n;
    size_t chunk; /* elements of an explicit chunk; 0: automatic */
    bool gang;    /* workers and chunk were both named: they are to show up */
    bool python;  /* the chunk is Python's */
    bool grouped; /* the chunk is the library's own: how many of them make a block is learned */
    bool chained; /* each element needs those before it: help is worth less, and comes dearer */
    filch_map_policy policy;
    filch_item *items; /* NULL, or how each element ended */
    struct filch_progress_report progress;
    struct filch_fault_listener listener; /* of its fault, where that is to be heard of at once */
    _Atomic(size_t) limit;      /* elements, or chunks, from here on need not run any more */
    _Atomic(int) halted;        /* why not all have run; FILCH_OK: they have, or were not wanted */
    _Atomic(uint32_t) waiting;  /* elements that wait for each other, see crowd.h */
    _Atomic(size_t) unfinished; /* ranges that are not done, the root's own among them */
    struct filch_latch done;
};

/* From which element, or chunk, on none need run. */
static inline size_t filch_loop_limit(struct filch_loop *loop)
{
    /* relaxed: a lowered limit may be seen late */
    return atomic_load_explicit(&loop->limit, memory_order_relaxed);
}

/* Run a block on `fiber`: elements, or chunks. It ends early where range->stop is lowered. */
FILCH_PRIVATE void filch_loop_run_block(struct filch_loop *loop, struct filch_fiber *fiber,
                                        filch_range *range);

/* Some elements have just run here. */
FILCH_PRIVATE void filch_loop_ended(struct filch_loop *loop, unsigned long long first,
                                    unsigned long long next);

/* See whether it was asked to stop. */
FILCH_PRIVATE void filch_loop_check(struct filch_loop *loop, struct filch_pool *pool);

/* Check and prepare. `n` elements of body->element_bytes must not overflow. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_loop_init(struct filch_loop *loop,
                                                            const filch_body *body,
                                                            const void *environment, size_t n,
                                                            const filch_options *options,
                                                            struct filch_fault *fault);

/* Those from `limit` on need not run. Any number of times, from anywhere. */
FILCH_PRIVATE void filch_loop_lower(struct filch_loop *loop, size_t limit);

/* It cannot go on: those that have not begun need not run, and this is why. */
FILCH_PRIVATE void filch_loop_halt(struct filch_loop *loop, filch_status why);

/* How it ended; `error` may be NULL. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_loop_result(const struct filch_loop *loop,
                                                              filch_error *error);

/* It begins in this pool. */
FILCH_PRIVATE void filch_loop_prepare(struct filch_loop *loop, struct filch_pool *pool);

/* As filch_map(), of elements that each need those before them, in order. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_map_chained(filch_pool *pool,
                                                              const filch_body *body,
                                                              const void *environment, size_t n);

/* function(context) inside the pool, where it runs the loop: what filch_map() does. Not called if
 * there are no elements. What is raised in it counts as raised by the loop. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_loop_enter(struct filch_loop *loop,
                                                             filch_pool *pool,
                                                             void (*function)(void *context),
                                                             void *context);

/* So long a caller whose own part is done looks for more, before it sleeps. */
FILCH_PRIVATE uint64_t filch_loop_patience_ns(const struct filch_fiber *fiber);

/* Run all elements, on `fiber`, inside a frame of its own or its caller's. */
FILCH_PRIVATE void filch_loop_run(struct filch_loop *loop, struct filch_fiber *fiber);

/* Prepare and run it, in a function that filch_loop_enter() calls and that goes on after it. */
FILCH_PRIVATE void filch_loop_run_here(struct filch_loop *loop);

#endif
