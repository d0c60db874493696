/* Fork and join without a cut-off: fib, n-queens and sums over trees. With -DSERIAL the same source
 * as plain calls. */
#include "sample.h"
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

struct node {
    struct node *left;
    struct node *right;
    long value;
};

FILCH_FORK_FUNCTION(long, tree_sum, (const struct node *, node))
{
    if (!node->left) {
        return node->value;
    }
    FILCH_FORK(left, tree_sum, node->left);
    long right = FILCH_CALL(tree_sum, node->right);
    return FILCH_JOIN(left) + right + node->value;
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

#ifdef SERIAL
#define OPEN(workers) (void)(workers)
#define RUN(result, function, ...) ((result) = function(__VA_ARGS__))
#define CLOSE()
#else
static filch_pool *pool;
#define OPEN(workers) filch_pool_open(&(filch_pool_options){.processes = (int)(workers)}, &pool)
#define RUN(result, function, ...) function##_apply(pool, __VA_ARGS__, &(result))
#define CLOSE() filch_pool_free(pool)
#endif

static double sample_fib(unsigned workers, int size, unsigned long long *check)
{
    long result = 0;
    OPEN(workers);
    RUN(result, fib, 20);
    double start = now_ns();
    RUN(result, fib, size);
    double ns = now_ns() - start;
    CLOSE();
    *check = (unsigned long long)result;
    return ns / (double)result;
}

static double sample_queens(unsigned workers, int size, unsigned long long *check)
{
    long result = 0;
    OPEN(workers);
    RUN(result, fib, 20);
    double start = now_ns();
    RUN(result, queens, (1U << size) - 1, 0, 0, 0);
    double ns = now_ns() - start;
    CLOSE();
    *check = (unsigned long long)result;
    return ns / (double)result;
}

/* Nanoseconds a node. */
static double sample_tree(unsigned workers, unsigned long long *check, int depth, int rounds)
{
    size_t count = ((size_t)1 << depth) - 1;
    struct node *memory = malloc(count * sizeof *memory);
    const struct node *root = memory;
    plant(memory, count);
    long result = 0;
    OPEN(workers);
    RUN(result, tree_sum, root);
    double start = now_ns();
    for (int i = 0; i < rounds; i++) {
        RUN(result, tree_sum, root);
        *check += (unsigned long long)result;
    }
    double ns = now_ns() - start;
    CLOSE();
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
