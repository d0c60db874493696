/* Tasks that block their threads: their cores go to others. */
#include "fixture.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

#include "sched/handoff.h"
#include "os/os.h"
#include "sched/pool.h"

static atomic_int inside;
static atomic_int most_inside;
static atomic_int wrong;
static atomic_int go_on;

static void reset(void)
{
    atomic_store(&inside, 0);
    atomic_store(&most_inside, 0);
    atomic_store(&wrong, 0);
    atomic_store(&go_on, 0);
}

static void sleep_here(long ns)
{
    thrd_sleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void enter(void)
{
    int now = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);
    while (now > most && !atomic_compare_exchange_weak(&most_inside, &most, now)) {
    }
}

/* Comes back only when `n` are in there at the same time. */
FILCH_FUNCTION(void, blocks_until_all_do, (int, n))
{
    FILCH_BLOCKING
    {
        enter();
        while (atomic_load(&most_inside) < n) {
            sleep_here(100000);
        }
        atomic_fetch_sub(&inside, 1);
    }
}

enum { MANY = 20 };

START_TEST(many_calls_block_at_once_on_few_workers)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[MANY];
    reset();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(blocks_until_all_do_apply_async(pool, MANY, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < MANY; i++) {
        while (!filch_future_ready(futures[i])) { /* we do not help */
            sleep_here(100000);
        }
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(most_inside, MANY);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(void, blocks_for, (long, ns))
{
    FILCH_BLOCKING
    {
        enter();
        sleep_here(ns);
        atomic_fetch_sub(&inside, 1);
    }
}

FILCH_FUNCTION(int, quick)
{
    return 7;
}

START_TEST(no_more_block_than_the_bound_and_others_run_meanwhile)
{
    filch_pool *pool =
        pool_opened_with(&(filch_pool_options){.processes = workers_of(_i), .blocking_threads = 3});
    filch_future *futures[12];
    reset();
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(blocks_for_apply_async(pool, 20000000, &futures[i]), FILCH_OK);
    }
    while (atomic_load(&inside) < 3) {
        sleep_here(100000);
    }
    filch_future *other;
    int seven = 0;
    ck_assert_int_eq(quick_apply_async(pool, &other), FILCH_OK);
    ck_assert_int_eq(quick_get(other, &seven), FILCH_OK);
    ck_assert_int_eq(seven, 7);
    filch_future_free(other);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(filch_future_wait_until(futures[i], filch_in(30)), FILCH_OK);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(most_inside, 3);
    pool_closed(pool);
}
END_TEST

/* As the system counts them, whatever the pool says. */
static unsigned threads_there_are(void)
{
    DIR *folder = opendir("/proc/self/task");
    unsigned count = 0;
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static int ends_at_once(void *unused)
{
    (void)unused;
    return 0;
}

/* A sanitizer starts a thread of its own with the program's first. */
static unsigned threads_beside_pools(void)
{
    thrd_t first;
    ck_assert_int_eq(thrd_create(&first, ends_at_once, NULL), thrd_success);
    thrd_join(first, NULL);
    return threads_there_are();
}

START_TEST(surplus_threads_end_when_they_are_idle)
{
    unsigned others = threads_beside_pools();
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[MANY];
    for (int round = 0; round < 2; round++) {
        reset();
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_eq(blocks_until_all_do_apply_async(pool, MANY, &futures[i]), FILCH_OK);
        }
        for (int i = 0; i < MANY; i++) {
            ck_assert_int_eq(filch_future_wait_until(futures[i], filch_in(30)), FILCH_OK);
            filch_future_free(futures[i]);
        }
        ck_assert_uint_ge(atomic_load(&pool->thread_count), MANY);
        while (atomic_load(&pool->thread_count) > workers_of(_i) + 1 ||
               threads_there_are() > others + workers_of(_i) + 1) {
            sleep_here(10000000);
        }
        int seven = 0;
        ck_assert_int_eq(quick_apply(pool, &seven), FILCH_OK);
    }
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(mixes, (size_t, i))
{
    switch (i % 5) {
    case 0: blocks_for(200000); break;
    case 1: filch_sleep(2e-4); break;
    case 2: filch_yield(); break;
    case 3:
        FILCH_BLOCKING
        {
            FILCH_BLOCKING
            {
                filch_sleep(1e-4); /* suspends, though it may block here */
            }
            filch_yield();
            int seven = 0;
            wrong += quick_apply(NULL, &seven) != FILCH_OK || seven != 7;
        }
        break;
    default: break;
    }
}

START_TEST(blocking_goes_with_everything_else)
{
    filch_pool *pool = pool_opened(_i);
    reset();
    int seven;
    ck_assert_int_eq(quick_apply(NULL, &seven), FILCH_OK); /* the default pool exists from here */
    for (int round = 0; round < 5; round++) {
        ck_assert_int_eq(mixes_for(pool, 300), FILCH_OK);
    }
    ck_assert_int_eq(wrong, 0);
    ck_assert_uint_eq(atomic_load(&pool->permits.taken), 0);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_uint_eq(pool->stacks.live_count, 0);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

FILCH_FUNCTION(int, leaves_in_the_middle, (int, way))
{
    FILCH_BLOCKING
    {
        if (way == 0) {
            break;
        }
        return way;
    }
    return 0;
}

FILCH_FUNCTION(void, forgets_the_end)
{
    filch_blocking_begin();
    wrong += filch_pin() != FILCH_OK;
}

START_TEST(a_section_ends_however_it_is_left)
{
    filch_pool *pool = pool_opened(_i);
    int way = 9;
    reset();
    filch_blocking_begin(); /* outside of pools: nothing */
    filch_blocking_end();
    filch_blocking_end();
    for (int i = 0; i < 2; i++) {
        filch_future *future;
        ck_assert_int_eq(leaves_in_the_middle_apply_async(pool, i, &future), FILCH_OK);
        while (!filch_future_ready(future)) {
            sleep_here(100000);
        }
        ck_assert_int_eq(leaves_in_the_middle_get(future, &way), FILCH_OK);
        ck_assert_int_eq(way, i);
        filch_future_free(future);
    }
    for (int i = 0; i < 100; i++) { /* more than there are permits */
        filch_future *future;
        ck_assert_int_eq(forgets_the_end_apply_async(pool, &future), FILCH_OK);
        ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
        filch_future_free(future);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

/* ---- pinned ---- */

FILCH_FUNCTION(int, stays_on_its_thread, (int, times))
{
    if (filch_pin() != FILCH_OK) {
        return -1;
    }
    uint64_t thread = filch_thread_id();
    for (int i = 0; i < times; i++) {
        filch_sleep(1e-4);
        filch_yield();
        FILCH_BLOCKING
        {
            sleep_here(10000);
        }
        wrong += filch_thread_id() != thread;
    }
    filch_unpin();
    filch_unpin(); /* once too often: nothing */
    filch_sleep(1e-5);
    return 0;
}

START_TEST(a_pinned_task_stays_on_its_thread)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[MANY];
    reset();
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(stays_on_its_thread_apply_async(pool, 20, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < MANY; i++) {
        int status = -1;
        while (!filch_future_ready(futures[i])) {
            sleep_here(100000);
        }
        ck_assert_int_eq(stays_on_its_thread_get(futures[i], &status), FILCH_OK);
        ck_assert_int_eq(status, 0);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, waits_pinned)
{
    if (filch_pin() != FILCH_OK) {
        return (int)FILCH_EAGAIN;
    }
    enter();
    while (!atomic_load(&go_on)) {
        filch_sleep(1e-4);
    }
    return 0;
}

START_TEST(pinning_has_a_bound_and_waits_of_pinned_tasks_free_their_cores)
{
    filch_pool *pool =
        pool_opened_with(&(filch_pool_options){.processes = workers_of(_i), .blocking_threads = 5});
    filch_future *futures[6];
    int status = -1;
    reset();
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(waits_pinned_apply_async(pool, &futures[i]), FILCH_OK);
    }
    while (atomic_load(&inside) < 5) {
        sleep_here(100000);
    }
    ck_assert_int_eq(waits_pinned_apply_async(pool, &futures[5]), FILCH_OK);
    while (!filch_future_ready(futures[5])) {
        sleep_here(100000);
    }
    ck_assert_int_eq(waits_pinned_get(futures[5], &status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_EAGAIN);
    atomic_store(&go_on, 1);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(filch_future_wait_until(futures[i], filch_in(30)), FILCH_OK);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_bound_has_bounds)
{
    filch_pool *pool;
    ck_assert_int_eq(
        filch_pool_open(&(filch_pool_options){.blocking_threads = FILCH_BLOCKING_MAX + 1}, &pool),
        FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.blocking_threads = UINT_MAX}, &pool),
                     FILCH_EINVAL);
    ck_assert_int_eq(
        filch_pool_open(&(filch_pool_options){.blocking_threads = FILCH_BLOCKING_MAX}, &pool),
        FILCH_OK);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_int_eq(filch_pin(), FILCH_OK); /* outside of pools: nothing */
    filch_unpin();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("blocking");
    TCase *tcase = tcase_create("blocking");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, many_calls_block_at_once_on_few_workers, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, no_more_block_than_the_bound_and_others_run_meanwhile, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, surplus_threads_end_when_they_are_idle, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, blocking_goes_with_everything_else, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_section_ends_however_it_is_left, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_pinned_task_stays_on_its_thread, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, pinning_has_a_bound_and_waits_of_pinned_tasks_free_their_cores, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, the_bound_has_bounds);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
