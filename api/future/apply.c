/* Calling closures in a pool, now or soon. */
#include <filch/future.h>

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"
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

/* The callbacks lie behind the result. */
static struct filch_future *closure_future(const filch_closure *closure,
                                           const filch_async_options *options)
{
    const filch_callable *callable = closure->callable;
    size_t behind = filch_aligned_up(callable->result_bytes, 16);
    struct filch_future *future = filch_future_new_at(
        options ? behind + sizeof *options : callable->result_bytes,
        filch_alignment_for(callable->result_bytes), 0, &closure_kind, callable->info);
    if (future) {
        future->closure = filch_closure_retain(closure);
        future->result_bytes = callable->result_bytes;
    }
    if (future && options) {
        future->callbacks = memcpy(future->payload + behind, options, sizeof *options);
    }
    return future;
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
    struct filch_future *made = closure_future(closure, options);
    return made ? filch_future_submit(made, pool, future) : FILCH_ENOMEM;
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
    struct filch_fiber *fiber = filch_fiber_self();
    filch_frame_seclude_locale(fiber->frame, fiber);
    filch_status status = filch_closure_call(application->closure, application->result);
    FILCH_ASSERT(status == FILCH_OK); /* filch_apply() has looked at the closure */
}

filch_status filch_apply(filch_pool *pool, const filch_closure *closure, void *result,
                         filch_error *error)
{
    if (!closure || !closure->callable || (closure->callable->result_bytes && !result)) {
        return FILCH_EINVAL;
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
        status =
            filch_region_call(pool, run_application, &application, &fault, closure->callable->info);
        status = status == FILCH_OK ? filch_fault_result(&fault, error) : status;
    }
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
        status = filch_apply(pool, &closure, result, NULL);
        filch_closure_release(&closure);
    }
    return status;
}

filch_status filch_apply_async_captured(filch_pool *pool, const filch_callable *callable,
                                        const void *captures, const filch_async_options *options,
                                        filch_future **future)
{
    filch_closure closure;
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status == FILCH_OK) {
        status = filch_apply_async_with(pool, &closure, options, future);
        filch_closure_release(&closure);
    } else if (future) {
        *future = NULL;
    }
    return status;
}
