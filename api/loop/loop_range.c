#include "loop/loop_range.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "sched/call_site.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/unwound.h"
#include "sched/wake.h"

/* What a range's slot holds. */
struct piece {
    filch_range range;       /* [next, stop) is the block that its owner runs */
    unsigned long long end;  /* [stop, end) comes after it */
    unsigned long long rest; /* where the running block was to end: what follows may be cut off */
    struct filch_loop *loop;
    bool counted; /* among the loop's unfinished ranges, because it is or was published */
};

_Static_assert(sizeof(struct piece) <= FILCH_INLINE_BYTES, "a range fits a slot");

static struct piece *piece_of(filch_slot *slot)
{
    return (struct piece *)(void *)slot->payload;
}

static void run_piece(filch_lane *lane, filch_slot *top, filch_slot *slot);

/* The owner gives the whole range away, maybe in the middle of a block, because an element forks
 * or blocks: it stops after the running element. */
static void *publish_piece(filch_slot *slot)
{
    struct piece *piece = piece_of(slot);
    filch_range_close(&filch_thread_known()->fiber->opening, slot);
    FILCH_ASSERT(piece->range.next <= piece->end);
    piece->range.stop = piece->range.next;
    if (!piece->counted) {
        piece->counted = true;
        /* relaxed: our own range is not done, so the count cannot reach zero now */
        atomic_fetch_add_explicit(&piece->loop->unfinished, 1, memory_order_relaxed);
    }
    return &piece->loop->frame;
}

static const filch_slot_type piece_type = {run_piece, publish_piece, NULL};

/* ---- blocks ---- */

static void run_cut(struct filch_detached *task);

/* A thread that looks around takes the upper half of what follows the running block. */
static enum filch_cut cut_rest(filch_slot *slot, struct filch_seized *seized)
{
    struct piece *piece = piece_of(slot);
    unsigned long long left = piece->end - piece->rest;
    if (!left || filch_crowd_is_full(piece->loop->pool, &piece->loop->waiting)) {
        return FILCH_CUT_NOTHING; /* what is taken now would only wait, too */
    }
    unsigned long long taken = left - left / 2;
    piece->end -= taken;
    struct piece part = {.range = {piece->end, piece->end},
                         .end = piece->end + taken,
                         .loop = piece->loop,
                         .counted = true};
    memcpy(seized->part, &part, sizeof part);
    seized->task.run = run_cut;
    /* relaxed: the range that it is cut from is not done, so the count cannot reach zero now */
    atomic_fetch_add_explicit(&piece->loop->unfinished, 1, memory_order_relaxed);
    return left > taken ? FILCH_CUT_SOME : FILCH_CUT_LAST;
}

/* It was expected to be short and is not: now a helper is to come. */
static void ask_after_all(struct filch_fiber *fiber, struct filch_grain *grain)
{
    grain->help = FILCH_HELP_ASK;
    filch_core_begin(fiber);
    filch_pool_wake(fiber->pool);
}

void filch_block_ended(struct filch_fiber *fiber, struct filch_grain *grain,
                       unsigned long long elements)
{
    filch_grain_block_ended(grain, elements);
    if (filch_grain_is_surprised(grain)) {
        ask_after_all(fiber, grain);
    }
    if (FILCH_UNLIKELY(grain->spent > grain->alone)) {
        grain->alone = UINT64_MAX;
        filch_pool_move_starting(fiber->pool);
    }
}

/* What follows the block is open while it runs: at once, if that is as much as is worth a theft and
 * the loop is not known to be short; else when it takes longer than was to be expected. */
static bool open_rest(struct filch_fiber *fiber, filch_slot *slot, const struct filch_grain *grain)
{
    struct piece *piece = piece_of(slot);
    unsigned long long left = piece->end - piece->range.stop;
    bool is_short = grain->help == FILCH_HELP_LATE && piece->loop->n <= FILCH_GRAIN_FEW;
    if (is_short) {
        return false;
    }
    bool at_once = grain->help == FILCH_HELP_ASK && left >= grain->length / FILCH_GRAIN_GROWTH;
    piece->rest = piece->range.stop;
    return filch_range_open(&fiber->opening, slot, cut_rest,
                            grain->last + (at_once ? 0 : FILCH_GRAIN_TARGET));
}

FILCH_APART static void run_with_rest_open(struct filch_fiber *fiber, filch_slot *slot,
                                           const struct filch_grain *grain)
{
    bool opened = open_rest(fiber, slot, grain);
    filch_loop_run_block(piece_of(slot)->loop, fiber, &piece_of(slot)->range);
    if (opened) {
        filch_range_close(&fiber->opening, slot);
    }
}

static void run_block(struct filch_fiber *fiber, filch_slot *slot, struct filch_grain *grain)
{
    struct piece *piece = piece_of(slot);
    unsigned long long first = piece->range.next;
    FILCH_ASSERT(first < piece->end);
    unsigned long long left = piece->end - first;
    piece->range.stop = first + (grain->length < left ? grain->length : left);
    if (piece->range.stop < piece->end && grain->shared) {
        run_with_rest_open(fiber, slot, grain);
    } else {
        filch_loop_run_block(piece->loop, fiber, &piece->range);
    }
    FILCH_ASSERT(first <= piece->range.next && piece->range.next <= piece->end);
    filch_block_ended(fiber, grain, piece->range.next - first);
}

/* ---- ranges on a lane ---- */

filch_slot *filch_range_push(struct filch_fiber *fiber, struct filch_loop *loop,
                             unsigned long long next, unsigned long long end)
{
    bool has_room = filch_lane_has_room(&fiber->lane, 0);
    filch_slot *slot = fiber->lane.top;
    FILCH_ASSERT(has_room); /* filch_region_call() has seen to it */
    FILCH_ASSERT(next <= end && slot >= fiber->lane.split);
    struct piece *piece = piece_of(slot);
    piece->range.next = piece->range.stop = next;
    piece->end = end;
    piece->loop = loop;
    piece->counted = false;
    slot->type = &piece_type;
    fiber->lane.top = slot + 1;
    return slot;
}

/* Another thread asks. If our range is the oldest latent work, keep the lower half of it. */
static filch_slot *look_up(struct filch_fiber *fiber, filch_slot *slot, struct filch_grain *grain)
{
    filch_lane *lane = &fiber->lane;
    struct piece *piece = piece_of(slot);
    unsigned long long left = piece->end - piece->range.next;
    bool oldest = lane->split == slot;
    if (oldest && FILCH_UNLIKELY(filch_crowd_is_full(fiber->pool, &piece->loop->waiting))) {
        filch_lane_settle(lane); /* what is taken now would only wait, too */
        return slot;
    }
    if (oldest && left == 1) { /* nothing to share, unless this element forks */
        filch_lane_settle(lane);
        filch_lane_want(lane);
        return slot;
    }
    if (oldest && filch_lane_has_room(lane, FILCH_LANE_RANGES / 2)) {
        unsigned long long middle = piece->range.next + filch_grain_lower(grain, left);
        slot = filch_range_push(fiber, piece->loop, piece->range.next, middle);
        piece->range.next = middle;
    }
    if (grain->help == FILCH_HELP_LATE && oldest) {
        filch_core_offer_quietly(fiber, grain->last + FILCH_CALL_SITE_QUIET);
        return slot; /* shorter than a look at the clock */
    }
    if (grain->help == FILCH_HELP_ASK) {
        filch_core_serve(fiber);
    } else {
        filch_core_offer(fiber);
    }
    grain->last = filch_os_ticks();
    return slot;
}

bool filch_range_is_published(struct filch_fiber *fiber, filch_slot *slot)
{
    return slot < fiber->lane.split;
}

/* The newest slot was published. True: it is ours again. False: a thief has copied its range. */
static bool reclaim(struct filch_fiber *fiber, filch_slot *slot)
{
    FILCH_ASSERT(slot + 1 == fiber->lane.top);
    if (!filch_core_reclaim(fiber, slot)) {
        return false;
    }
    filch_lane_unpublish(&fiber->lane, slot);
    return true;
}

/* Drop what need not run any more. */
static void clip(struct piece *piece, struct filch_pool *pool)
{
    struct filch_loop *loop = piece->loop;
    /* relaxed: a hint; the check looks properly */
    if (FILCH_UNLIKELY(loop->frame.scope ||
                       atomic_load_explicit(&pool->state, memory_order_relaxed))) {
        filch_loop_check(loop, pool);
    }
    unsigned long long limit = filch_loop_limit(loop);
    if (piece->end > limit) {
        piece->end = piece->range.next > limit ? piece->range.next : limit;
    }
}

/* A thread that asks while a dear element runs waits for its end: half of the rest is to lie ready
 * before. */
static bool has_more_to_share(struct filch_fiber *fiber, filch_slot *slot)
{
    struct piece *piece = piece_of(slot);
    return fiber->lane.split == slot && piece->end - piece->range.next > 1;
}

/* Run the newest slot's range until it is empty or another's. Returns the newest slot. */
static filch_slot *run_range(struct filch_fiber *fiber, filch_slot *slot, struct filch_grain *grain)
{
    FILCH_ASSERT(slot + 1 == fiber->lane.top); /* what the elements forked is joined */
    for (;;) {
        if (filch_range_is_published(fiber, slot) && !reclaim(fiber, slot)) {
            return slot;
        }
        struct piece *piece = piece_of(slot);
        clip(piece, fiber->pool);
        if (piece->range.next >= piece->end) {
            return slot;
        }
        if (filch_range_is_asked_for(&fiber->lane) ||
            (grain->costly && has_more_to_share(fiber, slot))) {
            slot = look_up(fiber, slot, grain);
        }
        if (!filch_range_is_published(fiber, slot)) {
            run_block(fiber, slot, grain);
        }
    }
}

/* The newest slot's range, to its end. It may have been split: *slot is the newest of its parts. */
static size_t finish_newest(struct filch_fiber *fiber, filch_slot **slot, struct filch_grain *grain)
{
    *slot = run_range(fiber, *slot, grain);
    size_t counted_ranges = !filch_range_is_published(fiber, *slot) && piece_of(*slot)->counted;
    filch_lane_retire(&fiber->lane, *slot);
    return counted_ranges;
}

void filch_ranges_finish(struct filch_fiber *fiber, filch_slot *first, struct filch_grain *grain,
                         size_t *counted_ranges)
{
    filch_slot *slot = first;
    for (;;) {
        *counted_ranges += finish_newest(fiber, &slot, grain);
        if (slot == first) {
            return;
        }
        slot--; /* the upper half that was split off before */
    }
}

void filch_ranges_run(struct filch_fiber *fiber, struct filch_loop *loop, unsigned long long next,
                      unsigned long long end, struct filch_grain *grain, size_t *counted_ranges)
{
    filch_ranges_finish(fiber, filch_range_push(fiber, loop, next, end), grain, counted_ranges);
}

void filch_ranges_give_up(struct filch_loop *loop, struct filch_fiber *fiber, filch_slot *bottom,
                          size_t *counted_ranges)
{
    filch_loop_lower(loop, 0);
    while (fiber->lane.top > bottom) {
        filch_slot *slot = fiber->lane.top - 1;
        filch_range_close(&fiber->opening, slot);
        bool counted = slot->type == &piece_type && piece_of(slot)->counted;
        *counted_ranges += filch_unwound_drop(fiber) && counted;
    }
}

/* A range that was taken from another lane. */
struct taken {
    struct piece piece;
    struct filch_frame frame;
    struct filch_fiber *fiber;
    size_t counted_ranges;
};

static void taken_done(struct taken *taken)
{
    struct filch_loop *loop = taken->piece.loop;
    filch_frame_pop(&taken->frame, taken->fiber);
    filch_trace(FILCH_TRACE_END, 0, NULL, filch_trace_name_of(loop)); /* before it is known */
    filch_ranges_done(loop, taken->counted_ranges);
}

FILCH_APART static void give_up_range(struct taken *taken)
{
    if (filch_unwound_begin(taken->fiber, &taken->frame)) {
        filch_ranges_give_up(taken->piece.loop, taken->fiber, taken->frame.base,
                             &taken->counted_ranges);
        taken_done(taken);
    }
}

static inline void taken_left(struct taken **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_range(*running);
    }
}

static void run_taken(struct filch_fiber *fiber, struct piece piece)
{
    struct filch_loop *loop = piece.loop;
    struct taken taken = {.piece = piece, .fiber = fiber, .counted_ranges = 1};
    filch_frame_push(&taken.frame, fiber, loop->frame.fault, loop->body->info);
    taken.frame.scope = loop->frame.scope;
    taken.frame.crowd = &loop->waiting;
    filch_frame_seclude_as(&taken.frame, fiber, filch_frame_modes(&loop->frame));
    struct filch_grain grain = filch_grain_begun(loop->pool, FILCH_HELP_ASK);
    FILCH_UNWINDS(taken_left) struct taken *running = &taken;
    filch_ranges_run(fiber, loop, piece.range.next, piece.end, &grain, &taken.counted_ranges);
    running = NULL;
    taken_done(&taken);
}

/* A range that a thief has copied to a slot of its own. */
static void run_piece(filch_lane *lane, filch_slot *top, filch_slot *slot)
{
    struct piece taken;
    (void)top; /* the lane knows */
    memcpy(&taken, slot->payload, sizeof taken);
    run_taken(filch_fiber_of_lane(lane), taken);
}

static void run_cut(struct filch_detached *task)
{
    struct filch_seized *seized = FILCH_CONTAINER(task, struct filch_seized, task);
    struct piece taken;
    memcpy(&taken, seized->part, sizeof taken);
    struct filch_picked picked = filch_core_picked();
    const filch_function_info *info = taken.loop->body->info;
    filch_trace(FILCH_TRACE_PUBLISH, 1, info, filch_trace_name_of(seized));
    filch_trace(FILCH_TRACE_BEGIN, picked.how, info, filch_trace_name_from(seized, picked.from));
    run_taken(filch_fiber_self(), taken);
}

bool filch_range_steal(struct filch_loop *loop, struct filch_fiber *fiber, struct filch_core *core)
{
    filch_slot *slot = filch_entry_slot(filch_deque_peek(&core->deque));
    if (!slot || !filch_slot_take_for(slot, &loop->frame)) {
        return false; /* the entry stays behind and is harmless, see lane.h */
    }
    struct piece taken = *piece_of(slot);
    filch_trace(FILCH_TRACE_BEGIN, FILCH_TRACE_HELPED, loop->frame.info,
                filch_trace_name_from(slot, core->index + 1));
    filch_slot_finish(slot);
    run_taken(fiber, taken);
    return true;
}
