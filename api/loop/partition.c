#include "loop/partition.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { LEAVES_MAX = 1024 };

struct filch_partition filch_partition_of(size_t n)
{
    struct filch_partition leaves = {.n = n, .length = n / LEAVES_MAX + (n % LEAVES_MAX != 0)};
    size_t root = 1;
    while (root < LEAVES_MAX && root * root < n) {
        root++;
    }
    leaves.length = leaves.length > root ? leaves.length : root;
    leaves.count = n ? (n - 1) / leaves.length + 1 : 0;
    return leaves;
}

struct each_leaf {
    void (*run)(void *context, size_t leaf);
    void *context;
};

static void leaf_block(const void *environment, filch_range *range)
{
    const struct each_leaf *each = environment;
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + 1;
        each->run(each->context, i);
    }
}

filch_status filch_partition_run(filch_pool *pool, size_t count,
                                 void (*run)(void *context, size_t leaf), void *context,
                                 const filch_function_info *info)
{
    const struct each_leaf each = {run, context};
    const filch_body body = {leaf_block, sizeof each, 0, info};
    return filch_map(pool, &body, &each, count, NULL);
}

struct linked {
    const struct filch_linked_leaves *chain;
    _Atomic(size_t) known;   /* the bases of leaves up to this one are known */
    unsigned char *finished; /* for each leaf; its worker, then all */
};

static void first_pass(void *context, size_t leaf)
{
    struct linked *linked = context;
    const struct filch_linked_leaves *chain = linked->chain;
    /* acquire: pairs with the release below; the base was written before */
    linked->finished[leaf] = atomic_load_explicit(&linked->known, memory_order_acquire) == leaf;
    if (linked->finished[leaf]) {
        chain->finish(chain->context, leaf);
        chain->carry(chain->context, leaf);
        atomic_store_explicit(&linked->known, leaf + 1, memory_order_release);
    } else {
        chain->measure(chain->context, leaf);
    }
}

static void second_pass(void *context, size_t leaf)
{
    struct linked *linked = context;
    if (!linked->finished[leaf]) {
        linked->chain->finish_late(linked->chain->context, leaf);
    }
}

filch_status filch_partition_run_linked(filch_pool *pool, const struct filch_linked_leaves *chain,
                                        const filch_function_info *info)
{
    unsigned char finished[LEAVES_MAX];
    struct linked linked = {.chain = chain, .finished = finished};
    atomic_init(&linked.known, 0);
    filch_status status = filch_partition_run(pool, chain->count, first_pass, &linked, info);
    /* relaxed: all are done */
    size_t known = atomic_load_explicit(&linked.known, memory_order_relaxed);
    if (status != FILCH_OK || known == chain->count) {
        return status;
    }
    for (size_t leaf = known; leaf < chain->count; leaf++) {
        chain->carry(chain->context, leaf);
    }
    return filch_partition_run(pool, chain->count, second_pass, &linked, info);
}
