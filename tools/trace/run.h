/* run: what happened: the events of a trace, played again.
 *
 * Tasks, when and where each ran, what it waited for, which stole from which; what each core did
 * at any time; and the order that the program demanded (dag.h). */
#ifndef FILCH_TOOL_RUN_H
#define FILCH_TOOL_RUN_H

#include "dag.h"
#include "memory.h"
#include "trace.h"

static const uint32_t TASK_NONE = UINT32_MAX;

struct task {
    uint32_t name;
    uint32_t parent; /* its maker; TASK_NONE: unknown, or the program's own thread */
    int64_t made;    /* when; equal to `began` if that is not known */
    int64_t began;
    int64_t ended;  /* the end of the trace, if it had not */
    int64_t ran;    /* on a core, without the tasks that ran on top of it */
    int64_t waited; /* for something else than a core */
    uint16_t track; /* where it began */
    uint16_t from;  /* one more than the core that it was stolen from; 0: it was not */
    uint8_t how;    /* enum filch_trace_how */
    bool has_ended;
    bool piece;    /* of a loop's elements */
    bool in_place; /* its owner ran it where it was joined */
};

enum slice_kind {
    SLICE_TASK,   /* what: its number */
    SLICE_CHUNK,  /* what: the name of the body; a, b: first element, and one more than the last */
    SLICE_SPAN,   /* what: a name of the program's, or a stage's */
    SLICE_SEARCH, /* a: 1 it found something */
    SLICE_PARKED,
    SLICE_BLOCKED, /* what: the name of what was waited for; a: the task. Not on the core's time */
    SLICE_GAP,     /* events were dropped */
};

struct slice {
    int64_t from;
    int64_t to;
    uint64_t a;
    uint64_t b;
    uint32_t what;
    uint16_t track;
    uint8_t depth; /* 0: the core's state; tasks from 1 on */
    uint8_t kind;
};

enum flow_kind { FLOW_STEAL, FLOW_WAKE, FLOW_NEED };

/* From where and when to where and when something went. */
struct flow {
    int64_t from;
    int64_t to;
    uint32_t task;
    uint16_t from_track;
    uint16_t to_track;
    uint8_t kind;
};

/* One task needed the end of another. */
struct task_need {
    uint32_t task;
    uint32_t need;
};

struct sample { /* of a counter; or a mark */
    int64_t ns;
    double value;
    uint32_t name;
    uint16_t track;
    bool is_mark;
};

struct loop {
    uint32_t name;
    int64_t began;
    int64_t ended;
    uint64_t elements;
    uint32_t chunks;
    uint32_t segment; /* where it was forked from */
};

/* How the time of a core was spent. */
struct core_time {
    int64_t running;
    int64_t searching;
    int64_t overhead; /* with the core in hand, and nothing to run on it */
    int64_t parked;
    uint64_t events;
    uint64_t steals;
    uint64_t searches;
    uint64_t searches_in_vain;
};

/* What kept cores idle, summed over all cores of the pools. */
struct idle_time {
    int64_t starved; /* there was nothing to take */
    int64_t waiting; /* there was nothing to take, but tasks waited for something */
    int64_t searching;
    int64_t waking; /* from a wake-up until the woken had a core */
};

struct run {
    const struct trace *trace;
    unsigned workers; /* of all pools */
    struct {
        struct task *at;
        size_t count, room;
    } tasks;
    struct {
        struct slice *at;
        size_t count, room;
    } slices;
    struct {
        struct flow *at;
        size_t count, room;
    } flows;
    struct {
        struct task_need *at; /* in the order of `task` */
        size_t count, room;
    } needs;
    struct {
        struct sample *at;
        size_t count, room;
    } samples;
    struct {
        struct loop *at;
        size_t count, room;
    } loops;
    struct dag dag;
    struct core_time *cores; /* one for each track */
    struct idle_time idle;
    int64_t *blame; /* by name: idle time of others while only this ran */
    struct {
        int64_t *at; /* from publication to the begin on another core, of each theft */
        size_t count, room;
    } steal_ns;
    struct {
        int64_t *at; /* from a wake-up to the core in hand */
        size_t count, room;
    } wake_ns;
    uint64_t wakes;
};

struct run *run_of(const struct trace *trace);
void run_free(struct run *run);

#endif
