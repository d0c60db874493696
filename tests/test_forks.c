/* The child of a fork(): nothing that the parent has under way ends there, and no wait hangs. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "debug/deadlock.h"

FILCH_CHANNEL(numbers, int);

enum { LONG_S = 20 }; /* a child that takes that long hangs */

/* The line at which a child found something wrong, 0: it did not. */
#define wrong_unless(condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            _exit(__LINE__ % 250 + 1);                                                             \
        }                                                                                          \
    } while (0)

static pid_t child_begins(void)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(LONG_S);
    }
    return child;
}

static void child_ends_well(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child was ended by signal %d", WTERMSIG(status));
    ck_assert_msg(WEXITSTATUS(status) == 0, "the child found line %d + 250 n wrong",
                  WEXITSTATUS(status) - 1);
}

/* ---- a parent with something of each kind under way ---- */

static numbers gate; /* closed: all go on */
static atomic_int at_the_gate;
static filch_mutex held;
static filch_once running;

static void wait_at_the_gate(void)
{
    int value;
    atomic_fetch_add(&at_the_gate, 1);
    any_status(numbers_receive(gate, &value)); /* in a child it is refused */
}

FILCH_FUNCTION(int, waits, (int, x))
{
    wait_at_the_gate();
    return x;
}

FILCH_FUNCTION(int, holds_the_mutex)
{
    check_int_eq(filch_mutex_lock(&held), FILCH_OK);
    wait_at_the_gate();
    filch_mutex_unlock(&held);
    return 0;
}

static filch_status wait_once(void *context)
{
    (void)context;
    wait_at_the_gate();
    return FILCH_OK;
}

FILCH_FUNCTION(int, runs_the_once)
{
    check_int_eq(filch_once_run(&running, wait_once, NULL), FILCH_OK);
    return 0;
}

enum { BUSY = 3 };

struct parent {
    filch_pool *pool;
    filch_future
        *busy[BUSY]; /* tasks at the gate: one waits, one has the mutex, one runs the once */
    filch_promise *promise;
    filch_future *promised;
    filch_future *all;
    filch_completions *set;
    filch_iterator *iterator;
    filch_inbox *inbox;
    numbers empty;
    numbers full;
    filch_semaphore none;
    filch_wait_group undone;
};

static void parent_opens(struct parent *parent, int sweep)
{
    static const int one[1] = {1};
    atomic_store(&at_the_gate, 0);
    held = (filch_mutex)FILCH_MUTEX_INIT;
    running = (filch_once)FILCH_ONCE_INIT;
    *parent = (struct parent){.pool = pool_opened(sweep)};
    ck_assert_int_eq(numbers_new(0, &gate), FILCH_OK);
    ck_assert_int_eq(numbers_new(1, &parent->empty), FILCH_OK);
    ck_assert_int_eq(numbers_new(1, &parent->full), FILCH_OK);
    ck_assert_int_eq(numbers_send(parent->full, 5), FILCH_OK);
    ck_assert_int_eq(filch_promise_new(0, &parent->promise, &parent->promised), FILCH_OK);
    ck_assert_int_eq(waits_apply_async(parent->pool, 1, &parent->busy[0]), FILCH_OK);
    ck_assert_int_eq(holds_the_mutex_apply_async(parent->pool, &parent->busy[1]), FILCH_OK);
    ck_assert_int_eq(runs_the_once_apply_async(parent->pool, &parent->busy[2]), FILCH_OK);
    ck_assert_int_eq(filch_when_all(parent->busy, BUSY, &parent->all), FILCH_OK);
    ck_assert_int_eq(filch_as_completed(parent->busy, BUSY, &parent->set), FILCH_OK);
    ck_assert_int_eq(waits_imap(parent->pool, one, 1, NULL, &parent->iterator), FILCH_OK);
    ck_assert_int_eq(filch_inbox_new(parent->pool, &parent->inbox), FILCH_OK);
    filch_semaphore_init(&parent->none, 0);
    filch_wait_group_add(&parent->undone, 1);
    await(&at_the_gate, BUSY + 1);
    filch_sleep(0.01); /* they sleep, and so do the workers: a child of busy ones is another test */
}

static void parent_closes(struct parent *parent)
{
    int value;
    ck_assert_int_eq(numbers_close(gate), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(parent->all), FILCH_OK);
    ck_assert_int_eq(waits_imap_next(parent->iterator, &value), FILCH_OK);
    filch_iterator_free(parent->iterator);
    for (int i = 0; i < BUSY; i++) {
        filch_future_free(parent->busy[i]);
    }
    filch_future_free(parent->all);
    filch_completions_free(parent->set);
    filch_promise_free(parent->promise);
    filch_future_free(parent->promised);
    filch_inbox_free(parent->inbox);
    numbers_free(parent->empty);
    numbers_free(parent->full);
    numbers_free(gate);
    pool_closed(parent->pool);
}

/* ---- what cannot end ---- */

static void waits_for_futures_are_refused(struct parent *parent)
{
    int value = 0;
    int descriptor;
    filch_future *next;
    filch_completions *set;
    filch_future *ready;
    for (int i = 0; i < BUSY; i++) {
        wrong_unless(filch_future_wait(parent->busy[i]) == FILCH_EFORKED);
        wrong_unless(filch_future_wait_until(parent->busy[i], filch_in(100)) == FILCH_EFORKED);
        wrong_unless(filch_future_cancel(parent->busy[i]) == FILCH_EFORKED);
    }
    wrong_unless(waits_get(parent->busy[0], &value) == FILCH_EFORKED);
    wrong_unless(filch_future_wait(parent->promised) == FILCH_EFORKED);
    wrong_unless(filch_future_wait(parent->all) == FILCH_EFORKED);
    wrong_unless(filch_future_fd(parent->promised, &descriptor) == FILCH_EFORKED);
    wrong_unless(filch_promise_set_value(parent->promise, NULL) == FILCH_EFORKED);
    wrong_unless(filch_when_all(parent->busy, BUSY, &next) == FILCH_EFORKED);
    wrong_unless(filch_when_any(parent->busy, BUSY, &next) == FILCH_EFORKED);
    wrong_unless(filch_as_completed(parent->busy, BUSY, &set) == FILCH_EFORKED);
    wrong_unless(filch_futures_wait(parent->busy, BUSY, FILCH_FIRST_COMPLETED) == FILCH_EFORKED);
    wrong_unless(filch_completions_next(parent->set, &ready, NULL) == FILCH_EFORKED);
    wrong_unless(waits_imap_next(parent->iterator, &value) == FILCH_EFORKED);
    wrong_unless(waits_then(NULL, parent->busy[0], &next) == FILCH_EFORKED);
    filch_completions_free(parent->set);
    filch_iterator_free(parent->iterator);
    filch_promise_free(parent->promise);
    filch_future_free(parent->promised);
}

static void waits_for_objects_are_refused(struct parent *parent, filch_deadline deadline)
{
    int value;
    filch_closure call = waits_bind(1);
    wrong_unless(numbers_receive_until(parent->empty, &value, deadline) == FILCH_EFORKED);
    wrong_unless(numbers_send_until(parent->full, 6, deadline) == FILCH_EFORKED);
    wrong_unless(FILCH_FIRST(deadline, numbers_receiving(parent->empty, &value, NULL)) ==
                 -FILCH_EFORKED);
    wrong_unless(filch_mutex_lock_until(&held, deadline) == FILCH_EFORKED);
    wrong_unless(filch_semaphore_acquire_until(&parent->none, deadline) == FILCH_EFORKED);
    wrong_unless(filch_wait_group_wait_until(&parent->undone, deadline) == FILCH_EFORKED);
    wrong_unless(filch_once_run(&running, wait_once, NULL) == FILCH_EFORKED);
    wrong_unless(filch_inbox_post(parent->inbox, &call, NULL) == FILCH_EFORKED);
    wrong_unless(filch_inbox_serve_until(parent->inbox, deadline) == FILCH_EFORKED);
}

START_TEST(waits_for_what_is_under_way_in_the_parent_are_refused_at_once)
{
    struct parent parent;
    parent_opens(&parent, _i);
    pid_t child = child_begins();
    if (child == 0) {
        double before = filch_now();
        waits_for_objects_are_refused(&parent, filch_never());
        waits_for_objects_are_refused(&parent, filch_at(before + 1000));
        waits_for_futures_are_refused(&parent);
        _exit(0);
    }
    child_ends_well(child);
    parent_closes(&parent);
}
END_TEST

/* Waits of a task's child are refused also where the child could end them itself, later. */
FILCH_FUNCTION(int, forks, (struct parent *, parent))
{
    pid_t child = child_begins();
    if (child == 0) {
        numbers own;
        int value;
        wrong_unless(filch_sleep(1000) == FILCH_EFORKED);
        wrong_unless(numbers_new(0, &own) == FILCH_OK);
        wrong_unless(numbers_receive(own, &value) == FILCH_EFORKED);
        waits_for_objects_are_refused(parent, filch_never());
        waits_for_futures_are_refused(parent);
        _exit(0);
    }
    return child;
}

START_TEST(waits_in_the_child_of_a_task_are_refused_at_once)
{
    struct parent parent;
    filch_future *future;
    int child = 0;
    parent_opens(&parent, _i);
    ck_assert_int_eq(forks_apply_async(parent.pool, &parent, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(LONG_S)), FILCH_OK);
    ck_assert_int_eq(forks_get(future, &child), FILCH_OK);
    filch_future_free(future);
    child_ends_well(child);
    parent_closes(&parent);
}
END_TEST

FILCH_FUNCTION(int, forks_and_returns, (atomic_int *, child))
{
    pid_t pid = fork();
    if (pid == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        filch_log_to(NULL, NULL);
        alarm(LONG_S);
    }
    atomic_store(child, pid);
    return pid;
}

START_TEST(a_child_that_returns_from_its_task_ends_instead_of_doing_the_parents_work)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int child = 0;
    filch_future *future;
    ck_assert_int_eq(forks_and_returns_apply_async(pool, &child, &future), FILCH_OK);
    await(&child, 1);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

START_TEST(a_child_inside_a_group_leaves_it_and_goes_on)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    pid_t child = -1;
    ck_assert_int_eq(numbers_new(0, &gate), FILCH_OK);
    atomic_store(&at_the_gate, 0);
    pid_t parent = getpid();
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(waits_spawn(group, 1, NULL), FILCH_OK);
        child = child_begins();
        if (child == 0) {
            wrong_unless(filch_group_wait(group, NULL) == FILCH_EFORKED);
            wrong_unless(waits_spawn(group, 1, NULL) == FILCH_EFORKED);
            wrong_unless(filch_group_cancel(group) == FILCH_EFORKED);
        } else {
            numbers_close(gate);
        }
    }
    if (getpid() != parent) {
        filch_pool *own;
        int out = 0;
        wrong_unless(status == FILCH_EFORKED);
        wrong_unless(filch_pool_open(NULL, &own) == FILCH_OK);
        wrong_unless(twice_apply(own, 4, &out) == FILCH_OK && out == 8);
        wrong_unless(filch_sleep(0.001) == FILCH_OK);
        wrong_unless(filch_pool_free(own) == FILCH_OK);
        _exit(0);
    }
    ck_assert_int_eq(status, FILCH_OK);
    child_ends_well(child);
    numbers_free(gate);
    pool_closed(pool);
}
END_TEST

/* ---- what works ---- */

START_TEST(what_no_thread_has_or_waits_for_can_be_used_in_the_child)
{
    filch_pool *pool = pool_opened(_i);
    filch_mutex mutex = FILCH_MUTEX_INIT;
    filch_mutex own = FILCH_MUTEX_INIT;
    filch_condition condition = FILCH_CONDITION_INIT;
    filch_wait_group group = FILCH_WAIT_GROUP_INIT;
    filch_semaphore semaphore;
    numbers box;
    filch_future *done;
    filch_semaphore_init(&semaphore, 1);
    ck_assert_int_eq(numbers_new(2, &box), FILCH_OK);
    ck_assert_int_eq(numbers_send(box, 5), FILCH_OK);
    ck_assert_int_eq(twice_apply_async(pool, 4, &done), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(done), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_unlock(&mutex), FILCH_OK);
    ck_assert_int_eq(filch_mutex_lock(&own), FILCH_OK);
    pid_t child = child_begins();
    if (child == 0) {
        int value = 0;
        wrong_unless(twice_get(done, &value) == FILCH_OK && value == 8);
        wrong_unless(numbers_receive(box, &value) == FILCH_OK && value == 5);
        wrong_unless(numbers_send(box, 6) == FILCH_OK);
        wrong_unless(filch_semaphore_acquire(&semaphore) == FILCH_OK);
        wrong_unless(filch_semaphore_release(&semaphore, 1) == FILCH_OK);
        wrong_unless(filch_mutex_lock(&own) == FILCH_EDEADLK);
        wrong_unless(filch_mutex_unlock(&own) == FILCH_OK);
        wrong_unless(filch_mutex_lock(&mutex) == FILCH_OK);
        wrong_unless(filch_condition_wait_until(&condition, &mutex, filch_in(0.001)) ==
                     FILCH_ETIMEDOUT);
        wrong_unless(filch_mutex_unlock(&mutex) == FILCH_OK);
        wrong_unless(filch_wait_group_add(&group, 1) == FILCH_OK);
        wrong_unless(filch_wait_group_wait_until(&group, filch_in(0.001)) == FILCH_ETIMEDOUT);
        wrong_unless(filch_wait_group_done(&group) == FILCH_OK);
        wrong_unless(filch_wait_group_wait(&group) == FILCH_OK);
        wrong_unless(filch_sleep(0.001) == FILCH_OK);
        filch_semaphore_init(&semaphore, 0); /* anew, it is the child's */
        wrong_unless(filch_semaphore_acquire_until(&semaphore, filch_in(0.001)) == FILCH_ETIMEDOUT);
        _exit(0);
    }
    child_ends_well(child);
    ck_assert_int_eq(filch_mutex_unlock(&own), FILCH_OK);
    filch_future_free(done);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

static filch_mutex wanted;
static filch_condition changed;
static filch_mutex around;
static filch_semaphore permits;
static filch_wait_group work;
static filch_once never_begun;
static atomic_int about_to_wait;

FILCH_FUNCTION(int, waits_for_one, (int, kind), (numbers, box), (filch_future *, promised))
{
    int value = 0;
    atomic_fetch_add(&about_to_wait, 1);
    switch (kind) {
    case 0:
        check_int_eq(filch_mutex_lock(&wanted), FILCH_OK);
        return (int)filch_mutex_unlock(&wanted);
    case 1: return (int)filch_semaphore_acquire(&permits);
    case 2: return (int)filch_wait_group_wait(&work);
    case 3: return (int)numbers_receive(box, &value);
    case 4: return (int)filch_future_wait(promised);
    default:
        check_int_eq(filch_mutex_lock(&around), FILCH_OK);
        value = (int)filch_condition_wait(&changed, &around);
        filch_mutex_unlock(&around);
        return value;
    }
}

enum { KINDS = 6 };

/* What all of them wait for; the child must not wake threads that are not there. */
static int serve_all(numbers box, filch_promise *promise, filch_status promised)
{
    return filch_mutex_unlock(&wanted) == FILCH_OK &&
           filch_semaphore_release(&permits, 1) == FILCH_OK &&
           filch_wait_group_done(&work) == FILCH_OK && numbers_send(box, 5) == FILCH_OK &&
           filch_condition_broadcast(&changed) == FILCH_OK &&
           filch_promise_set_value(promise, NULL) == promised;
}

START_TEST(those_who_wait_in_the_parent_are_left_alone_by_the_child)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[KINDS];
    filch_promise *promise;
    filch_future *promised;
    numbers box;
    wanted = around = (filch_mutex)FILCH_MUTEX_INIT;
    changed = (filch_condition)FILCH_CONDITION_INIT;
    work = (filch_wait_group)FILCH_WAIT_GROUP_INIT;
    never_begun = (filch_once)FILCH_ONCE_INIT;
    atomic_store(&about_to_wait, 0);
    filch_semaphore_init(&permits, 0);
    filch_wait_group_add(&work, 1);
    ck_assert_int_eq(filch_mutex_lock(&wanted), FILCH_OK);
    ck_assert_int_eq(numbers_new(1, &box), FILCH_OK);
    ck_assert_int_eq(filch_promise_new(0, &promise, &promised), FILCH_OK);
    for (int i = 0; i < KINDS; i++) {
        ck_assert_int_eq(waits_for_one_apply_async(pool, i, box, promised, &futures[i]), FILCH_OK);
    }
    await(&about_to_wait, KINDS);
    filch_sleep(0.01);
    pid_t child = child_begins();
    if (child == 0) {
        unsigned threads = filch_os_thread_count();
        int value = 0;
        wrong_unless(serve_all(box, promise, FILCH_EFORKED));
        wrong_unless(filch_mutex_lock(&wanted) == FILCH_OK); /* no task was given it */
        wrong_unless(filch_semaphore_acquire(&permits) == FILCH_OK);
        wrong_unless(numbers_receive(box, &value) == FILCH_OK && value == 5);
        wrong_unless(numbers_close(box) == FILCH_OK);
        wrong_unless(filch_os_thread_count() == threads);
        _exit(0);
    }
    child_ends_well(child);
    ck_assert(serve_all(box, promise, FILCH_OK));
    for (int i = 0; i < KINDS; i++) {
        int status = -1;
        ck_assert_int_eq(waits_for_one_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, FILCH_OK);
        filch_future_free(futures[i]);
    }
    filch_promise_free(promise);
    filch_future_free(promised);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

/* ---- the child's own threads ---- */

/* ThreadSanitizer takes a child's threads for those of the parent. */
#if !defined(__SANITIZE_THREAD__)
static int keeps_the_promise(void *promise)
{
    thrd_sleep(&(struct timespec){.tv_nsec = 700000000}, NULL); /* longer than any look */
    return filch_promise_set_value(promise, NULL) == FILCH_OK ? 0 : 1;
}

static int does_nothing(void *unused)
{
    (void)unused;
    thrd_sleep(&(struct timespec){.tv_nsec = 900000000}, NULL);
    return 0;
}

static void wait_for_own_threads(void)
{
    filch_promise *promise;
    filch_future *promised;
    thrd_t threads[2];
    wrong_unless(filch_promise_new(0, &promise, &promised) == FILCH_OK);
    wrong_unless(thrd_create(&threads[0], keeps_the_promise, promise) == thrd_success);
    wrong_unless(thrd_create(&threads[1], does_nothing, NULL) == thrd_success);
    wrong_unless(filch_future_wait(promised) == FILCH_OK);
    for (int i = 0; i < 2; i++) {
        wrong_unless(thrd_join(threads[i], NULL) == thrd_success);
    }
}

/* As many threads as the parent has asleep: they must not be taken for those. */
START_TEST(a_child_waits_for_what_its_own_threads_will_do)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2, .eager_threads = 1});
    int out;
    ck_assert_int_eq(twice_apply(pool, 4, &out), FILCH_OK);
    filch_sleep(0.02); /* the workers sleep */
    pid_t child = child_begins();
    if (child == 0) {
        wait_for_own_threads();
        pid_t grandchild = child_begins();
        if (grandchild == 0) {
            wait_for_own_threads();
            _exit(0);
        }
        int status;
        wrong_unless(waitpid(grandchild, &status, 0) == grandchild && status == 0);
        _exit(0);
    }
    child_ends_well(child);
    pool_closed(pool);
}
END_TEST

#endif

START_TEST(a_deadlock_in_the_child_is_found)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2, .eager_threads = 1});
    pid_t child = child_begins();
    if (child == 0) {
        numbers own;
        int value;
        filch_log_to(NULL, NULL);
        wrong_unless(numbers_new(1, &own) == FILCH_OK);
        wrong_unless(numbers_receive(own, &value) == FILCH_EDEADLK);
        _exit(0);
    }
    child_ends_well(child);
    pool_closed(pool);
}
END_TEST

/* ---- at any moment ---- */

/* Neither sanitizer's own locks are made for the fork of a process with busy threads. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static atomic_bool stop;

static void use_all(numbers box, filch_promise **promise, filch_future **promised)
{
    int value;
    check_int_eq(filch_mutex_lock(&wanted), FILCH_OK);
    filch_condition_signal(&changed);
    filch_mutex_unlock(&wanted);
    filch_semaphore_release(&permits, 1);
    check_int_eq(filch_semaphore_acquire(&permits), FILCH_OK);
    filch_wait_group_add(&work, 1);
    filch_wait_group_done(&work);
    check_int_eq(numbers_send(box, 5), FILCH_OK);
    check_int_eq(numbers_receive(box, &value), FILCH_OK);
    if (filch_promise_new(0, promise, promised) == FILCH_OK) {
        filch_promise_set_value(*promise, NULL);
        filch_promise_free(*promise);
        filch_future_free(*promised);
    }
}

FILCH_FUNCTION(int, uses_all, (numbers, box))
{
    filch_promise *promise;
    filch_future *promised;
    while (!atomic_load(&stop)) {
        use_all(box, &promise, &promised);
    }
    return 0;
}

static bool is_answer(filch_status status)
{
    return status == FILCH_OK || status == FILCH_EFORKED || status == FILCH_ETIMEDOUT ||
           status == FILCH_ECLOSED;
}

static void use_all_in_the_child(numbers box, filch_future *busy)
{
    filch_deadline soon = filch_in(0.01);
    int value;
    wrong_unless(filch_future_wait(busy) == FILCH_EFORKED);
    filch_status status = filch_mutex_lock(&wanted);
    wrong_unless(is_answer(status));
    wrong_unless(status != FILCH_OK || filch_mutex_unlock(&wanted) == FILCH_OK);
    wrong_unless(filch_condition_broadcast(&changed) == FILCH_OK);
    wrong_unless(filch_semaphore_release(&permits, 1) == FILCH_OK);
    wrong_unless(is_answer(filch_semaphore_acquire(&permits)));
    wrong_unless(is_answer(filch_wait_group_wait_until(&work, soon)));
    wrong_unless(is_answer(numbers_send_until(box, 5, soon)));
    wrong_unless(is_answer(numbers_receive_until(box, &value, soon)));
    numbers_close(box);
}

START_TEST(a_fork_at_any_moment_leaves_no_lock_behind)
{
    enum { ROUNDS = 300, TASKS = 3 };
    filch_pool *pool = pool_opened(2);
    filch_future *futures[TASKS];
    numbers box;
    wanted = (filch_mutex)FILCH_MUTEX_INIT;
    changed = (filch_condition)FILCH_CONDITION_INIT;
    work = (filch_wait_group)FILCH_WAIT_GROUP_INIT;
    filch_semaphore_init(&permits, 1);
    atomic_store(&stop, false);
    ck_assert_int_eq(numbers_new(4, &box), FILCH_OK);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(uses_all_apply_async(pool, box, &futures[i]), FILCH_OK);
    }
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child = child_begins();
        if (child == 0) {
            use_all_in_the_child(box, futures[0]);
            _exit(0);
        }
        child_ends_well(child);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
    numbers_free(box);
    pool_closed(pool);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("forks");
    TCase *tcase = tcase_create("forks");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, waits_for_what_is_under_way_in_the_parent_are_refused_at_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, waits_in_the_child_of_a_task_are_refused_at_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase,
                        a_child_that_returns_from_its_task_ends_instead_of_doing_the_parents_work,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_child_inside_a_group_leaves_it_and_goes_on, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_no_thread_has_or_waits_for_can_be_used_in_the_child, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, those_who_wait_in_the_parent_are_left_alone_by_the_child, 0,
                        WORKER_SWEEP);
#if !defined(__SANITIZE_THREAD__)
    tcase_add_test(tcase, a_child_waits_for_what_its_own_threads_will_do);
#endif
    if (filch_deadlock_knows_threads()) {
        tcase_add_test(tcase, a_deadlock_in_the_child_is_found);
    }
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, a_fork_at_any_moment_leaves_no_lock_behind);
#endif
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
