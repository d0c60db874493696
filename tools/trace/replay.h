/* replay: the state in which the events of a trace are played again. */
#ifndef FILCH_TOOL_REPLAY_H
#define FILCH_TOOL_REPLAY_H

#include "amount.h"
#include "run.h"

enum { NOWHERE = UINT16_MAX };
static const uint32_t LOOP_NONE = UINT32_MAX;

/* A task that has begun on a fiber and has not ended. */
struct open_task {
    uint32_t task;
    uint64_t object;  /* its own name */
    uint32_t segment; /* the one it is in */
    uint32_t outer;   /* in a run of a loop's elements: the one around it */
    uint32_t loop;    /* the innermost loop it runs; LOOP_NONE */
    int64_t since;    /* it is on a core; its slice begins there */
    int64_t chunk_from;
    uint64_t chunk_first;
    bool in_chunk;
};

struct open_span {
    uint32_t name;
    int64_t from;
    uint16_t track;
};

/* A stack with work on it; or a thread of the program outside of the pools. */
struct fiber {
    uint64_t key;
    struct {
        struct open_task *at;
        size_t count, room;
    } open;
    struct {
        struct open_span *at;
        size_t count, room;
    } spans;
    uint16_t track;   /* where it runs; NOWHERE */
    uint32_t segment; /* the last one while no task is open */
    uint32_t thread;  /* a guest's: the fiber that stands for its thread; TABLE_NONE */
    int64_t last;     /* a thread's: its last event */
    bool inside;      /* a thread's: it is a guest just now, on another fiber */
    uint64_t needer;  /* what it told the needs of last; 0: nothing */
    bool blocked;
    uint8_t blocked_flags; /* enum filch_trace_block */
    uint32_t blocked_name;
    uint16_t blocked_track;
    int64_t blocked_since;
    bool ready; /* its wait was ended */
    uint8_t ready_outcome;
    uint32_t ready_segment;
    uint16_t ready_track;
    int64_t ready_since;
};

struct core {
    uint32_t fiber;        /* on it; TABLE_NONE */
    uint32_t guest;        /* the fiber of the guest that holds it; TABLE_NONE */
    uint64_t guest_thread; /* 0: a pool's thread holds it */
    bool held;
    bool searching;
    int64_t last;  /* accounted for until then */
    int64_t since; /* the state that it is in */
};

/* Work that was made and has not begun. */
struct made {
    uint32_t segment;
    uint32_t task;
    uint32_t loop;
    uint16_t track;
    bool forked;
    bool piece; /* of a loop */
    int64_t ns;
};

struct done {
    uint32_t segment;
    uint32_t next; /* of the same object; TABLE_NONE */
};

/* What some future needs. */
struct need {
    uint64_t object;
    uint32_t next; /* of the same future; TABLE_NONE */
};

struct replay {
    struct run *run;
    const struct trace *trace;
    struct core *cores;
    struct {
        struct fiber *at;
        size_t count, room;
    } fibers;
    struct table fiber_table;
    struct {
        struct made *at;
        size_t count, room;
    } made;
    struct table made_table;
    struct {
        struct done *at;
        size_t count, room;
    } done;
    struct table done_table;
    struct {
        struct need *at;
        size_t count, room;
    } needs;
    struct table needs_table; /* by future: the head of its list in needs */
    struct {
        struct ended {
            uint32_t task;
            uint32_t segment;
        } * at;
        size_t count, room;
    } ended;
    struct table ended_table; /* by name: the last that ended */
    size_t need_steps;        /* that were taken along lists of needs */
    uint32_t *loop_done;      /* by loop: the head of its list in done; grows with run->loops */
    size_t loop_room;
    uint32_t *loop_outer;
    uint32_t thread; /* the fiber of the thread whose events come on the outside track */
    int64_t now;
    int64_t last;       /* idle time is accounted for until then */
    unsigned blocked;   /* fibers that wait for something that is no work */
    int64_t wake_since; /* -1: no wake-up is under way */
    bool by_task;       /* every task is recorded: what runs without one is overhead */
    bool by_fork;
};

/* The fiber with that key, made if it must be. The place may move with the next call. */
uint32_t replay_fiber(struct replay *replay, uint64_t key);

static inline struct fiber *fiber_at(struct replay *replay, uint32_t fiber)
{
    return &replay->fibers.at[fiber];
}

static inline struct open_task *top_of(struct fiber *fiber)
{
    return fiber->open.count ? &fiber->open.at[fiber->open.count - 1] : NULL;
}

/* The segment that a fiber is in. */
static inline uint32_t *segment_of(struct fiber *fiber)
{
    struct open_task *top = top_of(fiber);
    return top ? &top->segment : &fiber->segment;
}

/* ---- replay_time.c: what cores do, and slices of it ---- */

/* Time has come to replay->now: account for what the track's core did since it was looked at. */
void replay_account(struct replay *replay, uint16_t track);

/* The same for what all cores did not do. */
void replay_idle(struct replay *replay);

void replay_attach(struct replay *replay, uint16_t track, uint32_t fiber);
void replay_detach(struct replay *replay, uint16_t track);
void replay_hold(struct replay *replay, const struct trace_event *event);
void replay_free(struct replay *replay, uint16_t track);
void replay_search(struct replay *replay, const struct trace_event *event);

/* The task that is open on top has ended, or its fiber has left: its slice is complete. */
void replay_slice(struct replay *replay, struct fiber *fiber, size_t depth);

/* ---- replay_task.c: tasks, and what they come after ---- */

/* The fiber goes on with a new segment after the one it is in. The old one. */
uint32_t replay_go_on(struct replay *replay, uint32_t fiber);

void replay_make(struct replay *replay, const struct trace_event *event, uint32_t fiber,
                 bool forked);
void replay_reclaim(struct replay *replay, const struct trace_event *event);
void replay_begin(struct replay *replay, const struct trace_event *event);
void replay_end(struct replay *replay, const struct trace_event *event);
void replay_joined(struct replay *replay, uint32_t fiber, uint64_t object);
void replay_loop(struct replay *replay, const struct trace_event *event);
void replay_chunk(struct replay *replay, const struct trace_event *event);

/* ---- replay_need.c: what needs what ---- */

void replay_needs(struct replay *replay, const struct trace_event *event, uint32_t fiber);

/* A task begins, in that segment, and comes after what it needs. */
void replay_after_needs(struct replay *replay, uint64_t object, uint32_t task, uint32_t segment);

void replay_note_end(struct replay *replay, const struct open_task *ended);

/* The task on a fiber: TASK_NONE, or its number. */
uint32_t replay_task_of(struct replay *replay, uint32_t fiber);

/* ---- replay_wait.c ---- */

void replay_block(struct replay *replay, const struct trace_event *event, uint32_t fiber);
void replay_ready(struct replay *replay, const struct trace_event *event, uint32_t from);
void replay_unblock(struct replay *replay, uint32_t fiber, uint16_t track);

/* A thread outside has come to this event; what it did since the last one took its time. */
void replay_thread_passes(struct replay *replay, uint32_t fiber);

#endif
