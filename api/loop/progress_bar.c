#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include <filch/progress.h>

#include <unistd.h>

#include "os/os.h"

enum { CELLS = 24 };

static double now_s(void)
{
    return (double)filch_os_now_ns() / 1e9;
}

/* "0:04", "1:02:03"; unknown as long as nothing is done. */
static void print_time(FILE *stream, double seconds)
{
    if (seconds < 0 || seconds > 1e8) {
        fprintf(stream, "?:??");
        return;
    }
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600) {
        fprintf(stream, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        fprintf(stream, "%lu:%02lu", whole / 60, whole % 60);
    }
}

static void print_line(const filch_progress_bar *bar, FILE *stream, size_t done, size_t total)
{
    double share = total ? (double)done / (double)total : 1;
    double took_s = now_s() - bar->began_s;
    double rate = took_s > 0 ? (double)done / took_s : 0;
    char cells[CELLS + 1];
    for (int i = 0; i < CELLS; i++) {
        cells[i] = i < (int)(share * CELLS) ? '#' : ' ';
    }
    cells[CELLS] = '\0';
    fprintf(stream, "\r%s%s%3.0f%% |%s| %zu/%zu %.3g/s ", bar->label ? bar->label : "",
            bar->label ? " " : "", share * 100, cells, done, total, rate);
    print_time(stream, rate > 0 ? (double)(total - done) / rate : -1);
    fprintf(stream, done == total ? "  \n" : "  ");
    fflush(stream);
}

void filch_progress_bar_show(void *context, size_t done, size_t total)
{
    filch_progress_bar *bar = context;
    FILE *stream = bar && bar->stream ? bar->stream : stderr;
    if (!bar) {
        return;
    }
    if (done == 0 || bar->began_s == 0) {
        bar->began_s = now_s();
    }
    if (bar->always || isatty(fileno(stream))) {
        print_line(bar, stream, done, total);
    }
}
