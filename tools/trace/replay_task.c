#include "replay.h"

static const uint64_t address_bits = 0xffffffffffff;

uint32_t replay_task_of(struct replay *replay, uint32_t fiber)
{
    struct open_task *top = fiber == TABLE_NONE ? NULL : top_of(fiber_at(replay, fiber));
    return top ? top->task : TASK_NONE;
}

uint32_t replay_go_on(struct replay *replay, uint32_t index)
{
    struct fiber *fiber = fiber_at(replay, index);
    struct open_task *top = top_of(fiber);
    uint32_t *place = segment_of(fiber);
    uint32_t old = *place;
    *place = dag_segment(&replay->run->dag, top ? top->task : TASK_NONE, SEGMENT_WORK, replay->now);
    dag_edge(&replay->run->dag, old, *place, EDGE_NEXT);
    return old;
}

/* ---- made, and taken back ---- */

void replay_make(struct replay *replay, const struct trace_event *event, uint32_t index,
                 bool forked)
{
    uint64_t object = event->argument & address_bits;
    uint32_t old = table_get(&replay->made_table, object);
    if (!forked && old != TABLE_NONE && replay->made.at[old].forked) {
        replay->made.at[old].ns = replay->now; /* it was forked before it is published */
        replay->made.at[old].track = event->track;
        return;
    }
    struct made made = {.segment = SEGMENT_NONE,
                        .task = TASK_NONE,
                        .loop = LOOP_NONE,
                        .track = event->track,
                        .forked = forked,
                        .piece = event->type == FILCH_TRACE_PUBLISH && event->detail == 1,
                        .ns = replay->now};
    if (index != TABLE_NONE) {
        made.segment = replay_go_on(replay, index);
        made.task = replay_task_of(replay, index);
        struct open_task *top = top_of(fiber_at(replay, index));
        made.loop = top ? top->loop : LOOP_NONE;
    }
    if (old == TABLE_NONE) {
        old = (uint32_t)replay->made.count;
        (void)ARRAY_PUSH(replay->made);
        table_set(&replay->made_table, object, old);
    }
    replay->made.at[old] = made;
}

/* What was made under that name, which is free for others now; false: that is not known. */
static bool take_made(struct replay *replay, uint64_t object, struct made *made)
{
    uint32_t index = table_get(&replay->made_table, object);
    if (index == TABLE_NONE || replay->made.at[index].ns < 0) {
        return false;
    }
    *made = replay->made.at[index];
    replay->made.at[index] = (struct made){.ns = -1}; /* the place is used again with the name */
    return true;
}

void replay_reclaim(struct replay *replay, const struct trace_event *event)
{
    struct made made;
    if (!replay->by_fork) {
        take_made(replay, event->argument & address_bits, &made);
    }
}

/* ---- beginnings ---- */

static void come_after(struct replay *replay, uint32_t segment, uint32_t index,
                       const struct made *made)
{
    struct dag *dag = &replay->run->dag;
    struct fiber *fiber = fiber_at(replay, index);
    struct open_task *top = top_of(fiber);
    if (made) {
        dag_edge(dag, made->segment, segment, EDGE_SPAWN);
    } else if (top) {
        dag_edge(dag, top->segment, segment, EDGE_NEXT);
    }
    if (!top && fiber->thread != TABLE_NONE) { /* the program's own thread comes in */
        dag_edge(dag, fiber_at(replay, fiber->thread)->segment, segment, EDGE_NEXT);
    }
}

static void note_theft(struct replay *replay, const struct trace_event *event, uint32_t task,
                       const struct made *made)
{
    *ARRAY_PUSH(replay->run->flows) = (struct flow){.from = made->ns,
                                                    .to = replay->now,
                                                    .task = task,
                                                    .from_track = made->track,
                                                    .to_track = event->track,
                                                    .kind = FLOW_STEAL};
    *ARRAY_PUSH(replay->run->steal_ns) = amount_difference(replay->now, made->ns);
    replay->run->cores[event->track].steals++;
}

void replay_begin(struct replay *replay, const struct trace_event *event)
{
    uint32_t index = replay->cores[event->track].fiber;
    struct made made = {.segment = SEGMENT_NONE, .task = TASK_NONE, .loop = LOOP_NONE};
    if (index == TABLE_NONE) {
        return;
    }
    bool known = take_made(replay, event->argument & address_bits, &made);
    uint32_t thread = fiber_at(replay, index)->thread;
    if (thread != TABLE_NONE && !fiber_at(replay, index)->open.count) {
        replay_thread_passes(replay, thread);
        fiber_at(replay, thread)->inside = true;
    }
    bool nested = fiber_at(replay, index)->open.count > 0;
    uint32_t task = (uint32_t)replay->run->tasks.count;
    uint32_t segment = dag_segment(&replay->run->dag, task, SEGMENT_WORK, replay->now);
    come_after(replay, segment, index, known ? &made : NULL);
    *ARRAY_PUSH(replay->run->tasks) = (struct task){
        .name = event->name,
        .parent = known    ? made.task
                  : nested ? replay_task_of(replay, index)
                           : TASK_NONE,
        .made = known ? made.ns : replay->now,
        .began = replay->now,
        .ended = replay->trace->end,
        .track = event->track,
        .from = event->detail == FILCH_TRACE_STOLEN ? (uint16_t)(event->argument >> 48) : 0,
        .how = event->detail,
        .piece = made.piece,
        .in_place = event->type == FILCH_TRACE_BEGIN_JOIN};
    *ARRAY_PUSH(fiber_at(replay, index)->open) =
        (struct open_task){.task = task,
                           .object = event->argument & address_bits,
                           .segment = segment,
                           .outer = SEGMENT_NONE,
                           .loop = made.loop,
                           .since = replay->now};
    replay_after_needs(replay, event->argument & address_bits, task, segment);
    if (known && event->detail == FILCH_TRACE_STOLEN) {
        note_theft(replay, event, task, &made);
    }
}

/* ---- ends ---- */

static void push_done(struct replay *replay, uint32_t *head, uint32_t segment)
{
    *ARRAY_PUSH(replay->done) = (struct done){segment, *head};
    *head = (uint32_t)(replay->done.count - 1);
}

/* What counts for itself is the only one of its name: what had the name before is gone. */
static void done_for(struct replay *replay, uint64_t object, const struct open_task *ended)
{
    uint32_t segment = ended->segment;
    uint32_t head = object == ended->object ? TABLE_NONE : table_get(&replay->done_table, object);
    push_done(replay, &head, segment);
    table_set(&replay->done_table, object, head);
}

/* The segment that a fiber is in comes after all of a list. */
static void after_list(struct replay *replay, uint32_t head, uint32_t segment)
{
    for (; head != TABLE_NONE; head = replay->done.at[head].next) {
        dag_edge(&replay->run->dag, replay->done.at[head].segment, segment, EDGE_JOIN);
    }
}

void replay_end(struct replay *replay, const struct trace_event *event)
{
    uint32_t index = replay->cores[event->track].fiber;
    struct fiber *fiber = index == TABLE_NONE ? NULL : fiber_at(replay, index);
    if (!fiber || !fiber->open.count) {
        return;
    }
    replay_slice(replay, fiber, fiber->open.count - 1);
    struct open_task ended = fiber->open.at[--fiber->open.count];
    struct task *task = &replay->run->tasks.at[ended.task];
    task->ended = replay->now;
    task->has_ended = true;
    done_for(replay, event->argument & address_bits, &ended);
    replay_note_end(replay, &ended);
    if (fiber->open.count) { /* it ran on top of one that waited for it */
        replay_go_on(replay, index);
        dag_edge(&replay->run->dag, ended.segment, *segment_of(fiber_at(replay, index)), EDGE_JOIN);
        return;
    }
    fiber->segment = ended.segment;
    if (fiber->thread != TABLE_NONE) {
        struct fiber *thread = fiber_at(replay, fiber->thread);
        thread->segment = ended.segment;
        thread->last = replay->now;
        thread->inside = false;
    }
}

void replay_joined(struct replay *replay, uint32_t index, uint64_t object)
{
    uint32_t head = table_get(&replay->done_table, object & address_bits);
    if (head == TABLE_NONE || index == TABLE_NONE) {
        return;
    }
    replay_go_on(replay, index);
    after_list(replay, head, *segment_of(fiber_at(replay, index)));
    table_set(&replay->done_table, object & address_bits, TABLE_NONE);
}

/* ---- loops ---- */

static uint32_t new_loop(struct replay *replay, const struct trace_event *event, uint32_t outer)
{
    uint32_t loop = (uint32_t)replay->run->loops.count;
    *ARRAY_PUSH(replay->run->loops) = (struct loop){.name = event->name,
                                                    .began = replay->now,
                                                    .ended = replay->trace->end,
                                                    .elements = event->argument};
    if (replay->loop_room < replay->run->loops.room) {
        replay->loop_room = replay->run->loops.room;
        replay->loop_done =
            tool_realloc(replay->loop_done, replay->loop_room, sizeof *replay->loop_done);
        replay->loop_outer =
            tool_realloc(replay->loop_outer, replay->loop_room, sizeof *replay->loop_outer);
    }
    replay->loop_done[loop] = TABLE_NONE;
    replay->loop_outer[loop] = outer;
    return loop;
}

void replay_loop(struct replay *replay, const struct trace_event *event)
{
    uint32_t index = replay->cores[event->track].fiber;
    struct open_task *top = index == TABLE_NONE ? NULL : top_of(fiber_at(replay, index));
    if (!top) {
        return;
    }
    if (event->type == FILCH_TRACE_LOOP) {
        uint32_t loop = new_loop(replay, event, top->loop);
        replay->run->loops.at[loop].segment = replay_go_on(replay, index);
        top_of(fiber_at(replay, index))->loop = loop;
    } else if (top->loop != LOOP_NONE) {
        uint32_t loop = top->loop;
        replay->run->loops.at[loop].ended = replay->now;
        replay_go_on(replay, index);
        top = top_of(fiber_at(replay, index));
        after_list(replay, replay->loop_done[loop], top->segment);
        after_list(replay, table_get(&replay->done_table, event->argument & address_bits),
                   top->segment);
        table_set(&replay->done_table, event->argument & address_bits, TABLE_NONE);
        top->loop = replay->loop_outer[loop];
    }
}

static void end_chunk(struct replay *replay, const struct trace_event *event, struct open_task *top)
{
    uint64_t elements = event->argument - top->chunk_first;
    *ARRAY_PUSH(replay->run->slices) = (struct slice){.from = top->chunk_from,
                                                      .to = replay->now,
                                                      .a = top->chunk_first,
                                                      .b = event->argument,
                                                      .what = event->name,
                                                      .track = event->track,
                                                      .kind = SLICE_CHUNK};
    struct segment *segment = &replay->run->dag.segments.at[top->segment];
    if (elements > 1 && segment->start == top->chunk_from) { /* its elements did not fork */
        segment->parts = elements < UINT32_MAX ? (uint32_t)elements : UINT32_MAX;
    }
    segment->loop = top->loop;
    push_done(replay, &replay->loop_done[top->loop], top->segment);
    replay->run->loops.at[top->loop].chunks++;
    top->segment = top->outer;
    top->in_chunk = false;
}

void replay_chunk(struct replay *replay, const struct trace_event *event)
{
    uint32_t index = replay->cores[event->track].fiber;
    struct open_task *top = index == TABLE_NONE ? NULL : top_of(fiber_at(replay, index));
    if (!top || top->loop == LOOP_NONE) {
        return;
    }
    if (event->type == FILCH_TRACE_CHUNK_END && top->in_chunk) {
        end_chunk(replay, event, top);
    } else if (event->type == FILCH_TRACE_CHUNK && !top->in_chunk) {
        uint32_t segment = dag_segment(&replay->run->dag, top->task, SEGMENT_WORK, replay->now);
        dag_edge(&replay->run->dag, replay->run->loops.at[top->loop].segment, segment, EDGE_SPAWN);
        top->outer = top->segment;
        top->segment = segment;
        top->in_chunk = true;
        top->chunk_from = replay->now;
        top->chunk_first = event->argument;
    }
}
