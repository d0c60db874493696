/* Futures and promises. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "os/os.h"
#include "sched/pool.h"

FILCH_FUNCTION(int, add, (int, x), (int, y))
{
    return x + y;
}

static atomic_int gate;
static atomic_int entered;

FILCH_FUNCTION(int, waits_at_the_gate, (int, x))
{
    atomic_fetch_add(&entered, 1);
    while (atomic_load(&gate) == 0) {
        filch_yield();
    }
    return x;
}

START_TEST(apply_returns_the_result)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(add_apply(pool, 2, 3, &result), FILCH_OK);
    ck_assert_int_eq(result, 5);
    pool_closed(pool);
}
END_TEST

START_TEST(a_future_can_be_read_again_and_outlives_its_pool)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int result = 0;
    ck_assert_int_eq(add_apply_async(pool, 2, 3, &future), FILCH_OK);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert(filch_future_ready(future));
    ck_assert_int_eq(add_get(future, &result), FILCH_OK);
    ck_assert_int_eq(add_get(future, &result), FILCH_OK);
    ck_assert_int_eq(result, 5);
    filch_future_free(future);
}
END_TEST

START_TEST(many_tasks_run_once_each)
{
    enum { TASKS = 20000 };
    filch_pool *pool = pool_opened(_i);
    filch_future **futures = calloc(TASKS, sizeof *futures);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(add_apply_async(pool, i, 1, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        int result = 0;
        ck_assert_int_eq(add_get(futures[i], &result), FILCH_OK);
        ck_assert_int_eq(result, i + 1);
        filch_future_free(futures[i]);
    }
    free(futures);
    pool_closed(pool);
}
END_TEST

START_TEST(a_task_starts_although_none_waits)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    atomic_store(&entered, 0);
    atomic_store(&gate, 0);
    ck_assert_int_eq(waits_at_the_gate_apply_async(pool, 1, &future), FILCH_OK);
    await(&entered, 1);
    ck_assert(!filch_future_ready(future));
    ck_assert(!filch_future_successful(future));
    atomic_store(&gate, 1);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert(filch_future_successful(future));
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(wait_for_gives_up_in_time_and_works_again_later)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int result = 0;
    atomic_store(&gate, 0);
    atomic_store(&entered, 0);
    ck_assert_int_eq(waits_at_the_gate_apply_async(pool, 9, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(-1)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_future_try_get(future, &result, sizeof result), FILCH_EPENDING);
    atomic_store(&gate, 1);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(waits_at_the_gate_get(future, &result), FILCH_OK);
    ck_assert_int_eq(result, 9);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* ---- waiting inside tasks ---- */

static filch_pool *the_pool;

static int run_nested(int depth);

FILCH_FUNCTION(int, nested, (int, depth))
{
    return run_nested(depth);
}

static int run_nested(int depth)
{
    filch_future *future;
    int below = 0;
    if (depth == 0) {
        return 0;
    }
    if (nested_apply_async(the_pool, depth - 1, &future) != FILCH_OK ||
        nested_get(future, &below) != FILCH_OK) {
        return filch_raise(1, "at %d", depth), -1;
    }
    filch_future_free(future);
    return below + 1;
}

/* Thread sanitizers know only some thousand stacks. */
#if defined(__SANITIZE_THREAD__)
enum { DEPTH = 2000 };
#else
enum { DEPTH = sizeof(void *) > 4 ? 10000 : 1000 }; /* stacks of 1 MiB */
#endif

START_TEST(waits_nest_ten_thousand_deep)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(nested_apply(pool, DEPTH, &result), FILCH_OK);
    ck_assert_int_eq(result, DEPTH);
    pool_closed(pool);
}
END_TEST

/* A timed wait never runs the awaited task itself: each level keeps a stack of its own. */
static int run_nested_timed(int depth);

FILCH_FUNCTION(int, nested_timed, (int, depth))
{
    return run_nested_timed(depth);
}

static int run_nested_timed(int depth)
{
    filch_future *future;
    int below = 0;
    if (depth == 0) {
        return 0;
    }
    if (nested_timed_apply_async(the_pool, depth - 1, &future) != FILCH_OK ||
        filch_future_wait_until(future, filch_in(600)) != FILCH_OK ||
        nested_timed_get(future, &below) != FILCH_OK) {
        return filch_raise(1, "at %d", depth), -1;
    }
    filch_future_free(future);
    return below + 1;
}

START_TEST(suspended_waits_nest_as_deep)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(nested_timed_apply(pool, DEPTH, &result), FILCH_OK);
    ck_assert_int_eq(result, DEPTH);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, waits_for, (filch_future *, other))
{
    int value = -1;
    check_int_eq(add_get(other, &value), FILCH_OK);
    return value + 1;
}

START_TEST(a_chain_of_waiting_tasks_needs_one_worker)
{
    filch_pool *pool = pool_opened(0);
    filch_promise *promise;
    filch_future *futures[3];
    int value = 5;
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &futures[0]), FILCH_OK);
    ck_assert_int_eq(waits_for_apply_async(pool, futures[0], &futures[1]), FILCH_OK);
    ck_assert_int_eq(waits_for_apply_async(pool, futures[1], &futures[2]), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(futures[2], filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
    ck_assert_int_eq(waits_for_get(futures[2], &value), FILCH_OK);
    ck_assert_int_eq(value, 7);
    filch_promise_free(promise);
    for (int i = 0; i < 3; i++) {
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(filch_status, waits_in_vain, (filch_future *, other), (atomic_int *, began))
{
    atomic_fetch_add(began, 1);
    while (!filch_cancelled()) {
        filch_yield();
    }
    return filch_future_wait(other);
}

/* A caller cancelled before its wait leaves the other waiters of that future alone. */
START_TEST(a_wait_that_cannot_begin_disturbs_no_other)
{
    enum { WAITERS = 3 };
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *other;
    filch_future *waiters[WAITERS];
    filch_future *late;
    atomic_int began = 0;
    filch_status how;
    int result;
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &other), FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(waits_for_apply_async(pool, other, &waiters[i]), FILCH_OK);
    }
    ck_assert_int_eq(waits_in_vain_apply_async(pool, other, &began, &late), FILCH_OK);
    await(&began, 1);
    ck_assert_int_eq(filch_future_cancel(late), FILCH_OK);
    ck_assert_int_eq(waits_in_vain_get(late, &how), FILCH_OK);
    ck_assert_int_eq(how, FILCH_ECANCELED);
    ck_assert_int_eq(filch_promise_set_value(promise, &(int){41}), FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(filch_future_wait_until(waiters[i], filch_in(30)), FILCH_OK);
        ck_assert_int_eq(waits_for_get(waiters[i], &result), FILCH_OK);
        ck_assert_int_eq(result, 42);
        filch_future_free(waiters[i]);
    }
    filch_future_free(late);
    filch_future_free(other);
    filch_promise_free(promise);
    pool_closed(pool);
}
END_TEST

static filch_future *own_future;

FILCH_FUNCTION(int, waits_for_itself)
{
    while (atomic_load(&gate) == 0) {
        filch_yield(); /* until own_future is there */
    }
    return (int)filch_future_wait(own_future);
}

START_TEST(a_wait_for_oneself_is_refused)
{
    filch_pool *pool = pool_opened(_i);
    int status = 0;
    atomic_store(&gate, 0);
    ck_assert_int_eq(waits_for_itself_apply_async(pool, &own_future), FILCH_OK);
    atomic_store(&gate, 1);
    ck_assert_int_eq(waits_for_itself_get(own_future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_EDEADLK);
    filch_future_free(own_future);
    pool_closed(pool);
}
END_TEST

/* ---- how tasks end ---- */

FILCH_FUNCTION(int, raises, (int, code))
{
    return filch_raise(code, "code %d", code), 11;
}

START_TEST(an_error_is_carried_by_the_future)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_error error;
    int result = 77;
    ck_assert_int_eq(raises_apply_async(pool, 13, &future), FILCH_OK);
    ck_assert_int_eq(raises_get(future, &result), FILCH_ERAISED);
    ck_assert_int_eq(result, 77);
    ck_assert(!filch_future_successful(future));
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 13);
    ck_assert_str_eq(error.message, "code 13");
    ck_assert_str_eq(error.function, "raises");
    ck_assert_uint_eq(error.index, FILCH_NO_INDEX);
    filch_future_free(future);
    ck_assert_int_eq(raises_apply(pool, 13, &result), FILCH_ERAISED);
    ck_assert_int_eq(result, 77);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, wraps_an_error, (int, code))
{
    int inner = 0;
    return (int)raises_apply(the_pool, code, &inner);
}

START_TEST(an_error_of_a_nested_apply_stays_there)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(wraps_an_error_apply(pool, 3, &result), FILCH_OK);
    ck_assert_int_eq(result, FILCH_ERAISED);
    pool_closed(pool);
}
END_TEST

START_TEST(a_pending_task_can_be_cancelled_once)
{
    filch_pool *pool = pool_opened(0);
    filch_future *first;
    filch_future *second;
    int result = 5;
    atomic_store(&gate, 0);
    atomic_store(&entered, 0);
    ck_assert_int_eq(waits_at_the_gate_apply_async(pool, 1, &first), FILCH_OK);
    await(&entered, 1);
    ck_assert_int_eq(filch_future_cancel(first), FILCH_OK); /* it runs: it is asked to stop */
    atomic_store(&gate, 1);
    ck_assert_int_eq(filch_future_wait(first), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(first), FILCH_EALREADY);
    ck_assert_int_eq(add_apply_async(pool, 1, 2, &second), FILCH_OK);
    filch_status cancelled = filch_future_cancel(second); /* or it was faster */
    filch_status got = add_get(second, &result);
    ck_assert(got == FILCH_OK || (got == FILCH_ECANCELED && cancelled == FILCH_OK));
    ck_assert_int_eq(result, got == FILCH_OK ? 3 : 5);
    filch_future_free(first);
    filch_future_free(second);
    pool_closed(pool);
}
END_TEST

enum { CHILDREN = 40 };
static filch_future *children[CHILDREN];

FILCH_FUNCTION(int, spins_at_the_gate)
{
    atomic_fetch_add(&entered, 1);
    while (atomic_load(&gate) == 0) { /* without a turn for others */
    }
    return 0;
}

/* A waiter that runs a task itself takes it out of the line, too, if it stands in front there: else
 * the pool would come to it once more, for nothing. */
START_TEST(what_a_waiter_runs_stands_in_line_no_longer)
{
    enum { TASKS = 5 };
    static const int order[TASKS] = {0, 2, 1, 4, 3}; /* the first, or the one behind it */
    filch_pool *pool = pool_opened(0);
    filch_future *spinning;
    filch_future *futures[TASKS];
    atomic_store(&gate, 0);
    atomic_store(&entered, 0);
    ck_assert_int_eq(spins_at_the_gate_apply_async(pool, &spinning), FILCH_OK);
    while (atomic_load(&entered) == 0) {
        thrd_sleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(add_apply_async(pool, i, 1, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        int result = 0;
        ck_assert_uint_eq(atomic_load(&pool->inject.count), (size_t)(TASKS - i));
        ck_assert_int_eq(add_get(futures[order[i]], &result), FILCH_OK);
        ck_assert_int_eq(result, order[i] + 1);
        filch_future_free(futures[order[i]]);
    }
    ck_assert_uint_eq(atomic_load(&pool->inject.count), 0);
    atomic_store(&gate, 1);
    filch_future_free(spinning);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, submits_children)
{
    int submitted = 0;
    for (int i = 0; i < CHILDREN; i++) {
        submitted += add_apply_async(the_pool, i, 1, &children[i]) == FILCH_OK;
    }
    return submitted;
}

/* From a thread that is not in the pool: some are cancelled, some run by the waiter. */
START_TEST(tasks_that_began_inside_may_end_outside)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    for (int round = 0; round < 50; round++) {
        int submitted = 0;
        int value = 0;
        ck_assert_int_eq(submits_children_apply(pool, &submitted), FILCH_OK);
        ck_assert_int_eq(submitted, CHILDREN);
        for (int i = 0; i < CHILDREN; i++) {
            filch_status cancelled = i % 2 ? filch_future_cancel(children[i]) : FILCH_EALREADY;
            filch_status got = add_get(children[i], &value);
            ck_assert(got == FILCH_OK || (got == FILCH_ECANCELED && cancelled == FILCH_OK));
            filch_future_free(children[i]);
        }
    }
    pool_closed(pool);
}
END_TEST

/* ---- promises ---- */

START_TEST(a_promise_keeps_its_first_value)
{
    filch_promise *promise;
    filch_future *future;
    int value = 1;
    ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
    value = 2;
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_EALREADY);
    ck_assert_int_eq(filch_promise_set_error(promise, 1, "late"), FILCH_EALREADY);
    ck_assert_int_eq(filch_future_get(future, &value, sizeof value), FILCH_OK);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(filch_future_get(future, &value, 1), FILCH_EINVAL);
    filch_promise_free(promise);
    filch_future_free(future);
}
END_TEST

START_TEST(a_dropped_promise_breaks_its_future)
{
    filch_promise *promise;
    filch_future *future;
    ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
    filch_promise_free(promise);
    ck_assert_int_eq(filch_future_get(future, NULL, 0), FILCH_EBROKEN);
    filch_future_free(future);
}
END_TEST

START_TEST(a_promise_can_carry_an_error)
{
    filch_promise *promise;
    filch_future *future;
    filch_error error;
    ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_error(promise, 99, "not today"), FILCH_OK);
    ck_assert_int_eq(filch_future_get(future, NULL, 0), FILCH_ERAISED);
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 99);
    ck_assert_str_eq(error.message, "not today");
    filch_promise_free(promise);
    filch_future_free(future);
}
END_TEST

static int set_from_a_thread(void *promise)
{
    int value = 123;
    return (int)filch_promise_set_value(promise, &value);
}

START_TEST(plain_threads_wait_and_set)
{
    for (int round = 0; round < 200; round++) {
        filch_promise *promise;
        filch_future *future;
        thrd_t thread;
        int value = 0;
        ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
        ck_assert_int_eq(thrd_create(&thread, set_from_a_thread, promise), thrd_success);
        ck_assert_int_eq(filch_future_get(future, &value, sizeof value), FILCH_OK);
        ck_assert_int_eq(value, 123);
        thrd_join(thread, NULL);
        filch_promise_free(promise);
        filch_future_free(future);
    }
}
END_TEST

static int get_many(void *future)
{
    int value = 0;
    return add_get(future, &value) == FILCH_OK ? value : -1;
}

START_TEST(any_number_of_threads_may_wait)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 20; round++) {
        filch_future *future;
        thrd_t threads[4];
        ck_assert_int_eq(add_apply_async(pool, round, 1, &future), FILCH_OK);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(thrd_create(&threads[i], get_many, future), thrd_success);
        }
        for (int i = 0; i < 4; i++) {
            int value = 0;
            thrd_join(threads[i], &value);
            ck_assert_int_eq(value, round + 1);
        }
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(repr_tells_name_and_state)
{
    char line[100];
    filch_pool *pool = pool_opened(1);
    filch_future *future;
    ck_assert_int_eq(add_apply_async(pool, 1, 1, &future), FILCH_OK);
    check_int_eq(filch_future_wait(future), FILCH_OK);
    filch_future_repr(future, line, sizeof line);
    ck_assert_str_eq(line, "<filch_future add state=done>");
    filch_pool_repr(pool, line, sizeof line);
    ck_assert_str_eq(line, "<filch_pool state=running workers=2>");
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("future");
    TCase *tcase = tcase_create("future");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, apply_returns_the_result, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_future_can_be_read_again_and_outlives_its_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, many_tasks_run_once_each, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_starts_although_none_waits, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, wait_for_gives_up_in_time_and_works_again_later, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, waits_nest_ten_thousand_deep, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, suspended_waits_nest_as_deep, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_chain_of_waiting_tasks_needs_one_worker);
    tcase_add_loop_test(tcase, a_wait_that_cannot_begin_disturbs_no_other, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_for_oneself_is_refused, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_is_carried_by_the_future, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_of_a_nested_apply_stays_there, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_pending_task_can_be_cancelled_once);
    tcase_add_test(tcase, what_a_waiter_runs_stands_in_line_no_longer);
    tcase_add_loop_test(tcase, tasks_that_began_inside_may_end_outside, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_promise_keeps_its_first_value);
    tcase_add_test(tcase, a_dropped_promise_breaks_its_future);
    tcase_add_test(tcase, a_promise_can_carry_an_error);
    tcase_add_test(tcase, plain_threads_wait_and_set);
    tcase_add_loop_test(tcase, any_number_of_threads_may_wait, 0, WORKER_SWEEP);
    tcase_add_test(tcase, repr_tells_name_and_state);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
