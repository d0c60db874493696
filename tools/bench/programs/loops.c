/* Two questions that no peer answers: how far is the automatic chunk from the best fixed one, and is
 * a parallel call ever slower than the serial loop?
 *
 * `loops PATTERN WORKERS COST` prints the time with automatic chunks over the best time with a fixed
 * chunk, and that chunk. `loops awake|asleep WORKERS COST` prints the worst of parallel time
 * over serial time, over 1 to 10^6 elements, and the number of elements where it was; times are
 * counted as equal that differ by less than 200 ns. COST is in nanoseconds an element. */
#include <filch/filch.h>

#include "sample.h"

enum {
    RUN_NS = 12000000, /* work in one run of the sweep, all elements together */
    MOST_ELEMENTS = 1000000,
    ROUNDS = 5,
    CHUNKS = 12,
};

static double steps_per_ns;

static uint64_t spin(uint64_t x, double ns)
{
    uint64_t steps = (uint64_t)(ns * steps_per_ns);
    for (uint64_t s = 0; s <= steps; s++) {
        x = mix(x);
    }
    return x & 1;
}

static void calibrate(void)
{
    steps_per_ns = 1;
    double best = 1e9;
    volatile uint64_t kept = 0;
    for (int i = 0; i < 9; i++) {
        double start = now_ns();
        kept = spin(kept, 1e6);
        double ns = now_ns() - start;
        best = ns < best ? ns : best;
    }
    steps_per_ns = 1e6 / best;
}

enum pattern { UNIFORM, RISING, HEAVY, ALTERNATING, SLEEPING };

static double cost_at(size_t i, size_t n, double ns, enum pattern pattern)
{
    switch (pattern) {
    case RISING: return ns * 2 * (double)i / (double)n;
    case HEAVY: return i * 100 >= n * 99 ? ns * 50 : ns / 2; /* the last hundredth has half of it */
    case ALTERNATING: return i % 2 ? ns * 1.9 : ns * 0.1;
    default: return ns;
    }
}

FILCH_LOOP(element, (size_t, i), (size_t, n), (double, ns), (enum pattern, pattern),
           (unsigned char *, out))
{
    if (pattern == SLEEPING) {
        filch_sleep(ns / 1e9);
        out[i] = 1;
    } else {
        out[i] = (unsigned char)(1 + spin(i, cost_at(i, n, ns, pattern)));
    }
}

static filch_pool *pool;
static unsigned char *marks;

static double timed(size_t n, double ns, enum pattern pattern, size_t chunk)
{
    filch_map_options options = {0};
    if (chunk) {
        options.chunksize = FILCH_CHUNK(chunk);
    }
    double start = now_ns();
    element_for_with(pool, n, n, ns, pattern, marks, &options);
    return now_ns() - start;
}

static void check(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!marks[i]) {
            fprintf(stderr, "element %zu was not run\n", i);
            exit(1);
        }
    }
    memset(marks, 0, n);
}

static double sweep(unsigned workers, int cost, unsigned long long *best_chunk,
                    enum pattern pattern)
{
    double ns = cost;
    double work = pattern == SLEEPING ? RUN_NS * 10.0 : RUN_NS;
    size_t n = (size_t)(work / ns);
    n = n < 16 ? 16 : n > MOST_ELEMENTS ? MOST_ELEMENTS : n;
    double times[CHUNKS + 1][ROUNDS];
    size_t chunks[CHUNKS + 1] = {0};
    size_t count = 1;
    for (size_t chunk = 1; chunk <= n && count <= CHUNKS; chunk *= 4) {
        chunks[count++] = chunk;
    }
    filch_pool_open(&(filch_pool_options){.processes = (int)workers}, &pool);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t c = 0; c < count; c++) {
            times[c][round] = timed(n, ns, pattern, chunks[c]);
            check(n);
        }
    }
    filch_pool_free(pool);
    double automatic = median(times[0], ROUNDS);
    double best = 1e18;
    for (size_t c = 1; c < count; c++) {
        double time = median(times[c], ROUNDS);
        if (time < best) {
            best = time;
            *best_chunk = chunks[c];
        }
    }
    return automatic / best;
}

static double sample_uniform(unsigned workers, int size, unsigned long long *chunk)
{
    return sweep(workers, size, chunk, UNIFORM);
}

static double sample_rising(unsigned workers, int size, unsigned long long *chunk)
{
    return sweep(workers, size, chunk, RISING);
}

static double sample_heavy(unsigned workers, int size, unsigned long long *chunk)
{
    return sweep(workers, size, chunk, HEAVY);
}

static double sample_alternating(unsigned workers, int size, unsigned long long *chunk)
{
    return sweep(workers, size, chunk, ALTERNATING);
}

static double sample_sleeping(unsigned workers, int size, unsigned long long *chunk)
{
    return sweep(workers, size, chunk, SLEEPING);
}

/* ---- never slower than serial ---- */

static __attribute__((noinline)) void serial(size_t n, double ns)
{
    for (size_t i = 0; i < n; i++) {
        marks[i] = (unsigned char)(1 + spin(i, ns));
    }
}

static double against_serial(unsigned workers, int cost, unsigned long long *where, double gap_ns)
{
    enum { TIMES = 15 };
    double worst = 0;
    filch_pool_open(&(filch_pool_options){.processes = (int)workers}, &pool);
    for (size_t n = 1; n <= MOST_ELEMENTS && (double)n * cost <= 2e7; n *= 10) {
        double one[TIMES];
        double many[TIMES];
        for (int t = 0; t < TIMES; t++) {
            pause_ns(gap_ns);
            double start = now_ns();
            serial(n, cost);
            one[t] = now_ns() - start;
            pause_ns(gap_ns);
            many[t] = timed(n, cost, UNIFORM, 0);
            check(n);
        }
        double ratio = (median(many, TIMES) - 200) / median(one, TIMES);
        if (ratio > worst) {
            worst = ratio;
            *where = n;
        }
    }
    filch_pool_free(pool);
    return worst;
}

static double sample_awake(unsigned workers, int size, unsigned long long *where)
{
    return against_serial(workers, size, where, 0);
}

static double sample_asleep(unsigned workers, int size, unsigned long long *where)
{
    return against_serial(workers, size, where, 5e6);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"uniform", sample_uniform},   {"rising", sample_rising},
        {"heavy", sample_heavy},       {"alternating", sample_alternating},
        {"sleeping", sample_sleeping}, {"awake", sample_awake},
        {"asleep", sample_asleep}};
    marks = calloc(MOST_ELEMENTS, 1);
    calibrate();
    int status = run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
    free(marks);
    return status;
}
