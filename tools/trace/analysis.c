#include "analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "amount.h"

enum { KINDS = 2, SORTED_MAX = 1 << 20 };

const char *format_ns(int64_t ns, char text[32])
{
    double value = (double)ns;
    const char *unit = "ns";
    if (fabs(value) >= 1e9) {
        value /= 1e9;
        unit = "s";
    } else if (fabs(value) >= 1e6) {
        value /= 1e6;
        unit = "ms";
    } else if (fabs(value) >= 1e3) {
        value /= 1e3;
        unit = "us";
    }
    snprintf(text, 32, fabs(value) >= 100 ? "%.0f %s" : "%.3g %s", value, unit);
    return text;
}

void clean_text(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 32 || *text == 127) {
            *text = '?';
        }
    }
}

const char *format_site(const struct trace *trace, uint32_t name, char *text, size_t bytes)
{
    const struct trace_name *known = name < 65536 ? &trace->names[name] : NULL;
    if (known && known->file && *known->file) {
        const char *file = known->file;
        for (const char *at = file; *at; at++) {
            file = *at == '/' ? at + 1 : file;
        }
        snprintf(text, bytes, "%s (%s:%u)", trace_name(trace, name), file, known->line);
    } else {
        snprintf(text, bytes, "%s", trace_name(trace, name));
    }
    clean_text(text);
    return text;
}

double percent(int64_t part, int64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static int by_size(const void *a, const void *b)
{
    int64_t one = *(const int64_t *)a;
    int64_t other = *(const int64_t *)b;
    return one < other ? -1 : one > other;
}

static int64_t median(const int64_t *values, size_t count, int64_t otherwise)
{
    if (!count) {
        return otherwise;
    }
    int64_t *sorted = tool_alloc(count, sizeof *sorted);
    for (size_t i = 0; i < count; i++) {
        sorted[i] = values[i];
    }
    qsort(sorted, count, sizeof *sorted, by_size);
    int64_t middle = sorted[count / 2];
    free(sorted);
    return middle;
}

/* ---- sites ---- */

/* The lengths of what belongs to each site, sorted by site: for its quantiles. */
struct sizes {
    struct size {
        uint32_t site;
        int64_t ns;
    } * at;
    size_t count, room;
};

static int by_site_and_size(const void *a, const void *b)
{
    const struct size *one = a;
    const struct size *other = b;
    if (one->site != other->site) {
        return one->site < other->site ? -1 : 1;
    }
    return one->ns < other->ns ? -1 : one->ns > other->ns;
}

static struct site *site_of(struct analysis *analysis, struct table *sites, uint32_t name)
{
    uint64_t key = (uint64_t)name + 1;
    uint32_t index = table_get(sites, key);
    if (index == TABLE_NONE) {
        index = (uint32_t)analysis->sites.count;
        *ARRAY_PUSH(analysis->sites) = (struct site){.name = name};
        table_set(sites, key, index);
    }
    return &analysis->sites.at[index];
}

static void count_one(struct analysis *analysis, struct site *site, struct sizes *sizes, int64_t ns)
{
    unsigned bucket = 0;
    while (bucket < 39 && ns > 0 && ns >> (bucket + 1)) {
        bucket++;
    }
    site->count++;
    site->buckets[bucket]++;
    site->most = ns > site->most ? ns : site->most;
    *ARRAY_PUSH(*sizes) = (struct size){(uint32_t)(site - analysis->sites.at), ns};
}

static void count_tasks(struct analysis *analysis, struct table *sites, struct sizes *sizes)
{
    const struct run *run = analysis->run;
    for (size_t i = 0; i < run->tasks.count; i++) {
        const struct task *task = &run->tasks.at[i];
        struct site *site = site_of(analysis, sites, task->name);
        amount_add(&site->ran, task->ran);
        amount_add(&site->waited, task->waited);
        site->stolen += task->from != 0;
        count_one(analysis, site, sizes, task->ran);
        analysis->has_forks =
            analysis->has_forks || (task->how == FILCH_TRACE_STOLEN && !task->piece);
    }
    for (size_t i = 0; i < analysis->sites.count; i++) {
        analysis->sites.at[i].blamed = run->blame[analysis->sites.at[i].name];
    }
}

static void count_path(struct analysis *analysis, struct table *sites)
{
    const struct dag *dag = &analysis->run->dag;
    for (size_t i = 0; i < dag->segments.count; i++) {
        const struct segment *segment = &dag->segments.at[i];
        if (analysis->on_path[i] && segment->kind == SEGMENT_WORK && segment->task != TASK_NONE) {
            uint32_t name = analysis->run->tasks.at[segment->task].name;
            amount_add(&site_of(analysis, sites, name)->path, segment->ns);
        }
    }
}

static void set_quantiles(struct analysis *analysis, struct sizes *sizes)
{
    ARRAY_SORT(*sizes, by_site_and_size);
    for (size_t i = 0; i < sizes->count;) {
        size_t end = i;
        while (end < sizes->count && sizes->at[end].site == sizes->at[i].site) {
            end++;
        }
        struct site *site = &analysis->sites.at[sizes->at[i].site];
        site->p50 = sizes->at[i + (end - i) / 2].ns;
        site->p99 = sizes->at[i + (size_t)((double)(end - i) * 0.99)].ns;
        i = end;
    }
}

static int by_ran(const void *a, const void *b)
{
    const struct site *one = a;
    const struct site *other = b;
    return one->ran > other->ran ? -1 : one->ran < other->ran;
}

static void find_sites(struct analysis *analysis)
{
    struct table sites = {.at = NULL};
    struct sizes sizes = {.at = NULL};
    count_tasks(analysis, &sites, &sizes);
    count_path(analysis, &sites);
    set_quantiles(analysis, &sizes);
    ARRAY_SORT(analysis->sites, by_ran);
    free(sizes.at);
    table_free(&sites);
}

/* ---- waits ---- */

static int by_length(const void *a, const void *b)
{
    const struct wait_site *one = a;
    const struct wait_site *other = b;
    return one->ns > other->ns ? -1 : one->ns < other->ns;
}

static void find_waits(struct analysis *analysis)
{
    const struct run *run = analysis->run;
    struct table table = {.at = NULL};
    for (size_t i = 0; i < run->slices.count; i++) {
        const struct slice *slice = &run->slices.at[i];
        if (slice->kind != SLICE_BLOCKED) {
            continue;
        }
        uint32_t name = slice->a < run->tasks.count ? run->tasks.at[slice->a].name : 0;
        uint64_t key = ((uint64_t)slice->what << 32 | name) + 1;
        uint32_t index = table_get(&table, key);
        if (index == TABLE_NONE) {
            index = (uint32_t)analysis->waits.count;
            *ARRAY_PUSH(analysis->waits) = (struct wait_site){.what = slice->what, .name = name};
            table_set(&table, key, index);
        }
        analysis->waits.at[index].count++;
        amount_add(&analysis->waits.at[index].ns, amount_difference(slice->to, slice->from));
    }
    ARRAY_SORT(analysis->waits, by_length);
    table_free(&table);
}

/* ---- needs ---- */

static int by_count(const void *a, const void *b)
{
    const struct need_site *one = a;
    const struct need_site *other = b;
    return one->count > other->count ? -1 : one->count < other->count;
}

static void count_need(struct analysis *analysis, struct table *table, const struct task_need *need,
                       bool last)
{
    uint32_t name = analysis->run->tasks.at[need->task].name;
    uint32_t needed = analysis->run->tasks.at[need->need].name;
    uint64_t key = ((uint64_t)name << 32 | needed) + 1;
    uint32_t index = table_get(table, key);
    if (index == TABLE_NONE) {
        index = (uint32_t)analysis->needs.count;
        *ARRAY_PUSH(analysis->needs) = (struct need_site){.name = name, .need = needed};
        table_set(table, key, index);
    }
    analysis->needs.at[index].count++;
    analysis->needs.at[index].last += last;
}

static void find_needs(struct analysis *analysis)
{
    const struct run *run = analysis->run;
    struct table table = {.at = NULL};
    for (size_t i = 0; i < run->needs.count;) {
        size_t end = i;
        size_t last = i;
        while (end < run->needs.count && run->needs.at[end].task == run->needs.at[i].task) {
            int64_t ended = run->tasks.at[run->needs.at[end].need].ended;
            last = ended > run->tasks.at[run->needs.at[last].need].ended ? end : last;
            end++;
        }
        for (; i < end; i++) {
            count_need(analysis, &table, &run->needs.at[i], i == last);
        }
    }
    ARRAY_SORT(analysis->needs, by_count);
    table_free(&table);
}

/* ---- the whole ---- */

static void count_cores(struct analysis *analysis)
{
    const struct run *run = analysis->run;
    const struct idle_time *idle = &run->idle;
    int64_t idled = amount_sum(amount_sum(idle->starved, idle->waiting),
                               amount_sum(idle->searching, idle->waking));
    for (size_t i = 0; i < run->trace->tracks.count; i++) {
        amount_add(&analysis->busy, run->cores[i].running);
    }
    analysis->workers = run->workers;
    analysis->active =
        analysis->workers ? amount_sum(analysis->busy, idled) / (int64_t)analysis->workers : 0;
}

struct analysis *analysis_of(const struct run *run)
{
    struct analysis *analysis = tool_alloc(1, sizeof *analysis);
    analysis->run = run;
    analysis->sees_tasks = run->trace->header.level >= 2;
    analysis->sees_forks = run->trace->header.level >= 3;
    analysis->burden = median(run->steal_ns.at, run->steal_ns.count, 1000);
    analysis->wake = median(run->wake_ns.at, run->wake_ns.count, 0);
    analysis->length = dag_measure(&run->dag, analysis->burden);
    analysis->on_path = tool_alloc(run->dag.segments.count, sizeof *analysis->on_path);
    dag_mark_path(&run->dag, analysis->on_path);
    count_cores(analysis);
    find_sites(analysis);
    find_waits(analysis);
    find_needs(analysis);
    return analysis;
}

void analysis_free(struct analysis *analysis)
{
    free(analysis->sites.at);
    free(analysis->waits.at);
    free(analysis->needs.at);
    free(analysis->on_path);
    free(analysis);
}
