/* partition: arrays cut into pieces whose number and lengths depend on the number of elements
 * alone, so that what is computed piece by piece has the same bits on any number of workers. */
#ifndef FILCH_PARTITION_H
#define FILCH_PARTITION_H

#include <stddef.h>

#include <filch/loop.h>

#include "base/private.h"

struct filch_partition {
    size_t n;      /* elements */
    size_t length; /* of every leaf but the last */
    size_t count;  /* leaves */
};

/* About as many leaves as elements in one, and at most 1,024. */
FILCH_PRIVATE struct filch_partition filch_partition_of(size_t n);

static inline size_t filch_leaf_first(const struct filch_partition *leaves, size_t leaf)
{
    return leaf * leaves->length;
}

static inline size_t filch_leaf_elements(const struct filch_partition *leaves, size_t leaf)
{
    size_t left = leaves->n - leaf * leaves->length;
    return left < leaves->length ? left : leaves->length;
}

/* run(context, leaf) for all leaves, in parallel. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_partition_run(filch_pool *pool, size_t count, void (*run)(void *context, size_t leaf),
                    void *context, const filch_function_info *info);

/* Work on leaves each of which needs what those before it come to: its base. Where that is known
 * already, a leaf is finished at once; else only its own part is found out, and the leaf is
 * finished later. On one worker every leaf is finished at once. */
struct filch_linked_leaves {
    size_t count;
    /* The base of `leaf` is known: finish it, and tell its own part, too. */
    void (*finish)(void *context, size_t leaf);
    /* Only tell its own part. */
    void (*measure)(void *context, size_t leaf);
    /* The base of the leaf after this one, from this one's base and part. */
    void (*carry)(void *context, size_t leaf);
    /* As finish, for one that was measured before. */
    void (*finish_late)(void *context, size_t leaf);
    void *context;
};

FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_partition_run_linked(
    filch_pool *pool, const struct filch_linked_leaves *chain, const filch_function_info *info);

#endif
