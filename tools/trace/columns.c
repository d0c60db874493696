#include "columns.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "amount.h"
#include "order.h"

enum { SLICES_MAX = 3000000, LANE_WAITS = LANE_KINDS };

/* ---- what is in it ---- */

struct collector {
    struct columns *columns;
    int64_t shortest; /* shorter ones are left out */
    unsigned depth;
};

static void begin_slice(void *context, const struct slice *slice)
{
    struct collector *collector = context;
    (void)slice;
    collector->depth++;
}

static void end_slice(void *context, const struct slice *slice, int64_t ns)
{
    struct collector *collector = context;
    struct columns *columns = collector->columns;
    collector->depth--;
    if (amount_difference(ns, slice->from) < collector->shortest) {
        columns->dropped++;
        return;
    }
    columns->slices[columns->slice_count++] =
        (struct column_slice){.slice = *slice,
                              .to = ns,
                              .lane = (uint8_t)order_lane(slice),
                              .depth = (uint8_t)(collector->depth < 255 ? collector->depth : 255)};
}

static void add_waits_and_gaps(const struct run *run, struct collector *collector)
{
    struct columns *columns = collector->columns;
    for (size_t i = 0; i < run->slices.count; i++) {
        const struct slice *slice = &run->slices.at[i];
        bool gap = slice->kind == SLICE_GAP;
        if ((gap || slice->kind == SLICE_BLOCKED) &&
            amount_difference(slice->to, slice->from) >= collector->shortest) {
            columns->slices[columns->slice_count++] =
                (struct column_slice){.slice = *slice,
                                      .to = slice->to,
                                      .lane = gap ? LANE_STATE : LANE_WAITS,
                                      .depth = gap ? 1 : 0};
        }
    }
}

/* How short the shortest may be for no more than the bound to be left. */
static int64_t shortest_of(const struct run *run)
{
    uint64_t longer[64] = {0}; /* [i]: how many take 2^i ns and more */
    if (run->slices.count <= SLICES_MAX) {
        return 0;
    }
    for (size_t i = 0; i < run->slices.count; i++) {
        int64_t ns = amount_difference(run->slices.at[i].to, run->slices.at[i].from);
        for (unsigned b = 0; b < 62 && ns > 0 && ns >> b; b++) {
            longer[b]++;
        }
    }
    unsigned bits = 0;
    while (bits < 62 && longer[bits] > SLICES_MAX) {
        bits++;
    }
    return (int64_t)1 << bits;
}

static int compare(int64_t one, int64_t other)
{
    return one < other ? -1 : one > other;
}

static int by_row(const void *a, const void *b)
{
    const struct column_slice *one = a;
    const struct column_slice *other = b;
    int order = compare(one->slice.track, other->slice.track);
    order = order ? order : compare(one->lane, other->lane);
    order = order ? order : compare(one->depth, other->depth);
    order = order ? order : compare(one->slice.from, other->slice.from);
    return order ? order : compare(one->to, other->to);
}

static void keep_task(struct columns *columns, uint64_t task, size_t count)
{
    if (task < count && columns->numbers[task] == TASK_NONE) {
        columns->numbers[task] = (uint32_t)columns->task_count;
        columns->tasks[columns->task_count++] = (uint32_t)task;
    }
}

static void choose_tasks(const struct analysis *analysis, struct columns *columns)
{
    const struct run *run = analysis->run;
    size_t count = run->tasks.count;
    columns->tasks = tool_alloc(count, sizeof *columns->tasks);
    columns->numbers = tool_alloc(count, sizeof *columns->numbers);
    for (size_t i = 0; i < count; i++) {
        columns->numbers[i] = TASK_NONE;
    }
    for (size_t i = 0; i < columns->slice_count; i++) {
        const struct slice *slice = &columns->slices[i].slice;
        if (slice->kind == SLICE_TASK) {
            keep_task(columns, slice->what, count);
        } else if (slice->kind == SLICE_BLOCKED) {
            keep_task(columns, slice->a, count);
        }
    }
    for (size_t i = 0; i < run->dag.segments.count; i++) {
        columns->chain_count += analysis->on_path[i] && run->dag.segments.at[i].ns > 0;
    }
}

void columns_make(const struct analysis *analysis, struct columns *columns)
{
    const struct run *run = analysis->run;
    struct collector collector = {.columns = columns, .shortest = shortest_of(run)};
    *columns = (struct columns){.slices = tool_alloc(run->slices.count, sizeof *columns->slices)};
    order_visit(run, &(struct order_visitor){begin_slice, end_slice, &collector});
    add_waits_and_gaps(run, &collector);
    tool_sort(columns->slices, columns->slice_count, sizeof *columns->slices, by_row);
    choose_tasks(analysis, columns);
}

void columns_free(struct columns *columns)
{
    free(columns->slices);
    free(columns->tasks);
    free(columns->numbers);
}

/* ---- deflated, in base64 ---- */

enum { IN_BYTES = 1 << 16, OUT_BYTES = 3 << 14 };

struct packer {
    FILE *out;
    z_stream stream;
    unsigned char in[IN_BYTES];
    unsigned char packed[OUT_BYTES]; /* a multiple of three at a time becomes base64 */
};

static void put_base64(const unsigned char *data, size_t bytes, FILE *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes; i += 3) {
        unsigned b1 = i + 1 < bytes ? data[i + 1] : 0;
        unsigned b2 = i + 2 < bytes ? data[i + 2] : 0;
        unsigned word = (unsigned)data[i] << 16 | b1 << 8 | b2;
        fputc(digits[word >> 18], out);
        fputc(digits[word >> 12 & 63], out);
        fputc(i + 1 < bytes ? digits[word >> 6 & 63] : '=', out);
        fputc(i + 2 < bytes ? digits[word & 63] : '=', out);
    }
}

static void pack(struct packer *packer, size_t bytes, int flush)
{
    packer->stream.next_in = packer->in;
    packer->stream.avail_in = (uInt)bytes;
    int status;
    do {
        status = deflate(&packer->stream, flush);
        if (packer->stream.avail_out == 0 || status == Z_STREAM_END) {
            put_base64(packer->packed, OUT_BYTES - packer->stream.avail_out, packer->out);
            packer->stream.next_out = packer->packed;
            packer->stream.avail_out = OUT_BYTES;
        }
    } while (packer->stream.avail_in > 0 || (flush == Z_FINISH && status == Z_OK));
}

struct column {
    struct packer *packer;
    size_t filled;
    size_t width;
};

static void put(struct column *column, const void *value)
{
    if (column->filled + column->width > IN_BYTES) {
        pack(column->packer, column->filled, Z_NO_FLUSH);
        column->filled = 0;
    }
    memcpy(column->packer->in + column->filled, value, column->width);
    column->filled += column->width;
}

static struct column begin_column(struct packer *packer, size_t width)
{
    return (struct column){.packer = packer, .width = width};
}

static void end_column(struct column *column)
{
    pack(column->packer, column->filled, Z_NO_FLUSH);
}

/* COLUMN(packer, count, type, i, value): a column of `count` values of that type. */
#define COLUMN(packer, number, type, i, expression)                                                \
    do {                                                                                           \
        struct column column_ = begin_column(packer, sizeof(type));                                \
        for (size_t i = 0; i < (number); i++) {                                                    \
            type value_ = (type)(expression);                                                      \
            put(&column_, &value_);                                                                \
        }                                                                                          \
        end_column(&column_);                                                                      \
    } while (0)

static uint32_t number_of(const struct columns *columns, uint64_t task, const struct run *run)
{
    return task < run->tasks.count ? columns->numbers[task] : TASK_NONE;
}

static uint32_t what_of(const struct columns *columns, const struct slice *slice,
                        const struct run *run)
{
    return slice->kind == SLICE_TASK ? number_of(columns, slice->what, run) : slice->what;
}

static double a_of(const struct columns *columns, const struct slice *slice, const struct run *run)
{
    return slice->kind == SLICE_BLOCKED ? (double)number_of(columns, slice->a, run)
                                        : (double)slice->a;
}

static void put_slices(const struct run *run, const struct columns *c, struct packer *packer)
{
    const struct column_slice *s = c->slices;
    size_t n = c->slice_count;
    COLUMN(packer, n, double, i, s[i].slice.from);
    COLUMN(packer, n, double, i, s[i].to);
    COLUMN(packer, n, double, i, a_of(c, &s[i].slice, run));
    COLUMN(packer, n, double, i, s[i].slice.b);
    COLUMN(packer, n, uint32_t, i, what_of(c, &s[i].slice, run));
    COLUMN(packer, n, uint16_t, i, s[i].slice.track);
    COLUMN(packer, n, uint8_t, i, s[i].lane);
    COLUMN(packer, n, uint8_t, i, s[i].depth);
    COLUMN(packer, n, uint8_t, i, s[i].slice.kind);
}

static void put_tasks(const struct analysis *analysis, const struct columns *c,
                      struct packer *packer)
{
    const struct run *run = analysis->run;
    const struct task *t = run->tasks.at;
    size_t n = c->task_count;
    bool *on_path = tool_alloc(run->tasks.count, sizeof *on_path);
    for (size_t i = 0; i < run->dag.segments.count; i++) {
        uint32_t task = run->dag.segments.at[i].task;
        if (task != TASK_NONE && analysis->on_path[i]) {
            on_path[task] = true;
        }
    }
    COLUMN(packer, n, double, i, t[c->tasks[i]].made);
    COLUMN(packer, n, double, i, t[c->tasks[i]].began);
    COLUMN(packer, n, double, i, t[c->tasks[i]].ended);
    COLUMN(packer, n, double, i, t[c->tasks[i]].ran);
    COLUMN(packer, n, double, i, t[c->tasks[i]].waited);
    COLUMN(packer, n, uint32_t, i, number_of(c, t[c->tasks[i]].parent, run));
    COLUMN(packer, n, uint32_t, i, t[c->tasks[i]].name);
    COLUMN(packer, n, uint16_t, i, t[c->tasks[i]].track);
    COLUMN(packer, n, uint16_t, i, t[c->tasks[i]].from);
    COLUMN(packer, n, uint8_t, i, t[c->tasks[i]].how);
    COLUMN(packer, n, uint8_t, i, on_path[c->tasks[i]]);
    free(on_path);
}

static void put_flows(const struct run *run, const struct columns *c, struct packer *packer)
{
    const struct flow *f = run->flows.at;
    size_t n = run->flows.count;
    COLUMN(packer, n, double, i, f[i].from);
    COLUMN(packer, n, double, i, f[i].to);
    COLUMN(packer, n, uint32_t, i, number_of(c, f[i].task, run));
    COLUMN(packer, n, uint16_t, i, f[i].from_track);
    COLUMN(packer, n, uint16_t, i, f[i].to_track);
    COLUMN(packer, n, uint8_t, i, f[i].kind);
}

static void put_chain(const struct analysis *analysis, const struct columns *c,
                      struct packer *packer)
{
    const struct run *run = analysis->run;
    const struct segment *s = run->dag.segments.at;
    uint32_t *chain = tool_alloc(c->chain_count, sizeof *chain);
    size_t n = 0;
    for (size_t i = 0; i < run->dag.segments.count; i++) {
        if (analysis->on_path[i] && s[i].ns > 0) {
            chain[n++] = (uint32_t)i;
        }
    }
    COLUMN(packer, n, double, i, s[chain[i]].start);
    COLUMN(packer, n, double, i, s[chain[i]].ns);
    COLUMN(packer, n, uint32_t, i, number_of(c, s[chain[i]].task, run));
    free(chain);
}

/* 6, zlib's own choice, takes three times as long for 5 % less. */
static const int level = 2;

void columns_write(const struct analysis *analysis, const struct columns *columns, FILE *out)
{
    struct packer *packer = tool_alloc(1, sizeof *packer);
    packer->out = out;
    packer->stream.next_out = packer->packed;
    packer->stream.avail_out = OUT_BYTES;
    if (deflateInit(&packer->stream, level) == Z_OK) {
        put_slices(analysis->run, columns, packer);
        put_tasks(analysis, columns, packer);
        put_flows(analysis->run, columns, packer);
        put_chain(analysis, columns, packer);
        pack(packer, 0, Z_FINISH);
        deflateEnd(&packer->stream);
    }
    free(packer);
}
