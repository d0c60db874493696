/* overflow: one line instead of silence when a task overflows its stack.
 *
 * A guard page stops the overflow in any case. To say which task it was, the fault must be handled
 * on another stack, in a handler that belongs to the whole process: so this is asked for, by a
 * pool's option, and the handler passes on every fault that is not in a strand's guard. */
#ifndef FILCH_OVERFLOW_H
#define FILCH_OVERFLOW_H

#include <stdbool.h>

/* Install the handler, once per process; other faults go to the one that was there before. */
void filch_overflow_install(void);

/* Pool thread: give it a stack to handle a fault on, and take it away. False: no memory. */
bool filch_overflow_begin_thread(void);
void filch_overflow_end_thread(void);

#endif
