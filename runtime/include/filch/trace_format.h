/* filch/trace_format.h: the raw trace format, byte by byte, version 1.
 *
 * A trace is a header of FILCH_TRACE_HEADER_BYTES and chunks of FILCH_TRACE_CHUNK_BYTES, one after
 * the other, as the structs below lay them out; numbers are those of the machine that wrote it
 * (little-endian: the magic tells). A writer dies at any moment: what was written until then stays
 * readable. A chunk is filled from its front; an event, or a name, whose first word is zero is not
 * there yet, and neither is anything after it.
 *
 * Each chunk of events belongs to one track (a core, or all threads that hold none) and can be read
 * alone: its header tells the time at its start and what was going on. The chunks of a track are
 * numbered; a number that is missing was dropped, because the recording had a bound.
 *
 * Times are ticks of the header's clock, each event's since the one before it in its chunk. Pairs
 * of ticks and nanoseconds are in the header, in each chunk's and in events of their own.
 *
 * Threads are named by the kernel's numbers, other things by their addresses, which are used again
 * for others after they are gone. What an address means is decided by order: a SPAWN, PUBLISH or
 * FORK makes something of that name, the next BEGIN with that name begins it.
 *
 * Types of events have been added since version 1 was new, and may be: a reader skips those that it
 * does not know. The last: NEEDS and NEED. */
#ifndef FILCH_TRACE_FORMAT_H
#define FILCH_TRACE_FORMAT_H

#include <stdint.h>

#include <filch/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FILCH_TRACE_MAGIC "filchtr"
#define FILCH_TRACE_VERSION 1
#define FILCH_TRACE_HEADER_BYTES 4096
#define FILCH_TRACE_CHUNK_BYTES 65536
#define FILCH_TRACE_CHUNK_HEADER_BYTES 256
#define FILCH_TRACE_EVENTS                                                                         \
    ((FILCH_TRACE_CHUNK_BYTES - FILCH_TRACE_CHUNK_HEADER_BYTES) / sizeof(filch_trace_event))
#define FILCH_TRACE_OPEN 10 /* tasks named in a chunk's header */

/* At offset 0. What is not named is zero. */
typedef struct filch_trace_header {
    char magic[8];         /* FILCH_TRACE_MAGIC */
    uint32_t version;      /* FILCH_TRACE_VERSION */
    uint32_t header_bytes; /* FILCH_TRACE_HEADER_BYTES */
    uint32_t chunk_bytes;  /* FILCH_TRACE_CHUNK_BYTES */
    uint32_t level;        /* filch_trace_level */
    uint32_t clock;        /* 0: ticks are nanoseconds; 1: a cycle counter */
    uint32_t processors;
    uint64_t ticks_per_second; /* about */
    uint64_t start_ticks;
    uint64_t start_ns; /* of the monotonic clock */
    uint64_t end_ticks;
    uint64_t end_ns;  /* 0: it did not end, or the program did not end by itself */
    uint64_t chunks;  /* given out so far; fewer with a magic in the file: some are lost */
    uint64_t full_ns; /* not 0: when the recording stopped because its bound was reached */
    uint64_t process_id;
    char library[32]; /* its version */
    char program[256];
} filch_trace_header;

enum filch_trace_chunk_kind {
    FILCH_TRACE_UNUSED = 0,
    FILCH_TRACE_CORE = 1,    /* events of a core */
    FILCH_TRACE_OUTSIDE = 2, /* events of threads that hold no core */
    FILCH_TRACE_NAMES = 3,   /* what the numbers of sites mean */
};

/* A task that was open when the chunk was begun. */
typedef struct filch_trace_open {
    uint64_t object;
    uint32_t site;
    uint32_t reserved;
} filch_trace_open;

/* At the start of each chunk. */
typedef struct filch_trace_chunk {
    uint32_t magic;    /* 'F','T','C','1' */
    uint32_t kind;     /* enum filch_trace_chunk_kind; written last */
    uint32_t pool;     /* the pools of a process count from 1 */
    uint32_t core;     /* counts from 0 */
    uint64_t sequence; /* of its track, from 0; of all chunks of names */
    uint64_t base_ticks;
    uint64_t base_ns;
    uint64_t fiber;      /* what runs on the core; 0: none */
    uint64_t thread;     /* the kernel's number of the thread that holds it */
    uint32_t open_count; /* of `open`, outermost first; more may be open than are named */
    uint32_t workers;    /* of the pool; cores from there on are for guests */
    filch_trace_open open[FILCH_TRACE_OPEN];
    uint8_t reserved[32];
} filch_trace_chunk;

/* Sixteen bytes; both words little-endian. `argument` is written first. */
typedef struct filch_trace_event {
    FILCH_ALIGNED(8) /* bits 0-7 type, 8-15 detail, 16-31 site, 32-63 ticks since the one before */
    uint64_t head;
    uint64_t argument;
} filch_trace_event;

/* Types of events; an outcome is 2 signalled, 3 timed out, 4 closed, 5 deadlocked. With each:
 * detail; site; argument. "from": one more than the index of the core that it was stolen from, 0:
 * of none, in bits 48-63 of the argument, whose lower 48 bits are an address. Types from
 * FILCH_TRACE_TASKS_FROM on are recorded from level `tasks` on, and so on. */
enum filch_trace_type {
    FILCH_TRACE_NOTHING = 0,
    FILCH_TRACE_TIME = 1,    /* -; -; the ticks of now: deltas start from here */
    FILCH_TRACE_CLOCK = 2,   /* -; -; the nanoseconds of now */
    FILCH_TRACE_HOLD = 3,    /* 0 a pool's thread, 1 a guest; -; thread: the core is held */
    FILCH_TRACE_FREE = 4,    /* -; -; -: it is held no longer */
    FILCH_TRACE_ENTER = 5,   /* -; -; fiber: it runs on the core from now on */
    FILCH_TRACE_SEARCH = 6,  /* -; -; -: the core looks for work */
    FILCH_TRACE_FOUND = 7,   /* 1 something, 0 nothing; -; rounds of looking */
    FILCH_TRACE_PUBLISH = 8, /* 1 a piece of a loop; what; slot: others can take it from now on */
    FILCH_TRACE_RECLAIM = 9, /* -; -; slot: no thief has taken it, it is the owner's again */
    FILCH_TRACE_BEGIN = 10,  /* enum filch_trace_how; what; from + slot or task: it begins here */
    /* -; -; what it counts for: itself, its loop, group or pipeline. What began last on this fiber
     * has ended. */
    FILCH_TRACE_END = 11,
    FILCH_TRACE_BLOCK = 12,    /* flags; what for; the object waited for: the fiber waits */
    FILCH_TRACE_GO_ON = 13,    /* outcome; -; thread: its wait is over; a fiber's ENTER says it */
    FILCH_TRACE_READY = 14,    /* outcome; -; fiber or thread: its wait was ended from here */
    FILCH_TRACE_WAKE = 15,     /* -; -; -: a sleeping thread of the pool is woken */
    FILCH_TRACE_LEND = 16,     /* 1 lent, 0 back; -; fiber: it keeps its thread without the core */
    FILCH_TRACE_THREAD = 17,   /* -; -; thread: the events after this one are its */
    FILCH_TRACE_LOOP = 18,     /* -; what; elements: a loop begins on this fiber */
    FILCH_TRACE_LOOP_END = 19, /* -; what; loop: it has ended, all of it */
    FILCH_TRACE_SPAN = 20,     /* -; name; -: a section of the program's own begins */
    FILCH_TRACE_SPAN_END = 21, /* -; name; - */
    FILCH_TRACE_COUNTER = 22,  /* -; name; the bits of a double */
    FILCH_TRACE_MARK = 23,     /* -; name; a number of the program's own */
    FILCH_TRACE_YIELD = 24,    /* -; -; fiber: it stands in line behind the others */

    FILCH_TRACE_TASKS_FROM = 64,
    FILCH_TRACE_SPAWN = 64,     /* -; what; task: it was submitted */
    FILCH_TRACE_BEGIN_OWN = 65, /* as BEGIN, of what was spawned on this core */
    FILCH_TRACE_END_OWN = 66,   /* as END */
    FILCH_TRACE_JOINED = 67,    /* -; -; slot, task, group ...: its end was seen without a wait */
    FILCH_TRACE_CHUNK = 68,     /* -; what; first element: a run of a loop's elements begins */
    FILCH_TRACE_CHUNK_END = 69, /* -; what; one more than its last */
    FILCH_TRACE_STAGE = 70,     /* -; what; item: a stage of a pipeline, or its source, begins */
    FILCH_TRACE_STAGE_END = 71, /* -; what; item */
    /* enum filch_trace_needs; what; task: it is not to begin, or a future that is no task not to be
     * ready, before some others have ended, which the NEEDs of the same fiber or thread name, up to
     * its next NEEDS. Their names mean the same until it has begun. */
    FILCH_TRACE_NEEDS = 72,
    FILCH_TRACE_NEED = 73, /* -; what, 0: no task's, but a promise's; task: it is one of them */

    FILCH_TRACE_ALL_FROM = 96,
    FILCH_TRACE_FORK = 96,       /* -; what; slot: latent work */
    FILCH_TRACE_BEGIN_JOIN = 97, /* as BEGIN: its owner runs it at the join */
    FILCH_TRACE_END_JOIN = 98,   /* as END */

    FILCH_TRACE_TYPES = 128,
};

/* What a BLOCK waits for: the end of other work; or something from outside of the program. */
enum filch_trace_block { FILCH_TRACE_FOR_WORK = 1, FILCH_TRACE_FOR_OUTSIDE = 2 };

/* Of which others a NEEDS is: of all that are named, or of one of them. */
enum filch_trace_needs { FILCH_TRACE_NEEDS_ALL = 0, FILCH_TRACE_NEEDS_ANY = 1 };

/* How something came to begin. */
enum filch_trace_how {
    FILCH_TRACE_OWN = 0,      /* from the own core's deque or queue */
    FILCH_TRACE_STOLEN = 1,   /* from another core */
    FILCH_TRACE_INJECTED = 2, /* from outside, or put off */
    FILCH_TRACE_REGION = 3,   /* a call from outside of the pool */
    FILCH_TRACE_HELPED = 4,   /* by one that waits for it */
};

enum filch_trace_name_kind {
    FILCH_TRACE_FUNCTION = 1, /* with file and line */
    FILCH_TRACE_WAIT = 2,     /* what a fiber can wait for */
    FILCH_TRACE_LABEL = 3,    /* the program's own */
};

/* In a chunk of names, after its header: these, each followed by its bytes without a terminator,
 * filled up to a multiple of 8. */
typedef struct filch_trace_name {
    uint16_t id;   /* not 0; 65535: all that found no number of their own. Written last. */
    uint16_t kind; /* enum filch_trace_name_kind */
    uint32_t line;
    uint16_t name_bytes;
    uint16_t file_bytes; /* they follow the name's */
    uint32_t reserved;
} filch_trace_name;

#define FILCH_TRACE_NAME_OTHER 65535u
#define FILCH_TRACE_NAME_BYTES_MAX 1024u

#ifdef __cplusplus
}
#endif

#endif
