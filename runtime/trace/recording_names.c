/* The numbers of names in a recording, and where they are spelled out. */
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "trace/recording.h"

enum { NAMES_MAX = 60000 }; /* names with a number of their own */

static bool grow_table_locked(struct filch_recording *recording)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    size_t size = recording->table_size * 2;
    struct filch_recorded_name *table = filch_calloc(size, sizeof *table);
    if (!table) {
        return false;
    }
    for (size_t i = 0; i < recording->table_size; i++) {
        if (recording->table[i].id) {
            size_t at = (size_t)recording->table[i].key & (size - 1);
            while (table[at].id) {
                at = (at + 1) & (size - 1);
            }
            table[at] = recording->table[i];
        }
    }
    filch_free(recording->table);
    recording->table = table;
    recording->table_size = size;
    return true;
}

struct spelling {
    const char *name;
    const char *file;
    uint32_t line;
};

static struct spelling spelling_of(enum filch_trace_name_kind kind, const void *subject)
{
    const filch_function_info *info = subject;
    return kind == FILCH_TRACE_FUNCTION
               ? (struct spelling){info->name, info->file ? info->file : "", (uint32_t)info->line}
               : (struct spelling){subject, "", 0};
}

static uint16_t length_of(const char *text)
{
    const char *end = memchr(text, '\0', FILCH_TRACE_NAME_BYTES_MAX);
    return (uint16_t)(end ? (size_t)(end - text) : FILCH_TRACE_NAME_BYTES_MAX);
}

/* Write it down. False: no chunk is left. */
static bool spell_locked(struct filch_recording *recording, uint16_t id,
                         enum filch_trace_name_kind kind, const void *subject)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    struct spelling spelling = spelling_of(kind, subject);
    uint16_t name_bytes = length_of(spelling.name);
    uint16_t file_bytes = length_of(spelling.file);
    size_t bytes = (sizeof(filch_trace_name) + name_bytes + file_bytes + 7u) & ~(size_t)7;
    if (!recording->names || recording->names_bytes + bytes > FILCH_TRACE_CHUNK_BYTES) {
        /* a full chunk of names is not given back: it is needed as long as there are events */
        filch_trace_chunk *chunk = filch_recording_chunk_locked(recording, NULL);
        if (!chunk) {
            return false;
        }
        chunk->sequence = recording->names_sequence++;
        chunk->kind = FILCH_TRACE_NAMES;
        recording->names = chunk;
        recording->names_bytes = sizeof *chunk;
    }
    unsigned char *place = (unsigned char *)recording->names + recording->names_bytes;
    filch_trace_name *name = (filch_trace_name *)(void *)place;
    name->line = spelling.line;
    name->name_bytes = name_bytes;
    name->file_bytes = file_bytes;
    memcpy(place + sizeof *name, spelling.name, name_bytes);
    memcpy(place + sizeof *name + name_bytes, spelling.file, file_bytes);
    name->kind = (uint16_t)kind;
    /* release: one that reads the file while it is written sees the rest */
    __atomic_store_n(&name->id, id, __ATOMIC_RELEASE);
    recording->names_bytes += bytes;
    return true;
}

uint16_t filch_recording_name_locked(struct filch_recording *recording, uint64_t key,
                                     enum filch_trace_name_kind kind, const void *subject)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_traces.lock));
    if (recording->table_used * 2 >= recording->table_size && !grow_table_locked(recording)) {
        return FILCH_TRACE_NAME_OTHER;
    }
    uint64_t mixed = (key ^ key >> 32) * 0x9e3779b97f4a7c15u; /* multiplicative hashing */
    mixed = mixed ^ mixed >> 32;
    size_t at = (size_t)mixed & (recording->table_size - 1);
    while (recording->table[at].id && recording->table[at].key != mixed) {
        at = (at + 1) & (recording->table_size - 1);
    }
    struct filch_recorded_name *entry = &recording->table[at];
    if (!entry->id) {
        uint16_t id = (uint16_t)(recording->table_used + 1);
        if (id > NAMES_MAX || !spell_locked(recording, id, kind, subject)) {
            return FILCH_TRACE_NAME_OTHER;
        }
        *entry = (struct filch_recorded_name){mixed, id};
        recording->table_used++;
    }
    return entry->id;
}
