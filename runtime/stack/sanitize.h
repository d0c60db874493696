/* sanitize: what AddressSanitizer and ThreadSanitizer must be told about stacks that are not
 * threads' own. Used where stacks are switched (fiber.c leaves them, worker.c enters them) and
 * where they are made (stack.c). In other builds every function is empty. */
#ifndef FILCH_SANITIZE_H
#define FILCH_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/sanitizers.h"

/* Is there anything to do when a stack is switched? */
#if defined(FILCH_ASAN) || defined(FILCH_TSAN)
enum { FILCH_SANITIZES_STACKS = 1 };
#else
enum { FILCH_SANITIZES_STACKS = 0 };
#endif

/* For the few functions that are left for good without returning: ThreadSanitizer would wait for
 * their returns on its shadow stack. */
#if defined(__clang__)
#define FILCH_NEVER_RETURNS __attribute__((noinline, disable_sanitizer_instrumentation))
#else
#define FILCH_NEVER_RETURNS __attribute__((noinline, no_sanitize("thread")))
#endif

#ifdef FILCH_ASAN
void __sanitizer_start_switch_fiber(void **fake_stack, const void *low, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **old_low, size_t *old_bytes);
void __asan_unpoison_memory_region(void const volatile *memory, size_t bytes);
void __asan_handle_no_return(void);
#endif
#ifdef FILCH_TSAN
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void *__tsan_get_current_fiber(void);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

static inline void *filch_sanitize_tsan_fiber_create(void)
{
#ifdef FILCH_TSAN
    return __tsan_create_fiber(0);
#else
    return NULL;
#endif
}

static inline void filch_sanitize_tsan_fiber_destroy(void *fiber)
{
#ifdef FILCH_TSAN
    if (fiber) {
        __tsan_destroy_fiber(fiber);
    }
#endif
    (void)fiber;
}

static inline void *filch_sanitize_tsan_fiber_current(void)
{
#ifdef FILCH_TSAN
    return __tsan_get_current_fiber();
#else
    return NULL;
#endif
}

/* A stack whose frames were left without returning is about to be used afresh. */
static inline void filch_sanitize_stack_clean(void *low, size_t bytes)
{
#ifdef FILCH_ASAN
    __asan_unpoison_memory_region(low, bytes);
#endif
    (void)low, (void)bytes;
}

/* Frames below ours were left without a return, and what AddressSanitizer had marked in them stays
 * marked: it is not to be found in frames that come there now. low: NULL on a thread's stack. It
 * must be told: a thread that ends is none to AddressSanitizer. */
static inline __attribute__((always_inline)) void filch_sanitize_unwound(const char *low)
{
#ifdef FILCH_ASAN
    const char *here = (const char *)__builtin_frame_address(0);
    __asan_handle_no_return();
    if (low) {
        __asan_unpoison_memory_region(low, (size_t)(here - low));
    }
#endif
    (void)low;
}

/* Before a switch. fake_stack: where to keep the leaving stack's; NULL: it is left for good. */
static inline __attribute__((always_inline)) void filch_sanitize_leave(void **fake_stack,
                                                                       const void *low,
                                                                       size_t bytes, void *fiber)
{
#ifdef FILCH_ASAN
    __sanitizer_start_switch_fiber(fake_stack, low, bytes);
#endif
#ifdef FILCH_TSAN
    __tsan_switch_to_fiber(fiber, 0);
#endif
    (void)fake_stack, (void)low, (void)bytes, (void)fiber;
}

/* After a switch, on the stack arrived at; learns the bounds of the one that was left. */
static inline __attribute__((always_inline)) void filch_sanitize_arrive(void *fake_stack,
                                                                        const void **old_low,
                                                                        size_t *old_bytes)
{
#ifdef FILCH_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, old_low, old_bytes);
#endif
    (void)fake_stack, (void)old_low, (void)old_bytes;
}

/* ThreadSanitizer has threads of its own, one or two: nothing tells them from the program's. */
static inline bool filch_sanitize_has_threads(void)
{
#ifdef FILCH_TSAN
    return true;
#else
    return false;
#endif
}

#endif
