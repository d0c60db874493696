/* report: a run in the terminal. */
#ifndef FILCH_TOOL_REPORT_H
#define FILCH_TOOL_REPORT_H

#include <stdio.h>

#include "analysis.h"

void report(const struct analysis *analysis, FILE *out);

/* Two runs side by side: what changed. */
void report_difference(const struct analysis *before, const struct analysis *after, FILE *out);

#endif
