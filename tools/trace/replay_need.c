#include "replay.h"

/* What is more than a program would do is damage. */
enum { DEPTH_MAX = 64, STEPS_MAX = 20000000 };

static const uint64_t address_bits = 0xffffffffffff;

/* Lists are of what is needed, in the order in which it was told, last first. */
static void begin_list(struct replay *replay, uint32_t fiber, const struct trace_event *event)
{
    uint64_t object = event->argument & address_bits;
    bool all = event->detail == FILCH_TRACE_NEEDS_ALL; /* or it is not known which */
    fiber_at(replay, fiber)->needer = all ? object : 0;
    table_set(&replay->needs_table, object, TABLE_NONE);
    table_set(&replay->ended_table, object, TABLE_NONE);
}

static void add_to_list(struct replay *replay, uint64_t needer, uint64_t object)
{
    uint32_t head = table_get(&replay->needs_table, needer);
    *ARRAY_PUSH(replay->needs) = (struct need){object, head};
    table_set(&replay->needs_table, needer, (uint32_t)(replay->needs.count - 1));
}

void replay_needs(struct replay *replay, const struct trace_event *event, uint32_t fiber)
{
    if (!(event->argument & address_bits)) {
        return; /* it is damaged */
    }
    uint64_t needer = fiber_at(replay, fiber)->needer;
    if (event->type == FILCH_TRACE_NEEDS) {
        begin_list(replay, fiber, event);
    } else if (needer && event->name) {
        add_to_list(replay, needer, event->argument & address_bits);
    }
}

static void come_after_task(struct replay *replay, const struct ended *need, uint32_t task,
                            uint32_t segment)
{
    const struct task *before = &replay->run->tasks.at[need->task];
    dag_edge(&replay->run->dag, need->segment, segment, EDGE_JOIN);
    *ARRAY_PUSH(replay->run->needs) = (struct task_need){task, need->task};
    *ARRAY_PUSH(replay->run->flows) = (struct flow){.from = before->ended,
                                                    .to = replay->now,
                                                    .task = task,
                                                    .from_track = before->track,
                                                    .to_track = replay->run->tasks.at[task].track,
                                                    .kind = FLOW_NEED};
}

/* A future of futures is no task: it stands for what it needs itself. */
static void come_after_list(struct replay *replay, uint64_t object, uint32_t task, uint32_t segment,
                            unsigned depth)
{
    for (uint32_t i = table_get(&replay->needs_table, object);
         i != TABLE_NONE && depth < DEPTH_MAX && replay->need_steps < STEPS_MAX;
         i = replay->needs.at[i].next) {
        uint64_t need = replay->needs.at[i].object;
        uint32_t ended = table_get(&replay->ended_table, need);
        replay->need_steps++;
        if (ended == TABLE_NONE) {
            come_after_list(replay, need, task, segment, depth + 1);
        } else {
            come_after_task(replay, &replay->ended.at[ended], task, segment);
        }
    }
}

void replay_after_needs(struct replay *replay, uint64_t object, uint32_t task, uint32_t segment)
{
    come_after_list(replay, object, task, segment, 0);
    table_set(&replay->ended_table, object, TABLE_NONE); /* what had the name before is gone */
    table_set(&replay->needs_table, object, TABLE_NONE);
}

void replay_note_end(struct replay *replay, const struct open_task *ended)
{
    if (replay->by_task) {
        *ARRAY_PUSH(replay->ended) = (struct ended){ended->task, ended->segment};
        table_set(&replay->ended_table, ended->object, (uint32_t)(replay->ended.count - 1));
    }
}
