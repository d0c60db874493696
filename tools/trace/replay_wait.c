#include "replay.h"

#include <string.h>

void replay_block(struct replay *replay, const struct trace_event *event, uint32_t index)
{
    struct fiber *fiber = fiber_at(replay, index);
    if (fiber->blocked) {
        return;
    }
    fiber->blocked = true;
    fiber->ready = false;
    fiber->blocked_flags = event->detail;
    fiber->blocked_name = event->name;
    fiber->blocked_track = event->track;
    fiber->blocked_since = replay->now;
    replay->blocked += !(event->detail & FILCH_TRACE_FOR_WORK);
}

/* A wait for work is over when that work is, so its end is part of the order; other waits may be
 * ended from anywhere. */
void replay_ready(struct replay *replay, const struct trace_event *event, uint32_t from)
{
    uint32_t segment = from == TABLE_NONE ? SEGMENT_NONE : replay_go_on(replay, from);
    struct fiber *fiber = fiber_at(replay, replay_fiber(replay, event->argument));
    fiber->ready = true;
    fiber->ready_outcome = event->detail;
    fiber->ready_segment = segment;
    fiber->ready_track = event->track;
    fiber->ready_since = replay->now;
}

/* The time that passed, of a wait that no work of ours ended. */
static void pass_time(struct replay *replay, struct fiber *fiber, int64_t until)
{
    struct dag *dag = &replay->run->dag;
    struct open_task *top = top_of(fiber);
    uint32_t *place = segment_of(fiber);
    uint32_t segment =
        dag_segment(dag, top ? top->task : TASK_NONE, SEGMENT_TIME, fiber->blocked_since);
    dag->segments.at[segment].ns = amount_difference(until, fiber->blocked_since);
    dag_edge(dag, *place, segment, EDGE_NEXT);
    *place = segment;
}

static void note_wait(struct replay *replay, const struct fiber *fiber, uint32_t task,
                      uint16_t track, int64_t until)
{
    *ARRAY_PUSH(replay->run->slices) = (struct slice){.from = fiber->blocked_since,
                                                      .to = until,
                                                      .a = task,
                                                      .what = fiber->blocked_name,
                                                      .track = fiber->blocked_track,
                                                      .kind = SLICE_BLOCKED};
    if (fiber->ready && track != NOWHERE) {
        *ARRAY_PUSH(replay->run->flows) = (struct flow){.from = fiber->ready_since,
                                                        .to = replay->now,
                                                        .task = task,
                                                        .from_track = fiber->ready_track,
                                                        .to_track = track,
                                                        .kind = FLOW_WAKE};
    }
}

static enum edge_kind edge_for(struct replay *replay, const struct fiber *fiber)
{
    if (fiber->blocked_flags & FILCH_TRACE_FOR_WORK) {
        return EDGE_JOIN;
    }
    bool lock = strcmp(trace_name(replay->trace, fiber->blocked_name), "a mutex") == 0;
    return lock ? EDGE_LOCK : EDGE_WAKE;
}

void replay_unblock(struct replay *replay, uint32_t index, uint16_t track)
{
    struct fiber *fiber = fiber_at(replay, index);
    if (!fiber->blocked) {
        return;
    }
    uint32_t task = replay_task_of(replay, index);
    int64_t until = fiber->ready && fiber->ready_since > fiber->blocked_since ? fiber->ready_since
                                                                              : replay->now;
    bool by_time = fiber->blocked_flags & FILCH_TRACE_FOR_OUTSIDE || fiber->ready_outcome == 3;
    note_wait(replay, fiber, task, track, until);
    if (task != TASK_NONE) {
        amount_add(&replay->run->tasks.at[task].waited,
                   amount_difference(until, fiber->blocked_since));
    }
    if (by_time) {
        pass_time(replay, fiber, until);
    }
    replay_go_on(replay, index);
    fiber = fiber_at(replay, index);
    if (fiber->ready && !by_time) {
        dag_edge(&replay->run->dag, fiber->ready_segment, *segment_of(fiber),
                 edge_for(replay, fiber));
    }
    replay->blocked -= !(fiber->blocked_flags & FILCH_TRACE_FOR_WORK);
    fiber->blocked = fiber->ready = false;
    fiber->ready_outcome = 0;
    fiber->last = replay->now;
}
