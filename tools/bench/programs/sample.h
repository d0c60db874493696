/* sample: how a benchmark program measures and reports.
 *
 * A program is called as `program ROW WORKERS SIZE`, takes one sample and prints the nanoseconds
 * that one operation took and a checksum of what was computed. The caller repeats, interleaves and
 * compares the checksums of equal sizes. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A sample without its pool or memory is worth nothing. */
static inline void must(int done, const char *what)
{
    if (!done) {
        fprintf(stderr, "%s failed\n", what);
        exit(1);
    }
}

static inline double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void pause_ns(double ns)
{
    struct timespec t = {(time_t)(ns / 1e9), (long)ns % 1000000000};
    nanosleep(&t, NULL);
}

/* Cheap, and not to be computed at compile time. */
static inline uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53ULL;
    return x ^ x >> 33;
}

struct row {
    const char *name;
    /* nanoseconds an operation */
    double (*sample)(unsigned workers, int size, unsigned long long *check);
};

static inline int run_rows(const struct row *rows, size_t count, int argc, char **argv)
{
    unsigned workers = argc > 3 ? (unsigned)atoi(argv[2]) : 0;
    int size = argc > 3 ? atoi(argv[3]) : 0;
    for (size_t i = 0; argc > 3 && i < count; i++) {
        if (strcmp(rows[i].name, argv[1]) == 0) {
            unsigned long long check = 0;
            double ns = rows[i].sample(workers, size, &check);
            printf("%.3f %llu\n", ns, check);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s ROW WORKERS SIZE\n", argv[0]);
    return 2;
}

/* The median of some times, which are sorted on the way. */
static inline int by_time(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *times, size_t n)
{
    qsort(times, n, sizeof *times, by_time);
    return n % 2 ? times[n / 2] : (times[n / 2 - 1] + times[n / 2]) / 2;
}

#endif
