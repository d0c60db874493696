/* Recording, as users ask for it: by a call or by the environment. */
#include <filch/trace.h>

#include <filch/version.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/log.h"
#include "os/os.h"
#include "os/os_file.h"
#include "sched/process.h"
#include "trace/recording.h"
#include "trace/tracing.h"

static const size_t file_default = (size_t)1 << (sizeof(size_t) > 4 ? 30 : 26); /* stays mapped */
static const size_t ring_default = (size_t)16 << 20;
static const size_t limit_least = (size_t)512 << 10;

filch_status filch_trace_start(const filch_trace_options *options)
{
    filch_trace_options all = options ? *options : (filch_trace_options){.path = NULL};
    if (all.limit_bytes == 0) {
        all.limit_bytes = all.path ? file_default : ring_default;
    }
    if (all.level == 0) {
        all.level = FILCH_TRACE_LEVEL_SCHED;
    }
    if (all.limit_bytes < limit_least || all.level < FILCH_TRACE_LEVEL_SCHED ||
        all.level > FILCH_TRACE_LEVEL_ALL) {
        return FILCH_EINVAL;
    }
    if (!filch_process_token()) { /* which also sees to it that a child does not write here */
        return FILCH_ENOMEM;
    }
    filch_status status =
        filch_recording_begin(&(struct filch_recording_options){.path = all.path,
                                                                .limit_bytes = all.limit_bytes,
                                                                .level = (unsigned)all.level,
                                                                .library = FILCH_VERSION_STRING});
    if (status == FILCH_OK) {
        filch_process_join_recording();
    }
    return status;
}

filch_status filch_trace_stop(void)
{
    bool ended = filch_recording_end();
    filch_process_leave_recording(); /* after it: a core that is new must not join what ends */
    return ended ? FILCH_OK : FILCH_EINVAL;
}

filch_status filch_trace_snapshot(const char *path)
{
    return path ? filch_recording_snapshot(path) : FILCH_EINVAL;
}

/* ---- the program's own marks ---- */

static void mark(enum filch_trace_type type, const char *name, uint64_t argument)
{
    if (name && filch_trace_is_on()) {
        filch_trace(type, 0, name, argument);
    }
}

void filch_trace_span_begin(const char *name)
{
    mark(FILCH_TRACE_SPAN, name, 0);
}

void filch_trace_span_end(const char *name)
{
    mark(FILCH_TRACE_SPAN_END, name, 0);
}

void filch_trace_counter(const char *name, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    mark(FILCH_TRACE_COUNTER, name, bits);
}

void filch_trace_mark(const char *name, uint64_t number)
{
    mark(FILCH_TRACE_MARK, name, number);
}

filch_trace_section filch_trace_section_begin(const char *name)
{
    filch_trace_span_begin(name);
    return (filch_trace_section){name};
}

void filch_trace_section_end(filch_trace_section *section)
{
    filch_trace_span_end(section->name);
}

/* ---- the environment ---- */

static const char *const level_names[] = {"sched", "tasks", "all"};

/* What ends a file's name differs: ".ftrace", a number, another folder. */
static bool is_meant_as_level(const char *text)
{
    return !text[strcspn(text, "./0123456789")];
}

/* Takes ":level" off the end. 0: it is none, misspelt. */
static filch_trace_level cut_level(char *path)
{
    char *colon = strrchr(path, ':');
    for (unsigned i = 0; colon && i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(colon + 1, level_names[i]) == 0) {
            *colon = '\0';
            return (filch_trace_level)(i + 1);
        }
    }
    return colon && is_meant_as_level(colon + 1) ? (filch_trace_level)0 : FILCH_TRACE_LEVEL_SCHED;
}

/* False: it is too long. */
static bool fill_in(char *path, const char *text)
{
    size_t length = 0;
    for (; *text && length < FILCH_PATH_BYTES; text++) {
        if (text[0] == '%' && text[1] == 'p') {
            length += (size_t)snprintf(path + length, FILCH_PATH_BYTES - length, "%llu",
                                       (unsigned long long)filch_os_process_id());
            text++;
        } else {
            path[length++] = *text;
        }
    }
    if (length < FILCH_PATH_BYTES) {
        path[length] = '\0';
    }
    return length < FILCH_PATH_BYTES;
}

static filch_status start_at(const char *path, filch_trace_level level)
{
    filch_trace_options options = {.path = path, .level = level};
    filch_status status = *path ? filch_trace_start(&options) : FILCH_EINVAL;
    char other[FILCH_PATH_BYTES + 32];
    if (status == FILCH_EBUSY) {
        snprintf(other, sizeof other, "%s.%llu", path, (unsigned long long)filch_os_process_id());
        options.path = other;
        status = filch_trace_start(&options);
    }
    return status;
}

static bool first_to_ask(void)
{
    filch_lock_acquire(&filch_traces.lock, FILCH_RANK_TRACES);
    bool first = !filch_traces.asked;
    filch_traces.asked = true;
    filch_lock_release(&filch_traces.lock);
    return first;
}

static void warn(const char *text, const char *what, const char *why)
{
    char message[256];
    snprintf(message, sizeof message, "FILCH_TRACE=\"%.80s\": %s: %s\n", text, what, why);
    filch_log(FILCH_LOG_WARNING, message);
}

static const char *why_not(filch_status status)
{
    return status == FILCH_EAGAIN ? "no disk space, or a limit of files or their sizes is reached"
                                  : filch_strerror(status);
}

void filch_tracing_begin(void)
{
    const char *text = first_to_ask() ? filch_os_getenv("FILCH_TRACE") : NULL;
    if (!text || !*text) {
        return;
    }
    char path[FILCH_PATH_BYTES];
    if (!fill_in(path, text)) {
        warn(text, "cannot record there", "the name is too long");
        return;
    }
    filch_trace_level level = cut_level(path);
    filch_status status = level ? start_at(path, level) : FILCH_EINVAL;
    if (status == FILCH_OK) {
        atexit(filch_recording_finish);
    } else if (!level) {
        warn(text, "nothing is recorded",
             "what follows the last colon is no level; levels are sched, tasks and all");
    } else if (status != FILCH_EALREADY) {
        warn(text, "cannot record there", why_not(status));
    }
}
