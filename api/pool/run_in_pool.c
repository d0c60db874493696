#include "pool/run_in_pool.h"

#include "pool/default_pool.h"
#include "pool/fault.h"
#include "sched/pool.h"
#include "sched/region.h"

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
                               void *context, const filch_function_info *info)
{
    struct visit visit = {.function = function, .context = context};
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_status status = filch_pool_resolve(pool, &pool);
    visit.pool = pool;
    if (status == FILCH_OK) {
        status = filch_region_call(pool, run_visit, &visit, &fault, info);
    }
    if (status == FILCH_OK) {
        status = filch_fault_result(&fault, NULL);
    }
    return status == FILCH_OK ? visit.status : status;
}
