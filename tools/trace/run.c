#include "run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replay.h"

static void enter(struct replay *replay, const struct trace_event *event)
{
    struct core *core = &replay->cores[event->track];
    uint32_t index = replay_fiber(replay, event->argument);
    replay_attach(replay, event->track, index);
    replay_unblock(replay, index, event->track);
    if (core->guest_thread) {
        uint32_t thread = replay_fiber(replay, core->guest_thread); /* fibers may move */
        fiber_at(replay, index)->thread = thread;
        core->guest = index;
    }
}

/* ---- the program's own marks, and stages ---- */

static void span(struct replay *replay, const struct trace_event *event, uint32_t index)
{
    struct fiber *fiber = fiber_at(replay, index);
    if (event->type == FILCH_TRACE_SPAN || event->type == FILCH_TRACE_STAGE) {
        *ARRAY_PUSH(fiber->spans) = (struct open_span){event->name, replay->now, event->track};
        return;
    }
    for (size_t i = fiber->spans.count; i-- > 0;) {
        struct open_span open = fiber->spans.at[i];
        if (open.name == event->name) {
            fiber->spans.count = i; /* those inside that were not ended end with it */
            *ARRAY_PUSH(replay->run->slices) = (struct slice){.from = open.from,
                                                              .to = replay->now,
                                                              .what = open.name,
                                                              .track = open.track,
                                                              .depth = (uint8_t)(i < 250 ? i : 250),
                                                              .kind = SLICE_SPAN};
            return;
        }
    }
}

static void sample(struct replay *replay, const struct trace_event *event)
{
    double value = (double)event->argument;
    if (event->type == FILCH_TRACE_COUNTER) {
        memcpy(&value, &event->argument, sizeof value);
    }
    if (isfinite(value)) {
        *ARRAY_PUSH(replay->run->samples) =
            (struct sample){.ns = replay->now,
                            .value = value,
                            .name = event->name,
                            .track = event->track,
                            .is_mark = event->type == FILCH_TRACE_MARK};
    }
}

/* ---- events ---- */

static void lend(struct replay *replay, const struct trace_event *event, uint32_t index)
{
    if (event->detail == 1) {
        struct trace_event block = *event;
        block.detail = FILCH_TRACE_FOR_OUTSIDE;
        block.name = TRACE_NAME_LENT;
        replay_block(replay, &block, index);
        replay_detach(replay, event->track);
    }
}

/* Events that a fiber or a thread can have anywhere. */
static void play_anywhere(struct replay *replay, const struct trace_event *event, uint32_t index)
{
    switch (event->type) {
    case FILCH_TRACE_SPAWN: replay_make(replay, event, index, false); break;
    case FILCH_TRACE_READY: replay_ready(replay, event, index); break;
    case FILCH_TRACE_WAKE:
        replay->wake_since = replay->now;
        replay->run->wakes++;
        break;
    case FILCH_TRACE_COUNTER:
    case FILCH_TRACE_MARK: sample(replay, event); break;
    default: break;
    }
    if (index == TABLE_NONE) {
        return;
    }
    switch (event->type) {
    case FILCH_TRACE_BLOCK: replay_block(replay, event, index); break;
    case FILCH_TRACE_NEEDS:
    case FILCH_TRACE_NEED: replay_needs(replay, event, index); break;
    case FILCH_TRACE_JOINED: replay_joined(replay, index, event->argument); break;
    case FILCH_TRACE_SPAN:
    case FILCH_TRACE_SPAN_END:
    case FILCH_TRACE_STAGE:
    case FILCH_TRACE_STAGE_END: span(replay, event, index); break;
    default: break;
    }
}

static void play_outside(struct replay *replay, const struct trace_event *event)
{
    if (event->type == FILCH_TRACE_THREAD) {
        replay->thread = replay_fiber(replay, event->argument);
        return;
    }
    if (event->type == FILCH_TRACE_GO_ON) {
        replay_unblock(replay, replay_fiber(replay, event->argument), NOWHERE);
        return;
    }
    if (replay->thread != TABLE_NONE) {
        replay_thread_passes(replay, replay->thread);
    }
    play_anywhere(replay, event, replay->thread);
}

static void play_on_core(struct replay *replay, const struct trace_event *event)
{
    struct core *core = &replay->cores[event->track];
    switch (event->type) {
    case FILCH_TRACE_HOLD: replay_hold(replay, event); break;
    case FILCH_TRACE_FREE: replay_free(replay, event->track); break;
    case FILCH_TRACE_ENTER: enter(replay, event); break;
    case FILCH_TRACE_SEARCH:
    case FILCH_TRACE_FOUND: replay_search(replay, event); break;
    case FILCH_TRACE_PUBLISH: replay_make(replay, event, core->fiber, false); break;
    case FILCH_TRACE_FORK: replay_make(replay, event, core->fiber, true); break;
    case FILCH_TRACE_RECLAIM: replay_reclaim(replay, event); break;
    case FILCH_TRACE_BEGIN:
    case FILCH_TRACE_BEGIN_OWN:
    case FILCH_TRACE_BEGIN_JOIN: replay_begin(replay, event); break;
    case FILCH_TRACE_END:
    case FILCH_TRACE_END_OWN:
    case FILCH_TRACE_END_JOIN: replay_end(replay, event); break;
    case FILCH_TRACE_YIELD: replay_detach(replay, event->track); break;
    case FILCH_TRACE_LOOP:
    case FILCH_TRACE_LOOP_END: replay_loop(replay, event); break;
    case FILCH_TRACE_CHUNK:
    case FILCH_TRACE_CHUNK_END: replay_chunk(replay, event); break;
    case FILCH_TRACE_GO_ON:
        if (core->guest != TABLE_NONE) {
            uint32_t guest = core->guest;
            replay_attach(replay, event->track, guest);
            replay_unblock(replay, guest, event->track);
        }
        break;
    case FILCH_TRACE_LEND:
        if (core->fiber != TABLE_NONE) {
            lend(replay, event, core->fiber);
        }
        break;
    default: play_anywhere(replay, event, core->fiber); break;
    }
    if (event->type == FILCH_TRACE_BLOCK) {
        replay_detach(replay, event->track);
    }
}

static void play(struct replay *replay, const struct trace_event *event)
{
    replay->now = event->ns;
    replay_idle(replay);
    replay_account(replay, event->track);
    replay->run->cores[event->track].events++;
    if (replay->trace->tracks.at[event->track].kind == FILCH_TRACE_CORE) {
        play_on_core(replay, event);
    } else {
        play_outside(replay, event);
    }
}

/* ---- gaps ---- */

/* Nothing is known of what ran there; what is open now begins anew. */
static void resume_after(struct replay *replay, const struct trace_gap *gap)
{
    struct core *core = &replay->cores[gap->track];
    replay->now = gap->to;
    replay_detach(replay, gap->track);
    core->last = core->since = gap->to;
    core->held = gap->fiber != 0;
    core->searching = false;
    *ARRAY_PUSH(replay->run->slices) =
        (struct slice){.from = gap->from, .to = gap->to, .track = gap->track, .kind = SLICE_GAP};
    if (!gap->fiber) {
        return;
    }
    uint32_t index = replay_fiber(replay, gap->fiber);
    fiber_at(replay, index)->open.count = 0;
    fiber_at(replay, index)->needer = 0;
    fiber_at(replay, index)->blocked = false;
    replay_attach(replay, gap->track, index);
    for (unsigned i = 0; i < gap->open_count; i++) {
        replay_begin(replay, &(struct trace_event){.ns = gap->to,
                                                   .track = gap->track,
                                                   .name = (uint16_t)gap->open[i],
                                                   .type = FILCH_TRACE_BEGIN,
                                                   .detail = FILCH_TRACE_OWN});
    }
}

static int by_end(const void *a, const void *b)
{
    const struct trace_gap *one = a;
    const struct trace_gap *other = b;
    return one->to < other->to ? -1 : one->to > other->to;
}

static void play_all(struct replay *replay)
{
    const struct trace *trace = replay->trace;
    struct trace_gap *gaps = tool_alloc(trace->gaps.count, sizeof *gaps);
    size_t gap = 0;
    if (trace->gaps.count) {
        memcpy(gaps, trace->gaps.at, trace->gaps.count * sizeof *gaps);
        qsort(gaps, trace->gaps.count, sizeof *gaps, by_end);
    }
    for (size_t i = 0; i < trace->events.count; i++) {
        while (gap < trace->gaps.count && gaps[gap].to <= trace->events.at[i].ns) {
            resume_after(replay, &gaps[gap++]);
        }
        play(replay, &trace->events.at[i]);
    }
    free(gaps);
}

/* ---- the whole ---- */

/* Of all pools, each counted once. */
static unsigned count_workers(const struct trace *trace)
{
    struct table pools = {.at = NULL};
    unsigned workers = 0;
    for (size_t i = 0; i < trace->tracks.count; i++) {
        const struct trace_track *track = &trace->tracks.at[i];
        if (track->kind == FILCH_TRACE_CORE && table_get(&pools, track->pool) == TABLE_NONE) {
            table_set(&pools, track->pool, 0);
            workers += track->workers;
        }
    }
    table_free(&pools);
    return workers;
}

static void end_all(struct replay *replay)
{
    replay->now = replay->trace->end;
    replay_idle(replay);
    for (size_t i = 0; i < replay->trace->tracks.count; i++) {
        struct core *core = &replay->cores[i];
        replay_account(replay, (uint16_t)i);
        replay_detach(replay, (uint16_t)i);
        if (!core->held && replay->trace->tracks.at[i].kind == FILCH_TRACE_CORE) {
            *ARRAY_PUSH(replay->run->slices) = (struct slice){
                .from = core->since, .to = replay->now, .track = (uint16_t)i, .kind = SLICE_PARKED};
        }
    }
}

static void dismantle(struct replay *replay)
{
    for (size_t i = 0; i < replay->fibers.count; i++) {
        struct fiber *fiber = &replay->fibers.at[i];
        free(fiber->open.at);
        free(fiber->spans.at);
    }
    free(replay->fibers.at);
    free(replay->made.at);
    free(replay->done.at);
    free(replay->needs.at);
    free(replay->ended.at);
    free(replay->loop_done);
    free(replay->loop_outer);
    free(replay->cores);
    table_free(&replay->fiber_table);
    table_free(&replay->made_table);
    table_free(&replay->done_table);
    table_free(&replay->needs_table);
    table_free(&replay->ended_table);
}

struct run *run_of(const struct trace *trace)
{
    struct run *run = tool_alloc(1, sizeof *run);
    struct replay replay = {.run = run,
                            .trace = trace,
                            .thread = TABLE_NONE,
                            .wake_since = -1,
                            .by_task = trace->header.level >= 2,
                            .by_fork = trace->header.level >= 3};
    run->trace = trace;
    run->workers = count_workers(trace);
    run->cores = tool_alloc(trace->tracks.count, sizeof *run->cores);
    run->blame = tool_alloc(65536, sizeof *run->blame);
    replay.cores = tool_alloc(trace->tracks.count, sizeof *replay.cores);
    for (size_t i = 0; i < trace->tracks.count; i++) {
        replay.cores[i].fiber = replay.cores[i].guest = TABLE_NONE;
    }
    play_all(&replay);
    end_all(&replay);
    dismantle(&replay);
    dag_finish(&run->dag);
    return run;
}

void run_free(struct run *run)
{
    free(run->tasks.at);
    free(run->slices.at);
    free(run->flows.at);
    free(run->needs.at);
    free(run->samples.at);
    free(run->loops.at);
    free(run->steal_ns.at);
    free(run->wake_ns.at);
    free(run->cores);
    free(run->blame);
    dag_free(&run->dag);
    free(run);
}
