/* Waits that nothing can end are found, reported and ended; waits that can still end are not. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "debug/deadlock.h"
#include "sched/thread.h"

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

/* Takes the left fork, waits until all have theirs, and asks for the right one. */
FILCH_FUNCTION(int, dines, (int, seat), (int, seats))
{
    filch_mutex *left = &forks[seat];
    filch_mutex *right = &forks[(seat + 1) % seats];
    check_int_eq(filch_mutex_lock(left), FILCH_OK);
    filch_wait_group_done(&all_hold_one);
    check_int_eq(filch_wait_group_wait(&all_hold_one), FILCH_OK);
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
        filch_sleep(1e-3); /* so that neither runs the other's task itself */
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

START_TEST(a_wait_for_a_value_that_none_can_send_ends)
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
    ck_assert_int_eq(numbers_receive_until(box, &value, filch_in(0)),
                     FILCH_ETIMEDOUT); /* 2 was not sent */
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
    check_int_eq(filch_mutex_lock(&forks[seat]), FILCH_OK);
    filch_wait_group_done(&all_hold_one);
    check_int_eq(filch_wait_group_wait(&all_hold_one), FILCH_OK);
    filch_status status = filch_mutex_lock_until(&forks[(seat + 1) % seats], filch_in(seconds));
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

/* What ends a wait from outside of filch; each some 0.7 s later, longer than any look. */
static void wait_for_the_promise(filch_promise *promise, filch_future *promised)
{
    ck_assert_int_eq(filch_future_wait(promised), FILCH_OK);
    ck_assert_int_eq(stories, 0);
    filch_promise_free(promise);
    filch_future_free(promised);
}

static void waits_for_the_promise(filch_pool *pool, filch_promise *promise, filch_future *promised)
{
    wait_for_the_promise(promise, promised);
    pool_closed(pool);
}

/* ThreadSanitizer does not see how the C library makes the thread for a timer. */
#if !defined(__SANITIZE_THREAD__)
static void keep_promise(union sigval promise)
{
    filch_promise_set_value(promise.sival_ptr, NULL);
}

START_TEST(a_wait_that_a_timer_of_the_system_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    filch_promise *promise;
    filch_future *promised;
    timer_t timer;
    long before = allocations_alive();
    ck_assert_int_eq(filch_promise_new(0, &promise, &promised), FILCH_OK);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = keep_promise,
                             .sigev_value.sival_ptr = promise};
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    ck_assert_int_eq(
        timer_settime(timer, 0, &(struct itimerspec){.it_value.tv_nsec = 700000000}, NULL), 0);
    wait_for_the_promise(promise, promised);
    while (allocations_alive() > before) { /* the timer's thread is on its way out */
        sched_yield();
    }
    pool_closed(pool);
    ck_assert_int_eq(timer_delete(timer), 0);
}
END_TEST

#endif

static int waits_for_the_alarm(void *promise)
{
    sigset_t alarms;
    int came = 0;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    return sigwait(&alarms, &came) == 0 && came == SIGALRM &&
                   filch_promise_set_value(promise, NULL) == FILCH_OK
               ? 0
               : 1;
}

START_TEST(a_wait_that_a_thread_in_sigwait_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    filch_promise *promise;
    filch_future *promised;
    sigset_t alarms;
    thrd_t thread;
    int answer = -1;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &alarms, NULL), 0);
    ck_assert_int_eq(filch_promise_new(0, &promise, &promised), FILCH_OK);
    ck_assert_int_eq(thrd_create(&thread, waits_for_the_alarm, promise), thrd_success);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 700000}, NULL),
                     0);
    ck_assert_int_eq(filch_future_wait(promised), FILCH_OK);
    thrd_join(thread, &answer);
    ck_assert_int_eq(answer, 0);
    waits_for_the_promise(pool, promise, promised);
}
END_TEST

static pid_t write_late(int end)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
        _exit(write(end, "", 1) == 1 ? 0 : 1);
    }
    return child;
}

struct reader {
    int end;
    filch_promise *promise;
};

static int reads_and_keeps(void *context)
{
    struct reader *reader = context;
    char byte;
    filch_now(); /* it may know filch or not */
    return read(reader->end, &byte, 1) == 1 &&
                   filch_promise_set_value(reader->promise, NULL) == FILCH_OK
               ? 0
               : 1;
}

START_TEST(a_wait_that_a_thread_in_a_system_call_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    struct reader reader;
    filch_future *promised;
    thrd_t thread;
    int answer = -1;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    reader.end = ends[0];
    ck_assert_int_eq(filch_promise_new(0, &reader.promise, &promised), FILCH_OK);
    pid_t child = write_late(ends[1]);
    ck_assert_int_eq(thrd_create(&thread, reads_and_keeps, &reader), thrd_success);
    ck_assert_int_eq(filch_future_wait(promised), FILCH_OK);
    thrd_join(thread, &answer);
    ck_assert_int_eq(answer, 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    waits_for_the_promise(pool, reader.promise, promised);
}
END_TEST

FILCH_FUNCTION(int, reads_in_filch, (int, end), (filch_promise *, promise))
{
    char byte;
    return filch_read(end, &byte, 1) == 1 ? (int)filch_promise_set_value(promise, NULL) : -1;
}

START_TEST(a_wait_that_another_process_will_end_goes_on)
{
    filch_pool *pool = pool_with_story(_i);
    filch_promise *promise;
    filch_future *promised;
    filch_future *reader;
    int ends[2];
    int status = -1;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(filch_promise_new(0, &promise, &promised), FILCH_OK);
    pid_t child = write_late(ends[1]);
    ck_assert_int_eq(reads_in_filch_apply_async(pool, ends[0], promise, &reader), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(promised), FILCH_OK);
    ck_assert_int_eq(reads_in_filch_get(reader, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    filch_future_free(reader);
    close(ends[0]);
    close(ends[1]);
    waits_for_the_promise(pool, promise, promised);
}
END_TEST

/* ---- what changes while it is looked at ---- */

/* Called once, in the middle of a look. */
static void (*between_looks)(void);
static void (*after_search)(void);
static int counts;

static void call_once_only(void (**what)(void))
{
    void (*call)(void) = *what;
    *what = NULL;
    if (call) {
        call();
    }
}

/* A look asks how many threads there are before it looks, and at the end of either look at all. */
unsigned __real_filch_os_thread_count(void);
unsigned __wrap_filch_os_thread_count(void);
unsigned __wrap_filch_os_thread_count(void)
{
    if (between_looks && counts++ == 1) {
        call_once_only(&between_looks);
    }
    return __real_filch_os_thread_count();
}

/* It sorts what it has found, before it searches that for cycles and looks at these again. */
void __real_qsort(void *base, size_t n, size_t bytes, int (*compare)(const void *, const void *));
void __wrap_qsort(void *base, size_t n, size_t bytes, int (*compare)(const void *, const void *));
void __wrap_qsort(void *base, size_t n, size_t bytes, int (*compare)(const void *, const void *))
{
    call_once_only(&after_search);
    __real_qsort(base, n, bytes, compare);
}

static _Atomic(struct filch_thread *) sleeper;

static int receives_here(void *box)
{
    int value;
    atomic_store(&sleeper, filch_thread_self());
    return (int)numbers_receive(*(numbers *)box, &value);
}

static void be_awake_for_a_moment(void)
{
    filch_thread_rise(atomic_load(&sleeper));
    filch_thread_nap(atomic_load(&sleeper));
}

START_TEST(a_thread_that_was_awake_between_two_looks_may_have_woken_others)
{
    numbers box;
    thrd_t thread;
    int answer = 0;
    story[0] = '\0';
    atomic_store(&stories, 0);
    atomic_store(&sleeper, NULL);
    filch_log_to(keep_story, NULL);
    ck_assert_ptr_nonnull(filch_thread_self()); /* now filch knows all threads */
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(thrd_create(&thread, receives_here, &box), thrd_success);
    while (!atomic_load(&sleeper) || atomic_load(&atomic_load(&sleeper)->naps) % 2 == 0) {
        sched_yield();
    }
    counts = 0;
    between_looks = be_awake_for_a_moment;
    filch_deadlock_look(NULL);
    ck_assert_int_eq(stories, 0);
    while (stories == 0) { /* its own looks may come in between: they find us awake */
        filch_deadlock_look(NULL);
    }
    thrd_join(thread, &answer);
    ck_assert_int_eq(answer, FILCH_EDEADLK);
    numbers_free(box);
}
END_TEST

/* Both of a pair have a mutex and wait for the other's. */
static filch_mutex pairs[2][2];
static atomic_int hold_one;

FILCH_FUNCTION(int, wants_the_others, (int, pair), (int, me))
{
    check_int_eq(filch_mutex_lock(&pairs[pair][me]), FILCH_OK);
    atomic_fetch_add(&hold_one, 1);
    while (atomic_load(&hold_one) < 4) {
        filch_yield();
    }
    filch_status status = filch_mutex_lock(&pairs[pair][1 - me]);
    if (status == FILCH_OK) {
        filch_mutex_unlock(&pairs[pair][1 - me]);
    }
    filch_mutex_unlock(&pairs[pair][me]);
    return (int)status;
}

static bool story_has(const char *text, int times)
{
    const char *at = story;
    int n = 0;
    while ((at = strstr(at, text))) {
        at++;
        n++;
    }
    return n == times;
}

static void wait_for_waits(filch_pool *pool, const char *what, int times);

/* A thread that filch does not know: only cycles are found. */
static int stays_until(void *over)
{
    while (!atomic_load((atomic_int *)over)) {
        sched_yield();
    }
    return 0;
}

/* What one of the first pair waits for is free for it now. Another thread than the one that looks
 * does that: it has none of its locks. */
static int unlock_of_first_pair(void *unused)
{
    (void)unused;
    return (int)filch_mutex_unlock(&pairs[0][1]);
}

static void break_the_first_cycle(void)
{
    thrd_t other;
    ck_assert_int_eq(thrd_create(&other, unlock_of_first_pair, NULL), thrd_success);
    thrd_join(other, NULL);
}

START_TEST(a_cycle_that_is_broken_while_it_is_looked_at_is_none)
{
    filch_pool *pool = pool_with_story(_i);
    filch_future *futures[4];
    atomic_int over = 0;
    thrd_t unknown;
    ck_assert_int_eq(thrd_create(&unknown, stays_until, &over), thrd_success);
    memset(pairs, 0, sizeof pairs);
    atomic_store(&hold_one, 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(wants_the_others_apply_async(pool, i / 2, i % 2, &futures[i]), FILCH_OK);
    }
    wait_for_waits(pool, "waits for a mutex", 4);
    after_search = break_the_first_cycle;
    filch_deadlock_look(NULL);
    ck_assert_msg(story_has("waits for a mutex", 2), "%s", story);
    for (int i = 0; i < 4; i++) {
        int status = -1;
        ck_assert_int_eq(wants_the_others_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, i < 2 ? FILCH_OK : FILCH_EDEADLK);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(stories, 1);
    atomic_store(&over, 1);
    thrd_join(unknown, NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(one_who_waits_for_a_cycle_is_not_part_of_it)
{
    filch_pool *pool = pool_with_story(_i);
    filch_future *futures[3];
    int status = -1;
    memset(pairs, 0, sizeof pairs);
    forks[0] = (filch_mutex)FILCH_MUTEX_INIT;
    atomic_store(&hold_one, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wants_the_others_apply_async(pool, 0, i, &futures[i]), FILCH_OK);
    }
    wait_for_waits(pool, "waits for a mutex", 2);
    ck_assert_int_eq(wants_the_others_apply_async(pool, 0, 0, &futures[2]), FILCH_OK);
    wait_for_waits(pool, "waits for a mutex", 3);
    filch_deadlock_look(NULL);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(wants_the_others_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, i < 2 ? FILCH_EDEADLK : FILCH_OK);
        filch_future_free(futures[i]);
    }
    ck_assert_msg(story_has("ends with FILCH_EDEADLK", 2), "%s", story);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, spins, (atomic_int *, spinning), (atomic_int *, go))
{
    atomic_store(spinning, 1);
    while (!atomic_load(go)) {
    }
    return 0;
}

/* One worker, and that is busy: a woken task goes on later. */
START_TEST(one_whose_wait_has_ended_waits_no_more_before_it_goes_on)
{
    filch_pool *pool = pool_with_story(0);
    filch_future *futures[2];
    filch_future *spinner;
    atomic_int spinning = 0;
    atomic_int go = 0;
    int status = -1;
    memset(pairs, 0, sizeof pairs);
    atomic_store(&hold_one, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wants_the_others_apply_async(pool, 0, i, &futures[i]), FILCH_OK);
    }
    ck_assert_int_eq(spins_apply_async(pool, &spinning, &go, &spinner), FILCH_OK);
    wait_for_waits(pool, "waits for a mutex", 2);
    await(&spinning, 1);
    ck_assert_int_eq(filch_future_cancel(futures[0]), FILCH_OK);
    filch_deadlock_look(NULL);
    ck_assert_int_eq(stories, 0);
    atomic_store(&go, 1);
    while (!filch_future_ready(futures[0]) || !filch_future_ready(futures[1])) {
        sched_yield();
    }
    ck_assert_int_eq(wants_the_others_get(futures[0], &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_eq(wants_the_others_get(futures[1], &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(filch_future_wait(spinner), FILCH_OK);
    for (int i = 0; i < 2; i++) {
        filch_future_free(futures[i]);
    }
    filch_future_free(spinner);
    pool_closed(pool);
}
END_TEST

START_TEST(a_later_wait_is_not_taken_for_the_one_that_was_seen)
{
    static const struct filch_wait_kind kind = {.what = "nothing"};
    struct filch_party party = {.forever = true};
    uint32_t first = 0;
    uint32_t any = 0;
    ck_assert(!filch_party_hold(&party, &first));
    filch_party_begin_wait(&party, &kind, NULL, NULL, true);
    ck_assert(filch_party_hold(&party, &first));
    ck_assert(!filch_party_hold(&party, &any)); /* it is held */
    filch_party_let_go(&party);
    ck_assert(filch_party_hold(&party, &first));
    filch_party_let_go(&party);
    filch_party_end_wait(&party);
    ck_assert(!filch_party_hold(&party, &first));
    filch_party_begin_wait(&party, &kind, NULL, NULL, true);
    ck_assert(!filch_party_hold(&party, &first));
    ck_assert(filch_party_hold(&party, &any));
    filch_party_let_go(&party);
    filch_party_end_wait(&party);
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

static void wait_for_waits(filch_pool *pool, const char *what, int times)
{
    int n;
    do {
        sched_yield();
        n = 0;
        for (const char *at = dump_of(pool); (at = strstr(at, what)); at++) {
            n++;
        }
    } while (n < times);
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
    if (filch_deadlock_knows_threads()) {
        tcase_add_loop_test(tcase, a_wait_for_a_value_that_none_can_send_ends, 0, WORKER_SWEEP);
        tcase_add_test(tcase, a_thread_alone_cannot_wait_for_itself);
        tcase_add_loop_test(tcase, a_pool_that_is_joined_does_not_hang, 0, WORKER_SWEEP);
    }
    tcase_add_loop_test(tcase, loops_go_on_when_the_waits_of_their_elements_have_ended, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_another_thread_may_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_a_sleeping_task_will_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_another_pools_task_will_end_goes_on, 0, WORKER_SWEEP);
#if !defined(__SANITIZE_THREAD__)
    tcase_add_loop_test(tcase, a_wait_that_a_timer_of_the_system_will_end_goes_on, 0, WORKER_SWEEP);
#endif
    tcase_add_loop_test(tcase, a_wait_that_a_thread_in_sigwait_will_end_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_a_thread_in_a_system_call_will_end_goes_on, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_another_process_will_end_goes_on, 0, WORKER_SWEEP);
    if (filch_deadlock_knows_threads()) {
        tcase_add_test(tcase, a_thread_that_was_awake_between_two_looks_may_have_woken_others);
    }
    tcase_add_loop_test(tcase, a_cycle_that_is_broken_while_it_is_looked_at_is_none, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_who_waits_for_a_cycle_is_not_part_of_it, 0, WORKER_SWEEP);
    tcase_add_test(tcase, one_whose_wait_has_ended_waits_no_more_before_it_goes_on);
    tcase_add_test(tcase, a_later_wait_is_not_taken_for_the_one_that_was_seen);
    tcase_add_loop_test(tcase, a_cycle_with_a_deadline_is_left_to_the_deadline, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_dump_names_all_tasks_and_what_they_wait_for, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_signal_makes_a_dump_and_the_program_goes_on);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
