/* call_options: how a call is to run (filch/options.h), found where its pool stands.
 *
 * Bit 0 of what a user gives as a pool says that there are options at that address. A call looks
 * for them first, then has the pool itself (default_pool.h), and ends by answering through them. */
#ifndef FILCH_CALL_OPTIONS_H
#define FILCH_CALL_OPTIONS_H

#include <stdint.h>

#include <filch/options.h>

#include "base/base.h"
#include "base/private.h"
#include "sched/region.h"

struct filch_fault;

/* NULL: none. */
static inline const filch_options *filch_options_of(const filch_pool *given)
{
    bool some = FILCH_UNLIKELY((uintptr_t)given & 1);
    return some ? (const filch_options *)((uintptr_t)given - 1) : NULL;
}

/* What stands behind all options; NULL: the default pool. */
FILCH_PRIVATE filch_pool *filch_pool_behind(const filch_options *options);

static inline filch_pool *filch_pool_given(filch_pool *given)
{
    const filch_options *options = filch_options_of(given);
    return options ? filch_pool_behind(options) : given;
}

/* What calls of some kind make use of. */
enum filch_uses {
    FILCH_USES_UNTIL = 1,
    FILCH_USES_ERROR = 2,
    FILCH_USES_PROGRESS = 4,
    FILCH_USES_ELEMENTS = 8, /* chunksize, policy, items */
    FILCH_USES_LATER = 16,   /* done, background */

    FILCH_USES_IN_CALL = FILCH_USES_UNTIL | FILCH_USES_ERROR,
    FILCH_USES_IN_PIECES = FILCH_USES_IN_CALL | FILCH_USES_PROGRESS,
    FILCH_USES_IN_LOOP = FILCH_USES_IN_PIECES | FILCH_USES_ELEMENTS,
    FILCH_USES_IN_TASK = FILCH_USES_UNTIL | FILCH_USES_LATER,
    FILCH_USES_IN_LATER_LOOP = FILCH_USES_IN_TASK | FILCH_USES_PROGRESS | FILCH_USES_ELEMENTS
};

/* Where the program's mistakes are looked for: say which of them this call leaves alone. `options`
 * may be NULL. */
FILCH_PRIVATE void filch_options_note(const filch_options *options, const filch_pool *pool,
                                      unsigned uses, const filch_function_info *info);

static inline void filch_options_check(const filch_options *options, const filch_pool *pool,
                                       unsigned uses, const filch_function_info *info)
{
    if (FILCH_UNLIKELY(options != NULL)) {
        filch_options_note(options, pool, uses, info);
    }
}

/* function(context) inside the pool, asked to stop when the options say. FILCH_ETIMEDOUT: that had
 * passed already, and it was not called. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_call_in_time(filch_pool *pool, const filch_options *options, void (*function)(void *context),
                   void *context, struct filch_fault *fault, const filch_function_info *info);

/* The same inside a pool, in the frame that is there. */
FILCH_PRIVATE void filch_call_until(uint64_t until_ns, void (*function)(void *context),
                                    void *context);

/* As filch_region_call(), and that. */
static inline FILCH_MUST_CHECK filch_status
filch_call_with(filch_pool *pool, const filch_options *options, void (*function)(void *context),
                void *context, struct filch_fault *fault, const filch_function_info *info)
{
    return FILCH_LIKELY(!options)
               ? filch_region_call(pool, function, context, fault, info)
               : filch_call_in_time(pool, options, function, context, fault, info);
}

/* Where the details of what is raised go; NULL: nowhere. */
static inline filch_error *filch_options_error(const filch_options *options)
{
    return FILCH_UNLIKELY(options != NULL) ? options->error : NULL;
}

/* A call ends with `status`: what it answers, and options->error is told. */
FILCH_PRIVATE filch_status filch_options_told(const filch_options *options, filch_status status);

static inline filch_status filch_options_end(const filch_options *options, filch_status status)
{
    return FILCH_UNLIKELY(options != NULL) ? filch_options_told(options, status) : status;
}

/* The same of one that does not begin. */
static inline filch_status filch_options_refuse(const filch_pool *given, filch_status status)
{
    return filch_options_end(filch_options_of(given), status);
}

#endif
