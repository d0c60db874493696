/* pipeline_line: a pipeline under way.
 *
 * A token carries one item after the other through the stages. It is a task as long as it can go
 * on; where it must wait for its turn it lies in the stage's row until the item before it has left.
 * The source is the first serial stage: tokens without an item stand in line before it. */
#ifndef FILCH_PIPELINE_LINE_H
#define FILCH_PIPELINE_LINE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <filch/pipeline.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/wait.h"
#include "work/work.h"

struct filch_pool;
struct filch_frame;

struct filch_token {
    struct filch_detached task;
    struct filch_line *line;
    struct filch_token *next;  /* lock of the line: among those that wait for the source */
    size_t stage;              /* where it goes next; the number of stages: to the source */
    unsigned long long number; /* of its item, and one more: as a frame counts */
    unsigned char *item;       /* NULL: it was dropped */
    unsigned char *spare;      /* where the next stage puts what it makes of the item; or NULL */
    bool asks; /* the source is its own to ask: the token that had it before has seen to that */
};

/* A serial stage: whose turn it is, and which tokens wait. */
struct filch_turn {
    struct filch_lock lock;
    size_t expected;          /* lock: the item that comes next */
    struct filch_token **row; /* lock: tokens of them; by number */
};

/* The pipeline. */
struct filch_line {
    const filch_source_type *source;
    const void *captures; /* of the source */
    const filch_stage *stages;
    size_t stage_count;
    const filch_pipeline_options *options;
    const filch_function_info *info; /* of the whole */
    struct filch_pool *pool;
    struct filch_frame *frame; /* the caller's: errors go there */
    uint64_t modes;            /* the caller's */
    struct filch_token *tokens;
    unsigned char *items; /* a slot of each token, or two */
    size_t slot_bytes;
    bool moves;               /* there are two: a stage makes another item of the one it takes */
    struct filch_turn *turns; /* one per stage */
    struct filch_token **rows;
    size_t token_count;

    struct filch_lock lock;
    bool reading;             /* lock: a token asks the source */
    bool ended;               /* lock: it is asked no more */
    filch_status answer;      /* lock: what it said last */
    size_t numbered;          /* lock: items so far */
    struct filch_token *idle; /* lock: tokens that wait for the source */
    _Atomic(size_t) busy;     /* tokens that will do something still */
    _Atomic(size_t) cut;      /* the items from this number on go no further */
    _Atomic(bool) stopped;    /* an item went no further because all were asked to stop */
    struct filch_latch done;
};

/* Inside its pool, by its caller: a struct filch_line, from the first item to the last. */
FILCH_PRIVATE void filch_line_run(void *line);

#endif
