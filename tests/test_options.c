/* How a call is to run: what stands where its pool stands. */
#define _GNU_SOURCE
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "gates.h"

enum { N = 1000 };

FILCH_FUNCTION(int, next_of, (int, x))
{
    return x + 1;
}

FILCH_FUNCTION(int, refuses, (int, x))
{
    return filch_raise(x, "%d", x), x;
}

FILCH_REDUCER(int, add, (int, a), (int, b))
{
    return a + b;
}

FILCH_REDUCER(int, add_refusing, (int, a), (int, b))
{
    return filch_raise(5, "five"), a + b;
}

FILCH_ORDER(by_size, (int, a), (int, b))
{
    return a < b;
}

FILCH_ORDER(by_refusing, (int, a), (int, b))
{
    return filch_raise(6, "six"), a < b;
}

FILCH_PREDICATE(is_even, (int, x))
{
    return x % 2 == 0;
}

FILCH_PREDICATE(is_refused, (int, x))
{
    return filch_raise(7, "seven"), x % 2 == 0;
}

static atomic_int ran;

/* As long as it is not asked to stop. */
FILCH_FUNCTION(int, spins, (int, x))
{
    atomic_fetch_add(&ran, 1);
    while (!filch_cancelled()) { /* without a wait, during which others would begin */
    }
    return x;
}

FILCH_REDUCER(int, add_spinning, (int, a), (int, b))
{
    atomic_fetch_add(&ran, 1);
    while (!filch_cancelled()) {
    }
    return a + b;
}

FILCH_FOLD(int, fold_spinning, (int, x))
{
    *into += spins(x);
}

static void add_state(int *into, int *from, void *context)
{
    (void)context;
    *into += *from;
}

static int xs[N];
static int out[N];

static void number(void)
{
    for (int i = 0; i < N; i++) {
        xs[i] = i;
    }
    atomic_store(&ran, 0);
}

/* ---- where ---- */

static filch_status source_of_three(void *context, void *item)
{
    int *next = context;
    *(int *)item = *next;
    return (*next)++ < 3 ? FILCH_OK : FILCH_END;
}

static void double_item(void *context, void *item)
{
    (void)context;
    *(int *)item *= 2;
}

START_TEST(they_stand_wherever_a_pool_stands)
{
    filch_pool *opened = pool_opened(_i);
    filch_error error;
    filch_pool *inner = FILCH_ON(FILCH_ON(opened, .until = filch_in(3600)), .error = NULL);
    filch_pool *pool = FILCH_ON(inner, .error = &error);
    char repr[100];
    char same[100];
    int sum;
    int next = 0;
    bool yes;
    size_t count;
    filch_future *future;
    filch_future *then;
    filch_future *after;
    filch_inbox *inbox;
    filch_iterator *iterator;
    filch_status status;
    number();
    ck_assert_uint_eq(filch_pool_workers(pool), filch_pool_workers(opened));
    ck_assert_uint_eq(filch_pool_stack_bytes(pool), filch_pool_stack_bytes(opened));
    filch_pool_repr(pool, repr, sizeof repr);
    filch_pool_repr(opened, same, sizeof same);
    ck_assert_str_eq(repr, same);
    ck_assert_int_eq(filch_pool_error(pool, &error), FILCH_OK);
    ck_assert_int_eq(next_of_apply(pool, 1, &sum), FILCH_OK);
    ck_assert_int_eq(next_of_map(pool, xs, N, out), FILCH_OK);
    ck_assert_int_eq(out[N - 1], N);
    ck_assert_int_eq(add_reduce(pool, xs, N, 0, &sum), FILCH_OK);
    ck_assert_int_eq(sum, N * (N - 1) / 2);
    ck_assert_int_eq(add_scan(pool, xs, N, 0, out), FILCH_OK);
    ck_assert_int_eq(out[N - 1], sum);
    ck_assert_int_eq(by_size_sort(pool, xs, N), FILCH_OK);
    ck_assert_int_eq(by_size_max(pool, xs, N, &count), FILCH_OK);
    ck_assert_int_eq(is_even_filter(pool, xs, N, out, &count), FILCH_OK);
    ck_assert_uint_eq(count, N / 2);
    ck_assert_int_eq(is_even_any(pool, xs, N, &yes), FILCH_OK);
    ck_assert_int_eq(next_of_apply_async(pool, 1, &future), FILCH_OK);
    ck_assert_int_eq(next_of_then(pool, future, &then), FILCH_OK);
    ck_assert_int_eq(next_of_after(pool, FILCH_NEEDS(future, then), 5, &after), FILCH_OK);
    ck_assert_int_eq(next_of_get(after, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 6);
    ck_assert_int_eq(next_of_get(then, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 3);
    filch_future_free(future);
    filch_future_free(then);
    filch_future_free(after);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(next_of_spawn(group, 1, &sum), FILCH_OK);
    }
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    filch_inbox_free(inbox);
    ck_assert_int_eq(next_of_imap(pool, xs, N, NULL, &iterator), FILCH_OK);
    filch_iterator_free(iterator);
    const filch_stage stage = filch_stage_of(FILCH_STAGE_SERIAL, double_item, NULL);
    ck_assert_int_eq(filch_pipeline(pool, source_of_three, &next, sizeof(int), &stage, 1, NULL),
                     FILCH_OK);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(next_of_apply(opened, 1, &sum), FILCH_ECLOSED);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    pool_closed(opened);
}
END_TEST

START_TEST(the_default_pool_has_them_too)
{
    filch_error error;
    int y;
    ck_assert_int_eq(refuses_apply(FILCH_ON(NULL, .error = &error), 9, &y), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 9);
    ck_assert_int_eq(next_of_apply(filch_on(NULL, NULL), 9, &y), FILCH_OK);
    ck_assert_int_eq(y, 10);
}
END_TEST

/* ---- error ---- */

START_TEST(whatever_waits_tells_what_was_raised)
{
    filch_pool *opened = pool_opened(_i);
    filch_error error;
    filch_pool *pool = FILCH_ON(opened, .error = &error);
    int y = 0;
    size_t count;
    number();
    ck_assert_int_eq(refuses_apply(pool, 3, &y), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 3);
    ck_assert_str_eq(error.function, "refuses");
    ck_assert_int_eq(refuses_map(pool, xs + 1, N - 1, out), FILCH_ERAISED);
    ck_assert_uint_eq(error.index, 0);
    ck_assert_int_eq(add_refusing_reduce(pool, xs, N, 0, &y), FILCH_ERAISED);
    ck_assert_str_eq(error.message, "five");
    ck_assert_int_eq(add_refusing_scan(pool, xs, N, 0, out), FILCH_ERAISED);
    ck_assert_str_eq(error.message, "five");
    ck_assert_int_eq(by_refusing_sort(pool, xs, N), FILCH_ERAISED);
    ck_assert_str_eq(error.message, "six");
    ck_assert_int_eq(is_refused_filter(pool, xs, N, out, &count), FILCH_ERAISED);
    ck_assert_str_eq(error.message, "seven");
    ck_assert_int_eq(is_refused_count(pool, xs, N, &count), FILCH_ERAISED);
    ck_assert_str_eq(error.function, "is_refused");
    ck_assert_int_eq(error.status, FILCH_ERAISED);
    pool_closed(opened);
}
END_TEST

START_TEST(without_an_error_the_status_is_told)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error = {.status = FILCH_ERAISED, .code = 1};
    int y = 0;
    number();
    ck_assert_int_eq(next_of_apply(FILCH_ON(pool, .error = &error), 1, &y), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_OK);
    ck_assert_int_eq(error.code, 0);
    ck_assert_uint_eq(error.index, FILCH_NO_INDEX);
    ck_assert_int_eq(next_of_map(FILCH_ON(pool, .error = &error), NULL, 1, out), FILCH_EINVAL);
    ck_assert_int_eq(error.status, FILCH_EINVAL);
    error = (filch_error){.status = FILCH_ERAISED, .code = 1};
    ck_assert_int_eq(add_reduce(FILCH_ON(pool, .error = &error), NULL, 1, 0, &y), FILCH_EINVAL);
    ck_assert_int_eq(error.status, FILCH_EINVAL);
    ck_assert_int_eq(error.code, 0);
    error.status = FILCH_OK;
    ck_assert_int_eq(by_size_sort(FILCH_ON(pool, .error = &error), NULL, 1), FILCH_EINVAL);
    ck_assert_int_eq(error.status, FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(add_reduce(FILCH_ON(pool, .error = &error), xs, N, 0, &y), FILCH_ECLOSED);
    ck_assert_int_eq(error.status, FILCH_ECLOSED);
    pool_closed(pool);
}
END_TEST

/* ---- until ---- */

START_TEST(a_deadline_asks_what_runs_to_stop_and_leaves_out_the_rest)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error;
    filch_item items[N];
    int sum = 7;
    int left_out = 0;
    number();
    ck_assert_int_eq(spins_map(FILCH_ON(pool, .until = filch_in(0.005), .error = &error,
                                        .items = items, .chunksize = FILCH_CHUNK(1)),
                               xs, N, out),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(error.status, FILCH_ETIMEDOUT);
    for (int i = 0; i < N; i++) {
        left_out += items[i].status == FILCH_ECANCELED;
    }
    ck_assert_int_eq(ran + left_out, N);
    ck_assert_int_gt(left_out, 0);
    atomic_store(&ran, 0);
    ck_assert_int_eq(add_spinning_reduce(FILCH_ON(pool, .until = filch_in(0.005)), xs, N, 0, &sum),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(sum, 7);
    ck_assert_int_eq(add_spinning_scan(FILCH_ON(pool, .until = filch_in(0.005)), xs, N, 0, out),
                     FILCH_ETIMEDOUT);
    const fold_spinning_accumulator how = {.merge = add_state};
    ck_assert_int_eq(
        fold_spinning_fold(FILCH_ON(pool, .until = filch_in(0.005)), xs, N, &how, &sum),
        FILCH_ETIMEDOUT);
    ck_assert_int_eq(sum, 7);
    pool_closed(pool);
}
END_TEST

START_TEST(a_call_that_has_done_all_by_then_answers_as_ever)
{
    filch_pool *pool = pool_opened(_i);
    int y = 0;
    number();
    ck_assert_int_eq(next_of_apply(FILCH_ON(pool, .until = filch_in(3600)), 7, &y), FILCH_OK);
    ck_assert_int_eq(y, 8);
    ck_assert_int_eq(next_of_map(FILCH_ON(pool, .until = filch_in(3600)), xs, N, out), FILCH_OK);
    ck_assert_int_eq(next_of_map(FILCH_ON(pool, .until = filch_never()), xs, N, out), FILCH_OK);
    ck_assert_int_eq(by_size_sort(FILCH_ON(pool, .until = filch_in(3600)), xs, N), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(after_the_deadline_nothing_begins)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *late = FILCH_ON(pool, .until = filch_in(0));
    int y = 0;
    number();
    ck_assert_int_eq(spins_apply(late, 8, &y), FILCH_ETIMEDOUT);
    ck_assert_int_eq(spins_map(late, xs, N, out), FILCH_ETIMEDOUT);
    ck_assert_int_eq(add_spinning_reduce(late, xs, N, 0, &y), FILCH_ETIMEDOUT);
    ck_assert_int_eq(ran, 0);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, sleeps_long, (int, x))
{
    atomic_fetch_add(&ran, 1);
    return filch_sleep(1000) == FILCH_ECANCELED ? x : -1;
}

FILCH_FUNCTION(int, tries_to_sleep, (int, x))
{
    atomic_fetch_add(&ran, 1);
    FILCH_TRY(filch_sleep(1000), -1);
    return x;
}

FILCH_FUNCTION(int, tries_and_raises, (int, x))
{
    atomic_fetch_add(&ran, 1);
    if (filch_sleep(1000) != FILCH_OK) {
        return filch_raise(x, "cut short"), -1;
    }
    return x;
}

static filch_status source_that_sleeps(void *context, void *item)
{
    (void)item;
    atomic_fetch_add(&ran, 1);
    filch_status status = filch_sleep(1000);
    return context ? filch_raise_status(status) : FILCH_END;
}

/* What does as it is told and returns has not done its work. */
START_TEST(what_was_cut_short_is_a_time_out_whatever_it_returns)
{
    filch_pool *pool = pool_opened(_i);
    const filch_stage stage = filch_stage_of(FILCH_STAGE_SERIAL, double_item, NULL);
    filch_error error;
    filch_item items[3];
    int y = -7;
    int item = 0;
    number();
    ck_assert_int_eq(sleeps_long_apply(FILCH_ON(pool, .until = filch_in(0.003)), 8, &y),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(tries_to_sleep_apply(FILCH_ON(pool, .until = filch_in(0.003)), 8, &y),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(y, -7);
    ck_assert_int_eq(sleeps_long_map(FILCH_ON(pool, .until = filch_in(0.003)), xs, 3, out),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(
        tries_to_sleep_map(FILCH_ON(pool, .until = filch_in(0.02), .error = &error, .items = items),
                           xs, 3, out),
        FILCH_ETIMEDOUT);
    ck_assert_int_eq(error.status, FILCH_ETIMEDOUT);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(items[i].status, FILCH_ECANCELED);
    }
    for (int raises = 0; raises < 2; raises++) {
        ck_assert_int_eq(filch_pipeline(FILCH_ON(pool, .until = filch_in(0.003)),
                                        source_that_sleeps, raises ? &item : NULL, sizeof(int),
                                        &stage, 1, NULL),
                         FILCH_ETIMEDOUT);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(what_was_raised_comes_before_a_time_out)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error;
    int y = -7;
    number();
    ck_assert_int_eq(
        tries_and_raises_apply(FILCH_ON(pool, .until = filch_in(0.003), .error = &error), 8, &y),
        FILCH_ERAISED);
    ck_assert_int_eq(error.code, 8);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, raises_or_sleeps, (int, x))
{
    if (x) { /* the first waits until the others have raised something */
        return filch_raise(x, "%d", x), x;
    }
    FILCH_TRY(filch_sleep(0.003), 0);
    while (!filch_cancelled()) {
        filch_yield();
    }
    FILCH_TRY(filch_sleep(1), 0);
    return x;
}

START_TEST(an_error_comes_before_one_that_was_cut_short_with_a_lower_index)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error;
    number();
    ck_assert_int_eq(
        raises_or_sleeps_map(FILCH_ON(pool, .until = filch_in(0.05), .error = &error), xs, 3, out),
        FILCH_ERAISED);
    ck_assert_uint_ne(error.index, 0);
    pool_closed(pool);
}
END_TEST

START_TEST(a_future_or_group_that_was_cut_short_has_raised_nothing)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_status status;
    filch_error error;
    int y = -7;
    number();
    for (int tries = 0; tries < 2; tries++) {
        filch_pool *limited = FILCH_ON(pool, .until = filch_in(0.01));
        ck_assert_int_eq(tries ? tries_to_sleep_apply_async(limited, 1, &future)
                               : sleeps_long_apply_async(limited, 1, &future),
                         FILCH_OK);
        ck_assert_int_eq(sleeps_long_get(future, &y), FILCH_ECANCELED);
        ck_assert_int_eq(y, -7);
        filch_future_free(future);
    }
    atomic_store(&ran, 0);
    ck_assert_int_eq(tries_to_sleep_apply_async(pool, 1, &future), FILCH_OK);
    await(&ran, 1);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(tries_to_sleep_get(future, &y), FILCH_ECANCELED);
    filch_future_free(future);
    FILCH_WITH_GROUP(group, FILCH_ON(pool, .until = filch_in(0.003), .error = &error), NULL,
                     &status) {
        tries_to_sleep_spawn(group, 1, &y);
    }
    ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    ck_assert_int_eq(error.status, FILCH_ETIMEDOUT);
    error.status = FILCH_OK;
    FILCH_WITH_GROUP(group, FILCH_ON(pool, .until = filch_in(0.003), .error = &error), NULL,
                     &status) {
        sleeps_long_spawn(group, 1, &y);
    }
    ck_assert_int_eq(error.status, FILCH_ETIMEDOUT);
    FILCH_WITH_GROUP(group, FILCH_ON(pool, .error = &error), NULL, &status) {
        refuses_spawn(group, 5, &y);
    }
    ck_assert_int_eq(status, FILCH_ERAISED);
    ck_assert_int_eq(error.code, 5);
    pool_closed(pool);
}
END_TEST

START_TEST(what_a_block_says_of_its_group_stands)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    int y;
    FILCH_WITH_GROUP(group, pool,
                     &(filch_group_options){.cancel_on_error = 1, .until = filch_in(9)}, &status) {
        status = FILCH_ENOMEM;
    }
    ck_assert_int_eq(status, FILCH_ENOMEM);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        status = refuses_spawn(group, 5, &y);
    }
    ck_assert_int_eq(status, FILCH_ERAISED);
    pool_closed(pool);
}
END_TEST

START_TEST(a_library_adds_its_own_to_what_its_caller_has_said)
{
    filch_pool *opened = pool_opened(_i);
    filch_error ours;
    filch_error theirs;
    int y = -7;
    number();
    filch_pool *callers = FILCH_ON(opened, .until = filch_in(0.003), .error = &theirs);
    ck_assert_int_eq(sleeps_long_apply(FILCH_ON(callers, .error = &ours), 1, &y), FILCH_ETIMEDOUT);
    ck_assert_int_eq(ours.status, FILCH_ETIMEDOUT);
    ck_assert_int_eq(theirs.status, FILCH_ETIMEDOUT);
    callers = FILCH_ON(opened, .until = filch_in(3600), .error = &theirs);
    ck_assert_int_eq(refuses_apply(FILCH_ON(callers, .until = filch_never()), 6, &y),
                     FILCH_ERAISED);
    ck_assert_int_eq(theirs.code, 6);
    ck_assert_int_eq(sleeps_long_apply(FILCH_ON(callers, .until = filch_in(0.003)), 1, &y),
                     FILCH_ETIMEDOUT);
    pool_closed(opened);
}
END_TEST

START_TEST(a_number_is_a_chunk_size)
{
    filch_pool *pool = pool_opened(_i);
    number();
    filch_options three = {.chunksize = {.size = 3}};
    ck_assert_int_eq(next_of_map(filch_on(pool, &three), xs, N, out), FILCH_OK);
    filch_options none = {.chunksize = {.size = -3}};
    ck_assert_int_eq(next_of_map(filch_on(pool, &none), xs, N, out), FILCH_EINVAL);
    ck_assert_int_eq(next_of_map(FILCH_ON(pool, .chunksize = FILCH_CHUNK(0)), xs, N, out),
                     FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

/* Its caller's wait ends as it is told by what is around it. */
FILCH_FUNCTION(int, maps_within, (filch_pool *, pool))
{
    return (int)spins_map(FILCH_ON(pool, .until = filch_in(3600), .chunksize = FILCH_CHUNK(1)), xs,
                          N, out);
}

START_TEST(a_call_inside_ends_no_later_than_what_is_around_it)
{
    filch_pool *pool = pool_opened(_i);
    int y = 0;
    filch_future *future;
    number();
    ck_assert_int_eq(maps_within_apply_async(pool, pool, &future), FILCH_OK);
    await(&ran, 1);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(maps_within_get(future, &y), FILCH_OK);
    ck_assert_int_eq(y, FILCH_ECANCELED); /* not its own deadline */
    filch_future_free(future);
    ck_assert_int_eq(maps_within_apply(FILCH_ON(pool, .until = filch_in(0.003)), pool, &y),
                     FILCH_ETIMEDOUT);
    pool_closed(pool);
}
END_TEST

START_TEST(a_task_that_has_not_begun_by_then_never_does)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future *late;
    filch_future *asked;
    filch_future *after;
    int y = 0;
    number();
    ck_assert_int_eq(sleeps_long_apply_async(FILCH_ON(pool, .until = filch_in(0)), 1, &late),
                     FILCH_OK);
    ck_assert_int_eq(sleeps_long_get(late, &y), FILCH_ECANCELED);
    ck_assert_int_eq(ran, 0);
    ck_assert_int_eq(sleeps_long_apply_async(FILCH_ON(pool, .until = filch_in(3600)), 1, &asked),
                     FILCH_OK);
    ck_assert_int_eq(next_of_after(FILCH_ON(pool, .until = filch_in(0)),
                                   FILCH_NEEDS(gates.futures[0]), 1, &after),
                     FILCH_OK);
    await(&ran, 1);
    ck_assert_int_eq(filch_future_cancel(asked), FILCH_OK);
    ck_assert_int_eq(sleeps_long_get(asked, &y), FILCH_OK);
    ck_assert_int_eq(y, 1);
    ck_assert(!filch_future_ready(after));
    open_gate(&gates, 0);
    ck_assert_int_eq(next_of_get(after, &y), FILCH_ECANCELED);
    filch_future_free(late);
    filch_future_free(asked);
    filch_future_free(after);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(a_group_ends_at_the_earlier_of_two_deadlines)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    int x = 0;
    int y = 0;
    number();
    FILCH_WITH_GROUP(group, FILCH_ON(pool, .until = filch_in(0.003)),
                     &(filch_group_options){.until = filch_in(3600)}, &status) {
        ck_assert_int_eq(sleeps_long_spawn(group, 1, &x), FILCH_OK);
        ck_assert_int_eq(next_of_apply(FILCH_ON(pool, .until = filch_in(1800)), 1, &y), FILCH_OK);
    }
    ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, ends_its_thread, (int, x))
{
    if (x == 3) {
        pthread_exit(NULL);
    }
    return x;
}

static void *is_left_by_its_thread(void *pool)
{
    any_status(ends_its_thread_map(
        FILCH_ON(pool, .until = filch_in(3600), .chunksize = FILCH_CHUNK(10)), xs, 10, out));
    return pool;
}

START_TEST(a_call_with_a_deadline_may_be_left_by_its_thread)
{
    filch_pool *pool = pool_opened(0);
    pthread_t thread;
    void *answer = pool;
    number();
    ck_assert_int_eq(pthread_create(&thread, NULL, is_left_by_its_thread, pool), 0);
    ck_assert_int_eq(pthread_join(thread, &answer), 0);
    ck_assert_ptr_null(answer);
    ck_assert_int_eq(next_of_map(pool, xs, N, out), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- progress ---- */

struct heard {
    size_t first;
    size_t last;
    size_t total;
    int times;
    bool backwards;
};

static void hear(void *context, size_t done, size_t total)
{
    struct heard *heard = context;
    if (heard->times++ == 0) {
        heard->first = done;
    }
    heard->backwards |= done < heard->last;
    heard->last = done;
    heard->total = total;
}

static struct heard silence(void)
{
    return (struct heard){.first = 99};
}

static void was_told_all(const struct heard *heard)
{
    ck_assert_uint_eq(heard->first, 0);
    ck_assert_uint_gt(heard->total, 0);
    ck_assert_uint_eq(heard->last, heard->total);
    ck_assert(!heard->backwards);
}

START_TEST(reductions_scans_filters_and_searches_tell_how_far_they_are)
{
    filch_pool *opened = pool_opened(_i);
    struct heard heard = silence();
    filch_pool *pool = FILCH_ON(opened, .progress = hear, .progress_context = &heard);
    int sum;
    size_t count;
    number();
    ck_assert_int_eq(add_reduce(pool, xs, N, 0, &sum), FILCH_OK);
    was_told_all(&heard);
    heard = silence();
    ck_assert_int_eq(add_scan(pool, xs, N, 0, out), FILCH_OK);
    was_told_all(&heard);
    heard = silence();
    ck_assert_int_eq(is_even_filter(pool, xs, N, out, &count), FILCH_OK);
    was_told_all(&heard);
    heard = silence();
    ck_assert_int_eq(is_even_count(pool, xs, N, &count), FILCH_OK);
    was_told_all(&heard);
    ck_assert_uint_eq(heard.total, N);
    heard = silence();
    ck_assert_int_eq(by_size_max(pool, xs, N, &count), FILCH_OK);
    was_told_all(&heard);
    pool_closed(opened);
}
END_TEST

/* ---- done ---- */

static atomic_int succeeded;
static atomic_int failed;

static void note_success(void *context, const void *result)
{
    (void)result;
    atomic_fetch_add(&succeeded, *(int *)context);
}

static void note_failure(void *context, const filch_error *error)
{
    ck_assert_int_ne(error->status, FILCH_OK);
    atomic_fetch_add(&failed, *(int *)context);
}

START_TEST(all_that_returns_at_once_calls_back)
{
    filch_pool *opened = pool_opened(_i);
    int step = 1;
    filch_pool *pool = FILCH_ON(opened, .done = {note_success, note_failure, &step});
    filch_future *futures[5];
    number();
    ck_assert_int_eq(next_of_apply_async(pool, 1, &futures[0]), FILCH_OK);
    ck_assert_int_eq(next_of_then(pool, futures[0], &futures[1]), FILCH_OK);
    ck_assert_int_eq(next_of_after(pool, FILCH_NEEDS(futures[0]), 1, &futures[2]), FILCH_OK);
    ck_assert_int_eq(next_of_map_async(pool, xs, N, out, &futures[3]), FILCH_OK);
    ck_assert_int_eq(refuses_apply_async(pool, 2, &futures[4]), FILCH_OK);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(succeeded, 4);
    ck_assert_int_eq(failed, 1);
    pool_closed(opened);
}
END_TEST

/* ---- FILCH_CHECK ---- */

static int heard_lines;
static char heard_text[4000];

static void hear_log(void *context, filch_log_level level, const char *message)
{
    (void)context;
    (void)level;
    heard_lines++;
    strncat(heard_text, message, sizeof heard_text - strlen(heard_text) - 1);
}

START_TEST(with_FILCH_CHECK_what_a_call_has_no_use_for_is_told)
{
    ck_assert_int_eq(setenv("FILCH_CHECK", "1", 1), 0);
    filch_pool *pool = pool_opened(_i);
    struct heard heard = silence();
    filch_item items[N];
    filch_error error;
    filch_future *future;
    int y;
    number();
    filch_log_to(hear_log, NULL);
    ck_assert_int_eq(
        next_of_map(FILCH_ON(pool, .until = filch_in(3600), .error = &error, .progress = hear,
                             .progress_context = &heard, .items = items,
                             .chunksize = FILCH_CHUNK(3), .policy = FILCH_FAIL_FAST),
                    xs, N, out),
        FILCH_OK);
    ck_assert_int_eq(heard_lines, 0);
    ck_assert_int_eq(next_of_apply(FILCH_ON(pool, .chunksize = FILCH_CHUNK(3)), 1, &y), FILCH_OK);
    ck_assert_str_eq(heard_text, "check: a call of next_of has no use for FILCH_ON's chunksize, "
                                 "policy or items\n");
    ck_assert_int_eq(by_size_sort(FILCH_ON(pool, .progress = hear), xs, N), FILCH_OK);
    ck_assert_ptr_nonnull(strstr(heard_text, "by_size has no use for FILCH_ON's progress"));
    ck_assert_int_eq(next_of_map(FILCH_ON(pool, .background = 1), xs, N, out), FILCH_OK);
    ck_assert_ptr_nonnull(strstr(heard_text, "FILCH_ON's done or background"));
    ck_assert_int_eq(next_of_map_async(FILCH_ON(pool, .error = &error), xs, N, out, &future),
                     FILCH_OK);
    ck_assert_ptr_nonnull(strstr(heard_text, "FILCH_ON's error"));
    ck_assert_int_eq(heard_lines, 4);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    filch_future_free(future);
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tcase = tcase_create("options");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, they_stand_wherever_a_pool_stands, 0, WORKER_SWEEP);
    tcase_add_test(tcase, the_default_pool_has_them_too);
    tcase_add_loop_test(tcase, whatever_waits_tells_what_was_raised, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, without_an_error_the_status_is_told, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_deadline_asks_what_runs_to_stop_and_leaves_out_the_rest, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_call_that_has_done_all_by_then_answers_as_ever, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, after_the_deadline_nothing_begins, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_was_cut_short_is_a_time_out_whatever_it_returns, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_was_raised_comes_before_a_time_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_comes_before_one_that_was_cut_short_with_a_lower_index, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_future_or_group_that_was_cut_short_has_raised_nothing, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_block_says_of_its_group_stands, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_library_adds_its_own_to_what_its_caller_has_said, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_number_is_a_chunk_size, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_call_inside_ends_no_later_than_what_is_around_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_that_has_not_begun_by_then_never_does, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_group_ends_at_the_earlier_of_two_deadlines, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_call_with_a_deadline_may_be_left_by_its_thread);
    tcase_add_loop_test(tcase, reductions_scans_filters_and_searches_tell_how_far_they_are, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, all_that_returns_at_once_calls_back, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, with_FILCH_CHECK_what_a_call_has_no_use_for_is_told, 0,
                        WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
