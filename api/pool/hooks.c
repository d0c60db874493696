#include "pool/hooks.h"

#include <filch/kind.h>

#include "base/memory.h"
#include "pool/call_options.h"
#include "pool/fault.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/unwound.h"

struct filch_hooks {
    void (*start)(void *context, unsigned worker);
    void (*finish)(void *context, unsigned worker);
    void *context;
    struct filch_fault fault; /* what the first failing start hook raised */
};

static const filch_function_info start_info = {
    "start", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, NULL};

/* The error is in hooks->fault, and no thread writes it any more. */
static void break_pool(struct filch_pool *pool)
{
    /* release: pairs with the acquire in filch_pool_ended_as */
    atomic_store_explicit(&pool->broken, true, memory_order_release);
    filch_pool_terminate_now(pool);
}

static void keep_first(struct filch_hooks *hooks, const struct filch_fault *fault)
{
    filch_lock_acquire(&hooks->fault.lock, FILCH_RANK_FAULT);
    if (hooks->fault.error.status == FILCH_OK) {
        hooks->fault.error = fault->error;
    }
    filch_lock_release(&hooks->fault.lock);
}

static void start_worker(struct filch_pool *pool, unsigned worker)
{
    struct filch_hooks *hooks = pool->config.hooks;
    struct filch_frame frame;
    struct filch_fault fault;
    filch_fault_init(&fault);
    struct filch_fiber *fiber = filch_fiber_self();
    filch_frame_push(&frame, fiber, &fault, &start_info);
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    if (hooks->start) {
        hooks->start(hooks->context, worker);
    }
    must.returned = true;
    filch_frame_pop(&frame, fiber);
    if (fault.error.status != FILCH_OK) {
        keep_first(hooks, &fault);
        break_pool(pool);
    }
}

static void finish_worker(struct filch_pool *pool, unsigned worker)
{
    struct filch_hooks *hooks = pool->config.hooks;
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    if (hooks->finish) {
        hooks->finish(hooks->context, worker);
    }
    must.returned = true;
}

filch_status filch_hooks_new(const filch_pool_options *options, struct filch_pool_config *config)
{
    if (!options || (!options->start && !options->finish)) {
        return FILCH_OK;
    }
    struct filch_hooks *hooks = filch_malloc(sizeof *hooks);
    if (!hooks) {
        return FILCH_ENOMEM;
    }
    hooks->start = options->start;
    hooks->finish = options->finish;
    hooks->context = options->hooks_context;
    filch_fault_init(&hooks->fault);
    config->hooks = hooks;
    config->start = start_worker;
    config->finish = finish_worker;
    return FILCH_OK;
}

void filch_hooks_free(struct filch_hooks *hooks)
{
    filch_free(hooks);
}

filch_status filch_hooks_verdict(filch_pool *pool, filch_error *error)
{
    filch_status status = filch_pool_ended_as(pool, FILCH_ECANCELED);
    if (status == FILCH_EBROKEN) {
        filch_pool_error(pool, error);
    }
    return status;
}

filch_status filch_pool_error(filch_pool *pool, filch_error *error)
{
    pool = filch_pool_given(pool);
    if (!pool || !error) {
        return FILCH_EINVAL;
    }
    struct filch_hooks *hooks = pool->config.hooks;
    struct filch_fault none;
    filch_fault_init(&none);
    struct filch_fault *fault = hooks ? &hooks->fault : &none;
    filch_lock_acquire(&fault->lock, FILCH_RANK_FAULT);
    *error = fault->error;
    filch_lock_release(&fault->lock);
    if (error->status != FILCH_OK) {
        error->status = FILCH_EBROKEN;
    }
    return FILCH_OK;
}
