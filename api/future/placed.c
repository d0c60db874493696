/* Futures whose task lives in their payload. */
#include <filch/placed.h>

#include "future/after.h"
#include "future/task_future.h"
#include "pool/call_options.h"
#include "pool/closure_private.h"
#include "pool/default_pool.h"

/* The state is what the closure takes for its result. */
static void run_placed(struct filch_future *future)
{
    filch_closure_invoke(&future->closure, future->payload);
}

static const struct filch_future_kind placed_kind = {.run = run_placed};

static filch_status placed_make(const filch_closure *closure, filch_pool **pool,
                                struct filch_future **made)
{
    const filch_callable *callable = closure->callable;
    filch_status status = filch_pool_resolve(*pool, pool);
    if (status != FILCH_OK) {
        return status;
    }
    struct filch_future *future =
        filch_future_new_at(callable->result_bytes, filch_alignment_for(callable->result_bytes), 0,
                            &placed_kind, callable->info);
    if (!future) {
        return FILCH_ENOMEM;
    }
    future->closure = *closure; /* it captures nothing */
    future->result_bytes = callable->result_bytes;
    *made = future;
    return FILCH_OK;
}

filch_status filch_future_place(filch_pool *pool, const filch_placed *what, void *context,
                                filch_future *const needs[], size_t n, filch_future **future)
{
    const filch_options *options = filch_options_of(pool);
    struct filch_future *made;
    if (future) {
        *future = NULL;
    }
    if (!what || !what->place || !what->callable.invoke || !what->callable.result_bytes ||
        what->callable.captures_bytes) {
        return FILCH_EINVAL;
    }
    const filch_closure closure = {.callable = &what->callable};
    filch_status status = n ? filch_after_make(needs, n, &closure, &pool, &made)
                            : placed_make(&closure, &pool, &made);
    if (status != FILCH_OK) {
        return status;
    }
    what->place(context, made->payload);
    made->destroy_result = what->destroy;
    filch_options_check(options, pool, FILCH_USES_IN_TASK, what->callable.info);
    return n ? filch_after_begin(made, pool, options, future)
             : filch_future_submit(made, pool, options, future);
}
