/* Reductions of values that are computed on the way: leaf by leaf, as in reduce.c. */
#include <filch/map_reduce.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/loop_run.h"
#include "loop/partition.h"
#include "loop/reducer_check.h"
#include "loop/total.h"
#include "pool/call_options.h"
#include "sched/unwound.h"

struct map_reduction {
    const filch_map_reducer *mapping;
    const void *environment;
    unsigned char *total;  /* begins as the initial value */
    unsigned char *totals; /* of each leaf */
    struct filch_loop loop;
    struct filch_fault fault;
    struct filch_partition leaves;
};

static void map_reduce_leaf(const void *environment, filch_range *range)
{
    const struct map_reduction *const *reduction = environment;
    size_t leaf = (size_t)range->next / (*reduction)->leaves.length;
    (*reduction)
        ->mapping->block((*reduction)->environment, range,
                         (*reduction)->totals +
                             leaf * (*reduction)->mapping->reducer->element_bytes);
}

static void end_map_reduction(struct map_reduction **reduction)
{
    filch_free((*reduction)->totals);
    (*reduction)->totals = NULL;
}

static void run_map_reduction(void *context)
{
    FILCH_UNWINDS(end_map_reduction) struct map_reduction *reduction = context;
    const filch_reducer *reducer = reduction->mapping->reducer;
    size_t count = reduction->leaves.count; /* n times this does not overflow */
    reduction->totals = filch_malloc_for(reducer->element_bytes, count * reducer->element_bytes);
    if (!reduction->totals) {
        filch_loop_halt(&reduction->loop, FILCH_ENOMEM);
        return;
    }
    filch_loop_run_here(&reduction->loop);
    if (filch_loop_result(&reduction->loop, NULL) == FILCH_OK) { /* all leaves have a total */
        filch_reducer_check(reduction->loop.pool, reducer, reduction->totals, count);
        reducer->combine_block(reduction->total, reduction->totals, count);
    }
}

static filch_status reduce_into(struct map_reduction *reduction, filch_pool *pool, size_t n)
{
    const filch_options *options = filch_options_of(pool);
    const filch_reducer *reducer = reduction->mapping->reducer;
    struct map_reduction *const itself = reduction;
    const filch_body body = {map_reduce_leaf, sizeof itself, reducer->element_bytes,
                             reduction->mapping->info};
    filch_status status =
        filch_loop_init(&reduction->loop, &body, &itself, n, options, &reduction->fault);
    if (status == FILCH_OK) {
        status = filch_partition_loop(&reduction->leaves, &reduction->loop);
    }
    if (status == FILCH_OK) {
        status = filch_loop_enter(&reduction->loop, pool, run_map_reduction, reduction);
    }
    if (status == FILCH_OK) {
        status = filch_loop_result(&reduction->loop, filch_options_error(options));
    }
    return filch_options_end(options, status);
}

filch_status filch_map_reduce(filch_pool *pool, const filch_map_reducer *mapping,
                              const void *environment, size_t n, const void *initial, void *result)
{
    if (!mapping || !mapping->block || !mapping->reducer || !mapping->reducer->combine_block ||
        !mapping->reducer->element_bytes || !initial || !result) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    size_t bytes = mapping->reducer->element_bytes;
    struct filch_total total;
    if (!filch_total_begin(&total, initial, bytes)) {
        return filch_options_refuse(pool, FILCH_ENOMEM);
    }
    struct map_reduction reduction = {
        .mapping = mapping, .environment = environment, .total = total.bytes};
    filch_status status = reduce_into(&reduction, pool, n);
    filch_total_end(&total, status == FILCH_OK ? result : NULL, bytes);
    return status;
}
