/* Mutexes, semaphores, conditions, wait groups and onces: between tasks, and between tasks and
 * threads. */
#include "fixture.h"

#include <limits.h>
#include <math.h>
#include <threads.h>

#include "sched/pool.h"

enum { TASKS = 40, TIMES = 50 };

static filch_mutex mutex;
static filch_semaphore semaphore;
static filch_condition condition;
static filch_wait_group all_done;
static int plain_count; /* the mutex */
static atomic_int inside;
static atomic_int most_inside;
static atomic_int wrong;

static void reset(unsigned permits)
{
    mutex = (filch_mutex)FILCH_MUTEX_INIT;
    condition = (filch_condition)FILCH_CONDITION_INIT;
    all_done = (filch_wait_group)FILCH_WAIT_GROUP_INIT;
    filch_semaphore_init(&semaphore, permits);
    plain_count = 0;
    atomic_store(&inside, 0);
    atomic_store(&most_inside, 0);
    atomic_store(&wrong, 0);
}

static void enter(void)
{
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);
    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now)) {
    }
}

static void leave(void)
{
    atomic_fetch_sub(&inside, 1);
}

FILCH_LOOP(counts_under_the_mutex, (size_t, i))
{
    for (int t = 0; t < TIMES; t++) {
        wrong += filch_mutex_lock(&mutex) != FILCH_OK;
        enter();
        plain_count++;
        if ((i + (size_t)t) % 10 == 0) {
            filch_sleep(1e-6); /* with the mutex held: the core goes on with others */
        }
        leave();
        wrong += filch_mutex_unlock(&mutex) != FILCH_OK;
    }
}

static int thread_counts(void *unused)
{
    (void)unused;
    counts_under_the_mutex(3);
    return 0;
}

START_TEST(a_mutex_lets_one_in_at_a_time)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t thread;
    reset(0);
    ck_assert_int_eq(thrd_create(&thread, thread_counts, NULL), thrd_success);
    ck_assert_int_eq(counts_under_the_mutex_for(pool, TASKS), FILCH_OK);
    thrd_join(thread, NULL);
    ck_assert_int_eq(plain_count, (TASKS + 1) * TIMES);
    ck_assert_int_eq(most_inside, 1);
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

static atomic_int turn;
static atomic_int arrived;

FILCH_FUNCTION(int, takes_its_turn, (int, number))
{
    atomic_fetch_add(&arrived, 1);
    wrong += filch_mutex_lock(&mutex) != FILCH_OK;
    int mine = atomic_fetch_add(&turn, 1);
    filch_mutex_unlock(&mutex);
    return mine == number;
}

START_TEST(a_mutex_serves_in_order)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[10];
    reset(0);
    atomic_store(&turn, 0);
    atomic_store(&arrived, 0);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(takes_its_turn_apply_async(pool, i, &futures[i]), FILCH_OK);
        await(&arrived, i + 1);
        while (filch_pool_running(pool) > 0) {
            filch_yield(); /* until no task runs: this one is queued */
        }
    }
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    for (int i = 0; i < 10; i++) {
        int in_order = 0;
        ck_assert_int_eq(takes_its_turn_get(futures[i], &in_order), FILCH_OK);
        ck_assert_int_eq(in_order, 1);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(locks_can_time_out_and_know_their_owner)
{
    reset(1);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_EINVAL);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_EDEADLK);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock_until(&mutex, filch_at((double)NAN)),
                     FILCH_OK); /* it is free */
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_semaphore_release(&semaphore, UINT_MAX - 1), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_release(&semaphore, 1), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_wait_group_wait(&all_done), FILCH_OK);
    ck_assert_int_eq(filch_wait_group_done(&all_done), FILCH_EINVAL);
    ck_assert_int_eq(filch_wait_group_add(&all_done, 1), FILCH_OK);
    ck_assert_int_eq(filch_wait_group_wait_until(&all_done, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_condition_wait(&condition, &mutex), FILCH_EINVAL); /* not locked */
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_condition_wait_until(&condition, &mutex, filch_in(0.01)),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_condition_wait_until(&condition, &mutex, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK); /* it was locked again */
    ck_assert_int_eq(filch_mutex_lock(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_mutex_unlock(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_semaphore_acquire(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_condition_signal(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_wait_group_wait(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_once_run(NULL, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_sleep_until(filch_in(0.001)), FILCH_OK);
    ck_assert_int_eq(filch_sleep_until(filch_at((double)NAN)), FILCH_OK);
}
END_TEST

FILCH_LOOP(works_with_a_permit, (size_t, i))
{
    wrong += filch_semaphore_acquire(&semaphore) != FILCH_OK;
    enter();
    filch_sleep(i % 3 ? 0 : 1e-4);
    filch_yield();
    leave();
    wrong += filch_semaphore_release(&semaphore, 1) != FILCH_OK;
}

START_TEST(a_semaphore_lets_so_many_in)
{
    filch_pool *pool = pool_opened(_i);
    reset(3);
    ck_assert_int_eq(works_with_a_permit_for(pool, 500), FILCH_OK);
    ck_assert_int_le(most_inside, 3);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_ETIMEDOUT);
    pool_closed(pool);
}
END_TEST

/* A queue of one, in the textbook's way. */
static int slot;
static filch_condition not_empty;
static filch_condition not_full;

FILCH_FUNCTION(void, produces, (int, n))
{
    for (int i = 1; i <= n; i++) {
        check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
        while (slot) {
            wrong += filch_condition_wait(&not_full, &mutex) != FILCH_OK;
        }
        slot = i;
        filch_condition_signal(&not_empty);
        filch_mutex_unlock(&mutex);
    }
}

FILCH_FUNCTION(long, consumes, (int, n))
{
    long sum = 0;
    for (int i = 1; i <= n; i++) {
        check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
        while (!slot) {
            wrong += filch_condition_wait(&not_empty, &mutex) != FILCH_OK;
        }
        sum += slot;
        slot = 0;
        filch_condition_signal(&not_full);
        filch_mutex_unlock(&mutex);
    }
    return sum;
}

START_TEST(conditions_pass_on_what_was_waited_for)
{
    enum { N = 300 };
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[4];
    long sums[2] = {0, 0};
    reset(0);
    not_empty = not_full = (filch_condition)FILCH_CONDITION_INIT;
    ck_assert_int_eq(consumes_apply_async(pool, N, &futures[0]), FILCH_OK);
    ck_assert_int_eq(consumes_apply_async(pool, N, &futures[1]), FILCH_OK);
    ck_assert_int_eq(produces_apply_async(pool, N, &futures[2]), FILCH_OK);
    ck_assert_int_eq(produces_apply_async(pool, N, &futures[3]), FILCH_OK);
    ck_assert_int_eq(consumes_get(futures[0], &sums[0]), FILCH_OK);
    ck_assert_int_eq(consumes_get(futures[1], &sums[1]), FILCH_OK);
    ck_assert_int_eq(produces_get(futures[2]), FILCH_OK);
    ck_assert_int_eq(produces_get(futures[3]), FILCH_OK);
    ck_assert_int_eq(sums[0] + sums[1], (long)N * (N + 1));
    ck_assert_int_eq(wrong, 0);
    for (int i = 0; i < 4; i++) {
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(void, does_one)
{
    filch_sleep(1e-4);
    enter();
    filch_wait_group_done(&all_done);
}

START_TEST(a_wait_group_waits_for_all)
{
    filch_pool *pool = pool_opened(_i);
    reset(0);
    ck_assert_int_eq(filch_wait_group_add(&all_done, TASKS), FILCH_OK);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(does_one_apply_async(pool, NULL), FILCH_OK);
    }
    ck_assert_int_eq(filch_wait_group_wait(&all_done), FILCH_OK);
    ck_assert_int_eq(inside, TASKS);
    pool_closed(pool);
}
END_TEST

static filch_once once;

static filch_status initialise(void *context)
{
    filch_sleep(0.002);
    wrong += filch_once_run(&once, initialise, context) != FILCH_EDEADLK;
    ++*(int *)context;
    return FILCH_OK;
}

FILCH_LOOP(uses_it, (size_t, i), (int *, made))
{
    (void)i;
    wrong += filch_once_run(&once, initialise, made) != FILCH_OK;
    wrong += *made != 1;
}

START_TEST(a_once_runs_once_and_all_wait_for_it)
{
    filch_pool *pool = pool_opened(_i);
    int made = 0;
    reset(0);
    once = (filch_once)FILCH_ONCE_INIT;
    ck_assert_int_eq(uses_it_for(pool, 50, &made), FILCH_OK);
    ck_assert_int_eq(made, 1);
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

static filch_status fails_to_initialise(void *context)
{
    while (filch_sleep(1e-4) == FILCH_OK && atomic_load(&inside) < 2) { /* one waits for it */
    }
    ++*(int *)context;
    return FILCH_EBUSY;
}

FILCH_FUNCTION(int, is_told, (int *, made))
{
    atomic_fetch_add(&inside, 1);
    return (int)filch_once_run(&once, fails_to_initialise, made);
}

START_TEST(a_once_that_fails_answers_its_error_to_all_callers)
{
    enum { CALLERS = 5 };
    filch_pool *pool = pool_opened(_i);
    filch_future *callers[CALLERS];
    int made = 0;
    int answer = 0;
    reset(0);
    once = (filch_once)FILCH_ONCE_INIT;
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(is_told_apply_async(pool, &made, &callers[i]), FILCH_OK);
    }
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(is_told_get(callers[i], &answer), FILCH_OK);
        ck_assert_int_eq(answer, FILCH_EBUSY);
        filch_future_free(callers[i]);
    }
    ck_assert_int_eq(filch_once_run(&once, initialise, &made), FILCH_EBUSY); /* and stays so */
    ck_assert_int_eq(made, 1);
    once = (filch_once)FILCH_ONCE_INIT;
    ck_assert_int_eq(filch_once_run(&once, initialise, &made), FILCH_OK);
    ck_assert_int_eq(made, 2);
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

static atomic_int waiting;

FILCH_FUNCTION(int, waits_for_a_permit)
{
    atomic_fetch_add(&waiting, 1);
    return (int)filch_semaphore_acquire(&semaphore);
}

FILCH_FUNCTION(int, waits_for_a_signal)
{
    atomic_fetch_add(&waiting, 1);
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    int status = (int)filch_condition_wait(&condition, &mutex);
    return filch_mutex_unlock(&mutex) == FILCH_OK ? status : -1;
}

START_TEST(cancelled_waits_end_and_leave_nothing_behind)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[2];
    int status = 0;
    reset(0);
    atomic_store(&waiting, 0);
    ck_assert_int_eq(waits_for_a_permit_apply_async(pool, &futures[0]), FILCH_OK);
    ck_assert_int_eq(waits_for_a_signal_apply_async(pool, &futures[1]), FILCH_OK);
    await(&waiting, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(filch_future_cancel(futures[i]), FILCH_OK);
        ck_assert_int_eq(filch_future_get(futures[i], &status, sizeof status), FILCH_OK);
        ck_assert_int_eq(status, FILCH_ECANCELED);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(filch_semaphore_release(&semaphore, 1), FILCH_OK); /* not lost to the dead */
    ck_assert_int_eq(filch_semaphore_acquire_until(&semaphore, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_condition_broadcast(&condition), FILCH_OK);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, waits_when_asked_to_stop)
{
    while (!filch_cancelled()) {
        filch_yield();
    }
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    int status = (int)filch_condition_wait(&condition, &mutex);
    return filch_mutex_unlock(&mutex) == FILCH_OK ? status : -1;
}

START_TEST(a_cancelled_caller_waits_for_no_signal_and_has_its_mutex)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int status = 0;
    reset(0);
    ck_assert_int_eq(waits_when_asked_to_stop_apply_async(pool, &future), FILCH_OK);
    while (!filch_future_running(future)) {
        filch_yield();
    }
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(waits_when_asked_to_stop_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_ECANCELED);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* Permits that come at the moment when waits time out are neither lost nor doubled. */
FILCH_FUNCTION(int, tries, (double, seconds))
{
    return filch_semaphore_acquire_until(&semaphore, filch_in(seconds)) == FILCH_OK;
}

START_TEST(a_permit_that_meets_a_time_out_is_not_lost)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 200; round++) {
        filch_future *future;
        int got = 0;
        reset(0);
        ck_assert_int_eq(tries_apply_async(pool, 1e-5 * (round % 10), &future), FILCH_OK);
        filch_sleep(1e-5 * (round % 7));
        ck_assert_int_eq(filch_semaphore_release(&semaphore, 1), FILCH_OK);
        ck_assert_int_eq(tries_get(future, &got), FILCH_OK);
        filch_status left = filch_semaphore_acquire_until(&semaphore, filch_in(0));
        ck_assert_int_eq(left == FILCH_OK, !got);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

/* ---- what is woken runs, whatever else does ---- */

static atomic_int goes_on;

FILCH_FUNCTION(void, yields_for_ever)
{
    atomic_fetch_add(&waiting, 1);
    while (!goes_on) {
        filch_yield();
    }
}

FILCH_FUNCTION(void, goes_on_when_it_is_done)
{
    atomic_fetch_add(&waiting, 1);
    check_int_eq(filch_wait_group_wait(&all_done), FILCH_OK);
    atomic_store(&goes_on, 1);
}

FILCH_FUNCTION(int, is_done)
{
    return (int)filch_wait_group_done(&all_done);
}

/* It was on the core that the caller has left, while the worker always has something. */
START_TEST(one_that_a_caller_has_woken_goes_on_beside_one_that_always_yields)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    for (int round = 0; round < 50; round++) {
        reset(0);
        ck_assert_int_eq(filch_wait_group_add(&all_done, 1), FILCH_OK);
        atomic_store(&waiting, 0);
        atomic_store(&goes_on, 0);
        ck_assert_int_eq(goes_on_when_it_is_done_apply_async(pool, NULL), FILCH_OK);
        await(&waiting, 1);
        while (filch_pool_running(pool) > 0) {
            filch_yield();
        }
        filch_future *yields;
        ck_assert_int_eq(yields_for_ever_apply_async(pool, &yields), FILCH_OK);
        await(&waiting, 2);
        filch_future *given;
        ck_assert_int_eq(is_done_apply_async(pool, &given), FILCH_OK);
        ck_assert_int_eq(filch_future_wait(given), FILCH_OK); /* we run it */
        filch_future_free(given);
        await(&goes_on, 1);
        ck_assert_int_eq(filch_future_wait(yields), FILCH_OK); /* or it would see the next round */
        filch_future_free(yields);
    }
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sync");
    TCase *tcase = tcase_create("sync");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_mutex_lets_one_in_at_a_time, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_mutex_serves_in_order, 0, WORKER_SWEEP);
    tcase_add_test(tcase, locks_can_time_out_and_know_their_owner);
    tcase_add_loop_test(tcase, a_semaphore_lets_so_many_in, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, conditions_pass_on_what_was_waited_for, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_group_waits_for_all, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_once_runs_once_and_all_wait_for_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_once_that_fails_answers_its_error_to_all_callers, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelled_waits_end_and_leave_nothing_behind, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cancelled_caller_waits_for_no_signal_and_has_its_mutex, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_permit_that_meets_a_time_out_is_not_lost, 0, WORKER_SWEEP);
    tcase_add_test(tcase, one_that_a_caller_has_woken_goes_on_beside_one_that_always_yields);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
