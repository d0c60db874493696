/* Perfetto's trace format, by hand: a message is a row of fields, each a number that tells the
 * field and how its value is written, then the value (protobuf.dev, "Encoding"). The numbers of the
 * fields are those of perfetto/protos. */
#include "export.h"

#include <string.h>

#include "order.h"

enum { MESSAGE_BYTES = 4096, SEQUENCE = 1, NAME_BASE = 16 };

/* Trace and TracePacket */
enum { TRACE_PACKET = 1 };
enum {
    PACKET_TIMESTAMP = 8,
    PACKET_SEQUENCE = 10,
    PACKET_TRACK_EVENT = 11,
    PACKET_INTERNED = 12,
    PACKET_FLAGS = 13,
    PACKET_DESCRIPTOR = 60
};
enum { FLAG_STATE_CLEARED = 1, FLAG_NEEDS_STATE = 2 };
/* TrackDescriptor, ProcessDescriptor, CounterDescriptor */
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_PARENT = 5, TRACK_COUNTER = 8 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
/* InternedData, EventName */
enum { INTERNED_EVENT_NAMES = 2 };
enum { NAME_IID = 1, NAME_TEXT = 2 };
/* TrackEvent */
enum {
    EVENT_TYPE = 9,
    EVENT_NAME_IID = 10,
    EVENT_TRACK = 11,
    EVENT_DOUBLE = 44,
    EVENT_FLOW = 47,
    EVENT_FLOW_END = 48
};
enum { TYPE_BEGIN = 1, TYPE_END = 2, TYPE_INSTANT = 3, TYPE_COUNTER = 4 };
enum { WIRE_NUMBER = 0, WIRE_FIXED = 1, WIRE_BYTES = 2 };

struct message {
    unsigned char at[MESSAGE_BYTES];
    size_t bytes;
};

static void put_byte(struct message *message, unsigned byte)
{
    if (message->bytes < MESSAGE_BYTES) {
        message->at[message->bytes++] = (unsigned char)byte;
    }
}

static void put_varint(struct message *message, uint64_t value)
{
    for (; value >= 128; value >>= 7) {
        put_byte(message, (unsigned)(value & 127) | 128);
    }
    put_byte(message, (unsigned)value);
}

static void put_number(struct message *message, unsigned field, uint64_t value)
{
    put_varint(message, field << 3 | WIRE_NUMBER);
    put_varint(message, value);
}

static void put_fixed(struct message *message, unsigned field, uint64_t value)
{
    put_varint(message, field << 3 | WIRE_FIXED);
    for (int i = 0; i < 8; i++) {
        put_byte(message, (unsigned)(value >> (8 * i)) & 255);
    }
}

static void put_bytes(struct message *message, unsigned field, const void *data, size_t bytes)
{
    put_varint(message, field << 3 | WIRE_BYTES);
    put_varint(message, bytes);
    for (size_t i = 0; i < bytes; i++) {
        put_byte(message, ((const unsigned char *)data)[i]);
    }
}

static void put_text(struct message *message, unsigned field, const char *text)
{
    size_t bytes = strlen(text);
    put_bytes(message, field, text, bytes < 2000 ? bytes : 2000);
}

struct perfetto {
    const struct run *run;
    FILE *out;
    struct message packet;
};

static void begin_packet(struct perfetto *perfetto)
{
    perfetto->packet.bytes = 0;
    put_number(&perfetto->packet, PACKET_SEQUENCE, SEQUENCE);
}

static void end_packet(struct perfetto *perfetto)
{
    struct message head = {.bytes = 0};
    put_varint(&head, TRACE_PACKET << 3 | WIRE_BYTES);
    put_varint(&head, perfetto->packet.bytes);
    fwrite(head.at, 1, head.bytes, perfetto->out);
    fwrite(perfetto->packet.at, 1, perfetto->packet.bytes, perfetto->out);
}

/* ---- tracks and names ---- */

static uint64_t track_uuid(size_t track, unsigned lane)
{
    return 1000 + track * LANE_KINDS + lane;
}

static uint64_t counter_uuid(uint32_t name)
{
    return 100000000u + name;
}

static void describe_track(struct perfetto *perfetto, uint64_t uuid, uint64_t parent,
                           const char *name, const struct message *more, unsigned more_field)
{
    struct message track = {.bytes = 0};
    put_number(&track, TRACK_UUID, uuid);
    if (name) {
        put_text(&track, TRACK_NAME, name);
    }
    if (parent) {
        put_number(&track, TRACK_PARENT, parent);
    }
    if (more) {
        put_bytes(&track, more_field, more->at, more->bytes);
    }
    begin_packet(perfetto);
    put_bytes(&perfetto->packet, PACKET_DESCRIPTOR, track.at, track.bytes);
    end_packet(perfetto);
}

static void describe_tracks(struct perfetto *perfetto)
{
    static const char *const lanes[] = {NULL, "states", "spans"};
    const struct trace *trace = perfetto->run->trace;
    struct message process = {.bytes = 0};
    char name[64];
    put_number(&process, PROCESS_PID, trace->header.process_id & 0x7fffffff);
    put_text(&process, PROCESS_NAME, trace->header.program);
    describe_track(perfetto, 1, 0, NULL, &process, TRACK_PROCESS);
    for (size_t i = 0; i < trace->tracks.count; i++) {
        trace_track_name(trace, i, name, sizeof name);
        describe_track(perfetto, track_uuid(i, LANE_TASKS), 1, name, NULL, 0);
        for (unsigned lane = LANE_STATE; lane < LANE_KINDS; lane++) {
            describe_track(perfetto, track_uuid(i, lane), track_uuid(i, LANE_TASKS), lanes[lane],
                           NULL, 0);
        }
    }
}

/* Names of the trace keep their numbers, our own come before them. */
static const char *const own_names[] = {"searching", "searching in vain", "parked", "steal", "wake",
                                        "need"};

static void intern(struct perfetto *perfetto, uint64_t iid, const char *text)
{
    struct message name = {.bytes = 0};
    struct message data = {.bytes = 0};
    put_number(&name, NAME_IID, iid);
    put_text(&name, NAME_TEXT, text);
    put_bytes(&data, INTERNED_EVENT_NAMES, name.at, name.bytes);
    begin_packet(perfetto);
    put_number(&perfetto->packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
    put_bytes(&perfetto->packet, PACKET_INTERNED, data.at, data.bytes);
    end_packet(perfetto);
}

static void intern_names(struct perfetto *perfetto)
{
    begin_packet(perfetto);
    put_number(&perfetto->packet, PACKET_FLAGS, FLAG_STATE_CLEARED);
    end_packet(perfetto);
    for (unsigned i = 0; i < sizeof own_names / sizeof *own_names; i++) {
        intern(perfetto, i + 1, own_names[i]);
    }
    for (uint32_t name = 0; name < 65536; name++) {
        if (name == 0 || perfetto->run->trace->names[name].name) {
            intern(perfetto, NAME_BASE + name, trace_name(perfetto->run->trace, name));
        }
    }
}

static uint64_t iid_of(const struct run *run, const struct slice *slice)
{
    uint32_t name = slice->what;
    switch (slice->kind) {
    case SLICE_SEARCH: return slice->a ? 1 : 2;
    case SLICE_PARKED: return 3;
    case SLICE_TASK: name = run->tasks.at[slice->what].name; break;
    default: break;
    }
    return run->trace->names[name].name ? NAME_BASE + name : NAME_BASE;
}

/* ---- events ---- */

static void put_event(struct perfetto *perfetto, const struct message *event, int64_t ns)
{
    begin_packet(perfetto);
    put_number(&perfetto->packet, PACKET_TIMESTAMP, (uint64_t)ns);
    put_number(&perfetto->packet, PACKET_FLAGS, FLAG_NEEDS_STATE);
    put_bytes(&perfetto->packet, PACKET_TRACK_EVENT, event->at, event->bytes);
    end_packet(perfetto);
}

static struct message new_event(unsigned type, uint64_t uuid)
{
    struct message event = {.bytes = 0};
    put_number(&event, EVENT_TYPE, type);
    put_number(&event, EVENT_TRACK, uuid);
    return event;
}

static void begin_slice(void *context, const struct slice *slice)
{
    struct perfetto *perfetto = context;
    struct message event = new_event(TYPE_BEGIN, track_uuid(slice->track, order_lane(slice)));
    put_number(&event, EVENT_NAME_IID, iid_of(perfetto->run, slice));
    put_event(perfetto, &event, slice->from);
}

static void end_slice(void *context, const struct slice *slice, int64_t ns)
{
    struct perfetto *perfetto = context;
    struct message event = new_event(TYPE_END, track_uuid(slice->track, order_lane(slice)));
    put_event(perfetto, &event, ns);
}

static void put_flows(struct perfetto *perfetto)
{
    for (size_t i = 0; i < perfetto->run->flows.count; i++) {
        const struct flow *flow = &perfetto->run->flows.at[i];
        uint64_t name = 4 + flow->kind;
        struct message from = new_event(TYPE_INSTANT, track_uuid(flow->from_track, LANE_TASKS));
        put_number(&from, EVENT_NAME_IID, name);
        put_fixed(&from, EVENT_FLOW, i + 1);
        put_event(perfetto, &from, flow->from);
        struct message to = new_event(TYPE_INSTANT, track_uuid(flow->to_track, LANE_TASKS));
        put_number(&to, EVENT_NAME_IID, name);
        put_fixed(&to, EVENT_FLOW_END, i + 1);
        put_event(perfetto, &to, flow->to);
    }
}

static void put_samples(struct perfetto *perfetto)
{
    struct table described = {.at = NULL};
    struct message counter = {.bytes = 0};
    for (size_t i = 0; i < perfetto->run->samples.count; i++) {
        const struct sample *sample = &perfetto->run->samples.at[i];
        if (sample->is_mark) {
            struct message mark = new_event(TYPE_INSTANT, track_uuid(sample->track, LANE_TASKS));
            put_number(&mark, EVENT_NAME_IID, NAME_BASE + sample->name);
            put_event(perfetto, &mark, sample->ns);
            continue;
        }
        if (table_get(&described, sample->name + 1u) == TABLE_NONE) {
            table_set(&described, sample->name + 1u, 0);
            describe_track(perfetto, counter_uuid(sample->name), 1,
                           trace_name(perfetto->run->trace, sample->name), &counter, TRACK_COUNTER);
        }
        struct message event = new_event(TYPE_COUNTER, counter_uuid(sample->name));
        uint64_t bits;
        memcpy(&bits, &sample->value, sizeof bits);
        put_fixed(&event, EVENT_DOUBLE, bits);
        put_event(perfetto, &event, sample->ns);
    }
    table_free(&described);
}

void export_perfetto(const struct run *run, FILE *out)
{
    struct perfetto perfetto = {.run = run, .out = out};
    describe_tracks(&perfetto);
    intern_names(&perfetto);
    order_visit(run, &(struct order_visitor){begin_slice, end_slice, &perfetto});
    put_flows(&perfetto);
    put_samples(&perfetto);
}
