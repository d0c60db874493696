/* Reductions: leaves are reduced in parallel, their results in order. */
#include <filch/reduce.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/partition.h"
#include "loop/reducer_check.h"
#include "loop/total.h"
#include "pool/run_in_pool.h"

enum { ON_STACK_BYTES = 8192 };

struct reduction {
    const filch_reducer *reducer;
    const unsigned char *elements;
    unsigned char *totals; /* one per leaf */
    void *total;           /* begins as the initial value */
    struct filch_partition leaves;
};

static void reduce_leaf(void *context, size_t leaf)
{
    const struct reduction *reduction = context;
    size_t bytes = reduction->reducer->element_bytes;
    const unsigned char *first =
        reduction->elements + filch_leaf_first(&reduction->leaves, leaf) * bytes;
    unsigned char *total = reduction->totals + leaf * bytes;
    memcpy(total, first, bytes);
    reduction->reducer->combine_block(total, first + bytes,
                                      filch_leaf_elements(&reduction->leaves, leaf) - 1);
}

static filch_status reduce_leaves(filch_pool *pool, void *context)
{
    struct reduction *reduction = context;
    FILCH_ALIGNED(64) unsigned char on_stack[ON_STACK_BYTES];
    const filch_reducer *reducer = reduction->reducer;
    size_t count = reduction->leaves.count;
    size_t bytes = count * reducer->element_bytes; /* at most n elements: no overflow */
    filch_reducer_check(filch_pool_given(pool), reducer, reduction->elements, reduction->leaves.n);
    reduction->totals =
        bytes <= sizeof on_stack ? on_stack : filch_malloc_for(reducer->element_bytes, bytes);
    if (!reduction->totals) {
        return FILCH_ENOMEM;
    }
    filch_status status = filch_partition_run(pool, count, reduce_leaf, reduction, reducer->info);
    if (status == FILCH_OK) {
        reducer->combine_block(reduction->total, reduction->totals, count);
    }
    if (reduction->totals != on_stack) {
        filch_free(reduction->totals);
    }
    return status;
}

filch_status filch_reduce(filch_pool *pool, const filch_reducer *reducer, const void *elements,
                          size_t n, const void *initial, void *result)
{
    size_t bytes;
    if (!reducer || !reducer->combine_block || !reducer->element_bytes || !initial || !result ||
        (n && !elements)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    if (!filch_multiply(n, reducer->element_bytes, &bytes)) {
        return filch_options_refuse(pool, FILCH_EOVERFLOW);
    }
    struct filch_total total;
    if (!filch_total_begin(&total, initial, reducer->element_bytes)) {
        return filch_options_refuse(pool, FILCH_ENOMEM);
    }
    struct reduction reduction = {.reducer = reducer,
                                  .elements = elements,
                                  .total = total.bytes,
                                  .leaves = filch_partition_of(n)};
    filch_status status =
        filch_run_in_pool(pool, reduce_leaves, &reduction, FILCH_USES_IN_PIECES, reducer->info);
    filch_total_end(&total, status == FILCH_OK ? result : NULL, reducer->element_bytes);
    return status;
}
