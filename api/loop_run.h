/* loop_run: how the elements of one loop are shared out.
 *
 * A worker of a loop holds a range in a slot of its lane: latent work, like a fork, but work that
 * its owner eats from the front, block by block. Between two blocks the owner looks whether
 * somebody asks; then it splits what is left, keeps the lower half in a new slot and publishes the
 * old one with the upper half. An element that blocks publishes all the rest. Whoever takes a
 * range copies it, runs it in the same way, and reports to the loop when it is done; nobody waits
 * for anybody but the root, for all.
 *
 * How long a block is, is learned (pace.h).
 *
 * Source: Tzannes, Caragea, Barua & Vishkin, "Lazy binary-splitting" (PPoPP 2010), here with
 * splitting on demand only. */
#ifndef FILCH_LOOP_RUN_H
#define FILCH_LOOP_RUN_H

#include <stdatomic.h>
#include <stdbool.h>

#include <filch/loop.h>

#include "fault.h"
#include "lane.h"
#include "wait.h"

struct filch_strand;

struct filch_loop {
    struct filch_frame frame; /* what its ranges are published for; names the loop to helpers */
    const filch_body *body;
    const void *environment;
    size_t n;
    size_t chunk;               /* elements of an explicit chunk; 0: automatic */
    bool gang;                  /* workers and chunk were both named: they are to show up */
    _Atomic(size_t) unfinished; /* ranges that are not done, the root's own among them */
    struct filch_latch done;
};

/* Check and prepare. `n` elements of body->element_bytes must not overflow. */
filch_status filch_loop_init(struct filch_loop *loop, const filch_body *body,
                             const void *environment, size_t n, const filch_map_options *options,
                             struct filch_fault *fault);

/* Run all elements, on `strand`, inside a frame of its own or its caller's. */
void filch_loop_run(struct filch_loop *loop, struct filch_strand *strand);

#endif
