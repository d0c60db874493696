/* tracer: what one core writes into the recording that is under way, if one is.
 *
 * A core's tracer is written by the holder of the core alone, with plain stores into a mapped
 * chunk (trace_format.h); threads without a core share one, under the lock of the process's
 * recording. While nothing is recorded a core has none: then a point in the runtime that could be
 * recorded costs one load and one branch. Forks and joins have no such points: at level `all` their
 * lanes are kept poisoned (lane.h), so that the slow paths record them.
 *
 * The same points are probes for the system's tracers (probe.h). */
#ifndef FILCH_TRACER_H
#define FILCH_TRACER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/lane.h>
#include <filch/trace_format.h>

#include "base/private.h"
#include "base/base.h"
#include "os/lock.h"
#include "trace/probe.h"

struct filch_core;
struct filch_recording;

/* The part of the process object that everything which can be recorded looks at. */
struct filch_traces {
    struct filch_lock lock;                      /* the innermost of all locks */
    _Atomic(struct filch_recording *) recording; /* lock to write; NULL: none */
    uint32_t generation;                         /* lock; of the last recording */
    bool asked;                                  /* lock; the environment has been looked at */
};

FILCH_PRIVATE_OBJECT struct filch_traces filch_traces;

enum { FILCH_TRACER_NAMES = 64 };

struct filch_tracer {
    _Atomic(uint32_t) wanted;   /* the starter of a recording: its number */
    struct filch_core *core;    /* constant; NULL: threads without one */
    uint32_t generation;        /* the recording that the rest belongs to */
    uint8_t limit;              /* types from here on are not recorded */
    bool by_ns;                 /* the cycle counter is not to be trusted */
    filch_trace_chunk *chunk;   /* the one that is being filled; NULL: there was none left */
    filch_trace_event *next;    /* in it */
    filch_trace_event *end;     /* of it */
    uint64_t ticks;             /* of the last event */
    enum filch_trace_type last; /* event's type */
    uint64_t compared;          /* when the two clocks were compared last */
    uint64_t sequence;          /* of the next chunk */
    struct {
        uint64_t key;
        uint16_t id;
    } names[FILCH_TRACER_NAMES]; /* what was asked for last */
};

/* A core's place for its tracer. Zero is a valid start. */
struct filch_tracer_seat {
    _Atomic(struct filch_tracer *) tracer; /* starter or stopper of a recording; NULL: none */
    struct filch_tracer *own;              /* lock of the traces; NULL: there never was one */
};

/* What only the scheduler knows, which is above. */
struct filch_tracer_host {
    /* The seat of the core that the calling thread holds, or NULL. *thread: its number; not written
     * if that is not known. */
    struct filch_tracer_seat *(*here)(uint64_t *thread);

    /* What runs on that core, for readers of the chunk without the one before it. The lock of
     * the traces is held. */
    void (*describe)(struct filch_core *core, struct filch_recording *recording,
                     filch_trace_chunk *chunk);
};

/* To be said before the first core is made; each time the same. */
FILCH_PRIVATE void filch_tracer_hosted_by(const struct filch_tracer_host *host);

/* `subject`: what the event is about, or NULL: of a BLOCK the name of what is waited for (static),
 * of SPAN, SPAN_END, COUNTER and MARK a name of the program's (copied), of all others a
 * filch_function_info. */
FILCH_PRIVATE FILCH_APART void filch_tracer_write(struct filch_tracer *tracer,
                                                  enum filch_trace_type type, unsigned detail,
                                                  const void *subject, uint64_t argument);

/* The same on whatever core the calling thread holds, or on none. */
FILCH_PRIVATE FILCH_APART void filch_tracer_write_here(enum filch_trace_type type, unsigned detail,
                                                       const void *subject, uint64_t argument);

/* The holder: is an event of that type recorded? */
FILCH_PRIVATE bool filch_tracer_wants(struct filch_tracer *tracer, enum filch_trace_type type);

/* A core is new, or a recording has begun: see that it takes part. One has ended: that it does not,
 * unless another one has begun already. */
FILCH_PRIVATE void filch_tracer_attach(
    struct filch_tracer_seat *seat, /* nothing, if nothing is recorded */
    struct filch_core *core);
FILCH_PRIVATE void filch_tracer_detach(
    struct filch_tracer_seat *seat); /* nothing, if something is */

/* Is something recorded? A glance: a writer looks properly. */
static inline bool filch_trace_is_on(void)
{
    /* relaxed: as said */
    return FILCH_UNLIKELY(atomic_load_explicit(&filch_traces.recording, memory_order_relaxed) !=
                          NULL);
}

/* Record something where the calling thread is, if something is recorded. */
static inline void filch_trace(enum filch_trace_type type, unsigned detail, const void *subject,
                               uint64_t argument)
{
    FILCH_PROBE(type, detail, subject, argument);
    if (filch_trace_is_on()) {
        filch_tracer_write_here(type, detail, subject, argument);
    }
}

/* The same for the holder of a core with that seat. */
static inline void filch_trace_on(struct filch_tracer_seat *seat, enum filch_trace_type type,
                                  unsigned detail, const void *subject, uint64_t argument)
{
    FILCH_PROBE(type, detail, subject, argument);
    /* acquire: pairs with the release in filch_tracer_attach */
    struct filch_tracer *tracer = atomic_load_explicit(&seat->tracer, memory_order_acquire);
    if (FILCH_UNLIKELY(tracer)) {
        filch_tracer_write(tracer, type, detail, subject, argument);
    }
}

/* Is an event of that type recorded there? */
static inline bool filch_trace_wants(struct filch_tracer_seat *seat, enum filch_trace_type type)
{
    /* acquire: as above */
    struct filch_tracer *tracer = atomic_load_explicit(&seat->tracer, memory_order_acquire);
    return FILCH_UNLIKELY(tracer) && filch_tracer_wants(tracer, type);
}

static inline uint64_t filch_trace_name_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

/* The name of something that came from core number `from` less one; 0: from nowhere. */
static inline uint64_t filch_trace_name_from(const void *object, unsigned from)
{
    return (filch_trace_name_of(object) & 0xffffffffffff) | (uint64_t)from << 48;
}

#endif
