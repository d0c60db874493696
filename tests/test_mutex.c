/* Who is served when by mutexes and their conditions: one that runs may pass by one that is woken,
 * and not one that has waited for long; what is signalled stands in line for its mutex. */
#include "fixture.h"

#include <math.h>
#include <sched.h>
#include <threads.h>

#include "sched/pool.h"
#include "sync/mutex.h"

enum { WAITERS = 5, LONG_NS = 2000000 };

static filch_mutex mutex;
static filch_condition condition;
static atomic_int arrived;
static int served; /* the mutex */
static int order[2 * WAITERS];
static atomic_int wrong;
static atomic_int ended;

static void start_anew(void)
{
    mutex = (filch_mutex)FILCH_MUTEX_INIT;
    condition = (filch_condition)FILCH_CONDITION_INIT;
    atomic_store(&arrived, 0);
    atomic_store(&wrong, 0);
    served = 0;
}

static void wait_until_none_runs(filch_pool *pool)
{
    while (filch_pool_running(pool) > 0) {
        filch_yield();
    }
}

/* All that wait have waited for longer than they may be passed over. */
static void let_time_pass(void)
{
    for (double until = filch_now() + 1e-9 * LONG_NS; filch_now() < until;) {
        filch_yield();
    }
}

FILCH_FUNCTION(int, takes_a_turn, (int, number))
{
    atomic_fetch_add(&arrived, 1);
    wrong += filch_mutex_lock(&mutex) != FILCH_OK;
    order[served++] = number;
    return (int)filch_mutex_unlock(&mutex);
}

/* So many stand in line, in order; the caller has the mutex. */
static void line_up(filch_pool *pool, filch_future *futures[])
{
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(takes_a_turn_apply_async(pool, i, &futures[i]), FILCH_OK);
        await(&arrived, i + 1);
        wait_until_none_runs(pool);
    }
}

static void all_end(filch_future *futures[], int n, filch_status wanted)
{
    for (int i = 0; i < n; i++) {
        int status = -1;
        ck_assert_int_eq(filch_future_get(futures[i], &status, sizeof status), FILCH_OK);
        ck_assert_int_eq(status, wanted);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(wrong, 0);
}

START_TEST(those_that_have_waited_for_long_are_all_served_before_one_that_comes)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS];
    start_anew();
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    line_up(pool, futures);
    let_time_pass();
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(served, WAITERS);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(order[i], i);
    }
    ck_assert(!filch_mutex_starves(&mutex));
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    all_end(futures, WAITERS, FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* True: the mutex was taken again before the waiter came to it, which is served all the same. */
static bool passes_by_one(filch_pool *pool)
{
    filch_future *future;
    start_anew();
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(takes_a_turn_apply_async(pool, 0, &future), FILCH_OK);
    await(&arrived, 1);
    wait_until_none_runs(pool);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    bool passed = served == 0;
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    all_end(&future, 1, FILCH_OK);
    ck_assert_int_eq(served, 1);
    return passed;
}

START_TEST(one_that_runs_may_pass_by_one_that_is_woken)
{
    filch_pool *pool = pool_opened(_i);
    while (!passes_by_one(pool)) {
    }
    pool_closed(pool);
}
END_TEST

static atomic_int still_waiting;
static int turns_of_others; /* the mutex */

/* Has the mutex whenever others run, and takes it again at once. */
FILCH_FUNCTION(int, keeps_the_mutex)
{
    int due = -1; /* when they starved, so many turns of others had been */
    while (still_waiting > 0) {
        check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
        wrong += due == turns_of_others;
        filch_yield();
        due = filch_mutex_starves(&mutex) ? turns_of_others : -1;
        filch_mutex_unlock(&mutex);
    }
    return (int)FILCH_OK;
}

FILCH_FUNCTION(int, wants_turns, (int, times))
{
    for (int i = 0; i < times; i++) {
        check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
        turns_of_others++;
        filch_mutex_unlock(&mutex);
    }
    atomic_fetch_sub(&still_waiting, 1);
    return (int)FILCH_OK;
}

START_TEST(one_that_always_wants_the_mutex_keeps_none_out)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS + 1];
    start_anew();
    turns_of_others = 0;
    atomic_store(&still_waiting, WAITERS);
    ck_assert_int_eq(keeps_the_mutex_apply_async(pool, &futures[WAITERS]), FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(wants_turns_apply_async(pool, 10, &futures[i]), FILCH_OK);
    }
    all_end(futures, WAITERS + 1, FILCH_OK);
    ck_assert_int_eq(turns_of_others, 10 * WAITERS);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, tries_to_lock, (double, seconds))
{
    if (filch_mutex_lock_until(&mutex, filch_in(seconds)) != FILCH_OK) {
        return 0;
    }
    filch_mutex_unlock(&mutex);
    return 0;
}

START_TEST(a_mutex_that_meets_time_outs_is_not_lost)
{
    filch_pool *pool = pool_opened(_i);
    start_anew();
    for (int round = 0; round < 200; round++) {
        filch_future *futures[2];
        ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
        for (int i = 0; i < 2; i++) {
            double seconds = 1e-5 * ((round + 3 * i) % 10);
            ck_assert_int_eq(tries_to_lock_apply_async(pool, seconds, &futures[i]), FILCH_OK);
        }
        filch_sleep(1e-5 * (round % 7));
        ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
        all_end(futures, 2, FILCH_OK);
        ck_assert_int_eq(filch_mutex_lock_until(&mutex, filch_in(0)), FILCH_OK);
        ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
        ck_assert(filch_mutex_of(&mutex)->word == 0); /* no flag is left either */
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, waits_in_line)
{
    atomic_fetch_add(&arrived, 1);
    filch_status status = filch_mutex_lock(&mutex);
    return (int)(status == FILCH_OK ? filch_mutex_unlock(&mutex) : status);
}

static atomic_int is_busy;

FILCH_FUNCTION(void, keeps_the_worker_busy)
{
    atomic_store(&is_busy, 1);
    while (is_busy) {
    }
}

/* The first in line is woken by our unlock, but the worker is busy. True: the mutex is ours again;
 * False: it was given away. */
static bool passes_one_that_cannot_run_yet(filch_pool *pool, filch_future **busy)
{
    ck_assert_int_eq(keeps_the_worker_busy_apply_async(pool, busy), FILCH_OK);
    await(&is_busy, 1);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    return filch_mutex_lock_until(&mutex, filch_in(0)) == FILCH_OK;
}

/* The first in line is woken, and asked to stop before it can run; the second waits behind it.
 * False: the first had waited for too long, and was given the mutex. */
static bool woken_one_is_cancelled(filch_pool *pool)
{
    filch_future *futures[2];
    filch_future *busy;
    start_anew();
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(waits_in_line_apply_async(pool, &futures[i]), FILCH_OK);
        await(&arrived, i + 1);
        wait_until_none_runs(pool);
    }
    bool passed = passes_one_that_cannot_run_yet(pool, &busy);
    ck_assert_int_eq(filch_future_cancel(futures[0]), FILCH_OK);
    atomic_store(&is_busy, 0);
    filch_status wanted = passed ? FILCH_ECANCELED : FILCH_OK;
    all_end(futures, 1, wanted);
    if (passed) {
        ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    }
    all_end(&futures[1], 1, FILCH_OK);
    ck_assert_int_eq(filch_future_wait(busy), FILCH_OK);
    filch_future_free(busy);
    return passed;
}

START_TEST(one_that_is_woken_and_cancelled_lets_the_next_be_woken)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    while (!woken_one_is_cancelled(pool)) {
    }
    pool_closed(pool);
}
END_TEST

/* The first in line is woken, finds the mutex taken, and stands in line again. False: it had waited
 * for too long, and was given the mutex. */
static bool woken_one_comes_in_vain(filch_pool *pool)
{
    filch_future *futures[2];
    filch_future *busy;
    start_anew();
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(takes_a_turn_apply_async(pool, i, &futures[i]), FILCH_OK);
        await(&arrived, i + 1);
        wait_until_none_runs(pool);
    }
    bool passed = passes_one_that_cannot_run_yet(pool, &busy);
    atomic_store(&is_busy, 0);
    ck_assert_int_eq(filch_future_wait(busy), FILCH_OK);
    filch_future_free(busy);
    wait_until_none_runs(pool);
    if (passed) {
        ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    }
    all_end(futures, 2, FILCH_OK);
    ck_assert(order[0] == 0 && order[1] == 1);
    return passed;
}

START_TEST(one_that_is_woken_in_vain_is_the_first_in_line_again)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    while (!woken_one_comes_in_vain(pool)) {
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_last_one_in_line_that_gives_up_leaves_no_flag)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    start_anew();
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(tries_to_lock_apply_async(pool, 0.005, &future), FILCH_OK);
    all_end(&future, 1, FILCH_OK);
    ck_assert_uint_eq(filch_mutex_of(&mutex)->word % 8, 0);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- conditions ---- */

FILCH_FUNCTION(int, waits_for_the_signal, (int, number), (filch_deadline, deadline))
{
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    atomic_fetch_add(&arrived, 1);
    filch_status status = filch_condition_wait_until(&condition, &mutex, deadline);
    order[served++] = number;
    filch_mutex_unlock(&mutex);
    return (int)status;
}

static void wait_in_line(filch_pool *pool, filch_future *futures[], int n, filch_deadline deadline)
{
    for (int i = 0; i < n; i++) {
        ck_assert_int_eq(waits_for_the_signal_apply_async(pool, i, deadline, &futures[i]),
                         FILCH_OK);
        await(&arrived, i + 1);
        wait_until_none_runs(pool);
    }
}

START_TEST(those_that_are_signalled_sleep_until_they_have_their_mutex_in_order)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS];
    start_anew();
    wait_in_line(pool, futures, WAITERS, filch_never());
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    long wakes = wakes_so_far();
    ck_assert_int_eq(filch_condition_signal(&condition), FILCH_OK);
    ck_assert_int_eq(filch_condition_broadcast(&condition), FILCH_OK);
    ck_assert_int_eq(wakes_so_far(), wakes);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    all_end(futures, WAITERS, FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(order[i], i);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_broadcast_while_the_mutex_is_free_wakes_all)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS];
    start_anew();
    wait_in_line(pool, futures, WAITERS, filch_never());
    ck_assert_int_eq(filch_condition_broadcast(&condition), FILCH_OK);
    all_end(futures, WAITERS, FILCH_OK);
    ck_assert_int_eq(served, WAITERS);
    ck_assert(filch_mutex_of(&mutex)->word == 0);
    pool_closed(pool);
}
END_TEST

static filch_mutex pair[2];
static int order_of[2][WAITERS];
static int served_of[2]; /* the mutex */

FILCH_FUNCTION(int, waits_with_one_of_two, (int, number), (filch_deadline, deadline))
{
    int own = number % 2;
    check_int_eq(filch_mutex_lock(&pair[own]), FILCH_OK);
    atomic_fetch_add(&arrived, 1);
    filch_status status = filch_condition_wait_until(&condition, &pair[own], deadline);
    order_of[own][served_of[own]++] = number;
    return filch_mutex_unlock(&pair[own]) == FILCH_OK ? (int)status : -1;
}

static void start_pair_anew(void)
{
    start_anew();
    for (int i = 0; i < 2; i++) {
        pair[i] = (filch_mutex)FILCH_MUTEX_INIT;
        served_of[i] = 0;
    }
}

START_TEST(a_broadcast_has_each_stand_in_line_for_its_own_mutex)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS];
    start_pair_anew();
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(waits_with_one_of_two_apply_async(pool, i, filch_never(), &futures[i]),
                         FILCH_OK);
        await(&arrived, i + 1);
        wait_until_none_runs(pool);
    }
    ck_assert_int_eq(filch_mutex_lock(&pair[0]), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&pair[1]), FILCH_OK);
    ck_assert_int_eq(filch_condition_broadcast(&condition), FILCH_OK);
    ck_assert_int_eq(filch_mutex_unlock(&pair[1]), FILCH_OK); /* also while the first is taken */
    ck_assert_int_eq(filch_future_wait(futures[1]), FILCH_OK);
    ck_assert_int_eq(filch_mutex_unlock(&pair[0]), FILCH_OK);
    all_end(futures, WAITERS, FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        ck_assert_int_eq(order_of[i % 2][i / 2], i);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_broadcast_that_meets_time_outs_leaves_none_behind)
{
    enum { ROUNDS = 40 };
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[WAITERS];
    for (int round = 0; round < ROUNDS; round++) {
        start_pair_anew();
        for (int i = 0; i < WAITERS; i++) {
            filch_deadline deadline =
                i % 3 == 2 ? filch_never() : filch_in(1e-5 * (round % 20 + i));
            ck_assert_int_eq(waits_with_one_of_two_apply_async(pool, i, deadline, &futures[i]),
                             FILCH_OK);
        }
        await(&arrived, WAITERS);
        for (int i = 0; i < WAITERS; i++) {
            int status = -1;
            while (!filch_future_ready(futures[i])) {
                ck_assert_int_eq(filch_condition_broadcast(&condition), FILCH_OK);
                filch_yield();
            }
            ck_assert_int_eq(waits_with_one_of_two_get(futures[i], &status), FILCH_OK);
            ck_assert(status == FILCH_OK || (i % 3 != 2 && status == FILCH_ETIMEDOUT));
            filch_future_free(futures[i]);
        }
        ck_assert_int_eq(served_of[0] + served_of[1], WAITERS);
        ck_assert(filch_mutex_of(&pair[0])->word == 0 && filch_mutex_of(&pair[1])->word == 0);
    }
    pool_closed(pool);
}
END_TEST

/* True: it was signalled in time, and its deadline passed before it had the mutex. */
static bool is_signalled_in_time(filch_pool *pool)
{
    filch_future *future;
    double deadline = filch_now() + 0.02;
    start_anew();
    wait_in_line(pool, &future, 1, filch_at(deadline));
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    bool waited = served == 0;
    filch_condition_signal(&condition);
    bool in_time = waited && filch_now() < deadline;
    while (filch_now() < deadline + 0.01) {
        filch_yield();
    }
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    if (in_time) {
        all_end(&future, 1, FILCH_OK);
    } else {
        ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
        filch_future_free(future);
    }
    return in_time;
}

START_TEST(a_signal_is_not_lost_to_a_deadline_that_passes_while_the_mutex_is_waited_for)
{
    filch_pool *pool = pool_opened(_i);
    while (!is_signalled_in_time(pool)) {
    }
    pool_closed(pool);
}
END_TEST

/* One has `other` and waits for the signal; the one that signals has the mutex, wants `other`. */
static filch_mutex other;

FILCH_FUNCTION(int, waits_with_the_other)
{
    check_int_eq(filch_mutex_lock(&other), FILCH_OK);
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    atomic_fetch_add(&arrived, 1);
    filch_status status = filch_condition_wait(&condition, &mutex);
    filch_mutex_unlock(&mutex);
    filch_mutex_unlock(&other);
    return (int)status;
}

FILCH_FUNCTION(int, signals_and_wants_the_other)
{
    check_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    filch_condition_signal(&condition);
    filch_status status = filch_mutex_lock(&other);
    filch_mutex_unlock(&mutex);
    return (int)status;
}

/* A thread that filch does not know: it cannot be told that nothing can happen any more. */
static int waits_for_the_end(void *unused)
{
    (void)unused;
    while (!ended) {
        sched_yield();
    }
    return 0;
}

static void tell_nothing(void *context, filch_log_level level, const char *message)
{
    (void)context, (void)level, (void)message;
}

START_TEST(a_cycle_through_one_that_was_signalled_ends)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[2];
    thrd_t unknown;
    start_anew();
    atomic_store(&ended, 0);
    ck_assert_int_eq(thrd_create(&unknown, waits_for_the_end, NULL), thrd_success);
    other = (filch_mutex)FILCH_MUTEX_INIT;
    filch_log_to(tell_nothing, NULL);
    ck_assert_int_eq(waits_with_the_other_apply_async(pool, &futures[0]), FILCH_OK);
    await(&arrived, 1);
    ck_assert_int_eq(signals_and_wants_the_other_apply_async(pool, &futures[1]), FILCH_OK);
    all_end(&futures[1], 1, FILCH_EDEADLK);
    all_end(&futures[0], 1, FILCH_OK);
    atomic_store(&ended, 1);
    thrd_join(unknown, NULL);
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mutex");
    TCase *tcase = tcase_create("mutex");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, those_that_have_waited_for_long_are_all_served_before_one_that_comes,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_that_runs_may_pass_by_one_that_is_woken, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_that_always_wants_the_mutex_keeps_none_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_mutex_that_meets_time_outs_is_not_lost, 0, WORKER_SWEEP);
    tcase_add_test(tcase, one_that_is_woken_and_cancelled_lets_the_next_be_woken);
    tcase_add_test(tcase, one_that_is_woken_in_vain_is_the_first_in_line_again);
    tcase_add_loop_test(tcase, the_last_one_in_line_that_gives_up_leaves_no_flag, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, those_that_are_signalled_sleep_until_they_have_their_mutex_in_order,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_broadcast_while_the_mutex_is_free_wakes_all, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_broadcast_has_each_stand_in_line_for_its_own_mutex, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_broadcast_that_meets_time_outs_leaves_none_behind, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(
        tcase, a_signal_is_not_lost_to_a_deadline_that_passes_while_the_mutex_is_waited_for, 0,
        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cycle_through_one_that_was_signalled_ends, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
