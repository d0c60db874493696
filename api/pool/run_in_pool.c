#include "pool/run_in_pool.h"

#include "pool/default_pool.h"
#include "pool/fault.h"

struct visit {
    filch_pool *pool;
    filch_status (*function)(filch_pool *pool, void *context);
    void *context;
    filch_status status;
};

static void run_visit(void *context)
{
    struct visit *visit = context;
    visit->status = visit->function(visit->pool, visit->context);
}

filch_status filch_run_in_pool(filch_pool *pool,
                               filch_status (*function)(filch_pool *pool, void *context),
                               void *context, unsigned uses, const filch_function_info *info)
{
    const filch_options *options = filch_options_of(pool);
    struct visit visit = {.function = function, .context = context};
    filch_options within = {.error = NULL};
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_status status = filch_pool_resolve(pool, &pool);
    visit.pool = pool;
    if (FILCH_UNLIKELY(options != NULL)) {
        within.error = options->error;
        within.progress = options->progress;
        within.progress_context = options->progress_context;
        visit.pool = filch_on(pool, &within);
    }
    if (status == FILCH_OK) {
        filch_options_check(options, pool, uses, info);
        status = filch_call_with(pool, options, run_visit, &visit, &fault, info);
    }
    if (status == FILCH_OK && filch_fault_is_set(&fault)) { /* else what is within has told */
        status = filch_fault_result(&fault, filch_options_error(options));
    }
    return filch_options_end(options, status == FILCH_OK ? visit.status : status);
}
