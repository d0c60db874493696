/* Maps and loops: small and large, warm and after a pause, even and heavy-tailed. With -DSERIAL the
 * same functions in a plain loop, with -fopenmp in OpenMP's. */
#include "problems.h"
#ifdef _OPENMP
#include <omp.h>
#elif !defined(SERIAL)
#include <filch/filch.h>
#endif

enum { MOST_PAUSES = 101 };

#if defined(SERIAL) || defined(_OPENMP)
__attribute__((noinline)) static void square_map(const int *in, size_t n, int *out)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        out[i] = in[i] * in[i];
    }
}
__attribute__((noinline)) static void heavy_each_for(size_t n, long *out)
{
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        out[i] = heavy(i, n);
    }
}
#ifdef _OPENMP
#define OPEN(workers) omp_set_num_threads((int)(workers))
#else
#define OPEN(workers) (void)(workers)
#endif
#define MAP(in, n, out) square_map(in, n, out)
#define HEAVY_FOR(n, out) heavy_each_for(n, out)
#define CLOSE()
#else
FILCH_FUNCTION(int, square, (int, x))
{
    return x * x;
}
FILCH_LOOP(heavy_each, (size_t, i), (size_t, n), (long *, out))
{
    out[i] = heavy(i, n);
}
static filch_pool *pool;
#define OPEN(workers)                                                                              \
    must(filch_pool_open(&(filch_pool_options){.processes = (int)(workers)}, &pool) == FILCH_OK,   \
         "opening a pool")
#define MAP(in, n, out) must(square_map(pool, in, n, out) == FILCH_OK, "a map")
#define HEAVY_FOR(n, out) must(heavy_each_for(pool, n, n, out) == FILCH_OK, "a loop")
#define CLOSE() must(filch_pool_free(pool) == FILCH_OK, "freeing a pool")
#endif

struct arrays {
    int *in;
    int *out;
};

static struct arrays arrays_of(size_t n)
{
    struct arrays a = {malloc(n * sizeof(int)), malloc(n * sizeof(int))};
    must(a.in && a.out, "malloc()");
    for (size_t i = 0; i < n; i++) {
        a.in[i] = (int)(i % 1000);
    }
    memset(a.out, 0, n * sizeof(int));
    return a;
}

static unsigned long long sum_and_free(struct arrays a, size_t n)
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (unsigned long long)a.out[i];
    }
    free(a.in);
    free(a.out);
    return sum;
}

static double warm(unsigned workers, unsigned long long *check, size_t n, int rounds)
{
    struct arrays a = arrays_of(n);
    OPEN(workers);
    for (int i = 0; i < rounds / 10 + 1; i++) {
        MAP(a.in, n, a.out);
    }
    double start = now_ns();
    for (int i = 0; i < rounds; i++) {
        MAP(a.in, n, a.out);
    }
    double ns = (now_ns() - start) / rounds;
    CLOSE();
    *check = sum_and_free(a, n);
    return ns;
}

static double after_pause(unsigned workers, unsigned long long *check, size_t n, int pauses,
                          double gap_ns)
{
    struct arrays a = arrays_of(n);
    double times[MOST_PAUSES];
    OPEN(workers);
    MAP(a.in, n, a.out);
    for (int i = 0; i < pauses; i++) {
        pause_ns(gap_ns);
        double start = now_ns();
        MAP(a.in, n, a.out);
        times[i] = now_ns() - start;
    }
    CLOSE();
    *check = sum_and_free(a, n);
    return median(times, (size_t)pauses);
}

static double sample_few(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, 8, size);
}

static double sample_few_cold(unsigned workers, int size, unsigned long long *check)
{
    return after_pause(workers, check, 8, size, 5e6);
}

static double sample_seed(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, 5000, size);
}

static double sample_seed_cold(unsigned workers, int size, unsigned long long *check)
{
    return after_pause(workers, check, 5000, size, 1e8);
}

static double sample_many(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, (size_t)size, 10);
}

static double sample_heavy(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    long *out = calloc(n, sizeof *out);
    must(out != NULL, "calloc()");
    OPEN(workers);
    HEAVY_FOR(n, out);
    double start = now_ns();
    HEAVY_FOR(n, out);
    double ns = now_ns() - start;
    CLOSE();
    for (size_t i = 0; i < n; i++) {
        *check += (unsigned long long)out[i];
    }
    free(out);
    return ns;
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"few", sample_few},   {"few_cold", sample_few_cold},
                                      {"seed", sample_seed}, {"seed_cold", sample_seed_cold},
                                      {"many", sample_many}, {"heavy", sample_heavy}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
