/* recording: what all tracers of the process write into: a mapped file, or a ring in memory.
 *
 * There is at most one at a time. Its chunks are given out one by one, under one lock; so are the
 * numbers of names. A file grows until its bound is reached, then the recording is over; a ring
 * takes back the oldest chunk that no thread writes to. The memory is never unmapped while one
 * might still write: when a recording stops, its chunks are replaced by memory that none reads.
 *
 * The file is a shared mapping: what was written is in it even if the process is killed. */
#ifndef FILCH_RECORDING_H
#define FILCH_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/status.h>
#include <filch/trace_format.h>

#include "base/private.h"
#include "trace/tracer.h"

struct filch_recorded_name {
    uint64_t key;
    uint16_t id; /* 0: the place is free */
};

struct filch_recording {
    uint32_t generation;               /* constant */
    uint8_t limit;                     /* constant; types from here on are not recorded */
    bool by_ns;                        /* constant */
    bool ring;                         /* constant */
    int file;                          /* constant; -1: none, it is in memory */
    size_t chunk_limit;                /* constant */
    unsigned char *base;               /* constant: the header, then the chunks */
    size_t chunks;                     /* filch_traces.lock; this many are backed */
    size_t used;                       /* lock; this many were given out, of a ring at least once */
    size_t hand;                       /* lock; a ring's: where to look for the oldest */
    bool *busy;                        /* lock; a ring's chunks that are being written; or NULL */
    struct filch_tracer outside;       /* lock; what threads without a core write with */
    uint64_t outside_thread;           /* lock; the last to write with it */
    filch_trace_chunk *names;          /* lock; the chunk of names that is being filled, or NULL */
    size_t names_bytes;                /* lock; filled of it */
    uint64_t names_sequence;           /* lock */
    struct filch_recorded_name *table; /* lock; open addressing */
    size_t table_size;                 /* lock; a power of two */
    size_t table_used;                 /* lock */
};

struct filch_recording_options {
    const char *path;    /* NULL: a ring in memory */
    size_t limit_bytes;  /* of the whole */
    unsigned level;      /* 1 .. 3 */
    const char *library; /* its version */
};

/* Begin one, which no thread writes to yet. FILCH_EALREADY: there is one; FILCH_EINVAL: the path
 * is no regular file of the caller's own, or a link; FILCH_EBUSY: another process records there;
 * FILCH_EAGAIN: no space or descriptor; FILCH_ENOMEM. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_recording_begin(const struct filch_recording_options *options);

/* End it: no thread writes to it any more. False: there is none. */
FILCH_PRIVATE bool filch_recording_end(void);

/* In the child of a fork(): the recording is the parent's. */
FILCH_PRIVATE void filch_recording_abandon(void);

/* The process ends: say so in the header. Writers go on. */
FILCH_PRIVATE void filch_recording_finish(void);

/* Copy it as it is now to a file of that name. Errors: as begin; FILCH_EINVAL: there is none. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_recording_snapshot(const char *path);

/* The rest with the lock of the traces held. */

/* The one that is under way, or NULL. */
static inline struct filch_recording *filch_recording_now_locked(void)
{
    /* relaxed: written under the lock */
    return atomic_load_explicit(&filch_traces.recording, memory_order_relaxed);
}

/* A fresh chunk of that kind, zero but for base and sequence, for which `previous` is given back.
 * NULL: there is none left. */
FILCH_PRIVATE filch_trace_chunk *filch_recording_chunk_locked(struct filch_recording *recording,
                                                              filch_trace_chunk *previous);

/* The number of a name. FILCH_TRACE_NAME_OTHER: there are none left. */
FILCH_PRIVATE uint16_t filch_recording_name_locked(struct filch_recording *recording, uint64_t key,
                                                   enum filch_trace_name_kind kind,
                                                   const void *subject);

/* The time on the recording's clock. */
FILCH_PRIVATE uint64_t filch_recording_ticks(bool by_ns);

#endif
