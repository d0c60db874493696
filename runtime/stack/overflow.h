/* overflow: one line instead of silence when a task overflows its stack.
 *
 * A guard stops the overflow in any case. To say which task it was, the fault must be handled on
 * another stack, in a handler that belongs to the whole process. The handler passes on every fault
 * that is not in such a guard; a pool's option leaves the signal alone. */
#ifndef FILCH_OVERFLOW_H
#define FILCH_OVERFLOW_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/lane.h>

#include "base/private.h"

/* The stack that the calling thread is on, and what runs there. */
struct filch_overflow_stack {
    const void *low;
    size_t bytes;
    size_t guard;                    /* bytes below it that fault */
    const filch_function_info *info; /* NULL: not known */
};

/* False: it is on none of a pool's. Called in the handler. */
typedef bool filch_overflow_find(struct filch_overflow_stack *stack);

/* Install the handler, once per process; other faults go to the one that was there before. */
FILCH_PRIVATE void filch_overflow_install(filch_overflow_find *find);

/* What a thread needs to handle a fault on. */
FILCH_PRIVATE size_t filch_overflow_stack_bytes(void);

/* Pool thread: from here to there it handles faults on that, which has so many bytes. NULL: it does
 * not. */
FILCH_PRIVATE void filch_overflow_begin_thread(void *stack);
FILCH_PRIVATE void filch_overflow_end_thread(void);

#endif
