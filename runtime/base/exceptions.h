/* exceptions: what the C++ runtime, where the process has one, knows of the exceptions of what
 * runs: those that are being handled, and how many are on their way. It keeps that per thread; here
 * a task keeps it, so that it may wait inside a handler, or in a destructor that an exception runs.
 *
 * The worker puts a fiber's aside when it leaves and brings it back before it goes on; a frame does
 * the same for the time of a call that is none of its caller's business. In a program in C all of
 * this is a comparison with NULL: the reference is weak, and filch needs no C++ library. Which one
 * there is is found out when filch is loaded: a program in C that loads filch first and code in C++
 * afterwards has none, and must be linked with it.
 *
 * Source: Itanium C++ ABI: Exception Handling, 2.2.2. */
#ifndef FILCH_EXCEPTIONS_H
#define FILCH_EXCEPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/base.h"

/* As the ABI says, __cxa_eh_globals. All zero: none. */
struct filch_exceptions {
    void *caught;      /* the stack of those that are being handled */
    unsigned uncaught; /* thrown, and not caught yet */
};

extern struct filch_exceptions *__cxa_get_globals(void) __attribute__((weak));

/* The calling thread's, the same as long as it lives; NULL: there is no C++ runtime. */
static inline struct filch_exceptions *filch_exceptions_here(void)
{
    return __cxa_get_globals ? __cxa_get_globals() : NULL;
}

static inline bool filch_exceptions_any(const struct filch_exceptions *exceptions)
{
    return exceptions->caught || exceptions->uncaught;
}

/* If there are any in `from`, they are in `to` now, which had none. */
static inline void filch_exceptions_move(struct filch_exceptions *to, struct filch_exceptions *from)
{
    if (FILCH_UNLIKELY(filch_exceptions_any(from))) {
        *to = *from;
        *from = (struct filch_exceptions){NULL, 0};
    }
}

#endif
