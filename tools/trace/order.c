#include "order.h"

#include <stdlib.h>

enum lane_kind order_lane(const struct slice *slice)
{
    switch (slice->kind) {
    case SLICE_TASK:
    case SLICE_CHUNK: return LANE_TASKS;
    case SLICE_SPAN: return LANE_SPANS;
    default: return LANE_STATE;
    }
}

const char *order_name(const struct run *run, const struct slice *slice)
{
    switch (slice->kind) {
    case SLICE_TASK: return trace_name(run->trace, run->tasks.at[slice->what].name);
    case SLICE_CHUNK:
    case SLICE_SPAN:
    case SLICE_BLOCKED: return trace_name(run->trace, slice->what);
    case SLICE_SEARCH: return slice->a ? "searching" : "searching in vain";
    case SLICE_PARKED: return "parked";
    default: return "events were dropped";
    }
}

/* A pointer travels with each number, for qsort(). */
struct ordered {
    const struct slice *slice;
    uint32_t index;
};

static int compare(int64_t one, int64_t other)
{
    return one < other ? -1 : one > other;
}

static int by_place(const void *a, const void *b)
{
    const struct slice *one = ((const struct ordered *)a)->slice;
    const struct slice *other = ((const struct ordered *)b)->slice;
    int order = compare(one->track, other->track);
    order = order ? order : compare(order_lane(one), order_lane(other));
    order = order ? order : compare(one->from, other->from);
    order = order ? order : compare(other->to, one->to); /* the longer one contains the other */
    order = order ? order : compare(one->depth, other->depth);
    return order ? order
                 : compare(((const struct ordered *)a)->index, ((const struct ordered *)b)->index);
}

uint32_t *order_slices(const struct run *run, size_t *count)
{
    struct ordered *sorted = tool_alloc(run->slices.count, sizeof *sorted);
    size_t kept = 0;
    for (size_t i = 0; i < run->slices.count; i++) {
        const struct slice *slice = &run->slices.at[i];
        if (slice->kind != SLICE_BLOCKED && slice->kind != SLICE_GAP) {
            sorted[kept++] = (struct ordered){slice, (uint32_t)i};
        }
    }
    qsort(sorted, kept, sizeof *sorted, by_place);
    uint32_t *indices = tool_alloc(kept, sizeof *indices);
    for (size_t i = 0; i < kept; i++) {
        indices[i] = sorted[i].index;
    }
    free(sorted);
    *count = kept;
    return indices;
}

enum { DEPTH_MAX = 512 };

struct open_slices {
    const struct slice *at[DEPTH_MAX];
    int64_t ends[DEPTH_MAX]; /* none after that of the one around it */
    size_t count;
};

static void close_until(struct open_slices *open, const struct order_visitor *visitor, int64_t from)
{
    while (open->count && open->ends[open->count - 1] <= from) {
        open->count--;
        visitor->end(visitor->context, open->at[open->count], open->ends[open->count]);
    }
}

void order_visit(const struct run *run, const struct order_visitor *visitor)
{
    size_t count;
    uint32_t *order = order_slices(run, &count);
    struct open_slices open = {.count = 0};
    const struct slice *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct slice *slice = &run->slices.at[order[i]];
        bool other = last && (last->track != slice->track || order_lane(last) != order_lane(slice));
        close_until(&open, visitor, other ? INT64_MAX : slice->from);
        last = slice;
        if (open.count == DEPTH_MAX) {
            continue;
        }
        int64_t end = slice->to;
        if (open.count && end > open.ends[open.count - 1]) {
            end = open.ends[open.count - 1];
        }
        open.at[open.count] = slice;
        open.ends[open.count++] = end;
        visitor->begin(visitor->context, slice);
    }
    close_until(&open, visitor, INT64_MAX);
    free(order);
}
