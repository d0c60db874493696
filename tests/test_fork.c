/* Fork and join: results are right however the work is shared out, whatever the order of joins. */
#include "fixture.h"

#include <stdlib.h>
#include <time.h>

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

START_TEST(fib_without_cutoff_is_right)
{
    filch_pool *pool = pool_opened(_i);
    long result = 0;
    ck_assert_int_eq(fib_apply(pool, 24, &result), FILCH_OK);
    ck_assert_int_eq(result, 46368);
    pool_closed(pool);
}
END_TEST

START_TEST(a_fork_function_is_a_task_of_a_group)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    long results[2] = {0};
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(fib_spawn(group, 20, &results[0]), FILCH_OK);
        ck_assert_int_eq(fib_spawn(group, 10, &results[1]), FILCH_OK);
    }
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(results[0], 6765);
    ck_assert_int_eq(results[1], 55);
    pool_closed(pool);
}
END_TEST

START_TEST(a_plain_call_uses_the_default_pool)
{
    ck_assert_int_eq(fib(20), 6765);
}
END_TEST

/* ---- an irregular tree, forks in a loop ---- */

static unsigned mix(unsigned x)
{
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

enum { CHILDREN_MAX = 6 };

static unsigned children_of(unsigned node, int depth)
{
    return depth == 0 ? 0 : mix(node) % (CHILDREN_MAX + 1);
}

static unsigned child_of(unsigned node, unsigned i)
{
    return node * 31 + i + 1;
}

static long serial_count(unsigned node, int depth)
{
    long count = 1;
    for (unsigned i = 0; i < children_of(node, depth); i++) {
        count += serial_count(child_of(node, i), depth - 1);
    }
    return count;
}

FILCH_FORK_FUNCTION(long, count_nodes, (unsigned, node), (int, depth))
{
    count_nodes_handle children[CHILDREN_MAX];
    unsigned n = children_of(node, depth);
    long count = 1;
    for (unsigned i = 0; i < n; i++) {
        FILCH_FORK_AT(children[i], count_nodes, child_of(node, i), depth - 1);
    }
    for (unsigned i = n; i > 0; i--) {
        count += FILCH_JOIN_AT(children[i - 1]);
    }
    return count;
}

START_TEST(an_irregular_tree_is_counted_exactly)
{
    filch_pool *pool = pool_opened(_i);
    long counted = 0;
    long expected = serial_count(2, 11);
    ck_assert_int_gt(expected, 50000);
    ck_assert_int_eq(count_nodes_apply(pool, 2, 11, &counted), FILCH_OK);
    ck_assert_int_eq(counted, expected);
    pool_closed(pool);
}
END_TEST

/* ---- joins that do not nest ---- */

FILCH_FORK_FUNCTION(long, oldest_first, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(a, oldest_first, n - 1);
    FILCH_FORK(b, oldest_first, n - 2);
    return FILCH_JOIN(a) + FILCH_JOIN(b); /* C leaves the order open, too */
}

FILCH_FORK_FUNCTION(long, in_a_loop, (int, rounds))
{
    long sum = 0;
    for (int i = 0; i < rounds; i++) {
        FILCH_FORK(a, fib, 5);
        FILCH_FORK(b, fib, 6);
        FILCH_FORK(c, fib, 7);
        sum += FILCH_JOIN(a);
        sum += FILCH_JOIN(c);
        sum += FILCH_JOIN(b);
    }
    return sum;
}

START_TEST(joins_may_come_in_any_order)
{
    filch_pool *pool = pool_opened(_i);
    long result = 0;
    ck_assert_int_eq(oldest_first_apply(pool, 18, &result), FILCH_OK);
    ck_assert_int_eq(result, 2584);
    ck_assert_int_eq(in_a_loop_apply(pool, 5000, &result), FILCH_OK);
    ck_assert_int_eq(result, 5000 * (5 + 8 + 13));
    pool_closed(pool);
}
END_TEST

static atomic_int ran;

FILCH_FORK_FUNCTION(void, leaf)
{
    atomic_fetch_add(&ran, 1);
}

FILCH_FORK_FUNCTION(int, leaves_early, (int, n))
{
    FILCH_FORK(a, leaf);
    FILCH_FORK(b, leaf);
    if (n % 2) {
        return filch_raise(7, "odd: %d", n), 1;
    }
    FILCH_JOIN(b);
    FILCH_JOIN(a);
    return 0;
}

FILCH_FORK_FUNCTION(int, leave_early_often, (int, rounds))
{
    int early = 0;
    for (int i = 0; i < rounds; i++) {
        early += FILCH_CALL(leaves_early, i);
    }
    return early;
}

START_TEST(a_fork_that_is_not_joined_is_joined_when_its_block_is_left)
{
    filch_pool *pool = pool_opened(_i);
    int early = -1;
    atomic_store(&ran, 0);
    ck_assert_int_eq(leave_early_often_apply(pool, 3000, &early), FILCH_ERAISED);
    ck_assert_int_eq(early, -1);
    ck_assert_int_eq(atomic_load(&ran), 6000);
    pool_closed(pool);
}
END_TEST

/* A join may be an argument of a call: what it gives back is not the callee's to skip. */
FILCH_FORK_FUNCTION(long, in_arguments, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(less, fib, 5);
    FILCH_FORK(more, in_arguments, n - 1);
    return FILCH_CALL(in_arguments, n - 7 + (int)(FILCH_JOIN(more) * 0 + FILCH_JOIN(less)));
}

START_TEST(a_join_may_be_an_argument)
{
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < 20; i++) {
        long result = -1;
        ck_assert_int_eq(in_arguments_apply(pool, 14, &result), FILCH_OK);
        ck_assert_int_eq(result, 0);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(int, joined_twice, (int, n))
{
    FILCH_FORK(child, fib, n);
    fib_handle other;
    FILCH_FORK_AT(other, fib, n);
    long once = FILCH_JOIN_AT(other) + FILCH_JOIN(child);
    (void)FILCH_JOIN_AT(other), (void)FILCH_JOIN(child); /* of no use, and harmless */
    return once == 2 * 55;
}

START_TEST(a_second_join_does_nothing)
{
    filch_pool *pool = pool_opened(_i);
    int ok = 0;
    ck_assert_int_eq(joined_twice_apply(pool, 10, &ok), FILCH_OK);
    ck_assert_int_eq(ok, 1);
    pool_closed(pool);
}
END_TEST

/* ---- depth beyond the lane's slots ---- */

FILCH_FORK_FUNCTION(long, deep, (int, n))
{
    if (n == 0) {
        return 0;
    }
    FILCH_FORK(rest, deep, n - 1);
    FILCH_FORK(one, leaf);
    FILCH_JOIN(one);
    return 1 + FILCH_JOIN(rest);
}

FILCH_FORK_FUNCTION(long, deep_calls, (int, n))
{
    if (n == 0) {
        return 0;
    }
    FILCH_FORK(one, leaf);
    long below = FILCH_CALL(deep_calls, n - 1);
    FILCH_JOIN(one);
    return 1 + below;
}

START_TEST(a_full_lane_runs_children_at_once)
{
    /* The largest stack with a lane of a thousand slots; a thief may take the deep end. */
    filch_pool *pool = pool_opened_with(
        &(filch_pool_options){.processes = workers_of(_i), .stack_bytes = (2 << 20) - 4096});
    long result = 0;
    ck_assert_int_eq(deep_apply(pool, 2000, &result), FILCH_OK);
    ck_assert_int_eq(result, 2000);
    atomic_store(&ran, 0);
    ck_assert_int_eq(deep_calls_apply(pool, 2000, &result), FILCH_OK);
    ck_assert_int_eq(result, 2000);
    ck_assert_int_eq(atomic_load(&ran), 2000);
    pool_closed(pool);
}
END_TEST

/* ---- children that block ---- */

FILCH_FORK_FUNCTION(int, sleepy_tree, (int, depth))
{
    if (depth == 0) {
        filch_sleep(0.001);
        return 1;
    }
    FILCH_FORK(left, sleepy_tree, depth - 1);
    int right = FILCH_CALL(sleepy_tree, depth - 1);
    filch_sleep(0.0005);
    return FILCH_JOIN(left) + right;
}

START_TEST(children_may_sleep_anywhere)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(sleepy_tree_apply(pool, 8, &result), FILCH_OK);
    ck_assert_int_eq(result, 256);
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(int, yielding_tree, (int, depth))
{
    filch_yield(); /* every fiber may go on on another thread after this */
    if (depth == 0) {
        return 1;
    }
    FILCH_FORK(left, yielding_tree, depth - 1);
    int right = FILCH_CALL(yielding_tree, depth - 1);
    filch_yield();
    return FILCH_JOIN(left) + right;
}

START_TEST(fibers_may_move_at_every_step)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[8];
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(yielding_tree_apply_async(pool, 7, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 8; i++) {
        int result = 0;
        ck_assert_int_eq(yielding_tree_get(futures[i], &result), FILCH_OK);
        ck_assert_int_eq(result, 128);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- idle workers get work from one that only forks once ---- */

static atomic_int both;

FILCH_FORK_FUNCTION(int, meets_the_other)
{
    atomic_fetch_add(&both, 1);
    await(&both, 2); /* never yields: only another worker can bring the second */
    return 1;
}

FILCH_FORK_FUNCTION(int, meeting)
{
    FILCH_FORK(one, meets_the_other);
    int two = FILCH_CALL(meets_the_other);
    return FILCH_JOIN(one) + two;
}

START_TEST(a_single_fork_reaches_an_idle_worker)
{
    filch_pool *pool = pool_opened(1);
    for (int round = 0; round < 20; round++) {
        int result = 0;
        atomic_store(&both, 0);
        ck_assert_int_eq(meeting_apply(pool, &result), FILCH_OK);
        ck_assert_int_eq(result, 2);
    }
    pool_closed(pool);
}
END_TEST

/* ---- errors, arguments, mutual recursion ---- */

FILCH_FORK_FUNCTION(int, fails_at, (int, depth), (int, code))
{
    if (depth == 0) {
        return filch_raise(code, "deep inside"), 0;
    }
    FILCH_FORK(left, fails_at, depth - 1, code);
    int right = FILCH_CALL(fails_at, depth - 1, code);
    return FILCH_JOIN(left) + right;
}

/* A stolen child forks for the second time only when its caller has begun to wait: only a
 * monitor can ask for that fork then, on behalf of the caller's core. */
FILCH_FORK_FUNCTION(int, hands_on, (atomic_int *, begun))
{
    atomic_store(begun, 2);
    return 1;
}

FILCH_FORK_FUNCTION(int, is_stolen, (atomic_int *, begun))
{
    atomic_store(begun, 1);
    int wrong = FILCH_CALL(fib, 20) != 6765; /* the first forks are published, and taken back */
    FILCH_FORK(second, hands_on, begun);
    while (atomic_load(begun) < 2) {
        wrong += FILCH_CALL(fib, 10) != 55; /* forks: it looks up */
    }
    return FILCH_JOIN(second) + wrong;
}

FILCH_FORK_FUNCTION(int, gives_half_away, (atomic_int *, begun))
{
    FILCH_FORK(half, is_stolen, begun);
    await(begun, 1);
    return FILCH_JOIN(half);
}

START_TEST(the_core_of_a_waiting_caller_is_used)
{
    filch_pool *pool = pool_opened(_i + 1);
    for (int round = 0; round < 20; round++) {
        atomic_int begun = 0;
        int result = 0;
        ck_assert_int_eq(gives_half_away_apply(pool, &begun, &result), FILCH_OK);
        ck_assert_int_eq(result, 1);
    }
    pool_closed(pool);
}
END_TEST

/* Children that are over at once, or two that wait for each other. */
FILCH_FORK_FUNCTION(int, short_or_meeting, (int, depth), (atomic_int *, here), (bool, meeting))
{
    if (depth == 0) {
        if (meeting) {
            atomic_fetch_add(here, 1);
            await(here, 2);
        }
        return 1;
    }
    FILCH_FORK(other, short_or_meeting, depth - 1, here, meeting);
    int rest = FILCH_CALL(short_or_meeting, depth - 1, here, meeting);
    return FILCH_JOIN(other) + rest;
}

START_TEST(a_region_that_was_short_is_shared_when_it_is_long)
{
    filch_pool *pool = pool_opened(_i + 1);
    for (int round = 0; round < 10; round++) {
        atomic_int here = 0;
        int leaves = 0;
        for (int i = 0; i < 10; i++) {
            ck_assert_int_eq(short_or_meeting_apply(pool, 4, &here, false, &leaves), FILCH_OK);
            ck_assert_int_eq(leaves, 16);
        }
        if (round % 5 == 4) {
            nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL); /* no monitor looks now */
        }
        ck_assert_int_eq(short_or_meeting_apply(pool, 1, &here, true, &leaves), FILCH_OK);
        ck_assert_int_eq(leaves, 2);
        ck_assert_int_eq(here, 2);
    }
    pool_closed(pool);
}
END_TEST

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) /* nothing is short there */
START_TEST(a_region_that_is_known_to_be_short_wakes_no_thread)
{
    filch_pool *pool = pool_opened(1);
    atomic_int here = 0;
    int leaves = 0;
    long before = 0;
    for (int i = 0; i < 30; i++) {
        before = i == 10 ? wakes_so_far() : before;
        ck_assert_int_eq(short_or_meeting_apply(pool, 4, &here, false, &leaves), FILCH_OK);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    ck_assert_int_le(wakes_so_far() - before, 5); /* of 20: one that is interrupted seems long */
    pool_closed(pool);
}
END_TEST
#endif

START_TEST(an_error_in_a_stolen_child_reaches_the_caller)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_error error;
    ck_assert_int_eq(fails_at_apply_async(pool, 10, 42, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_ERAISED);
    ck_assert_int_eq(error.code, 42);
    ck_assert_str_eq(error.message, "deep inside");
    ck_assert_str_eq(error.function, "fails_at");
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(int, sum8, (char, a), (short, b), (int, c), (long, d), (float, e), (double, f),
                    (signed char, g), (const int *, h))
{
    return a + b + c + (int)d + (int)e + (int)f + g + *h;
}

FILCH_FORK_FUNCTION(int, forks_sum8, (int, h))
{
    FILCH_FORK(sum, sum8, 1, 2, 3, 4, 5, 6, 7, &h);
    FILCH_FORK(more, sum8, 1, 2, 3, 4, 5, 6, 7, &h);
    return FILCH_JOIN(more) + FILCH_JOIN(sum);
}

START_TEST(eight_arguments_of_any_type_arrive)
{
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < 200; i++) {
        int result = 0;
        ck_assert_int_eq(forks_sum8_apply(pool, i, &result), FILCH_OK);
        ck_assert_int_eq(result, 2 * (28 + i));
    }
    pool_closed(pool);
}
END_TEST

FILCH_FORK_DECLARE(int, is_odd, (unsigned, n))
FILCH_FORK_DECLARE(int, is_even, (unsigned, n))
FILCH_FORK_DEFINE(int, is_even, (unsigned, n))
{
    if (n == 0) {
        return 1;
    }
    FILCH_FORK(rest, is_odd, n - 1);
    return FILCH_JOIN(rest);
}
FILCH_FORK_DEFINE(int, is_odd, (unsigned, n))
{
    if (n == 0) {
        return 0;
    }
    FILCH_FORK(rest, is_even, n - 1);
    return FILCH_JOIN(rest);
}

START_TEST(fork_functions_may_be_mutually_recursive)
{
    ck_assert_int_eq(is_even(500), 1);
    ck_assert_int_eq(is_odd(500), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fork");
    TCase *tcase = tcase_create("fork");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, fib_without_cutoff_is_right, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_fork_function_is_a_task_of_a_group, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_plain_call_uses_the_default_pool);
    tcase_add_loop_test(tcase, an_irregular_tree_is_counted_exactly, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, joins_may_come_in_any_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_fork_that_is_not_joined_is_joined_when_its_block_is_left, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_second_join_does_nothing, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_join_may_be_an_argument, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_full_lane_runs_children_at_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, children_may_sleep_anywhere, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, fibers_may_move_at_every_step, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_single_fork_reaches_an_idle_worker);
    tcase_add_loop_test(tcase, the_core_of_a_waiting_caller_is_used, 0, WORKER_SWEEP - 1);
    tcase_add_loop_test(tcase, a_region_that_was_short_is_shared_when_it_is_long, 0,
                        WORKER_SWEEP - 1);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, a_region_that_is_known_to_be_short_wakes_no_thread);
#endif
    tcase_add_loop_test(tcase, an_error_in_a_stolen_child_reaches_the_caller, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, eight_arguments_of_any_type_arrive, 0, WORKER_SWEEP);
    tcase_add_test(tcase, fork_functions_may_be_mutually_recursive);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
