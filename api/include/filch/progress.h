/* filch/progress.h: a line in the terminal that tells how far a map is.
 *
 *     filch_progress_bar bar = {.label = "squares"};
 *     square_map(FILCH_ON(pool, .progress = filch_progress_bar_show, .progress_context = &bar), xs,
 *                n, out);
 *
 * shows `squares  45% |##########            | 450/1000 120/s 0:04` while it runs, where the stream
 * is a terminal; elsewhere nothing. */
#ifndef FILCH_PROGRESS_BAR_H
#define FILCH_PROGRESS_BAR_H

#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero in a field means its default. For one map; set up anew for the next. */
typedef struct filch_progress_bar {
    const char *label; /* default: none */
    FILE *stream;      /* default: stderr */
    int always;        /* not 0: also where the stream is no terminal */
    double began_s;    /* its own */
} filch_progress_bar;

/* A filch_progress (options.h): context is the bar. */
void filch_progress_bar_show(void *context, size_t done, size_t total);

#ifdef __cplusplus
}
#endif

#endif
