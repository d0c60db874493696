/* export: a run in the formats of other viewers. */
#ifndef FILCH_TOOL_EXPORT_H
#define FILCH_TOOL_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "run.h"

/* Each writes all of it; whether that went well, ferror(out) tells. */

/* Perfetto's protocol buffers: a track for each core with one below for its states, interned names,
 * flows for thefts and wake-ups, counters. */
void export_perfetto(const struct run *run, FILE *out);

/* Chrome's JSON; times in microseconds with three decimals, printed from integers. */
void export_chrome(const struct run *run, FILE *out);

/* One line for each task, RFC 4180; times in nanoseconds. */
void export_csv(const struct run *run, FILE *out);

/* `text` as JSON, with its quotes; what is not UTF-8 becomes U+FFFD; safe inside of HTML. */
void export_json_text(const char *text, FILE *out);

#endif
