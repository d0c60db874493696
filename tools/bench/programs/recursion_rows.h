/* recursion_rows: the rows of recursion.c and recursion_omp.c, which define before this
 *
 *     fib, queens, tree_sum,
 *     uneven_sum, packed            the recursions
 *     OPEN(workers), CLOSE()        get ready for so many workers; done with them
 *     RUN(result, function, ...)    call one from outside
 */
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

/* Nanoseconds a node. */
static double sample_uneven_tree(unsigned workers, int size, unsigned long long *check)
{
    long result = 0;
    OPEN(workers);
    RUN(result, fib, 20);
    double start = now_ns();
    RUN(result, uneven_sum, size, 1);
    double ns = now_ns() - start;
    CLOSE();
    *check = (unsigned long long)result;
    return ns / size;
}

/* Nanoseconds for each of the 2^size choices that there are. */
static double sample_knapsack(unsigned workers, int size, unsigned long long *check)
{
    struct thing things[MOST_THINGS];
    long warm = 0;
    int result = 0;
    must(size <= MOST_THINGS, "so many things");
    int room = things_to_pack(things, size);
    OPEN(workers);
    RUN(warm, fib, 20);
    double start = now_ns();
    RUN(result, packed, things, size, room, 0);
    double ns = now_ns() - start;
    CLOSE();
    *check = (unsigned long long)(result + warm);
    return ns / (double)(1UL << size);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"fib", sample_fib},
                                      {"queens", sample_queens},
                                      {"small_tree", sample_small_tree},
                                      {"big_tree", sample_big_tree},
                                      {"uneven_tree", sample_uneven_tree},
                                      {"knapsack", sample_knapsack}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
