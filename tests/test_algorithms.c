/* Reductions, scans, filters, searches, sorting and grids, against serial oracles. */
#include "fixture.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = {0,   1,   2,    3,    15,   16,   23,   25,    49,     511,
                               512, 513, 1000, 1023, 1024, 1025, 4097, 33333, 1000003};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ThreadSanitizer and the like are slow: the largest only where they are not. */
static size_t sizes_here(void)
{
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    return SIZES - 1;
#else
    return SIZES;
#endif
}

static uint64_t state = 88172645463325252u;

static uint64_t next_random(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

/* Elements of several kinds: random, equal, rising, falling, few different, organ pipes. */
enum { KINDS = 6 };

static int element(size_t i, size_t n, int kind)
{
    switch (kind) {
    case 0: return (int)(next_random() % 2000001) - 1000000;
    case 1: return 5;
    case 2: return (int)i;
    case 3: return (int)(n - i);
    case 4: return (int)(next_random() % 3);
    default: return (int)(i < n / 2 ? i : n - i);
    }
}

static int *elements(size_t n, int kind)
{
    int *xs = malloc((n + 1) * sizeof *xs);
    for (size_t i = 0; i < n; i++) {
        xs[i] = element(i, n, kind);
    }
    return xs;
}

/* ---- reduce and scan ---- */

FILCH_REDUCER(uint64_t, add, (uint64_t, a), (uint64_t, b))
{
    return a + b;
}

/* Associative, not commutative: x -> a x + b, applied one after the other. */
struct affine {
    uint64_t a;
    uint64_t b;
};

FILCH_REDUCER(struct affine, then, (struct affine, f), (struct affine, g))
{
    return (struct affine){f.a * g.a, f.b * g.a + g.b};
}

FILCH_REDUCER(double, plus, (double, a), (double, b))
{
    return a + b;
}

START_TEST(scans_and_reductions_are_those_of_a_loop)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 0; s < sizes_here(); s++) {
        size_t n = sizes[s];
        struct affine *fs = malloc((n + 1) * sizeof *fs);
        struct affine *inclusive = malloc((n + 1) * sizeof *fs);
        struct affine *exclusive = malloc((n + 1) * sizeof *fs);
        const struct affine initial = {3, 5};
        struct affine total;
        for (size_t i = 0; i < n; i++) {
            fs[i] = (struct affine){next_random() | 1, next_random()};
        }
        ck_assert_int_eq(then_reduce(pool, fs, n, initial, &total), FILCH_OK);
        ck_assert_int_eq(then_scan(pool, fs, n, initial, inclusive), FILCH_OK);
        ck_assert_int_eq(then_scan_exclusive(pool, fs, n, initial, exclusive), FILCH_OK);
        struct affine sum = initial;
        size_t wrong = 0;
        for (size_t i = 0; i < n; i++) {
            wrong += exclusive[i].a != sum.a || exclusive[i].b != sum.b;
            sum = then(sum, fs[i]);
            wrong += inclusive[i].a != sum.a || inclusive[i].b != sum.b;
        }
        ck_assert_uint_eq(wrong, 0);
        ck_assert(total.a == sum.a && total.b == sum.b);
        ck_assert_int_eq(then_scan(pool, fs, n, initial, fs), FILCH_OK); /* in place */
        ck_assert(memcmp(fs, inclusive, n * sizeof *fs) == 0);
        free(fs);
        free(inclusive);
        free(exclusive);
    }
    pool_closed(pool);
}
END_TEST

static atomic_int additions;

FILCH_REDUCER(int, counted_add, (int, a), (int, b))
{
    atomic_fetch_add(&additions, 1);
    return a + b;
}

START_TEST(few_elements_are_scanned_in_one_go)
{
    enum { N = 15 };
    filch_pool *pool = pool_opened(_i);
    int xs[N];
    for (int i = 0; i < N; i++) {
        xs[i] = i;
    }
    additions = 0;
    ck_assert_int_eq(counted_add_scan(pool, xs, N, 1, xs), FILCH_OK);
    ck_assert_int_eq(xs[N - 1], 1 + N * (N - 1) / 2);
    ck_assert_int_le(additions, N); /* as many as in a loop */
    pool_closed(pool);
}
END_TEST

START_TEST(ten_million_are_scanned_and_summed)
{
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    enum { N = 10000000 };
#else
    enum { N = 100000 };
#endif
    filch_pool *pool = pool_opened(1);
    uint64_t *xs = malloc(N * sizeof *xs);
    uint64_t total;
    for (size_t i = 0; i < N; i++) {
        xs[i] = i;
    }
    ck_assert_int_eq(add_reduce(pool, xs, N, 7, &total), FILCH_OK);
    ck_assert_uint_eq(total, 7 + (uint64_t)N * (N - 1) / 2);
    ck_assert_int_eq(add_scan(pool, xs, N, 7, xs), FILCH_OK);
    size_t wrong = 0;
    for (uint64_t i = 0; i < N; i++) {
        wrong += xs[i] != 7 + i * (i + 1) / 2;
    }
    ck_assert_uint_eq(wrong, 0);
    free(xs);
    pool_closed(pool);
}
END_TEST

START_TEST(floating_point_gives_the_same_bits_on_any_number_of_workers)
{
    enum { N = 100003 };
    static const unsigned workers[] = {1, 2, 3, 8, 64};
    double *xs = malloc(N * sizeof *xs);
    double *first = malloc(N * sizeof *xs);
    double *sums = malloc(N * sizeof *xs);
    double first_total = 0;
    for (size_t i = 0; i < N; i++) {
        xs[i] = (double)next_random() / (double)(1 + next_random() % 1000);
    }
    for (size_t w = 0; w < sizeof workers / sizeof *workers; w++) {
        filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = workers[w]});
        for (int round = 0; round < 5; round++) {
            double total;
            ck_assert_int_eq(plus_reduce(pool, xs, N, 0, &total), FILCH_OK);
            ck_assert_int_eq(plus_scan(pool, xs, N, 0, sums), FILCH_OK);
            if (w == 0 && round == 0) {
                first_total = total;
                memcpy(first, sums, N * sizeof *sums);
            }
            ck_assert(memcmp(&total, &first_total, sizeof total) == 0);
            ck_assert(memcmp(sums, first, N * sizeof *sums) == 0);
        }
        pool_closed(pool);
    }
    free(xs);
    free(first);
    free(sums);
}
END_TEST

FILCH_REDUCER(const char *, later_of, (const char *, a), (const char *, b))
{
    return a > b ? a : b;
}

/* What the macro declares for a value holds a pointer, too. */
START_TEST(pointers_are_reduced_and_scanned)
{
    enum { LENGTH = 1000 };
    static char text[LENGTH];
    const char *all[LENGTH];
    const char *out[LENGTH];
    const char *last = NULL;
    filch_pool *pool = pool_opened(_i);
    for (size_t i = 0; i < LENGTH; i++) {
        all[i] = text + i * 617 % LENGTH;
    }
    ck_assert_int_eq(later_of_reduce(pool, all, LENGTH, text, &last), FILCH_OK);
    ck_assert_ptr_eq(last, text + LENGTH - 1);
    ck_assert_int_eq(later_of_scan(pool, all, LENGTH, text, out), FILCH_OK);
    ck_assert_int_eq(later_of_scan_exclusive(pool, all, LENGTH, text, all), FILCH_OK);
    last = text;
    for (size_t i = 0; i < LENGTH; i++) {
        ck_assert_ptr_eq(all[i], last);
        last = later_of(last, text + i * 617 % LENGTH);
        ck_assert_ptr_eq(out[i], last);
    }
    pool_closed(pool);
}
END_TEST

FILCH_REDUCER(int, fails_at_a_million, (int, a), (int, b))
{
    return b == 1000000 ? (filch_raise(EDOM, "a million"), 0) : a > b ? a : b;
}

START_TEST(an_error_in_a_reducer_is_reported)
{
    filch_pool *pool = pool_opened(_i);
    int few[3] = {1, 1000000, 2};
    int out[3];
    int total = 77;
    ck_assert_int_eq(fails_at_a_million_reduce(pool, few, 3, 0, &total), FILCH_ERAISED);
    ck_assert_int_eq(total, 77);
    ck_assert_int_eq(fails_at_a_million_reduce(pool, few, 1, 0, &total), FILCH_OK);
    ck_assert_int_eq(fails_at_a_million_scan(pool, few, 3, 0, out), FILCH_ERAISED);
    few[0] = 1000000; /* only combined when the leaves' results are */
    few[1] = 0;
    ck_assert_int_eq(fails_at_a_million_reduce(pool, few, 1, 0, &total), FILCH_ERAISED);
    pool_closed(pool);
}
END_TEST

/* ---- filter, count, any, all, find ---- */

FILCH_PREDICATE(is_multiple, (int, x), (int, of))
{
    return x % of == 0;
}

FILCH_PREDICATE(is_positive, "More than nothing.", (int, x))
{
    return x > 0;
}

static void check_predicates(filch_pool *pool, const int *xs, size_t n, int of)
{
    int *kept = malloc((n + 1) * sizeof *kept);
    size_t expected = 0;
    size_t first = FILCH_NO_INDEX;
    size_t count = 99;
    size_t counted = 99;
    size_t found = 99;
    bool any = false;
    bool all = false;
    ck_assert_int_eq(is_multiple_filter(pool, xs, n, of, kept, &count), FILCH_OK);
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        if (xs[i] % of == 0) {
            wrong += expected >= count || kept[expected] != xs[i];
            first = expected++ ? first : i;
        }
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_int_eq(is_multiple_count(pool, xs, n, of, &counted), FILCH_OK);
    ck_assert_int_eq(is_multiple_any(pool, xs, n, of, &any), FILCH_OK);
    ck_assert_int_eq(is_multiple_all(pool, xs, n, of, &all), FILCH_OK);
    ck_assert_int_eq(is_multiple_find(pool, xs, n, of, &found), FILCH_OK);
    ck_assert_uint_eq(count, expected);
    ck_assert_uint_eq(counted, expected);
    ck_assert_uint_eq(found, first);
    ck_assert_int_eq(any, expected > 0);
    ck_assert_int_eq(all, expected == n);
    free(kept);
}

START_TEST(elements_with_a_property_are_found_counted_and_kept)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 0; s < sizes_here(); s++) {
        for (int kind = 0; kind < KINDS; kind++) {
            int *xs = elements(sizes[s], kind);
            check_predicates(pool, xs, sizes[s], 1);
            check_predicates(pool, xs, sizes[s], 3);
            check_predicates(pool, xs, sizes[s], 1000);
            free(xs);
        }
    }
    pool_closed(pool);
}
END_TEST

static atomic_long looked_at;

FILCH_PREDICATE(is_it, (int, x), (int, wanted))
{
    atomic_fetch_add(&looked_at, 1);
    return x == wanted;
}

START_TEST(a_search_ends_early)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 1000000 };
    int *xs = elements(N, 2);
    size_t index;
    bool all;
    atomic_store(&looked_at, 0);
    ck_assert_int_eq(is_it_find(pool, xs, N, 10, &index), FILCH_OK);
    ck_assert_uint_eq(index, 10);
    ck_assert_int_lt(looked_at, N);
    atomic_store(&looked_at, 0);
    ck_assert_int_eq(is_it_all(pool, xs, N, 10, &all), FILCH_OK);
    ck_assert(!all);
    ck_assert_int_lt(looked_at, N);
    free(xs);
    pool_closed(pool);
}
END_TEST

/* ---- sort, min, max ---- */

struct pair {
    int key;
    unsigned place;
};

FILCH_ORDER(by_key, (struct pair, a), (struct pair, b))
{
    return a.key < b.key;
}

static struct pair *pairs(const int *xs, size_t n)
{
    struct pair *ps = malloc((n + 1) * sizeof *ps);
    for (size_t i = 0; i < n; i++) {
        ps[i] = (struct pair){xs[i], (unsigned)i};
    }
    return ps;
}

static int by_key_and_place(const void *a, const void *b)
{
    const struct pair *x = a;
    const struct pair *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->place > y->place) - (x->place < y->place);
}

START_TEST(sorting_is_stable)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 0; s < sizes_here(); s++) {
        for (int kind = 0; kind < KINDS; kind++) {
            size_t n = sizes[s];
            int *xs = elements(n, kind);
            struct pair *sorted = pairs(xs, n);
            struct pair *expected = pairs(xs, n);
            qsort(expected, n, sizeof *expected, by_key_and_place);
            ck_assert_int_eq(by_key_sort(pool, sorted, n), FILCH_OK);
            ck_assert(memcmp(sorted, expected, n * sizeof *sorted) == 0);
            free(xs);
            free(sorted);
            free(expected);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_first_of_the_least_and_of_the_greatest_is_chosen)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 1; s < sizes_here(); s++) {
        for (int kind = 0; kind < KINDS; kind++) {
            size_t n = sizes[s];
            int *xs = elements(n, kind);
            struct pair *ps = pairs(xs, n);
            size_t least = 0;
            size_t greatest = 0;
            size_t min = 99;
            size_t max = 99;
            for (size_t i = 1; i < n; i++) {
                least = xs[i] < xs[least] ? i : least;
                greatest = xs[i] > xs[greatest] ? i : greatest;
            }
            ck_assert_int_eq(by_key_min(pool, ps, n, &min), FILCH_OK);
            ck_assert_int_eq(by_key_max(pool, ps, n, &max), FILCH_OK);
            ck_assert_uint_eq(min, least);
            ck_assert_uint_eq(max, greatest);
            free(xs);
            free(ps);
        }
    }
    size_t index;
    ck_assert_int_eq(by_key_min(pool, NULL, 0, &index), FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

/* An order that contradicts itself: what comes out is a permutation still. */
FILCH_ORDER(at_random, (struct pair, a), (struct pair, b))
{
    return (a.key * 31 + b.key * 17 + (int)a.place) % 3 == 0;
}

START_TEST(a_senseless_order_loses_nothing)
{
    enum { N = 20011 };
    filch_pool *pool = pool_opened(_i);
    int *xs = elements(N, 0);
    struct pair *ps = pairs(xs, N);
    bool *seen = calloc(N, sizeof *seen);
    ck_assert_int_eq(at_random_sort(pool, ps, N), FILCH_OK);
    size_t wrong = 0;
    for (size_t i = 0; i < N; i++) {
        wrong += seen[ps[i].place] || xs[ps[i].place] != ps[i].key;
        seen[ps[i].place] = true;
    }
    ck_assert_uint_eq(wrong, 0);
    free(xs);
    free(ps);
    free(seen);
    pool_closed(pool);
}
END_TEST

/* ---- grids ---- */

FILCH_LOOP_2D(visit_2d, (size_t, i), (size_t, j), (size_t, n_j), (atomic_uchar *, visits))
{
    atomic_fetch_add(&visits[i * n_j + j], 1);
}

FILCH_LOOP_3D(visit_3d, (size_t, i), (size_t, j), (size_t, k), (size_t, n_j), (size_t, n_k),
              (atomic_uchar *, visits))
{
    atomic_fetch_add(&visits[(i * n_j + j) * n_k + k], 1);
}

static void check_visits(const atomic_uchar *visits, size_t n)
{
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        wrong += visits[i] != 1;
    }
    ck_assert_uint_eq(wrong, 0);
}

START_TEST(every_element_of_a_grid_is_visited_once)
{
    static const size_t sides[][3] = {{1, 1, 1},   {3, 5, 7},    {8, 8, 64},  {9, 17, 65},
                                      {1, 33, 65}, {40, 1, 130}, {100, 3, 1}, {31, 63, 20}};
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        const size_t *n = sides[s];
        for (size_t tile = 0; tile < 6; tile++) {
            size_t all = n[0] * n[1] * n[2];
            atomic_uchar *visits = calloc(all, sizeof *visits);
            ck_assert_int_eq(visit_3d_for_tiled(pool, n[0], n[1], n[2], tile, tile * 2, tile * 3,
                                                n[1], n[2], visits),
                             FILCH_OK);
            check_visits(visits, all);
            memset(visits, 0, all);
            ck_assert_int_eq(
                visit_2d_for_tiled(pool, n[0] * n[1], n[2], tile * 3, tile, n[2], visits),
                FILCH_OK);
            check_visits(visits, all);
            free(visits);
        }
    }
    ck_assert_int_eq(visit_2d_for(pool, 0, 5, 5, NULL), FILCH_OK);
    ck_assert_int_eq(visit_3d_for(pool, 5, 5, 0, 5, 0, NULL), FILCH_OK);
    ck_assert_int_eq(visit_2d_for(pool, SIZE_MAX / 2, 3, 3, NULL), FILCH_EOVERFLOW);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP_2D(order_2d, (size_t, i), (size_t, j), (atomic_int *, count), (int *, when))
{
    when[i * 4 + j] = atomic_fetch_add(count, 1);
}

START_TEST(a_worker_goes_through_tiles)
{
    static const int expected[16] = {0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15};
    filch_pool *pool = pool_opened(0);
    atomic_int count = 0;
    int when[16];
    ck_assert_int_eq(order_2d_for_tiled(pool, 4, 4, 2, 2, &count, when), FILCH_OK);
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(when[i], expected[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- ten million ---- */

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static const size_t ten_million = 10000000;
#else
static const size_t ten_million = 100000;
#endif

START_TEST(ten_million_are_sorted_and_chosen_from)
{
    const size_t n = ten_million;
    filch_pool *pool = pool_opened(1);
    int *xs = elements(n, 0);
    struct pair *ps = pairs(xs, n);
    size_t index;
    size_t wrong = 0;
    ck_assert_int_eq(by_key_max(pool, ps, n, &index), FILCH_OK);
    const int greatest = xs[index];
    ck_assert_int_eq(by_key_sort(pool, ps, n), FILCH_OK);
    for (size_t i = 0; i < n; i++) {
        wrong += ps[i].key != xs[ps[i].place] || ps[i].key > greatest;
        wrong += i > 0 && by_key_and_place(&ps[i - 1], &ps[i]) >= 0; /* each once, and stably */
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_int_eq(ps[n - 1].key, greatest);
    free(xs);
    free(ps);
    pool_closed(pool);
}
END_TEST

START_TEST(ten_million_are_filtered_counted_and_searched)
{
    filch_pool *pool = pool_opened(1);
    int *xs = elements(ten_million, 0);
    check_predicates(pool, xs, ten_million, 7);
    free(xs);
    xs = elements(ten_million, 2);
    size_t index = 0;
    ck_assert_int_eq(is_it_find(pool, xs, ten_million, (int)ten_million - 1, &index), FILCH_OK);
    ck_assert_uint_eq(index, ten_million - 1);
    free(xs);
    pool_closed(pool);
}
END_TEST

START_TEST(ten_million_elements_of_grids_are_visited_once)
{
    const size_t side = ten_million == 10000000 ? 3163 : 317;
    filch_pool *pool = pool_opened(1);
    atomic_uchar *visits = calloc(side * side, sizeof *visits);
    ck_assert_int_eq(visit_2d_for(pool, side, side, side, visits), FILCH_OK);
    check_visits(visits, side * side);
    memset(visits, 0, side * side);
    ck_assert_int_eq(visit_3d_for(pool, side / 10, 10, side, 10, side, visits), FILCH_OK);
    check_visits(visits, side / 10 * 10 * side);
    free(visits);
    pool_closed(pool);
}
END_TEST

/* ---- bad input ---- */

START_TEST(bad_arguments_are_refused)
{
    filch_pool *pool = pool_opened(1);
    int xs[4] = {4, 3, 2, 1};
    struct pair ps[2] = {{1, 0}, {2, 1}};
    size_t count = 7;
    bool answer;
    uint64_t sums[1] = {1};
    ck_assert_int_eq(is_positive_filter(pool, NULL, 1, xs, &count), FILCH_EINVAL);
    ck_assert_int_eq(is_positive_filter(pool, xs, 4, NULL, &count), FILCH_EINVAL);
    ck_assert_int_eq(is_positive_filter(pool, xs, 4, xs, NULL), FILCH_EINVAL);
    ck_assert_int_eq(is_positive_count(pool, xs, SIZE_MAX, &count), FILCH_EOVERFLOW);
    ck_assert_int_eq(is_positive_filter(pool, xs, SIZE_MAX / 2, xs, &count), FILCH_EOVERFLOW);
    ck_assert_int_eq(is_positive_any(pool, xs, 4, NULL), FILCH_EINVAL);
    ck_assert_int_eq(is_positive_all(pool, NULL, 4, &answer), FILCH_EINVAL);
    ck_assert_int_eq(filch_find(pool, NULL, xs, xs, 4, &count), FILCH_EINVAL);
    ck_assert_int_eq(by_key_sort(pool, NULL, 2), FILCH_EINVAL);
    ck_assert_int_eq(by_key_sort(pool, ps, SIZE_MAX / 2), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_sort(pool, NULL, ps, 2), FILCH_EINVAL);
    ck_assert_int_eq(by_key_min(pool, ps, 2, NULL), FILCH_EINVAL);
    ck_assert_int_eq(add_scan(pool, NULL, 1, 0, sums), FILCH_EINVAL);
    ck_assert_int_eq(add_scan(pool, sums, 1, 0, NULL), FILCH_EINVAL);
    ck_assert_int_eq(add_scan(pool, sums, SIZE_MAX / 4, 0, sums), FILCH_EOVERFLOW);
    ck_assert_uint_eq(count, 7);
    ck_assert_uint_eq(sums[0], 1);
    pool_closed(pool);
}
END_TEST

START_TEST(without_memory_nothing_is_lost)
{
    filch_pool *pool = pool_opened(1);
    enum { N = 3000 };
    int *xs = elements(N, 0);
    struct pair *ps = pairs(xs, N);
    int *kept = malloc(N * sizeof *kept);
    uint64_t *sums = calloc(N, sizeof *sums);
    for (long call = 1; call < 12; call++) {
        size_t n;
        uint64_t total;
        filch_status status[5];
        fail_call(call);
        status[0] = by_key_sort(pool, ps, N);
        fail_call(call);
        status[1] = is_positive_filter(pool, xs, N, kept, &n);
        fail_call(call);
        status[2] = add_scan(pool, sums, N, 1, sums);
        fail_call(call);
        status[3] = by_key_max(pool, ps, N, &n);
        fail_call(call);
        status[4] = add_reduce(pool, sums, N, 1, &total);
        fail_call(0);
        for (int i = 0; i < 5; i++) {
            ck_assert(status[i] == FILCH_OK || status[i] == FILCH_ENOMEM);
        }
    }
    ck_assert_int_eq(by_key_sort(pool, ps, N), FILCH_OK);
    for (size_t i = 1; i < N; i++) {
        ck_assert_int_le(ps[i - 1].key, ps[i].key);
    }
    free(xs);
    free(ps);
    free(kept);
    free(sums);
    pool_closed(pool);
}
END_TEST

/* Comparisons that take long: one waits a while for another to run at the same time. */
static atomic_int comparing;
static atomic_bool compared_together;

FILCH_ORDER(dearly, (int, a), (int, b))
{
    double patience = filch_now() + 0.002;
    atomic_fetch_add(&comparing, 1);
    while (!atomic_load(&compared_together) && filch_now() < patience) {
        if (atomic_load(&comparing) > 1) {
            atomic_store(&compared_together, true);
        }
    }
    atomic_fetch_sub(&comparing, 1);
    return a < b;
}

START_TEST(a_few_are_sorted_by_several_workers_if_a_comparison_is_dear)
{
    filch_pool *pool = pool_opened(2);
    for (int n = 16; n <= 32; n += 8) {
        int elements[32];
        for (int i = 0; i < n; i++) {
            elements[i] = i * 7 % n;
        }
        atomic_store(&compared_together, false);
        ck_assert_int_eq(dearly_sort(pool, elements, (size_t)n), FILCH_OK);
        ck_assert_msg(compared_together, "%d elements were sorted on one worker", n);
        for (int i = 1; i < n; i++) {
            ck_assert_int_le(elements[i - 1], elements[i]);
        }
    }
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("algorithms");
    TCase *tcase = tcase_create("algorithms");
    tcase_set_timeout(tcase, 200);
    tcase_add_loop_test(tcase, scans_and_reductions_are_those_of_a_loop, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, few_elements_are_scanned_in_one_go, 0, WORKER_SWEEP);
    tcase_add_test(tcase, ten_million_are_scanned_and_summed);
    tcase_add_test(tcase, floating_point_gives_the_same_bits_on_any_number_of_workers);
    tcase_add_loop_test(tcase, an_error_in_a_reducer_is_reported, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_with_a_property_are_found_counted_and_kept, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_search_ends_early, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, sorting_is_stable, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_few_are_sorted_by_several_workers_if_a_comparison_is_dear);
    tcase_add_loop_test(tcase, the_first_of_the_least_and_of_the_greatest_is_chosen, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_senseless_order_loses_nothing, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, pointers_are_reduced_and_scanned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, every_element_of_a_grid_is_visited_once, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_worker_goes_through_tiles);
    tcase_add_test(tcase, ten_million_are_sorted_and_chosen_from);
    tcase_add_test(tcase, ten_million_are_filtered_counted_and_searched);
    tcase_add_test(tcase, ten_million_elements_of_grids_are_visited_once);
    tcase_add_test(tcase, bad_arguments_are_refused);
    tcase_add_test(tcase, without_memory_nothing_is_lost);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
