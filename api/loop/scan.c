/* Scans: a chain of leaves, each of which needs the sum of those before it.
 *
 * Source: Blelloch, "Prefix sums and their applications" (1990); here a leaf whose base is known
 * when it begins is written in the first pass. */
#include <filch/reduce.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/partition.h"
#include "pool/run_in_pool.h"

enum { ONE_LEAF = 16 }; /* elements, below which there is one leaf */

struct scanning {
    const filch_reducer *reducer;
    void (*block)(const void *prefix, const void *elements, size_t n, void *out, void *total);
    const unsigned char *elements;
    unsigned char *out;
    unsigned char *bases;  /* one per leaf, and at least one */
    unsigned char *totals; /* one per leaf */
    const void *initial;
    struct filch_partition leaves;
};

static size_t first_byte(const struct scanning *scanning, size_t leaf)
{
    return filch_leaf_first(&scanning->leaves, leaf) * scanning->reducer->element_bytes;
}

static void scan_leaf(struct scanning *scanning, size_t leaf, void *total)
{
    size_t at = first_byte(scanning, leaf);
    scanning->block(scanning->bases + leaf * scanning->reducer->element_bytes,
                    scanning->elements + at, filch_leaf_elements(&scanning->leaves, leaf),
                    scanning->out + at, total);
}

/* What the last one comes to is not needed. */
static bool is_last(const struct scanning *scanning, size_t leaf)
{
    return leaf + 1 == scanning->leaves.count;
}

static void finish_leaf(void *context, size_t leaf)
{
    struct scanning *scanning = context;
    unsigned char *total = scanning->totals + leaf * scanning->reducer->element_bytes;
    scan_leaf(scanning, leaf, is_last(scanning, leaf) ? NULL : total);
}

static void finish_late(void *context, size_t leaf)
{
    scan_leaf(context, leaf, NULL);
}

static void measure(void *context, size_t leaf)
{
    struct scanning *scanning = context;
    size_t bytes = scanning->reducer->element_bytes;
    const unsigned char *first = scanning->elements + first_byte(scanning, leaf);
    unsigned char *total = scanning->totals + leaf * bytes;
    if (is_last(scanning, leaf)) {
        return;
    }
    memcpy(total, first, bytes);
    scanning->reducer->combine_block(total, first + bytes,
                                     filch_leaf_elements(&scanning->leaves, leaf) - 1);
}

static void carry(void *context, size_t leaf)
{
    struct scanning *scanning = context;
    size_t bytes = scanning->reducer->element_bytes;
    unsigned char *base = scanning->bases + leaf * bytes;
    if (is_last(scanning, leaf)) {
        return;
    }
    memcpy(base + bytes, base, bytes);
    scanning->reducer->combine_block(base + bytes, scanning->totals + leaf * bytes, 1);
}

static filch_status scan(filch_pool *pool, void *context)
{
    struct scanning *scanning = context;
    size_t bytes = scanning->reducer->element_bytes;
    size_t count = scanning->leaves.count;
    size_t all;
    if (!filch_multiply(2 * count + 1, bytes, &all)) { /* without a leaf, too, there is a base */
        return FILCH_EOVERFLOW;
    }
    scanning->bases = filch_malloc_for(bytes, all);
    if (!scanning->bases) {
        return FILCH_ENOMEM;
    }
    scanning->totals = scanning->bases + (count + 1) * bytes;
    memcpy(scanning->bases, scanning->initial, bytes);
    const struct filch_linked_leaves chain = {count, finish_leaf, measure,
                                              carry, finish_late, scanning};
    filch_status status = filch_partition_run_linked(pool, &chain, scanning->reducer->info);
    filch_free(scanning->bases);
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

/* A parallel scan goes over the elements twice: a few are not worth it. */
static struct filch_partition leaves_for(size_t n)
{
    return n < ONE_LEAF ? (struct filch_partition){n, n, n > 0} : filch_partition_of(n);
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
                                .leaves = leaves_for(n)};
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
