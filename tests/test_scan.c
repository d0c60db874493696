/* Scans and filters whose leaves are chained: whatever order threads take them in, and however long
 * one takes, what comes out is what a loop makes. */
#include "fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Associative, not commutative: x -> a x + b, applied one after the other. */
struct affine {
    uint64_t a;
    uint64_t b;
};

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* What happens besides in a call: set by each test. */
enum conduct { PLAIN, YIELDS, WAITS, CANCELS, FAILS };
static enum conduct conduct;
static atomic_int calls;
static atomic_int opened; /* calls until the one that waits may go on; negative: long ago */
static filch_semaphore gate;
static filch_group *group;
static const uint64_t marked = 0x9e3779b97f4a7c15u; /* of the element where it happens */

static void behave(uint64_t element)
{
    int call = atomic_fetch_add(&calls, 1);
    switch (conduct) {
    case PLAIN: break;
    case YIELDS:
        if (call % 97 == 0) {
            filch_yield();
        }
        break;
    case WAITS:
        if (element == marked) {
            check_int_eq(filch_semaphore_acquire(&gate), FILCH_OK);
        } else if (atomic_fetch_sub(&opened, 1) == 1) {
            check_int_eq(filch_semaphore_release(&gate, 1), FILCH_OK);
        }
        break;
    case CANCELS:
        if (element == marked) {
            check_int_eq(filch_group_cancel(group), FILCH_OK);
        }
        break;
    case FAILS:
        if (element == marked) {
            filch_raise(EDOM, "marked");
        }
        break;
    }
}

static struct affine applied(struct affine f, struct affine g)
{
    behave(g.b);
    return (struct affine){f.a * g.a, f.b * g.a + g.b};
}

FILCH_REDUCER(struct affine, then, (struct affine, f), (struct affine, g))
{
    return applied(f, g);
}

FILCH_EXACT_REDUCER(struct affine, then_exactly, (struct affine, f), (struct affine, g))
{
    return applied(f, g);
}

typedef filch_status scan_call(filch_pool *pool, const struct affine *elements, size_t n,
                               struct affine initial, struct affine *out);

static const struct way {
    scan_call *scan;
    bool exclusive;
} ways[] = {{then_scan, false},
            {then_scan_exclusive, true},
            {then_exactly_scan, false},
            {then_exactly_scan_exclusive, true}};
enum { WAYS = sizeof ways / sizeof *ways };

static struct affine *elements_of(size_t n)
{
    struct affine *fs = malloc((n + 1) * sizeof *fs);
    state = 88172645463325252u + n;
    for (size_t i = 0; i < n; i++) {
        fs[i] = (struct affine){next_random() | 1, next_random()};
    }
    return fs;
}

static const struct affine initial = {3, 5};

static size_t wrong_in(const struct way *way, const struct affine *fs, size_t n,
                       const struct affine *out)
{
    struct affine sum = initial;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct affine before = sum;
        sum = (struct affine){sum.a * fs[i].a, sum.b * fs[i].a + fs[i].b};
        const struct affine *wanted = way->exclusive ? &before : &sum;
        wrong += out[i].a != wanted->a || out[i].b != wanted->b;
    }
    return wrong;
}

static void prepare(enum conduct how, int open_after)
{
    conduct = how;
    atomic_store(&calls, 0);
    atomic_store(&opened, open_after);
}

/* Into another array, and in place. */
static void scanned(filch_pool *pool, const struct way *way, const struct affine *fs, size_t n,
                    enum conduct how, int open_after)
{
    struct affine *out = malloc((n + 1) * sizeof *out);
    prepare(how, open_after);
    check_int_eq(way->scan(pool, fs, n, initial, out), FILCH_OK);
    check_int_eq((int)wrong_in(way, fs, n, out), 0);
    memcpy(out, fs, n * sizeof *out);
    prepare(how, open_after);
    check_int_eq(way->scan(pool, out, n, initial, out), FILCH_OK);
    check_int_eq((int)wrong_in(way, fs, n, out), 0);
    free(out);
}

static void scanned_in_all_ways(filch_pool *pool, size_t n, enum conduct how, int open_after)
{
    struct affine *fs = elements_of(n);
    if (how == WAITS) {
        fs[0].b = marked;
    }
    for (int w = 0; w < WAYS; w++) {
        scanned(pool, &ways[w], fs, n, how, open_after);
    }
    free(fs);
}

START_TEST(scans_of_all_sizes_are_those_of_a_loop)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 0; n <= 200; n++) {
        scanned_in_all_ways(pool, n, PLAIN, 0);
    }
    for (size_t n = 4093; n < 50000; n += 4099) {
        scanned_in_all_ways(pool, n, PLAIN, 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(an_operator_may_yield)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 150; n < 15000; n += 3001) {
        scanned_in_all_ways(pool, n, YIELDS, 0);
    }
    pool_closed(pool);
}
END_TEST

/* The first call waits until many others have been made: all these are of elements whose base is
 * not known. */
START_TEST(what_is_behind_an_operator_that_waits_is_measured_meanwhile)
{
    filch_pool *pool = pool_opened(_i);
    filch_semaphore_init(&gate, 0);
    for (size_t n = 3000; n < 40000; n += 9001) {
        scanned_in_all_ways(pool, n, WAITS, 1000);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(an_exact_operator_is_called_once_for_an_element_on_one_worker)
{
    enum { N = 50000, RUNS_MOST = 1024 };
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    struct affine *fs = elements_of(N);
    prepare(PLAIN, 0);
    ck_assert_int_eq(then_exactly_scan(pool, fs, N, initial, fs), FILCH_OK);
    ck_assert_int_eq(calls, N);
    prepare(PLAIN, 0);
    ck_assert_int_eq(then_exactly_scan_exclusive(pool, fs, N, initial, fs), FILCH_OK);
    ck_assert_int_le(calls, N + RUNS_MOST);
    free(fs);
    pool_closed(pool);
}
END_TEST

START_TEST(a_scan_stops_when_it_is_cancelled)
{
    enum { N = 40000 };
    filch_pool *pool = pool_opened(_i);
    struct affine *fs = elements_of(N);
    struct affine *out = malloc(N * sizeof *out);
    static const size_t places[] = {0, 1, 1000, 20000, N - 1};
    for (int p = 0; p < 5; p++) {
        struct affine kept = fs[places[p]];
        fs[places[p]].b = marked;
        for (int w = 0; w < WAYS; w++) {
            prepare(CANCELS, 0);
            ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
            filch_status status = ways[w].scan(pool, fs, N, initial, out);
            ck_assert(status == FILCH_ECANCELED || (p == 4 && status == FILCH_OK));
            any_status(filch_group_close(group, NULL));
        }
        fs[places[p]] = kept;
    }
    free(fs);
    free(out);
    pool_closed(pool);
}
END_TEST

START_TEST(an_error_anywhere_in_a_scan_is_reported)
{
    enum { N = 10000 };
    filch_pool *pool = pool_opened(_i);
    struct affine *fs = elements_of(N);
    struct affine *out = malloc(N * sizeof *out);
    for (size_t i = 0; i < N; i += 1111) {
        struct affine kept = fs[i];
        fs[i].b = marked;
        for (int w = 0; w < WAYS; w++) {
            prepare(FAILS, 0);
            ck_assert_int_eq(ways[w].scan(pool, fs, N, initial, out), FILCH_ERAISED);
        }
        fs[i] = kept;
    }
    free(fs);
    free(out);
    pool_closed(pool);
}
END_TEST

/* ---- filters are chained in the same way ---- */

FILCH_PREDICATE(is_odd, (struct affine, f))
{
    behave(f.b);
    return f.b % 2;
}

static void filtered(filch_pool *pool, const struct affine *fs, size_t n, enum conduct how)
{
    struct affine *out = malloc((n + 1) * sizeof *out);
    size_t count;
    size_t wanted = 0;
    prepare(how, 1000);
    check_int_eq(is_odd_filter(pool, fs, n, out, &count), FILCH_OK);
    for (size_t i = 0; i < n; i++) {
        if (fs[i].b % 2) {
            check_int_eq(memcmp(&out[wanted++], &fs[i], sizeof *fs), 0);
        }
    }
    check_int_eq(count == wanted, true);
    free(out);
}

START_TEST(filters_of_all_sizes_keep_the_order)
{
    filch_pool *pool = pool_opened(_i);
    filch_semaphore_init(&gate, 0);
    for (size_t n = 0; n < 30000; n += n < 200 ? 1 : 5003) {
        struct affine *fs = elements_of(n);
        filtered(pool, fs, n, PLAIN);
        filtered(pool, fs, n, YIELDS);
        fs[0].b = marked;
        if (n > 3000) {
            filtered(pool, fs, n, WAITS);
        }
        free(fs);
    }
    pool_closed(pool);
}
END_TEST

/* ---- which operators are exact ---- */

enum colour { RED };
union both {
    int i;
    float f;
};
#define REDUCER_OF(T, name)                                                                        \
    FILCH_REDUCER(T, name, (T, a), (T, b))                                                         \
    {                                                                                              \
        (void)a;                                                                                   \
        return b;                                                                                  \
    }

/* clang-format off */
REDUCER_OF(char, of_char)
REDUCER_OF(bool, of_bool)
REDUCER_OF(enum colour, of_enum)
REDUCER_OF(uint64_t, of_word)
REDUCER_OF(const char *, of_pointer)
REDUCER_OF(float, of_float)
REDUCER_OF(double, of_double)
REDUCER_OF(long double, of_long_double)
REDUCER_OF(union both, of_union)
/* clang-format on */

START_TEST(operators_of_integers_and_pointers_are_exact)
{
    ck_assert(of_char_reducer.exact && of_bool_reducer.exact && of_enum_reducer.exact);
    ck_assert(of_word_reducer.exact && of_pointer_reducer.exact && then_exactly_reducer.exact);
    ck_assert(!of_float_reducer.exact && !of_double_reducer.exact);
    ck_assert(!of_long_double_reducer.exact && !of_union_reducer.exact && !then_reducer.exact);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *tcase = tcase_create("chains");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, scans_of_all_sizes_are_those_of_a_loop, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_operator_may_yield, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_is_behind_an_operator_that_waits_is_measured_meanwhile, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, an_exact_operator_is_called_once_for_an_element_on_one_worker);
    tcase_add_loop_test(tcase, a_scan_stops_when_it_is_cancelled, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_anywhere_in_a_scan_is_reported, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, filters_of_all_sizes_keep_the_order, 0, WORKER_SWEEP);
    tcase_add_test(tcase, operators_of_integers_and_pointers_are_exact);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
