/* progress: when a hook is told how far a loop is. */
#ifndef FILCH_PROGRESS_H
#define FILCH_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

#include <filch/options.h>

#include "base/private.h"

struct filch_progress_report {
    filch_progress *hook;
    void *context;
    size_t total;
    _Atomic(size_t) done;
    _Atomic(uint64_t) next_ns; /* not before; FILCH_OS_NEVER: a thread is telling */
    size_t told;               /* the thread that tells: what was told last */
};

FILCH_PRIVATE void filch_progress_begin(struct filch_progress_report *report,
                                        const filch_options *options, size_t total);

/* So many more have ended. */
FILCH_PRIVATE void filch_progress_step(struct filch_progress_report *report, size_t elements);

/* No thread steps any more. */
FILCH_PRIVATE void filch_progress_end(struct filch_progress_report *report);

#endif
