/* order: the slices of a run, track by track, each before those that it contains. */
#ifndef FILCH_TOOL_ORDER_H
#define FILCH_TOOL_ORDER_H

#include "run.h"

/* A row of one track: what it did, or what its core was when it did nothing. */
enum lane_kind { LANE_TASKS, LANE_STATE, LANE_SPANS, LANE_KINDS };

enum lane_kind order_lane(const struct slice *slice);

/* Numbers of slices, of run->slices.count minus those that lie on no track's own time (waits and
 * gaps); how many goes to *count. Within a lane they nest. To be freed. */
uint32_t *order_slices(const struct run *run, size_t *count);

/* begin(context, slice) and end(context, slice, ns), nested and in the order of time within each
 * track and lane. */
struct order_visitor {
    void (*begin)(void *context, const struct slice *slice);
    void (*end)(void *context, const struct slice *slice, int64_t ns);
    void *context;
};
void order_visit(const struct run *run, const struct order_visitor *visitor);

/* What a slice is called. */
const char *order_name(const struct run *run, const struct slice *slice);

#endif
