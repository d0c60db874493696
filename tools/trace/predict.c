#include "predict.h"

#include <stdlib.h>

#include <filch/filch.h>

#include "amount.h"
#include "memory.h"

/* ---- virtual cores ---- */

/* Something that will be over at a time: a segment, on a core or on none. */
struct running {
    int64_t until;
    uint32_t segment;
    uint32_t core; /* NO_CORE: it passes by itself */
};

static const uint32_t NO_CORE = UINT32_MAX;

struct virtual_core {
    uint32_t newest; /* of its deque; SEGMENT_NONE: it is empty */
    uint32_t oldest;
    uint32_t count;
    uint32_t place; /* in the list of cores that have some, or of idle ones */
};

/* Core numbers in any order. */
struct core_list {
    uint32_t *at;
    uint32_t count;
};

struct machine {
    const struct dag *dag;
    struct delays delays;
    uint64_t seed;
    int64_t now;
    struct virtual_core *cores;
    struct core_list idle;
    struct core_list rich; /* whose deques are not empty */
    uint32_t *newer;       /* by segment, in its deque */
    uint32_t *older;
    uint32_t *awaited; /* by segment: how many it still comes after */
    struct {
        struct running *at;
        size_t count, room;
    } heap;
};

/* xorshift64* (Vigna, 2016) */
static uint64_t draw(struct machine *machine)
{
    machine->seed ^= machine->seed >> 12;
    machine->seed ^= machine->seed << 25;
    machine->seed ^= machine->seed >> 27;
    return machine->seed * 0x2545f4914f6cdd1du;
}

static void list_add(struct machine *machine, struct core_list *list, uint32_t core)
{
    machine->cores[core].place = list->count;
    list->at[list->count++] = core;
}

static void list_remove(struct machine *machine, struct core_list *list, uint32_t core)
{
    uint32_t last = list->at[--list->count];
    list->at[machine->cores[core].place] = last;
    machine->cores[last].place = machine->cores[core].place;
}

static void heap_add(struct machine *machine, struct running running)
{
    ARRAY_PUSH(machine->heap);
    size_t at = machine->heap.count - 1;
    while (at > 0 && machine->heap.at[(at - 1) / 2].until > running.until) {
        machine->heap.at[at] = machine->heap.at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    machine->heap.at[at] = running;
}

static struct running heap_take(struct machine *machine)
{
    struct running first = machine->heap.at[0];
    struct running last = machine->heap.at[--machine->heap.count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= machine->heap.count) {
            break;
        }
        if (child + 1 < machine->heap.count &&
            machine->heap.at[child + 1].until < machine->heap.at[child].until) {
            child++;
        }
        if (machine->heap.at[child].until >= last.until) {
            break;
        }
        machine->heap.at[at] = machine->heap.at[child];
        at = child;
    }
    machine->heap.at[at] = last;
    return first;
}

static void start(struct machine *machine, uint32_t core, uint32_t segment, int64_t delay)
{
    int64_t ns = machine->dag->segments.at[segment].ns;
    int64_t until = amount_sum(amount_sum(machine->now, delay), ns > 0 ? ns : 0);
    heap_add(machine, (struct running){until, segment, core});
}

/* ---- deques ---- */

static void append(struct machine *machine, uint32_t core, uint32_t segment)
{
    struct virtual_core *own = &machine->cores[core];
    if (own->newest == SEGMENT_NONE) {
        own->oldest = segment;
        list_add(machine, &machine->rich, core);
    } else {
        machine->newer[own->newest] = segment;
    }
    machine->older[segment] = own->newest;
    machine->newer[segment] = SEGMENT_NONE;
    own->newest = segment;
    own->count++;
}

static uint32_t pop(struct machine *machine, uint32_t core)
{
    struct virtual_core *own = &machine->cores[core];
    uint32_t segment = own->newest;
    if (segment == SEGMENT_NONE) {
        return segment;
    }
    own->newest = machine->older[segment];
    if (--own->count == 0) {
        own->oldest = SEGMENT_NONE;
        list_remove(machine, &machine->rich, core);
    } else {
        machine->newer[own->newest] = SEGMENT_NONE;
    }
    return segment;
}

static uint32_t take_oldest(struct machine *machine, uint32_t victim)
{
    struct virtual_core *other = &machine->cores[victim];
    uint32_t segment = other->oldest;
    other->oldest = machine->newer[segment];
    if (--other->count == 0) {
        other->newest = SEGMENT_NONE;
        list_remove(machine, &machine->rich, victim);
    } else {
        machine->older[other->oldest] = SEGMENT_NONE;
    }
    return segment;
}

/* Of a loop, half of what the victim has is taken at once. */
static uint32_t steal(struct machine *machine, uint32_t thief)
{
    if (!machine->rich.count) {
        return SEGMENT_NONE;
    }
    uint32_t victim = machine->rich.at[draw(machine) % machine->rich.count];
    uint32_t more = machine->cores[victim].count / 2;
    uint32_t segment = take_oldest(machine, victim);
    uint32_t loop = machine->dag->segments.at[segment].loop;
    while (loop != UINT32_MAX && more-- > 1 && machine->cores[victim].count &&
           machine->dag->segments.at[machine->cores[victim].oldest].loop == loop) {
        append(machine, thief, take_oldest(machine, victim));
    }
    return segment;
}

static int64_t delay(struct machine *machine)
{
    return machine->delays.count ? machine->delays.ns[draw(machine) % machine->delays.count] : 0;
}

static void push(struct machine *machine, uint32_t core, uint32_t segment)
{
    if (machine->idle.count) { /* an idle core is looking for just that */
        uint32_t thief = machine->idle.at[draw(machine) % machine->idle.count];
        list_remove(machine, &machine->idle, thief);
        start(machine, thief, segment, delay(machine));
        return;
    }
    append(machine, core, segment);
}

/* ---- the play ---- */

/* It may begin now. The segment that `core` goes on with, if it is this one: SEGMENT_NONE else. */
static uint32_t is_ready(struct machine *machine, uint32_t segment, enum edge_kind kind,
                         uint32_t core, uint32_t next)
{
    if (machine->dag->segments.at[segment].kind == SEGMENT_TIME) {
        start(machine, NO_CORE, segment, 0);
    } else if (core != NO_CORE && kind == EDGE_NEXT && next == SEGMENT_NONE) {
        return segment;
    } else {
        push(machine, core == NO_CORE ? 0 : core, segment);
    }
    return next;
}

static void go_on(struct machine *machine, uint32_t core, uint32_t next)
{
    int64_t late = 0;
    if (core == NO_CORE) {
        return;
    }
    if (next == SEGMENT_NONE) {
        next = pop(machine, core);
    }
    if (next == SEGMENT_NONE && (next = steal(machine, core)) != SEGMENT_NONE) {
        late = delay(machine);
    }
    if (next == SEGMENT_NONE) {
        list_add(machine, &machine->idle, core);
    } else {
        start(machine, core, next, late);
    }
}

static void is_over(struct machine *machine, struct running over)
{
    const struct dag *dag = machine->dag;
    uint32_t next = SEGMENT_NONE;
    for (uint32_t e = dag->first[over.segment]; e < dag->first[over.segment + 1]; e++) {
        const struct edge *edge = &dag->edges.at[e];
        if (--machine->awaited[edge->to] == 0) {
            next = is_ready(machine, edge->to, edge->kind, over.core, next);
        }
    }
    go_on(machine, over.core, next);
}

static void prepare(struct machine *machine, unsigned cores)
{
    size_t count = machine->dag->segments.count;
    machine->cores = tool_alloc(cores, sizeof *machine->cores);
    machine->idle.at = tool_alloc(cores, sizeof *machine->idle.at);
    machine->rich.at = tool_alloc(cores, sizeof *machine->rich.at);
    machine->newer = tool_alloc(count, sizeof *machine->newer);
    machine->older = tool_alloc(count, sizeof *machine->older);
    machine->awaited = tool_alloc(count, sizeof *machine->awaited);
    for (unsigned i = 0; i < cores; i++) {
        machine->cores[i].newest = machine->cores[i].oldest = SEGMENT_NONE;
        list_add(machine, &machine->idle, i);
    }
    for (size_t e = 0; e < machine->dag->edges.count; e++) {
        machine->awaited[machine->dag->edges.at[e].to]++;
    }
}

int64_t predict_once(const struct dag *dag, unsigned cores, struct delays delays, uint64_t seed)
{
    struct machine machine = {
        .dag = dag, .delays = delays, .seed = (seed + 1) * 0x9e3779b97f4a7c15u};
    prepare(&machine, cores);
    for (size_t i = 0; i < dag->segments.count; i++) {
        if (machine.awaited[i] == 0) {
            is_ready(&machine, (uint32_t)i, EDGE_SPAWN, NO_CORE, SEGMENT_NONE);
        }
    }
    while (machine.heap.count) {
        struct running over = heap_take(&machine);
        machine.now = over.until;
        is_over(&machine, over);
    }
    free(machine.cores);
    free(machine.idle.at);
    free(machine.rich.at);
    free(machine.newer);
    free(machine.older);
    free(machine.awaited);
    free(machine.heap.at);
    return machine.now;
}

static int by_size(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;
    return one < other ? -1 : one > other;
}

/* Seeds have nothing to do with each other. */
FILCH_LOOP(play_seed, (size_t, seed), (const struct dag *, dag), (unsigned, cores),
           (const struct delays *, delays), (int64_t *, took))
{
    took[seed] = predict_once(dag, cores, *delays, seed);
}

struct prediction predict(const struct dag *dag, unsigned cores, struct delays delays,
                          unsigned seeds)
{
    int64_t *took = tool_alloc(seeds, sizeof *took);
    tool_check(play_seed_for(NULL, seeds, dag, cores, &delays, took));
    qsort(took, seeds, sizeof *took, by_size);
    struct prediction prediction = {.cores = cores,
                                    .low = took[seeds / 10],
                                    .median = took[seeds / 2],
                                    .high = took[seeds - 1 - seeds / 10]};
    free(took);
    return prediction;
}

unsigned predict_seeds(const struct dag *dag)
{
    return dag->segments.count < 200000 ? 16 : dag->segments.count < 1000000 ? 3 : 1;
}
