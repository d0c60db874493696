/* The rows of recursion.c with OpenMP's tasks. */
#include <omp.h>

#include "problems.h"

enum { MOST_QUEENS = 16 };

static long fib(int n)
{
    if (n < 2) {
        return n;
    }
    long left;
    long right;
#pragma omp task shared(left)
    left = fib(n - 1);
    right = fib(n - 2);
#pragma omp taskwait
    return left + right;
}

static long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    if (columns == all) {
        return 1;
    }
    long found[MOST_QUEENS];
    int count = 0;
    for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
        unsigned queen = free & -free;
        int at = count++;
#pragma omp task shared(found)
        found[at] = queens(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
    }
#pragma omp taskwait
    long sum = 0;
    while (count > 0) {
        sum += found[--count];
    }
    return sum;
}

static long tree_sum(const struct node *node)
{
    if (!node->left) {
        return node->value;
    }
    long left;
    long right;
#pragma omp task shared(left)
    left = tree_sum(node->left);
    right = tree_sum(node->right);
#pragma omp taskwait
    return left + right + node->value;
}

static long uneven_sum(long nodes, uint64_t seed)
{
    if (nodes == 0) {
        return 0;
    }
    struct split at = split_at(nodes, seed);
    long left;
    long right;
#pragma omp task shared(left)
    left = uneven_sum(at.left, 2 * seed);
    right = uneven_sum(at.right, 2 * seed + 1);
#pragma omp taskwait
    return left + right + at.value;
}

static int packed(const struct thing *first, int n, int room, int gain)
{
    if (room < 0) {
        return 0;
    }
    if (n == 0 || room == 0) {
        return gain;
    }
    int without;
    int with;
#pragma omp task shared(without)
    without = packed(first + 1, n - 1, room, gain);
    with = packed(first + 1, n - 1, room - first->weight, gain + first->gain);
#pragma omp taskwait
    return with > without ? with : without;
}

#define OPEN(workers) omp_set_num_threads((int)(workers))
#define RUN(result, function, ...)                                                                 \
    _Pragma("omp parallel") _Pragma("omp single") result = function(__VA_ARGS__)
#define CLOSE()

#include "recursion_rows.h"
