/* filch-trace: see where the time of a program that uses filch went. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "forecast.h"
#include "input.h"
#include "report.h"
#include "view.h"

static const char usage[] =
    "filch-trace FILE                  a report\n"
    "filch-trace view FILE -o PAGE     one page that opens in any browser, offline\n"
    "filch-trace export --perfetto FILE -o OUT    for ui.perfetto.dev\n"
    "filch-trace export --chrome FILE -o OUT      Chrome's JSON: chrome://tracing, Speedscope\n"
    "filch-trace export --csv FILE -o OUT         one line for each task\n"
    "filch-trace predict FILE [--scale NAME=F] [--split NAME=N] [--unlock]\n"
    "                                  how fast it would be on 1 to 1024 cores; and if the tasks\n"
    "                                  NAME took F times as long, or could be split N ways, or\n"
    "                                  mutexes were always free\n"
    "filch-trace diff BEFORE AFTER     what changed\n"
    "\n"
    "FILE is what a program recorded: FILCH_TRACE=FILE ./program, or FILCH_TRACE=FILE:tasks, or\n"
    "FILCH_TRACE=FILE:all for every fork; - is the standard input. OUT and PAGE may be - for the\n"
    "standard output.\n";

enum { FINE = 0, FAILED = 1, MISUSED = 2 };

/* What was said on the command line. */
struct wishes {
    const char *files[2];
    unsigned count;
    const char *out; /* NULL: none */
    const char *format;
    struct forecast_options forecast;
};

struct loaded {
    struct trace *trace;
    struct run *run;
    struct analysis *analysis;
};

/* False: it has said why. */
static bool load(const char *path, struct loaded *loaded)
{
    const char *why;
    loaded->trace = trace_read(path, &why);
    if (!loaded->trace) {
        fprintf(stderr, "filch-trace: %s: %s\n", path, why);
        return false;
    }
    loaded->run = run_of(loaded->trace);
    loaded->analysis = analysis_of(loaded->run);
    return true;
}

static void unload(struct loaded *loaded)
{
    analysis_free(loaded->analysis);
    run_free(loaded->run);
    trace_free(loaded->trace);
}

/* ---- the command line ---- */

static int misused(const char *what, const char *which)
{
    fprintf(stderr, "filch-trace: %s%s\n\n%s", what, which, usage);
    return MISUSED;
}

/* NAME=NUMBER. False: it is not. */
static bool take_change(char *text, const char **name, double *number)
{
    char *equals = text ? strrchr(text, '=') : NULL;
    char *end;
    if (!equals || equals == text) {
        return false;
    }
    *equals = '\0';
    *name = text;
    *number = strtod(equals + 1, &end);
    return end != equals + 1 && *end == '\0' && *number > 0 && *number <= 1e6;
}

/* One that has a value. False: it is none, or has none. */
static bool take_valued(const char *option, char *value, struct wishes *wishes)
{
    double number = 0;
    if (!value) {
        return false;
    }
    if (strcmp(option, "-o") == 0) {
        wishes->out = value;
        return true;
    }
    if (strcmp(option, "--scale") == 0) {
        return take_change(value, &wishes->forecast.scale_name, &wishes->forecast.scale);
    }
    if (strcmp(option, "--split") == 0 &&
        take_change(value, &wishes->forecast.split_name, &number)) {
        wishes->forecast.split = (unsigned)number;
        return number >= 1;
    }
    return false;
}

static bool is_format(const char *option)
{
    return strcmp(option, "--perfetto") == 0 || strcmp(option, "--chrome") == 0 ||
           strcmp(option, "--csv") == 0;
}

/* False: it has said why. */
static bool parse(int argc, char **argv, int at, struct wishes *wishes)
{
    for (; at < argc; at++) {
        if (is_format(argv[at])) {
            wishes->format = argv[at] + 2;
        } else if (strcmp(argv[at], "--unlock") == 0) {
            wishes->forecast.without_locks = true;
        } else if (argv[at][0] == '-' && argv[at][1]) {
            if (!take_valued(argv[at], at + 1 < argc ? argv[at + 1] : NULL, wishes)) {
                misused("this is no option, or not with that value: ", argv[at]);
                return false;
            }
            at++;
        } else if (wishes->count < 2) {
            wishes->files[wishes->count++] = argv[at];
        } else {
            misused("there is a file too many: ", argv[at]);
            return false;
        }
    }
    return true;
}

/* ---- commands ---- */

static int do_report(const struct wishes *wishes)
{
    struct loaded loaded;
    if (!load(wishes->files[0], &loaded)) {
        return FAILED;
    }
    report(loaded.analysis, stdout);
    unload(&loaded);
    return FINE;
}

static int do_predict(const struct wishes *wishes)
{
    struct loaded loaded;
    struct forecast forecast;
    if (!load(wishes->files[0], &loaded)) {
        return FAILED;
    }
    bool found = forecast_of(loaded.analysis, &wishes->forecast, &forecast);
    if (found) {
        forecast_print(loaded.analysis, &forecast, stdout);
    } else {
        fprintf(stderr, "filch-trace: no task in this trace has that name\n");
    }
    unload(&loaded);
    return found ? FINE : FAILED;
}

static int do_diff(const struct wishes *wishes)
{
    struct loaded before;
    struct loaded after;
    if (!load(wishes->files[0], &before)) {
        return FAILED;
    }
    bool both = load(wishes->files[1], &after);
    if (both) {
        report_difference(before.analysis, after.analysis, stdout);
        unload(&after);
    }
    unload(&before);
    return both ? FINE : FAILED;
}

static void write_as(const struct wishes *wishes, const struct loaded *loaded, FILE *out)
{
    if (!wishes->format) {
        view(loaded->analysis, out);
    } else if (strcmp(wishes->format, "perfetto") == 0) {
        export_perfetto(loaded->run, out);
    } else if (strcmp(wishes->format, "chrome") == 0) {
        export_chrome(loaded->run, out);
    } else {
        export_csv(loaded->run, out);
    }
}

/* The page, or another format. */
static int do_write(const struct wishes *wishes)
{
    struct loaded loaded;
    if (input_is_output(wishes->files[0], wishes->out)) {
        fprintf(stderr, "filch-trace: %s: this is the trace itself\n", wishes->out);
        return FAILED;
    }
    if (!load(wishes->files[0], &loaded)) {
        return FAILED;
    }
    bool standard = strcmp(wishes->out, "-") == 0;
    FILE *out = standard ? stdout : fopen(wishes->out, "wb");
    bool fine = out != NULL;
    if (out) {
        write_as(wishes, &loaded, out);
        fine = !ferror(out);
        fine = (standard ? fflush(out) : fclose(out)) == 0 && fine;
    }
    if (!fine) {
        fprintf(stderr, "filch-trace: %s: %s\n", wishes->out, strerror(errno));
    }
    unload(&loaded);
    return fine ? FINE : FAILED;
}

static int run_command(const char *command, int argc, char **argv)
{
    struct wishes wishes = {.count = 0};
    bool named = strcmp(command, "view") == 0 || strcmp(command, "export") == 0 ||
                 strcmp(command, "predict") == 0 || strcmp(command, "diff") == 0 ||
                 strcmp(command, "report") == 0;
    if (!parse(argc, argv, named ? 2 : 1, &wishes)) {
        return MISUSED;
    }
    unsigned wanted = strcmp(command, "diff") == 0 ? 2 : 1;
    if (wishes.count != wanted) {
        return misused(wishes.count < wanted ? "no file is named" : "there is a file too many", "");
    }
    if (strcmp(command, "predict") == 0) {
        return do_predict(&wishes);
    }
    if (strcmp(command, "diff") == 0) {
        return do_diff(&wishes);
    }
    if (strcmp(command, "view") == 0 || strcmp(command, "export") == 0) {
        if (!wishes.out || (command[0] == 'e') != (wishes.format != NULL)) {
            return misused(wishes.out ? "which format?" : "where to? -o FILE", "");
        }
        return do_write(&wishes);
    }
    return do_report(&wishes);
}

int main(int argc, char **argv)
{
    unsetenv("FILCH_TRACE"); /* it may still name the very file that is to be read */
    if (argc < 2) {
        fputs(usage, stderr);
        return MISUSED;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(usage, stdout);
        return FINE;
    }
    return run_command(argv[1], argc, argv);
}
