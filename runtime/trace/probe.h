/* probe: points that perf, bpftrace and SystemTap can attach to, where the system's header for them
 * was there at build time: provider `filch`, probe `event`, with the arguments type (of
 * trace_format.h), detail, the name's address or 0, and the argument. One no-operation each. */
#ifndef FILCH_PROBE_H
#define FILCH_PROBE_H

#if defined(FILCH_PROBES) && !defined(__cplusplus)
#include <sys/sdt.h>
#if defined(__clang__)
/* The system's macro is not quite C11, which clang tells at each place that uses it. */
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif
#define FILCH_PROBE(type, detail, subject, argument)                                               \
    DTRACE_PROBE4(filch, event, type, detail, subject, argument)
#else
#define FILCH_PROBE(type, detail, subject, argument) (void)0
#endif

#endif
