/* forecast: the prediction for a recorded run, with what-ifs, and how it is printed. */
#ifndef FILCH_TOOL_FORECAST_H
#define FILCH_TOOL_FORECAST_H

#include <stdio.h>

#include "analysis.h"
#include "predict.h"

struct forecast_options {
    const char *scale_name; /* NULL: none */
    double scale;
    const char *split_name; /* NULL: none */
    unsigned split;
    bool without_locks;
};

struct forecast {
    struct prediction points[PREDICT_POINTS];
    struct prediction recorded; /* on as many cores as it was recorded on */
    int64_t took;               /* what was recorded, from its first event to its last */
    int64_t work;
    int64_t path; /* the longest chain, with the times that pass by themselves */
};

/* False: no task has a name that the options mention. */
bool forecast_of(const struct analysis *analysis, const struct forecast_options *options,
                 struct forecast *forecast);

/* What would come of it if a function's tasks took half as long, or could be split 64 ways. */
struct what_if_row {
    uint32_t name;
    int64_t now;    /* on as many cores as it was recorded on */
    int64_t halved; /* the same */
    int64_t split;  /* the same */
    int64_t now_64; /* on 64 cores */
    int64_t halved_64;
    int64_t split_64;
};

enum { WHAT_IFS_MAX = 3 };

/* For the functions with most of the longest chain; how many rows. 0: the trace is too large, or
 * every function is a small part of it. */
unsigned forecast_what_ifs(const struct analysis *analysis, struct what_if_row *rows);

void forecast_print(const struct analysis *analysis, const struct forecast *forecast, FILE *out);

#endif
