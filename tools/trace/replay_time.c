#include "replay.h"

enum { WAKE_NS_MAX = 1000000 };

static struct slice *new_slice(struct replay *replay, uint16_t track, int64_t from,
                               enum slice_kind kind)
{
    struct slice *slice = ARRAY_PUSH(replay->run->slices);
    *slice = (struct slice){.from = from, .to = replay->now, .track = track, .kind = (uint8_t)kind};
    return slice;
}

static bool is_busy(struct replay *replay, const struct core *core)
{
    if (!core->held || core->fiber == TABLE_NONE || core->searching) {
        return false;
    }
    return !replay->by_task || fiber_at(replay, core->fiber)->open.count > 0;
}

static void account_running(struct replay *replay, uint16_t track, int64_t passed)
{
    struct fiber *fiber = fiber_at(replay, replay->cores[track].fiber);
    struct open_task *top = top_of(fiber);
    uint32_t segment = *segment_of(fiber);
    amount_add(&replay->run->cores[track].running, passed);
    if (top) {
        amount_add(&replay->run->tasks.at[top->task].ran, passed);
    }
    if (segment == SEGMENT_NONE) {
        int64_t began = amount_difference(replay->now, passed);
        segment = fiber->segment = dag_segment(&replay->run->dag, TASK_NONE, SEGMENT_WORK, began);
    }
    amount_add(&replay->run->dag.segments.at[segment].ns, passed);
}

void replay_account(struct replay *replay, uint16_t track)
{
    struct core *core = &replay->cores[track];
    struct core_time *time = &replay->run->cores[track];
    int64_t passed = amount_difference(replay->now, core->last);
    core->last = replay->now;
    if (is_busy(replay, core)) {
        account_running(replay, track, passed);
    } else if (!core->held) {
        amount_add(&time->parked, passed);
    } else if (core->searching) {
        amount_add(&time->searching, passed);
    } else {
        amount_add(&time->overhead, passed);
    }
}

static void blame(struct replay *replay, int64_t lost)
{
    for (size_t i = 0; i < replay->trace->tracks.count; i++) {
        if (is_busy(replay, &replay->cores[i])) {
            struct open_task *top = top_of(fiber_at(replay, replay->cores[i].fiber));
            uint32_t name = top ? replay->run->tasks.at[top->task].name : 0;
            amount_add(&replay->run->blame[name], lost);
            return;
        }
    }
}

void replay_idle(struct replay *replay)
{
    int64_t passed = amount_difference(replay->now, replay->last);
    struct idle_time *idle = &replay->run->idle;
    unsigned running = 0;
    unsigned searching = 0;
    replay->last = replay->now;
    if (passed <= 0) {
        return;
    }
    for (size_t i = 0; i < replay->trace->tracks.count; i++) {
        running += is_busy(replay, &replay->cores[i]);
        searching += replay->cores[i].searching;
    }
    unsigned workers = replay->run->workers;
    unsigned idle_cores = workers > running ? workers - running : 0;
    bool active = running > 0 || replay->blocked > 0;
    if (!idle_cores || !active) {
        return;
    }
    searching = searching < idle_cores ? searching : idle_cores;
    amount_add(&idle->searching, amount_product(passed, searching));
    int64_t asleep = amount_product(passed, idle_cores - searching);
    if (amount_difference(replay->now, replay->wake_since) > WAKE_NS_MAX) {
        replay->wake_since = -1; /* it was for something else than a core */
    }
    if (replay->wake_since >= 0 && asleep) {
        amount_add(&idle->waking, passed);
        asleep -= passed; /* which is one of those */
    }
    amount_add(replay->blocked ? &idle->waiting : &idle->starved, asleep);
    if (running == 1) {
        blame(replay, amount_product(passed, idle_cores));
    }
}

void replay_slice(struct replay *replay, struct fiber *fiber, size_t depth)
{
    struct open_task *open = &fiber->open.at[depth];
    if (fiber->track == NOWHERE || replay->now < open->since) {
        return;
    }
    struct slice *slice = new_slice(replay, fiber->track, open->since, SLICE_TASK);
    slice->what = open->task;
    slice->depth = (uint8_t)(depth < 250 ? depth + 1 : 251);
}

void replay_detach(struct replay *replay, uint16_t track)
{
    struct core *core = &replay->cores[track];
    if (core->fiber == TABLE_NONE) {
        return;
    }
    struct fiber *fiber = fiber_at(replay, core->fiber);
    for (size_t i = 0; i < fiber->open.count; i++) {
        replay_slice(replay, fiber, i);
    }
    fiber->track = NOWHERE;
    core->fiber = TABLE_NONE;
}

void replay_attach(struct replay *replay, uint16_t track, uint32_t index)
{
    replay_detach(replay, track);
    struct fiber *fiber = fiber_at(replay, index);
    if (fiber->track != NOWHERE) { /* an event was lost */
        replay_detach(replay, fiber->track);
    }
    fiber->track = track;
    for (size_t i = 0; i < fiber->open.count; i++) {
        fiber->open.at[i].since = replay->now;
    }
    replay->cores[track].fiber = index;
}

void replay_hold(struct replay *replay, const struct trace_event *event)
{
    struct core *core = &replay->cores[event->track];
    if (!core->held && replay->now > core->since) {
        new_slice(replay, event->track, core->since, SLICE_PARKED);
    }
    core->held = true;
    core->guest_thread = event->detail == 1 ? event->argument : 0;
    core->guest = TABLE_NONE;
    if (event->detail == 0 && replay->wake_since >= 0) {
        *ARRAY_PUSH(replay->run->wake_ns) = amount_difference(replay->now, replay->wake_since);
        replay->wake_since = -1;
    }
}

void replay_free(struct replay *replay, uint16_t track)
{
    struct core *core = &replay->cores[track];
    replay_detach(replay, track);
    core->held = core->searching = false;
    core->since = replay->now;
}

void replay_search(struct replay *replay, const struct trace_event *event)
{
    struct core *core = &replay->cores[event->track];
    struct core_time *time = &replay->run->cores[event->track];
    if (event->type == FILCH_TRACE_SEARCH) {
        core->searching = true;
        core->since = replay->now;
        time->searches++;
    } else if (core->searching) {
        core->searching = false;
        time->searches_in_vain += event->detail == 0;
        new_slice(replay, event->track, core->since, SLICE_SEARCH)->a = event->detail;
    }
}
