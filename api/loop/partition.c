#include "loop/partition.h"

#include "loop/loop_run.h"

enum {
    CHAINED_FEW = 16,   /* elements, below which there is one leaf; later, so many leaves */
    CHAINED_LONG = 256, /* elements of a leaf beside which its beginning and end are little */
    AT_HAND_BYTES = 1 << 17,
};

static struct filch_partition leaves_of_length(size_t n, size_t length)
{
    return (struct filch_partition){
        .n = n, .length = length, .count = n ? (n - 1) / length + 1 : 0};
}

struct filch_partition filch_partition_of(size_t n)
{
    size_t length = n / FILCH_LEAVES_MAX + (n % FILCH_LEAVES_MAX != 0);
    size_t root = 1;
    while (root < FILCH_LEAVES_MAX && root * root < n) {
        root++;
    }
    return leaves_of_length(n, length > root ? length : root);
}

struct filch_partition filch_partition_for_chain(size_t n)
{
    struct filch_partition leaves = filch_partition_of(n);
    size_t length = n / CHAINED_FEW < CHAINED_LONG ? n / CHAINED_FEW : CHAINED_LONG;
    length = n < CHAINED_FEW ? n : length;
    return length > leaves.length ? leaves_of_length(n, length) : leaves;
}

filch_status filch_partition_loop(struct filch_partition *leaves, struct filch_loop *loop)
{
    if (loop->python) {
        return FILCH_EINVAL;
    }
    if (loop->chunk) {
        *leaves = leaves_of_length(loop->n, loop->chunk);
    } else {
        *leaves = filch_partition_of(loop->n);
        loop->grouped = true;
        loop->chunk = leaves->length;
    }
    return FILCH_OK;
}

size_t filch_leaves_at_hand(const struct filch_partition *leaves, size_t element_bytes)
{
    size_t elements = AT_HAND_BYTES / element_bytes;
    return leaves->length && leaves->length < elements ? elements / leaves->length : 1;
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
    return filch_map(pool, &body, &each, count);
}
