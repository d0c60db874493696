/* trace: what is in a file of the format of <filch/trace_format.h>, in the order of time.
 *
 * A file may be cut off anywhere, hold garbage, or be written by a program that still runs: what
 * can be understood is read, what cannot is counted. */
#ifndef FILCH_TOOL_TRACE_H
#define FILCH_TOOL_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/trace_format.h>

struct trace_event {
    int64_t ns; /* since the recording began */
    uint64_t argument;
    uint16_t track;
    uint16_t name;
    uint8_t type;
    uint8_t detail;
};

struct trace_track {
    enum filch_trace_chunk_kind kind; /* CORE or OUTSIDE */
    uint32_t pool;
    uint32_t core;
    uint32_t workers; /* of the pool; a core from there on is a guest's */
    uint16_t found;   /* its place in the order of first chunks */
};

/* Events of a track were dropped there. */
struct trace_gap {
    uint16_t track;
    int64_t from;
    int64_t to;
    uint64_t fiber; /* what ran after it; 0: nothing */
    uint32_t open_count;
    uint32_t open[FILCH_TRACE_OPEN]; /* names of the tasks that were open then */
};

struct trace_name {
    char *name; /* NULL: not in the trace */
    char *file;
    uint32_t line;
    enum filch_trace_name_kind kind;
};

enum { TRACE_NAME_LENT = 65534 }; /* not in traces: what a fiber that lent its core waits for */

enum { TRACE_NAMES = 65536 }; /* numbers of names, used or not */

struct trace {
    filch_trace_header header;
    struct {
        struct trace_event *at;
        size_t count, room;
    } events;
    struct {
        struct trace_track *at;
        size_t count, room;
    } tracks;
    struct {
        struct trace_gap *at;
        size_t count, room;
    } gaps;
    struct trace_name *names; /* 65,536 of them */
    int64_t end;              /* the last thing in it */
    bool ended;               /* by itself */
    size_t chunks;
    size_t damaged; /* of them: lost, cut short, or with something that could not be understood */
};

/* Read it, a regular file or, "-", the standard input. NULL: *why says what it is not. */
struct trace *trace_read(const char *path, const char **why);
void trace_free(struct trace *trace);

/* Never NULL. */
const char *trace_name(const struct trace *trace, uint32_t name);

/* "core 3", "pool 2 core 3", "guest 1", "outside". */
void trace_track_name(const struct trace *trace, size_t track, char *text, size_t bytes);

#endif
