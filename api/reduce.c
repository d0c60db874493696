/* Reductions: the elements are grouped into leaves by their number alone, the leaves are reduced in
 * parallel, their results in order. So the same bits come out on any number of workers. */
#include <filch/loop.h>

#include <stdlib.h>
#include <string.h>

#include "base.h"

enum { LEAVES_MAX = 1024, ON_STACK_BYTES = 8192 };

struct leaves {
    const filch_reducer *reducer;
    const unsigned char *elements;
    unsigned char *totals; /* one per leaf */
    size_t n;
    size_t leaf; /* elements in each but the last */
};

static void reduce_leaf(const struct leaves *leaves, size_t index)
{
    size_t bytes = leaves->reducer->element_bytes;
    size_t first = index * leaves->leaf;
    size_t left = leaves->n - first;
    size_t count = left < leaves->leaf ? left : leaves->leaf;
    unsigned char *total = leaves->totals + index * bytes;
    memcpy(total, leaves->elements + first * bytes, bytes);
    leaves->reducer->combine_block(total, leaves->elements + (first + 1) * bytes, count - 1);
}

static void leaf_block(const void *environment, filch_range *range)
{
    for (size_t i = range->next; i < range->stop; i++) {
        range->next = i + 1;
        reduce_leaf(environment, i);
    }
}

static filch_status reduce_leaves(filch_pool *pool, struct leaves *leaves, size_t count,
                                  void *total)
{
    FILCH_ALIGNED(16) unsigned char on_stack[ON_STACK_BYTES];
    size_t bytes = count * leaves->reducer->element_bytes; /* below n elements: no overflow */
    leaves->totals = bytes <= sizeof on_stack ? on_stack : malloc(bytes);
    if (!leaves->totals) {
        return FILCH_ENOMEM;
    }
    filch_body body = {leaf_block, sizeof *leaves, 0, leaves->reducer->info};
    filch_status status = filch_map(pool, &body, leaves, count, NULL);
    if (status == FILCH_OK) {
        leaves->reducer->combine_block(total, leaves->totals, count);
    }
    if (leaves->totals != on_stack) {
        free(leaves->totals);
    }
    return status;
}

filch_status filch_reduce(filch_pool *pool, const filch_reducer *reducer, const void *elements,
                          size_t n, const void *initial, void *result)
{
    size_t bytes;
    if (!reducer || !reducer->combine_block || !reducer->element_bytes || !initial || !result ||
        (n && !elements)) {
        return FILCH_EINVAL;
    }
    if (!filch_multiply(n, reducer->element_bytes, &bytes)) {
        return FILCH_EOVERFLOW;
    }
    FILCH_ALIGNED(16) unsigned char small[64];
    size_t element = reducer->element_bytes;
    unsigned char *total = element <= sizeof small ? small : malloc(element);
    if (!total) {
        return FILCH_ENOMEM;
    }
    memcpy(total, initial, element);
    size_t leaf = n / LEAVES_MAX + 1;
    struct leaves leaves = {.reducer = reducer, .elements = elements, .n = n, .leaf = leaf};
    filch_status status = reduce_leaves(pool, &leaves, n ? (n - 1) / leaf + 1 : 0, total);
    if (status == FILCH_OK) {
        memcpy(result, total, element);
    }
    if (total != small) {
        free(total);
    }
    return status;
}
