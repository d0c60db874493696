/* filch/trace.h: recording what the pools do, to see afterwards where the time went.
 *
 *     FILCH_TRACE=run.ftrace ./program          # nothing is to be rebuilt
 *     FILCH_TRACE=run.ftrace:tasks ./program    # more detail: a level (sched, tasks, all)
 *     filch-trace run.ftrace                    # a report
 *     filch-trace view run.ftrace -o run.html   # a page that opens in any browser
 *
 * or, from the program, a stretch of its run:
 *
 *     filch_trace_start(&(filch_trace_options){.path = "slow.ftrace",
 *                                              .level = FILCH_TRACE_LEVEL_ALL});
 *     work();
 *     filch_trace_stop();
 *
 * or all the time, in a ring in memory that is written out when something was odd:
 *
 *     filch_trace_start(&(filch_trace_options){.path = NULL});
 *     ...
 *     filch_trace_snapshot("odd.ftrace");
 *
 * There is one recording in a process at a time, of all its pools. A file is a shared mapping: what
 * was recorded is in it even if the program crashes. It belongs to its user alone (mode 0600);
 * links are not followed; a file that another process records to is left alone (with FILCH_TRACE,
 * the second process appends its number to the name, and %p in the name is the process's number).
 * The program is never harmed: where there is no space on the disk, or the process may not write so
 * much (ulimit -f), the recording ends there, or does not begin. With FILCH_TRACE a warning says
 * that it did not begin; so it does when what follows the last colon is no level, unless it has a
 * dot, a slash or a digit in it: then it is a part of the file's name.
 *
 * What it costs while nothing is recorded: nothing at a fork or a join, a load and a branch at
 * other points. An event costs some 20 ns in a ring, 12 of them for the processor's clock in the
 * virtual machine it was measured on, and about twice that in a file, whose pages the system must
 * make. The format is documented in filch/trace_format.h. Where <sys/sdt.h> was there when the
 * library was built, the same points are probes for perf, bpftrace and the like: filch:event. */
#ifndef FILCH_TRACE_API_H
#define FILCH_TRACE_API_H

#include <stddef.h>
#include <stdint.h>

#include <filch/macros.h>
#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each level records what those before it do. */
typedef enum filch_trace_level {
    FILCH_TRACE_LEVEL_SCHED = 1, /* steals, sleeps, wake-ups, waits: the default */
    FILCH_TRACE_LEVEL_TASKS = 2, /* every task, what it needs, every run of a loop's elements */
    FILCH_TRACE_LEVEL_ALL = 3    /* every fork and join of tasks that begin, or go on after a wait,
                                    while it is recorded: each fork then costs some 170 ns more */
} filch_trace_level;

/* Zero is the default of each. */
typedef struct filch_trace_options {
    const char *path;        /* NULL: a ring in memory, for filch_trace_snapshot() */
    filch_trace_level level; /* default FILCH_TRACE_LEVEL_SCHED */
    size_t limit_bytes;      /* default 1 GiB (on 32 bits 64 MiB), of a ring 16 MiB; at least 512
                                KiB. A file that has reached it is complete; a ring keeps the
                                newest. Each core needs 64 KiB: cores that find none are left out */
} filch_trace_options;

/* Effect: from now on all pools are recorded; an existing file is overwritten. NULL: the defaults.
 * Errors: FILCH_EALREADY: something is being recorded; FILCH_EINVAL: an option is out of bounds, or
 * the path is no regular file of the caller's own, has several names or cannot be opened;
 * FILCH_EBUSY: another process records there; FILCH_EAGAIN: no disk space, no descriptor, or the
 * process may not write so much (ulimit -f);
 * FILCH_ENOMEM. Threads: any. Blocks for a millisecond, to compare clocks. */
filch_status filch_trace_start(const filch_trace_options *options);

/* Effect: ends the recording. A ring that was not written out is lost.
 * Errors: FILCH_EINVAL: there is none. Threads: any. Does not block. */
filch_status filch_trace_stop(void);

/* Effect: writes what is recorded so far to a file of that name; the recording goes on.
 * Errors: as filch_trace_start(); FILCH_EINVAL also: nothing is being recorded. Threads: any.
 * Blocks while it writes; others go on, except those that need space for more events. */
filch_status filch_trace_snapshot(const char *path);

/* The program's own marks. While nothing is recorded they cost a load and a branch. `name` is
 * copied (its first 1,024 bytes); equal names are one. NULL: nothing is recorded. Threads: any.
 * They do not block. */

/* Effect: a section begins, on this task or thread; sections nest. It ends with the other. */
void filch_trace_span_begin(const char *name);
void filch_trace_span_end(const char *name);

/* Effect: a counter has this value from now on. */
void filch_trace_counter(const char *name, double value);

/* Effect: something happened. */
void filch_trace_mark(const char *name, uint64_t number);

/* FILCH_TRACE_SECTION("parse") { ... }: the block is a section, however it is left. */
#define FILCH_TRACE_SECTION(label)                                                                 \
    FILCH_BLOCK(filch_trace_section, filch_trace_section_begin(label), filch_trace_section_end)

/* Used by the macro. */
typedef struct filch_trace_section {
    const char *name;
} filch_trace_section;
filch_trace_section filch_trace_section_begin(const char *name);
void filch_trace_section_end(filch_trace_section *section);

#ifdef __cplusplus
}
#endif

#endif
