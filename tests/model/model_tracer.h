// Stands for runtime/trace/tracer.h in the models, which record nothing.
#ifndef FILCH_TRACER_H
#define FILCH_TRACER_H

#include <filch/lane.h>
#include <filch/trace_format.h>

struct filch_core;
struct filch_tracer;

static inline bool filch_trace_is_on(void)
{
    return false;
}

static inline void filch_trace(filch_trace_type, unsigned, const void *, uint64_t)
{
}

template <class Place>
static inline void filch_trace_on(Place *, filch_trace_type, unsigned, const void *, uint64_t)
{
}

template <class Place> static inline bool filch_trace_wants(Place *, filch_trace_type)
{
    return false;
}

struct filch_tracer_seat {
};

struct filch_tracer_host;

static inline void filch_tracer_attach(filch_tracer_seat *, filch_core *)
{
}

static inline void filch_tracer_detach(filch_tracer_seat *)
{
}

static inline uint64_t filch_trace_name_of(const void *)
{
    return 0;
}

static inline uint64_t filch_trace_name_from(const void *, unsigned)
{
    return 0;
}

#endif
