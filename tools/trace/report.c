#include "report.h"

#include <inttypes.h>

#include "amount.h"

enum { SITES_SHOWN = 20, WAITS_SHOWN = 10, NEEDS_SHOWN = 10, LOOPS_SHOWN = 10, MATRIX_CORES = 16 };

static void head(const struct analysis *a, FILE *out)
{
    static const char *const levels[] = {"?", "sched", "tasks", "all"};
    const struct trace *trace = a->run->trace;
    char text[32];
    char program[260];
    snprintf(program, sizeof program, "%s", trace->header.program);
    clean_text(program);
    fprintf(out, "%s, process %" PRIu64 ": %s on %u workers, level %s, %zu events%s\n", program,
            trace->header.process_id, format_ns(trace->end, text), a->workers,
            levels[trace->header.level <= 3 ? trace->header.level : 0], trace->events.count,
            trace->ended ? "" : " (the program did not end by itself)");
    if (trace->header.full_ns > trace->header.start_ns) {
        int64_t at = (int64_t)(trace->header.full_ns - trace->header.start_ns);
        fprintf(out, "The recording reached its bound after %s: what came then is not in it.\n",
                format_ns(at, text));
    }
    if (trace->gaps.count) {
        int64_t lost = 0;
        for (size_t i = 0; i < trace->gaps.count; i++) {
            amount_add(&lost, amount_difference(trace->gaps.at[i].to, trace->gaps.at[i].from));
        }
        fprintf(out, "Events were dropped in %zu places, %s of the tracks' time altogether.\n",
                trace->gaps.count, format_ns(lost, text));
    }
    if (trace->damaged) {
        fprintf(out, "%zu of %zu chunks are damaged: what can be read of them was.\n",
                trace->damaged, trace->chunks);
    }
}

static void lengths(const struct analysis *a, FILE *out)
{
    char text[32];
    const struct dag_length *length = &a->length;
    double span = length->span > 0 ? (double)length->span : 1;
    double burdened = length->burdened > 0 ? (double)length->burdened : 1;
    fprintf(out, "\nLengths\n");
    fprintf(out, "  work            %10s   what all cores did together\n",
            format_ns(length->work, text));
    fprintf(out, "  span            %10s   the longest chain of it\n",
            format_ns(length->span, text));
    fprintf(out, "  parallelism     %10.1f   work / span\n", (double)length->work / span);
    fprintf(out, "  burdened span   %10s   with %s for each piece that moves\n",
            format_ns(length->burdened, text), format_ns(a->burden, (char[32]){0}));
    fprintf(out, "  burdened        %10.1f   work / burdened span\n",
            (double)length->work / burdened);
    if (a->has_forks && !a->sees_forks) {
        fprintf(out,
                "  Forks that were not stolen are part of the task that made them here: with :all "
                "they are seen.\n");
    }
}

static void cores(const struct analysis *a, FILE *out)
{
    const struct run *run = a->run;
    char name[48];
    fprintf(out,
            "\nCores             running search  parked   steals  searches (in vain)  events\n");
    for (size_t i = 0; i < run->trace->tracks.count; i++) {
        const struct core_time *core = &run->cores[i];
        if (run->trace->tracks.at[i].kind != FILCH_TRACE_CORE) {
            continue;
        }
        int64_t whole = amount_sum(amount_sum(core->running, core->searching),
                                   amount_sum(core->parked, core->overhead));
        trace_track_name(run->trace, i, name, sizeof name);
        fprintf(out,
                "  %-16s %5.1f %% %5.1f %% %5.1f %% %8" PRIu64 " %8" PRIu64 " (%" PRIu64
                ") %12" PRIu64 "\n",
                name, percent(core->running, whole), percent(core->searching, whole),
                percent(core->parked, whole), core->steals, core->searches, core->searches_in_vain,
                core->events);
    }
}

/* How often each core stole from each other one; of one pool, if it is small enough for a page. */
static void thefts(const struct analysis *a, FILE *out)
{
    unsigned counts[MATRIX_CORES][MATRIX_CORES] = {{0}};
    const struct run *run = a->run;
    unsigned cores = 0;
    for (size_t i = 0; i < run->tasks.count; i++) {
        const struct task *task = &run->tasks.at[i];
        const struct trace_track *track = &run->trace->tracks.at[task->track];
        if (track->pool > 1 || track->core >= MATRIX_CORES || task->from > MATRIX_CORES) {
            return;
        }
        if (task->from) {
            counts[track->core][task->from - 1]++;
            cores = track->core >= cores ? track->core + 1 : cores;
            cores = task->from > cores ? task->from : cores;
        }
    }
    if (cores < 3) {
        return; /* with two the table above says it all */
    }
    fprintf(out, "\nWho took from whom");
    for (unsigned victim = 0; victim < cores; victim++) {
        fprintf(out, " %8u", victim);
    }
    for (unsigned thief = 0; thief < cores; thief++) {
        fprintf(out, "\n  core %-10u ", thief);
        for (unsigned victim = 0; victim < cores; victim++) {
            fprintf(out, " %8u", counts[thief][victim]);
        }
    }
    fputc('\n', out);
}

static void idle(const struct analysis *a, FILE *out)
{
    const struct idle_time *idle = &a->run->idle;
    int64_t whole = amount_product(a->active, a->workers);
    const struct {
        const char *name;
        int64_t ns;
        const char *what;
    } rows[] = {{"working", a->busy, ""},
                {"nothing to take", idle->starved, "others worked, and had nothing to give away"},
                {"all waited", idle->waiting, "for locks, channels, time or descriptors"},
                {"searching", idle->searching, "looked for work"},
                {"waking", idle->waking, "woken, but not there yet"}};
    char text[32];
    fprintf(out, "\nCore time while anything ran: %s on each of %u\n", format_ns(a->active, text),
            a->workers);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fprintf(out, "  %-16s %10s %5.1f %%  %s\n", rows[i].name, format_ns(rows[i].ns, text),
                percent(rows[i].ns, whole), rows[i].what);
    }
    fprintf(out, "  steals %zu", a->run->steal_ns.count);
    if (a->run->steal_ns.count) {
        fprintf(out, ", half of them begun within %s", format_ns(a->burden, text));
    }
    fprintf(out, "; wake-ups %" PRIu64, a->run->wakes);
    if (a->run->wake_ns.count) {
        fprintf(out, ", half there within %s", format_ns(a->wake, text));
    }
    fputc('\n', out);
}

static void sites(const struct analysis *a, FILE *out)
{
    char name[160], ran[32], p50[32], p99[32], blamed[32];
    fprintf(out, "\nTasks by function    count        ran   share  on path        p50        p99"
                 "   stolen  others idle\n");
    for (size_t i = 0; i < a->sites.count && i < SITES_SHOWN; i++) {
        const struct site *site = &a->sites.at[i];
        fprintf(out, "  %s\n", format_site(a->run->trace, site->name, name, sizeof name));
        fprintf(out, "  %23" PRIu64 " %10s %5.1f %% %6.1f %% %10s %10s %8" PRIu64 " %12s\n",
                site->count, format_ns(site->ran, ran), percent(site->ran, a->length.work),
                percent(site->path, a->length.path), format_ns(site->p50, p50),
                format_ns(site->p99, p99), site->stolen, format_ns(site->blamed, blamed));
    }
    if (a->sites.count > SITES_SHOWN) {
        fprintf(out, "  ... and %zu more: see export --csv\n", a->sites.count - SITES_SHOWN);
    }
}

static void grain(const struct analysis *a, FILE *out)
{
    char text[32], name[160];
    fprintf(out, "\nHow long they ran, by powers of two (each # is a tenth of that function's)\n");
    for (size_t i = 0; i < a->sites.count && i < 5; i++) {
        const struct site *site = &a->sites.at[i];
        fprintf(out, "  %s\n", format_site(a->run->trace, site->name, name, sizeof name));
        for (unsigned b = 0; b < 40; b++) {
            if (site->buckets[b]) {
                int marks = (int)((uint64_t)site->buckets[b] * 10 / site->count);
                fprintf(out, "    from %8s %10u %.*s\n", format_ns((int64_t)1 << b, text),
                        site->buckets[b], marks ? marks : 1, marks ? "##########" : ".");
            }
        }
    }
}

static void waits(const struct analysis *a, FILE *out)
{
    char name[160], what[160], ns[32], mean[32];
    if (!a->waits.count) {
        return;
    }
    fprintf(out, "\nWaits                    times      total       each   whose tasks\n");
    for (size_t i = 0; i < a->waits.count && i < WAITS_SHOWN; i++) {
        const struct wait_site *wait = &a->waits.at[i];
        fprintf(out, "  %-20s %9" PRIu64 " %10s %10s   %s\n",
                format_site(a->run->trace, wait->what, what, sizeof what), wait->count,
                format_ns(wait->ns, ns), format_ns(wait->ns / (int64_t)wait->count, mean),
                wait->name ? format_site(a->run->trace, wait->name, name, sizeof name)
                           : "the program's own threads");
    }
}

static void needs(const struct analysis *a, FILE *out)
{
    char name[160], need[160];
    if (!a->needs.count) {
        return;
    }
    fprintf(out, "\nNeeds                    times   the last   whose tasks, and whose end they "
                 "needed\n");
    for (size_t i = 0; i < a->needs.count && i < NEEDS_SHOWN; i++) {
        const struct need_site *site = &a->needs.at[i];
        fprintf(out, "  %28" PRIu64 " %10" PRIu64 "   %s, %s\n", site->count, site->last,
                format_site(a->run->trace, site->name, name, sizeof name),
                format_site(a->run->trace, site->need, need, sizeof need));
    }
    if (a->needs.count > NEEDS_SHOWN) {
        fprintf(out, "  ... and %zu more: see export --csv\n", a->needs.count - NEEDS_SHOWN);
    }
}

static void loops(const struct analysis *a, FILE *out)
{
    const struct run *run = a->run;
    char name[160], took[32];
    if (!run->loops.count) {
        return;
    }
    fprintf(out, "\nLoops                elements     pieces       took\n");
    for (size_t i = 0; i < run->loops.count && i < LOOPS_SHOWN; i++) {
        const struct loop *loop = &run->loops.at[i];
        fprintf(out, "  %s\n", format_site(run->trace, loop->name, name, sizeof name));
        fprintf(out, "  %27" PRIu64 " %10u %10s\n", loop->elements, loop->chunks,
                format_ns(amount_difference(loop->ended, loop->began), took));
    }
    if (run->loops.count > LOOPS_SHOWN) {
        fprintf(out, "  ... and %zu more\n", run->loops.count - LOOPS_SHOWN);
    }
}

static void hint(void *out, const char *text)
{
    fprintf(out, "  - %s\n", text);
}

void report(const struct analysis *analysis, FILE *out)
{
    head(analysis, out);
    lengths(analysis, out);
    idle(analysis, out);
    cores(analysis, out);
    thefts(analysis, out);
    sites(analysis, out);
    if (analysis->sees_tasks) {
        grain(analysis, out);
    }
    waits(analysis, out);
    needs(analysis, out);
    loops(analysis, out);
    fprintf(out, "\nIn plain words\n");
    analysis_hints(analysis, hint, out);
}

/* ---- two runs ---- */

static void row(FILE *out, const char *name, int64_t before, int64_t after)
{
    char one[32], other[32];
    fprintf(out, "  %-30s %10s -> %10s", name, format_ns(before, one), format_ns(after, other));
    if (before > 0) {
        fprintf(out, "  x %.2f", (double)after / (double)before);
    }
    fputc('\n', out);
}

static const struct site *same_site(const struct analysis *a, const char *wanted)
{
    char name[160];
    for (size_t i = 0; i < a->sites.count; i++) {
        const char *here = format_site(a->run->trace, a->sites.at[i].name, name, sizeof name);
        size_t k = 0;
        while (here[k] && here[k] == wanted[k]) {
            k++;
        }
        if (here[k] == wanted[k]) {
            return &a->sites.at[i];
        }
    }
    return NULL;
}

void report_difference(const struct analysis *before, const struct analysis *after, FILE *out)
{
    char name[160];
    fprintf(out, "Whole runs\n");
    row(out, "took", before->run->trace->end, after->run->trace->end);
    row(out, "something ran for", before->active, after->active);
    row(out, "work", before->length.work, after->length.work);
    row(out, "span", before->length.span, after->length.span);
    row(out, "nothing to take", before->run->idle.starved, after->run->idle.starved);
    row(out, "all waited", before->run->idle.waiting, after->run->idle.waiting);
    row(out, "searching", before->run->idle.searching, after->run->idle.searching);
    fprintf(out, "\nTime in each function\n");
    for (size_t i = 0; i < before->sites.count; i++) {
        const struct site *site = &before->sites.at[i];
        const struct site *other =
            same_site(after, format_site(before->run->trace, site->name, name, sizeof name));
        row(out, name, site->ran, other ? other->ran : 0);
    }
    for (size_t i = 0; i < after->sites.count; i++) {
        const struct site *site = &after->sites.at[i];
        if (!same_site(before, format_site(after->run->trace, site->name, name, sizeof name))) {
            row(out, name, 0, site->ran);
        }
    }
}
