/* Loops of other shapes: some microseconds in all, one after the other, with two elements that are
 * long among many that are not, and scans. With -DSERIAL the same in a plain loop, with -fopenmp in
 * OpenMP's. */
#include "sample.h"
#ifdef _OPENMP
#include <omp.h>
#elif !defined(SERIAL)
#include <filch/filch.h>
#endif

enum { ROUNDS = 5, MOST_PAUSES = 101, BLOCK = 32, SWEEPS = 50 };

/* What a loop works on; each row uses some of it. */
struct shape {
    size_t n;
    size_t first; /* the wavefront's diagonal, and its first block */
    size_t diagonal;
    uint32_t *in;
    uint32_t *out;
};

#if defined(SERIAL) || defined(_OPENMP)
#ifdef _OPENMP
#define OPEN(workers) omp_set_num_threads((int)(workers))
#else
#define OPEN(workers) (void)(workers)
#endif
#define CLOSE()
#define PRAGMA(directive) _Pragma(#directive)
#define FILCH_LOOP(name, index, argument) LOOP_OF(name, PARAMETER index, PARAMETER argument)
#define LOOP_OF(name, index, argument) static inline void name(index, argument)
#define PARAMETER(T, x) T x
#define EACH(name, elements, shape, ...)                                                           \
    PRAGMA(omp parallel for schedule(__VA_ARGS__))                                                 \
    for (size_t each = 0; each < (elements); each++) {                                             \
        name(each, shape);                                                                         \
    }
#else
static filch_pool *pool;
#define OPEN(workers)                                                                              \
    must(filch_pool_open(&(filch_pool_options){.processes = (unsigned)(workers)}, &pool) ==        \
             FILCH_OK,                                                                             \
         "opening a pool")
#define CLOSE() must(filch_pool_free(pool) == FILCH_OK, "freeing a pool")
#define EACH(name, elements, shape, ...) must(name##_for(pool, elements, shape) == FILCH_OK, #name);
#endif

/* mix(), one by one: not of several elements at once in a vector. */
static inline uint64_t mixed(uint64_t x)
{
    __asm__("" : "+r"(x));
    return mix(x);
}

/* About a nanosecond. */
FILCH_LOOP(tiny, (size_t, i), (struct shape *, s))
{
    s->out[i] = (uint32_t)(mixed(s->in[i]) & 0xff);
}

static inline uint32_t steps_from(uint64_t x, size_t steps)
{
    for (size_t k = 0; k < steps; k++) {
        x = mixed(x);
    }
    return (uint32_t)(x & 0xff);
}

/* About 40 nanoseconds. */
FILCH_LOOP(short_one, (size_t, i), (struct shape *, s))
{
    s->out[i] = steps_from(s->in[i], 24);
}

/* Two of 10^6 take 100 ms each, 65,536 apart, and the others some nanoseconds. */
FILCH_LOOP(one_of_many, (size_t, i), (struct shape *, s))
{
    size_t first = s->n / 4;
    size_t second = first + (size_t)((double)s->n * 0.065536);
    s->out[i] = steps_from(s->in[i], i == first || i == second ? s->n * 30 : 1);
}

/* A block of a table in which each entry needs the ones above and to the left: with those of the
 * same diagonal. */
FILCH_LOOP(wave_block, (size_t, b), (struct shape *, s))
{
    size_t width = s->n + 1;
    size_t row = (s->first + b) * BLOCK + 1;
    size_t column = (s->diagonal - s->first - b) * BLOCK + 1;
    for (size_t i = row; i < row + BLOCK; i++) {
        uint32_t *line = &s->out[i * width];
        for (size_t j = column; j < column + BLOCK; j++) {
            uint32_t up = line[j - width];
            uint32_t best = line[j - 1] > up ? line[j - 1] : up;
            uint32_t both = line[j - width - 1] + (s->in[i] == s->in[j]);
            line[j] = both > best ? both : best;
        }
    }
}

/* A row of one sweep, from `in` to `out`; the rim stays. */
FILCH_LOOP(stencil_row, (size_t, i), (struct shape *, s))
{
    const uint32_t *from = &s->in[(i + 1) * s->n];
    uint32_t *to = &s->out[(i + 1) * s->n];
    for (size_t j = 1; j + 1 < s->n; j++) {
        to[j] = (from[j - 1] + from[j + 1] + from[j - s->n] + from[j + s->n]) / 4;
    }
}

static void run_tiny(struct shape *s)
{
    EACH(tiny, s->n, s, static)
}

static void run_short(struct shape *s)
{
    EACH(short_one, s->n, s, static)
}

static void run_two_long(struct shape *s)
{
    EACH(one_of_many, s->n, s, dynamic, 1024)
}

static void run_wave(struct shape *s)
{
    size_t blocks = s->n / BLOCK;
    for (s->diagonal = 0; s->diagonal < 2 * blocks - 1; s->diagonal++) {
        s->first = s->diagonal < blocks ? 0 : s->diagonal - blocks + 1;
        size_t last = s->diagonal < blocks ? s->diagonal : blocks - 1;
        EACH(wave_block, last - s->first + 1, s, static)
    }
}

static void run_stencil(struct shape *s)
{
    for (int i = 0; i < SWEEPS; i++) {
        EACH(stencil_row, s->n - 2, s, static)
        uint32_t *in = s->in;
        s->in = s->out;
        s->out = in;
    }
}

/* About 50 nanoseconds: associative all the same. */
static inline uint32_t sum_of(uint32_t a, uint32_t b)
{
    uint64_t zero = 0;
    uint64_t x = a ^ b;
    __asm__("" : "+r"(zero));
    for (int k = 0; k < 16; k++) {
        x = mixed(x);
    }
    return a + b + (uint32_t)(x & zero);
}

#if defined(SERIAL) || defined(_OPENMP)
static void run_scan(struct shape *s)
{
    uint32_t sum = 0;
    PRAGMA(omp parallel for reduction(inscan, + : sum))
    for (size_t i = 0; i < s->n; i++) {
        sum += s->in[i];
        PRAGMA(omp scan inclusive(sum))
        s->out[i] = sum;
    }
}

PRAGMA(omp declare reduction(dearly:uint32_t : omp_out = sum_of(omp_out, omp_in)))

static void run_scan_dear(struct shape *s)
{
    uint32_t sum = 0;
    PRAGMA(omp parallel for reduction(inscan, dearly : sum))
    for (size_t i = 0; i < s->n; i++) {
        sum = sum_of(sum, s->in[i]);
        PRAGMA(omp scan inclusive(sum))
        s->out[i] = sum;
    }
}
#else
FILCH_REDUCER(uint32_t, added, (uint32_t, a), (uint32_t, b))
{
    return a + b;
}

static void run_scan(struct shape *s)
{
    must(added_scan(pool, s->in, s->n, 0, s->out) == FILCH_OK, "a scan");
}

FILCH_REDUCER(uint32_t, dearly_added, (uint32_t, a), (uint32_t, b))
{
    return sum_of(a, b);
}

static void run_scan_dear(struct shape *s)
{
    must(dearly_added_scan(pool, s->in, s->n, 0, s->out) == FILCH_OK, "a scan");
}
#endif

static struct shape shape_of(size_t n, size_t entries)
{
    struct shape s = {.n = n, .in = malloc(entries * 4), .out = calloc(entries, 4)};
    must(s.in && s.out, "malloc()");
    for (size_t i = 0; i < entries; i++) {
        s.in[i] = (uint32_t)mix(i) % 200;
        s.out[i] = 0;
    }
    return s;
}

static unsigned long long sum_and_free(struct shape *s, size_t entries)
{
    unsigned long long sum = 0;
    for (size_t i = 0; i < entries; i++) {
        sum += s->out[i];
    }
    free(s->in);
    free(s->out);
    return sum;
}

/* Nanoseconds a call, one after the other. */
static double warm(unsigned workers, unsigned long long *check, void (*run)(struct shape *),
                   size_t n, int rounds)
{
    struct shape s = shape_of(n, n);
    double start = 0;
    OPEN(workers);
    for (int i = -rounds / 10 - 1; i < rounds; i++) {
        start = i == 0 ? now_ns() : start;
        run(&s);
    }
    double ns = (now_ns() - start) / rounds;
    CLOSE();
    *check = sum_and_free(&s, n);
    return ns;
}

/* Nanoseconds a call, the median of some with or without a pause before. */
static double each(unsigned workers, unsigned long long *check, void (*run)(struct shape *),
                   struct shape s, size_t entries, int rounds, double gap_ns)
{
    double times[MOST_PAUSES];
    must(rounds <= MOST_PAUSES, "so many pauses");
    OPEN(workers);
    run(&s);
    for (int i = 0; i < rounds; i++) {
        pause_ns(gap_ns);
        double start = now_ns();
        run(&s);
        times[i] = now_ns() - start;
    }
    CLOSE();
    *check = sum_and_free(&s, entries);
    return median(times, (size_t)rounds);
}

static double sample_tiny(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, run_tiny, 5000, size);
}

static double sample_tiny_cold(unsigned workers, int size, unsigned long long *check)
{
    return each(workers, check, run_tiny, shape_of(5000, 5000), 5000, size, 5e6);
}

static double sample_short(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, run_short, 64, size);
}

static double sample_two_long(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    return each(workers, check, run_two_long, shape_of(n, n), n, 3, 0);
}

static double sample_wavefront(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size / BLOCK * BLOCK;
    size_t entries = (n + 1) * (n + 1);
    return each(workers, check, run_wave, shape_of(n, entries), entries, ROUNDS, 0);
}

/* Nanoseconds a sweep. */
static double sample_stencil(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    return each(workers, check, run_stencil, shape_of(n, n * n), n * n, ROUNDS, 0) / SWEEPS;
}

static double sample_scan(unsigned workers, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    return each(workers, check, run_scan, shape_of(n, n), n, ROUNDS, 0);
}

static double sample_scan_few(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, run_scan, 10000, size);
}

static double sample_scan_dear(unsigned workers, int size, unsigned long long *check)
{
    return warm(workers, check, run_scan_dear, 10000, size);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"tiny", sample_tiny},           {"tiny_cold", sample_tiny_cold},
        {"short", sample_short},         {"two_long", sample_two_long},
        {"wavefront", sample_wavefront}, {"stencil", sample_stencil},
        {"scan", sample_scan},           {"scan_few", sample_scan_few},
        {"scan_dear", sample_scan_dear}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
