#include "trace/recording.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "os/os_file.h"
#include "os/os_ticks.h"

struct filch_traces filch_traces; /* zero is a valid start */

enum {
    GROW_CHUNKS = 64,       /* a file grows by so many at most at a time */
    CALIBRATE_NS = 1000000, /* how long the two clocks are compared at the start */
    NAMES = 256,            /* places in the table of names at first; a power of two */
    LEAST_CHUNKS = 8,
};

static const uint32_t chunk_magic = 'F' | 'T' << 8 | 'C' << 16 | (uint32_t)'1' << 24;

_Static_assert(sizeof(filch_trace_header) == 384 &&
                   sizeof(filch_trace_chunk) == FILCH_TRACE_CHUNK_HEADER_BYTES &&
                   sizeof(filch_trace_event) == 16 && sizeof(filch_trace_name) == 16,
               "the format of a file does not depend on a compiler");

/* The types that a level leaves out. */
static const uint8_t level_limits[] = {0, FILCH_TRACE_TASKS_FROM, FILCH_TRACE_ALL_FROM,
                                       FILCH_TRACE_TYPES};

static filch_trace_header *header_of(struct filch_recording *recording)
{
    return (filch_trace_header *)(void *)recording->base;
}

static filch_trace_chunk *chunk_at(struct filch_recording *recording, size_t index)
{
    return (filch_trace_chunk *)(void *)(recording->base + FILCH_TRACE_HEADER_BYTES +
                                         index * FILCH_TRACE_CHUNK_BYTES);
}

static size_t bytes_for(size_t chunks)
{
    return FILCH_TRACE_HEADER_BYTES + chunks * FILCH_TRACE_CHUNK_BYTES;
}

uint64_t filch_recording_ticks(bool by_ns)
{
    return by_ns ? filch_os_now_ns() : filch_os_ticks();
}

/* ---- the file ---- */

static bool grow_to(struct filch_recording *recording, size_t chunks)
{
    if (chunks <= recording->chunks || !filch_os_file_grow(recording->file, bytes_for(chunks))) {
        return false;
    }
    recording->chunks = chunks;
    return true;
}

/* False: the bound is reached, or the disk is full. */
static bool grow_recording_locked(struct filch_recording *recording)
{
    size_t wanted = recording->chunks + recording->chunks / 2 + 4;
    if (wanted > recording->chunks + GROW_CHUNKS) {
        wanted = recording->chunks + GROW_CHUNKS;
    }
    if (wanted > recording->chunk_limit) {
        wanted = recording->chunk_limit;
    }
    return wanted > recording->chunks &&
           (grow_to(recording, wanted) || grow_to(recording, recording->chunks + 1));
}

/* ---- beginning ---- */

static void set_clock(struct filch_recording *recording)
{
    filch_trace_header *header = header_of(recording);
    header->clock = !recording->by_ns;
    header->start_ns = filch_os_now_ns();
    header->start_ticks = filch_recording_ticks(recording->by_ns);
    header->ticks_per_second = 1000000000;
    if (!recording->by_ns) {
        uint64_t now_ns;
        while ((now_ns = filch_os_now_ns()) < header->start_ns + CALIBRATE_NS) {
            filch_relax();
        }
        double passed = (double)(filch_os_ticks() - header->start_ticks);
        header->ticks_per_second = (uint64_t)(passed * 1e9 / (double)(now_ns - header->start_ns));
    }
}

static void fill_header(struct filch_recording *recording,
                        const struct filch_recording_options *options)
{
    filch_trace_header *header = header_of(recording);
    header->version = FILCH_TRACE_VERSION;
    header->header_bytes = FILCH_TRACE_HEADER_BYTES;
    header->chunk_bytes = FILCH_TRACE_CHUNK_BYTES;
    header->level = options->level;
    header->processors = filch_os_affinity_count();
    header->process_id = filch_os_process_id();
    snprintf(header->library, sizeof header->library, "%s", options->library);
    filch_os_program(header->program, sizeof header->program);
    set_clock(recording);
    memcpy(header->magic, FILCH_TRACE_MAGIC, sizeof FILCH_TRACE_MAGIC); /* from now on it is one */
}

/* Undo what has been made; parts that have not are zero, or -1. */
static void dismantle_recording(struct filch_recording *recording)
{
    if (recording->base) {
        filch_os_file_retire(recording->base, bytes_for(recording->used),
                             bytes_for(recording->chunk_limit));
    }
    filch_os_file_close(recording->file);
    filch_free(recording->busy);
    filch_free(recording->table);
    filch_free(recording);
}

static filch_status open_memory(struct filch_recording *recording,
                                const struct filch_recording_options *options)
{
    size_t chunks = options->limit_bytes / FILCH_TRACE_CHUNK_BYTES;
    recording->chunk_limit = chunks > LEAST_CHUNKS ? chunks : LEAST_CHUNKS;
    recording->ring = !options->path;
    recording->chunks = recording->ring ? recording->chunk_limit : 0;
    recording->table = filch_calloc(NAMES, sizeof *recording->table);
    recording->table_size = NAMES;
    recording->busy = recording->ring ? filch_calloc(recording->chunk_limit, sizeof(bool)) : NULL;
    if (!recording->table || (recording->ring && !recording->busy)) {
        return FILCH_ENOMEM;
    }
    filch_status status =
        options->path ? filch_os_file_open(options->path, &recording->file) : FILCH_OK;
    if (status == FILCH_OK && options->path && !grow_recording_locked(recording)) {
        status = FILCH_EAGAIN; /* without a chunk it would be a recording of nothing */
    }
    if (status == FILCH_OK) {
        recording->base = filch_os_file_map(recording->file, bytes_for(recording->chunk_limit));
        status = recording->base ? FILCH_OK : FILCH_ENOMEM;
    }
    return status;
}

static filch_status install(struct filch_recording *recording)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    /* relaxed: under the lock */
    bool first = !atomic_load_explicit(&filch_traces.recording, memory_order_relaxed);
    if (first) {
        recording->generation = ++filch_traces.generation;
        recording->outside.generation = recording->generation;
        /* release: pairs with the acquire in filch_tracer_write_here */
        atomic_store_explicit(&filch_traces.recording, recording, memory_order_release);
    }
    filch_lock_release(&filch_traces.lock);
    return first ? FILCH_OK : FILCH_EALREADY;
}

static bool is_recording(void)
{
    /* relaxed: a glance; install() looks again */
    return atomic_load_explicit(&filch_traces.recording, memory_order_relaxed) != NULL;
}

filch_status filch_recording_begin(const struct filch_recording_options *options)
{
    if (is_recording()) {
        return FILCH_EALREADY; /* before the file is emptied */
    }
    struct filch_recording *recording = filch_calloc(1, sizeof *recording);
    if (!recording) {
        return FILCH_ENOMEM;
    }
    recording->file = -1;
    recording->by_ns = !filch_os_ticks_agree();
    recording->limit = level_limits[options->level];
    recording->outside.limit = recording->limit;
    recording->outside.by_ns = recording->by_ns;
    filch_status status = open_memory(recording, options);
    if (status == FILCH_OK) {
        fill_header(recording, options);
        status = install(recording);
    }
    if (status != FILCH_OK) {
        dismantle_recording(recording);
    }
    return status;
}

/* ---- ending ---- */

void filch_recording_abandon(void)
{
    filch_lock_init(&filch_traces.lock);
    filch_traces.asked = false;
    /* relaxed, both: there is no other thread */
    struct filch_recording *recording =
        atomic_load_explicit(&filch_traces.recording, memory_order_relaxed);
    atomic_store_explicit(&filch_traces.recording, (struct filch_recording *)NULL,
                          memory_order_relaxed);
    if (recording) {
        filch_os_file_close(recording->file); /* the lock on it stays the parent's */
    }
}

static void stamp_end_locked(struct filch_recording *recording)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    filch_trace_header *header = header_of(recording);
    header->end_ticks = filch_recording_ticks(recording->by_ns);
    header->end_ns = filch_os_now_ns();
}

void filch_recording_finish(void)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    struct filch_recording *recording = filch_recording_now_locked();
    if (recording) {
        stamp_end_locked(recording);
    }
    filch_lock_release(&filch_traces.lock);
}

bool filch_recording_end(void)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    struct filch_recording *recording = filch_recording_now_locked();
    /* relaxed: a thread that records a moment longer does no harm */
    atomic_store_explicit(&filch_traces.recording, (struct filch_recording *)NULL,
                          memory_order_relaxed);
    if (recording) {
        stamp_end_locked(recording);
        if (recording->file >= 0) {
            filch_os_file_cut(recording->file, bytes_for(recording->used));
        }
    }
    filch_lock_release(&filch_traces.lock);
    if (recording) {
        dismantle_recording(recording);
    }
    return recording != NULL;
}

/* ---- chunks ---- */

static size_t index_of(struct filch_recording *recording, const filch_trace_chunk *chunk)
{
    size_t offset = (size_t)((const unsigned char *)chunk - recording->base);
    return (offset - FILCH_TRACE_HEADER_BYTES) / FILCH_TRACE_CHUNK_BYTES;
}

static filch_trace_chunk *oldest_locked(struct filch_recording *recording)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    for (size_t i = 0; i < recording->chunk_limit; i++) {
        size_t index = recording->hand;
        recording->hand = (recording->hand + 1) % recording->chunk_limit;
        if (!recording->busy[index]) {
            memset(chunk_at(recording, index), 0, FILCH_TRACE_CHUNK_BYTES);
            return chunk_at(recording, index);
        }
    }
    return NULL;
}

static filch_trace_chunk *unused_locked(struct filch_recording *recording)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    if (recording->used < recording->chunks ||
        (!recording->ring && recording->used < recording->chunk_limit &&
         grow_recording_locked(recording))) {
        filch_trace_chunk *chunk = chunk_at(recording, recording->used++);
        filch_os_file_prepare(chunk, FILCH_TRACE_CHUNK_BYTES);
        return chunk;
    }
    return recording->ring ? oldest_locked(recording) : NULL;
}

filch_trace_chunk *filch_recording_chunk_locked(struct filch_recording *recording,
                                                filch_trace_chunk *previous)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    filch_trace_header *header = header_of(recording);
    if (previous && recording->ring) {
        recording->busy[index_of(recording, previous)] = false;
    }
    filch_trace_chunk *chunk = header->full_ns ? NULL : unused_locked(recording);
    if (!chunk && !recording->ring && !header->full_ns) {
        header->full_ns = filch_os_now_ns();
    }
    if (!chunk) {
        return NULL; /* of a ring: all are being written, others have to do without */
    }
    if (recording->ring) {
        recording->busy[index_of(recording, chunk)] = true;
    }
    header->chunks++;
    chunk->magic = chunk_magic;
    chunk->base_ticks = filch_recording_ticks(recording->by_ns);
    chunk->base_ns = filch_os_now_ns();
    return chunk;
}

/* ---- snapshots ---- */

typedef uint64_t aligned_word __attribute__((aligned(8))); /* which not all processors ask for */

/* Others write to it at the same time: word by word, the second of an event first. */
static void copy_chunk(uint64_t *to, filch_trace_chunk *chunk)
{
    aligned_word *from = (aligned_word *)(void *)chunk;
    for (size_t i = FILCH_TRACE_CHUNK_BYTES / 8; i-- > 0;) {
        /* acquire: pairs with the release in filch_tracer_write; from behind, so that whatever is
         * seen of an event is preceded by what came before it. */
        to[i] = __atomic_load_n(&from[i], __ATOMIC_ACQUIRE);
    }
}

static filch_status write_locked(struct filch_recording *recording, int file, uint64_t *buffer)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    size_t used = recording->used;
    stamp_end_locked(recording);
    memset(buffer, 0, FILCH_TRACE_HEADER_BYTES);
    filch_trace_header *header = memcpy(buffer, recording->base, sizeof *header);
    header->chunks = used;
    bool written = filch_os_file_write(file, buffer, FILCH_TRACE_HEADER_BYTES);
    for (size_t i = 0; i < used && written; i++) {
        copy_chunk(buffer, chunk_at(recording, i));
        written = filch_os_file_write(file, buffer, FILCH_TRACE_CHUNK_BYTES);
    }
    return written ? FILCH_OK : FILCH_EAGAIN;
}

filch_status filch_recording_snapshot(const char *path)
{
    int file = -1;
    if (!is_recording()) {
        return FILCH_EINVAL; /* before the file is emptied */
    }
    uint64_t *buffer = filch_malloc(FILCH_TRACE_CHUNK_BYTES);
    filch_status status = buffer ? filch_os_file_open(path, &file) : FILCH_ENOMEM;
    if (status == FILCH_OK) {
        filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
        /* relaxed: under the lock */
        struct filch_recording *recording =
            atomic_load_explicit(&filch_traces.recording, memory_order_relaxed);
        status = recording ? write_locked(recording, file, buffer) : FILCH_EINVAL;
        filch_lock_release(&filch_traces.lock);
    }
    filch_os_file_close(file);
    filch_free(buffer);
    return status;
}
