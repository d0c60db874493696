/* context: the registers of a stack that is not running.
 *
 * Three implementations, one chosen at configure time: switch_x86_64.S and switch_aarch64.S with
 * switch_asm.c, or switch_ucontext.c (any system, about ten times slower: it asks the kernel to
 * save the signal mask). Callee-saved registers and the floating-point control word are kept; the
 * signal mask is not part of a fiber. */
#ifndef FILCH_CONTEXT_H
#define FILCH_CONTEXT_H

#include <stddef.h>

#include "base/private.h"

#ifdef FILCH_SWITCH_UCONTEXT
#include <ucontext.h>
struct filch_context {
    ucontext_t saved;
};
#else
struct filch_context {
    void *sp; /* everything else is on the stack it points to */
};
#endif

/* The name of a call that the system refuses and switching needs; NULL: there is none. */
FILCH_PRIVATE const char *filch_context_refused(void);

/* Prepare `context` so that the first switch to it calls entry(argument) on the given stack. entry
 * never returns. stack is 16-byte aligned at both ends. */
FILCH_PRIVATE void filch_context_make(struct filch_context *context, void *stack,
                                      size_t stack_bytes, void (*entry)(void *), void *argument);

/* Save the caller in `from`, go on in `to`. Returns when a switch to `from` is made, maybe on
 * another thread: nothing thread-local may be cached across this call. */
void filch_context_switch(struct filch_context *from, struct filch_context *to);

#endif
