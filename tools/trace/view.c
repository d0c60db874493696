#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "export.h"
#include "forecast.h"

enum { LOOPS_MAX = 5000, SAMPLES_MAX = 100000, GAPS_MAX = 10000 };

/* ---- the numbers ---- */

struct json {
    FILE *out;
    bool first; /* of the innermost list or object */
};

static void separate(struct json *json)
{
    if (!json->first) {
        fputc(',', json->out);
    }
    json->first = false;
}

static void key(struct json *json, const char *name)
{
    separate(json);
    export_json_text(name, json->out);
    fputc(':', json->out);
}

static void open_with(struct json *json, const char *name, char bracket)
{
    if (name) {
        key(json, name);
    } else {
        separate(json);
    }
    fputc(bracket, json->out);
    json->first = true;
}

static void close_with(struct json *json, char bracket)
{
    fputc(bracket, json->out);
    json->first = false;
}

static void number(struct json *json, const char *name, int64_t value)
{
    if (name) {
        key(json, name);
    } else {
        separate(json);
    }
    fprintf(json->out, "%" PRId64, value);
}

static void text(struct json *json, const char *name, const char *value)
{
    if (name) {
        key(json, name);
    } else {
        separate(json);
    }
    export_json_text(value, json->out);
}

static void put_head(struct json *json, const struct analysis *a)
{
    const struct trace *trace = a->run->trace;
    const filch_trace_header *header = &trace->header;
    bool full = header->full_ns > header->start_ns;
    text(json, "program", header->program);
    number(json, "pid", (int64_t)(header->process_id & 0xffffffff));
    number(json, "level", header->level);
    number(json, "workers", a->workers);
    number(json, "end", trace->end);
    number(json, "ended", trace->ended);
    number(json, "damaged", (int64_t)trace->damaged);
    number(json, "full", full ? (int64_t)(header->full_ns - header->start_ns) : 0);
    number(json, "events", (int64_t)trace->events.count);
    number(json, "busy", a->busy);
    number(json, "active", a->active);
    number(json, "work", a->length.work);
    number(json, "span", a->length.span);
    number(json, "burdened", a->length.burdened);
    number(json, "path", a->length.path);
    number(json, "burden", a->burden);
    number(json, "wake", a->wake);
    number(json, "starved", a->run->idle.starved);
    number(json, "waiting", a->run->idle.waiting);
    number(json, "searching", a->run->idle.searching);
    number(json, "waking", a->run->idle.waking);
    number(json, "steals", (int64_t)a->run->steal_ns.count);
}

static void put_tracks(struct json *json, const struct run *run)
{
    char name[64];
    open_with(json, "tracks", '[');
    for (size_t i = 0; i < run->trace->tracks.count; i++) {
        const struct core_time *core = &run->cores[i];
        trace_track_name(run->trace, i, name, sizeof name);
        open_with(json, NULL, '{');
        text(json, "name", name);
        number(json, "outside", run->trace->tracks.at[i].kind == FILCH_TRACE_OUTSIDE);
        number(json, "running", core->running);
        number(json, "searching", core->searching);
        number(json, "parked", core->parked);
        number(json, "overhead", core->overhead);
        number(json, "steals", (int64_t)core->steals);
        number(json, "searches", (int64_t)core->searches);
        number(json, "vain", (int64_t)core->searches_in_vain);
        close_with(json, '}');
    }
    close_with(json, ']');
}

static void put_names(struct json *json, const struct trace *trace)
{
    char id[16];
    open_with(json, "names", '{');
    for (uint32_t i = 0; i < 65536; i++) {
        const struct trace_name *name = &trace->names[i];
        if (name->name || i == 0 || i == TRACE_NAME_LENT) {
            snprintf(id, sizeof id, "%u", i);
            open_with(json, id, '[');
            text(json, NULL, trace_name(trace, i));
            text(json, NULL, name->file ? name->file : "");
            number(json, NULL, name->line);
            close_with(json, ']');
        }
    }
    close_with(json, '}');
}

static void put_sites(struct json *json, const struct analysis *a)
{
    open_with(json, "sites", '[');
    for (size_t i = 0; i < a->sites.count; i++) {
        const struct site *site = &a->sites.at[i];
        open_with(json, NULL, '{');
        number(json, "name", site->name);
        number(json, "count", (int64_t)site->count);
        number(json, "ran", site->ran);
        number(json, "p50", site->p50);
        number(json, "p99", site->p99);
        number(json, "waited", site->waited);
        number(json, "blamed", site->blamed);
        number(json, "path", site->path);
        number(json, "stolen", (int64_t)site->stolen);
        open_with(json, "buckets", '[');
        for (unsigned b = 0; b < 40; b++) {
            number(json, NULL, site->buckets[b]);
        }
        close_with(json, ']');
        close_with(json, '}');
    }
    close_with(json, ']');
    open_with(json, "waits", '[');
    for (size_t i = 0; i < a->waits.count; i++) {
        open_with(json, NULL, '{');
        number(json, "what", a->waits.at[i].what);
        number(json, "name", a->waits.at[i].name);
        number(json, "count", (int64_t)a->waits.at[i].count);
        number(json, "ns", a->waits.at[i].ns);
        close_with(json, '}');
    }
    close_with(json, ']');
}

static void put_events(struct json *json, const struct run *run)
{
    open_with(json, "loops", '[');
    for (size_t i = 0; i < run->loops.count && i < LOOPS_MAX; i++) {
        const struct loop *loop = &run->loops.at[i];
        const int64_t row[] = {loop->name, loop->began, loop->ended, (int64_t)loop->elements,
                               loop->chunks};
        open_with(json, NULL, '[');
        for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
            number(json, NULL, row[k]);
        }
        close_with(json, ']');
    }
    close_with(json, ']');
    open_with(json, "samples", '[');
    for (size_t i = 0; i < run->samples.count && i < SAMPLES_MAX; i++) {
        const struct sample *sample = &run->samples.at[i];
        open_with(json, NULL, '[');
        number(json, NULL, sample->ns);
        fprintf(json->out, ",%.17g", sample->value);
        number(json, NULL, sample->name);
        number(json, NULL, sample->is_mark);
        close_with(json, ']');
    }
    close_with(json, ']');
    open_with(json, "gaps", '[');
    for (size_t i = 0; i < run->trace->gaps.count && i < GAPS_MAX; i++) {
        const struct trace_gap *gap = &run->trace->gaps.at[i];
        open_with(json, NULL, '[');
        number(json, NULL, gap->track);
        number(json, NULL, gap->from);
        number(json, NULL, gap->to);
        close_with(json, ']');
    }
    close_with(json, ']');
}

static void put_hint(void *json, const char *hint)
{
    text(json, NULL, hint);
}

static void put_what_ifs(struct json *json, const struct analysis *a)
{
    struct what_if_row rows[WHAT_IFS_MAX];
    unsigned count = forecast_what_ifs(a, rows);
    open_with(json, "whatIfs", '[');
    for (unsigned i = 0; i < count; i++) {
        const int64_t row[] = {rows[i].name,   rows[i].now,       rows[i].halved,  rows[i].split,
                               rows[i].now_64, rows[i].halved_64, rows[i].split_64};
        open_with(json, NULL, '[');
        for (size_t k = 0; k < sizeof row / sizeof *row; k++) {
            number(json, NULL, row[k]);
        }
        close_with(json, ']');
    }
    close_with(json, ']');
}

static void put_forecast(struct json *json, const struct analysis *a)
{
    struct forecast forecast;
    if (!forecast_of(a, NULL, &forecast)) {
        return;
    }
    open_with(json, "forecast", '{');
    number(json, "took", forecast.took);
    number(json, "recorded", forecast.recorded.median);
    number(json, "work", forecast.work);
    number(json, "path", forecast.path);
    open_with(json, "points", '[');
    for (unsigned i = 0; i < PREDICT_POINTS; i++) {
        const struct prediction *point = &forecast.points[i];
        open_with(json, NULL, '[');
        number(json, NULL, point->cores);
        number(json, NULL, point->low);
        number(json, NULL, point->median);
        number(json, NULL, point->high);
        close_with(json, ']');
    }
    close_with(json, ']');
    put_what_ifs(json, a);
    close_with(json, '}');
}

static void put_numbers(const struct analysis *a, const struct columns *columns, FILE *out)
{
    struct json json = {.out = out, .first = true};
    open_with(&json, NULL, '{');
    put_head(&json, a);
    put_tracks(&json, a->run);
    put_names(&json, a->run->trace);
    put_sites(&json, a);
    put_events(&json, a->run);
    open_with(&json, "hints", '[');
    analysis_hints(a, put_hint, &json);
    close_with(&json, ']');
    put_forecast(&json, a);
    number(&json, "slices", (int64_t)columns->slice_count);
    number(&json, "tasks", (int64_t)columns->task_count);
    number(&json, "flows", (int64_t)a->run->flows.count);
    number(&json, "chain", (int64_t)columns->chain_count);
    number(&json, "dropped", (int64_t)columns->dropped);
    close_with(&json, '}');
}

/* ---- the page ---- */

/* Write the template up to a mark; what comes after it. */
static const char *until(const char *from, const char *mark, FILE *out)
{
    const char *end = (const char *)view_template + view_template_bytes;
    size_t bytes = strlen(mark);
    for (const char *at = from; at + bytes <= end; at++) {
        if (memcmp(at, mark, bytes) == 0) {
            fwrite(from, 1, (size_t)(at - from), out);
            return at + bytes;
        }
    }
    return from;
}

void view(const struct analysis *analysis, FILE *out)
{
    struct columns columns;
    columns_make(analysis, &columns);
    const char *at = until((const char *)view_template, "@FILCH_NUMBERS@", out);
    put_numbers(analysis, &columns, out);
    at = until(at, "@FILCH_COLUMNS@", out);
    columns_write(analysis, &columns, out);
    const char *end = (const char *)view_template + view_template_bytes;
    fwrite(at, 1, (size_t)(end - at), out);
    columns_free(&columns);
}
