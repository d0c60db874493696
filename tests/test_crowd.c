/* Loops whose elements wait for each other: few of them wait at a time, and none for ever. What is
 * begun goes on before something new begins, and a yield lets something new begin. */
#include "fixture.h"

#include <stdlib.h>

#include "os/os.h"
#include "sched/crowd.h"
#include "sched/pool.h"
#include "stack/stack.h"

enum { MANY = 20000, SOME = 2000 };

static void count_used(struct filch_stack *stack, void *count)
{
    *(long *)count += stack->low != NULL;
}

static long stacks_used(filch_pool *pool)
{
    long count = 0;
    filch_stacks_each(&pool->stacks, count_used, &count);
    return count;
}

FILCH_LOOP(add_under_lock, (size_t, i), (filch_mutex *, mutex), (long *, sum))
{
    check_int_eq(filch_mutex_lock(mutex), FILCH_OK);
    filch_yield(); /* others come, and have to wait */
    *sum += (long)(i & 1);
    filch_mutex_unlock(mutex);
}

START_TEST(a_loop_that_waits_for_a_mutex_takes_few_stacks)
{
    filch_pool *pool = pool_opened(_i);
    filch_mutex mutex = FILCH_MUTEX_INIT;
    long sum = 0;
    ck_assert_int_eq(add_under_lock_for(pool, MANY, &mutex, &sum), FILCH_OK);
    ck_assert_int_eq(sum, MANY / 2);
    ck_assert_int_lt(stacks_used(pool), MANY / 4);
    pool_closed(pool);
}
END_TEST

FILCH_CHANNEL(numbers, int);

FILCH_LOOP(send_one, (size_t, i), (numbers, channel))
{
    check_int_eq(numbers_send(channel, (int)i), FILCH_OK);
}

FILCH_FUNCTION(long, receive_all, (numbers, channel), (int, n))
{
    long sum = 0;
    int value;
    while (n-- && numbers_receive(channel, &value) == FILCH_OK) {
        sum += value;
        filch_yield(); /* senders come, and find no room */
    }
    return sum;
}

START_TEST(a_loop_that_waits_for_room_in_a_channel_takes_few_stacks)
{
    filch_pool *pool = pool_opened(_i);
    numbers channel;
    filch_future *received;
    long sum = 0;
    ck_assert_int_eq(numbers_new(4, &channel), FILCH_OK);
    ck_assert_int_eq(receive_all_apply_async(pool, channel, MANY, &received), FILCH_OK);
    ck_assert_int_eq(send_one_for(pool, MANY, channel), FILCH_OK);
    ck_assert_int_eq(receive_all_get(received, &sum), FILCH_OK);
    ck_assert_int_eq(sum, (long)MANY * (MANY - 1) / 2);
    ck_assert_int_lt(stacks_used(pool), MANY / 4);
    filch_future_free(received);
    numbers_free(channel);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(meet, (size_t, i), (filch_wait_group *, all))
{
    (void)i;
    filch_wait_group_done(all);
    check_int_eq(filch_wait_group_wait(all), FILCH_OK);
}

START_TEST(elements_that_wait_until_all_have_begun_all_begin)
{
    filch_pool *pool = pool_opened(_i);
    filch_wait_group all = FILCH_WAIT_GROUP_INIT;
    ck_assert_int_eq(filch_wait_group_add(&all, SOME), FILCH_OK);
    ck_assert_int_eq(meet_for(pool, SOME, &all), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* Each lets the one before it go on: the last one has to begin first. */
FILCH_LOOP(hand_down, (size_t, i), (size_t, n), (filch_semaphore *, turns))
{
    if (i + 1 < n) {
        check_int_eq(filch_semaphore_acquire(&turns[i + 1]), FILCH_OK);
    }
    filch_semaphore_release(&turns[i], 1);
}

START_TEST(elements_may_wait_for_later_ones)
{
    filch_pool *pool = pool_opened(_i);
    filch_semaphore *turns = calloc(SOME, sizeof *turns);
    ck_assert_ptr_nonnull(turns);
    for (size_t i = 0; i < SOME; i++) {
        filch_semaphore_init(&turns[i], 0);
    }
    ck_assert_int_eq(hand_down_for(pool, SOME, SOME, turns), FILCH_OK);
    free(turns);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(inner, (size_t, j), (filch_mutex *, mutex), (long *, sum))
{
    (void)j;
    check_int_eq(filch_mutex_lock(mutex), FILCH_OK);
    filch_yield();
    ++*sum;
    filch_mutex_unlock(mutex);
}

FILCH_LOOP(outer, (size_t, i), (filch_pool *, pool), (filch_mutex *, mutex), (long *, sum))
{
    (void)i;
    check_int_eq(inner_for(pool, 4, mutex, sum), FILCH_OK);
}

START_TEST(loops_inside_loops_take_few_stacks)
{
    filch_pool *pool = pool_opened(_i);
    filch_mutex mutex = FILCH_MUTEX_INIT;
    long sum = 0;
    ck_assert_int_eq(outer_for(pool, MANY / 4, pool, &mutex, &sum), FILCH_OK);
    ck_assert_int_eq(sum, MANY);
    ck_assert_int_lt(stacks_used(pool), MANY / 2);
    pool_closed(pool);
}
END_TEST

/* ---- what runs next ---- */

struct order {
    filch_semaphore start;
    atomic_int next;
    int resumed; /* when the last of those that waited went on */
    int began;   /* when the first new one began */
};

enum { OF_EACH = 3 };

FILCH_FUNCTION(void, waits, (struct order *, order))
{
    check_int_eq(filch_semaphore_acquire(&order->start), FILCH_OK);
    order->resumed = atomic_fetch_add(&order->next, 1);
}

FILCH_FUNCTION(void, begins, (struct order *, order))
{
    int now = atomic_fetch_add(&order->next, 1);
    order->began = order->began < 0 ? now : order->began;
}

FILCH_FUNCTION(void, makes_all_ready, (filch_pool *, pool), (struct order *, order))
{
    for (int i = 0; i < OF_EACH; i++) {
        check_int_eq(waits_apply_async(pool, order, NULL), FILCH_OK);
    }
    for (int i = 0; i < 8 * OF_EACH; i++) {
        filch_yield(); /* they begin, and wait */
    }
    for (int i = 0; i < OF_EACH; i++) {
        check_int_eq(begins_apply_async(pool, order, NULL), FILCH_OK);
    }
    filch_semaphore_release(&order->start, OF_EACH);
}

START_TEST(what_is_begun_goes_on_before_something_new_begins)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    struct order order = {.resumed = -1, .began = -1};
    filch_future *made;
    filch_semaphore_init(&order.start, 0);
    ck_assert_int_eq(makes_all_ready_apply_async(pool, pool, &order, &made), FILCH_OK);
    while (!filch_future_ready(made)) {
        any_status(
            filch_future_wait_until(made, filch_in(1))); /* in the pool, not by this thread */
    }
    filch_future_free(made);
    pool_closed(pool);
    ck_assert_int_eq(order.resumed, OF_EACH - 1);
    ck_assert_int_eq(order.began, OF_EACH);
}
END_TEST

FILCH_FUNCTION(void, raises_flag, (atomic_int *, flag))
{
    atomic_store(flag, 1);
}

FILCH_FUNCTION(int, yields_until_raised, (filch_pool *, pool))
{
    atomic_int flag = 0;
    filch_future *raised;
    check_int_eq(raises_flag_apply_async(pool, &flag, &raised), FILCH_OK);
    while (!atomic_load(&flag)) {
        filch_yield();
    }
    check_int_eq(filch_future_wait(raised), FILCH_OK);
    filch_future_free(raised);
    return 1;
}

START_TEST(a_task_that_yields_lets_new_work_begin)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *yields;
    int result = 0;
    ck_assert_int_eq(yields_until_raised_apply_async(pool, pool, &yields), FILCH_OK);
    while (filch_future_wait_until(yields, filch_in(1)) ==
           FILCH_ETIMEDOUT) { /* not run by this thread */
    }
    ck_assert_int_eq(yields_until_raised_get(yields, &result), FILCH_OK);
    ck_assert_int_eq(result, 1);
    filch_future_free(yields);
    pool_closed(pool);
}
END_TEST

START_TEST(a_programs_thread_that_yields_lets_new_work_begin)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(yields_until_raised_apply(pool, pool, &result), FILCH_OK);
    ck_assert_int_eq(result, 1);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, pinned_yields_until_raised, (filch_pool *, pool))
{
    int result = 0;
    check_int_eq(filch_pin(), FILCH_OK);
    check_int_eq(yields_until_raised_apply(pool, pool, &result), FILCH_OK);
    filch_unpin();
    return result;
}

START_TEST(a_pinned_task_that_yields_lets_new_work_begin)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *yields;
    int result = 0;
    ck_assert_int_eq(pinned_yields_until_raised_apply_async(pool, pool, &yields), FILCH_OK);
    while (filch_future_wait_until(yields, filch_in(1)) == FILCH_ETIMEDOUT) {
    }
    ck_assert_int_eq(pinned_yields_until_raised_get(yields, &result), FILCH_OK);
    ck_assert_int_eq(result, 1);
    filch_future_free(yields);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(wait_for_the_last, (size_t, i), (size_t, n), (atomic_size_t *, turn))
{
    while (atomic_load(turn) != n - 1 - i) {
        filch_yield();
    }
    atomic_fetch_add(turn, 1);
}

START_TEST(elements_that_yield_until_a_later_one_has_run_go_on)
{
    enum { N = 100 };
    filch_pool *pool = pool_opened(_i);
    atomic_size_t turn = 0;
    ck_assert_int_eq(wait_for_the_last_for(pool, N, N, &turn), FILCH_OK);
    ck_assert_uint_eq(atomic_load(&turn), N);
    pool_closed(pool);
}
END_TEST

/* One core has a task that does not end and makes no call, the other one that always yields. */
struct two_cores {
    filch_pool *pool;
    filch_semaphore semaphore;
    atomic_int yielding;
    atomic_bool waits;
    atomic_bool done;
};

FILCH_FUNCTION(void, yields_until_done, (struct two_cores *, cores), (uint64_t, pause_ns))
{
    atomic_fetch_add(&cores->yielding, 1);
    while (!atomic_load(&cores->done)) {
        uint64_t until_ns = filch_os_now_ns() + pause_ns;
        while (filch_os_now_ns() < until_ns) {
        }
        filch_yield();
    }
}

FILCH_FUNCTION(void, is_done_when_woken, (struct two_cores *, cores))
{
    atomic_store(&cores->waits, true);
    check_int_eq(filch_semaphore_acquire(&cores->semaphore), FILCH_OK);
    atomic_store(&cores->done, true);
}

FILCH_FUNCTION(void, holds_its_core_until_done, (struct two_cores *, cores), (int, yielders),
               (uint64_t, pause_ns))
{
    filch_future *futures[3];
    for (int i = 0; i < yielders; i++) {
        check_int_eq(yields_until_done_apply_async(cores->pool, cores, pause_ns, &futures[i]),
                     FILCH_OK);
    }
    while (atomic_load(&cores->yielding) < yielders) {
    }
    check_int_eq(is_done_when_woken_apply_async(cores->pool, cores, &futures[yielders]), FILCH_OK);
    while (!atomic_load(&cores->waits)) {
    }
    filch_semaphore_release(&cores->semaphore, 1);
    while (!atomic_load(&cores->done)) {
    }
    for (int i = 0; i <= yielders; i++) {
        check_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
}

START_TEST(what_a_core_never_comes_to_is_taken_by_one_that_always_yields)
{
    const int yielders = 1 + _i % 2;
    const uint64_t pause_ns = _i < 2 ? 0 : 20000; /* so that looks are milliseconds apart */
    struct two_cores cores = {.yielding = 0};
    filch_future *holds;
    cores.pool = pool_opened_with(&(filch_pool_options){.processes = 2});
    filch_semaphore_init(&cores.semaphore, 0);
    ck_assert_int_eq(
        holds_its_core_until_done_apply_async(cores.pool, &cores, yielders, pause_ns, &holds),
        FILCH_OK);
    while (filch_future_wait_until(holds, filch_in(1)) == FILCH_ETIMEDOUT) {
    }
    ck_assert_int_eq(filch_future_wait(holds), FILCH_OK);
    filch_future_free(holds);
    pool_closed(cores.pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crowd");
    TCase *tcase = tcase_create("crowd");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_loop_that_waits_for_a_mutex_takes_few_stacks, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_loop_that_waits_for_room_in_a_channel_takes_few_stacks, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_that_wait_until_all_have_begun_all_begin, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_may_wait_for_later_ones, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, loops_inside_loops_take_few_stacks, 0, WORKER_SWEEP);
    tcase_add_test(tcase, what_is_begun_goes_on_before_something_new_begins);
    tcase_add_loop_test(tcase, a_task_that_yields_lets_new_work_begin, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_programs_thread_that_yields_lets_new_work_begin, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_pinned_task_that_yields_lets_new_work_begin, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, elements_that_yield_until_a_later_one_has_run_go_on, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_core_never_comes_to_is_taken_by_one_that_always_yields, 0, 4);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
