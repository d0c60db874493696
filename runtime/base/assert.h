/* assert: what must be so, said where a reader and a debugger look for it.
 *
 * FILCH_ASSERT(condition) is on where FILCH_ASSERTIONS is defined: in debug builds, under a
 * sanitizer, and in the suites' copies of the library. Elsewhere it is gone, its condition is not
 * evaluated. One that fails says on standard error what was expected, where in the source, and on
 * which core, in which fiber; then the process ends by abort(). It may fail in a signal handler, or
 * with any lock held: saying it takes no memory and no lock. */
#ifndef FILCH_ASSERT_H
#define FILCH_ASSERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"

#ifdef FILCH_ASSERTIONS
#define FILCH_ASSERT(condition)                                                                    \
    ((condition) ? (void)0 : filch_assert_failed(#condition, __FILE__, __LINE__, __func__))
#else
/* An operand of sizeof is not evaluated, but what it names counts as used. */
#define FILCH_ASSERT(condition) ((void)sizeof(!(condition)))
#endif

/* Where an assertion failed, as far as the scheduler knows. */
struct filch_assert_place {
    uint64_t thread;   /* the kernel's number; 0: filch does not know the thread */
    uint32_t pool;     /* of the pools of this process, from 1; 0: in none */
    bool has_core;     /* the next is set */
    unsigned core;     /* the one that the thread holds */
    const void *fiber; /* the one that it runs; NULL: none */
};

#ifdef FILCH_ASSERTIONS
/* How that is found out is a matter of the scheduler, which is above. Also from signal handlers. */
FILCH_PRIVATE void filch_assert_hosted_by(void (*find)(struct filch_assert_place *place));

FILCH_PRIVATE __attribute__((noreturn)) void filch_assert_failed(const char *expected,
                                                                 const char *file, int line,
                                                                 const char *function);

/* The same for what is said in several words, up to a NULL. */
FILCH_PRIVATE __attribute__((noreturn)) void filch_assert_failed_words(const char *const *words,
                                                                       const char *file, int line,
                                                                       const char *function);
#endif

#endif
