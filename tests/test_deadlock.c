/* Waits that nobody can end are found, told of and ended; those that somebody can end are not. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "stuck.h"

FILCH_CHANNEL(numbers, int);

static char story[20000];
static atomic_int stories;

static void keep_story(void *context, filch_log_level level, const char *message)
{
    (void)context;
    (void)level;
    if (strlen(story) + strlen(message) < sizeof story) {
        strcat(story, message);
    }
    atomic_fetch_add(&stories, 1);
}

static filch_pool *pool_with_story(int sweep)
{
    story[0] = '\0';
    atomic_store(&stories, 0);
    filch_log_to(keep_story, NULL);
    return pool_opened(sweep);
}

enum { SEATS = 5 };

static filch_mutex forks[SEATS];
static filch_wait_group all_hold_one;

static void lay_the_table(unsigned seats)
{
    for (int i = 0; i < SEATS; i++) {
        forks[i] = (filch_mutex)FILCH_MUTEX_INIT;
    }
    all_hold_one = (filch_wait_group)FILCH_WAIT_GROUP_INIT;
    filch_wait_group_add(&all_hold_one, seats);
}

/* Takes the left fork, waits until everybody has, and asks for the right one. */
FILCH_FUNCTION(int, dines, (int, seat), (int, seats))
{
    filch_mutex *left = &forks[seat];
    filch_mutex *right = &forks[(seat + 1) % seats];
    filch_mutex_lock(left);
    filch_wait_group_done(&all_hold_one);
    filch_wait_group_wait(&all_hold_one);
    filch_status status = filch_mutex_lock(right);
    if (status == FILCH_OK) {
        filch_mutex_unlock(right);
    }
    filch_mutex_unlock(left);
    return (int)status;
}

static void all_who_dine_learn_that_it_is_a_deadlock(filch_pool *pool, int seats)
{
    filch_future *futures[SEATS];
    lay_the_table((unsigned)seats);
    for (int i = 0; i < seats; i++) {
        ck_assert_int_eq(dines_apply_async(pool, i, seats, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < seats; i++) {
        int status = 0;
        ck_assert_int_eq(dines_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, FILCH_EDEADLK);
        filch_future_free(futures[i]);
    }
}

START_TEST(a_cycle_of_mutexes_ends)
{
    filch_pool *pool = pool_with_story(_i);
    all_who_dine_learn_that_it_is_a_deadlock(pool, 2);
    all_who_dine_learn_that_it_is_a_deadlock(pool, SEATS);
    ck_assert_int_eq(stories, 2);
    pool_closed(pool);
}
END_TEST

START_TEST(the_log_tells_who_waits_for_whom)
{
    filch_pool *pool = pool_with_story(_i);
    all_who_dine_learn_that_it_is_a_deadlock(pool, 2);
    const char *first = strstr(story, "dines (test_deadlock.c:");
    ck_assert_msg(first != NULL, "%s", story);
    ck_assert_ptr_nonnull(strstr(story, "deadlock"));
    ck_assert_ptr_nonnull(strstr(story, "waits for a mutex (0x"));
    ck_assert_ptr_nonnull(strstr(story, ", held by task 0x"));
    ck_assert_ptr_nonnull(strstr(story, "ends with FILCH_EDEADLK"));
    pool_closed(pool);
}
END_TEST

static filch_future *_Atomic each_other[2];

FILCH_FUNCTION(int, waits_for_the_other, (int, me))
{
    filch_future *other;
    while (!(other = atomic_load(&each_other[1 - me]))) {
        filch_sleep(1e-3);
    }
    return (int)filch_future_wait(other);
}

START_TEST(tasks_that_wait_for_each_other_end)
{
    filch_pool *pool = pool_with_story(_i);
    filch_future *futures[2];
    atomic_store(&each_other[0], NULL);
    atomic_store(&each_other[1], NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(waits_for_the_other_apply_async(pool, i, &futures[i]), FILCH_OK);
    }
    while (!filch_future_running(futures[0]) || !filch_future_running(futures[1])) {
        filch_sleep(1e-3); /* so that nobody takes up the other's task himself */
    }
    atomic_store(&each_other[0], futures[0]);
    atomic_store(&each_other[1], futures[1]);
    for (int i = 0; i < 2; i++) {
        int status = 0;
        ck_assert_int_eq(waits_for_the_other_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, FILCH_EDEADLK);
    }
    filch_future_free(futures[0]);
    filch_future_free(futures[1]);
    ck_assert_ptr_nonnull(strstr(story, "waits for a future, run by task"));
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, wants_the_first_fork)
{
    filch_status status = filch_mutex_lock(&forks[0]);
    if (status == FILCH_OK) {
        filch_mutex_unlock(&forks[0]);
    }
    return (int)status;
}

START_TEST(a_thread_that_waits_for_a_task_that_waits_for_it_ends)
{
    filch_pool *pool = pool_with_story(_i);
    filch_future *future;
    int status = 0;
    lay_the_table(0);
    ck_assert_int_eq(filch_mutex_lock(&forks[0]), FILCH_OK);
    ck_assert_int_eq(wants_the_first_fork_apply_async(pool, &future), FILCH_OK);
    while (!filch_future_running(future)) {
        filch_sleep(1e-3);
    }
    ck_assert_int_eq(wants_the_first_fork_get(future, &status), FILCH_EDEADLK);
    ck_assert_int_eq(filch_mutex_unlock(&forks[0]), FILCH_OK);
    ck_assert_int_eq(wants_the_first_fork_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_EDEADLK);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* ---- stillness ---- */

FILCH_FUNCTION(int, receives, (numbers, in))
{
    int value;
    return (int)filch_channel_receive(in.untyped, &value);
}

FILCH_FUNCTION(int, waits_for_receiver, (filch_future *, other))
{
    int status = 0;
    return receives_get(other, &status) == FILCH_OK ? status : -1;
}

START_TEST(a_wait_for_a_value_that_nobody_can_send_ends)
{
    filch_pool *pool = pool_with_story(_i);
    numbers box;
    filch_future *receiver;
    filch_future *waiter;
    int status = 0;
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(receives_apply_async(pool, box, &receiver), FILCH_OK);
    while (!filch_future_running(receiver)) {
        filch_sleep(1e-3);
    }
    ck_assert_int_eq(waits_for_receiver_apply_async(pool, receiver, &waiter), FILCH_OK);
    ck_assert_int_eq(waits_for_receiver_get(waiter, &status), FILCH_OK); /* it went on */
    ck_assert_int_eq(status, FILCH_EDEADLK);
    ck_assert_ptr_nonnull(strstr(story, "receives (test_deadlock.c:"));
    ck_assert_ptr_nonnull(strstr(story, "waits for a channel: ends"));
    filch_future_free(receiver);
    filch_future_free(waiter);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

START_TEST(a_thread_alone_cannot_wait_for_itself)
{
    filch_promise *promise;
    filch_future *future;
    numbers box;
    int value;
    filch_log_to(NULL, NULL);
    ck_assert_int_eq(numbers_new(1, &box), FILCH_OK);
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_EDEADLK);
    ck_assert_int_eq(numbers_send(box, 1), FILCH_OK);
    ck_assert_int_eq(numbers_send(box, 2), FILCH_EDEADLK);
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(numbers_receive_until(box, &value, 0), FILCH_ETIMEDOUT); /* 2 was not sent */
    ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_EDEADLK);
    filch_promise_free(promise);
    filch_future_free(future);
    numbers_free(box);
}
END_TEST

FILCH_FUNCTION(int, joins_while_the_pool_waits, (numbers, in))
{
    return receives(in);
}

START_TEST(a_pool_that_is_joined_does_not_hang)
{
    filch_pool *pool = pool_with_story(_i);
    numbers box;
    filch_future *future;
    int status = 0;
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(joins_while_the_pool_waits_apply_async(pool, box, &future), FILCH_OK);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(joins_while_the_pool_waits_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_EDEADLK);
    filch_future_free(future);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(dines_alone_with_two, (size_t, i))
{
    (void)dines((int)i % 2, 2);
}

START_TEST(loops_go_on_when_the_waits_of_their_elements_have_ended)
{
    filch_pool *pool = pool_with_story(_i);
    lay_the_table(2);
    ck_assert_int_eq(dines_alone_with_two_for(pool, 2), FILCH_OK);
    ck_assert_int_ge(stories, 1);
    pool_closed(pool);
}
END_TEST

/* ---- no false alarms ---- */

static int sends_late(void *box)
{
    thrd_sleep(&(struct timespec){.tv_nsec = 700000000}, NULL); /* longer than any look */
    return numbers_send(*(numbers *)box, 5) == FILCH_OK ? 0 : 1;
}

START_TEST(a_wait_that_another_thread_may_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    numbers box;
    filch_future *future;
    thrd_t thread;
    int status = -1;
    int answer = -1;
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(receives_apply_async(pool, box, &future), FILCH_OK);
    ck_assert_int_eq(thrd_create(&thread, sends_late, &box), thrd_success);
    ck_assert_int_eq(receives_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    thrd_join(thread, &answer);
    ck_assert_int_eq(answer, 0);
    ck_assert_int_eq(stories, 0);
    filch_future_free(future);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, sleeps_and_sends, (numbers, out), (double, seconds))
{
    filch_sleep(seconds);
    return (int)numbers_send(out, 5);
}

START_TEST(a_wait_that_a_sleeping_task_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    numbers box;
    filch_future *future;
    filch_future *sender;
    int status = -1;
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(receives_apply_async(pool, box, &future), FILCH_OK);
    ck_assert_int_eq(sleeps_and_sends_apply_async(pool, box, 0.7, &sender), FILCH_OK);
    ck_assert_int_eq(receives_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(sleeps_and_sends_get(sender, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(stories, 0);
    filch_future_free(future);
    filch_future_free(sender);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

START_TEST(a_wait_that_another_pools_task_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    filch_pool *other;
    numbers box;
    filch_future *future;
    filch_future *sender;
    int status = -1;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 1}, &other), FILCH_OK);
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(receives_apply_async(pool, box, &future), FILCH_OK);
    ck_assert_int_eq(sleeps_and_sends_apply_async(other, box, 0.7, &sender), FILCH_OK);
    ck_assert_int_eq(receives_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    filch_future_free(future);
    filch_future_free(sender);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, locks_until, (int, seat), (int, seats), (double, seconds))
{
    filch_mutex_lock(&forks[seat]);
    filch_wait_group_done(&all_hold_one);
    filch_wait_group_wait(&all_hold_one);
    filch_status status = filch_mutex_lock_until(&forks[(seat + 1) % seats], filch_now() + seconds);
    filch_mutex_unlock(&forks[seat]);
    if (status == FILCH_OK) {
        filch_mutex_unlock(&forks[(seat + 1) % seats]);
    }
    return (int)status;
}

START_TEST(a_cycle_with_a_deadline_is_left_to_the_deadline)
{
    filch_pool *pool = pool_with_story(_i);
    filch_future *patient;
    filch_future *hasty;
    int status = -1;
    lay_the_table(2);
    ck_assert_int_eq(dines_apply_async(pool, 0, 2, &patient), FILCH_OK);
    ck_assert_int_eq(locks_until_apply_async(pool, 1, 2, 0.5, &hasty), FILCH_OK);
    ck_assert_int_eq(locks_until_get(hasty, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_ETIMEDOUT);
    ck_assert_int_eq(dines_get(patient, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(stories, 0);
    filch_future_free(patient);
    filch_future_free(hasty);
    pool_closed(pool);
}
END_TEST

/* ---- dumps ---- */

static const char *dump_of(filch_pool *pool)
{
    static char text[20000];
    FILE *stream = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(filch_dump(pool, stream), FILCH_OK);
    fclose(stream);
    return text;
}

FILCH_FUNCTION(int, spins_until, (atomic_int *, flag))
{
    while (!atomic_load(flag)) {
        filch_yield();
    }
    return 0;
}

START_TEST(a_dump_names_all_tasks_and_what_they_wait_for)
{
    filch_pool *pool = pool_with_story(_i);
    numbers box;
    filch_future *futures[3];
    atomic_int stop = 0;
    lay_the_table(0);
    ck_assert_int_eq(filch_mutex_lock(&forks[0]), FILCH_OK);
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(receives_apply_async(pool, box, &futures[0]), FILCH_OK);
    ck_assert_int_eq(wants_the_first_fork_apply_async(pool, &futures[1]), FILCH_OK);
    ck_assert_int_eq(spins_until_apply_async(pool, &stop, &futures[2]), FILCH_OK);
    const char *text = "";
    while (!strstr(text, "waits for a channel") || !strstr(text, "waits for a mutex") ||
           !strstr(text, "spins_until")) {
        filch_sleep(1e-3);
        text = dump_of(pool);
    }
    ck_assert_ptr_nonnull(strstr(text, "running: "));
    ck_assert_ptr_nonnull(strstr(text, "receives (test_deadlock.c:"));
    ck_assert_ptr_nonnull(strstr(text, "held by thread "));
    ck_assert_ptr_nonnull(strstr(dump_of(NULL), "spins_until"));
    atomic_store(&stop, 1);
    ck_assert_int_eq(filch_mutex_unlock(&forks[0]), FILCH_OK);
    ck_assert_int_eq(numbers_close(box), FILCH_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
    numbers_free(box);
    ck_assert_int_eq(filch_dump(pool, NULL), FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

START_TEST(a_signal_makes_a_dump_and_the_program_goes_on)
{
    int ends[2];
    char text[4096] = "";
    ck_assert_int_eq(filch_dump_on_signal(SIGKILL), FILCH_EINVAL);
    ck_assert_int_eq(filch_dump_on_signal(0), FILCH_EINVAL);
    ck_assert_int_eq(filch_dump_on_signal(SIGQUIT), FILCH_OK);
    ck_assert_int_eq(filch_dump_on_signal(SIGQUIT), FILCH_OK);
    ck_assert_int_eq(filch_dump_on_signal(SIGUSR1), FILCH_EALREADY);
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(NULL, &pool), FILCH_OK);
    ck_assert_int_eq(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    ck_assert_int_eq(raise(SIGQUIT), 0);
    ck_assert_int_gt(read(ends[0], text, sizeof text - 1), 0);
    ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
    ck_assert_ptr_nonnull(strstr(text, "pool 0x"));
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    close(ends[0]);
    close(ends[1]);
    close(saved);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deadlock");
    TCase *tcase = tcase_create("deadlock");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_cycle_of_mutexes_ends, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_log_tells_who_waits_for_whom, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, tasks_that_wait_for_each_other_end, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_thread_that_waits_for_a_task_that_waits_for_it_ends, 0,
                        WORKER_SWEEP);
    if (filch_stuck_knows_threads()) {
        tcase_add_loop_test(tcase, a_wait_for_a_value_that_nobody_can_send_ends, 0, WORKER_SWEEP);
        tcase_add_test(tcase, a_thread_alone_cannot_wait_for_itself);
        tcase_add_loop_test(tcase, a_pool_that_is_joined_does_not_hang, 0, WORKER_SWEEP);
    }
    tcase_add_loop_test(tcase, loops_go_on_when_the_waits_of_their_elements_have_ended, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_another_thread_may_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_a_sleeping_task_will_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_another_pools_task_will_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cycle_with_a_deadline_is_left_to_the_deadline, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_dump_names_all_tasks_and_what_they_wait_for, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_signal_makes_a_dump_and_the_program_goes_on);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
