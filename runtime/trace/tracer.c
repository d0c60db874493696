#include "trace/tracer.h"

#include <string.h>

#include "base/memory.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/strand.h"
#include "sched/thread.h"
#include "trace/recording.h"

struct filch_traces filch_traces; /* zero is a valid start */

enum { COMPARE_TICKS = 10000000 }; /* the clocks are compared at most so often */

/* Two words; the first makes it valid. */
static inline void place(struct filch_tracer *tracer, uint64_t head, uint64_t argument)
{
    filch_trace_event *event = tracer->next++;
    /* relaxed, then release: pairs with the acquire of a snapshot; a reader of the file sees
     * an event whole or not at all */
    __atomic_store_n(&event->argument, argument, __ATOMIC_RELAXED);
    __atomic_store_n(&event->head, head, __ATOMIC_RELEASE);
}

/* ---- a fresh chunk ---- */

/* What runs on the core, for those who read the chunk without the one before it. */
static void describe(filch_trace_chunk *chunk, struct filch_core *core)
{
    /* relaxed, both: the holder itself */
    struct filch_thread *holder = atomic_load_explicit(&core->holder, memory_order_relaxed);
    filch_lane *lane = atomic_load_explicit(&core->lane, memory_order_relaxed);
    struct filch_strand *strand = lane ? filch_strand_of_lane(lane) : NULL;
    chunk->pool = core->pool->number;
    chunk->core = core->index;
    chunk->workers = core->pool->config.workers;
    chunk->thread = holder ? holder->parker.thread : 0;
    chunk->strand = filch_trace_name_of(strand);
}

static void describe_tasks(struct filch_recording *recording, filch_trace_chunk *chunk,
                           struct filch_core *core)
{
    filch_lane *lane = atomic_load_explicit(&core->lane, memory_order_relaxed); /* as above */
    struct filch_frame *frame = lane ? filch_strand_of_lane(lane)->frame : NULL;
    unsigned depth = 0;
    for (struct filch_frame *each = frame; each; each = each->parent) {
        depth++;
    }
    chunk->open_count = depth;
    for (; frame; frame = frame->parent) {
        depth--;
        if (depth < FILCH_TRACE_OPEN && frame->info) {
            chunk->open[depth].site = filch_recording_name_locked(
                recording, filch_trace_name_of(frame->info), FILCH_TRACE_FUNCTION, frame->info);
        }
    }
}

static void renew_locked(struct filch_recording *recording, struct filch_tracer *tracer)
{
    bool same = tracer->generation == recording->generation;
    if (!same) {
        memset(tracer->names, 0, sizeof tracer->names);
        tracer->generation = recording->generation;
        tracer->limit = recording->limit;
        tracer->by_ns = recording->by_ns;
        tracer->sequence = 0;
    }
    filch_trace_chunk *chunk = filch_recording_chunk_locked(recording, same ? tracer->chunk : NULL);
    tracer->chunk = chunk;
    tracer->next = tracer->end = NULL;
    if (!chunk) {
        return;
    }
    tracer->next = (filch_trace_event *)(void *)(chunk + 1);
    tracer->end = tracer->next + FILCH_TRACE_EVENTS;
    tracer->ticks = chunk->base_ticks;
    chunk->sequence = tracer->sequence++;
    if (tracer->core) {
        describe(chunk, tracer->core);
        describe_tasks(recording, chunk, tracer->core);
    }
    uint32_t kind = tracer->core ? FILCH_TRACE_CORE : FILCH_TRACE_OUTSIDE;
    /* release: whoever reads the file while it is written sees the rest of the header */
    __atomic_store_n(&chunk->kind, kind, __ATOMIC_RELEASE);
}

static void renew(struct filch_tracer *tracer)
{
    filch_lock_acquire(&filch_traces.lock);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording) {
        renew_locked(recording, tracer);
    } else {
        tracer->chunk = NULL;
        tracer->next = tracer->end = NULL;
    }
    filch_lock_release(&filch_traces.lock);
}

/* Is there room for two events, in a chunk of the recording that is under way? */
static inline bool ready(struct filch_tracer *tracer)
{
    /* acquire: pairs with the release in attach */
    uint32_t wanted = atomic_load_explicit(&tracer->wanted, memory_order_acquire);
    if (FILCH_LIKELY(tracer->generation == wanted && tracer->end - tracer->next >= 2)) {
        return true;
    }
    if (tracer->generation == wanted && !tracer->chunk) {
        return false; /* the recording is full */
    }
    renew(tracer);
    return tracer->chunk != NULL;
}

/* ---- names ---- */

static enum filch_trace_name_kind kind_of(enum filch_trace_type type)
{
    switch (type) {
    case FILCH_TRACE_BLOCK: return FILCH_TRACE_WAIT;
    case FILCH_TRACE_SPAN:
    case FILCH_TRACE_SPAN_END:
    case FILCH_TRACE_COUNTER:
    case FILCH_TRACE_MARK: return FILCH_TRACE_LABEL;
    default: return FILCH_TRACE_FUNCTION;
    }
}

/* What tells names apart: the address of a constant; the text of others, by FNV-1a (Fowler, Noll &
 * Vo, 1991). Odd: no address of a descriptor is. */
static uint64_t key_of(enum filch_trace_name_kind kind, const void *subject)
{
    if (kind != FILCH_TRACE_LABEL) {
        return filch_trace_name_of(subject);
    }
    uint64_t hash = 0xcbf29ce484222325u;
    const char *text = subject;
    for (size_t i = 0; i < FILCH_TRACE_NAME_BYTES_MAX && text[i]; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    }
    return hash | 1;
}

static uint16_t ask_for_name(uint64_t key, enum filch_trace_name_kind kind, const void *subject)
{
    uint16_t id = FILCH_TRACE_NAME_OTHER;
    filch_lock_acquire(&filch_traces.lock);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording) {
        id = filch_recording_name_locked(recording, key, kind, subject);
    }
    filch_lock_release(&filch_traces.lock);
    return id;
}

static uint16_t name_of(struct filch_tracer *tracer, enum filch_trace_type type,
                        const void *subject)
{
    if (!subject) {
        return 0;
    }
    enum filch_trace_name_kind kind = kind_of(type);
    uint64_t key = key_of(kind, subject);
    size_t at = key * 0x9e3779b97f4a7c15u >> 58;
    if (tracer->names[at].key != key) {
        tracer->names[at].id = ask_for_name(key, kind, subject);
        tracer->names[at].key = key;
    }
    return tracer->names[at].id;
}

_Static_assert(FILCH_TRACER_NAMES == 64, "name_of takes six bits of the hash");

/* ---- events ---- */

/* What follows the end of a task at once happened when it did: one look at the clock serves both.
 * Were there a wait in between, there would be an event of it. */
static bool follows_at_once(enum filch_trace_type type, enum filch_trace_type last)
{
    return (last == FILCH_TRACE_END || last == FILCH_TRACE_END_OWN) &&
           (type == FILCH_TRACE_BEGIN || type == FILCH_TRACE_BEGIN_OWN ||
            type == FILCH_TRACE_JOINED);
}

/* There is room. */
static inline void append(struct filch_tracer *tracer, enum filch_trace_type type, unsigned detail,
                          uint16_t name, uint64_t argument)
{
    uint64_t passed = 0;
    if (!follows_at_once(type, tracer->last)) {
        uint64_t now = tracer->by_ns ? filch_os_now_ns() : filch_os_ticks();
        passed = now > tracer->ticks ? now - tracer->ticks : 0; /* processors differ a little */
        tracer->ticks += passed;
    }
    if (FILCH_UNLIKELY(passed > UINT32_MAX)) {
        place(tracer, FILCH_TRACE_TIME, tracer->ticks);
        passed = 0;
    }
    tracer->last = type;
    place(tracer,
          (uint64_t)type | (uint64_t)(detail & 255) << 8 | (uint64_t)name << 16 | passed << 32,
          argument);
}

bool filch_tracer_wants(struct filch_tracer *tracer, enum filch_trace_type type)
{
    return ready(tracer) && type < tracer->limit;
}

void filch_tracer_write(struct filch_tracer *tracer, enum filch_trace_type type, unsigned detail,
                        const void *subject, uint64_t argument)
{
    if (!filch_tracer_wants(tracer, type)) {
        return;
    }
    uint16_t name = name_of(tracer, type, subject);
    append(tracer, type, detail, name, argument);
    if (type == FILCH_TRACE_FREE && tracer->ticks - tracer->compared > COMPARE_TICKS &&
        tracer->end - tracer->next >= 2) {
        tracer->compared = tracer->ticks;
        append(tracer, FILCH_TRACE_CLOCK, 0, 0, filch_os_now_ns()); /* there is time for it now */
    }
}

static void write_outside_locked(struct filch_recording *recording, enum filch_trace_type type,
                                 unsigned detail, const void *subject, uint64_t argument)
{
    struct filch_tracer *tracer = &recording->outside;
    struct filch_thread *self = filch_thread_known();
    uint64_t thread = self ? self->parker.thread : filch_os_thread_id();
    bool fresh = tracer->end - tracer->next < 4;
    if (fresh && (tracer->chunk || !tracer->sequence)) {
        renew_locked(recording, tracer);
    }
    if (!tracer->chunk) {
        return;
    }
    uint16_t name = subject ? filch_recording_name_locked(recording, key_of(kind_of(type), subject),
                                                          kind_of(type), subject)
                            : 0;
    if (fresh || thread != recording->outside_thread) {
        recording->outside_thread = thread;
        append(tracer, FILCH_TRACE_THREAD, 0, 0, thread);
    }
    append(tracer, type, detail, name, argument);
}

/* Somebody records; the calling thread holds no core. */
static void write_outside(enum filch_trace_type type, unsigned detail, const void *subject,
                          uint64_t argument)
{
    /* acquire: pairs with the release in install; a glance, looked at again under the lock */
    if (!atomic_load_explicit(&filch_traces.recording, memory_order_acquire)) {
        return;
    }
    filch_lock_acquire(&filch_traces.lock);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording && type < recording->limit) {
        write_outside_locked(recording, type, detail, subject, argument);
    }
    filch_lock_release(&filch_traces.lock);
}

void filch_tracer_write_here(enum filch_trace_type type, unsigned detail, const void *subject,
                             uint64_t argument)
{
    struct filch_thread *thread = filch_thread_known();
    /* acquire: as in filch_trace_on */
    struct filch_tracer *tracer =
        thread && thread->core ? atomic_load_explicit(&thread->core->tracer, memory_order_acquire)
                               : NULL;
    if (tracer) {
        filch_tracer_write(tracer, type, detail, subject, argument);
    } else if (!thread || !thread->core) {
        write_outside(type, detail, subject, argument);
    }
}

/* ---- taking part ---- */

void filch_tracer_attach(struct filch_core *core)
{
    filch_lock_acquire(&filch_traces.lock);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording && !core->own_tracer) {
        core->own_tracer = filch_calloc(1, sizeof *core->own_tracer); /* none: it is left out */
        if (core->own_tracer) {
            core->own_tracer->core = core;
        }
    }
    if (recording && core->own_tracer) {
        /* release, both: pair with the acquires in ready and filch_core_trace */
        atomic_store_explicit(&core->own_tracer->wanted, recording->generation,
                              memory_order_release);
        atomic_store_explicit(&core->tracer, core->own_tracer, memory_order_release);
    }
    filch_lock_release(&filch_traces.lock);
}

void filch_tracer_detach(struct filch_core *core)
{
    filch_lock_acquire(&filch_traces.lock);
    /* relaxed, both: under the lock. Who records a moment longer does no harm, see recording.h. */
    if (!atomic_load_explicit(&filch_traces.recording, memory_order_relaxed)) {
        atomic_store_explicit(&core->tracer, (struct filch_tracer *)NULL, memory_order_relaxed);
    }
    filch_lock_release(&filch_traces.lock);
}
