/* fault: where the errors of one task, map or call are collected. */
#ifndef FILCH_FAULT_H
#define FILCH_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/error.h>
#include <filch/options.h>

#include "base/private.h"
#include "os/lock.h"

/* What must hear of errors at once: a loop. item: how the element has ended; `stop`: where the
 * running block ends, or NULL. */
struct filch_fault_listener {
    void (*failed)(struct filch_fault_listener *listener, size_t index, filch_item item,
                   unsigned long long *stop);
};

struct filch_fault {
    struct filch_lock lock;
    struct filch_fault_listener *listener; /* constant; or NULL */
    filch_error
        error; /* lock, until no task of it runs any more; last: most of it stays untouched */
};

FILCH_PRIVATE void filch_fault_init(struct filch_fault *fault);

/* Has an error been raised? At any time. */
FILCH_PRIVATE bool filch_fault_is_set(struct filch_fault *fault);

/* FILCH_OK; FILCH_ERAISED; FILCH_ECANCELED: it was asked to stop, and passed that on. `error`, if
 * not NULL, gets the details. Nothing runs any more. */
FILCH_PRIVATE filch_status filch_fault_result(const struct filch_fault *fault, filch_error *error);

/* What was raised in `fault` counts as raised in `outer`, too. Nothing runs in `fault` any more. */
FILCH_PRIVATE void filch_fault_pass_on(const struct filch_fault *fault, struct filch_fault *outer);

#endif
