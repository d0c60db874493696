#include "trace/tracer.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "trace/recording.h"

enum { COMPARE_TICKS = 10000000 }; /* the clocks are compared at most so often */

/* Two words; the first makes it valid. */
static inline void place(struct filch_tracer *tracer, uint64_t head, uint64_t argument)
{
    FILCH_ASSERT(tracer->next < tracer->end);
    filch_trace_event *event = tracer->next++;
    /* relaxed, then release: pairs with the acquire of a snapshot; a reader of the file sees
     * an event whole or not at all */
    __atomic_store_n(&event->argument, argument, __ATOMIC_RELAXED);
    __atomic_store_n(&event->head, head, __ATOMIC_RELEASE);
}

/* ---- a fresh chunk ---- */

static const struct filch_tracer_host *core_host; /* NULL: there are no cores */

void filch_tracer_hosted_by(const struct filch_tracer_host *scheduler)
{
    /* relaxed, here and below: a constant; a thread that knows a core has seen it */
    __atomic_store_n(&core_host, scheduler, __ATOMIC_RELAXED);
}

static const struct filch_tracer_host *cores_now(void)
{
    return __atomic_load_n(&core_host, __ATOMIC_RELAXED);
}

static void renew_locked(struct filch_recording *recording, struct filch_tracer *tracer)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
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
        cores_now()->describe(tracer->core, recording, chunk);
    }
    uint32_t kind = tracer->core ? FILCH_TRACE_CORE : FILCH_TRACE_OUTSIDE;
    /* release: one that reads the file while it is written sees the rest of the header */
    __atomic_store_n(&chunk->kind, kind, __ATOMIC_RELEASE);
}

static void renew(struct filch_tracer *tracer)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
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
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
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
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 58);
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
                                 unsigned detail, const void *subject, uint64_t argument,
                                 uint64_t thread)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    struct filch_tracer *tracer = &recording->outside;
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

/* Something is recorded; the calling thread holds no core. */
static void write_outside(enum filch_trace_type type, unsigned detail, const void *subject,
                          uint64_t argument, uint64_t thread)
{
    /* acquire: pairs with the release in install; a glance, looked at again under the lock */
    if (!atomic_load_explicit(&filch_traces.recording, memory_order_acquire)) {
        return;
    }
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording && type < recording->limit) {
        write_outside_locked(recording, type, detail, subject, argument,
                             thread ? thread : filch_os_thread_id());
    }
    filch_lock_release(&filch_traces.lock);
}

void filch_tracer_write_here(enum filch_trace_type type, unsigned detail, const void *subject,
                             uint64_t argument)
{
    const struct filch_tracer_host *cores = cores_now();
    uint64_t thread = 0;
    struct filch_tracer_seat *seat = cores ? cores->here(&thread) : NULL;
    /* acquire: as in filch_trace_on */
    struct filch_tracer *tracer =
        seat ? atomic_load_explicit(&seat->tracer, memory_order_acquire) : NULL;
    if (tracer) {
        filch_tracer_write(tracer, type, detail, subject, argument);
    } else if (!seat) {
        write_outside(type, detail, subject, argument, thread);
    }
}

/* ---- taking part ---- */

void filch_tracer_attach(struct filch_tracer_seat *seat, struct filch_core *core)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording && !seat->own) {
        seat->own = filch_calloc(1, sizeof *seat->own); /* none: it is left out */
        if (seat->own) {
            seat->own->core = core;
        }
    }
    if (recording && seat->own) {
        /* release, both: pair with the acquires in ready and filch_trace_on */
        atomic_store_explicit(&seat->own->wanted, recording->generation, memory_order_release);
        atomic_store_explicit(&seat->tracer, seat->own, memory_order_release);
    }
    filch_lock_release(&filch_traces.lock);
}

void filch_tracer_detach(struct filch_tracer_seat *seat)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    /* relaxed, both: under the lock. One that records a moment longer does no harm: recording.h. */
    if (!atomic_load_explicit(&filch_traces.recording, memory_order_relaxed)) {
        atomic_store_explicit(&seat->tracer, (struct filch_tracer *)NULL, memory_order_relaxed);
    }
    filch_lock_release(&filch_traces.lock);
}
