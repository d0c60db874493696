/* Maps, loops and reductions. */
#include "fixture.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/grain.h"
#include "os/os_ticks.h"

FILCH_FUNCTION(long, square, "The square.", (int, x))
{
    return (long)x * x;
}

FILCH_REDUCER(long, add, (long, a), (long, b))
{
    return a + b;
}

START_TEST(map_keeps_the_order_of_its_input)
{
    static const size_t sizes[] = {0, 1, 2, 3, 7, 20, 64, 1000, 5000, 300001};
    filch_pool *pool = pool_opened(_i);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        int *in = calloc(n + 1, sizeof *in);
        long *out = calloc(n + 1, sizeof *out);
        for (size_t i = 0; i < n; i++) {
            in[i] = (int)i - 100;
        }
        out[n] = -1;
        ck_assert_int_eq(square_map(pool, in, n, out), FILCH_OK);
        for (size_t i = 0; i < n; i++) {
            check_int_eq(out[i], (long)in[i] * in[i]);
        }
        ck_assert_int_eq(out[n], -1);
        free(in);
        free(out);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, negate, (int, x))
{
    return -x;
}

START_TEST(input_and_output_may_be_the_same_array)
{
    filch_pool *pool = pool_opened(_i);
    int *both = malloc(100000 * sizeof *both);
    for (int i = 0; i < 100000; i++) {
        both[i] = i;
    }
    ck_assert_int_eq(negate_map(pool, both, 100000, both), FILCH_OK);
    for (int i = 0; i < 100000; i++) {
        check_int_eq(both[i], -i);
    }
    free(both);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(double, weigh, (int, a), (double, b), (char, c))
{
    return a * b + c;
}

START_TEST(starmap_zips_arrays_of_any_types)
{
    enum { N = 1000 };
    int a[N];
    double b[N];
    char c[N];
    double out[N];
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < N; i++) {
        a[i] = i;
        b[i] = 0.5 * i;
        c[i] = (char)(i % 50);
    }
    ck_assert_int_eq(weigh_starmap(pool, a, b, c, N, out), FILCH_OK);
    for (int i = 0; i < N; i++) {
        ck_assert(out[i] == a[i] * b[i] + c[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- each element once, whatever elements do ---- */

FILCH_LOOP(visit, (size_t, i), (atomic_char *, visits), (size_t, sleeps_every))
{
    atomic_fetch_add(&visits[i], 1);
    if (sleeps_every && i % sleeps_every == sleeps_every - 1) {
        filch_sleep(0.0005);
    }
}

static void check_visits(filch_pool *pool, size_t n, size_t sleeps_every, filch_options *options)
{
    atomic_char *visits = calloc(n, sizeof *visits);
    ck_assert_int_eq(visit_for(filch_on(pool, options), n, visits, sleeps_every), FILCH_OK);
    for (size_t i = 0; i < n; i++) {
        check_int_eq(visits[i], 1);
    }
    free(visits);
}

START_TEST(each_element_runs_exactly_once)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 1; n < 3000; n = n * 3 + 1) {
        check_visits(pool, n, 0, NULL);
        check_visits(pool, n, 1 + n / 7, NULL);
    }
    check_visits(pool, 1000000, 0, NULL);
    check_visits(pool, 100000, 5000, NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(explicit_chunks_cover_every_element_once)
{
    filch_pool *pool = pool_opened(_i);
    for (ptrdiff_t chunk = 1; chunk < 200; chunk = chunk * 2 + 1) {
        filch_options options = {.chunksize = FILCH_CHUNK(chunk)};
        check_visits(pool, 100, 0, &options);
        check_visits(pool, 101, 30, &options);
    }
    filch_options huge = {.chunksize = FILCH_CHUNK(PTRDIFF_MAX)};
    check_visits(pool, 10, 0, &huge);
    pool_closed(pool);
}
END_TEST

/* Elements of one chunk run in order and never at the same time, although they sleep. */
FILCH_LOOP(in_turn, (size_t, i), (atomic_int *, turns), (size_t, chunk))
{
    atomic_int *turn = &turns[i / chunk];
    ck_assert_int_eq(atomic_load(turn), (int)(i % chunk));
    filch_sleep(0.001);
    ck_assert_int_eq(atomic_fetch_add(turn, 1), (int)(i % chunk));
}

START_TEST(an_explicit_chunk_runs_in_order_as_one_piece)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int turns[8] = {0};
    filch_options options = {.chunksize = FILCH_CHUNK(3)};
    ck_assert_int_eq(in_turn_for(filch_on(pool, &options), 20, turns, 3), FILCH_OK);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(turns[i], 3);
    }
    ck_assert_int_eq(turns[6], 2);
    pool_closed(pool);
}
END_TEST

/* All elements sleep at the same time, on any number of workers: each waits until all are there. */
FILCH_LOOP(meet, (size_t, i), (atomic_int *, here), (int, all))
{
    (void)i;
    atomic_fetch_add(here, 1);
    while (atomic_load(here) < all) {
        filch_sleep(0.001);
    }
}

START_TEST(sleeping_elements_hold_no_worker)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int here = 0;
    ck_assert_int_eq(meet_for(pool, 100, &here, 100), FILCH_OK);
    ck_assert_int_eq(here, 100);
    pool_closed(pool);
}
END_TEST

/* ---- loops in loops, forks in loops ---- */

FILCH_LOOP(inner, (size_t, j), (long *, row))
{
    row[j] += (long)j;
}

FILCH_LOOP(outer, (size_t, i), (filch_pool *, pool), (long *, table), (size_t, n))
{
    if (inner_for(pool, n, table + i * n) != FILCH_OK) {
        filch_raise(1, "inner loop %zu", i);
    }
}

START_TEST(loops_nest)
{
    enum { N = 200 };
    filch_pool *pool = pool_opened(_i);
    long *table = calloc(N * N, sizeof *table);
    ck_assert_int_eq(outer_for(pool, N, pool, table, N), FILCH_OK);
    for (size_t k = 0; k < N * N; k++) {
        ck_assert_int_eq(table[k], (long)(k % N));
    }
    free(table);
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_FUNCTION(long, fib_of, (int, n))
{
    return fib(n);
}

START_TEST(elements_may_fork)
{
    enum { N = 300 };
    int in[N];
    long out[N];
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < N; i++) {
        in[i] = 10 + i % 8;
    }
    ck_assert_int_eq(fib_of_map(pool, in, N, out), FILCH_OK);
    for (int i = 8; i < N; i++) {
        ck_assert_int_eq(out[i], out[i - 8]);
    }
    ck_assert_int_eq(out[0], 55);
    pool_closed(pool);
}
END_TEST

/* ---- several workers share a loop that none of them blocks in ---- */

FILCH_LOOP(meet_spinning, (size_t, i), (atomic_int *, here), (int, all))
{
    (void)i;
    atomic_fetch_add(here, 1);
    await(here, all);
}

START_TEST(idle_workers_take_part)
{
    filch_pool *pool = pool_opened(1);
    for (int round = 0; round < 10; round++) {
        atomic_int here = 0;
        ck_assert_int_eq(meet_spinning_for(pool, 2, &here, 2), FILCH_OK);
    }
    pool_closed(pool);
}
END_TEST

/* The first elements of a call that has others to wait for must not be among those that are run
 * before other workers are asked. */
FILCH_LOOP(short_or_meeting, (size_t, i), (atomic_int *, here), (bool, meeting))
{
    if (meeting && i >= 32) {
        atomic_fetch_add(here, 1);
    } else if (meeting && i >= 8) {
        await(here, 1);
    }
}

START_TEST(a_loop_that_was_short_is_shared_when_it_is_long)
{
    filch_pool *pool = pool_opened(_i + 1);
    for (int round = 0; round < 10; round++) {
        atomic_int here = 0;
        for (int i = 0; i < 10; i++) {
            ck_assert_int_eq(short_or_meeting_for(pool, 64, &here, false), FILCH_OK);
        }
        if (round % 5 == 4) {
            nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL); /* no monitor looks now */
        }
        ck_assert_int_eq(short_or_meeting_for(pool, 64, &here, true), FILCH_OK);
        ck_assert_int_eq(here, 32);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, wait_for_two, (atomic_int *, here))
{
    atomic_fetch_add(here, 1);
    await(here, 2);
    return 0;
}

FILCH_LOOP(visit_slowly, (size_t, i), (atomic_char *, visits))
{
    atomic_fetch_add(&visits[i], 1);
    for (uint64_t began = filch_os_ticks(); filch_os_ticks() - began < FILCH_GRAIN_TARGET;) {
    }
}

/* The call names workers and a chunk size, so half of it waits to be taken; but none is idle. Then
 * the caller splits that half, too: what remains of the lane must be as before. */
START_TEST(a_half_that_nobody_came_for_is_run_like_any_loop)
{
    enum { N = 64 };
    filch_options ones = {.chunksize = FILCH_CHUNK(1)};
    filch_pool *pool = pool_opened(1);
    atomic_int here = 0;
    filch_future *busy;
    ck_assert_int_eq(wait_for_two_apply_async(pool, &here, &busy), FILCH_OK);
    await(&here, 1);
    for (int round = 0; round < 3; round++) {
        atomic_char visits[N];
        memset(visits, 0, sizeof visits);
        ck_assert_int_eq(visit_slowly_for(filch_on(pool, &ones), N, visits), FILCH_OK);
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(visits[i], 1);
        }
    }
    atomic_store(&here, 2);
    ck_assert_int_eq(filch_future_wait(busy), FILCH_OK);
    filch_future_free(busy);
    pool_closed(pool);
}
END_TEST

/* The first two are dear. The third lets the other worker go, and waits for another of the lower
 * half, whose owner it keeps from answering. */
FILCH_LOOP(dear_then_meeting, (size_t, i), (atomic_int *, here))
{
    if (i < 2) {
        struct timespec until = {.tv_nsec = 2000000};
        while (nanosleep(&until, &until) != 0) {
        }
    } else if (i == 2) {
        atomic_fetch_add(here, 1);
        await(here, 3);
    } else if (i < 8) {
        atomic_fetch_add(here, 1);
    }
}

START_TEST(what_is_dear_lies_ready_before_anybody_asks)
{
    filch_options ones = {.chunksize = FILCH_CHUNK(1)};
    filch_pool *pool = pool_opened(1);
    for (int chunked = 0; chunked < 2; chunked++) {
        atomic_int here = 0;
        filch_future *busy;
        ck_assert_int_eq(wait_for_two_apply_async(pool, &here, &busy), FILCH_OK);
        await(&here, 1); /* one worker has it, and we are the other: none is idle */
        ck_assert_int_eq(dear_then_meeting_for(filch_on(pool, chunked ? &ones : NULL), 16, &here),
                         FILCH_OK);
        ck_assert_int_eq(here, 7);
        ck_assert_int_eq(filch_future_wait(busy), FILCH_OK);
        filch_future_free(busy);
    }
    pool_closed(pool);
}
END_TEST

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) /* nothing is short there */
static long wakes_of_short_calls(filch_pool *pool)
{
    atomic_int here = 0;
    long before = 0;
    for (int i = 0; i < 30; i++) {
        before = i == 10 ? wakes_so_far() : before;
        ck_assert_int_eq(short_or_meeting_for(pool, 8, &here, false), FILCH_OK);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    return wakes_so_far() - before;
}

/* Of 20 calls; one that is interrupted seems long, and on a busy machine many are. */
START_TEST(a_call_that_is_known_to_be_short_wakes_no_thread)
{
    filch_pool *pool = pool_opened(1);
    long fewest = wakes_of_short_calls(pool);
    for (int more = 0; more < 4 && fewest > 5; more++) {
        long wakes = wakes_of_short_calls(pool);
        fewest = wakes < fewest ? wakes : fewest;
    }
    ck_assert_int_le(fewest, 5);
    pool_closed(pool);
}
END_TEST
#endif

START_TEST(named_workers_and_chunks_bring_several_workers)
{
    filch_pool *pool = pool_opened(1);
    filch_options one = {.chunksize = FILCH_CHUNK(1)};
    atomic_int here = 0;
    ck_assert_int_eq(meet_spinning_for(filch_on(pool, &one), 2, &here, 2), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- asynchronous ---- */

START_TEST(two_maps_run_at_once)
{
    enum { N = 50 };
    filch_pool *pool = pool_opened(_i);
    atomic_int here = 0;
    filch_future *first;
    filch_future *second;
    ck_assert_int_eq(meet_for_async(pool, N, &here, 2 * N, &first), FILCH_OK);
    ck_assert_int_eq(meet_for_async(pool, N, &here, 2 * N, &second), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(first), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(second), FILCH_OK);
    ck_assert_int_eq(here, 2 * N);
    filch_future_free(first);
    filch_future_free(second);
    pool_closed(pool);
}
END_TEST

START_TEST(an_asynchronous_map_copies_its_environment)
{
    filch_pool *pool = pool_opened(_i);
    static int in[1000];
    static long out[1000];
    filch_future *future;
    for (int i = 0; i < 1000; i++) {
        in[i] = i;
    }
    ck_assert_int_eq(square_map_async(pool, in, 1000, out, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_get(future, NULL, 0), FILCH_OK);
    ck_assert_int_eq(out[999], 999 * 999);
    filch_future_free(future);
    ck_assert_int_eq(square_map_async(pool, in, 0, out, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_get(future, NULL, 0), FILCH_OK);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* ---- errors ---- */

FILCH_FUNCTION(int, only_even, (int, x))
{
    filch_yield();
    if (x % 2) {
        return filch_raise(100 + x, "%d is odd", x), -x;
    }
    return x;
}

START_TEST(the_error_of_the_lowest_index_is_reported_and_all_elements_run)
{
    enum { N = 200 };
    int in[N];
    int out[N];
    filch_error error;
    filch_pool *pool = pool_opened(_i);
    for (int chunked = 0; chunked < 2; chunked++) {
        filch_options options = {.error = &error};
        if (chunked) {
            options.chunksize = FILCH_CHUNK(7);
        }
        for (int i = 0; i < N; i++) {
            in[i] = i < 31 ? 0 : i;
        }
        ck_assert_int_eq(only_even_map(filch_on(pool, &options), in, N, out), FILCH_ERAISED);
        ck_assert_uint_eq(error.index, 31);
        ck_assert_int_eq(error.code, 131);
        ck_assert_str_eq(error.message, "31 is odd");
        ck_assert_str_eq(error.function, "only_even");
        for (int i = 31; i < N; i++) {
            ck_assert_int_eq(out[i], i % 2 ? -i : i);
        }
    }
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(int, raise_in_child, (int, x))
{
    return x ? (filch_raise(x, "child"), 0) : 1;
}

FILCH_FORK_FUNCTION(int, forks_a_failure, (int, x))
{
    FILCH_FORK(child, raise_in_child, x);
    filch_yield();
    return FILCH_JOIN(child);
}

FILCH_FUNCTION(int, fails_in_a_fork, (int, x))
{
    return forks_a_failure(x);
}

START_TEST(an_error_in_a_stolen_fork_has_the_index_of_its_element)
{
    int in[50] = {[33] = 5, [40] = 6};
    int out[50];
    filch_error error;
    filch_options options = {.error = &error};
    filch_pool *pool = pool_opened(_i);
    ck_assert_int_eq(fails_in_a_fork_map(filch_on(pool, &options), in, 50, out), FILCH_ERAISED);
    ck_assert_uint_eq(error.index, 33);
    ck_assert_int_eq(error.code, 5);
    pool_closed(pool);
}
END_TEST

/* ---- reductions ---- */

START_TEST(reduce_adds_up)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 0; n < 20000; n = n * 3 + 1) {
        long *values = calloc(n + 1, sizeof *values);
        long total = 0;
        for (size_t i = 0; i < n; i++) {
            values[i] = (long)i;
        }
        ck_assert_int_eq(add_reduce(pool, values, n, 1000, &total), FILCH_OK);
        ck_assert_int_eq(total, 1000 + (n ? (long)(n * (n - 1) / 2) : 0));
        free(values);
    }
    pool_closed(pool);
}
END_TEST

FILCH_REDUCER(double, add_double, (double, a), (double, b))
{
    return a + b;
}

START_TEST(reduce_gives_the_same_bits_on_any_number_of_workers)
{
    enum { N = 100000 };
    double *values = calloc(N, sizeof *values);
    uint64_t first = 0;
    for (int i = 0; i < N; i++) {
        values[i] = 1.0 / (1 + i * 0.37);
    }
    for (int sweep = 0; sweep < WORKER_SWEEP; sweep++) {
        filch_pool *pool = pool_opened(sweep);
        for (int round = 0; round < 10; round++) {
            double total = 0;
            uint64_t bits;
            ck_assert_int_eq(add_double_reduce(pool, values, N, 0, &total), FILCH_OK);
            memcpy(&bits, &total, sizeof bits);
            first = first ? first : bits;
            ck_assert_uint_eq(bits, first);
        }
        pool_closed(pool);
    }
    free(values);
}
END_TEST

typedef struct matrix {
    long a, b, c, d;
} matrix;

FILCH_REDUCER(matrix, multiply, (matrix, x), (matrix, y))
{
    matrix m = {x.a * y.a + x.b * y.c, x.a * y.b + x.b * y.d, x.c * y.a + x.d * y.c,
                x.c * y.b + x.d * y.d};
    return m;
}

START_TEST(reduce_needs_no_commutativity)
{
    filch_pool *pool = pool_opened(_i);
    matrix factors[60];
    matrix expected = {1, 0, 0, 1};
    matrix product;
    for (int i = 0; i < 60; i++) {
        factors[i] = i % 3 ? (matrix){1, 1, 0, 1} : (matrix){1, 0, 1, 1};
        expected = multiply(expected, factors[i]);
    }
    ck_assert_int_eq(multiply_reduce(pool, factors, 60, (matrix){1, 0, 0, 1}, &product), FILCH_OK);
    ck_assert(memcmp(&product, &expected, sizeof product) == 0);
    pool_closed(pool);
}
END_TEST

/* ---- lazily ---- */

static int computed;

FILCH_FUNCTION(int, counts, (int, x))
{
    computed++;
    return x + 1;
}

START_TEST(a_lazy_map_computes_nothing_until_asked)
{
    const int in[3] = {1, 2, 3};
    int value = 0;
    counts_lazy_map lazy = counts_lazy(in, 3);
    ck_assert_int_eq(computed, 0);
    ck_assert(counts_next(&lazy, &value));
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(computed, 1);
    ck_assert(counts_next(&lazy, &value));
    ck_assert(counts_next(&lazy, &value));
    ck_assert(!counts_next(&lazy, &value));
    ck_assert_int_eq(computed, 3);
}
END_TEST

static void plain_body(size_t i, void *environment)
{
    atomic_fetch_add((atomic_long *)environment, (long)i);
}

START_TEST(the_untyped_loop_passes_its_environment)
{
    filch_pool *pool = pool_opened(_i);
    atomic_long sum = 0;
    ck_assert_int_eq(filch_parallel_for(pool, 1000, plain_body, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 499500);
    pool_closed(pool);
}
END_TEST

/* Two elements that are dear, among many that are not: each is over when the other has begun. */
struct pair {
    size_t at[2];
    atomic_bool begun[2];
    atomic_int met; /* so many of them have seen the other begin */
    atomic_size_t ran;
};

FILCH_LOOP(meets, (size_t, i), (struct pair *, pair))
{
    for (int k = 0; k < 2; k++) {
        if (i == pair->at[k]) {
            double patience = filch_now() + 30; /* a failure, but no test that hangs */
            atomic_store(&pair->begun[k], true);
            while (!atomic_load(&pair->begun[!k]) && filch_now() < patience) {
            }
            atomic_fetch_add(&pair->met, atomic_load(&pair->begun[!k]));
        }
    }
    atomic_fetch_add_explicit(&pair->ran, 1, memory_order_relaxed);
}

static void let_them_meet(filch_pool *pool, size_t n, size_t a, size_t b)
{
    struct pair pair = {.at = {a, b}};
    ck_assert_int_eq(meets_for(pool, n, &pair), FILCH_OK);
    ck_assert_msg(pair.met == 2, "elements %zu and %zu ran one after the other", a, b);
    ck_assert_uint_eq(pair.ran, n);
}

START_TEST(while_an_element_is_dear_others_run_what_comes_after_its_block)
{
    filch_pool *pool = pool_opened(2);
    for (size_t i = 0; i < 20; i++) {
        let_them_meet(pool, 1000000, 100000 + i, 165536 + i);
        let_them_meet(pool, 1000000, 600000 + i, 700000 + i);
    }
    pool_closed(pool);
}
END_TEST

/* The first element of a loop that is known to be short: all but its first block is open. */
START_TEST(a_call_that_was_always_short_is_not_serial_when_its_elements_are_dear)
{
    filch_pool *pool = pool_opened(2);
    const size_t never = SIZE_MAX;
    for (size_t n = 200; n <= 2000; n *= 10) {
        for (int i = 0; i < 100; i++) {
            struct pair pair = {.at = {never, never}};
            ck_assert_int_eq(meets_for(pool, n, &pair), FILCH_OK);
        }
        let_them_meet(pool, n, 0, n / 2 - 1);
        let_them_meet(pool, n, 0, n - 1);
    }
    pool_closed(pool);
}
END_TEST

/* An element that waits while what follows it is open: it is given away, once. */
FILCH_LOOP(sleeps_now_and_then, (size_t, i), (atomic_uchar *, ran))
{
    atomic_fetch_add(&ran[i], 1);
    if (i % 5000 == 17) {
        filch_sleep(1e-4);
    }
}

FILCH_LOOP(has_rows, (size_t, i), (filch_pool *, pool), (atomic_uchar *, ran))
{
    check_int_eq(sleeps_now_and_then_for(pool, 20000, ran + 20000 * i), FILCH_OK);
}

START_TEST(elements_run_once_while_ranges_are_cut)
{
    filch_pool *pool = pool_opened(_i);
    atomic_uchar *ran = calloc(200000, sizeof *ran);
    for (int times = 1; times <= 10; times++) {
        ck_assert_int_eq(times % 2 ? has_rows_for(pool, 10, pool, ran)
                                   : sleeps_now_and_then_for(pool, 200000, ran),
                         FILCH_OK);
        for (size_t i = 0; i < 200000; i++) {
            check_int_eq(ran[i], times);
        }
    }
    free(ran);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tcase = tcase_create("loop");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, map_keeps_the_order_of_its_input, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, input_and_output_may_be_the_same_array, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, starmap_zips_arrays_of_any_types, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, each_element_runs_exactly_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, explicit_chunks_cover_every_element_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_explicit_chunk_runs_in_order_as_one_piece, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, sleeping_elements_hold_no_worker, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, loops_nest, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_may_fork, 0, WORKER_SWEEP);
    tcase_add_test(tcase, idle_workers_take_part);
    tcase_add_loop_test(tcase, a_loop_that_was_short_is_shared_when_it_is_long, 0,
                        WORKER_SWEEP - 1);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, a_call_that_is_known_to_be_short_wakes_no_thread);
#endif
    tcase_add_test(tcase, what_is_dear_lies_ready_before_anybody_asks);
    tcase_add_test(tcase, a_half_that_nobody_came_for_is_run_like_any_loop);
    tcase_add_test(tcase, while_an_element_is_dear_others_run_what_comes_after_its_block);
    tcase_add_test(tcase, a_call_that_was_always_short_is_not_serial_when_its_elements_are_dear);
    tcase_add_loop_test(tcase, elements_run_once_while_ranges_are_cut, 0, WORKER_SWEEP);
    tcase_add_test(tcase, named_workers_and_chunks_bring_several_workers);
    tcase_add_loop_test(tcase, two_maps_run_at_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_asynchronous_map_copies_its_environment, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_error_of_the_lowest_index_is_reported_and_all_elements_run, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_in_a_stolen_fork_has_the_index_of_its_element, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, reduce_adds_up, 0, WORKER_SWEEP);
    tcase_add_test(tcase, reduce_gives_the_same_bits_on_any_number_of_workers);
    tcase_add_loop_test(tcase, reduce_needs_no_commutativity, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_lazy_map_computes_nothing_until_asked);
    tcase_add_loop_test(tcase, the_untyped_loop_passes_its_environment, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
