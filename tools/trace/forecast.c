#include "forecast.h"

#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

#include "amount.h"
#include "memory.h"

static const int64_t grain_ns = 20000; /* a loop's elements are not divided further */

/* By task, what the option says; the number of tasks of that name. */
static size_t choose(const struct run *run, const char *name, double *scale, double factor,
                     unsigned *parts, unsigned number)
{
    size_t found = 0;
    for (size_t i = 0; i < run->tasks.count; i++) {
        bool is = name && strcmp(trace_name(run->trace, run->tasks.at[i].name), name) == 0;
        found += is;
        if (scale) {
            scale[i] = is ? factor : 1;
        }
        if (parts) {
            parts[i] = is ? number : 0;
        }
    }
    return found;
}

/* Those of the run's thefts; beyond what a theft can take it was something else: the thief was not
 * running. To be given back. */
static struct delays delays_of(const struct run *run)
{
    int64_t *ns = tool_alloc(run->steal_ns.count + 1, sizeof *ns);
    struct delays delays = {.ns = ns};
    for (size_t i = 0; i < run->steal_ns.count; i++) {
        if (run->steal_ns.at[i] < 200000) {
            ns[delays.count++] = run->steal_ns.at[i];
        }
    }
    if (!delays.count) {
        ns[delays.count++] = 1000; /* none was seen */
    }
    return delays;
}

/* As many cores as it was recorded on. */
static unsigned recorded_cores(const struct analysis *analysis)
{
    unsigned workers = analysis->workers < 65536 ? analysis->workers : 65536;
    return workers ? workers : 1;
}

FILCH_LOOP(play_point, (size_t, i), (const struct dag *, dag), (const struct delays *, delays),
           (struct prediction *, points))
{
    points[i] = predict(dag, points[i].cores, *delays, predict_seeds(dag));
}

static bool is_at_limit(const struct prediction *point, int64_t path)
{
    return point->high <= amount_sum(path, path / 100);
}

/* As many points of the curve at once as there are processors; once more cores change nothing, the
 * rest is the same. */
static void play_points(const struct dag *dag, const struct delays *delays, int64_t path,
                        struct prediction *points)
{
    unsigned width = (unsigned)filch_cpu_count();
    for (unsigned i = 0; i < PREDICT_POINTS; i++) {
        points[i].cores = 1u << i;
    }
    for (unsigned i = 0; i < PREDICT_POINTS && !(i && is_at_limit(&points[i - 1], path));
         i += width) {
        unsigned count = width < PREDICT_POINTS - i ? width : PREDICT_POINTS - i;
        tool_check(play_point_for(NULL, count, dag, delays, points + i));
    }
    for (unsigned i = 1; i < PREDICT_POINTS; i++) {
        if (is_at_limit(&points[i - 1], path)) {
            points[i] = points[i - 1];
            points[i].cores = 1u << i;
        }
    }
}

static void play(const struct analysis *analysis, const struct dag *dag, struct forecast *forecast)
{
    struct delays delays = delays_of(analysis->run);
    struct dag_length length = dag_measure(dag, 0);
    play_points(dag, &delays, length.path, forecast->points);
    forecast->recorded = predict(dag, recorded_cores(analysis), delays, predict_seeds(dag));
    forecast->work = length.work;
    forecast->path = length.path;
    free((void *)delays.ns);
}

bool forecast_of(const struct analysis *analysis, const struct forecast_options *options,
                 struct forecast *forecast)
{
    const struct run *run = analysis->run;
    struct forecast_options none = {.scale_name = NULL};
    options = options ? options : &none;
    double *scale = options->scale_name ? tool_alloc(run->tasks.count, sizeof *scale) : NULL;
    unsigned *parts = options->split_name ? tool_alloc(run->tasks.count, sizeof *parts) : NULL;
    bool found = true;
    if (scale) {
        found = choose(run, options->scale_name, scale, options->scale, NULL, 0) > 0;
    }
    if (parts) {
        found = choose(run, options->split_name, NULL, 1, parts, options->split) > 0 && found;
    }
    if (found) {
        struct dag dag;
        struct what_if change = {scale, parts, options->without_locks};
        predict_expand(&run->dag, grain_ns, &change, &dag);
        play(analysis, &dag, forecast);
        dag_free(&dag);
        const struct trace *trace = run->trace;
        size_t events = trace->events.count;
        forecast->took =
            events ? amount_difference(trace->events.at[events - 1].ns, trace->events.at[0].ns) : 0;
    }
    free(scale);
    free(parts);
    return found;
}

/* ---- what if ---- */

enum { WHAT_IF_SEGMENTS = 200000, MANY_CORES = 64, WAYS = 64, LEAST_PERCENT = 10 };

static void times_of(const struct analysis *analysis, const struct what_if *change,
                     struct delays delays, int64_t *few, int64_t *many)
{
    struct dag dag;
    predict_expand(&analysis->run->dag, grain_ns, change, &dag);
    *few = predict(&dag, recorded_cores(analysis), delays, 3).median;
    *many = predict(&dag, MANY_CORES, delays, 3).median;
    dag_free(&dag);
}

static void fill_row(const struct analysis *analysis, const struct site *site, struct delays delays,
                     struct what_if_row *row)
{
    const struct run *run = analysis->run;
    const char *name = trace_name(run->trace, site->name);
    double *scale = tool_alloc(run->tasks.count, sizeof *scale);
    unsigned *parts = tool_alloc(run->tasks.count, sizeof *parts);
    row->name = site->name;
    choose(run, name, scale, 0.5, parts, WAYS);
    times_of(analysis, &(struct what_if){.scale = scale}, delays, &row->halved, &row->halved_64);
    times_of(analysis, &(struct what_if){.parts = parts}, delays, &row->split, &row->split_64);
    free(scale);
    free(parts);
}

unsigned forecast_what_ifs(const struct analysis *analysis, struct what_if_row *rows)
{
    unsigned count = 0;
    struct delays delays = delays_of(analysis->run);
    bool small = analysis->run->dag.segments.count < WHAT_IF_SEGMENTS;
    for (size_t i = 0; small && i < analysis->sites.count && count < WHAT_IFS_MAX; i++) {
        if (percent(analysis->sites.at[i].path, analysis->length.path) >= LEAST_PERCENT) {
            fill_row(analysis, &analysis->sites.at[i], delays, &rows[count++]);
        }
    }
    if (count) {
        times_of(analysis, NULL, delays, &rows[0].now, &rows[0].now_64);
    }
    for (unsigned i = 1; i < count; i++) {
        rows[i].now = rows[0].now;
        rows[i].now_64 = rows[0].now_64;
    }
    free((void *)delays.ns);
    return count;
}

static void print_what_ifs(const struct analysis *analysis, FILE *out)
{
    struct what_if_row rows[WHAT_IFS_MAX];
    unsigned count = forecast_what_ifs(analysis, rows);
    char name[160], now[32], halved[32], split[32];
    if (count) {
        fprintf(out, "\nWhat if a function took half as long, or could be split 64 ways\n"
                     "  cores        now     halved      split\n");
    }
    for (unsigned i = 0; i < count; i++) {
        const struct what_if_row *row = &rows[i];
        fprintf(out, "  %s\n", format_site(analysis->run->trace, row->name, name, sizeof name));
        fprintf(out, "  %5u %10s %10s %10s\n", analysis->workers, format_ns(row->now, now),
                format_ns(row->halved, halved), format_ns(row->split, split));
        fprintf(out, "  %5u %10s %10s %10s\n", (unsigned)MANY_CORES, format_ns(row->now_64, now),
                format_ns(row->halved_64, halved), format_ns(row->split_64, split));
    }
}

void forecast_print(const struct analysis *analysis, const struct forecast *forecast, FILE *out)
{
    char low[32], median[32], high[32], text[32];
    int64_t one = forecast->points[0].median;
    fprintf(out, "Work %s, longest chain %s (with waits), thefts delayed by %s as a rule.\n",
            format_ns(forecast->work, text), format_ns(forecast->path, low),
            format_ns(analysis->burden, median));
    if (!analysis->sees_tasks) {
        fprintf(out,
                "This trace has only what was shared out on %u workers: it cannot tell of more. "
                "Record it with :tasks or :all.\n",
                analysis->workers);
    } else if (analysis->has_forks && !analysis->sees_forks) {
        fprintf(out, "Forks not stolen are not in this trace: with :all they are seen.\n");
    }
    fprintf(out, "\n cores       takes (a tenth below .. above)   times as fast\n");
    for (unsigned i = 0; i < PREDICT_POINTS; i++) {
        const struct prediction *point = &forecast->points[i];
        double speedup = point->median > 0 ? (double)one / (double)point->median : 1;
        int marks = speedup < 40 ? (int)(speedup + 0.5) : 40;
        char band[80];
        snprintf(band, sizeof band, "(%s .. %s)", format_ns(point->low, low),
                 format_ns(point->high, high));
        fprintf(out, "%6u  %10s %-26s%7.2f %.*s%s\n", point->cores,
                format_ns(point->median, median), band, speedup, marks,
                "########################################", speedup > 40 ? "..." : "");
    }
    if (forecast->path > 0) {
        fprintf(out, "\nNever more than %.2f times as fast as on one core: the longest chain.\n",
                (double)one / (double)forecast->path);
    }
    fprintf(out, "Recorded: %s on %u workers. The same played on %u: %s (%+.1f %%).\n",
            format_ns(forecast->took, text), analysis->workers, analysis->workers,
            format_ns(forecast->recorded.median, median),
            forecast->took > 0
                ? 100.0 * ((double)forecast->recorded.median / (double)forecast->took - 1)
                : 0.0);
    print_what_ifs(analysis, out);
}
