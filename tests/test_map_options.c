/* What a map can be told: what happens after an error, whom to tell how far it is, Python's
 * chunks. */
#include "fixture.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>

static atomic_int ran;

FILCH_FUNCTION(int, odd_fails, (int, x))
{
    atomic_fetch_add(&ran, 1);
    if (x % 2) {
        return filch_raise(x, "%d is odd", x), -x;
    }
    return x;
}

FILCH_FUNCTION(int, fails_from, (int, x), (int, first))
{
    atomic_fetch_add(&ran, 1);
    if (x >= first) {
        return filch_raise(1000 + x, "%d", x), 0;
    }
    return x;
}

static int *numbers(int n)
{
    int *xs = malloc((size_t)n * sizeof *xs);
    for (int i = 0; i < n; i++) {
        xs[i] = i;
    }
    return xs;
}

START_TEST(by_default_all_run_and_the_lowest_error_is_reported)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 1000 };
    int *xs = numbers(N);
    int out[N];
    filch_error error;
    filch_item items[N];
    filch_options options = {.error = &error, .items = items};
    for (int chunk = 0; chunk < 3; chunk++) {
        atomic_store(&ran, 0);
        if (chunk) {
            options.chunksize = FILCH_CHUNK(chunk * 3);
        }
        ck_assert_int_eq(odd_fails_map(filch_on(pool, &options), xs, N, out), FILCH_ERAISED);
        ck_assert_int_eq(ran, N);
        ck_assert_uint_eq(error.index, 1);
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(items[i].status, i % 2 ? FILCH_ERAISED : FILCH_OK);
            ck_assert_int_eq(items[i].code, i % 2 ? i : 0);
            ck_assert_int_eq(out[i], i % 2 ? -i : i);
        }
    }
    free(xs);
    pool_closed(pool);
}
END_TEST

START_TEST(fail_fast_leaves_out_what_has_not_begun)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = 200000 };
    int *xs = numbers(N);
    int *firsts = malloc(N * sizeof *firsts);
    int *out = malloc(N * sizeof *out);
    filch_item *items = malloc(N * sizeof *items);
    filch_error error;
    filch_options options = {.error = &error, .policy = FILCH_FAIL_FAST, .items = items};
    for (int i = 0; i < N; i++) {
        firsts[i] = 100;
    }
    for (int chunked = 0; chunked < 2; chunked++) {
        atomic_store(&ran, 0);
        if (chunked) {
            options.chunksize = FILCH_CHUNK(7);
        }
        ck_assert_int_eq(fails_from_starmap(filch_on(pool, &options), xs, firsts, N, out),
                         FILCH_ERAISED);
        ck_assert_int_lt(ran, N);
        int ok = 0;
        int failed = 0;
        for (int i = 0; i < N; i++) {
            ok += items[i].status == FILCH_OK;
            failed += items[i].status == FILCH_ERAISED;
            if (items[i].status == FILCH_ERAISED) {
                check_int_eq(items[i].code, 1000 + i);
            }
        }
        ck_assert_int_eq(ok + failed, ran);
        ck_assert_int_ge(failed, 1);
        ck_assert_int_eq(items[error.index].status, FILCH_ERAISED);
        ck_assert_int_eq(error.code, 1000 + (int)error.index);
    }
    free(xs);
    free(firsts);
    free(out);
    free(items);
    pool_closed(pool);
}
END_TEST

START_TEST(on_one_worker_fail_fast_stops_at_the_element)
{
    filch_pool *pool = pool_opened(0);
    enum { N = 1000 };
    int *xs = numbers(N);
    int out[N];
    filch_options options = {.policy = FILCH_FAIL_FAST};
    atomic_store(&ran, 0);
    ck_assert_int_eq(odd_fails_map(filch_on(pool, &options), xs, N, out), FILCH_ERAISED);
    ck_assert_int_eq(ran, 2);
    free(xs);
    pool_closed(pool);
}
END_TEST

/* ---- progress ---- */

struct told {
    atomic_int inside;
    size_t last;
    size_t total;
    int calls;
    bool wrong;
};

static void hear(void *context, size_t done, size_t total)
{
    struct told *told = context;
    told->wrong |= atomic_fetch_add(&told->inside, 1) != 0 || done < told->last || done > total;
    told->last = done;
    told->total = total;
    told->calls++;
    atomic_fetch_sub(&told->inside, 1);
}

FILCH_LOOP(works, (size_t, i), (double, seconds))
{
    struct timespec t;
    (void)i;
    clock_gettime(CLOCK_MONOTONIC, &t);
    const double end = (double)t.tv_sec + (double)t.tv_nsec / 1e9 + seconds;
    do {
        clock_gettime(CLOCK_MONOTONIC, &t);
    } while ((double)t.tv_sec + (double)t.tv_nsec / 1e9 < end);
}

FILCH_LOOP(does_nothing, (size_t, i))
{
    (void)i;
}

START_TEST(progress_is_told_now_and_then_and_at_the_end)
{
    filch_pool *pool = pool_opened(_i);
    struct told told = {.last = 0};
    filch_options options = {.progress = hear, .progress_context = &told};
    struct timespec before;
    struct timespec after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    const unsigned workers = workers_of(_i);
    ck_assert_int_eq(works_for(filch_on(pool, &options), 200, 0.002 * workers), FILCH_OK);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double seconds =
        (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    ck_assert(!told.wrong);
    ck_assert_uint_eq(told.last, 200);
    ck_assert_uint_eq(told.total, 200);
    ck_assert_int_ge(told.calls, 3);
    ck_assert_int_le(told.calls, (int)(seconds * 10) + 3);
    told = (struct told){.last = 0};
    ck_assert_int_eq(does_nothing_for(filch_on(pool, &options), 100000), FILCH_OK);
    ck_assert(!told.wrong);
    ck_assert_uint_eq(told.last, 100000);
    ck_assert_int_ge(told.calls, 1);
    pool_closed(pool);
}
END_TEST

/* ---- Python's chunks ---- */

static unsigned long chunk_starts;

FILCH_FUNCTION(unsigned, worker_of, (int, x))
{
    (void)x;
    return filch_worker_id();
}

START_TEST(pythons_chunk_size_is_its_formula)
{
    static const struct {
        size_t n;
        unsigned workers;
        size_t chunk;
    } known[] = {{5000, 2, 625}, {5, 2, 1}, {1, 4, 1}, {8, 2, 1}, {9, 2, 2}, {100, 3, 9}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = known[k].workers});
        int *xs = numbers((int)known[k].n);
        unsigned *workers = malloc(known[k].n * sizeof *workers);
        filch_options options = {.chunksize = FILCH_CHUNK_PYTHON};
        ck_assert_int_eq(worker_of_map(filch_on(pool, &options), xs, known[k].n, workers),
                         FILCH_OK);
        /* the thread that runs an element runs its whole chunk */
        for (size_t i = 1; i < known[k].n; i++) {
            ck_assert(i % known[k].chunk == 0 || workers[i] == workers[i - 1]);
            chunk_starts += i % known[k].chunk == 0;
        }
        free(xs);
        free(workers);
        pool_closed(pool);
    }
    ck_assert_uint_gt(chunk_starts, 0);
}
END_TEST

/* ---- cancelling ---- */

enum { CANCELLED_MANY = 1000000 };

static filch_future *_Atomic the_map;
static atomic_bool is_cancelled;

/* Half of the others wait for it, lest they all run before. */
FILCH_FUNCTION(int, cancels_at, (int, x), (int, last))
{
    atomic_fetch_add(&ran, 1);
    if (x == last) {
        while (!atomic_load(&the_map)) {
            sched_yield();
        }
        filch_future_cancel(atomic_load(&the_map));
        atomic_store(&is_cancelled, true);
    }
    while (x >= CANCELLED_MANY / 2 && !atomic_load(&is_cancelled)) {
        sched_yield();
    }
    return x;
}

START_TEST(a_cancelled_map_leaves_out_what_has_not_begun)
{
    filch_pool *pool = pool_opened(_i);
    enum { N = CANCELLED_MANY };
    int *xs = numbers(N);
    int *lasts = calloc(N, sizeof *lasts);
    int *out = malloc(N * sizeof *out);
    filch_future *future;
    atomic_store(&ran, 0);
    atomic_store(&the_map, NULL);
    atomic_store(&is_cancelled, false);
    ck_assert_int_eq(cancels_at_starmap_async(pool, xs, lasts, N, out, &future), FILCH_OK);
    atomic_store(&the_map, future);
    ck_assert_int_eq(filch_future_get(future, NULL, 0), FILCH_ECANCELED);
    ck_assert_int_lt(ran, N);
    filch_future_free(future);
    free(xs);
    free(lasts);
    free(out);
    pool_closed(pool);
}
END_TEST

START_TEST(an_unknown_policy_is_refused)
{
    filch_pool *pool = pool_opened(1);
    int x = 1;
    filch_options options = {.policy = (filch_map_policy)9};
    ck_assert_int_eq(odd_fails_map(filch_on(pool, &options), &x, 1, &x), FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("map_options");
    TCase *tcase = tcase_create("map_options");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, by_default_all_run_and_the_lowest_error_is_reported, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, fail_fast_leaves_out_what_has_not_begun, 0, WORKER_SWEEP);
    tcase_add_test(tcase, on_one_worker_fail_fast_stops_at_the_element);
    tcase_add_loop_test(tcase, progress_is_told_now_and_then_and_at_the_end, 0, WORKER_SWEEP);
    tcase_add_test(tcase, pythons_chunk_size_is_its_formula);
    tcase_add_loop_test(tcase, a_cancelled_map_leaves_out_what_has_not_begun, 0, WORKER_SWEEP);
    tcase_add_test(tcase, an_unknown_policy_is_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
