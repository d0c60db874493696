/* What a signal handler may do: release a semaphore, at any moment, whatever waits. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SIGNALS = 2000 };
#else
enum { SIGNALS = 10000 }; /* 4 numbers of workers, two tests */
#endif

static filch_semaphore permits;
static atomic_int handled;
static atomic_int most; /* that many times a permit is given */
static atomic_int bad;  /* answers of a handler that should not be */

static void give_one(int signal)
{
    (void)signal;
    if (atomic_load(&handled) < atomic_load(&most)) {
        atomic_fetch_add(&bad, filch_semaphore_release(&permits, 1) != FILCH_OK);
        atomic_fetch_add(&handled, 1);
    }
}

static void handle(int signal, void (*handler)(int), int give)
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    filch_semaphore_init(&permits, 0);
    atomic_store(&handled, 0);
    atomic_store(&bad, 0);
    atomic_store(&most, give);
    ck_assert_int_eq(sigaction(signal, &action, NULL), 0);
}

/* Another process sends the signal, later than any look for a deadlock. */
static pid_t signal_later(int signal)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 800000000}, NULL);
        _exit(kill(getppid(), signal) == 0 ? 0 : 1);
    }
    return child;
}

static void nap_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void was_sent(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(a_thread_waits_for_what_a_handler_will_release)
{
    handle(SIGUSR1, give_one, 1);
    pid_t child = signal_later(SIGUSR1);
    ck_assert_int_eq(filch_semaphore_acquire(&permits), FILCH_OK);
    ck_assert_int_eq(handled, 1);
    ck_assert_int_eq(bad, 0);
    was_sent(child);
}
END_TEST

FILCH_FUNCTION(int, takes_one)
{
    return (int)filch_semaphore_acquire(&permits);
}

START_TEST(a_task_waits_for_what_a_handler_will_release)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int status = -1;
    handle(SIGUSR1, give_one, 1);
    pid_t child = signal_later(SIGUSR1);
    ck_assert_int_eq(takes_one_apply_async(pool, &future), FILCH_OK);
    ck_assert_int_eq(takes_one_get(future, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(bad, 0);
    filch_future_free(future);
    was_sent(child);
    pool_closed(pool);
}
END_TEST

/* ---- at any moment ---- */

FILCH_FUNCTION(int, takes_many, (int, count))
{
    for (int i = 0; i < count; i++) {
        if (filch_semaphore_acquire(&permits) != FILCH_OK) {
            return i;
        }
        if (i % 16 == 0) { /* what was taken goes on to another */
            if (filch_semaphore_release(&permits, 1) != FILCH_OK) {
                return i;
            }
            i--;
            filch_yield();
            if (filch_semaphore_acquire(&permits) != FILCH_OK) {
                return i;
            }
            i++;
        }
    }
    return count;
}

static int shoots(void *target)
{
    const pthread_t *thread = target;
    int shot = 0;
    while (atomic_load(&handled) < atomic_load(&most)) {
        int before = atomic_load(&handled);
        pthread_kill(*thread, SIGUSR1);
        for (int i = 0; i < 100 && atomic_load(&handled) == before; i++) {
            sched_yield();
        }
        shot++;
    }
    return shot;
}

/* What a handler may find half done. */
static void keep_busy(filch_pool *pool)
{
    filch_future *future;
    int out;
    free(malloc(100));
    if (takes_many_apply_async(pool, 0, &future) == FILCH_OK) {
        check_int_eq(takes_many_get(future, &out), FILCH_OK);
        filch_future_free(future);
    }
}

START_TEST(no_release_is_lost_whatever_a_handler_interrupts)
{
    enum { TASKS = 4, SHARE = SIGNALS / 8 };
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[TASKS];
    pthread_t self = pthread_self();
    thrd_t shooter;
    handle(SIGUSR1, give_one, SIGNALS);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(takes_many_apply_async(pool, SHARE, &futures[i]), FILCH_OK);
    }
    ck_assert_int_eq(thrd_create(&shooter, shoots, &self), thrd_success);
    for (int taken = 0; taken < SIGNALS - TASKS * SHARE; taken++) {
        check_int_eq(filch_semaphore_acquire(&permits), FILCH_OK);
        if (taken % 8 == 0) {
            check_int_eq(filch_semaphore_release(&permits, 1), FILCH_OK);
            keep_busy(pool);
            check_int_eq(filch_semaphore_acquire(&permits), FILCH_OK);
        }
    }
    for (int i = 0; i < TASKS; i++) {
        int taken = 0;
        while (!filch_future_ready(futures[i])) {
            filch_sleep(1e-4); /* a task that is awaited might be run here */
        }
        ck_assert_int_eq(takes_many_get(futures[i], &taken), FILCH_OK);
        ck_assert_int_eq(taken, SHARE);
        filch_future_free(futures[i]);
    }
    thrd_join(shooter, NULL);
    ck_assert_int_eq(bad, 0);
    ck_assert_int_eq(handled, SIGNALS);
    ck_assert_int_eq(filch_semaphore_acquire_until(&permits, filch_in(0)), FILCH_ETIMEDOUT);
    pool_closed(pool);
}
END_TEST

/* A group's owner is inside its pool, holds a core and runs tasks itself. */
START_TEST(a_handler_may_interrupt_a_thread_that_works_for_a_pool)
{
    enum { TASKS = 8, SHARE = SIGNALS / 16 };
    filch_pool *pool = pool_opened(_i);
    pthread_t self = pthread_self();
    thrd_t shooter;
    filch_status status;
    int taken[TASKS] = {0};
    handle(SIGUSR1, give_one, TASKS * SHARE);
    ck_assert_int_eq(thrd_create(&shooter, shoots, &self), thrd_success);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < TASKS; i++) {
            ck_assert_int_eq(takes_many_spawn(group, SHARE, &taken[i]), FILCH_OK);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    thrd_join(shooter, NULL);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(taken[i], SHARE);
    }
    ck_assert_int_eq(bad, 0);
    pool_closed(pool);
}
END_TEST

/* ---- what else a handler may call ---- */

/* Waits in a section that has lent its core until the other task has its permit; not for ever. No
 * second thread could be made before: the system is asked again some milliseconds later. */
FILCH_FUNCTION(bool, blocks_until, (atomic_int *, begun), (atomic_int *, done))
{
    refuse_threads(0);
    nap_ms(20);
    FILCH_BLOCKING
    {
        atomic_store(begun, 1);
        for (int i = 0; i < 5000 && !atomic_load(done); i++) {
            nap_ms(1);
        }
    }
    return atomic_load(done);
}

FILCH_FUNCTION(void, takes_one_and_says, (atomic_int *, begun), (atomic_int *, done))
{
    atomic_store(begun, 1);
    check_int_eq(filch_semaphore_acquire(&permits), FILCH_OK);
    atomic_store(done, 1);
}

/* A task waits for a permit on the only worker, which is all the threads that there are. */
static filch_future *one_that_waits(filch_pool *pool, atomic_int *done)
{
    filch_future *waits;
    atomic_int waiting = 0;
    handle(SIGUSR1, give_one, 1);
    grant_threads(1);
    ck_assert_int_eq(takes_one_and_says_apply_async(pool, &waiting, done, &waits), FILCH_OK);
    await(&waiting, 1);
    return waits;
}

/* Another keeps the worker: the handler gives the permit, for which there must be a thread. */
static void permit_comes(filch_future *keeps, atomic_int *begun, double seconds)
{
    await(begun, 1);
    nap_ms(20);
    raise(SIGUSR1);
    ck_assert_int_eq(filch_future_wait_until(keeps, filch_in(seconds)),
                     FILCH_OK); /* a worker runs it */
}

/* A handler makes no thread: one must be there, though the only worker is in a blocking section. */
START_TEST(a_task_goes_on_though_the_only_worker_blocks)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    filch_future *blocks;
    atomic_int blocking = 0;
    atomic_int done = 0;
    bool in_time = false;
    filch_future *waits = one_that_waits(pool, &done);
    ck_assert_int_eq(blocks_until_apply_async(pool, &blocking, &done, &blocks), FILCH_OK);
    permit_comes(blocks, &blocking, 100);
    ck_assert_int_eq(blocks_until_get(blocks, &in_time), FILCH_OK);
    ck_assert(in_time);
    ck_assert_int_eq(filch_future_wait(waits), FILCH_OK);
    filch_future_free(waits);
    filch_future_free(blocks);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(filch_status, waits_pinned, (filch_future *, other), (atomic_int *, begun))
{
    refuse_threads(0);
    nap_ms(20);
    filch_status pinned = filch_pin();
    atomic_store(begun, 1);
    filch_status status = filch_future_wait(other);
    filch_unpin();
    return pinned == FILCH_OK ? status : pinned;
}

/* The same of one that keeps its thread while it waits. */
START_TEST(a_task_goes_on_though_the_only_worker_is_pinned)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    filch_future *pinned;
    atomic_int begun = 0;
    atomic_int done = 0;
    filch_status status = FILCH_EINVAL;
    filch_future *waits = one_that_waits(pool, &done);
    ck_assert_int_eq(waits_pinned_apply_async(pool, waits, &begun, &pinned), FILCH_OK);
    permit_comes(pinned, &begun, 10);
    ck_assert_int_eq(waits_pinned_get(pinned, &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    filch_future_free(waits);
    filch_future_free(pinned);
    pool_closed(pool);
}
END_TEST

static filch_future *watched;
static int descriptor;
static atomic_int looked;

static void look(int signal)
{
    struct pollfd ready = {.fd = -1, .events = POLLIN};
    int value = 0;
    (void)signal;
    bool good = filch_future_ready(watched) && filch_future_successful(watched) &&
                !filch_future_cancelled(watched) &&
                filch_future_try_get(watched, &value, sizeof value) == FILCH_OK && value == 7 &&
                filch_future_fd(watched, &ready.fd) == FILCH_OK && ready.fd == descriptor &&
                poll(&ready, 1, 0) == 1;
    atomic_store(&looked, good ? 1 : -1);
}

START_TEST(a_handler_may_look_at_a_future_and_at_its_descriptor)
{
    filch_promise *promise;
    const int seven = 7;
    ck_assert_int_eq(filch_promise_new(sizeof seven, &promise, &watched), FILCH_OK);
    ck_assert_int_eq(filch_future_fd(watched, &descriptor), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_value(promise, &seven), FILCH_OK);
    handle(SIGUSR1, look, 0);
    ck_assert_int_eq(raise(SIGUSR1), 0);
    ck_assert_int_eq(looked, 1);
    filch_promise_free(promise);
    filch_future_free(watched);
}
END_TEST

START_TEST(more_permits_than_there_can_be_are_refused)
{
    filch_semaphore full;
    filch_semaphore_init(&full, (unsigned)-1);
    ck_assert_int_eq(filch_semaphore_release(&full, 1), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_semaphore_acquire(&full), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_release(&full, 1), FILCH_OK);
    ck_assert_int_eq(filch_semaphore_release(NULL, 1), FILCH_EINVAL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("signals");
    TCase *tcase = tcase_create("signals");
    tcase_set_timeout(tcase, 60);
    if (filch_os_wakes_from_handlers()) {
        tcase_add_test(tcase, a_thread_waits_for_what_a_handler_will_release);
        tcase_add_loop_test(tcase, a_task_waits_for_what_a_handler_will_release, 0, WORKER_SWEEP);
        tcase_add_test(tcase, a_task_goes_on_though_the_only_worker_blocks);
        tcase_add_test(tcase, a_task_goes_on_though_the_only_worker_is_pinned);
        tcase_add_loop_test(tcase, no_release_is_lost_whatever_a_handler_interrupts, 0,
                            WORKER_SWEEP);
        tcase_add_loop_test(tcase, a_handler_may_interrupt_a_thread_that_works_for_a_pool, 0,
                            WORKER_SWEEP);
    }
    tcase_add_test(tcase, a_handler_may_look_at_a_future_and_at_its_descriptor);
    tcase_add_test(tcase, more_permits_than_there_can_be_are_refused);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
