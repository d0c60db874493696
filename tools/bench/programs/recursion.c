/* Fork and join without a cut-off: fib, n-queens, a knapsack and sums over trees. With -DSERIAL the same source
 * as plain calls. */
#include "problems.h"
#ifdef SERIAL
#include "serial.h"
#else
#include <filch/filch.h>
#endif

enum { MOST_QUEENS = 16 };

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

#ifdef SERIAL
typedef long queens_handle;
#endif

/* Bits: all columns, those taken, and the two diagonals, in the next row. */
FILCH_FORK_FUNCTION(long, queens, (unsigned, all), (unsigned, columns), (unsigned, left),
                    (unsigned, right))
{
    if (columns == all) {
        return 1;
    }
    queens_handle children[MOST_QUEENS];
    int count = 0;
    for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
        unsigned queen = free & -free;
        FILCH_FORK_AT(children[count], queens, all, columns | queen, (left | queen) << 1,
                      (right | queen) >> 1);
        count++;
    }
    long found = 0;
    while (count > 0) {
        count--;
        found += FILCH_JOIN_AT(children[count]);
    }
    return found;
}

FILCH_FORK_FUNCTION(long, tree_sum, (const struct node *, node))
{
    if (!node->left) {
        return node->value;
    }
    FILCH_FORK(left, tree_sum, node->left);
    long right = FILCH_CALL(tree_sum, node->right);
    return FILCH_JOIN(left) + right + node->value;
}

FILCH_FORK_FUNCTION(long, uneven_sum, (long, nodes), (uint64_t, seed))
{
    if (nodes == 0) {
        return 0;
    }
    struct split at = split_at(nodes, seed);
    FILCH_FORK(left, uneven_sum, at.left, 2 * seed);
    long right = FILCH_CALL(uneven_sum, at.right, 2 * seed + 1);
    return FILCH_JOIN(left) + right + at.value;
}

/* The most that is gained: with the first of n things, or without it. */
FILCH_FORK_FUNCTION(int, packed, (const struct thing *, first), (int, n), (int, room), (int, gain))
{
    if (room < 0) {
        return 0;
    }
    if (n == 0 || room == 0) {
        return gain;
    }
    FILCH_FORK(left_out, packed, first + 1, n - 1, room, gain);
    int with = FILCH_CALL(packed, first + 1, n - 1, room - first->weight, gain + first->gain);
    int without = FILCH_JOIN(left_out);
    return with > without ? with : without;
}

#ifdef SERIAL
#define OPEN(workers) (void)(workers)
#define RUN(result, function, ...) ((result) = function(__VA_ARGS__))
#define CLOSE()
#else
static filch_pool *pool;
#define OPEN(workers)                                                                              \
    must(filch_pool_open(&(filch_pool_options){.processes = (int)(workers)}, &pool) == FILCH_OK,   \
         "opening a pool")
#define RUN(result, function, ...)                                                                 \
    must(function##_apply(pool, __VA_ARGS__, &(result)) == FILCH_OK, #function)
#define CLOSE() must(filch_pool_free(pool) == FILCH_OK, "freeing a pool")
#endif

#include "recursion_rows.h"
