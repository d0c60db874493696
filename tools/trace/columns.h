/* columns: the slices, tasks, thefts and the longest chain of a run, as the page wants them: column
 * by column, deflated, in base64.
 *
 * In this order, little-endian: of slices, sorted by track, lane, depth and time: from f64, to f64,
 * a f64, b f64, what u32, track u16, lane u8, depth u8, kind u8; of tasks: made f64, began f64,
 * ended f64, ran f64, waited f64, parent u32, name u32, track u16, from u16, how u8, path u8; of
 * thefts and wake-ups: from f64, to f64, task u32, from track u16, to track u16, kind u8; of the
 * longest chain: from f64, ns f64, task u32. Numbers of tasks are those of the tasks that are in
 * it; 2^32 - 1: none.
 *
 * There are at most some millions of slices: of more, the shortest are left out. */
#ifndef FILCH_TOOL_COLUMNS_H
#define FILCH_TOOL_COLUMNS_H

#include <stdio.h>

#include "analysis.h"

struct column_slice {
    struct slice slice;
    int64_t to;
    uint8_t lane;
    uint8_t depth;
};

struct columns {
    struct column_slice *slices;
    size_t slice_count;
    size_t dropped;  /* slices that were left out */
    uint32_t *tasks; /* their numbers in the run */
    size_t task_count;
    uint32_t *numbers; /* by number in the run: the number here, or TASK_NONE */
    size_t chain_count;
};

void columns_make(const struct analysis *analysis, struct columns *columns);
void columns_write(const struct analysis *analysis, const struct columns *columns, FILE *out);
void columns_free(struct columns *columns);

#endif
