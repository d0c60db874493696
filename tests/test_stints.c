/* A program's thread that waits for a task runs it, and is not bound by it. */
#define _GNU_SOURCE
#include "fixture.h"

#include <locale.h>
#include <sched.h>
#include <stdlib.h>
#include <threads.h>

#include "sched/thread.h"

FILCH_CHANNEL(numbers, int);

/* ---- the one worker is busy, so that the waiter has to ---- */

static atomic_int busy;
static atomic_int may_end;

FILCH_FUNCTION(int, keep_busy, (int, x))
{
    atomic_store(&busy, 1);
    await(&may_end, 1);
    return x;
}

static filch_future *made_busy(filch_pool *pool)
{
    filch_future *future;
    atomic_store(&busy, 0);
    atomic_store(&may_end, 0);
    ck_assert_int_eq(keep_busy_apply_async(pool, 1, &future), FILCH_OK);
    await(&busy, 1);
    return future;
}

static void end(filch_future *future)
{
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    filch_future_free(future);
}

struct story {
    numbers box;
    atomic_int begun;
    struct filch_thread *before; /* not pthread_self(), which compilers read once */
    struct filch_thread *after;
    int value;
    struct filch_thread *waiter;
    bool ends_at_once; /* it does not receive */
};

FILCH_FUNCTION(int, receives, (struct story *, story))
{
    story->before = filch_thread_known();
    atomic_store(&story->begun, 1);
    check_int_eq(numbers_receive(story->box, &story->value), FILCH_OK);
    story->after = filch_thread_known();
    return story->value;
}

/* The task has left for good then: until its wait has begun in earnest it may go on at once. */
static bool waits(struct filch_thread *thread)
{
    return atomic_load(&thread->party.word) % 2 == 1;
}

/* Another thread of the program: once the first one waits for the task, lets that go on, and the
 * worker, too. */
static int lets_go_on(void *context)
{
    struct story *story = context;
    await(&story->begun, 1);
    while (!story->ends_at_once && !waits(story->waiter)) {
        sched_yield();
    }
    atomic_store(&may_end, 1);
    return (int)numbers_send(story->box, 7);
}

static void begin(struct story *story, bool ends_at_once, thrd_t *other)
{
    *story = (struct story){
        .begun = ends_at_once, .ends_at_once = ends_at_once, .waiter = filch_thread_self()};
    ck_assert_int_eq(numbers_new(0, &story->box), FILCH_OK);
    ck_assert_int_eq(thrd_create(other, lets_go_on, story), thrd_success);
}

static void was_left(struct story *story, thrd_t other)
{
    int sent;
    ck_assert_int_eq(thrd_join(other, &sent), thrd_success);
    ck_assert_int_eq(sent, FILCH_OK);
    ck_assert_int_eq(story->value, 7);
    ck_assert_ptr_eq(story->before, filch_thread_self());
    ck_assert_ptr_ne(story->after, filch_thread_self());
    numbers_free(story->box);
}

START_TEST(a_task_that_waits_leaves_the_thread_that_waits_for_it)
{
    filch_pool *pool = pool_opened(0);
    for (int round = 0; round < 20; round++) {
        struct story story;
        thrd_t other;
        filch_future *future;
        int result = 0;
        filch_future *blocker = made_busy(pool);
        begin(&story, false, &other);
        ck_assert_int_eq(receives_apply_async(pool, &story, &future), FILCH_OK);
        ck_assert_int_eq(receives_get(future, &result), FILCH_OK);
        ck_assert_int_eq(result, 7);
        filch_future_free(future);
        was_left(&story, other);
        end(blocker);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_task_that_waits_leaves_the_thread_that_waits_for_its_group)
{
    filch_pool *pool = pool_opened(0);
    for (int round = 0; round < 20; round++) {
        struct story story;
        thrd_t other;
        int result = 0;
        filch_status status;
        filch_future *blocker = made_busy(pool);
        begin(&story, false, &other);
        FILCH_WITH_GROUP(group, pool, NULL, &status) {
            ck_assert_int_eq(receives_spawn(group, &story, &result), FILCH_OK);
        }
        ck_assert_int_eq(status, FILCH_OK);
        ck_assert_int_eq(result, 7);
        was_left(&story, other);
        end(blocker);
    }
    pool_closed(pool);
}
END_TEST

/* It stands in line behind nothing, and so may go on where it was. */
FILCH_FUNCTION(int, yields, (int, times))
{
    for (int i = 0; i < times; i++) {
        filch_yield();
    }
    return times;
}

START_TEST(a_task_that_yields_is_waited_for)
{
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < 200; i++) {
        filch_future *future;
        int result = 0;
        ck_assert_int_eq(yields_apply_async(pool, i % 5, &future), FILCH_OK);
        ck_assert_int_eq(yields_get(future, &result), FILCH_OK);
        check_int_eq(result, i % 5);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

/* ---- what is the thread's stays the thread's ---- */

FILCH_FUNCTION(int, changes_locale, (struct story *, story), (locale_t, other))
{
    check_int_eq(uselocale((locale_t)0) == LC_GLOBAL_LOCALE, true);
    uselocale(other);
    if (story) {
        (void)receives(story);
        uselocale(other);
    }
    return 0;
}

START_TEST(a_thread_finds_its_locale_again_whether_the_task_has_left_or_ended)
{
    filch_pool *pool = pool_opened(0);
    locale_t mine = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t other = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    uselocale(mine);
    for (int leaves = 0; leaves < 2; leaves++) {
        struct story story;
        thrd_t thread;
        filch_future *future;
        filch_future *blocker = made_busy(pool);
        begin(&story, !leaves, &thread);
        ck_assert_int_eq(changes_locale_apply_async(pool, leaves ? &story : NULL, other, &future),
                         FILCH_OK);
        ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
        ck_assert(uselocale((locale_t)0) == mine);
        filch_future_free(future);
        if (!leaves) {
            ck_assert_int_eq(numbers_receive(story.box, &story.value), FILCH_OK);
        }
        ck_assert_int_eq(thrd_join(thread, NULL), thrd_success);
        numbers_free(story.box);
        end(blocker);
    }
    uselocale(LC_GLOBAL_LOCALE);
    freelocale(mine);
    freelocale(other);
    pool_closed(pool);
}
END_TEST

/* ---- tasks that talk to each other, while a thread waits ---- */

enum { ROUNDS = 2000 };

FILCH_FUNCTION(int, serves, (numbers, in), (numbers, out))
{
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        check_int_eq(numbers_send(out, value + 1), FILCH_OK);
    }
    numbers_close(out);
    return 0;
}

FILCH_FUNCTION(int, returns_the_ball, (numbers, in), (numbers, out))
{
    int value = 0;
    for (int i = 0; i < ROUNDS; i++) {
        check_int_eq(numbers_send(out, value), FILCH_OK);
        check_int_eq(numbers_receive(in, &value), FILCH_OK);
    }
    numbers_close(out);
    return value;
}

/* With one worker both run there, and no thread is woken between two rounds. */
START_TEST(tasks_that_talk_wake_no_threads_though_one_of_them_is_waited_for)
{
    filch_pool *pool = pool_opened(0);
    numbers there;
    numbers back;
    filch_future *one;
    filch_future *two;
    int result = 0;
    ck_assert_int_eq(numbers_new(0, &there), FILCH_OK);
    ck_assert_int_eq(numbers_new(0, &back), FILCH_OK);
    long before = wakes_so_far();
    ck_assert_int_eq(serves_apply_async(pool, there, back, &two), FILCH_OK);
    ck_assert_int_eq(returns_the_ball_apply_async(pool, back, there, &one), FILCH_OK);
    ck_assert_int_eq(returns_the_ball_get(one, &result), FILCH_OK);
    ck_assert_int_eq(result, ROUNDS);
    ck_assert_int_eq(filch_future_wait(two), FILCH_OK);
    ck_assert_int_lt(wakes_so_far() - before, ROUNDS / 4);
    filch_future_free(one);
    filch_future_free(two);
    numbers_free(there);
    numbers_free(back);
    pool_closed(pool);
}
END_TEST

/* ---- many threads wait at once, and the pool goes as soon as they have ---- */

enum { THREADS = 8, TASKS = 200 };

FILCH_FUNCTION(int, waits_and_adds, (int, x))
{
    if (x % 3 == 0) {
        filch_yield();
    } else if (x % 7 == 0) {
        filch_sleep(0.00001);
    }
    return x + 1;
}

static int wait_for_many(void *pool)
{
    for (int i = 0; i < TASKS; i++) {
        filch_future *future;
        int result = 0;
        check_int_eq(waits_and_adds_apply_async(pool, i, &future), FILCH_OK);
        check_int_eq(waits_and_adds_get(future, &result), FILCH_OK);
        check_int_eq(result, i + 1);
        filch_future_free(future);
    }
    return 0;
}

START_TEST(many_threads_may_wait_for_tasks_of_one_pool)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], wait_for_many, pool), thrd_success);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(thrd_join(threads[i], NULL), thrd_success);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_pool_may_go_while_its_last_tasks_waiter_comes_back)
{
    for (int i = 0; i < 300; i++) {
        filch_pool *pool;
        filch_future *future;
        int result = 0;
        ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers_of(_i)}, &pool),
                         FILCH_OK);
        ck_assert_int_eq(waits_and_adds_apply_async(pool, i, &future), FILCH_OK);
        ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
        ck_assert_int_eq(waits_and_adds_get(future, &result), FILCH_OK);
        check_int_eq(result, i + 1);
        ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
        filch_future_free(future);
    }
}
END_TEST

/* ThreadSanitizer keeps a stack of calls for each of ours, of at most 65,536. */
enum { OFTEN = 70000 };

FILCH_FUNCTION(void, leaves_its_stack, (int, times))
{
    for (int i = 0; i < times; i++) {
        check_int_eq(filch_sleep(1e-9), FILCH_OK);
    }
}

START_TEST(a_stack_is_left_as_often_as_there_are_tasks_and_waits)
{
    filch_pool *pool = pool_opened(0);
    filch_future *future;
    for (int i = 0; i < OFTEN; i++) {
        ck_assert_int_eq(leaves_its_stack_apply_async(pool, 0, &future), FILCH_OK);
        end(future);
    }
    ck_assert_int_eq(leaves_its_stack_apply_async(pool, OFTEN, &future), FILCH_OK);
    end(future);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stints");
    TCase *tcase = tcase_create("stints");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_task_that_waits_leaves_the_thread_that_waits_for_it);
    tcase_add_test(tcase, a_task_that_waits_leaves_the_thread_that_waits_for_its_group);
    tcase_add_loop_test(tcase, a_task_that_yields_is_waited_for, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_thread_finds_its_locale_again_whether_the_task_has_left_or_ended);
    tcase_add_test(tcase, tasks_that_talk_wake_no_threads_though_one_of_them_is_waited_for);
    tcase_add_loop_test(tcase, many_threads_may_wait_for_tasks_of_one_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_pool_may_go_while_its_last_tasks_waiter_comes_back, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, a_stack_is_left_as_often_as_there_are_tasks_and_waits);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
