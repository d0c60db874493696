/* A copy of the order of work to play with: what can be divided is. */
#include "predict.h"

#include <stdlib.h>

#include "amount.h"
#include "memory.h"

enum {
    LEAST_PIECE_NS = 1000, /* of what could be split: shorter pieces would not be made */
    PIECES_MAX = 1 << 16,  /* of one segment: many for each core there could be; and its edges */
    SPLIT_MAX = 1 << 23,   /* of all; after them nothing is split */
};

static unsigned pieces_of(const struct segment *segment, int64_t grain,
                          const struct what_if *change, uint32_t edges)
{
    unsigned parts = segment->parts;
    if (change && change->parts && segment->task != UINT32_MAX && change->parts[segment->task]) {
        parts = change->parts[segment->task];
        grain = LEAST_PIECE_NS;
    }
    int64_t most = segment->ns > 0 ? segment->ns / grain : 0;
    int64_t bound = PIECES_MAX / (edges + 1) + 1;
    most = most < bound ? most + 1 : bound;
    return segment->kind == SEGMENT_TIME ? 1 : (int64_t)parts < most ? parts : (unsigned)most;
}

/* By segment: how many edges lead to it. To be given back. */
static uint32_t *count_edges(const struct dag *dag)
{
    uint32_t *edges = tool_alloc(dag->segments.count, sizeof *edges);
    for (size_t e = 0; e < dag->edges.count; e++) {
        edges[dag->edges.at[e].to]++;
    }
    return edges;
}

/* The pieces of segment i are from first[i] on; if there are several, the one before first[i + 1]
 * has no length: it comes after all of them, and what came after the segment comes after it. */
static void copy_segments(const struct dag *dag, int64_t grain, const struct what_if *change,
                          struct dag *expanded, uint32_t *first)
{
    uint32_t *edges = count_edges(dag);
    for (size_t i = 0; i < dag->segments.count; i++) {
        const struct segment *segment = &dag->segments.at[i];
        bool splits = expanded->segments.count < dag->segments.count + SPLIT_MAX;
        unsigned pieces = splits ? pieces_of(segment, grain, change, edges[i]) : 1;
        double ns = (double)segment->ns;
        if (change && change->scale && segment->task != UINT32_MAX) {
            ns *= change->scale[segment->task];
        }
        first[i] = (uint32_t)expanded->segments.count;
        for (unsigned k = 0; k < pieces; k++) {
            uint32_t piece = dag_segment(expanded, segment->task, segment->kind, segment->start);
            expanded->segments.at[piece].ns = amount_of(ns / pieces);
            expanded->segments.at[piece].loop = segment->loop;
        }
        if (pieces > 1) {
            uint32_t end = dag_segment(expanded, segment->task, segment->kind, segment->start);
            for (uint32_t piece = first[i]; piece < end; piece++) {
                dag_edge(expanded, piece, end, EDGE_NEXT);
            }
        }
    }
    first[dag->segments.count] = (uint32_t)expanded->segments.count;
    free(edges);
}

static void copy_edges(const struct dag *dag, const struct what_if *change, struct dag *expanded,
                       const uint32_t *first)
{
    for (size_t e = 0; e < dag->edges.count; e++) {
        const struct edge *edge = &dag->edges.at[e];
        if (change && change->without_locks && edge->kind == EDGE_LOCK) {
            continue;
        }
        uint32_t from = first[edge->from + 1] - 1;
        uint32_t end = first[edge->to + 1];
        uint32_t pieces_end = end - first[edge->to] > 1 ? end - 1 : end;
        for (uint32_t to = first[edge->to]; to < pieces_end; to++) {
            dag_edge(expanded, from, to, to > first[edge->to] ? EDGE_SPAWN : edge->kind);
        }
    }
}

void predict_expand(const struct dag *dag, int64_t grain, const struct what_if *change,
                    struct dag *expanded)
{
    uint32_t *first = tool_alloc(dag->segments.count + 1, sizeof *first);
    *expanded = (struct dag){.first = NULL};
    copy_segments(dag, grain, change, expanded, first);
    copy_edges(dag, change, expanded, first);
    dag_finish(expanded);
    free(first);
}
