/* Signals and child processes as things to wait for. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "gates.h"

static atomic_int begun;

static void block_both(void)
{
    ck_assert_int_eq(filch_signal_block(SIGTERM), FILCH_OK);
    ck_assert_int_eq(filch_signal_block(SIGUSR1), FILCH_OK);
    atomic_store(&begun, 0);
}

FILCH_FUNCTION(int, waits_for_signal, (filch_signal *, taken))
{
    atomic_fetch_add(&begun, 1);
    return filch_signal_wait(FILCH_SIGNALS(SIGTERM, SIGUSR1), taken);
}

static int thread_waits_for_signal(void *taken)
{
    return waits_for_signal(taken);
}

START_TEST(a_signal_wakes_a_task_that_waits_for_it)
{
    block_both();
    filch_pool *pool = pool_opened(_i);
    const int signals[] = {SIGTERM, SIGUSR1};
    for (int i = 0; i < 2; i++) {
        filch_future *future;
        filch_signal taken = {0};
        int answer = 0;
        atomic_store(&begun, 0);
        ck_assert_int_eq(waits_for_signal_apply_async(pool, &taken, &future), FILCH_OK);
        await(&begun, 1);
        filch_sleep(0.003);
        ck_assert(!filch_future_ready(future));
        ck_assert_int_eq(kill(getpid(), signals[i]), 0);
        ck_assert_int_eq(waits_for_signal_get(future, &answer), FILCH_OK);
        ck_assert_int_eq(answer, signals[i]);
        ck_assert_int_eq(taken.number, signals[i]);
        ck_assert_int_eq(taken.sender, getpid());
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_signal_wakes_a_thread_of_no_pool)
{
    block_both();
    thrd_t thread;
    int answer = 0;
    ck_assert_int_eq(thrd_create(&thread, thread_waits_for_signal, NULL), thrd_success);
    await(&begun, 1);
    filch_sleep(0.003);
    ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
    thrd_join(thread, &answer);
    ck_assert_int_eq(answer, SIGUSR1);
}
END_TEST

FILCH_FUNCTION(int, serves_until_signal, (filch_future *, future), (filch_deadline, until))
{
    atomic_fetch_add(&begun, 1);
    return FILCH_FIRST(until, filch_on_signal(SIGTERM, NULL), filch_on_future(future));
}

START_TEST(a_signal_that_is_not_chosen_stays_pending)
{
    block_both();
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future *future;
    int chosen = -1;
    unsigned turn = 0;
    ck_assert_int_eq(
        serves_until_signal_apply_async(pool, gates.futures[0], filch_never(), &future), FILCH_OK);
    await(&begun, 1);
    filch_sleep(0.003);
    open_gate(&gates, 0);
    ck_assert_int_eq(serves_until_signal_get(future, &chosen), FILCH_OK);
    ck_assert_int_eq(chosen, 1);
    ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
    filch_case cases[] = {filch_on_signal(SIGTERM, NULL), filch_on_future(gates.futures[0])};
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), &turn), 1);
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), &turn), 0);
    ck_assert_int_eq(filch_first(cases, 1, filch_in(0), &turn), -FILCH_ETIMEDOUT); /* taken */
    filch_future_free(future);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(a_wait_for_a_signal_ends_in_time_and_when_cancelled)
{
    block_both();
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_status status;
    int chosen = 0;
    ck_assert_int_eq(filch_signal_wait_until(FILCH_SIGNALS(SIGTERM), filch_in(0.002), NULL),
                     -FILCH_ETIMEDOUT);
    ck_assert_int_eq(serves_until_signal_apply(pool, gates.futures[0], filch_in(0.002), &chosen),
                     FILCH_OK);
    ck_assert_int_eq(chosen, -FILCH_ETIMEDOUT);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(serves_until_signal_spawn(group, gates.futures[0], filch_never(), &chosen),
                         FILCH_OK);
        while (atomic_load(&begun) < 2) {
            filch_sleep(1e-3);
        }
        filch_group_cancel(group);
    }
    ck_assert_int_eq(chosen, -FILCH_ECANCELED);
    gates_free(&gates);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(what_is_no_signal_or_no_child_is_refused)
{
    const int none[] = {0};
    int wait_status = 0;
    ck_assert_int_eq(filch_signal_block(0), FILCH_EINVAL);
    ck_assert_int_eq(filch_signal_block(10000), FILCH_EINVAL);
    ck_assert_int_eq(filch_signal_wait(NULL, NULL), -FILCH_EINVAL);
    ck_assert_int_eq(filch_signal_wait(none, NULL), -FILCH_EINVAL);
    ck_assert_int_eq(filch_signal_wait(FILCH_SIGNALS(SIGTERM, -3), NULL), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_process(0, NULL)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_never(), filch_on_process(getpid(), &wait_status)), 0);
    ck_assert_int_eq(wait_status, -ECHILD);
}
END_TEST

/* ---- children ---- */

/* One that ends with `code` when it reads, or its pipe is closed. */
static pid_t child_that_reads(int ends[2], int code)
{
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) >= 0 ? code : 99);
    }
    close(ends[0]);
    return child;
}

FILCH_FUNCTION(int, waits_for_child, (pid_t, child), (filch_deadline, until))
{
    int wait_status = -1;
    atomic_fetch_add(&begun, 1);
    int chosen = FILCH_FIRST(until, filch_on_process(child, &wait_status));
    return chosen == 0 ? wait_status : chosen;
}

START_TEST(a_child_that_ends_wakes_its_waiter_and_is_reaped)
{
    filch_pool *pool = pool_opened(_i);
    int ends[2];
    pid_t child = child_that_reads(ends, 7);
    filch_future *future;
    int answer = -1;
    atomic_store(&begun, 0);
    ck_assert_int_eq(waits_for_child_apply(pool, child, filch_in(0.002), &answer), FILCH_OK);
    ck_assert_int_eq(answer, -FILCH_ETIMEDOUT);
    ck_assert_int_eq(waits_for_child_apply_async(pool, child, filch_never(), &future), FILCH_OK);
    await(&begun, 2);
    filch_sleep(0.003);
    ck_assert(!filch_future_ready(future));
    close(ends[1]);
    ck_assert_int_eq(waits_for_child_get(future, &answer), FILCH_OK);
    ck_assert(WIFEXITED(answer) && WEXITSTATUS(answer) == 7);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), -1); /* no zombie is left */
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(a_child_that_is_not_chosen_is_not_reaped)
{
    int ends[2];
    pid_t child = child_that_reads(ends, 0);
    siginfo_t about;
    unsigned turn = 0;
    close(ends[1]);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &about, WEXITED | WNOWAIT), 0);
    filch_case cases[] = {filch_on_process(child, NULL), filch_on_time(filch_in(0))};
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), &turn), 1);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &about, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), &turn), 0);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signal_waits");
    TCase *tcase = tcase_create("signal_waits");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_signal_wakes_a_task_that_waits_for_it, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_signal_wakes_a_thread_of_no_pool);
    tcase_add_loop_test(tcase, a_signal_that_is_not_chosen_stays_pending, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_for_a_signal_ends_in_time_and_when_cancelled, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, what_is_no_signal_or_no_child_is_refused);
    tcase_add_loop_test(tcase, a_child_that_ends_wakes_its_waiter_and_is_reaped, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_child_that_is_not_chosen_is_not_reaped);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
