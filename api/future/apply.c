/* Calling closures in a pool, now or soon. */
#include <filch/future.h>

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"
#include "pool/call_options.h"
#include "pool/closure_private.h"
#include "pool/default_pool.h"
#include "sched/fiber.h"
#include "sched/region.h"

static void run_closure(struct filch_future *future)
{
    void *result = future->result_bytes ? future->payload : NULL;
    filch_closure_invoke(&future->closure, result);
}

static void release_closure(struct filch_future *future)
{
    filch_closure_release(&future->closure);
}

static const struct filch_future_kind closure_kind = {.run = run_closure,
                                                      .release = release_closure};

static struct filch_future *closure_future(const filch_closure *closure)
{
    const filch_callable *callable = closure->callable;
    struct filch_future *future =
        filch_future_new_at(callable->result_bytes, filch_alignment_for(callable->result_bytes), 0,
                            &closure_kind, callable->info);
    if (future) {
        future->closure = filch_closure_retain(closure);
        future->result_bytes = callable->result_bytes;
    }
    return future;
}

filch_status filch_apply_async(filch_pool *pool, const filch_closure *closure,
                               filch_future **future)
{
    const filch_options *options = filch_options_of(pool);
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
    filch_options_check(options, pool, FILCH_USES_IN_TASK, closure->callable->info);
    struct filch_future *made = closure_future(closure);
    return made ? filch_future_submit(made, pool, options, future) : FILCH_ENOMEM;
}

struct application {
    const filch_closure *closure;
    void *result;
};

static void run_application(void *context)
{
    struct application *application = context;
    struct filch_fiber *fiber = filch_fiber_self();
    filch_frame_seclude_locale(fiber->frame, fiber);
    filch_status status = filch_closure_call(application->closure, application->result);
    FILCH_ASSERT(status == FILCH_OK); /* filch_apply() has looked at the closure */
}

filch_status filch_apply(filch_pool *pool, const filch_closure *closure, void *result)
{
    const filch_options *options = filch_options_of(pool);
    if (!closure || !closure->callable || (closure->callable->result_bytes && !result)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    FILCH_ALIGNED(64) unsigned char small[FILCH_INLINE_BYTES];
    size_t bytes = closure->callable->result_bytes;
    filch_status status = filch_pool_resolve(pool, &pool);
    void *kept = small; /* the result, until we know that nothing was raised */
    if (status == FILCH_OK && bytes > sizeof small) {
        kept = filch_malloc_for(bytes, bytes);
        status = kept ? FILCH_OK : FILCH_ENOMEM;
    }
    if (status == FILCH_OK) {
        struct application application = {closure, kept};
        struct filch_fault fault;
        filch_fault_init(&fault);
        filch_options_check(options, pool, FILCH_USES_IN_CALL, closure->callable->info);
        status = filch_call_with(pool, options, run_application, &application, &fault,
                                 closure->callable->info);
        status =
            status == FILCH_OK ? filch_fault_result(&fault, filch_options_error(options)) : status;
    }
    status = filch_options_end(options, status);
    if (status == FILCH_OK && bytes) {
        memcpy(result, kept, bytes);
    }
    if (kept != small) {
        filch_free(kept);
    }
    return status;
}

filch_status filch_apply_captured(filch_pool *pool, const filch_callable *callable,
                                  const void *captures, void *result)
{
    filch_closure closure;
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status == FILCH_OK) {
        status = filch_apply(pool, &closure, result);
        filch_closure_release(&closure);
    }
    return status;
}

filch_status filch_apply_async_captured(filch_pool *pool, const filch_callable *callable,
                                        const void *captures, filch_future **future)
{
    filch_closure closure;
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status == FILCH_OK) {
        status = filch_apply_async(pool, &closure, future);
        filch_closure_release(&closure);
    } else if (future) {
        *future = NULL;
    }
    return status;
}
