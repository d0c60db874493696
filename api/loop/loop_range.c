#include "loop/loop_range.h"

#include <string.h>

#include "base/base.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/site.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sched/wake.h"

/* What a range's slot holds. */
struct piece {
    filch_range range;      /* [next, stop) is the block that its owner runs */
    unsigned long long end; /* [stop, end) comes after it */
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
    piece->range.stop = piece->range.next;
    if (!piece->counted) {
        piece->counted = true;
        /* relaxed: our own range is not done, so the count cannot reach zero now */
        atomic_fetch_add_explicit(&piece->loop->unfinished, 1, memory_order_relaxed);
    }
    return &piece->loop->frame;
}

static const filch_slot_type piece_type = {run_piece, publish_piece, NULL};

void filch_ranges_done(struct filch_loop *loop, size_t count)
{
    /* acq_rel: whoever counts down last has seen all others' elements, and so does the root */
    if (atomic_fetch_sub_explicit(&loop->unfinished, count, memory_order_acq_rel) == count) {
        filch_latch_open(&loop->done);
    }
}

static size_t limit_of(struct filch_loop *loop)
{
    /* relaxed: a lowered limit may be seen late */
    return atomic_load_explicit(&loop->limit, memory_order_relaxed);
}

/* ---- explicit chunks: the loop's elements are chunks ---- */

FILCH_APART static void run_recorded(struct filch_loop *loop, filch_range *range)
{
    filch_trace(FILCH_TRACE_CHUNK, 0, loop->body->info, range->next);
    loop->body->block(loop->environment, range);
    filch_trace(FILCH_TRACE_CHUNK_END, 0, loop->body->info, range->next);
}

static void run_elements_of(struct filch_loop *loop, struct filch_strand *strand,
                            filch_range *range)
{
    unsigned long long first = range->next;
    strand->frame->next = &range->next; /* errors tell the element */
    strand->frame->stop = &range->stop; /* and may end the block */
    if (filch_trace_is_on()) {
        run_recorded(loop, range);
    } else {
        loop->body->block(loop->environment, range);
    }
    if (loop->items || loop->progress.hook) {
        filch_loop_ended(loop, first, range->next);
    }
}

static void run_chunks(struct filch_loop *loop, struct filch_strand *strand, filch_range *chunks)
{
    for (unsigned long long c = chunks->next; c < chunks->stop && c < limit_of(loop); c++) {
        size_t first = (size_t)c * loop->chunk;
        size_t left = loop->n - first;
        filch_range elements = {first, first + (left < loop->chunk ? left : loop->chunk)};
        chunks->next = c + 1;
        run_elements_of(loop, strand, &elements);
    }
    strand->frame->next = strand->frame->stop = NULL;
}

/* ---- blocks ---- */

/* It was expected to be short and is not: now somebody is to come. */
static void ask_after_all(struct filch_strand *strand, struct filch_pace *pace)
{
    pace->help = FILCH_HELP_ASK;
    filch_core_begin(strand);
    filch_pool_wake(strand->pool);
}

static void run_block(struct filch_strand *strand, struct piece *piece, struct filch_pace *pace)
{
    struct filch_loop *loop = piece->loop;
    unsigned long long first = piece->range.next;
    unsigned long long left = piece->end - first;
    piece->range.stop = first + (pace->length < left ? pace->length : left);
    if (loop->chunk) {
        run_chunks(loop, strand, &piece->range);
    } else {
        run_elements_of(loop, strand, &piece->range);
    }
    filch_pace_block_ended(pace, piece->range.next - first);
    if (filch_pace_is_surprised(pace)) {
        ask_after_all(strand, pace);
    }
}

/* ---- ranges on a lane ---- */

filch_slot *filch_range_push(struct filch_strand *strand, struct filch_loop *loop,
                             unsigned long long next, unsigned long long end)
{
    filch_slot *slot = strand->lane.top;
    struct piece *piece = piece_of(slot);
    piece->range.next = piece->range.stop = next;
    piece->end = end;
    piece->loop = loop;
    piece->counted = false;
    slot->type = &piece_type;
    strand->lane.top = slot + 1;
    return slot;
}

/* Somebody asks. If our range is the oldest latent work, keep the lower half of it. */
static filch_slot *look_up(struct filch_strand *strand, filch_slot *slot, struct filch_pace *pace)
{
    filch_lane *lane = &strand->lane;
    struct piece *piece = piece_of(slot);
    unsigned long long left = piece->end - piece->range.next;
    bool oldest = lane->split == slot;
    if (oldest && FILCH_UNLIKELY(filch_crowd_is_full(strand->pool, &piece->loop->waiting))) {
        filch_lane_settle(lane); /* what is taken now would only wait, too */
        return slot;
    }
    if (oldest && left == 1) { /* nothing to share, unless this element forks */
        filch_lane_settle(lane);
        filch_lane_want(lane);
        return slot;
    }
    if (oldest && !filch_lane_is_full(lane, lane->top)) {
        unsigned long long middle = piece->range.next + (left + 1) / 2;
        slot = filch_range_push(strand, piece->loop, piece->range.next, middle);
        piece->range.next = middle;
    }
    if (pace->help == FILCH_HELP_LATE && oldest) {
        filch_core_offer_quietly(strand, pace->last + FILCH_SITE_QUIET);
        return slot; /* shorter than a look at the clock */
    }
    if (pace->help == FILCH_HELP_ASK) {
        filch_core_serve(strand);
    } else {
        filch_core_offer(strand);
    }
    pace->last = filch_os_ticks();
    return slot;
}

bool filch_range_is_published(struct filch_strand *strand, filch_slot *slot)
{
    return slot < strand->lane.split;
}

/* The newest slot was published. True: it is ours again. False: a thief has copied its range. */
static bool reclaim(struct filch_strand *strand, filch_slot *slot)
{
    if (!filch_core_reclaim(strand, slot)) {
        return false;
    }
    filch_lane_unpublish(&strand->lane, slot);
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
    unsigned long long limit = limit_of(loop);
    if (piece->end > limit) {
        piece->end = piece->range.next > limit ? piece->range.next : limit;
    }
}

static bool is_asked(const filch_lane *lane)
{
    return filch_fork_is_slow(lane, lane->top) &&
           (FILCH_LIKELY(!lane->traced) || filch_lane_is_asked(lane));
}

/* Whoever asks while a dear element runs waits for its end: half of the rest is to lie ready
 * before. */
static bool has_more_to_share(struct filch_strand *strand, filch_slot *slot)
{
    struct piece *piece = piece_of(slot);
    return strand->lane.split == slot && piece->end - piece->range.next > 1;
}

/* Run the newest slot's range until it is empty or somebody else's. Returns the newest slot. */
static filch_slot *run_range(struct filch_strand *strand, filch_slot *slot, struct filch_pace *pace)
{
    for (;;) {
        if (filch_range_is_published(strand, slot) && !reclaim(strand, slot)) {
            return slot;
        }
        struct piece *piece = piece_of(slot);
        clip(piece, strand->pool);
        if (piece->range.next >= piece->end) {
            return slot;
        }
        if (is_asked(&strand->lane) || (pace->dear && has_more_to_share(strand, slot))) {
            slot = look_up(strand, slot, pace);
        }
        if (!filch_range_is_published(strand, slot)) {
            run_block(strand, piece_of(slot), pace);
        }
    }
}

size_t filch_range_finish(struct filch_strand *strand, filch_slot **slot, struct filch_pace *pace)
{
    *slot = run_range(strand, *slot, pace);
    size_t told = !filch_range_is_published(strand, *slot) && piece_of(*slot)->counted;
    filch_lane_retire(&strand->lane, *slot);
    return told;
}

void filch_ranges_run(struct filch_strand *strand, struct filch_loop *loop, unsigned long long next,
                      unsigned long long end, struct filch_pace *pace, size_t *told)
{
    filch_slot *first = filch_range_push(strand, loop, next, end);
    filch_slot *slot = first;
    for (;;) {
        *told += filch_range_finish(strand, &slot, pace);
        if (slot == first) {
            return;
        }
        slot--; /* the upper half that was split off before */
    }
}

void filch_ranges_give_up(struct filch_loop *loop, struct filch_strand *strand, filch_slot *bottom,
                          size_t *told)
{
    filch_loop_lower(loop, 0);
    while (strand->lane.top > bottom) {
        filch_slot *slot = strand->lane.top - 1;
        bool counted = slot->type == &piece_type && piece_of(slot)->counted;
        *told += filch_unwound_drop(strand) && counted;
    }
}

/* A range that was taken from somebody else. */
struct taken {
    struct piece piece;
    struct filch_frame frame;
    struct filch_strand *strand;
    size_t told;
};

static void taken_done(struct taken *taken)
{
    struct filch_loop *loop = taken->piece.loop;
    filch_frame_pop(&taken->frame, taken->strand);
    filch_trace(FILCH_TRACE_END, 0, NULL, filch_trace_name_of(loop)); /* before it is known */
    filch_ranges_done(loop, taken->told);
}

FILCH_APART static void give_up(struct taken *taken)
{
    if (filch_unwound_begin(taken->strand, &taken->frame)) {
        filch_ranges_give_up(taken->piece.loop, taken->strand, taken->frame.base, &taken->told);
        taken_done(taken);
    }
}

static inline void taken_left(struct taken **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up(*running);
    }
}

static void run_taken(struct filch_strand *strand, struct piece piece)
{
    struct filch_loop *loop = piece.loop;
    struct taken taken = {.piece = piece, .strand = strand, .told = 1};
    filch_frame_push(&taken.frame, strand, loop->frame.fault, loop->body->info);
    taken.frame.scope = loop->frame.scope;
    taken.frame.crowd = &loop->waiting;
    filch_frame_seclude_as(&taken.frame, strand, filch_frame_modes(&loop->frame));
    struct filch_pace pace = filch_pace_begun(FILCH_HELP_ASK);
    FILCH_UNWINDS(taken_left) struct taken *running = &taken;
    filch_ranges_run(strand, loop, piece.range.next, piece.end, &pace, &taken.told);
    running = NULL;
    taken_done(&taken);
}

/* A range that a thief has copied to a slot of its own. */
static void run_piece(filch_lane *lane, filch_slot *top, filch_slot *slot)
{
    struct piece taken;
    (void)top; /* the lane knows */
    memcpy(&taken, slot->payload, sizeof taken);
    run_taken(filch_strand_of_lane(lane), taken);
}

bool filch_range_steal(struct filch_loop *loop, struct filch_strand *strand,
                       struct filch_core *core)
{
    filch_slot *slot = filch_entry_slot(filch_deque_peek(&core->deque));
    if (!slot || !filch_slot_take_for(slot, &loop->frame)) {
        return false; /* the entry stays behind and is harmless, see lane.h */
    }
    struct piece taken = *piece_of(slot);
    filch_trace(FILCH_TRACE_BEGIN, FILCH_TRACE_HELPED, loop->frame.info,
                filch_trace_name_from(slot, core->index + 1));
    filch_slot_finish(slot);
    run_taken(strand, taken);
    return true;
}
