/* Scans: a chain of leaves (chain.h), each of which needs the sum of those before it.
 *
 * Source: Blelloch, "Prefix sums and their applications" (1990). */
#include <filch/reduce.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/chain.h"
#include "loop/partition.h"
#include "pool/run_in_pool.h"

enum { SUMS_ON_STACK = 4096 };

struct scanning {
    const filch_reducer *reducer;
    void (*block)(const void *prefix, const void *elements, size_t n, void *out, void *total);
    const unsigned char *elements;
    unsigned char *out;
    unsigned char *bases;  /* what is before each leaf; one at least */
    unsigned char *totals; /* of each leaf */
    const void *initial;
    struct filch_partition leaves;
};

static unsigned char *of_leaf(const struct scanning *scanning, unsigned char *values, size_t leaf)
{
    return values + leaf * scanning->reducer->element_bytes;
}

static size_t first_byte(const struct scanning *scanning, size_t leaf)
{
    return filch_leaf_first(&scanning->leaves, leaf) * scanning->reducer->element_bytes;
}

static void scan_leaf(struct scanning *scanning, size_t leaf, void *total)
{
    size_t at = first_byte(scanning, leaf);
    scanning->block(of_leaf(scanning, scanning->bases, leaf), scanning->elements + at,
                    filch_leaf_elements(&scanning->leaves, leaf), scanning->out + at, total);
}

/* What the last one comes to is not needed. */
static bool is_last(const struct scanning *scanning, size_t leaf)
{
    return leaf + 1 == scanning->leaves.count;
}

/* The base of the leaf behind these, from that of the first. */
static void carry_leaves(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    unsigned char *next = of_leaf(scanning, scanning->bases, first + leaves);
    if (is_last(scanning, first + leaves - 1)) {
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
        scan_leaf(scanning, leaf, is_last(scanning, leaf) ? NULL : total);
        carry_leaves(scanning, leaf, 1);
    }
}

static void measure_leaves(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    for (size_t leaf = first; leaf < first + leaves && !is_last(scanning, leaf); leaf++) {
        size_t bytes = scanning->reducer->element_bytes;
        const unsigned char *elements = scanning->elements + first_byte(scanning, leaf);
        unsigned char *total = of_leaf(scanning, scanning->totals, leaf);
        memcpy(total, elements, bytes);
        scanning->reducer->combine_block(total, elements + bytes,
                                         filch_leaf_elements(&scanning->leaves, leaf) - 1);
    }
}

static void finish_leaves_late(void *context, size_t first, size_t leaves)
{
    struct scanning *scanning = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        scan_leaf(scanning, leaf, NULL);
        if (leaf + 1 < first + leaves) { /* else it is known, and others read it */
            carry_leaves(scanning, leaf, 1);
        }
    }
}

static filch_status scan_leaves(filch_pool *pool, struct scanning *scanning)
{
    const filch_reducer *reducer = scanning->reducer;
    const struct filch_chain chain = {
        .count = scanning->leaves.count,
        .most = filch_leaves_at_hand(&scanning->leaves, reducer->element_bytes),
        .finish = finish_leaves,
        .measure = measure_leaves,
        .carry = carry_leaves,
        .finish_late = finish_leaves_late,
        .context = scanning};
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

static filch_status check_scan(const filch_reducer *reducer, const void *elements, size_t n,
                               const void *initial, const void *out)
{
    size_t bytes;
    if (!reducer || !reducer->combine_block || !reducer->scan_block || !reducer->element_bytes ||
        !initial || (n && (!elements || !out))) {
        return FILCH_EINVAL;
    }
    return filch_multiply(n, reducer->element_bytes, &bytes) ? FILCH_OK : FILCH_EOVERFLOW;
}

filch_status filch_scan(filch_pool *pool, const filch_reducer *reducer, const void *elements,
                        size_t n, const void *initial, void *out)
{
    filch_status status = check_scan(reducer, elements, n, initial, out);
    if (status != FILCH_OK) {
        return status;
    }
    struct scanning scanning = {.reducer = reducer,
                                .block = reducer->scan_block,
                                .elements = elements,
                                .out = out,
                                .initial = initial,
                                .leaves = filch_partition_for_chain(n)};
    return filch_run_in_pool(pool, scan, &scanning, reducer->info);
}

filch_status filch_scan_exclusive(filch_pool *pool, const filch_reducer *reducer,
                                  const void *elements, size_t n, const void *initial, void *out)
{
    if (!reducer) {
        return FILCH_EINVAL;
    }
    filch_reducer exclusive = *reducer;
    exclusive.scan_block = reducer->scan_exclusive_block;
    return filch_scan(pool, &exclusive, elements, n, initial, out);
}
