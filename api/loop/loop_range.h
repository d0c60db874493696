/* loop_range: the part of a loop's elements that one worker has.
 *
 * A range lies in a slot of its worker's lane: latent work, like a fork, but work that its owner
 * eats from the front, block by block. Between two blocks the owner looks whether a thread asks;
 * then it splits what is left, keeps the lower half in a new slot and publishes the old one with
 * the upper half. An element that blocks publishes all the rest. A thief copies the range it takes,
 * runs it in the same way, and reports to the loop when it is done.
 *
 * How long a block is, is learned (grain.h).
 *
 * Source: Tzannes, Caragea, Barua & Vishkin, "Lazy binary-splitting" (PPoPP 2010), here with
 * splitting on demand only. */
#ifndef FILCH_LOOP_RANGE_H
#define FILCH_LOOP_RANGE_H

#include "base/base.h"
#include "base/private.h"
#include "loop/grain.h"
#include "loop/loop_run.h"

struct filch_core;

/* [next, end) as the newest slot of the fiber's lane. */
FILCH_PRIVATE filch_slot *filch_range_push(struct filch_fiber *fiber, struct filch_loop *loop,
                                           unsigned long long next, unsigned long long end);

/* Could others take it, or have they? */
FILCH_PRIVATE bool filch_range_is_published(struct filch_fiber *fiber, filch_slot *slot);

/* Does a thread ask for what is latent on the lane? */
static inline bool filch_range_is_asked_for(const filch_lane *lane)
{
    return filch_fork_is_slow(lane, lane->top) &&
           (FILCH_LIKELY(!lane->traced) || filch_lane_is_asked(lane));
}

/* Run the range in the newest slot until it is empty or others'; then it is off the lane, and so is
 * what was split off from it. Adds to *counted_ranges how many ranges that were published and taken
 * back the loop has to be told of. */
FILCH_PRIVATE void filch_ranges_finish(struct filch_fiber *fiber, filch_slot *first,
                                       struct filch_grain *grain, size_t *counted_ranges);

/* Run [next, end) on top of the fiber's lane. Adds to *counted_ranges how many ranges more than the
 * one are done with that. */
FILCH_PRIVATE void filch_ranges_run(struct filch_fiber *fiber, struct filch_loop *loop,
                                    unsigned long long next, unsigned long long end,
                                    struct filch_grain *grain, size_t *counted_ranges);

/* An element that a guest ran will not return: nothing of the loop that lies in the slots from
 * `bottom` on will be run. Adds to *counted_ranges how many ranges are done with that. */
FILCH_PRIVATE void filch_ranges_give_up(struct filch_loop *loop, struct filch_fiber *fiber,
                                        filch_slot *bottom, size_t *counted_ranges);

/* A loop of some microseconds is not worth a wake-up, but gains from a thread that is awake; and if
 * many of them come one after the other one may be woken that stays so. It has `n` elements, and
 * takes as long as estimated (call_site.h). */
FILCH_PRIVATE void filch_grain_help_short(struct filch_grain *grain, struct filch_pool *pool,
                                          size_t n, uint64_t estimate);

/* A block of so many elements has ended: learn from it, and see to help that is due now. */
FILCH_PRIVATE void filch_block_ended(struct filch_fiber *fiber, struct filch_grain *grain,
                                     unsigned long long elements);

/* So many ranges are done. The loop may be gone after this. */
FILCH_PRIVATE void filch_ranges_done(struct filch_loop *loop, size_t count);

/* Take a range of this loop that the core's worker has published last, and run it. */
FILCH_PRIVATE bool filch_range_steal(struct filch_loop *loop, struct filch_fiber *fiber,
                                     struct filch_core *core);

#endif
