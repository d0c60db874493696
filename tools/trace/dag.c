#include "dag.h"

#include <stdlib.h>

#include "amount.h"
#include "memory.h"

uint32_t dag_segment(struct dag *dag, uint32_t task, enum segment_kind kind, int64_t start)
{
    *ARRAY_PUSH(dag->segments) = (struct segment){
        .task = task, .parts = 1, .loop = UINT32_MAX, .start = start, .kind = kind};
    return (uint32_t)(dag->segments.count - 1);
}

void dag_edge(struct dag *dag, uint32_t from, uint32_t to, enum edge_kind kind)
{
    if (from != SEGMENT_NONE && from < to) {
        *ARRAY_PUSH(dag->edges) = (struct edge){from, to, kind};
    }
}

/* Sorted by counting: from[i] comes before from[i + 1]. */
void dag_finish(struct dag *dag)
{
    size_t segments = dag->segments.count;
    size_t edges = dag->edges.count;
    struct edge *sorted = tool_alloc(edges, sizeof *sorted);
    dag->first = tool_alloc(segments + 2, sizeof *dag->first);
    uint32_t *next = dag->first + 1; /* shifted by one while it is filled */
    for (size_t i = 0; i < edges; i++) {
        next[dag->edges.at[i].from + 1]++;
    }
    for (size_t i = 1; i <= segments; i++) {
        next[i] += next[i - 1];
    }
    for (size_t i = 0; i < edges; i++) {
        sorted[next[dag->edges.at[i].from]++] = dag->edges.at[i];
    }
    free(dag->edges.at);
    dag->edges.at = sorted;
    dag->edges.room = edges;
}

static int64_t cost_of(const struct segment *segment, bool with_time)
{
    return segment->kind == SEGMENT_WORK || with_time ? segment->ns : 0;
}

/* The longest chain that ends with each segment; the longest of all. `before`: where each came
 * from, or NULL. */
static int64_t longest(const struct dag *dag, int64_t burden, bool with_time, int64_t *until,
                       uint32_t *before)
{
    int64_t most = 0;
    for (size_t i = 0; i < dag->segments.count; i++) {
        until[i] = 0;
        if (before) {
            before[i] = SEGMENT_NONE;
        }
    }
    for (size_t i = 0; i < dag->segments.count; i++) {
        /* all before it are done */
        amount_add(&until[i], cost_of(&dag->segments.at[i], with_time));
        most = until[i] > most ? until[i] : most;
        for (uint32_t e = dag->first[i]; e < dag->first[i + 1]; e++) {
            const struct edge *edge = &dag->edges.at[e];
            int64_t reached = amount_sum(until[i], edge->kind == EDGE_NEXT ? 0 : burden);
            if (reached > until[edge->to] || (before && before[edge->to] == SEGMENT_NONE)) {
                until[edge->to] = reached > until[edge->to] ? reached : until[edge->to];
                if (before) {
                    before[edge->to] = (uint32_t)i;
                }
            }
        }
    }
    return most;
}

struct dag_length dag_measure(const struct dag *dag, int64_t burden)
{
    struct dag_length length = {0};
    int64_t *until = tool_alloc(dag->segments.count, sizeof *until);
    for (size_t i = 0; i < dag->segments.count; i++) {
        amount_add(&length.work, cost_of(&dag->segments.at[i], false));
    }
    length.span = longest(dag, 0, false, until, NULL);
    length.burdened = longest(dag, burden, false, until, NULL);
    length.path = longest(dag, 0, true, until, NULL);
    free(until);
    return length;
}

void dag_mark_path(const struct dag *dag, bool *on_path)
{
    size_t count = dag->segments.count;
    int64_t *until = tool_alloc(count, sizeof *until);
    uint32_t *before = tool_alloc(count, sizeof *before);
    int64_t most = longest(dag, 0, true, until, before);
    uint32_t at = SEGMENT_NONE;
    for (size_t i = 0; i < count; i++) {
        on_path[i] = false;
        if (until[i] == most) {
            at = (uint32_t)i;
        }
    }
    for (; at != SEGMENT_NONE; at = before[at]) {
        on_path[at] = true;
    }
    free(until);
    free(before);
}

void dag_free(struct dag *dag)
{
    free(dag->segments.at);
    free(dag->edges.at);
    free(dag->first);
}
