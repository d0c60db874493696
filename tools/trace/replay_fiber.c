/* The fibers and threads of a recording, and the time that passes on them. */
#include "replay.h"

uint32_t replay_fiber(struct replay *replay, uint64_t key)
{
    uint32_t index = table_get(&replay->fiber_table, key);
    if (index == TABLE_NONE) {
        index = (uint32_t)replay->fibers.count;
        *ARRAY_PUSH(replay->fibers) = (struct fiber){.key = key,
                                                     .track = NOWHERE,
                                                     .segment = SEGMENT_NONE,
                                                     .thread = TABLE_NONE,
                                                     .ready_segment = SEGMENT_NONE,
                                                     .last = -1};
        table_set(&replay->fiber_table, key, index);
    }
    return index;
}

void replay_thread_passes(struct replay *replay, uint32_t index)
{
    struct fiber *thread = fiber_at(replay, index);
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
