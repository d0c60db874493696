/* dag: what had to be done, and in what order: segments of work and what each came after.
 *
 * A segment is a stretch that one task ran without forking, joining or waiting; or a time that
 * passed without a core (a sleep, a wait for a descriptor, the program's own thread). An edge says
 * that one came after the other. Edges lead forward: a segment's number is higher than those of all
 * it comes after. */
#ifndef FILCH_TOOL_DAG_H
#define FILCH_TOOL_DAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum segment_kind {
    SEGMENT_WORK, /* needs a core */
    SEGMENT_TIME, /* passes by itself */
};

enum edge_kind {
    EDGE_NEXT,  /* the same task goes on */
    EDGE_SPAWN, /* made by it */
    EDGE_JOIN,  /* waited for it */
    EDGE_WAKE,  /* woken by it: by a channel, a semaphore */
    EDGE_LOCK,  /* the same, by a mutex */
};

struct segment {
    uint32_t task;  /* its number in the run; UINT32_MAX: none */
    uint32_t parts; /* a run of a loop's elements: so many; 1: it cannot be divided */
    uint32_t loop;  /* the loop whose elements it runs; UINT32_MAX: none */
    int64_t start;  /* when it began, in the recording */
    int64_t ns;     /* how long it took */
    enum segment_kind kind;
};

struct edge {
    uint32_t from;
    uint32_t to;
    enum edge_kind kind;
};

struct dag {
    struct {
        struct segment *at;
        size_t count, room;
    } segments;
    struct {
        struct edge *at;
        size_t count, room;
    } edges;
    uint32_t *first; /* after dag_finish: edges of segment i are [first[i], first[i + 1]) */
};

static const uint32_t SEGMENT_NONE = UINT32_MAX;

uint32_t dag_segment(struct dag *dag, uint32_t task, enum segment_kind kind, int64_t start);

/* Nothing if `from` is none. */
void dag_edge(struct dag *dag, uint32_t from, uint32_t to, enum edge_kind kind);

/* All is there: edges are sorted by where they start from. */
void dag_finish(struct dag *dag);

struct dag_length {
    int64_t work;     /* of all segments */
    int64_t span;     /* the longest chain of work */
    int64_t burdened; /* the longest if each spawn and join also costs `burden` */
    int64_t path;     /* the longest with times that pass by themselves */
};

/* With `burden` nanoseconds for work that moves to another core. */
struct dag_length dag_measure(const struct dag *dag, int64_t burden);

/* Mark the segments on the longest chain, times that pass included: on_path[i]. */
void dag_mark_path(const struct dag *dag, bool *on_path);

void dag_free(struct dag *dag);

#endif
