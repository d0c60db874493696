/* Is a parallel call ever slower than the serial loop that it stands for?
 *
 * `never_slower map|reduce|fork|scan|filter|sort WORKERS COST` prints the worst of parallel time over serial time,
 * over 1 to 10^7 elements, and the number of elements where it was; times that differ by less than
 * 200 ns count as equal. COST is in nanoseconds an element. With `_asleep` behind the name there are
 * 5 ms of sleep before each call. */
#include <filch/filch.h>

#include "spin.h"

enum { MOST_ELEMENTS = 10000000, TIMES = 15 };

static const double most_ns = 2e7; /* of serial work in one call */

static filch_pool *pool;
static double element_ns;
static uint64_t *values; /* MOST_ELEMENTS of them */
static uint64_t *out;    /* the same */

/* One way to go over n elements; returns something that depends on all of them. */
struct way {
    uint64_t (*serial)(size_t n);
    uint64_t (*parallel)(size_t n);
};

static inline uint64_t work(uint64_t x)
{
    return 1 + spin(x, element_ns);
}

static uint64_t ends(size_t n)
{
    return values[0] + values[n / 2] + values[n - 1];
}

FILCH_LOOP(set, (size_t, i), (uint64_t *, out))
{
    out[i] = work(i);
}

static __attribute__((noinline)) uint64_t serial_map(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        values[i] = work(i);
    }
    return ends(n);
}

static uint64_t parallel_map(size_t n)
{
    return set_for(pool, n, values) == FILCH_OK ? ends(n) : 0;
}

FILCH_REDUCER(uint64_t, total, (uint64_t, a), (uint64_t, b))
{
    return a + work(b);
}

static __attribute__((noinline)) uint64_t serial_reduce(size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum = total(sum, values[i]);
    }
    return sum ? n : 0; /* a tree adds other things than a loop does */
}

static uint64_t parallel_reduce(size_t n)
{
    uint64_t sum = 0; /* what a call that fails leaves: the check notices */
    must(total_reduce(pool, values, n, 0, &sum) == FILCH_OK, "total_reduce()");
    return sum ? n : 0;
}

FILCH_FORK_FUNCTION(uint64_t, halves, (size_t, first), (size_t, n))
{
    if (n == 1) {
        return work(first);
    }
    FILCH_FORK(left, halves, first, n / 2);
    uint64_t right = FILCH_CALL(halves, first + n / 2, n - n / 2);
    return FILCH_JOIN(left) + right;
}

static __attribute__((noinline)) uint64_t serial_halves(size_t first, size_t n)
{
    if (n == 1) {
        return work(first);
    }
    uint64_t left = serial_halves(first, n / 2);
    return left + serial_halves(first + n / 2, n - n / 2);
}

static uint64_t serial_fork(size_t n)
{
    return serial_halves(0, n);
}

static uint64_t parallel_fork(size_t n)
{
    uint64_t sum = 0; /* what a call that fails leaves: the check notices */
    must(halves_apply(pool, 0, n, &sum) == FILCH_OK, "halves_apply()");
    return sum;
}

static __attribute__((noinline)) uint64_t serial_scan(size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = sum = total(sum, 1);
    }
    return out[n - 1] ? n : 0; /* as with reduce */
}

static uint64_t parallel_scan(size_t n)
{
    return total_scan(pool, values, n, 0, out) == FILCH_OK && out[n - 1] ? n : 0;
}

FILCH_PREDICATE(is_odd, (uint64_t, x))
{
    return work(x) % 2;
}

static __attribute__((noinline)) uint64_t serial_filter(size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (is_odd(values[i])) {
            out[kept++] = values[i];
        }
    }
    return kept;
}

static uint64_t parallel_filter(size_t n)
{
    size_t kept = 0;
    must(is_odd_filter(pool, values, n, out, &kept) == FILCH_OK, "is_odd_filter()");
    return kept;
}

FILCH_ORDER(upwards, (uint64_t, a), (uint64_t, b))
{
    return work(a) ? a < b : false;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return work(x) ? (x > y) - (x < y) : 0;
}

/* What comes out in the middle says whether it was sorted. */
static uint64_t shuffled(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = mix(i);
    }
    return n;
}

static uint64_t serial_sort(size_t n)
{
    shuffled(n);
    qsort(out, n, sizeof *out, compare);
    return out[n / 2];
}

static uint64_t parallel_sort(size_t n)
{
    shuffled(n);
    return upwards_sort(pool, out, n) == FILCH_OK ? out[n / 2] : 0;
}

static double ratio_at(const struct way *way, size_t n, double gap_ns)
{
    double one[TIMES];
    double many[TIMES];
    for (int t = 0; t < TIMES; t++) {
        pause_ns(gap_ns);
        double start = now_ns();
        uint64_t expected = way->serial(n);
        one[t] = now_ns() - start;
        pause_ns(gap_ns);
        start = now_ns();
        uint64_t found = way->parallel(n);
        many[t] = now_ns() - start;
        if (found != expected) {
            fprintf(stderr, "%zu elements gave something else\n", n);
            exit(1);
        }
    }
    return (median(many, TIMES) - 200) / median(one, TIMES);
}

static const struct way map_way = {serial_map, parallel_map};
static const struct way reduce_way = {serial_reduce, parallel_reduce};
static const struct way fork_way = {serial_fork, parallel_fork};
static const struct way scan_way = {serial_scan, parallel_scan};
static const struct way filter_way = {serial_filter, parallel_filter};
static const struct way sort_way = {serial_sort, parallel_sort};
static double worst(const struct way *way, unsigned workers, int cost, unsigned long long *where,
                    double gap_ns)
{
    double worst = 0;
    element_ns = way == &sort_way ? cost / 20.0 : cost;
    must(filch_pool_open(&(filch_pool_options){.processes = workers}, &pool) == FILCH_OK,
         "opening a pool");
    for (size_t n = 1; n <= MOST_ELEMENTS && (double)n * cost <= most_ns; n *= 10) {
        double ratio = ratio_at(way, n, gap_ns);
        if (ratio > worst) {
            worst = ratio;
            *where = n;
        }
    }
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return worst;
}

static const double asleep_ns = 5e6;

static double sample_map(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&map_way, workers, cost, where, 0);
}

static double sample_map_asleep(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&map_way, workers, cost, where, asleep_ns);
}

static double sample_reduce(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&reduce_way, workers, cost, where, 0);
}

static double sample_reduce_asleep(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&reduce_way, workers, cost, where, asleep_ns);
}

static double sample_fork(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&fork_way, workers, cost, where, 0);
}

static double sample_fork_asleep(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&fork_way, workers, cost, where, asleep_ns);
}

static double sample_scan(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&scan_way, workers, cost, where, 0);
}

static double sample_filter(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&filter_way, workers, cost, where, 0);
}

/* Against the C library's qsort(); an element is compared about twenty times. */
static double sample_sort(unsigned workers, int cost, unsigned long long *where)
{
    return worst(&sort_way, workers, cost * 20, where, 0);
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {
        {"map", sample_map},       {"map_asleep", sample_map_asleep},
        {"reduce", sample_reduce}, {"reduce_asleep", sample_reduce_asleep},
        {"fork", sample_fork},     {"fork_asleep", sample_fork_asleep},
        {"scan", sample_scan},     {"filter", sample_filter},
        {"sort", sample_sort}};
    values = calloc(MOST_ELEMENTS, sizeof *values);
    out = calloc(MOST_ELEMENTS, sizeof *out);
    must(values && out, "calloc()");
    calibrate();
    int status = run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
    free(values);
    free(out);
    return status;
}
