/* Calling closures in a pool, now or soon. */
#include <filch/future.h>

#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "default_pool.h"
#include "region.h"
#include "task_future.h"

static void run_closure(struct filch_future *future)
{
    void *result = future->result_bytes ? future->payload : NULL;
    future->closure.callable->invoke(filch_closure_captures(&future->closure), result);
}

static void release_closure(struct filch_future *future)
{
    filch_closure_release(&future->closure);
}

filch_status filch_apply_async_with(filch_pool *pool, const filch_closure *closure,
                                    const filch_async_options *options, filch_future **future)
{
    if (future) {
        *future = NULL;
    }
    if (!closure || !closure->callable) {
        return FILCH_EINVAL;
    }
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status != FILCH_OK) {
        return status;
    }
    const filch_callable *callable = closure->callable;
    struct filch_future *made = filch_future_new(callable->result_bytes, callable->info);
    if (!made) {
        return FILCH_ENOMEM;
    }
    made->closure = filch_closure_retain(closure);
    made->result_bytes = callable->result_bytes;
    made->run = run_closure;
    made->release = release_closure;
    if (options) {
        made->callbacks = *options;
    }
    return filch_future_submit(made, pool, future);
}

filch_status filch_apply_async(filch_pool *pool, const filch_closure *closure,
                               filch_future **future)
{
    return filch_apply_async_with(pool, closure, NULL, future);
}

struct application {
    const filch_closure *closure;
    void *result;
};

static void run_application(void *context)
{
    struct application *application = context;
    filch_closure_call(application->closure, application->result);
}

filch_status filch_apply(filch_pool *pool, const filch_closure *closure, void *result,
                         filch_error *error)
{
    if (!closure || !closure->callable || (closure->callable->result_bytes && !result)) {
        return FILCH_EINVAL;
    }
    FILCH_ALIGNED(16) unsigned char small[FILCH_INLINE_BYTES];
    size_t bytes = closure->callable->result_bytes;
    filch_status status = filch_pool_resolve(pool, &pool);
    void *kept = small; /* the result, until we know that nothing was raised */
    if (status == FILCH_OK && bytes > sizeof small) {
        kept = malloc(bytes);
        status = kept ? FILCH_OK : FILCH_ENOMEM;
    }
    if (status == FILCH_OK) {
        struct application application = {closure, kept};
        struct filch_fault fault;
        filch_fault_init(&fault);
        status =
            filch_region_call(pool, run_application, &application, &fault, closure->callable->info);
        status = status == FILCH_OK ? filch_fault_result(&fault, error) : status;
    }
    if (status == FILCH_OK && bytes) {
        memcpy(result, kept, bytes);
    }
    if (kept != small) {
        free(kept);
    }
    return status;
}
