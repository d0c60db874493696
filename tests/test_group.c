/* Groups: whatever is spawned in one is done when it is left, and is cancelled with it. */
#include "fixture.h"

#include <math.h>
#include <threads.h>
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
        check_int_eq(spawns_more_spawn(group, group, depth - 1), FILCH_OK);
        check_int_eq(spawns_more_spawn(group, group, depth - 1), FILCH_OK);
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
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
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
        FILCH_WITH_GROUP(group, pool, NULL, &status) {
            check_int_eq(sleeps_spawn(group, 0.005), FILCH_OK);
            if (i == 1) {
                break;
            }
            if (i == 2) {
                continue;
            }
            check_int_eq(sleeps_spawn(group, 0.001), FILCH_OK);
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
    reset();
    for (double seconds = 0.01; told == 0; seconds *= 2) { /* until one begins in time */
        FILCH_WITH_GROUP(group, pool, &(filch_group_options){.until = filch_in(seconds)}, &status) {
            any_status(sleeps_spawn(group, 1000));
            check_int_eq(until_cancelled_spawn(group), FILCH_OK);
        }
        ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    }
    ck_assert_int_eq(told, ran); /* all that began were told; one worker may not begin all */
    reset();
    const filch_group_options ample = {.until = filch_in(1000)};
    FILCH_WITH_GROUP(group, pool, &ample, &status) {
        check_int_eq(sleeps_spawn(group, 0.001), FILCH_OK);
    }
    ck_assert_int_eq(status, FILCH_OK);
    pool_closed(pool);
}
END_TEST

static filch_pool *the_pool;

FILCH_FUNCTION(void, opens_a_group_inside)
{
    filch_status status;
    FILCH_WITH_GROUP(inner, the_pool, NULL, &status) {
        check_int_eq(sleeps_spawn(inner, 1000), FILCH_OK);
        check_int_eq(until_cancelled_spawn(inner), FILCH_OK);
    }
    atomic_fetch_add(&told, 10 * (status == FILCH_ECANCELED));
}

START_TEST(inner_groups_are_cancelled_along)
{
    filch_pool *pool = the_pool = pool_opened(_i);
    filch_status status;
    reset();
    for (double seconds = 0.01; told % 10 == 0; seconds *= 2) { /* as above */
        reset();
        FILCH_WITH_GROUP(group, pool, &(filch_group_options){.until = filch_in(seconds)}, &status) {
            check_int_eq(opens_a_group_inside_spawn(group), FILCH_OK);
            check_int_eq(opens_a_group_inside_spawn(group), FILCH_OK);
        }
        ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    }
    ck_assert_int_ge(told, 11);
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
    FILCH_WITH_GROUP(group, other, NULL, &status) {
        for (int i = 0; i < 4; i++) {
            check_int_eq(twice_spawn(group, i, &sum[i]), FILCH_OK);
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

/* ---- the owner is inside its group ---- */

FILCH_CHANNEL(numbers, int);

/* In the block of a group that is cancelled, or is about to be: how many waits end with that. */
static int waits_that_end(void)
{
    filch_mutex mutex = FILCH_MUTEX_INIT;
    filch_condition condition = FILCH_CONDITION_INIT;
    filch_wait_group wait_group = FILCH_WAIT_GROUP_INIT;
    filch_semaphore semaphore;
    filch_promise *promise;
    filch_future *future;
    numbers box;
    int value;
    int ended = 0;
    filch_semaphore_init(&semaphore, 0);
    filch_wait_group_add(&wait_group, 1);
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
    ended += filch_sleep(1000) == FILCH_ECANCELED;
    ended += numbers_send(box, 1) == FILCH_ECANCELED;
    ended += numbers_receive(box, &value) == FILCH_ECANCELED;
    ended += filch_semaphore_acquire(&semaphore) == FILCH_ECANCELED;
    ended += filch_wait_group_wait(&wait_group) == FILCH_ECANCELED;
    ended += filch_future_wait(future) == FILCH_ECANCELED;
    ended += filch_future_wait_until(future, filch_in(1000)) == FILCH_ECANCELED;
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ended += filch_condition_wait(&condition, &mutex) == FILCH_ECANCELED;
    filch_mutex_unlock(&mutex);
    filch_promise_free(promise);
    filch_future_free(future);
    numbers_free(box);
    return ended;
}

enum { WAITS = 8 };

FILCH_FUNCTION(void, cancels, (filch_group *, group))
{
    filch_group_cancel(group);
}

/* By its deadline, by itself, by a task, or by a task's error. */
static int waits_of_an_owner(filch_pool *pool, int by)
{
    filch_status status;
    int ended = 0;
    const filch_group_options options = {.until = filch_in(by == 0 ? 0.005 : 1000),
                                         .cancel_on_error = by == 3};
    FILCH_WITH_GROUP(group, pool, &options, &status) {
        ended -= by != 0 && filch_cancelled();
        if (by == 1) {
            filch_group_cancel(group);
        } else if (by == 2) {
            check_int_eq(cancels_spawn(group, group), FILCH_OK);
        } else if (by == 3) {
            check_int_eq(raises_spawn(group, 5, NULL), FILCH_OK);
        }
        ended += waits_that_end();
        ended += filch_cancelled();
    }
    ended += status == (by == 0 ? FILCH_ETIMEDOUT : by == 3 ? FILCH_ERAISED : FILCH_ECANCELED);
    ended += !filch_cancelled();
    ended += filch_sleep(1e-4) == FILCH_OK; /* it is outside again */
    return ended;
}

enum { ALL_ENDED = WAITS + 4 };

FILCH_FUNCTION(int, owner, (filch_pool *, pool), (int, by))
{
    return waits_of_an_owner(pool, by);
}

START_TEST(the_waits_of_its_owner_end_with_the_group)
{
    filch_pool *pool = pool_opened(_i);
    for (int by = 0; by < 4; by++) {
        filch_future *future;
        int ended = 0;
        ck_assert_int_eq(waits_of_an_owner(pool, by), ALL_ENDED); /* a program's own thread */
        ck_assert_int_eq(owner_apply(pool, pool, by, &ended), FILCH_OK);
        ck_assert_int_eq(ended, ALL_ENDED);
        ck_assert_int_eq(owner_apply_async(pool, pool, by, &future), FILCH_OK); /* a task */
        ck_assert_int_eq(owner_get(future, &ended), FILCH_OK);
        ck_assert_int_eq(ended, ALL_ENDED);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

static filch_group_options within(double seconds)
{
    return (filch_group_options){.until = seconds > 0 ? filch_in(seconds) : filch_never()};
}

/* 0: well; 1: it was cancelled; 2: its time was up. */
static int end_of(filch_status status)
{
    return status == FILCH_OK          ? 0
           : status == FILCH_ECANCELED ? 1
           : status == FILCH_ETIMEDOUT ? 2
                                       : 9;
}

/* How the inner one ends, in tens, and the outer one. 0 seconds: without a deadline. */
static int two_in_one_function(filch_pool *pool, double outer_s, double inner_s, double nap_s)
{
    filch_status outer_status;
    filch_status inner_status = FILCH_EBUSY;
    const filch_group_options outer_options = within(outer_s);
    FILCH_WITH_GROUP(outer, pool, &outer_options, &outer_status) {
        const filch_group_options inner_options = within(inner_s);
        FILCH_WITH_GROUP(inner, pool, &inner_options, &inner_status) {
            check_int_eq(sleeps_spawn(inner, nap_s), FILCH_OK);
        }
    }
    return 10 * end_of(inner_status) + end_of(outer_status);
}

FILCH_FUNCTION(int, opens_two, (filch_pool *, pool), (double, outer_s), (double, inner_s),
               (double, nap_s))
{
    return two_in_one_function(pool, outer_s, inner_s, nap_s);
}

START_TEST(a_group_in_a_group_of_the_same_function_is_inside_it)
{
    static const struct {
        double outer_s;
        double inner_s;
        double nap_s;
        int ends;
    } cases[] = {{0.01, 0, 1000, 12}, {0.01, 1000, 1000, 12}, {1000, 0.01, 1000, 20},
                 {0, 0.01, 1000, 20}, {1000, 1000, 1e-3, 0},  {0, 0, 1e-3, 0}};
    filch_pool *pool = pool_opened(_i);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double outer_s = cases[i].outer_s;
        double inner_s = cases[i].inner_s;
        filch_future *future;
        int ends = -1;
        ck_assert_int_eq(two_in_one_function(pool, outer_s, inner_s, cases[i].nap_s),
                         cases[i].ends);
        ck_assert_int_eq(
            opens_two_apply_async(pool, pool, outer_s, inner_s, cases[i].nap_s, &future), FILCH_OK);
        ck_assert_int_eq(opens_two_get(future, &ends), FILCH_OK);
        ck_assert_int_eq(ends, cases[i].ends);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

static filch_status opens_to_a_depth(filch_pool *pool, filch_group *outermost, int depth)
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        if (depth > 0) {
            ck_assert_int_eq(opens_to_a_depth(pool, outermost, depth - 1), FILCH_ECANCELED);
        } else {
            any_status(cancels_spawn(group, outermost));
            any_status(sleeps_spawn(group, 1000));
            ck_assert_int_eq(filch_sleep(1000), FILCH_ECANCELED);
        }
        ck_assert(filch_cancelled());
    }
    return status;
}

START_TEST(groups_in_called_functions_are_inside_however_deep)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *group;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(opens_to_a_depth(pool, group, 50), FILCH_ECANCELED);
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_ECANCELED);
    ck_assert_int_eq(filch_sleep(1e-4), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(a_group_that_is_opened_in_a_cancelled_one_is_cancelled_from_the_start)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *outer;
    filch_status status;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &outer), FILCH_OK);
    ck_assert_int_eq(filch_group_cancel(outer), FILCH_OK);
    FILCH_WITH_GROUP(inner, pool, NULL, &status) {
        ck_assert(filch_cancelled());
        ck_assert_int_eq(twice_spawn(inner, 1, NULL), FILCH_OK);
        ck_assert_int_eq(filch_sleep(1000), FILCH_ECANCELED);
    }
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_eq(ran, 0); /* it was not begun */
    ck_assert_int_eq(filch_group_close(outer, NULL), FILCH_ECANCELED);
    pool_closed(pool);
}
END_TEST

START_TEST(cancelling_an_inner_group_leaves_the_outer_one_alone)
{
    filch_pool *pool = pool_opened(_i);
    filch_status outer_status;
    filch_status inner_status;
    reset();
    FILCH_WITH_GROUP(outer, pool, NULL, &outer_status) {
        check_int_eq(sleeps_spawn(outer, 1e-3), FILCH_OK);
        FILCH_WITH_GROUP(inner, pool, NULL, &inner_status) {
            check_int_eq(sleeps_spawn(inner, 1000), FILCH_OK);
            filch_group_cancel(inner);
            ck_assert_int_eq(filch_sleep(1000), FILCH_ECANCELED);
        }
        ck_assert_int_eq(inner_status, FILCH_ECANCELED);
        ck_assert(!filch_cancelled());
        ck_assert_int_eq(filch_sleep(1e-4), FILCH_OK);
        int before = ran;
        ck_assert_int_eq(twice_spawn(outer, 1, NULL), FILCH_OK);
        ck_assert_int_eq(filch_group_wait(outer, NULL), FILCH_OK);
        ck_assert_int_ge(ran, before + 1);
    }
    ck_assert_int_eq(outer_status, FILCH_OK);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(naps, (size_t, i), (double, seconds))
{
    (void)i;
    atomic_fetch_add(&ran, 1);
    atomic_fetch_add(&told, filch_sleep(seconds) == FILCH_ECANCELED);
}

static void nap_stage(void *context, void *item)
{
    (void)context;
    (void)item;
    atomic_fetch_add(&told, filch_sleep(1000) == FILCH_ECANCELED);
}

static filch_status endless(void *context, void *item)
{
    (void)context;
    (void)item;
    return FILCH_OK;
}

FILCH_FUNCTION(int, sleeps_once, (double, seconds))
{
    return (int)filch_sleep(seconds);
}

START_TEST(loops_pipelines_and_calls_in_the_block_are_inside)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *other;
    filch_status status;
    const filch_group_options soon = {.until = filch_in(0.01)};
    const filch_stage stage = filch_stage_of(FILCH_STAGE_PARALLEL, nap_stage, NULL);
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 1}, &other), FILCH_OK);
    for (int what = 0; what < 3; what++) {
        reset();
        FILCH_WITH_GROUP(group, pool, &soon, &status) {
            int slept = 0;
            if (what == 0) {
                any_status(naps_for(pool, 100, 1000)); /* cancelled, unless all had begun before */
                ck_assert_int_eq(told, ran);
                ck_assert_int_eq(naps_for(pool, 100, 0), FILCH_ECANCELED);
            } else if (what == 1) {
                ck_assert_int_eq(filch_pipeline(pool, endless, NULL, 8, &stage, 1, NULL),
                                 FILCH_ECANCELED);
            } else {
                ck_assert_int_eq(sleeps_once_apply(other, 1000, &slept), FILCH_OK);
                ck_assert_int_eq(slept, FILCH_ECANCELED);
            }
        }
        ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    }
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(raises_in_a_block, (size_t, i), (filch_pool *, pool))
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        if (i == 17) {
            filch_raise(4, "element %zu", i);
        }
    }
    atomic_fetch_add(&told, status == FILCH_OK); /* it was not the group's error */
}

START_TEST(what_the_owner_raises_in_the_block_is_its_own_error)
{
    filch_pool *pool = pool_opened(_i);
    filch_error error;
    filch_options options = {.error = &error};
    reset();
    ck_assert_int_eq(raises_in_a_block_for(filch_on(pool, &options), 40, pool), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 4);
    ck_assert_uint_eq(error.index, 17);
    ck_assert_str_eq(error.function, "raises_in_a_block");
    ck_assert_int_ge(told, 18);
    pool_closed(pool);
}
END_TEST

START_TEST(what_the_owner_raises_in_the_block_can_stop_its_loop)
{
    filch_pool *pool = pool_opened(0);
    filch_options options = {.policy = FILCH_FAIL_FAST, .chunksize = FILCH_CHUNK(40)};
    reset();
    ck_assert_int_eq(raises_in_a_block_for(filch_on(pool, &options), 40, pool), FILCH_ERAISED);
    ck_assert_int_eq(told, 18); /* it was the last one, though a chunk was under way */
    pool_closed(pool);
}
END_TEST

static int close_elsewhere(void *group)
{
    return (int)filch_group_close(group, NULL);
}

START_TEST(groups_are_closed_by_their_owner_and_newest_first)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *groups[3];
    thrd_t thread;
    int status = 0;
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(filch_group_open(pool, NULL, &groups[i]), FILCH_OK);
    }
    ck_assert_int_eq(filch_group_close(groups[0], NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_group_close(groups[1], NULL), FILCH_EINVAL);
    ck_assert_int_eq(thrd_create(&thread, close_elsewhere, groups[2]), thrd_success);
    thrd_join(thread, &status);
    ck_assert_int_eq(status, FILCH_EINVAL);
    for (int i = 2; i >= 0; i--) { /* and nothing has happened */
        int out = 0;
        ck_assert_int_eq(twice_spawn(groups[i], 3, &out), FILCH_OK);
        ck_assert_int_eq(filch_group_close(groups[i], NULL), FILCH_OK);
        ck_assert_int_eq(out, 6);
    }
    pool_closed(pool);
}
END_TEST

static atomic_int begun;

FILCH_FORK_FUNCTION(int, spins_a_little, (int, x))
{
    atomic_fetch_add(&begun, 1);
    for (volatile int i = 0; i < 2000; i++) {
    }
    return x + (int)filch_cancelled();
}

FILCH_FORK_FUNCTION(int, forks_around_a_block, (filch_pool *, pool), (int, depth))
{
    enum { N = 4 };
    spins_a_little_handle before[N];
    spins_a_little_handle within[N];
    filch_status status;
    int sum = 0;
    if (depth > 0) {
        FILCH_FORK(half, forks_around_a_block, pool, depth - 1);
        sum += FILCH_CALL(forks_around_a_block, pool, depth - 1);
        return sum + FILCH_JOIN(half);
    }
    for (int i = 0; i < N; i++) {
        FILCH_FORK_AT(before[i], spins_a_little, 1);
    }
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        FILCH_FORK(own, spins_a_little, 1);
        for (int i = 0; i < N; i++) {
            FILCH_FORK_AT(within[i], spins_a_little, 1);
        }
        check_int_eq(twice_spawn(group, 1, NULL), FILCH_OK);
        sum += FILCH_JOIN_AT(before[1]) + FILCH_JOIN_AT(within[2]) + FILCH_JOIN(own);
        filch_yield();
    }
    for (int i = N - 1; i >= 0; i--) {
        sum += i == 2 ? 0 : FILCH_JOIN_AT(within[i]);
        sum += i == 1 ? 0 : FILCH_JOIN_AT(before[i]);
    }
    return sum;
}

START_TEST(forks_and_joins_may_lie_on_either_side_of_a_block)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 20; round++) {
        int sum = 0;
        ck_assert_int_eq(forks_around_a_block_apply(pool, pool, 5, &sum), FILCH_OK);
        ck_assert_int_eq(sum, 32 * 9);
    }
    pool_closed(pool);
}
END_TEST

static atomic_int ended;

FILCH_FORK_FUNCTION(int, ends_late, (int, x))
{
    atomic_store(&begun, 1);
    await(&told, 1);
    for (volatile int i = 0; i < 3000000; i++) {
    }
    atomic_store(&ended, 1);
    return x;
}

FILCH_FUNCTION(void, tells)
{
    atomic_store(&told, 1);
}

FILCH_FORK_FUNCTION(int, leaves_a_fork_behind, (filch_pool *, pool))
{
    ends_late_handle child;
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        FILCH_FORK_AT(child, ends_late, 5);
        while (!atomic_load(&begun)) { /* until it is stolen */
            filch_sleep(1e-4);
        }
        check_int_eq(tells_spawn(group), FILCH_OK);
    }
    int before = atomic_load(&ended);
    return FILCH_JOIN_AT(child) + before;
}

START_TEST(stolen_forks_of_a_block_have_ended_when_it_is_left)
{
    filch_pool *pool = pool_opened(_i);
    int sum = 0;
    reset();
    atomic_store(&begun, 0);
    atomic_store(&ended, 0);
    ck_assert_int_eq(leaves_a_fork_behind_apply(pool, pool, &sum), FILCH_OK);
    ck_assert_int_eq(sum, 6);
    pool_closed(pool);
}
END_TEST

START_TEST(groups_that_are_closed_are_forgotten_by_the_one_around_them)
{
    filch_pool *pool = pool_opened(_i);
    filch_group *outer;
    ck_assert_int_eq(filch_group_open(pool, NULL, &outer), FILCH_OK);
    for (int i = 0; i < 30; i++) {
        filch_group *inner[3];
        for (int k = 0; k < 3; k++) {
            ck_assert_int_eq(filch_group_open(pool, NULL, &inner[k]), FILCH_OK);
        }
        for (int k = 2; k >= 0; k--) {
            ck_assert_int_eq(filch_group_close(inner[k], NULL), FILCH_OK);
        }
    }
    ck_assert_int_eq(filch_group_cancel(outer), FILCH_OK);
    ck_assert_int_eq(filch_group_close(outer, NULL), FILCH_ECANCELED);
    pool_closed(pool);
}
END_TEST

static void forget(void *captures)
{
    (void)captures;
    atomic_fetch_add(&told, 1);
}

START_TEST(a_closure_is_released_when_it_is_called_at_once)
{
    filch_pool *pool = pool_opened(1);
    filch_group *group;
    int out = 0;
    reset();
    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK);
    ck_assert_int_eq(twice_spawn(group, 1, NULL), FILCH_OK); /* there is a thread from now on */
    for (int i = 1; i <= 5; i++) {
        filch_closure closure;
        ck_assert_int_eq(twice_capture_owned(&closure, i, forget), FILCH_OK);
        fail_call(1);
        ck_assert_int_eq(filch_group_spawn(group, &closure, &out), FILCH_OK);
        fail_call(0);
        filch_closure_release(&closure);
        ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_OK);
        ck_assert_int_eq(told, i);
        ck_assert_int_eq(out, 2 * i);
    }
    ck_assert_int_eq(filch_group_close(group, NULL), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(a_group_whose_deadline_has_passed_is_cancelled_from_the_start)
{
    const double passed[] = {0, -1, -(double)INFINITY, (double)NAN};
    filch_pool *pool = pool_opened(1 + _i);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        const filch_group_options options = {.until = filch_in(passed[i])};
        filch_group *group;
        int out = -1;
        ck_assert_int_eq(filch_group_open(pool, &options, &group), FILCH_OK);
        ck_assert(filch_cancelled());
        ck_assert_int_eq(twice_spawn(group, 1, &out), FILCH_OK);
        ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_ETIMEDOUT);
        ck_assert_int_eq(filch_group_close(group, NULL), FILCH_ETIMEDOUT);
        ck_assert_int_eq(out, -1);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    filch_pool *pool = pool_opened(1);
    filch_group *group = NULL;
    ck_assert_int_eq(filch_group_open(pool, NULL, NULL), FILCH_EINVAL);
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
    tcase_add_loop_test(tcase, the_waits_of_its_owner_end_with_the_group, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_group_in_a_group_of_the_same_function_is_inside_it, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, groups_in_called_functions_are_inside_however_deep, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase,
                        a_group_that_is_opened_in_a_cancelled_one_is_cancelled_from_the_start, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_an_inner_group_leaves_the_outer_one_alone, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, loops_pipelines_and_calls_in_the_block_are_inside, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_the_owner_raises_in_the_block_is_its_own_error, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, what_the_owner_raises_in_the_block_can_stop_its_loop);
    tcase_add_loop_test(tcase, groups_are_closed_by_their_owner_and_newest_first, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, forks_and_joins_may_lie_on_either_side_of_a_block, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, stolen_forks_of_a_block_have_ended_when_it_is_left, 1, WORKER_SWEEP);
    tcase_add_loop_test(tcase, groups_that_are_closed_are_forgotten_by_the_one_around_them, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, a_closure_is_released_when_it_is_called_at_once);
    tcase_add_loop_test(tcase, a_group_whose_deadline_has_passed_is_cancelled_from_the_start, 0, 2);
    tcase_add_test(tcase, nonsense_is_refused);
    tcase_add_test(tcase, without_memory_a_task_is_run_at_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
