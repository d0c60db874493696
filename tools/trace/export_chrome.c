#include "export.h"

#include <inttypes.h>
#include <string.h>

#include "amount.h"
#include "order.h"

/* How many bytes the UTF-8 sequence at `text` has; 0: it is none. */
static unsigned utf8_length(const unsigned char *text)
{
    unsigned length = text[0] < 0x80                       ? 1
                      : text[0] >= 0xc2 && text[0] <= 0xdf ? 2
                      : text[0] >= 0xe0 && text[0] <= 0xef ? 3
                      : text[0] >= 0xf0 && text[0] <= 0xf4 ? 4
                                                           : 0;
    for (unsigned i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xed && text[1] >= 0xa0;
    bool beyond = text[0] == 0xf4 && text[1] >= 0x90;
    return length > 1 && (overlong || surrogate || beyond) ? 0 : length;
}

void export_json_text(const char *text, FILE *out)
{
    const unsigned char *at = (const unsigned char *)text;
    fputc('"', out);
    while (*at) {
        unsigned length = utf8_length(at);
        if (*at == '"' || *at == '\\' || *at < 32 || *at == '<' || *at == '>' || *at == '&' ||
            *at == 127) {
            fprintf(out, "\\u%04x", *at); /* < too: it may stand in a page's script */
            at++;
        } else if (!length) {
            fputs("\\ufffd", out);
            at++;
        } else {
            fwrite(at, 1, length, out);
            at += length;
        }
    }
    fputc('"', out);
}

struct chrome {
    const struct run *run;
    FILE *out;
    bool first;
};

static void begin_event(struct chrome *chrome, const char *phase, uint16_t track, unsigned lane)
{
    fprintf(chrome->out, "%s{\"ph\":\"%s\",\"pid\":1,\"tid\":%u", chrome->first ? "" : ",\n", phase,
            track * LANE_KINDS + lane + 1);
    chrome->first = false;
}

static void put_us(struct chrome *chrome, const char *key, int64_t ns)
{
    ns = ns > 0 ? ns : 0; /* before the beginning, or an end before its begin: it is damaged */
    fprintf(chrome->out, ",\"%s\":%" PRId64 ".%03d", key, ns / 1000, (int)(ns % 1000));
}

static void put_name(struct chrome *chrome, const char *name)
{
    fputs(",\"name\":", chrome->out);
    export_json_text(name, chrome->out);
}

static void name_tracks(struct chrome *chrome)
{
    static const char *const lanes[] = {"", " states", " spans"};
    char name[80];
    begin_event(chrome, "M", 0, 0);
    fputs(",\"name\":\"process_name\",\"args\":{\"name\":", chrome->out);
    export_json_text(chrome->run->trace->header.program, chrome->out);
    fputs("}}", chrome->out);
    for (size_t i = 0; i < chrome->run->trace->tracks.count; i++) {
        for (unsigned lane = 0; lane < LANE_KINDS; lane++) {
            trace_track_name(chrome->run->trace, i, name, sizeof name - 10);
            memcpy(name + strlen(name), lanes[lane], strlen(lanes[lane]) + 1);
            begin_event(chrome, "M", (uint16_t)i, lane);
            fputs(",\"name\":\"thread_name\",\"args\":{\"name\":", chrome->out);
            export_json_text(name, chrome->out);
            fputs("}}", chrome->out);
        }
    }
}

static void begin_slice(void *context, const struct slice *slice)
{
    (void)context;
    (void)slice;
}

static void end_slice(void *context, const struct slice *slice, int64_t ns)
{
    struct chrome *chrome = context;
    const struct run *run = chrome->run;
    begin_event(chrome, "X", slice->track, order_lane(slice));
    put_us(chrome, "ts", slice->from);
    put_us(chrome, "dur", amount_difference(ns, slice->from));
    put_name(chrome, order_name(run, slice));
    if (slice->kind == SLICE_TASK) {
        const struct task *task = &run->tasks.at[slice->what];
        fprintf(chrome->out, ",\"args\":{\"task\":%u,\"stolen\":%s}", slice->what,
                task->from ? "true" : "false");
    } else if (slice->kind == SLICE_CHUNK) {
        fprintf(chrome->out, ",\"args\":{\"first\":%" PRIu64 ",\"end\":%" PRIu64 "}", slice->a,
                slice->b);
    }
    fputc('}', chrome->out);
}

static void put_flows(struct chrome *chrome)
{
    static const char *const names[] = {"steal", "wake", "need"};
    for (size_t i = 0; i < chrome->run->flows.count; i++) {
        const struct flow *flow = &chrome->run->flows.at[i];
        const char *name = names[flow->kind];
        begin_event(chrome, "s", flow->from_track, LANE_TASKS);
        put_us(chrome, "ts", flow->from);
        fprintf(chrome->out, ",\"id\":%zu,\"cat\":\"flow\",\"name\":\"%s\"}", i + 1, name);
        begin_event(chrome, "f", flow->to_track, LANE_TASKS);
        put_us(chrome, "ts", flow->to);
        fprintf(chrome->out, ",\"id\":%zu,\"cat\":\"flow\",\"bp\":\"e\",\"name\":\"%s\"}", i + 1,
                name);
    }
}

static void put_samples(struct chrome *chrome)
{
    for (size_t i = 0; i < chrome->run->samples.count; i++) {
        const struct sample *sample = &chrome->run->samples.at[i];
        begin_event(chrome, sample->is_mark ? "i" : "C", sample->track, LANE_TASKS);
        put_us(chrome, "ts", sample->ns);
        put_name(chrome, trace_name(chrome->run->trace, sample->name));
        fprintf(chrome->out, ",\"args\":{\"value\":%.17g}}", sample->value);
    }
}

void export_chrome(const struct run *run, FILE *out)
{
    struct chrome chrome = {.run = run, .out = out, .first = true};
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n", out);
    name_tracks(&chrome);
    order_visit(run, &(struct order_visitor){begin_slice, end_slice, &chrome});
    put_flows(&chrome);
    put_samples(&chrome);
    fputs("\n]}\n", out);
}

/* ---- CSV ---- */

static void put_csv_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        fputs(*text == '"' ? "\"\"" : (char[2]){*text, 0}, out);
    }
    fputc('"', out);
}

/* The numbers of tasks, with spaces between. */
static void put_needs(const struct run *run, size_t *next, uint32_t task, FILE *out)
{
    const char *before = ",";
    for (; *next < run->needs.count && run->needs.at[*next].task == task; (*next)++) {
        fprintf(out, "%s%u", before, run->needs.at[*next].need);
        before = " ";
    }
    fputs(*before == ',' ? "," : "", out);
}

void export_csv(const struct run *run, FILE *out)
{
    static const char *const hows[] = {"own", "stolen", "injected", "region", "helped"};
    fputs("task,function,file,line,parent,made_ns,began_ns,ended_ns,ran_ns,waited_ns,track,how,"
          "stolen_from,needs\r\n",
          out);
    size_t need = 0;
    for (size_t i = 0; i < run->tasks.count; i++) {
        const struct task *task = &run->tasks.at[i];
        const struct trace_name *name = &run->trace->names[task->name];
        char track[48];
        trace_track_name(run->trace, task->track, track, sizeof track);
        fprintf(out, "%zu,", i);
        put_csv_text(trace_name(run->trace, task->name), out);
        fputc(',', out);
        put_csv_text(name->file ? name->file : "", out);
        fprintf(out, ",%u,", name->line);
        if (task->parent != TASK_NONE) {
            fprintf(out, "%u", task->parent);
        }
        fprintf(out, ",%" PRId64 ",%" PRId64 ",", task->made, task->began);
        if (task->has_ended) {
            fprintf(out, "%" PRId64, task->ended);
        }
        fprintf(out, ",%" PRId64 ",%" PRId64 ",%s,%s,", task->ran, task->waited, track,
                task->how < 5 ? hows[task->how] : "");
        if (task->from) {
            fprintf(out, "%d", task->from - 1);
        }
        put_needs(run, &need, (uint32_t)i, out);
        fputs("\r\n", out);
    }
}
