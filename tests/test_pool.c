/* Pools: opening, closing, several at once, what they cost when idle. */
#define _GNU_SOURCE
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "sched/pool.h"
#include "sched/process.h"

FILCH_FUNCTION(int, identity, (int, x))
{
    return x;
}

FILCH_FUNCTION(int, nap, (double, seconds))
{
    return (int)filch_sleep(seconds);
}

START_TEST(defaults_are_resolved_and_can_be_asked_for)
{
    filch_pool *pool;
    unsetenv("FILCH_WORKERS");
    ck_assert_int_eq(filch_pool_open(NULL, &pool), FILCH_OK);
    ck_assert_uint_eq(filch_pool_workers(pool), filch_cpu_count());
    ck_assert_uint_ge(filch_pool_stack_bytes(pool), 1 << 20);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_uint_ge(filch_cpu_count(), 1);
    ck_assert(filch_cpu_count_reason()[0] != '\0');
}
END_TEST

START_TEST(the_environment_sets_the_default_number_of_workers)
{
    static const struct {
        const char *text;
        unsigned workers; /* 0: ignored */
    } cases[] = {{"3", 3}, {"0", 0}, {"-1", 0}, {"", 0}, {"x", 0}, {"4x", 0}, {"99999999999", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        filch_pool *pool;
        setenv("FILCH_WORKERS", cases[i].text, 1);
        ck_assert_int_eq(filch_pool_open(NULL, &pool), FILCH_OK);
        ck_assert_uint_eq(filch_pool_workers(pool),
                          cases[i].workers ? cases[i].workers : filch_cpu_count());
        ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    }
}
END_TEST

static void default_pool_would_have(unsigned workers)
{
    char line[80], expected[80];
    ck_assert_uint_eq(filch_pool_workers(NULL), workers);
    snprintf(expected, sizeof expected, "<filch_pool state=unopened workers=%u>", workers);
    ck_assert_int_eq(filch_pool_repr(NULL, line, sizeof line), (int)strlen(expected));
    ck_assert_str_eq(line, expected);
    ck_assert_ptr_null(filch_process()->default_pool);
}

/* The default pool was opened by its first use: as was said before. */
static void default_pool_has(unsigned workers, size_t stack_bytes)
{
    char line[80], expected[80];
    int out;
    ck_assert_int_eq(identity_apply(NULL, 1, &out), FILCH_OK);
    ck_assert_uint_eq(filch_pool_workers(NULL), workers);
    ck_assert_uint_eq(filch_process()->default_pool->config.workers, workers);
    ck_assert_uint_eq(filch_pool_stack_bytes(NULL), stack_bytes);
    snprintf(expected, sizeof expected, "<filch_pool state=running workers=%u>", workers);
    ck_assert_int_eq(filch_pool_repr(NULL, line, sizeof line), (int)strlen(expected));
    ck_assert_str_eq(line, expected);
}

START_TEST(the_default_pool_says_what_it_will_have_before_it_is_opened)
{
    unsetenv("FILCH_WORKERS");
    default_pool_would_have(filch_cpu_count());
    setenv("FILCH_WORKERS", "a few", 1);
    default_pool_would_have(filch_cpu_count());
    setenv("FILCH_WORKERS", "5", 1);
    default_pool_would_have(5);
    size_t stack_bytes = filch_pool_stack_bytes(NULL);
    ck_assert_uint_ge(stack_bytes, filch_stack_bytes_min());
    default_pool_has(5, stack_bytes);
    setenv("FILCH_WORKERS", "6", 1); /* it is open: too late */
    default_pool_has(5, stack_bytes);
}
END_TEST

START_TEST(in_the_child_of_a_fork_the_default_pool_is_that_of_the_child)
{
    setenv("FILCH_WORKERS", "3", 1);
    default_pool_has(3, filch_pool_stack_bytes(NULL));
    setenv("FILCH_WORKERS", "4", 1);
    pid_t child = fork();
    if (child == 0) {
        char line[80];
        int out;
        bool is_said = filch_pool_workers(NULL) == 4 &&
                       filch_pool_repr(NULL, line, sizeof line) > 0 &&
                       strcmp(line, "<filch_pool state=unopened workers=4>") == 0;
        bool is_so = identity_apply(NULL, 1, &out) == FILCH_OK && filch_pool_workers(NULL) == 4;
        _exit(is_said && is_so ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_uint_eq(filch_pool_workers(NULL), 3);
}
END_TEST

START_TEST(opening_makes_no_thread)
{
    filch_pool *pool = pool_opened(3);
    ck_assert_uint_eq(pool->thread_count, 0);
    pool_closed(pool);
}
END_TEST

START_TEST(eager_threads_are_there_at_once)
{
    filch_pool_options options = {.processes = 3, .eager_threads = 1};
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(&options, &pool), FILCH_OK);
    ck_assert_uint_eq(pool->thread_count, 3);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(a_closed_pool_refuses_work_and_completes_what_it_has)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int in = 1;
    int out = 0;
    ck_assert_int_eq(nap_apply_async(pool, 0.01, &future), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_EBUSY);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(identity_apply(pool, 1, &out), FILCH_ECLOSED);
    ck_assert_int_eq(identity_apply_async(pool, 1, NULL), FILCH_ECLOSED);
    ck_assert_int_eq(identity_map(pool, &in, 1, &out), FILCH_ECLOSED);
    ck_assert_int_eq(identity_map(pool, &in, 0, &out), FILCH_ECLOSED);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(nap_get(future, &out), FILCH_OK);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(terminate_cancels_what_waits_and_wakes_what_sleeps)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *sleeping[20];
    filch_future *waiting;
    filch_future *promised;
    filch_promise *promise;
    int out = 0;
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(nap_apply_async(pool, 1000, &sleeping[i]), FILCH_OK);
    }
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &promised), FILCH_OK);
    ck_assert_int_eq(identity_apply_async(pool, 1, &waiting), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(waiting, filch_in(1000)), FILCH_OK);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    for (int i = 0; i < 20; i++) {
        ck_assert(filch_future_ready(sleeping[i]));
        filch_status status = nap_get(sleeping[i], &out); /* begun and woken, or never begun */
        ck_assert(status == FILCH_ECANCELED || (status == FILCH_OK && out == FILCH_ECANCELED));
        filch_future_free(sleeping[i]);
    }
    filch_future_free(waiting);
    filch_future_free(promised);
    filch_promise_free(promise);
    pool_closed(pool);
}
END_TEST

static filch_future *never;

FILCH_FUNCTION(int, waits_for_ever)
{
    return (int)filch_future_wait(never);
}

START_TEST(terminate_ends_a_wait_for_an_outside_promise)
{
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *future;
    int out = 0;
    ck_assert_int_eq(filch_promise_new(0, &promise, &never), FILCH_OK);
    ck_assert_int_eq(waits_for_ever_apply_async(pool, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    filch_status status = waits_for_ever_get(future, &out);
    ck_assert(status == FILCH_ECANCELED || (status == FILCH_OK && out == FILCH_ECANCELED));
    filch_future_free(future);
    filch_future_free(never);
    filch_promise_free(promise);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, waits_twice, (int, i))
{
    if (i % 4 == 0 && filch_pin() != FILCH_OK) { /* a thread that waits is found as well */
        return -1;
    }
    for (volatile int spin = 0; spin < i * 50; spin++) {
    }
    filch_status first = filch_future_wait(never);
    filch_status second = filch_future_wait(never); /* begun too late to be found */
    return first == FILCH_ECANCELED && second == FILCH_ECANCELED ? 1 : -1;
}

/* Waits without a deadline are in no list: none may be missed, whenever it begins. */
START_TEST(terminate_ends_waits_that_begin_at_the_same_time)
{
    enum { ROUNDS = 40, TASKS = 60 };
    filch_promise *promise;
    ck_assert_int_eq(filch_promise_new(0, &promise, &never), FILCH_OK);
    for (int round = 0; round < ROUNDS; round++) {
        filch_pool *pool = pool_opened(_i);
        filch_future *futures[TASKS];
        for (int i = 0; i < TASKS; i++) {
            ck_assert_int_eq(waits_twice_apply_async(pool, i, &futures[i]), FILCH_OK);
        }
        for (volatile int spin = 0; spin < round * 2000; spin++) {
        }
        ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
        ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
        for (int i = 0; i < TASKS; i++) {
            int out = 0;
            filch_status status = waits_twice_get(futures[i], &out); /* or it never began */
            ck_assert(status == FILCH_ECANCELED || (status == FILCH_OK && out == 1));
            filch_future_free(futures[i]);
        }
        pool_closed(pool);
    }
    filch_future_free(never);
    filch_promise_free(promise);
}
END_TEST

FILCH_FUNCTION(int, closes_from_inside, (filch_pool *, pool))
{
    return (filch_pool_close(pool) == FILCH_OK) + (filch_pool_join(pool) == FILCH_EDEADLK) +
           (filch_pool_free(pool) == FILCH_EDEADLK);
}

START_TEST(a_task_cannot_join_its_own_pool)
{
    filch_pool *pool = pool_opened(_i);
    int out = 0;
    ck_assert_int_eq(closes_from_inside_apply(pool, pool, &out), FILCH_OK);
    ck_assert_int_eq(out, 3);
    pool_closed(pool);
}
END_TEST

static int leave_by(int way)
{
    filch_status status = FILCH_EINVAL;
    FILCH_WITH_POOL(pool, NULL, &status) {
        if (way == 0) {
            break;
        }
        if (way == 1) {
            return (int)filch_pool_workers(pool);
        }
    }
    return status == FILCH_OK ? 0 : -1;
}

START_TEST(with_pool_closes_on_every_way_out)
{
    filch_pool *warm = pool_opened(0);
    pool_closed(warm);
    long before = allocations_alive();
    for (int way = 0; way < 3; way++) {
        ck_assert_int_ge(leave_by(way), 0);
        ck_assert_int_eq(allocations_alive(), before);
    }
    filch_pool_options bad = {.processes = FILCH_WORKERS_MAX + 1};
    filch_status status = FILCH_OK;
    FILCH_WITH_POOL(pool, &bad, &status) {
        ck_abort_msg("the body must be skipped");
    }
    ck_assert_int_eq(status, FILCH_EINVAL);
}
END_TEST

/* ---- fairness ---- */

FILCH_FUNCTION(int, yields_until, (atomic_int *, flag))
{
    int yields = 0;
    while (!atomic_load(flag)) {
        filch_yield();
        yields++;
    }
    return yields;
}

FILCH_FUNCTION(void, raise_flag, (atomic_int *, flag))
{
    atomic_store(flag, 1);
}

START_TEST(tasks_that_yield_in_a_loop_let_work_from_outside_run)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int flag = 0;
    filch_future *yielding[3];
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(yields_until_apply_async(pool, &flag, &yielding[i]), FILCH_OK);
    }
    ck_assert_int_eq(filch_future_wait_until(yielding[0], filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(raise_flag_apply_async(pool, &flag, NULL), FILCH_OK);
    for (int i = 0; i < 3; i++) {
        int yields = 0;
        ck_assert_int_eq(filch_future_wait_until(yielding[i], filch_in(60)), FILCH_OK);
        ck_assert_int_eq(yields_until_get(yielding[i], &yields), FILCH_OK);
        filch_future_free(yielding[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- several pools ---- */

static filch_pool *pools[2];
static int play(int depth);

FILCH_FUNCTION(int, ping, (int, depth))
{
    return play(depth);
}

static int play(int depth)
{
    int below = -1;
    if (depth == 0) {
        return 0;
    }
    if (ping_apply(pools[depth % 2], depth - 1, &below) != FILCH_OK) {
        return filch_raise(1, "at %d", depth), -1;
    }
    return below + 1;
}

START_TEST(two_pools_may_call_into_each_other)
{
    int result = 0;
    pools[0] = pool_opened(_i);
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers_of(_i)}, &pools[1]),
                     FILCH_OK);
    for (int round = 0; round < 10; round++) {
        ck_assert_int_eq(ping_apply(pools[0], 100, &result), FILCH_OK);
        ck_assert_int_eq(result, 100);
    }
    ck_assert_int_eq(filch_pool_free(pools[1]), FILCH_OK);
    pool_closed(pools[0]);
}
END_TEST

static int map_in_a_thread(void *pool)
{
    int in[500];
    int out[500];
    int wrong = 0;
    for (int i = 0; i < 500; i++) {
        in[i] = i;
    }
    for (int round = 0; round < 50; round++) {
        wrong += identity_map(pool, in, 500, out) != FILCH_OK;
        for (int i = 0; i < 500; i++) {
            wrong += out[i] != i;
        }
    }
    return wrong;
}

START_TEST(many_threads_may_share_a_pool)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t threads[6];
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], map_in_a_thread, pool), thrd_success);
    }
    for (int i = 0; i < 6; i++) {
        int wrong = -1;
        thrd_join(threads[i], &wrong);
        ck_assert_int_eq(wrong, 0);
    }
    pool_closed(pool);
}
END_TEST

static int nap_in_a_thread(void *pool)
{
    int out;
    return (int)nap_apply(pool, 0.05, &out);
}

START_TEST(more_threads_than_spare_cores_still_get_their_work_done)
{
    enum { THREADS = FILCH_POOL_SPARES + 20 };
    filch_pool *pool = pool_opened(0);
    thrd_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], i % 2 ? nap_in_a_thread : map_in_a_thread, pool),
                         thrd_success);
    }
    for (int i = 0; i < THREADS; i++) {
        int result = -1;
        thrd_join(threads[i], &result);
        ck_assert_int_eq(result, 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_submission_races_a_close_and_is_run_or_refused)
{
    for (int round = 0; round < 200; round++) {
        filch_pool *pool = pool_opened(_i);
        filch_future *futures[20];
        int accepted = 0;
        thrd_t closer;
        ck_assert_int_eq(thrd_create(&closer, (thrd_start_t)(void (*)(void))filch_pool_close, pool),
                         thrd_success);
        while (accepted < 20 &&
               identity_apply_async(pool, accepted, &futures[accepted]) == FILCH_OK) {
            accepted++;
        }
        thrd_join(closer, NULL);
        for (int i = 0; i < accepted; i++) {
            int out = -1;
            ck_assert_int_eq(identity_get(futures[i], &out), FILCH_OK);
            ck_assert_int_eq(out, i);
            filch_future_free(futures[i]);
        }
        pool_closed(pool);
    }
}
END_TEST

START_TEST(ten_thousand_pools_leave_nothing_behind)
{
    for (int round = 0; round < 10000; round++) {
        filch_pool *pool = pool_opened(1);
        if (round % 50 == 0) {
            ck_assert_int_eq(identity_apply_async(pool, 1, NULL), FILCH_OK);
        }
        pool_closed(pool);
    }
}
END_TEST

/* ---- identity ---- */

FILCH_FUNCTION(unsigned, who)
{
    return filch_worker_id();
}

START_TEST(workers_have_numbers)
{
    filch_pool *pool = pool_opened(_i);
    unsigned id = 0;
    ck_assert_uint_eq(filch_worker_id(), 0);
    ck_assert_int_eq(who_apply(pool, &id), FILCH_OK);
    ck_assert_uint_ge(id, 1);
    ck_assert_uint_ge(filch_thread_id(), 1);
    pool_closed(pool);
}
END_TEST

/* ---- process ---- */

START_TEST(an_idle_pool_uses_no_processor_time)
{
    filch_pool *pool = pool_opened(_i);
    int out;
    ck_assert_int_eq(nap_apply_async(pool, 0.001, NULL), FILCH_OK);
    ck_assert_int_eq(nap_apply(pool, 0.01, &out), FILCH_OK);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_SELF, &before);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    getrusage(RUSAGE_SELF, &after);
    /* By count: no thread woke up but this one from its sleep, and ThreadSanitizer's own. */
#if !defined(__SANITIZE_THREAD__)
    ck_assert_int_le(after.ru_nvcsw - before.ru_nvcsw, 3);
#endif
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, exits, (int, code))
{
    exit(code);
}

/* A process that exits in the middle of its work has memory in use: LeakSanitizer, asked here, is
 * not to call that a leak. */
static bool exits_in_the_middle;
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return exits_in_the_middle;
}

START_TEST(exit_in_a_task_ends_the_process)
{
    filch_pool *pool = pool_opened(_i);
    pid_t child = fork();
    if (child == 0) {
        filch_pool *mine;
        int out;
        exits_in_the_middle = true;
        check_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers_of(_i)}, &mine),
                     FILCH_OK);
        check_int_eq(nap_apply_async(mine, 1000, NULL), FILCH_OK);
        check_int_eq(exits_apply_async(mine, 23, NULL), FILCH_OK);
        any_status(nap_apply(mine, 1000, &out));
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 23);
    pool_closed(pool);
}
END_TEST

static int in_the_child(filch_pool *pool)
{
    int out = 0;
    filch_pool *fresh;
    if (identity_apply(pool, 1, &out) != FILCH_EFORKED ||
        identity_apply_async(pool, 1, NULL) != FILCH_EFORKED ||
        filch_pool_close(pool) != FILCH_EFORKED || filch_pool_join(pool) != FILCH_EFORKED ||
        filch_pool_terminate(pool) != FILCH_EFORKED || filch_pool_free(pool) != FILCH_EFORKED) {
        return 1;
    }
    if (filch_pool_open(NULL, &fresh) != FILCH_OK || identity_apply(fresh, 7, &out) != FILCH_OK ||
        out != 7 || filch_pool_free(fresh) != FILCH_OK) {
        return 2;
    }
    return identity_apply(NULL, 8, &out) == FILCH_OK && out == 8 ? 0 : 3;
}

START_TEST(after_fork_the_child_gets_new_pools_and_the_parent_keeps_its_own)
{
    filch_pool *pool = pool_opened(_i);
    int out = 0;
    ck_assert_int_eq(identity_apply(NULL, 1, &out), FILCH_OK); /* opens the default pool */
    for (int round = 0; round < 5; round++) {
        check_int_eq(nap_apply_async(pool, 0.001, NULL), FILCH_OK);
        pid_t child = fork();
        if (child == 0) {
            _exit(in_the_child(pool));
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        ck_assert_int_eq(identity_apply(pool, round, &out), FILCH_OK);
        ck_assert_int_eq(out, round);
    }
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

/* Neither sanitizer's own locks are made for the fork of a process with busy threads. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static int open_and_close_all_the_time(void *stop)
{
    while (!atomic_load((atomic_bool *)stop)) {
        filch_pool *pool;
        int out;
        check_int_eq(filch_pool_open(NULL, &pool), FILCH_OK);
        check_int_eq(identity_apply(pool, 1, &out), FILCH_OK);
        filch_pool_free(pool);
    }
    return 0;
}

/* A fork may find the process object's lock held by a thread that the child does not have. */
START_TEST(forks_at_any_moment_do_not_hang_the_child)
{
    atomic_bool stop = false;
    thrd_t busy;
    int out;
    ck_assert_int_eq(identity_apply(NULL, 1, &out), FILCH_OK);
    ck_assert_int_eq(thrd_create(&busy, open_and_close_all_the_time, &stop), thrd_success);
    for (int round = 0; round < 300; round++) {
        pid_t child = fork();
        if (child == 0) {
            filch_pool *fresh;
            _exit(filch_pool_open(NULL, &fresh) == FILCH_OK &&
                          identity_apply(fresh, 7, &out) == FILCH_OK && out == 7
                      ? 0
                      : 1);
        }
        int status;
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status));
        ck_assert_int_eq(WEXITSTATUS(status), 0);
    }
    atomic_store(&stop, true);
    thrd_join(busy, NULL);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("pool");
    TCase *tcase = tcase_create("pool");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, defaults_are_resolved_and_can_be_asked_for);
    tcase_add_test(tcase, the_environment_sets_the_default_number_of_workers);
    tcase_add_test(tcase, the_default_pool_says_what_it_will_have_before_it_is_opened);
    tcase_add_test(tcase, in_the_child_of_a_fork_the_default_pool_is_that_of_the_child);
    tcase_add_test(tcase, opening_makes_no_thread);
    tcase_add_test(tcase, eager_threads_are_there_at_once);
    tcase_add_loop_test(tcase, a_closed_pool_refuses_work_and_completes_what_it_has, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, terminate_cancels_what_waits_and_wakes_what_sleeps, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, terminate_ends_a_wait_for_an_outside_promise, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, terminate_ends_waits_that_begin_at_the_same_time, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_cannot_join_its_own_pool, 0, WORKER_SWEEP);
    tcase_add_test(tcase, with_pool_closes_on_every_way_out);
    tcase_add_loop_test(tcase, tasks_that_yield_in_a_loop_let_work_from_outside_run, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, two_pools_may_call_into_each_other, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, many_threads_may_share_a_pool, 0, WORKER_SWEEP);
    tcase_add_test(tcase, more_threads_than_spare_cores_still_get_their_work_done);
    tcase_add_loop_test(tcase, a_submission_races_a_close_and_is_run_or_refused, 0, WORKER_SWEEP);
    tcase_add_test(tcase, ten_thousand_pools_leave_nothing_behind);
    tcase_add_loop_test(tcase, workers_have_numbers, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_idle_pool_uses_no_processor_time, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, exit_in_a_task_ends_the_process, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, after_fork_the_child_gets_new_pools_and_the_parent_keeps_its_own, 0,
                        WORKER_SWEEP);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, forks_at_any_moment_do_not_hang_the_child);
#endif
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
