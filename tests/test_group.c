/* Groups: whatever is spawned in one is done when it is left, and is cancelled with it. */
#include "fixture.h"

#include <math.h>
#include <time.h>

static atomic_int ran;
static atomic_int told;

FILCH_FUNCTION(int, twice, (int, x))
{
    atomic_fetch_add(&ran, 1);
    return 2 * x;
}

FILCH_FUNCTION(void, sleeps, (double, seconds))
{
    atomic_fetch_add(&told, filch_sleep(seconds) == FILCH_ECANCELED);
    atomic_fetch_add(&ran, 1);
}

FILCH_FUNCTION(void, until_cancelled)
{
    atomic_fetch_add(&ran, 1);
    while (!filch_cancelled()) {
        filch_yield();
    }
    atomic_fetch_add(&told, 1);
}

FILCH_FUNCTION(int, raises, (int, code))
{
    return filch_raise(code, "code %d", code), 0;
}

FILCH_FUNCTION(void, spawns_more, (filch_group *, group), (int, depth))
{
    atomic_fetch_add(&ran, 1);
    if (depth > 0) {
        spawns_more_spawn(group, group, depth - 1);
        spawns_more_spawn(group, group, depth - 1);
    }
}

static void reset(void)
{
    atomic_store(&ran, 0);
    atomic_store(&told, 0);
}

START_TEST(results_are_there_when_the_group_is_left)
{
    enum { N = 100 };
    filch_pool *pool = pool_opened(_i);
    filch_status status = FILCH_EBUSY;
    int out[N];
    reset();
    FILCH_WITH_GROUP(group, pool, NULL, &status)
    {
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(twice_spawn(group, i, &out[i]), FILCH_OK);
        }
        ck_assert_int_eq(twice_spawn(group, 1, NULL), FILCH_OK);
    }
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(ran, N + 1);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(out[i], 2 * i);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_group_can_be_waited_for_more_than_once)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    int out = 0;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_OK);
    for (int round = 1; round <= 50; round++) {
        ck_assert_int_eq(twice_spawn(group, round, &out), FILCH_OK);
        ck_assert_int_eq(sleeps_spawn(group, round % 10 ? 0 : 1e-3), FILCH_OK);
        ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_OK);
        ck_assert_int_eq(out, 2 * round);
        ck_assert_int_eq(ran, 2 * round);
    }
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(its_tasks_may_spawn_more_into_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(spawns_more_spawn(group, group, 11), FILCH_OK);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_OK);
    ck_assert_int_eq(ran, 4095);
    pool_closed(pool);
}
END_TEST

START_TEST(leaving_the_block_early_waits_too)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status = FILCH_EBUSY;
    reset();
    for (int i = 0; i < 3; i++) {
        FILCH_WITH_GROUP(group, pool, NULL, &status)
        {
            sleeps_spawn(group, 0.005);
            if (i == 1) {
                break;
            }
            if (i == 2) {
                continue;
            }
            sleeps_spawn(group, 0.001);
        }
        ck_assert_int_eq(status, FILCH_OK);
    }
    ck_assert_int_eq(ran, 4);
    pool_closed(pool);
}
END_TEST

START_TEST(the_first_error_is_kept_and_the_others_run)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    filch_error error;
    int out[20];
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(raises_spawn(group, 9, NULL), FILCH_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(twice_spawn(group, i, &out[i]), FILCH_OK);
    }
    ck_assert_int_eq(filch_group_wait(group, &error), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 9);
    ck_assert_str_eq(error.function, "raises");
    ck_assert_int_eq(ran, 20);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_ERAISED);
    pool_closed(pool);
}
END_TEST

START_TEST(an_error_can_cancel_the_others)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    filch_error error;
    reset();
    ck_assert_int_eq(filch_group_open(pool, &(filch_group_options){.cancel_on_error = 1}, &group),
                     FILCH_OK);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(sleeps_spawn(group, 1000), FILCH_OK);
    }
    ck_assert_int_eq(raises_spawn(group, 4, NULL), FILCH_OK);
    ck_assert_int_eq(filch_group_close(group, &error), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 4);
    ck_assert_int_eq(ran, told); /* none has slept to its end */
    pool_closed(pool);
}
END_TEST

START_TEST(a_cancelled_group_stops_what_runs_and_runs_no_more)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(sleeps_spawn(group, 1000), FILCH_OK);
    ck_assert_int_eq(until_cancelled_spawn(group), FILCH_OK);
    ck_assert_int_eq(filch_group_cancel(group), FILCH_OK);
    ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_ECANCELED);
    int before = ran;
    ck_assert_int_eq(twice_spawn(group, 1, NULL), FILCH_OK);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_ECANCELED);
    ck_assert_int_eq(ran, before);
    pool_closed(pool);
}
END_TEST

START_TEST(a_deadline_cancels_the_group)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    const filch_group_options options = {.timeout_s = 0.02};
    reset();
    FILCH_WITH_GROUP(group, pool, &options, &status)
    {
        sleeps_spawn(group, 1000);
        until_cancelled_spawn(group);
    }
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_ge(told, 1);
    ck_assert_int_eq(told, ran); /* who began was told; on one worker one may not have begun */
    reset();
    const filch_group_options ample = {.timeout_s = 1000};
    FILCH_WITH_GROUP(group, pool, &ample, &status)
    {
        sleeps_spawn(group, 0.001);
    }
    ck_assert_int_eq(status, FILCH_OK);
    pool_closed(pool);
}
END_TEST

static filch_pool *the_pool;

FILCH_FUNCTION(void, opens_a_group_inside)
{
    filch_status status;
    FILCH_WITH_GROUP(inner, the_pool, NULL, &status)
    {
        sleeps_spawn(inner, 1000);
        until_cancelled_spawn(inner);
    }
    atomic_fetch_add(&told, 10 * (status == FILCH_ECANCELED));
}

START_TEST(inner_groups_are_cancelled_along)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    filch_status status;
    const filch_group_options options = {.timeout_s = 0.02};
    reset();
    FILCH_WITH_GROUP(group, pool, &options, &status)
    {
        opens_a_group_inside_spawn(group);
        opens_a_group_inside_spawn(group);
    }
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_ge(told, 11); /* as above */
    ck_assert_int_eq(told % 10, ran);
    filch_group *group;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(opens_a_group_inside_spawn(group), FILCH_OK);
    filch_sleep(0.01);
    ck_assert_int_eq(filch_group_cancel(group), FILCH_OK);
    filch_status closed = filch_group_close(group, NULL);
    ck_assert_int_eq(closed, FILCH_ECANCELED);
    pool_closed(pool);
}
END_TEST

START_TEST(cancelling_a_task_cancels_the_groups_in_it)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    filch_future *future;
    reset();
    ck_assert_int_eq(opens_a_group_inside_apply_async(pool, &future), FILCH_OK);
    await(&ran, 1);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_ge(told, 11);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(a_terminated_pool_cancels_its_groups)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(sleeps_spawn(group, 1000), FILCH_OK);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(twice_spawn(group, 1, NULL), FILCH_OK);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_ECANCELED);
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_ECLOSED);
    ck_assert_ptr_null(group);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, group_in_another_pool, (filch_pool *, other))
{
    filch_status status;
    int sum[4] = {0};
    FILCH_WITH_GROUP(group, other, NULL, &status)
    {
        for (int i = 0; i < 4; i++) {
            twice_spawn(group, i, &sum[i]);
        }
    }
    return status == FILCH_OK ? sum[0] + sum[1] + sum[2] + sum[3] : -1;
}

START_TEST(a_task_may_open_a_group_in_another_pool)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *other;
    int sum = 0;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 1}, &other), FILCH_OK);
    ck_assert_int_eq(group_in_another_pool_apply(pool, other, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 12);
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    filch_pool *pool = pool_opened(1);
    filch_group *group = NULL;
    const filch_group_options negative = {.timeout_s = -1};
    const filch_group_options nan = {.timeout_s = (double)NAN};
    ck_assert_int_eq(filch_group_open(pool, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_open(pool, &negative, &group), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_open(pool, &nan, &group), FILCH_EINVAL);
    ck_assert_ptr_null(group);
    ck_assert_int_eq(filch_group_wait(NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_cancel(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_close(NULL, NULL), FILCH_OK);
    ck_assert_int_eq(twice_spawn(NULL, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(filch_group_spawn(group, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(without_memory_a_task_is_run_at_once)
{
    filch_pool *pool = pool_opened(1);
    filch_group *group;
    int out = 0;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    for (long call = 1; call < 6; call++) {
        fail_call(call);
        ck_assert_int_eq(twice_spawn(group, (int)call, &out), FILCH_OK);
        fail_call(0);
        ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_OK);
        ck_assert_int_eq(out, 2 * (int)call);
    }
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_OK);
    ck_assert_int_eq(ran, 5);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("group");
    TCase *tcase = tcase_create("group");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, results_are_there_when_the_group_is_left, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_group_can_be_waited_for_more_than_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, its_tasks_may_spawn_more_into_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, leaving_the_block_early_waits_too, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_first_error_is_kept_and_the_others_run, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_can_cancel_the_others, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cancelled_group_stops_what_runs_and_runs_no_more, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_deadline_cancels_the_group, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, inner_groups_are_cancelled_along, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_a_task_cancels_the_groups_in_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_terminated_pool_cancels_its_groups, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_may_open_a_group_in_another_pool, 0, WORKER_SWEEP);
    tcase_add_test(tcase, nonsense_is_refused);
    tcase_add_test(tcase, without_memory_a_task_is_run_at_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
