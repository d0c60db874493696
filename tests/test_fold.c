/* Folds: what becomes of elements, and what becomes of states. Map-reduce: one pass, the same bits
 * as two. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

enum { N = 20000 };

static const filch_fold_order orders[2] = {FILCH_FOLD_FIXED, FILCH_FOLD_FAST};

/* ---- what comes out ---- */

static double *doubles(void)
{
    double *xs = malloc(N * sizeof *xs);
    for (int i = 0; i < N; i++) {
        xs[i] = 1.0 / (i + 1);
    }
    return xs;
}

FILCH_FOLD(double, sum_up, (double, x), (double, factor))
{
    *into += x * factor;
}

static void add_sums(double *into, double *from, void *context)
{
    (void)context;
    *into += *from;
}

START_TEST(the_fixed_order_gives_the_same_bits_on_any_number_of_workers)
{
    double *xs = doubles();
    double first = 0;
    for (int sweep = 0; sweep < WORKER_SWEEP; sweep++) {
        filch_pool *pool = pool_opened(sweep);
        for (int round = 0; round < 20; round++) {
            double sum = 0;
            ck_assert_int_eq(
                sum_up_fold(pool, xs, N, 3, &(sum_up_accumulator){.merge = add_sums}, &sum),
                FILCH_OK);
            first = sweep || round ? first : sum;
            ck_assert_mem_eq(&sum, &first, sizeof sum);
        }
        pool_closed(pool);
    }
    ck_assert(first > 30 && first < 32);
    free(xs);
}
END_TEST

/* Neighbours that were brought together. */
struct run {
    size_t first;
    size_t count;
};

static atomic_int torn;

FILCH_FOLD_LOOP(struct run, follow, (size_t, i))
{
    if (into->count == 0) {
        into->first = i;
    }
    atomic_fetch_add(&torn, into->first + into->count != i);
    into->count++;
}

static void append(struct run *into, struct run *from, void *context)
{
    (void)context;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    atomic_fetch_add(&torn, into->first + into->count != from->first);
    into->count += from->count;
}

START_TEST(in_the_fixed_order_merge_need_not_commute)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 1; n < 3000; n += 1 + n / 7) {
        struct run all = {0, 0};
        ck_assert_int_eq(follow_fold(pool, n, &(follow_accumulator){.merge = append}, &all),
                         FILCH_OK);
        check_int_eq((intmax_t)all.first, 0);
        check_int_eq((intmax_t)all.count, (intmax_t)n);
        check_int_eq(torn, 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(with_a_chunk_size_each_chunk_is_a_block)
{
    filch_pool *pool = pool_opened(_i);
    for (int chunk = 1; chunk < 40; chunk += 6) {
        filch_options options = {.chunksize = FILCH_CHUNK(chunk)};
        struct run all = {0, 0};
        ck_assert_int_eq(follow_fold(filch_on(pool, &options), 100,
                                     &(follow_accumulator){.merge = append}, &all),
                         FILCH_OK);
        ck_assert_uint_eq(all.count, 100);
        ck_assert_int_eq(torn, 0);
    }
    pool_closed(pool);
}
END_TEST

struct bins {
    size_t count[256];
};

FILCH_FOLD(struct bins, count_byte, "Counts a byte.", (unsigned char, c))
{
    into->count[c]++;
}

static void add_bins(struct bins *into, struct bins *from, void *context)
{
    (void)context;
    for (int i = 0; i < 256; i++) {
        into->count[i] += from->count[i];
    }
}

START_TEST(either_order_takes_in_each_element_once_and_adds_to_what_is_there)
{
    filch_pool *pool = pool_opened(_i);
    unsigned char *text = malloc(N);
    for (int i = 0; i < N; i++) {
        text[i] = (unsigned char)(i % 100);
    }
    for (int order = 0; order < 2; order++) {
        const count_byte_accumulator how = {.merge = add_bins, .order = orders[order]};
        struct bins all = {{0}};
        all.count[255] = 7;
        ck_assert_int_eq(count_byte_fold(pool, text, N, &how, &all), FILCH_OK);
        ck_assert_int_eq(count_byte_fold(pool, text, N, &how, &all), FILCH_OK);
        for (int i = 0; i < 100; i++) {
            ck_assert_uint_eq(all.count[i], 2 * N / 100);
        }
        ck_assert_uint_eq(all.count[100], 0);
        ck_assert_uint_eq(all.count[255], 7);
    }
    free(text);
    pool_closed(pool);
}
END_TEST

/* ---- what becomes of states ---- */

enum { FRESH = 0, STARTED = 77, MERGED = 78 };

/* Counts what is done with states, and what was wrong about it. */
struct lives {
    atomic_int started;
    atomic_int merged;
    atomic_int finished;
    atomic_int wrong;
    atomic_int starts_left; /* then they fail */
};

struct tracked {
    alignas(64) int stage;
    atomic_int users;
    long sum;
    char filler[3000];
};

static filch_status start_tracked(struct tracked *state, void *context)
{
    struct lives *lives = context;
    bool zero = state->stage == FRESH && state->sum == 0 && state->filler[2999] == 0;
    atomic_fetch_add(&lives->wrong, !zero || (uintptr_t)state % 64 != 0);
    if (atomic_fetch_sub(&lives->starts_left, 1) <= 0) {
        return FILCH_ENOMEM;
    }
    atomic_fetch_add(&lives->started, 1);
    state->stage = STARTED;
    return FILCH_OK;
}

static void merge_tracked(struct tracked *into, struct tracked *from, void *context)
{
    struct lives *lives = context;
    atomic_fetch_add(&lives->wrong, into->stage != STARTED || from->stage != STARTED);
    atomic_fetch_add(&lives->merged, 1);
    into->sum += from->sum;
    from->stage = MERGED;
}

static void finish_tracked(struct tracked *state, void *context)
{
    struct lives *lives = context;
    atomic_fetch_add(&lives->wrong, state->stage != STARTED && state->stage != MERGED);
    atomic_fetch_add(&lives->finished, 1);
    state->stage = -1;
    state->filler[2999] = 1;
}

/* What an element does beside adding its number. */
struct doing {
    struct lives lives;
    size_t raises_at; /* and at each multiple */
    atomic_int waiting;
    int wait_for; /* so many elements wait for each other, and so do the next; 0: none */
    filch_semaphore *all_wait;
    filch_group *cancels;
};

FILCH_FOLD_LOOP(struct tracked, track, (size_t, i), (struct doing *, doing))
{
    atomic_fetch_add(&doing->lives.wrong,
                     into->stage != STARTED || atomic_fetch_add(&into->users, 1) != 0);
    if (doing->wait_for) {
        if ((atomic_fetch_add(&doing->waiting, 1) + 1) % doing->wait_for == 0) {
            filch_semaphore_release(doing->all_wait, (unsigned)doing->wait_for);
        }
        any_status(filch_semaphore_acquire(doing->all_wait));
    }
    into->sum += (long)i;
    atomic_fetch_sub(&into->users, 1);
    if (doing->raises_at && i % doing->raises_at == doing->raises_at - 1) {
        filch_raise((int)i, "%zu", i);
    }
    if (doing->cancels && i == 5) {
        filch_group_cancel(doing->cancels);
    }
}

static filch_status track_all(filch_pool *pool, size_t n, struct doing *doing,
                              filch_fold_order order, struct tracked *all, filch_options *options)
{
    const track_accumulator how = {.start = start_tracked,
                                   .merge = merge_tracked,
                                   .finish = finish_tracked,
                                   .context = &doing->lives,
                                   .order = order};
    return track_fold(filch_on(pool, options), n, doing, &how, all);
}

static long sum_to(size_t n)
{
    return (long)(n * (n - 1) / 2);
}

static const struct doing nothing = {.lives = {.starts_left = 1000000}};

static void check_lives(const struct doing *doing, int merged)
{
    ck_assert_int_eq(doing->lives.wrong, 0);
    ck_assert_int_eq(doing->lives.finished, doing->lives.started);
    ck_assert_int_eq(doing->lives.merged, merged);
}

START_TEST(each_state_is_started_merged_and_finished_once)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        for (size_t n = 1; n < 5000; n += 1 + n / 3) {
            struct doing doing = nothing;
            struct tracked all = {.stage = STARTED};
            ck_assert_int_eq(track_all(pool, n, &doing, orders[order], &all, NULL), FILCH_OK);
            ck_assert_int_eq(all.sum, sum_to(n));
            ck_assert_int_eq(all.stage, STARTED);
            check_lives(&doing, doing.lives.started);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_fast_order_has_a_state_for_each_participant)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 50; round++) {
        struct doing doing = nothing;
        struct tracked all = {.stage = STARTED};
        ck_assert_int_eq(track_all(pool, N, &doing, FILCH_FOLD_FAST, &all, NULL), FILCH_OK);
        ck_assert_int_eq(all.sum, sum_to(N));
        ck_assert_int_ge(doing.lives.started, 1);
        ck_assert_int_le(doing.lives.started, (int)workers_of(_i));
    }
    pool_closed(pool);
}
END_TEST

START_TEST(elements_that_wait_for_each_other_have_states_of_their_own)
{
    filch_pool *pool = pool_opened(_i);
    filch_options options = {.chunksize = FILCH_CHUNK(1)};
    enum { WAITING = 50 };
    for (int order = 0; order < 2; order++) {
        for (int chunked = !order; chunked < 2; chunked++) {
            filch_semaphore semaphore;
            filch_semaphore_init(&semaphore, 0);
            struct doing doing = nothing;
            struct tracked all = {.stage = STARTED};
            doing.wait_for = WAITING;
            doing.all_wait = &semaphore;
            ck_assert_int_eq(
                track_all(pool, WAITING, &doing, orders[order], &all, chunked ? &options : NULL),
                FILCH_OK);
            ck_assert_int_eq(all.sum, sum_to(WAITING));
            ck_assert_int_eq(doing.lives.started, WAITING);
            check_lives(&doing, WAITING);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(states_of_elements_that_waited_are_used_again)
{
    filch_pool *pool = pool_opened(_i);
    struct tracked all = {.stage = STARTED};
    struct doing doing = nothing;
    filch_semaphore semaphore;
    filch_semaphore_init(&semaphore, 0);
    doing.wait_for = 20;
    doing.all_wait = &semaphore;
    ck_assert_int_eq(track_all(pool, 2000, &doing, FILCH_FOLD_FAST, &all, NULL), FILCH_OK);
    ck_assert_int_eq(all.sum, sum_to(2000));
    ck_assert_int_lt(doing.lives.started, 500);
    check_lives(&doing, doing.lives.started);
    pool_closed(pool);
}
END_TEST

/* ---- errors ---- */

START_TEST(what_raised_is_merged_too_and_the_lowest_index_is_told)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        struct doing doing = nothing;
        struct tracked all = {.stage = STARTED};
        filch_error error;
        filch_item *items = malloc(N * sizeof *items);
        filch_options options = {.error = &error, .items = items};
        doing.raises_at = 4711;
        ck_assert_int_eq(track_all(pool, N, &doing, orders[order], &all, &options), FILCH_ERAISED);
        ck_assert_uint_eq(error.index, 4710);
        ck_assert_int_eq(error.code, 4710);
        ck_assert_str_eq(error.function, "track");
        for (int i = 0; i < N; i++) {
            check_int_eq(items[i].status, i % 4711 == 4710 ? FILCH_ERAISED : FILCH_OK);
        }
        ck_assert_int_eq(all.sum, sum_to(N));
        check_lives(&doing, doing.lives.started);
        free(items);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FOLD_LOOP(struct run, follow_until, (size_t, i), (size_t, last))
{
    into->first = into->count ? into->first : i;
    into->count++;
    if (i == last) {
        filch_raise(EDOM, "enough");
    }
}

static void append_later(struct run *into, struct run *from, void *context)
{
    (void)context;
    if (into->count == 0) {
        *into = *from;
        return;
    }
    atomic_fetch_add(&torn, into->first + into->count > from->first);
    into->count += from->count;
}

START_TEST(after_fail_fast_what_ran_is_merged_in_order)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t last = 10; last < N; last += N / 9) {
        filch_item *items = malloc(N * sizeof *items);
        filch_options options = {.items = items, .policy = FILCH_FAIL_FAST};
        const follow_until_accumulator how = {.merge = append_later};
        struct run all = {0, 0};
        ck_assert_int_eq(follow_until_fold(filch_on(pool, &options), N, last, &how, &all),
                         FILCH_ERAISED);
        size_t ran = 0;
        for (int i = 0; i < N; i++) {
            ran += items[i].status != FILCH_ECANCELED;
        }
        ck_assert_uint_eq(all.count, ran);
        ck_assert_int_eq(torn, 0);
        free(items);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_start_that_fails_ends_the_call_and_nothing_is_merged_into_the_result)
{
    filch_pool *pool = pool_opened(_i);
    filch_options chunked = {.chunksize = FILCH_CHUNK(3)};
    for (int order = 0; order < 2; order++) {
        for (int starts = 0; starts < 3; starts++) {
            filch_error error = {.status = FILCH_OK};
            filch_options options = chunked;
            struct doing doing = nothing;
            struct tracked all = {.stage = STARTED};
            doing.lives.starts_left = starts;
            options.error = &error;
            filch_status status = track_all(pool, N, &doing, orders[order], &all,
                                            order ? &(filch_options){.error = &error} : &options);
            if (orders[order] == FILCH_FOLD_FIXED || starts == 0) {
                ck_assert_int_eq(status, FILCH_ENOMEM);
            }
            ck_assert_int_eq(error.status, status);
            ck_assert_int_eq(all.sum, status == FILCH_OK ? sum_to(N) : 0);
            ck_assert_int_eq(doing.lives.wrong, 0);
            ck_assert_int_le(doing.lives.started, starts);
            ck_assert_int_eq(doing.lives.finished, doing.lives.started);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(elements_of_a_start_that_failed_are_told_as_not_run)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        filch_item items[100];
        filch_options options = {.items = items};
        struct doing doing = nothing;
        struct tracked all = {.stage = STARTED};
        doing.lives.starts_left = 0;
        ck_assert_int_eq(track_all(pool, 100, &doing, orders[order], &all, &options), FILCH_ENOMEM);
        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(items[i].status, FILCH_ECANCELED);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(when_cancelled_all_states_are_finished_and_the_result_is_untouched)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        filch_status status;
        filch_status within = FILCH_OK;
        struct doing doing = nothing;
        struct tracked all = {.stage = STARTED};
        FILCH_WITH_GROUP(group, pool, NULL, &status) {
            doing.cancels = group;
            doing.raises_at = 1; /* what is raised does not change that */
            within = track_all(pool, N, &doing, orders[order], &all, NULL);
        }
        any_status(status);
        ck_assert_int_eq(within, FILCH_ECANCELED);
        ck_assert_int_eq(all.sum, 0);
        ck_assert_int_eq(doing.lives.wrong, 0);
        ck_assert_int_eq(doing.lives.finished, doing.lives.started);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FOLD_LOOP(long, counted, (size_t, i))
{
    *into += i < N;
}

static void merge_and_raise(long *into, long *from, void *context)
{
    (void)context;
    *into += *from;
    filch_raise(EPERM, "merged");
}

START_TEST(what_a_merge_raises_is_told)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        filch_error error;
        filch_options options = {.error = &error};
        const counted_accumulator how = {.merge = merge_and_raise, .order = orders[order]};
        long all = 0;
        ck_assert_int_eq(counted_fold(filch_on(pool, &options), N, &how, &all), FILCH_ERAISED);
        ck_assert_int_eq(error.code, EPERM);
        ck_assert_int_eq(all, N);
        ck_assert_int_eq(counted_fold(filch_on(pool, &options), 1, &how, &all), FILCH_ERAISED);
        ck_assert_uint_eq(error.index, FILCH_NO_INDEX);
    }
    pool_closed(pool);
}
END_TEST

static void add_longs(long *into, long *from, void *context)
{
    (void)context;
    *into += *from;
}

START_TEST(bad_input_is_refused)
{
    filch_pool *pool = pool_opened(_i);
    const counted_accumulator how = {.merge = add_longs};
    const sum_up_accumulator sums = {.merge = add_sums};
    const filch_accumulator untyped = {.order = FILCH_FOLD_FAST};
    filch_options python = {.chunksize = FILCH_CHUNK_PYTHON};
    filch_options no_chunk = {.chunksize = FILCH_CHUNK(0)};
    counted_accumulator bad = how;
    filch_fold_step step = filch_of_step_counted;
    double sum = 5;
    long all = 5;
    ck_assert_int_eq(counted_fold(pool, 10, NULL, &all), FILCH_EINVAL);
    ck_assert_int_eq(counted_fold(pool, 10, &how, NULL), FILCH_EINVAL);
    ck_assert_int_eq(counted_fold(pool, 10, &(counted_accumulator){.order = FILCH_FOLD_FAST}, &all),
                     FILCH_EINVAL);
    bad.order = (filch_fold_order)2;
    ck_assert_int_eq(counted_fold(pool, 10, &bad, &all), FILCH_EINVAL);
    ck_assert_int_eq(counted_fold(filch_on(pool, &python), 10, &how, &all), FILCH_EINVAL);
    ck_assert_int_eq(counted_fold(filch_on(pool, &no_chunk), 10, &how, &all), FILCH_EINVAL);
    ck_assert_int_eq(sum_up_fold(pool, NULL, 10, 1, &sums, &sum), FILCH_EINVAL);
    ck_assert_int_eq(sum_up_fold(pool, &sum, SIZE_MAX / 4, 1, &sums, &sum), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_fold(pool, NULL, NULL, NULL, 1, &untyped, NULL), FILCH_EINVAL);
    step.state_bytes = 0;
    ck_assert_int_eq(filch_fold(pool, &step, NULL, NULL, 1, &untyped, NULL), FILCH_EINVAL);
    step.state_bytes = SIZE_MAX - 100;
    ck_assert_int_eq(filch_fold(pool, &step, NULL, NULL, 1, &untyped, NULL), FILCH_ENOMEM);
    step.block = NULL;
    ck_assert_int_eq(filch_fold(pool, &step, NULL, NULL, 1, &untyped, NULL), FILCH_EINVAL);
    ck_assert_int_eq(all, 5);
    ck_assert(sum == 5);
    pool_closed(pool);
}
END_TEST

START_TEST(of_no_elements_nothing_is_started_and_a_closed_pool_says_so)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        struct doing doing = nothing;
        struct tracked all = {.stage = STARTED};
        ck_assert_int_eq(track_all(pool, 0, &doing, orders[order], &all, NULL), FILCH_OK);
        ck_assert_int_eq(doing.lives.started, 0);
        ck_assert_int_eq(all.sum, 0);
    }
    struct doing doing = nothing;
    struct tracked all = {.stage = STARTED};
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(track_all(pool, 0, &doing, FILCH_FOLD_FIXED, &all, NULL), FILCH_ECLOSED);
    ck_assert_int_eq(track_all(pool, 9, &doing, FILCH_FOLD_FIXED, &all, NULL), FILCH_ECLOSED);
    ck_assert_int_eq(doing.lives.started, 0);
    pool_closed(pool);
}
END_TEST

/* ---- uses ---- */

struct scratch {
    char text[40];
};

static filch_status begin_text(struct scratch *scratch, void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
    strcpy(scratch->text, "number ");
    return FILCH_OK;
}

FILCH_FOLD_LOOP(struct scratch, write_digit, (size_t, i), (char *, digits))
{
    into->text[7] = (char)('0' + i % 10);
    into->text[8] = '\0';
    digits[i] = strcmp(into->text, "number 3") == 0 ? '!' : into->text[7];
}

START_TEST(without_merge_states_are_scratch_memory)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int begun = 0;
    char *digits = calloc(N, 1);
    const write_digit_accumulator how = {
        .start = begin_text, .context = &begun, .order = FILCH_FOLD_FAST};
    ck_assert_int_eq(write_digit_fold(pool, N, digits, &how, NULL), FILCH_OK);
    for (int i = 0; i < N; i++) {
        check_int_eq(digits[i], i % 10 == 3 ? '!' : '0' + i % 10);
    }
    ck_assert_int_ge(begun, 1);
    ck_assert_int_le(begun, (int)workers_of(_i));
    free(digits);
    pool_closed(pool);
}
END_TEST

FILCH_FOLD_LOOP(long, counted_inside, (size_t, i), (filch_pool *, pool), (size_t, n))
{
    const counted_accumulator how = {.merge = add_longs, .order = i % 2 ? FILCH_FOLD_FAST : 0};
    if (counted_fold(pool, n, &how, into) != FILCH_OK) {
        filch_raise(1, "inside");
    }
}

START_TEST(folds_nest)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        const counted_inside_accumulator how = {.merge = add_longs, .order = orders[order]};
        long all = 0;
        ck_assert_int_eq(counted_inside_fold(pool, 60, pool, 500, &how, &all), FILCH_OK);
        ck_assert_int_eq(all, 30000);
    }
    pool_closed(pool);
}
END_TEST

/* ---- without generated code ---- */

enum { LARGE = 1 << 20 };

static void count_large(const void *environment, const void *elements, filch_range *range,
                        void *into)
{
    const long *weights = elements;
    unsigned char *large = into;
    const long *factor = environment;
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + 1;
        *(long *)into += weights[i] * *factor;
        large[LARGE - 1] |= 1;
    }
}

static void merge_large(void *into, void *from, void *context)
{
    const unsigned char *large = from;
    (void)context;
    *(long *)into += *(long *)from;
    ((unsigned char *)into)[LARGE - 1] += large[LARGE - 1];
}

START_TEST(a_fold_needs_no_generated_code_and_states_may_be_large)
{
    static const filch_function_info info = {"count_large", "",  __FILE__, __LINE__, 0,
                                             {0},           {0}, NULL};
    static const filch_fold_step step = {count_large, LARGE, sizeof(long), &info};
    filch_pool *pool = pool_opened(_i);
    filch_options options = {.chunksize = FILCH_CHUNK(10)};
    long weights[100];
    long factor = 3;
    for (int i = 0; i < 100; i++) {
        weights[i] = i;
    }
    for (int order = 0; order < 2; order++) {
        const filch_accumulator how = {.merge = merge_large, .order = orders[order]};
        unsigned char *all = calloc(1, LARGE);
        ck_assert_int_eq(
            filch_fold(filch_on(pool, &options), &step, &factor, weights, 100, &how, all),
            FILCH_OK);
        ck_assert_int_eq(*(long *)(void *)all, 3 * 4950);
        if (orders[order] == FILCH_FOLD_FIXED) {
            ck_assert_int_eq(all[LARGE - 1], 10);
        }
        free(all);
    }
    pool_closed(pool);
}
END_TEST

struct heard {
    size_t done;
    size_t total;
};

static void hear(void *context, size_t done, size_t total)
{
    *(struct heard *)context = (struct heard){done, total};
}

START_TEST(progress_counts_elements)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        struct heard heard = {1, 1};
        filch_options options = {.progress = hear, .progress_context = &heard};
        const counted_accumulator how = {.merge = add_longs, .order = orders[order]};
        long all = 0;
        ck_assert_int_eq(counted_fold(filch_on(pool, &options), N, &how, &all), FILCH_OK);
        ck_assert_uint_eq(heard.done, N);
        ck_assert_uint_eq(heard.total, N);
    }
    pool_closed(pool);
}
END_TEST

/* A program's own thread that ends in an element. */
struct ending {
    filch_pool *pool;
    struct doing doing;
    filch_fold_order order;
    thrd_t itself;
};

FILCH_FOLD_LOOP(struct tracked, end_thread, (size_t, i), (thrd_t, itself))
{
    into->sum += (long)i;
    if (thrd_equal(thrd_current(), itself) && i > 3) {
        thrd_exit(5);
    }
}

static int fold_until_the_end(void *context)
{
    struct ending *ending = context;
    const end_thread_accumulator how = {.start = start_tracked,
                                        .merge = merge_tracked,
                                        .finish = finish_tracked,
                                        .context = &ending->doing.lives,
                                        .order = ending->order};
    struct tracked all = {.stage = STARTED};
    any_status(end_thread_fold(ending->pool, N, thrd_current(), &how, &all));
    return 0;
}

START_TEST(states_are_finished_when_a_thread_ends_in_an_element)
{
    filch_pool *pool = pool_opened(_i);
    for (int order = 0; order < 2; order++) {
        struct ending ending = {.pool = pool, .doing = nothing, .order = orders[order]};
        thrd_t thread;
        int ended_with = 0;
        ck_assert_int_eq(thrd_create(&thread, fold_until_the_end, &ending), thrd_success);
        ck_assert_int_eq(thrd_join(thread, &ended_with), thrd_success);
        ck_assert_int_eq(ending.doing.lives.wrong, 0);
        ck_assert_int_eq(ending.doing.lives.finished, ending.doing.lives.started);
    }
    pool_closed(pool);
}
END_TEST

/* ---- map-reduce ---- */

FILCH_FUNCTION(double, weighed, (double, x), (float, weight))
{
    return x * x * weight + 1;
}

FILCH_REDUCER(double, add, (double, a), (double, b))
{
    return a + b;
}

FILCH_MAP_REDUCE(double, sum_of_weighed, weighed, add, (double, x), (float, weight));

START_TEST(map_reduce_gives_the_bits_of_the_two_passes)
{
    double *xs = doubles();
    double *ys = malloc(N * sizeof *ys);
    float *weights = malloc(N * sizeof *weights);
    for (int i = 0; i < N; i++) {
        weights[i] = (float)(i % 10);
    }
    for (int sweep = 0; sweep < WORKER_SWEEP; sweep++) {
        filch_pool *pool = pool_opened(sweep);
        for (size_t n = 0; n <= N; n += 1 + n / 3) {
            double two = 0;
            double one = 0;
            ck_assert_int_eq(weighed_map(pool, xs, weights, n, ys), FILCH_OK);
            ck_assert_int_eq(add_reduce(pool, ys, n, 0.1, &two), FILCH_OK);
            ck_assert_int_eq(sum_of_weighed(pool, xs, weights, n, 0.1, &one), FILCH_OK);
            ck_assert_mem_eq(&one, &two, sizeof one);
        }
        pool_closed(pool);
    }
    free(xs);
    free(ys);
    free(weights);
}
END_TEST

typedef struct matrix {
    long at[4];
} matrix;

static inline matrix matrix_of(long x)
{
    return (matrix){{x, 1, 1, 0}};
}

FILCH_REDUCER(matrix, times, (matrix, a), (matrix, b))
{
    const long *p = a.at;
    const long *q = b.at;
    return (matrix){{(p[0] * q[0] + p[1] * q[2]) % 1009, (p[0] * q[1] + p[1] * q[3]) % 1009,
                     (p[2] * q[0] + p[3] * q[2]) % 1009, (p[2] * q[1] + p[3] * q[3]) % 1009}};
}

FILCH_MAP_REDUCE(matrix, product_of, matrix_of, times, (long, x));

START_TEST(map_reduce_takes_plain_functions_and_needs_no_commutativity)
{
    filch_pool *pool = pool_opened(_i);
    long xs[1000];
    matrix expected = {{1, 0, 0, 1}};
    matrix got;
    for (int i = 0; i < 1000; i++) {
        xs[i] = i;
        expected = times(expected, matrix_of(i));
    }
    ck_assert_int_eq(product_of(pool, xs, 1000, (matrix){{1, 0, 0, 1}}, &got), FILCH_OK);
    ck_assert_mem_eq(got.at, expected.at, sizeof got.at);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(long, odd_only, (long, x))
{
    if (x % 1000 == 998) {
        filch_raise((int)x, "%ld", x);
    }
    return 1;
}

FILCH_REDUCER(long, plus, (long, a), (long, b))
{
    return a + b;
}

FILCH_MAP_REDUCE(long, count_odd, odd_only, plus, (long, x));

START_TEST(map_reduce_takes_options_and_tells_errors)
{
    filch_pool *pool = pool_opened(_i);
    long xs[3000];
    long sum = -1;
    filch_error error;
    struct heard heard = {1, 1};
    filch_options options = {.error = &error, .progress = hear, .progress_context = &heard};
    filch_options chunked = {.chunksize = FILCH_CHUNK(7)};
    filch_options python = {.chunksize = FILCH_CHUNK_PYTHON};
    for (int i = 0; i < 3000; i++) {
        xs[i] = i;
    }
    ck_assert_int_eq(count_odd(filch_on(pool, &options), xs, 3000, 0, &sum), FILCH_ERAISED);
    ck_assert_uint_eq(error.index, 998);
    ck_assert_str_eq(error.function, "count_odd");
    ck_assert_uint_eq(heard.done, 3000);
    ck_assert_int_eq(sum, -1);
    ck_assert_int_eq(count_odd(filch_on(pool, &chunked), xs, 900, 5, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 905);
    ck_assert_int_eq(count_odd(filch_on(pool, &python), xs, 900, 5, &sum), FILCH_EINVAL);
    ck_assert_int_eq(count_odd(pool, NULL, 1, 5, &sum), FILCH_EINVAL);
    ck_assert_int_eq(count_odd(pool, xs, 1, 5, NULL), FILCH_EINVAL);
    ck_assert_int_eq(count_odd(pool, xs, SIZE_MAX / 4, 5, &sum), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_map_reduce(pool, NULL, NULL, 1, &sum, &sum), FILCH_EINVAL);
    ck_assert_int_eq(sum, 905);
    ck_assert_int_eq(count_odd(pool, NULL, 0, 5, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 5);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(count_odd(pool, NULL, 0, 7, &sum), FILCH_ECLOSED);
    ck_assert_int_eq(count_odd(pool, xs, 9, 7, &sum), FILCH_ECLOSED);
    ck_assert_int_eq(sum, 5);
    pool_closed(pool);
}
END_TEST

static atomic_int odd_sums;

FILCH_REDUCER(long, plus_ones, (long, a), (long, b))
{
    atomic_fetch_add(&odd_sums, a < 1 || a > N || b < 1 || b > N);
    return a + b;
}

FILCH_MAP_REDUCE(long, count_until, odd_only, plus_ones, (long, x));

START_TEST(after_fail_fast_no_sum_is_made_of_what_is_not_there)
{
    filch_pool *pool = pool_opened(_i);
    filch_options options = {.policy = FILCH_FAIL_FAST};
    long *xs = malloc(N * sizeof *xs);
    long sum = -1;
    for (int i = 0; i < N; i++) {
        xs[i] = i < 2000 ? 1 : 998;
    }
    ck_assert_int_eq(count_until(filch_on(pool, &options), xs, N, 1, &sum), FILCH_ERAISED);
    ck_assert_int_eq(sum, -1);
    ck_assert_int_eq(odd_sums, 0);
    free(xs);
    pool_closed(pool);
}
END_TEST

START_TEST(null_is_the_default_pool)
{
    const counted_accumulator how = {.merge = add_longs};
    long xs[] = {1, 2, 3};
    long all = 0;
    ck_assert_int_eq(counted_fold(NULL, 100, &how, &all), FILCH_OK);
    ck_assert_int_eq(all, 100);
    ck_assert_int_eq(count_odd(NULL, xs, 3, 5, &all), FILCH_OK);
    ck_assert_int_eq(all, 8);
}
END_TEST

/* ---- FILCH_CHECK ---- */

FILCH_REDUCER(double, add_half, (double, acc), (double, x))
{
    return acc + x / 2;
}

FILCH_REDUCER(float, add_floats, (float, a), (float, b))
{
    return a + b;
}

FILCH_REDUCER(int, minus, (int, a), (int, b))
{
    return a - b;
}

struct pair {
    long a;
    long b;
};

FILCH_REDUCER(struct pair, pair_minus, (struct pair, a), (struct pair, b))
{
    return (struct pair){a.a - b.a, b.b};
}

static char heard_text[1000];
static int heard_lines;

static void hear_log(void *context, filch_log_level level, const char *message)
{
    (void)context;
    (void)level;
    heard_lines++;
    snprintf(heard_text, sizeof heard_text, "%s", message);
}

/* What is not associative is reduced and scanned all the same. */
static void reduce_wrongly(filch_pool *pool)
{
    double xs[] = {0, 1, 2, 3};
    int is[] = {1, 2, 3, 4};
    double sum;
    int difference;
    ck_assert_int_eq(add_half_reduce(pool, xs, 4, 0, &sum), FILCH_OK);
    ck_assert_int_eq(minus_reduce(pool, is, 4, 0, &difference), FILCH_OK);
    ck_assert_int_eq(minus_scan(pool, is, 4, 0, is), FILCH_OK);
}

static void reduce_rightly(filch_pool *pool)
{
    double xs[] = {1e16, 1, -1e16, 3};
    float ys[] = {1e-3F, 1e7F, -1e7F};
    double none[] = {1, 1e308, 1e308};
    struct pair pairs[] = {{1, 2}, {3, 4}, {5, 6}};
    struct pair pair = {0, 0};
    double sum;
    float small_sum;
    ck_assert_int_eq(add_reduce(pool, xs, 4, 0, &sum), FILCH_OK);
    ck_assert_int_eq(add_reduce(pool, none, 3, 0, &sum), FILCH_OK);
    ck_assert_int_eq(add_floats_reduce(pool, ys, 3, 0, &small_sum), FILCH_OK);
    ck_assert_int_eq(add_half_reduce(pool, xs, 2, 0, &sum), FILCH_OK); /* of two one cannot say */
    ck_assert_int_eq(pair_minus_reduce(pool, pairs, 3, pair, &pair), FILCH_OK);
}

START_TEST(with_FILCH_CHECK_a_reducer_that_is_not_associative_is_told)
{
    ck_assert_int_eq(setenv("FILCH_CHECK", "1", 1), 0);
    filch_pool *pool = pool_opened(_i);
    filch_log_to(hear_log, NULL);
    reduce_rightly(pool);
    ck_assert_int_eq(heard_lines, 0);
    reduce_wrongly(pool);
    ck_assert_int_eq(heard_lines, 3);
    ck_assert_ptr_nonnull(strstr(heard_text, "minus ("));
    ck_assert_ptr_nonnull(strstr(heard_text, "(a + b) + c is -4, a + (b + c) is 2;"));
    ck_assert_ptr_nonnull(strstr(heard_text, "FILCH_MAP_REDUCE"));
    double xs[] = {0, 1, 2, 3};
    double sum;
    ck_assert_int_eq(add_half_reduce(pool, xs, 4, 0, &sum), FILCH_OK);
    ck_assert_ptr_nonnull(strstr(heard_text, "is 1.5, a + (b + c) is 1;"));
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(without_FILCH_CHECK_it_is_not)
{
    const char *const values[] = {NULL, "", "0"};
    filch_log_to(hear_log, NULL);
    for (int i = 0; i < 3; i++) {
        if (values[i]) {
            ck_assert_int_eq(setenv("FILCH_CHECK", values[i], 1), 0);
        }
        filch_pool *pool = pool_opened(1);
        reduce_wrongly(pool);
        pool_closed(pool);
    }
    ck_assert_int_eq(heard_lines, 0);
    filch_log_to(NULL, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fold");
    TCase *tcase = tcase_create("fold");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, the_fixed_order_gives_the_same_bits_on_any_number_of_workers);
    tcase_add_loop_test(tcase, in_the_fixed_order_merge_need_not_commute, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, with_a_chunk_size_each_chunk_is_a_block, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, either_order_takes_in_each_element_once_and_adds_to_what_is_there, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, each_state_is_started_merged_and_finished_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_fast_order_has_a_state_for_each_participant, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_that_wait_for_each_other_have_states_of_their_own, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, states_of_elements_that_waited_are_used_again, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_raised_is_merged_too_and_the_lowest_index_is_told, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, after_fail_fast_what_ran_is_merged_in_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase,
                        a_start_that_fails_ends_the_call_and_nothing_is_merged_into_the_result, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_of_a_start_that_failed_are_told_as_not_run, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, when_cancelled_all_states_are_finished_and_the_result_is_untouched,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_merge_raises_is_told, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, bad_input_is_refused, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, of_no_elements_nothing_is_started_and_a_closed_pool_says_so, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, without_merge_states_are_scratch_memory, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_fold_needs_no_generated_code_and_states_may_be_large, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, folds_nest, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, progress_counts_elements, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, states_are_finished_when_a_thread_ends_in_an_element, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, map_reduce_gives_the_bits_of_the_two_passes);
    tcase_add_loop_test(tcase, map_reduce_takes_plain_functions_and_needs_no_commutativity, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, map_reduce_takes_options_and_tells_errors, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, with_FILCH_CHECK_a_reducer_that_is_not_associative_is_told, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, without_FILCH_CHECK_it_is_not);
    tcase_add_loop_test(tcase, after_fail_fast_no_sum_is_made_of_what_is_not_there, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, null_is_the_default_pool);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
