/* Scans: a chain of leaves (chain.h), each of which needs the sum of those before it.
 *
 * Source: Blelloch, "Prefix sums and their applications" (1990). */
#include <filch/reduce.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/chain.h"
#include "loop/partition.h"
#include "loop/reducer_check.h"
#include "pool/run_in_pool.h"

enum { SUMS_ON_STACK = 2048 };

struct scanning {
    const filch_reducer *reducer;
    void (*block)(const void *prefix, const void *elements, size_t n, void *out, void *total);
    const unsigned char *elements;
    unsigned char *out;
    unsigned char *bases;  /* what is before each leaf; one at least */
    unsigned char *totals; /* of each leaf */
    const void *initial;
    struct filch_partition leaves;
    bool exclusive;
};

static unsigned char *of_leaf(const struct scanning *scanning, unsigned char *values, size_t leaf)
{
    return values + leaf * scanning->reducer->element_bytes;
}

static size_t first_byte(const struct scanning *scanning, size_t leaf)
{
    return filch_leaf_first(&scanning->leaves, leaf) * scanning->reducer->element_bytes;
}

static size_t elements_in(const struct scanning *scanning, size_t first, size_t leaves)
{
    const struct filch_partition *all = &scanning->leaves;
    return (leaves - 1) * all->length + filch_leaf_elements(all, first + leaves - 1);
}

static void scan_elements(struct scanning *scanning, size_t first, size_t leaves, void *total)
{
    size_t at = first_byte(scanning, first);
    scanning->block(of_leaf(scanning, scanning->bases, first), scanning->elements + at,
                    elements_in(scanning, first, leaves), scanning->out + at, total);
}

static void sum_elements(struct scanning *scanning, size_t first, size_t leaves)
{
    size_t bytes = scanning->reducer->element_bytes;
    const unsigned char *elements = scanning->elements + first_byte(scanning, first);
    unsigned char *total = of_leaf(scanning, scanning->totals, first);
    memcpy(total, elements, bytes);
    scanning->reducer->combine_block(total, elements + bytes,
                                     elements_in(scanning, first, leaves) - 1);
}

/* Are these the last? What they come to is not needed. */
static bool are_last(const struct scanning *scanning, size_t first, size_t leaves)
{
    return first + leaves == scanning->leaves.count;
}

/* The base of the leaf behind these, which were summed up one by one. */
static void carry_leaves(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    unsigned char *next = of_leaf(scanning, scanning->bases, first + leaves);
    if (are_last(scanning, first, leaves)) {
        return;
    }
    memcpy(next, of_leaf(scanning, scanning->bases, first), scanning->reducer->element_bytes);
    scanning->reducer->combine_block(next, of_leaf(scanning, scanning->totals, first), leaves);
}

static void finish_leaves(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        unsigned char *total = of_leaf(scanning, scanning->totals, leaf);
        scan_elements(scanning, leaf, 1, are_last(scanning, leaf, 1) ? NULL : total);
        carry_leaves(scanning, leaf, 1);
    }
}

static void measure_leaves(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    for (size_t leaf = first; leaf < first + leaves && !are_last(scanning, leaf, 1); leaf++) {
        sum_elements(scanning, leaf, 1);
    }
}

static void finish_leaves_late(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        scan_elements(scanning, leaf, 1, NULL);
        if (leaf + 1 < first + leaves) { /* else it is known, and others read it */
            carry_leaves(scanning, leaf, 1);
        }
    }
}

static const struct filch_chain grouped = {.finish = finish_leaves,
                                           .measure = measure_leaves,
                                           .carry = carry_leaves,
                                           .finish_late = finish_leaves_late};

/* ---- an exact operator: a run is as one leaf, and its last sum the base of the next ---- */

static void carry_run(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    unsigned char *next = of_leaf(scanning, scanning->bases, first + leaves);
    if (are_last(scanning, first, leaves)) {
        return;
    }
    memcpy(next, of_leaf(scanning, scanning->bases, first), scanning->reducer->element_bytes);
    scanning->reducer->combine_block(next, of_leaf(scanning, scanning->totals, first), 1);
}

/* The last element is kept, because its sum may take its place. */
static void finish_run_known(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    size_t bytes = scanning->reducer->element_bytes;
    size_t at = first_byte(scanning, first) + (elements_in(scanning, first, leaves) - 1) * bytes;
    unsigned char *last = of_leaf(scanning, scanning->totals, first);
    unsigned char *next = of_leaf(scanning, scanning->bases, first + leaves);
    memcpy(last, scanning->elements + at, bytes);
    scan_elements(scanning, first, leaves, NULL);
    if (are_last(scanning, first, leaves)) {
        return;
    }
    memcpy(next, scanning->out + at, bytes);
    if (scanning->exclusive) {
        scanning->reducer->combine_block(next, last, 1);
    }
}

static void measure_run_of(void *context, size_t first, size_t leaves)
{
    if (!are_last(context, first, leaves)) {
        sum_elements(context, first, leaves);
    }
}

static void finish_run_of_late(void *context, size_t first, size_t leaves)
{
    scan_elements(context, first, leaves, NULL);
}

static const struct filch_chain ungrouped = {.finish = finish_run_known,
                                             .measure = measure_run_of,
                                             .carry = carry_run,
                                             .finish_late = finish_run_of_late};

static filch_status scan_leaves(filch_pool *pool, struct scanning *scanning)
{
    const filch_reducer *reducer = scanning->reducer;
    filch_reducer_check(filch_pool_given(pool), reducer, scanning->elements, scanning->leaves.n);
    struct filch_chain chain = reducer->exact ? ungrouped : grouped;
    chain.count = scanning->leaves.count;
    chain.most = filch_leaves_at_hand(&scanning->leaves, reducer->element_bytes);
    chain.context = scanning;
    scanning->totals = of_leaf(scanning, scanning->bases, scanning->leaves.count + 1);
    memcpy(scanning->bases, scanning->initial, reducer->element_bytes);
    return filch_chain_run(pool, &chain, reducer->info);
}

static filch_status scan(filch_pool *pool, void *context)
{
    struct scanning *scanning = context;
    FILCH_ALIGNED(64) unsigned char on_stack[SUMS_ON_STACK];
    size_t bytes = scanning->reducer->element_bytes;
    size_t all;
    if (!filch_multiply(2 * scanning->leaves.count + 1, bytes, &all)) {
        return FILCH_EOVERFLOW; /* without a leaf, too, there is a base */
    }
    scanning->bases = all <= sizeof on_stack ? on_stack : filch_malloc_for(bytes, all);
    if (!scanning->bases) {
        return FILCH_ENOMEM;
    }
    filch_status status = scan_leaves(pool, scanning);
    if (scanning->bases != on_stack) {
        filch_free(scanning->bases);
    }
    return status;
}

static filch_status check_scan(const struct scanning *scanning, size_t n)
{
    const filch_reducer *reducer = scanning->reducer;
    size_t bytes;
    if (!reducer || !reducer->combine_block || !scanning->block || !reducer->element_bytes ||
        !scanning->initial || (n && (!scanning->elements || !scanning->out))) {
        return FILCH_EINVAL;
    }
    return filch_multiply(n, reducer->element_bytes, &bytes) ? FILCH_OK : FILCH_EOVERFLOW;
}

static filch_status scan_by(filch_pool *pool, struct scanning *scanning, size_t n)
{
    filch_status status = check_scan(scanning, n);
    if (status != FILCH_OK) {
        return filch_options_refuse(pool, status);
    }
    scanning->leaves = filch_partition_for_chain(n);
    return filch_run_in_pool(pool, scan, scanning, FILCH_USES_IN_PIECES, scanning->reducer->info);
}

filch_status filch_scan(filch_pool *pool, const filch_reducer *reducer, const void *elements,
                        size_t n, const void *initial, void *out)
{
    struct scanning scanning = {.reducer = reducer,
                                .block = reducer ? reducer->scan_block : NULL,
                                .elements = elements,
                                .out = out,
                                .initial = initial};
    return scan_by(pool, &scanning, n);
}

filch_status filch_scan_exclusive(filch_pool *pool, const filch_reducer *reducer,
                                  const void *elements, size_t n, const void *initial, void *out)
{
    struct scanning scanning = {.reducer = reducer,
                                .block = reducer ? reducer->scan_exclusive_block : NULL,
                                .elements = elements,
                                .out = out,
                                .initial = initial,
                                .exclusive = true};
    return scan_by(pool, &scanning, n);
}
