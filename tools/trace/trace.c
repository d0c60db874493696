#include "trace.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "input.h"
#include "memory.h"

enum { TRACKS_MAX = 5000, WORKERS_MAX = 1024, CHUNKS_MAX = INT_MAX };

static const uint32_t chunk_magic = 'F' | 'T' << 8 | 'C' << 16 | (uint32_t)'1' << 24;

/* Where a chunk of events lies, and to whom it belongs. */
struct piece {
    uint64_t sequence;
    long offset; /* in the file */
    uint16_t track;
};

struct reader {
    struct input input;
    struct trace *trace;
    struct clock clock;
    struct table tracks;
    struct {
        struct piece *at;
        size_t count, room;
    } pieces;
    union {
        filch_trace_chunk chunk;
        unsigned char bytes[FILCH_TRACE_CHUNK_BYTES];
    } buffer;
};

/* How many bytes there are of the chunk at that place; 0: it is none. */
static size_t load(struct reader *reader, long offset)
{
    memset(&reader->buffer, 0, sizeof reader->buffer);
    size_t got = fseek(reader->input.file, offset, SEEK_SET) == 0
                     ? fread(&reader->buffer, 1, sizeof reader->buffer, reader->input.file)
                     : 0;
    bool is_chunk = got >= sizeof reader->buffer.chunk && reader->buffer.chunk.magic == chunk_magic;
    return is_chunk ? got : 0;
}

static const filch_trace_event *event_at(const struct reader *reader, size_t index)
{
    const unsigned char *events = reader->buffer.bytes + FILCH_TRACE_CHUNK_HEADER_BYTES;
    return (const filch_trace_event *)(const void *)events + index;
}

/* ---- names ---- */

static char *copy_text(const unsigned char *from, size_t bytes)
{
    char *text = tool_alloc(bytes + 1, 1);
    memcpy(text, from, bytes);
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\0') {
            text[i] = ' ';
        }
    }
    return text;
}

static void read_names(struct reader *reader)
{
    size_t at = FILCH_TRACE_CHUNK_HEADER_BYTES;
    filch_trace_name name;
    while (at + sizeof name <= FILCH_TRACE_CHUNK_BYTES) {
        memcpy(&name, reader->buffer.bytes + at, sizeof name);
        size_t bytes = sizeof name + name.name_bytes + name.file_bytes;
        if (name.id == 0) {
            return;
        }
        if (at + bytes > FILCH_TRACE_CHUNK_BYTES || name.kind < FILCH_TRACE_FUNCTION ||
            name.kind > FILCH_TRACE_LABEL) {
            reader->trace->damaged++;
            return;
        }
        struct trace_name *place = &reader->trace->names[name.id];
        if (!place->name) {
            const unsigned char *text = reader->buffer.bytes + at + sizeof name;
            *place = (struct trace_name){copy_text(text, name.name_bytes),
                                         copy_text(text + name.name_bytes, name.file_bytes),
                                         name.line, (enum filch_trace_name_kind)name.kind};
        }
        at += (bytes + 7) & ~(size_t)7;
    }
}

/* ---- first pass: what there is, and how the clocks go ---- */

/* TABLE_NONE: it is damaged, or there are too many. */
static uint32_t track_of(struct reader *reader, const filch_trace_chunk *chunk)
{
    struct trace *trace = reader->trace;
    bool outside = chunk->kind == FILCH_TRACE_OUTSIDE;
    uint32_t workers = chunk->workers < WORKERS_MAX ? chunk->workers : WORKERS_MAX;
    if (!outside && (chunk->pool == 0 || chunk->core >= 65536)) {
        return TABLE_NONE;
    }
    uint64_t key = outside ? UINT64_MAX : (uint64_t)chunk->pool << 16 | chunk->core;
    uint32_t track = table_get(&reader->tracks, key);
    if (track == TABLE_NONE && trace->tracks.count < TRACKS_MAX) {
        track = (uint32_t)trace->tracks.count;
        *ARRAY_PUSH(trace->tracks) =
            (struct trace_track){.kind = outside ? FILCH_TRACE_OUTSIDE : FILCH_TRACE_CORE,
                                 .pool = outside ? 0 : chunk->pool,
                                 .core = outside ? 0 : chunk->core,
                                 .workers = outside ? 0 : workers};
        table_set(&reader->tracks, key, track);
    }
    return track;
}

static void survey_events(struct reader *reader)
{
    uint64_t ticks = reader->buffer.chunk.base_ticks;
    clock_add(&reader->clock, ticks, reader->buffer.chunk.base_ns);
    for (size_t i = 0; i < FILCH_TRACE_EVENTS && event_at(reader, i)->head; i++) {
        const filch_trace_event *event = event_at(reader, i);
        unsigned type = event->head & 255;
        ticks = type == FILCH_TRACE_TIME ? event->argument : ticks + (event->head >> 32);
        if (type == FILCH_TRACE_CLOCK) {
            clock_add(&reader->clock, ticks, event->argument);
        }
    }
}

static void survey_chunk(struct reader *reader, long offset)
{
    const filch_trace_chunk *chunk = &reader->buffer.chunk;
    reader->trace->chunks++;
    if (chunk->kind == FILCH_TRACE_NAMES) {
        read_names(reader);
        return;
    }
    bool events = chunk->kind == FILCH_TRACE_CORE || chunk->kind == FILCH_TRACE_OUTSIDE;
    uint32_t track = events ? track_of(reader, chunk) : TABLE_NONE;
    if (track != TABLE_NONE) {
        survey_events(reader);
        *ARRAY_PUSH(reader->pieces) = (struct piece){chunk->sequence, offset, (uint16_t)track};
    } else if (chunk->kind != FILCH_TRACE_UNUSED) {
        reader->trace->damaged++;
    }
}

/* ---- second pass: events ---- */

/* False: what follows in this chunk cannot be understood. */
static bool decode(struct reader *reader, const filch_trace_event *raw, uint16_t track,
                   uint64_t *ticks)
{
    unsigned type = raw->head & 255;
    if (type >= FILCH_TRACE_TYPES) {
        return false;
    }
    *ticks = type == FILCH_TRACE_TIME ? raw->argument : *ticks + (raw->head >> 32);
    if (!clock_knows(&reader->clock, *ticks)) {
        return false;
    }
    if (type != FILCH_TRACE_TIME && type != FILCH_TRACE_CLOCK) {
        *ARRAY_PUSH(reader->trace->events) =
            (struct trace_event){.ns = clock_ns(&reader->clock, *ticks),
                                 .argument = raw->argument,
                                 .track = track,
                                 .name = (uint16_t)(raw->head >> 16),
                                 .type = (uint8_t)type,
                                 .detail = (uint8_t)(raw->head >> 8)};
    }
    return true;
}

static int64_t last_of(const struct reader *reader, uint16_t track)
{
    size_t count = reader->trace->events.count;
    const struct trace_event *last = count ? &reader->trace->events.at[count - 1] : NULL;
    return last && last->track == track ? last->ns : 0;
}

static void note_gap(struct reader *reader, uint16_t track)
{
    const filch_trace_chunk *chunk = &reader->buffer.chunk;
    struct trace_gap *gap = ARRAY_PUSH(reader->trace->gaps);
    *gap = (struct trace_gap){
        .track = track,
        .from = last_of(reader, track),
        .to = clock_ns(&reader->clock, chunk->base_ticks),
        .fiber = chunk->fiber,
        .open_count = chunk->open_count < FILCH_TRACE_OPEN ? chunk->open_count : FILCH_TRACE_OPEN};
    for (unsigned i = 0; i < gap->open_count; i++) {
        gap->open[i] = chunk->open[i].site & 65535;
    }
}

static void decode_chunk(struct reader *reader, const struct piece *piece, bool follows)
{
    if (!load(reader, piece->offset)) {
        reader->trace->damaged++;
        return;
    }
    uint64_t ticks = reader->buffer.chunk.base_ticks;
    if (!clock_knows(&reader->clock, ticks)) {
        reader->trace->damaged++;
        return;
    }
    if (!follows) {
        note_gap(reader, piece->track);
    }
    for (size_t i = 0; i < FILCH_TRACE_EVENTS && event_at(reader, i)->head; i++) {
        if (!decode(reader, event_at(reader, i), piece->track, &ticks)) {
            reader->trace->damaged++;
            return;
        }
    }
}

static int by_track_and_sequence(const void *a, const void *b)
{
    const struct piece *one = a;
    const struct piece *other = b;
    if (one->track != other->track) {
        return one->track < other->track ? -1 : 1;
    }
    return one->sequence < other->sequence ? -1 : one->sequence > other->sequence;
}

/* Each track is in order; merge them, two at a time. Stable. */
static void merge(struct trace_event *events, struct trace_event *spare, size_t begin, size_t end)
{
    if (end - begin < 2) {
        return;
    }
    size_t middle = begin + (end - begin) / 2;
    merge(events, spare, begin, middle);
    merge(events, spare, middle, end);
    if (events[middle - 1].ns <= events[middle].ns) {
        return;
    }
    memcpy(spare + begin, events + begin, (middle - begin) * sizeof *events);
    size_t left = begin;
    size_t right = middle;
    for (size_t out = begin; left < middle; out++) {
        bool take_right = right < end && events[right].ns < spare[left].ns;
        events[out] = take_right ? events[right++] : spare[left++];
    }
}

static int by_name(const void *a, const void *b)
{
    const struct trace_track *one = a;
    const struct trace_track *other = b;
    if (one->kind != other->kind) {
        return one->kind < other->kind ? -1 : 1; /* those outside come last */
    }
    if (one->pool != other->pool) {
        return one->pool < other->pool ? -1 : 1;
    }
    return one->core < other->core ? -1 : one->core > other->core;
}

/* Tracks in the order of their names, not in that of their first chunks. */
static void sort_tracks(struct reader *reader)
{
    struct trace *trace = reader->trace;
    uint16_t *now = tool_alloc(trace->tracks.count, sizeof *now);
    for (size_t i = 0; i < trace->tracks.count; i++) {
        trace->tracks.at[i].found = (uint16_t)i;
    }
    ARRAY_SORT(trace->tracks, by_name);
    for (size_t i = 0; i < trace->tracks.count; i++) {
        now[trace->tracks.at[i].found] = (uint16_t)i;
    }
    for (size_t i = 0; i < reader->pieces.count; i++) {
        reader->pieces.at[i].track = now[reader->pieces.at[i].track];
    }
    free(now);
}

static void read_events(struct reader *reader)
{
    struct trace *trace = reader->trace;
    sort_tracks(reader);
    ARRAY_SORT(reader->pieces, by_track_and_sequence);
    for (size_t i = 0; i < reader->pieces.count; i++) {
        const struct piece *piece = &reader->pieces.at[i];
        bool first = i == 0 || piece[-1].track != piece->track;
        bool follows = piece->sequence == (first ? 0 : piece[-1].sequence + 1);
        decode_chunk(reader, piece, follows);
    }
    struct trace_event *spare = tool_alloc(trace->events.count, sizeof *spare);
    merge(trace->events.at, spare, 0, trace->events.count);
    free(spare);
}

/* ---- the whole ---- */

static const char *check_header(const filch_trace_header *header, size_t got)
{
    if (got < sizeof *header || memcmp(header->magic, FILCH_TRACE_MAGIC, 8) != 0) {
        return "this is not a filch trace";
    }
    if (header->version != FILCH_TRACE_VERSION) {
        return "this trace is of another version";
    }
    if (header->header_bytes != FILCH_TRACE_HEADER_BYTES ||
        header->chunk_bytes != FILCH_TRACE_CHUNK_BYTES || header->ticks_per_second < 1000 ||
        header->ticks_per_second > 1000000000000u) {
        return "this trace is damaged";
    }
    return NULL;
}

static void survey(struct reader *reader)
{
    struct trace *trace = reader->trace;
    for (long offset = FILCH_TRACE_HEADER_BYTES; offset < reader->input.bytes;
         offset += FILCH_TRACE_CHUNK_BYTES) {
        size_t got = load(reader, offset);
        if (got) {
            survey_chunk(reader, offset);
            trace->damaged += got < FILCH_TRACE_CHUNK_BYTES;
        }
    }
    size_t given = trace->header.chunks < CHUNKS_MAX ? trace->header.chunks : CHUNKS_MAX;
    if (given > trace->chunks) { /* they were written, and are not to be seen */
        trace->damaged += given - trace->chunks;
        trace->chunks = given;
    }
}

static void read_all(struct reader *reader)
{
    struct trace *trace = reader->trace;
    filch_trace_header *header = &trace->header;
    header->library[sizeof header->library - 1] = '\0';
    header->program[sizeof header->program - 1] = '\0';
    clock_begin(&reader->clock, header->start_ticks, header->start_ns, header->ticks_per_second);
    survey(reader);
    if (header->end_ns > header->start_ns) {
        clock_add(&reader->clock, header->end_ticks, header->end_ns);
        trace->ended = true;
    }
    clock_fit(&reader->clock);
    read_events(reader);
    size_t count = trace->events.count;
    trace->end = count ? trace->events.at[count - 1].ns : 0;
    if (trace->ended && clock_knows(&reader->clock, header->end_ticks)) {
        int64_t end = clock_ns(&reader->clock, header->end_ticks);
        trace->end = end > trace->end ? end : trace->end;
    }
}

static bool begins_like_one(const void *data, size_t bytes)
{
    return check_header(data, bytes) == NULL;
}

struct trace *trace_read(const char *path, const char **why)
{
    struct reader *reader = tool_alloc(1, sizeof *reader);
    struct trace *trace = tool_alloc(1, sizeof *trace);
    trace->names = tool_alloc(TRACE_NAMES, sizeof *trace->names);
    reader->trace = trace;
    *why = NULL;
    if (input_open(&reader->input, path, sizeof trace->header, begins_like_one, why)) {
        size_t got = fread(&trace->header, 1, sizeof trace->header, reader->input.file);
        *why = check_header(&trace->header, got);
    }
    if (!*why) {
        read_all(reader);
    }
    input_close(&reader->input);
    table_free(&reader->tracks);
    clock_free(&reader->clock);
    free(reader->pieces.at);
    free(reader);
    if (*why) {
        trace_free(trace);
        return NULL;
    }
    return trace;
}
