/* fault: where the errors of one task, map or call are collected. */
#ifndef FILCH_FAULT_H
#define FILCH_FAULT_H

#include <stdbool.h>

#include <filch/error.h>

#include "os/lock.h"

struct filch_loop;

struct filch_fault {
    struct filch_lock lock;
    filch_error error;       /* lock, until nothing runs any more */
    struct filch_loop *loop; /* constant: not NULL: the loop that must hear of errors at once */
    /* constant: how it does; `stop`: where the running block ends, or NULL */
    void (*loop_failed)(struct filch_loop *loop, size_t index, int code, unsigned long long *stop);
};

void filch_fault_init(struct filch_fault *fault);

/* Has an error been raised? At any time. */
bool filch_fault_is_set(struct filch_fault *fault);

/* FILCH_ERAISED or FILCH_OK; `error`, if not NULL, gets the details. Nothing runs any more. */
filch_status filch_fault_result(const struct filch_fault *fault, filch_error *error);

/* What was raised in `fault` counts as raised in `outer`, too. Nothing runs in `fault` any more. */
void filch_fault_pass_on(const struct filch_fault *fault, struct filch_fault *outer);

#endif
