/* view: a run as one page for any browser: the template that was built from tools/viewer, with the
 * run's data in it. */
#ifndef FILCH_TOOL_VIEW_H
#define FILCH_TOOL_VIEW_H

#include <stddef.h>
#include <stdio.h>

#include "analysis.h"

/* The page: one script element with the numbers as JSON, one with columns of slices, tasks, thefts
 * and the longest chain, deflated and in base64. No data of the trace stands anywhere else. */
void view(const struct analysis *analysis, FILE *out);

/* The template; generated. */
extern const unsigned char view_template[];
extern const size_t view_template_bytes;

#endif
