/* partition: arrays cut into pieces whose number and lengths depend on the number of elements
 * alone, so that what is computed piece by piece has the same bits on any number of workers. */
#ifndef FILCH_PARTITION_H
#define FILCH_PARTITION_H

#include <stddef.h>

#include <filch/loop.h>

#include "base/private.h"

struct filch_loop;

enum { FILCH_LEAVES_MAX = 1024 };

struct filch_partition {
    size_t n;      /* elements */
    size_t length; /* of every leaf but the last */
    size_t count;  /* leaves */
};

/* About as many leaves as elements in one, and at most FILCH_LEAVES_MAX. */
FILCH_PRIVATE struct filch_partition filch_partition_of(size_t n);

/* As that, with longer leaves where there are few elements: a leaf of a chain (chain.h) costs more
 * than another. */
FILCH_PRIVATE struct filch_partition filch_partition_for_chain(size_t n);

static inline size_t filch_leaf_first(const struct filch_partition *leaves, size_t leaf)
{
    return leaf * leaves->length;
}

static inline size_t filch_leaf_elements(const struct filch_partition *leaves, size_t leaf)
{
    size_t left = leaves->n - leaf * leaves->length;
    return left < leaves->length ? left : leaves->length;
}

/* The loop, which was just made, is to run leaf by leaf, each in one call of its block: those of
 * filch_partition_of(), or of as many elements as its options have said. FILCH_EINVAL: Python's
 * chunks, whose length depends on the number of workers. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_partition_loop(struct filch_partition *leaves,
                                                                 struct filch_loop *loop);

/* Leaves that are in the nearer caches when they were gone over. */
FILCH_PRIVATE size_t filch_leaves_at_hand(const struct filch_partition *leaves,
                                          size_t element_bytes);

/* run(context, leaf) for all leaves, in parallel. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_partition_run(filch_pool *pool, size_t count, void (*run)(void *context, size_t leaf),
                    void *context, const filch_function_info *info);

#endif
