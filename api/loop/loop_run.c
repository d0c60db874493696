#include "loop/loop_run.h"

#include "base/assert.h"
#include "base/base.h"
#include "loop/loop_range.h"
#include "os/os.h"
#include "sched/call_site.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/unwound.h"
#include "sched/wake.h"

enum {
    HELP_NS = 20000, /* a root whose own part is done looks this long for ranges of its loop */
    HELP_GUEST_NS = 100000, /* a guest has nothing else to do, and a sleep costs it more */
    AHEAD = 1200,           /* ticks from an offer to when a thief has begun */
    GANG_NS = 20000000, /* how long a caller that named its workers waits for the first of them */
};

/* Has only the root a range, which counts for so many? Then no other worker comes by any more. */
static bool only_root_is_left(struct filch_loop *loop, size_t count)
{
    /* acquire: pairs with filch_ranges_done; all others' elements are seen */
    return atomic_load_explicit(&loop->unfinished, memory_order_acquire) == count;
}

static bool help_once(struct filch_loop *loop, struct filch_fiber *fiber)
{
    unsigned count = filch_core_count(fiber->pool);
    for (unsigned i = 0; i < count; i++) {
        if (filch_range_steal(loop, fiber, filch_core_at(fiber->pool, i))) {
            return true;
        }
    }
    return false;
}

uint64_t filch_loop_patience_ns(const struct filch_fiber *fiber)
{
    return fiber->guest && !fiber->pool->crowded ? HELP_GUEST_NS : HELP_NS;
}

/* Our own part is done, others' are not: ask them for some, for a while. These are elements of the
 * very call that waits, so nothing foreign runs on top of it. */
static void help(struct filch_loop *loop, struct filch_fiber *fiber)
{
    uint64_t patience_ns = filch_loop_patience_ns(fiber);
    uint64_t until_ns = filch_os_now_ns() + patience_ns;
    while (!filch_latch_is_open(&loop->done) && filch_os_now_ns() < until_ns) {
        if (help_once(loop, fiber)) {
            until_ns = filch_os_now_ns() + patience_ns;
        } else {
            filch_core_demand(fiber->pool);
            filch_relax();
        }
    }
}

static const struct filch_wait_kind pieces_wait = {
    .what = "the pieces of a loop", .enlist = filch_latch_enlist, .derived = true};

/* The caller named a number of workers and a chunk size: it wants several to take part, also if
 * one could do it all before the second is awake. Give half away, and see it taken. */
static void gather(struct filch_loop *loop, struct filch_fiber *fiber, unsigned long long *end)
{
    filch_slot *slot = filch_range_push(fiber, loop, (*end + 1) / 2, *end);
    *end = (*end + 1) / 2;
    filch_core_serve(fiber);
    uint64_t until_ns = filch_os_now_ns() + GANG_NS;
    while (filch_range_is_published(fiber, slot) && !filch_slot_is_done(slot) &&
           filch_os_now_ns() < until_ns) {
        filch_os_yield();
    }
}

static unsigned long long units(const struct filch_loop *loop)
{
    return loop->chunk ? (loop->n - 1) / loop->chunk + 1 : loop->n;
}

static void await_others(struct filch_loop *loop, struct filch_fiber *fiber)
{
    if (!filch_latch_is_open(&loop->done)) {
        help(loop, fiber);
    }
    if (!filch_latch_is_open(&loop->done)) {
        filch_suspend_join(&pieces_wait, &loop->done);
    }
}

/* Each adds to *counted_ranges how many ranges more than the root's are done. */
static void run_gang(struct filch_loop *loop, struct filch_fiber *fiber, size_t *counted_ranges)
{
    unsigned long long end = units(loop);
    filch_slot *bottom = fiber->lane.top;
    struct filch_grain grain = filch_grain_begun(loop->pool, FILCH_HELP_ASK);
    gather(loop, fiber, &end);
    filch_ranges_run(fiber, loop, 0, end, &grain, counted_ranges);
    filch_ranges_finish(fiber, bottom, &grain, counted_ranges); /* if it was not taken */
}

void filch_grain_help_short(struct filch_grain *grain, struct filch_pool *pool, size_t n,
                            uint64_t estimate)
{
    FILCH_ASSERT(estimate != UINT64_MAX); /* what is not known asks */
    if (filch_pool_is_searched(pool)) {
        grain->help = FILCH_HELP_OFFER;
        grain->ahead = n * AHEAD / (estimate + 1);
    } else if (filch_pool_has_idle(pool) &&
               filch_pace_calls(&pool->call_sites.pace, grain->last, estimate)) {
        grain->help = FILCH_HELP_ASK;
    }
}

/* One of perhaps many: it keeps a thread within reach for the next. */
FILCH_APART static void run_at_a_pace(struct filch_loop *loop, struct filch_fiber *fiber,
                                      struct filch_grain *grain, uint64_t estimate,
                                      size_t *counted_ranges)
{
    struct filch_pool *pool = fiber->pool;
    size_t count = (size_t)units(loop);
    if (grain->help != FILCH_HELP_ASK && !pool->crowded) {
        filch_grain_help_short(grain, pool, count, estimate);
    }
    filch_ranges_run(fiber, loop, 0, count, grain, counted_ranges);
    if (estimate != UINT64_MAX || grain->spent >= FILCH_PACE_WORTH) {
        filch_pace_note(&pool->call_sites.pace, grain->last);
    }
}

/* A loop without an explicit chunk: its site knows, or learns, how long it takes. Groups count as
 * elements here. */
static void run_automatic(struct filch_loop *loop, struct filch_fiber *fiber,
                          size_t *counted_ranges)
{
    struct filch_call_site *site = filch_call_site_of(&fiber->pool->call_sites, loop->body->info);
    size_t count = (size_t)units(loop);
    uint64_t estimate = filch_call_site_estimate(site, count);
    enum filch_help help = filch_pool_help_for(fiber->pool, estimate);
    bool alone = loop->chained && help != FILCH_HELP_ASK;
    struct filch_grain grain = filch_grain_begun(fiber->pool, alone ? FILCH_HELP_LATE : help);
    if (FILCH_UNLIKELY(estimate >= FILCH_PACE_WORTH) && !alone) {
        run_at_a_pace(loop, fiber, &grain, estimate, counted_ranges);
    } else {
        filch_ranges_run(fiber, loop, 0, count, &grain, counted_ranges);
    }
    filch_call_site_learn(site, count, grain.elements, grain.spent);
}

static void run_in_chunks(struct filch_loop *loop, struct filch_fiber *fiber,
                          size_t *counted_ranges)
{
    struct filch_grain grain = filch_grain_begun(loop->pool, FILCH_HELP_ASK);
    filch_ranges_run(fiber, loop, 0, units(loop), &grain, counted_ranges);
}

static void run_own_part(struct filch_loop *loop, struct filch_fiber *fiber, size_t *counted_ranges)
{
    if (loop->gang && units(loop) > 1) {
        run_gang(loop, fiber, counted_ranges);
    } else if (loop->chunk && !loop->grouped) {
        run_in_chunks(loop, fiber, counted_ranges);
    } else {
        run_automatic(loop, fiber, counted_ranges);
    }
}

/* What its root must know to give it up. */
struct root {
    struct filch_loop *loop;
    struct filch_fiber *fiber;
    struct filch_frame *frame;
    filch_slot *bottom;
    size_t counted_ranges; /* ranges that are done here, which the loop is still to be told of */
};

/* Others may still run elements, and have the loop, until they are done. */
FILCH_APART static void give_up_loop(struct root *root)
{
    struct filch_loop *loop = root->loop;
    if (!filch_unwound_begin(root->fiber, root->frame)) {
        return;
    }
    filch_ranges_give_up(loop, root->fiber, root->bottom, &root->counted_ranges);
    if (root->counted_ranges && !only_root_is_left(loop, root->counted_ranges)) {
        filch_ranges_done(loop, root->counted_ranges);
        root->counted_ranges = 0;
    }
    if (root->counted_ranges == 0 && !filch_latch_is_open(&loop->done)) {
        filch_suspend_join(&pieces_wait, &loop->done);
    }
}

static inline void loop_left(struct root **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_loop(*running);
    }
}

void filch_loop_run(struct filch_loop *loop, struct filch_fiber *fiber)
{
    struct root root = {loop, fiber, fiber->frame, fiber->lane.top, 1};
    FILCH_UNWINDS(loop_left) struct root *running = &root;
    loop->frame.scope = fiber->frame->scope;
    fiber->frame->crowd = &loop->waiting;
    filch_frame_set_modes(&loop->frame, filch_frame_modes(fiber->frame)); /* its caller's */
    filch_trace(FILCH_TRACE_LOOP, 0, loop->body->info, loop->n);
    run_own_part(loop, fiber, &root.counted_ranges);
    fiber->frame->crowd = NULL;
    if (!only_root_is_left(loop, root.counted_ranges)) {
        filch_ranges_done(loop, root.counted_ranges);
        root.counted_ranges = 0;
        await_others(loop, fiber);
    }
    running = NULL;
    filch_trace(FILCH_TRACE_LOOP_END, 0, loop->body->info, filch_trace_name_of(loop));
    if (loop->progress.hook) {
        filch_progress_end(&loop->progress);
    }
}

void filch_loop_run_here(struct filch_loop *loop)
{
    struct filch_fiber *fiber = filch_fiber_self();
    filch_loop_prepare(loop, fiber->pool);
    filch_loop_run(loop, fiber);
    fiber->frame->next = fiber->frame->stop = NULL; /* what is raised now is no element's */
}
