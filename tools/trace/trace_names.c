/* What things in a trace are called; and its end. */
#include <stdio.h>
#include <stdlib.h>

#include "trace.h"

void trace_free(struct trace *trace)
{
    for (size_t i = 0; i < TRACE_NAMES; i++) {
        free(trace->names[i].name);
        free(trace->names[i].file);
    }
    free(trace->names);
    free(trace->events.at);
    free(trace->tracks.at);
    free(trace->gaps.at);
    free(trace);
}

const char *trace_name(const struct trace *trace, uint32_t name)
{
    const char *text = name < TRACE_NAMES ? trace->names[name].name : NULL;
    if (name == TRACE_NAME_LENT && !text) {
        return "a blocking call";
    }
    return text ? text : name == FILCH_TRACE_NAME_OTHER ? "(others)" : "(unknown)";
}

void trace_track_name(const struct trace *trace, size_t index, char *text, size_t bytes)
{
    const struct trace_track *track = &trace->tracks.at[index];
    bool several = false;
    for (size_t i = 0; i < trace->tracks.count; i++) {
        several = several || trace->tracks.at[i].pool > 1;
    }
    if (track->kind == FILCH_TRACE_OUTSIDE) {
        snprintf(text, bytes, "outside");
        return;
    }
    bool guest = track->core >= track->workers;
    unsigned number = guest ? track->core - track->workers : track->core;
    if (several) {
        snprintf(text, bytes, "pool %u %s %u", track->pool, guest ? "guest" : "core", number);
    } else {
        snprintf(text, bytes, "%s %u", guest ? "guest" : "core", number);
    }
}
