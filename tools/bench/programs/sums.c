/* What many elements leave behind: a histogram of bytes, a sum of f(x). With -DSERIAL the same in a
 * plain loop, with -fopenmp in OpenMP's. */
#include "sample.h"
#ifdef _OPENMP
#include <omp.h>
#elif !defined(SERIAL)
#include <filch/filch.h>
#endif

enum { BINS = 256, ROUNDS = 11 };

static inline double f(double x)
{
    return x * x + 1; /* exact, and so are the sums */
}

struct bins {
    size_t count[BINS];
};

#if defined(SERIAL) || defined(_OPENMP)
#ifdef _OPENMP
#define OPEN(workers) omp_set_num_threads((int)(workers))
#else
#define OPEN(workers) (void)(workers)
#endif
#define CLOSE()

static void count_all(const unsigned char *text, size_t n, struct bins *all)
{
    size_t *count = all->count;
#pragma omp parallel for schedule(static) reduction(+ : count[:BINS])
    for (size_t i = 0; i < n; i++) {
        count[text[i]]++;
    }
}

static double sum_all(const double *xs, size_t n, double *ys)
{
    double sum = 0;
    (void)ys;
#pragma omp parallel for schedule(static) reduction(+ : sum)
    for (size_t i = 0; i < n; i++) {
        sum += f(xs[i]);
    }
    return sum;
}

#define sum_in_two_passes sum_all
#else
static filch_pool *pool;
#define OPEN(workers)                                                                              \
    must(filch_pool_open(&(filch_pool_options){.processes = (unsigned)(workers)}, &pool) ==        \
             FILCH_OK,                                                                             \
         "opening a pool")
#define CLOSE() must(filch_pool_free(pool) == FILCH_OK, "freeing a pool")

FILCH_FOLD(struct bins, count_byte, (unsigned char, c))
{
    into->count[c]++;
}

static void add_bins(struct bins *into, struct bins *from, void *context)
{
    (void)context;
    for (int i = 0; i < BINS; i++) {
        into->count[i] += from->count[i];
    }
}

static void count_all(const unsigned char *text, size_t n, struct bins *all)
{
    const count_byte_accumulator how = {.merge = add_bins, .order = FILCH_FOLD_FAST};
    must(count_byte_fold(pool, text, n, &how, all) == FILCH_OK, "a fold");
}

FILCH_REDUCER(double, add, (double, a), (double, b))
{
    return a + b;
}

FILCH_MAP_REDUCE(double, sum_of_f, f, add, (double, x));

static double sum_all(const double *xs, size_t n, double *ys)
{
    double sum = 0;
    (void)ys;
    must(sum_of_f(pool, xs, n, 0, &sum) == FILCH_OK, "a map-reduce");
    return sum;
}

FILCH_FUNCTION(double, f_of, (double, x))
{
    return f(x);
}

static double sum_in_two_passes(const double *xs, size_t n, double *ys)
{
    double sum = 0;
    must(f_of_map(pool, xs, n, ys) == FILCH_OK, "a map");
    must(add_reduce(pool, ys, n, 0, &sum) == FILCH_OK, "a reduction");
    return sum;
}
#endif

static double sample_histogram(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    unsigned char *text = malloc(n);
    struct bins all = {{0}};
    double times[ROUNDS];
    must(text != NULL, "malloc()");
    for (size_t i = 0; i < n; i++) {
        text[i] = (unsigned char)mix(i);
    }
    OPEN(workers);
    count_all(text, n, &all);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        count_all(text, n, &all);
        times[i] = now_ns() - start;
    }
    CLOSE();
    for (size_t i = 0; i < BINS; i++) {
        *check += (i + 1) * all.count[i];
    }
    free(text);
    return median(times, ROUNDS);
}

static double sum_of_doubles(unsigned workers, int size, unsigned long long *check,
                             double (*sum)(const double *xs, size_t n, double *ys))
{
    size_t n = (size_t)size;
    double *xs = malloc(n * sizeof *xs);
    double *ys = calloc(n, sizeof *ys);
    double times[ROUNDS];
    must(xs && ys, "malloc()");
    for (size_t i = 0; i < n; i++) {
        xs[i] = (double)(mix(i) % 1000);
    }
    OPEN(workers);
    double total = sum(xs, n, ys);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ns();
        total += sum(xs, n, ys);
        times[i] = now_ns() - start;
    }
    CLOSE();
    *check = (unsigned long long)total;
    free(xs);
    free(ys);
    return median(times, ROUNDS);
}

static double sample_sum_of_f(unsigned workers, int size, unsigned long long *check)
{
    return sum_of_doubles(workers, size, check, sum_all);
}

static double sample_two_passes(unsigned workers, int size, unsigned long long *check)
{
    return sum_of_doubles(workers, size, check, sum_in_two_passes);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"histogram", sample_histogram},
                                      {"sum_of_f", sample_sum_of_f},
                                      {"two_passes", sample_two_passes}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
