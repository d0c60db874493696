/* The rows of recursion.c with OpenMP's tasks. */
#include <omp.h>

#include "sample.h"

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

struct node {
    struct node *left;
    struct node *right;
    long value;
};

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

/* In heap order, so that no order of visits is the memory's. */
static void plant(struct node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t child = 2 * i + 1;
        nodes[i].value = (long)(mix(i) & 0xff);
        nodes[i].left = child < count ? &nodes[child] : NULL;
        nodes[i].right = child < count ? &nodes[child + 1] : NULL;
    }
}

#define RUN(result, call) _Pragma("omp parallel") _Pragma("omp single") result = call

static double sample_fib(unsigned workers, int size, unsigned long long *check)
{
    long result = 0;
    omp_set_num_threads((int)workers);
    RUN(result, fib(15));
    double start = now_ns();
    RUN(result, fib(size));
    double ns = now_ns() - start;
    *check = (unsigned long long)result;
    return ns / (double)result;
}

static double sample_queens(unsigned workers, int size, unsigned long long *check)
{
    long result = 0;
    omp_set_num_threads((int)workers);
    RUN(result, fib(15));
    double start = now_ns();
    RUN(result, queens((1U << size) - 1, 0, 0, 0));
    double ns = now_ns() - start;
    *check = (unsigned long long)result;
    return ns / (double)result;
}

static double sample_tree(unsigned workers, unsigned long long *check, int depth, int rounds)
{
    size_t count = ((size_t)1 << depth) - 1;
    struct node *memory = malloc(count * sizeof *memory);
    const struct node *root = memory;
    plant(memory, count);
    long result = 0;
    omp_set_num_threads((int)workers);
    RUN(result, tree_sum(root));
    double start = now_ns();
    for (int i = 0; i < rounds; i++) {
        RUN(result, tree_sum(root));
        *check += (unsigned long long)result;
    }
    double ns = now_ns() - start;
    free(memory);
    return ns / rounds / (double)count;
}

static double sample_small_tree(unsigned workers, int size, unsigned long long *check)
{
    return sample_tree(workers, check, 10, size);
}

static double sample_big_tree(unsigned workers, int size, unsigned long long *check)
{
    return sample_tree(workers, check, size, 2);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"fib", sample_fib},
                                      {"queens", sample_queens},
                                      {"small_tree", sample_small_tree},
                                      {"big_tree", sample_big_tree}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
