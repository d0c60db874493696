/* Stack switch through the C library: for processors without an assembly file, and to check the
 * assembly against. */
#include <stdint.h>
#include <stdlib.h>

#include "stack/context.h"

const char *filch_context_refused(void)
{
    ucontext_t here;
    return getcontext(&here) == 0 ? NULL : "rt_sigprocmask";
}

/* makecontext() passes ints: a pointer travels as two halves. */
static void start_context(unsigned entry_high, unsigned entry_low, unsigned arg_high,
                          unsigned arg_low)
{
    uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    uintptr_t argument = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);
    ((void (*)(void *))entry)((void *)argument);
    abort(); /* entry never returns */
}

void filch_context_make(struct filch_context *context, void *stack, size_t stack_bytes,
                        void (*entry)(void *), void *argument)
{
    uint64_t e = (uint64_t)(uintptr_t)entry;
    uint64_t a = (uint64_t)(uintptr_t)argument;
    if (getcontext(&context->saved) != 0) {
        abort(); /* as below */
    }
    context->saved.uc_stack.ss_sp = stack;
    context->saved.uc_stack.ss_size = stack_bytes;
    context->saved.uc_link = NULL;
    makecontext(&context->saved, (void (*)(void))start_context, 4, (unsigned)(e >> 32), (unsigned)e,
                (unsigned)(a >> 32), (unsigned)a);
}

void filch_context_switch(struct filch_context *from, struct filch_context *to)
{
    if (swapcontext(&from->saved, &to->saved) != 0) {
        abort(); /* the signal mask could be read at open and cannot now: there is no way on */
    }
}
