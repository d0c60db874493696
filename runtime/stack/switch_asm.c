/* The first frame of a new stack, laid out as filch_context_switch expects to find it. */
#include <stdint.h>
#include <string.h>

#include "stack/context.h"

void filch_context_start(void); /* in the assembly: calls entry(argument) */

#if defined(__x86_64__)
enum { FRAME_WORDS = 8, CONTROL = 0, ENTRY = 4, ARGUMENT = 3, RETURN = 7 };
#elif defined(__aarch64__)
enum { FRAME_WORDS = 22, CONTROL = 20, ENTRY = 0, ARGUMENT = 1, RETURN = 11 };
#else
#error "no stack switch in assembly for this processor: configure with FILCH_SWITCH=ucontext"
#endif

const char *filch_context_refused(void)
{
    return NULL; /* the kernel has no part in it */
}

static uint64_t control_words(void)
{
#if defined(__x86_64__)
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (uint64_t)x87 << 32 | mxcsr;
#else
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
#endif
}

void filch_context_make(struct filch_context *context, void *stack, size_t stack_bytes,
                        void (*entry)(void *), void *argument)
{
    /* After filch_context_switch has popped the frame, sp is 16-byte aligned, as at an entry's
     * call site (filch_context_start calls). */
    uint64_t *top = (uint64_t *)(void *)((char *)stack + stack_bytes);
    uint64_t *frame = top - FRAME_WORDS - (FRAME_WORDS & 1);
    memset(frame, 0, FRAME_WORDS * sizeof *frame);
    frame[CONTROL] = control_words();
    frame[ENTRY] = (uint64_t)(uintptr_t)entry;
    frame[ARGUMENT] = (uint64_t)(uintptr_t)argument;
    frame[RETURN] = (uint64_t)(uintptr_t)filch_context_start;
    context->sp = frame;
}
