#include "replay.h"

#include <string.h>

void replay_thread_passes(struct replay *replay, uint32_t index)
{
    struct strand *thread = strand_at(replay, index);
    if (thread->blocked || thread->inside) {
        return;
    }
    if (thread->last >= 0) {
        uint32_t segment = dag_segment(&replay->run->dag, TASK_NONE, SEGMENT_TIME, thread->last);
        replay->run->dag.segments.at[segment].ns = amount_difference(replay->now, thread->last);
        dag_edge(&replay->run->dag, thread->segment, segment, EDGE_NEXT);
        thread->segment = segment;
    }
    thread->last = replay->now;
}

void replay_block(struct replay *replay, const struct trace_event *event, uint32_t index)
{
    struct strand *strand = strand_at(replay, index);
    if (strand->blocked) {
        return;
    }
    strand->blocked = true;
    strand->ready = false;
    strand->blocked_flags = event->detail;
    strand->blocked_name = event->name;
    strand->blocked_track = event->track;
    strand->blocked_since = replay->now;
    replay->blocked += !(event->detail & FILCH_TRACE_FOR_WORK);
}

/* A wait for work is over when that work is, so its end is part of the order; other waits may be
 * ended from anywhere. */
void replay_ready(struct replay *replay, const struct trace_event *event, uint32_t from)
{
    uint32_t segment = from == TABLE_NONE ? SEGMENT_NONE : replay_go_on(replay, from);
    struct strand *strand = strand_at(replay, replay_strand(replay, event->argument));
    strand->ready = true;
    strand->ready_outcome = event->detail;
    strand->ready_segment = segment;
    strand->ready_track = event->track;
    strand->ready_since = replay->now;
}

/* The time that passed, of a wait that no work of ours ended. */
static void pass_time(struct replay *replay, struct strand *strand, int64_t until)
{
    struct dag *dag = &replay->run->dag;
    struct open_task *top = top_of(strand);
    uint32_t *place = segment_of(strand);
    uint32_t segment =
        dag_segment(dag, top ? top->task : TASK_NONE, SEGMENT_TIME, strand->blocked_since);
    dag->segments.at[segment].ns = amount_difference(until, strand->blocked_since);
    dag_edge(dag, *place, segment, EDGE_NEXT);
    *place = segment;
}

static void note_wait(struct replay *replay, const struct strand *strand, uint32_t task,
                      uint16_t track, int64_t until)
{
    *ARRAY_PUSH(replay->run->slices) = (struct slice){.from = strand->blocked_since,
                                                      .to = until,
                                                      .a = task,
                                                      .what = strand->blocked_name,
                                                      .track = strand->blocked_track,
                                                      .kind = SLICE_BLOCKED};
    if (strand->ready && track != NOWHERE) {
        *ARRAY_PUSH(replay->run->flows) = (struct flow){.from = strand->ready_since,
                                                        .to = replay->now,
                                                        .task = task,
                                                        .from_track = strand->ready_track,
                                                        .to_track = track,
                                                        .kind = FLOW_WAKE};
    }
}

static enum edge_kind edge_for(struct replay *replay, const struct strand *strand)
{
    if (strand->blocked_flags & FILCH_TRACE_FOR_WORK) {
        return EDGE_JOIN;
    }
    bool lock = strcmp(trace_name(replay->trace, strand->blocked_name), "a mutex") == 0;
    return lock ? EDGE_LOCK : EDGE_WAKE;
}

void replay_unblock(struct replay *replay, uint32_t index, uint16_t track)
{
    struct strand *strand = strand_at(replay, index);
    if (!strand->blocked) {
        return;
    }
    uint32_t task = replay_task_of(replay, index);
    int64_t until = strand->ready && strand->ready_since > strand->blocked_since
                        ? strand->ready_since
                        : replay->now;
    bool by_time = strand->blocked_flags & FILCH_TRACE_FOR_OUTSIDE || strand->ready_outcome == 3;
    note_wait(replay, strand, task, track, until);
    if (task != TASK_NONE) {
        amount_add(&replay->run->tasks.at[task].waited,
                   amount_difference(until, strand->blocked_since));
    }
    if (by_time) {
        pass_time(replay, strand, until);
    }
    replay_go_on(replay, index);
    strand = strand_at(replay, index);
    if (strand->ready && !by_time) {
        dag_edge(&replay->run->dag, strand->ready_segment, *segment_of(strand),
                 edge_for(replay, strand));
    }
    replay->blocked -= !(strand->blocked_flags & FILCH_TRACE_FOR_WORK);
    strand->blocked = strand->ready = false;
    strand->ready_outcome = 0;
    strand->last = replay->now;
}
