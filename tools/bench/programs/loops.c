/* How far is the automatic chunk from the best fixed one?
 *
 * `loops PATTERN WORKERS COST` prints the time with automatic chunks over the best time with a fixed
 * chunk, and that chunk. COST is in nanoseconds an element. */
#include <filch/filch.h>

#include "spin.h"

enum {
    RUN_NS = 12000000, /* work in one run of the sweep, all elements together */
    MOST_ELEMENTS = 1000000,
    LEAST_ELEMENTS = 4,
    ROUNDS = 5, /* fewer if a run takes long */
    CHUNKS = 12,
};

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
    filch_options options = {0};
    if (chunk) {
        options.chunksize = FILCH_CHUNK(chunk);
    }
    double start = now_ns();
    filch_status status = element_for(filch_on(pool, &options), n, n, ns, pattern, marks);
    double took = now_ns() - start;
    must(status == FILCH_OK, "a loop");
    return took;
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
    n = n < LEAST_ELEMENTS ? LEAST_ELEMENTS : n > MOST_ELEMENTS ? MOST_ELEMENTS : n;
    size_t rounds = (double)n * ns < 1e8 ? ROUNDS : (double)n * ns < 2e9 ? 3 : 1;
    double times[CHUNKS + 1][ROUNDS];
    size_t chunks[CHUNKS + 1] = {0};
    size_t count = 1;
    for (size_t chunk = 1; chunk <= n && count <= CHUNKS; chunk *= 4) {
        chunks[count++] = chunk;
    }
    must(filch_pool_open(&(filch_pool_options){.processes = (int)workers}, &pool) == FILCH_OK,
         "opening a pool");
    for (size_t round = 0; round < rounds; round++) {
        for (size_t c = 0; c < count; c++) {
            times[c][round] = timed(n, ns, pattern, chunks[c]);
            check(n);
        }
    }
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    double automatic = median(times[0], rounds);
    double best = 1e18;
    for (size_t c = 1; c < count; c++) {
        double time = median(times[c], rounds);
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

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"uniform", sample_uniform},
                                      {"rising", sample_rising},
                                      {"heavy", sample_heavy},
                                      {"alternating", sample_alternating},
                                      {"sleeping", sample_sleeping}};
    marks = calloc(MOST_ELEMENTS, 1);
    must(marks != NULL, "calloc()");
    calibrate();
    int status = run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
    free(marks);
    return status;
}
