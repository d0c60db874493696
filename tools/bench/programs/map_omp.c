/* The rows of map.c with OpenMP's loops. SCHEDULE in the environment's OMP_SCHEDULE. */
#include <omp.h>

#include "sample.h"

enum { MOST_PAUSES = 101 };

static long heavy(size_t i, size_t n)
{
    uint64_t steps = 20 + 40000000 / ((n - i) * (n - i) + 400);
    uint64_t x = i;
    for (uint64_t s = 0; s < steps; s++) {
        x = mix(x);
    }
    return (long)(x & 0xff);
}

static void square_map(const int *in, size_t n, int *out)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        out[i] = in[i] * in[i];
    }
}

static void heavy_for(size_t n, long *out)
{
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < n; i++) {
        out[i] = heavy(i, n);
    }
}

static double warm(unsigned workers, unsigned long long *check, size_t n, int rounds)
{
    int *in = malloc(n * sizeof *in);
    int *out = calloc(n, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        in[i] = (int)(i % 1000);
    }
    omp_set_num_threads((int)workers);
    for (int i = 0; i < rounds / 10 + 1; i++) {
        square_map(in, n, out);
    }
    double start = now_ns();
    for (int i = 0; i < rounds; i++) {
        square_map(in, n, out);
    }
    double ns = (now_ns() - start) / rounds;
    for (size_t i = 0; i < n; i++) {
        *check += (unsigned long long)out[i];
    }
    free(in);
    free(out);
    return ns;
}

static double after_pause(unsigned workers, unsigned long long *check, size_t n, int pauses,
                          double gap_ns)
{
    int *in = malloc(n * sizeof *in);
    int *out = calloc(n, sizeof *out);
    double times[MOST_PAUSES];
    for (size_t i = 0; i < n; i++) {
        in[i] = (int)(i % 1000);
    }
    omp_set_num_threads((int)workers);
    square_map(in, n, out);
    for (int i = 0; i < pauses; i++) {
        pause_ns(gap_ns);
        double start = now_ns();
        square_map(in, n, out);
        times[i] = now_ns() - start;
    }
    for (size_t i = 0; i < n; i++) {
        *check += (unsigned long long)out[i];
    }
    free(in);
    free(out);
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
    omp_set_num_threads((int)workers);
    heavy_for(n, out);
    double start = now_ns();
    heavy_for(n, out);
    double ns = now_ns() - start;
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
