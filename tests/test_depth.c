/* How deep tasks may go: recursion, forks, loops and calls of a pool one inside the other. */
#include "fixture.h"

#include <string.h>

#include "sched/pool.h"
#include "sched/thread.h"
#include "stack/sanitize.h"
#include "stack/stack.h"

/* Sanitizers make frames several times as large. */
enum {
    DEEP = FILCH_SANITIZES_STACKS ? 4000 : 12000,
    SMALL = (2 << 20) - 4096, /* bytes of a stack whose lane has a thousand slots */
    BELOW_FULL = 2000,        /* forks: more than those */
};

/* ---- with default options ---- */

static int twigs(int depth)
{
    return depth % 16 == 0 ? 4 : 0;
}

/* A path with a small tree here and there. */
FILCH_FORK_FUNCTION(long, nodes, (int, depth), (int, bushy))
{
    if (depth == 0) {
        return 1;
    }
    FILCH_FORK(path, nodes, depth - 1, bushy);
    long side = bushy && twigs(depth) ? FILCH_CALL(nodes, twigs(depth), 0) : 0;
    return 1 + side + FILCH_JOIN(path);
}

static long nodes_expected(int depth)
{
    long count = 1;
    for (; depth > 0; depth--) {
        count += 1 + (twigs(depth) ? twigs(depth) + 1 : 0);
    }
    return count;
}

FILCH_FUNCTION(long, counts_nodes, (int, depth))
{
    return nodes(depth, 1);
}

/* Run by a worker: a waiter with a deadline does not take it up. */
static void ended_by_a_worker(filch_future *future)
{
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    ck_assert(filch_future_successful(future));
}

static long counted_by_a_worker(filch_pool *pool, int depth)
{
    filch_future *future;
    long result = 0;
    ck_assert_int_eq(counts_nodes_apply_async(pool, depth, &future), FILCH_OK);
    ended_by_a_worker(future);
    ck_assert_int_eq(filch_future_get(future, &result, sizeof result), FILCH_OK);
    filch_future_free(future);
    return result;
}

START_TEST(a_deep_unbalanced_tree_is_walked_on_any_worker)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(counted_by_a_worker(pool, DEEP), nodes_expected(DEEP));
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_deep_unbalanced_tree_is_walked_from_outside)
{
    filch_pool *pool = pool_opened(_i);
    long result = 0;
    ck_assert_int_eq(nodes_apply(pool, DEEP, 1, &result), FILCH_OK);
    ck_assert_int_eq(result, nodes_expected(DEEP));
    pool_closed(pool);
}
END_TEST

enum { FRAME = 4096 };

static size_t recurse(size_t bytes)
{
    volatile char frame[FRAME];
    memset((char *)frame, 1, sizeof frame);
    return bytes < 2 * FRAME ? 0 : (size_t)frame[bytes % FRAME] + recurse(bytes - 2 * FRAME);
}

FILCH_FUNCTION(size_t, recurses, (size_t, bytes))
{
    return recurse(bytes);
}

/* What the frames hold is half of it at least: the rest is for what a sanitizer adds. */
START_TEST(a_task_has_as_much_stack_as_its_pool_says)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    ck_assert_uint_ge(filch_pool_stack_bytes(pool), 1 << 20);
    size_t bytes = filch_pool_stack_bytes(pool) / 8 * 7;
    ck_assert_int_eq(recurses_apply_async(pool, bytes, &future), FILCH_OK);
    ended_by_a_worker(future);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* ---- where a lane is full ---- */

static filch_pool *pool_with_small_lanes(int sweep)
{
    return pool_opened_with(
        &(filch_pool_options){.processes = workers_of(sweep), .stack_bytes = SMALL});
}

static atomic_int elements;

static void counts(size_t i, void *unused)
{
    (void)unused, (void)i;
    atomic_fetch_add(&elements, 1);
}

FILCH_FORK_FUNCTION(int, loops_below, (int, depth), (filch_pool *, pool))
{
    if (depth == 0) {
        return (int)filch_parallel_for(pool, 100, counts, NULL);
    }
    FILCH_FORK(nothing, loops_below, 0, pool);
    int status = FILCH_CALL(loops_below, depth - 1, pool);
    return FILCH_JOIN(nothing) | status;
}

FILCH_FUNCTION(int, goes_down_to_loops, (filch_pool *, pool))
{
    return loops_below(BELOW_FULL, pool);
}

START_TEST(a_loop_runs_where_the_lane_is_full)
{
    filch_pool *pool = pool_with_small_lanes(_i);
    filch_future *future;
    int status = -1;
    atomic_store(&elements, 0);
    ck_assert_int_eq(goes_down_to_loops_apply_async(pool, pool, &future), FILCH_OK);
    ended_by_a_worker(future);
    ck_assert_int_eq(filch_future_get(future, &status, sizeof status), FILCH_OK);
    ck_assert_int_eq(status, FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(atomic_load(&elements), 100 * (BELOW_FULL + 1));
    pool_closed(pool);
}
END_TEST

static atomic_int old_ones;
static atomic_int is_down;
static thrd_t goes_down;

/* A thief does not get ahead of the one that goes down: enough is left at the bottom. */
FILCH_FORK_FUNCTION(void, old_one)
{
    if (!thrd_equal(thrd_current(), goes_down)) {
        await(&is_down, 1);
    }
    atomic_fetch_add(&old_ones, 1);
}

FILCH_FORK_FUNCTION(void, nothing)
{
}

/* It goes on forking until more of the oldest forks have run, which it does not do itself. */
FILCH_FORK_FUNCTION(void, waits_below, (int, depth))
{
    if (depth == 0) {
        int before = atomic_load(&old_ones);
        atomic_store(&is_down, 1);
        while (atomic_load(&old_ones) < before + 10) {
            FILCH_FORK(more, nothing);
            FILCH_JOIN(more);
        }
        return;
    }
    FILCH_FORK(old, old_one);
    FILCH_CALL(waits_below, depth - 1);
    FILCH_JOIN(old);
}

FILCH_FUNCTION(void, goes_down_to_wait)
{
    goes_down = thrd_current();
    waits_below(BELOW_FULL);
}

START_TEST(a_full_lane_gives_its_oldest_work_away)
{
    filch_pool *pool =
        pool_opened_with(&(filch_pool_options){.processes = 2, .stack_bytes = SMALL});
    filch_future *future;
    atomic_store(&old_ones, 0);
    atomic_store(&is_down, 0);
    ck_assert_int_eq(goes_down_to_wait_apply_async(pool, &future), FILCH_OK);
    ended_by_a_worker(future);
    filch_future_free(future);
    ck_assert_int_eq(atomic_load(&old_ones), BELOW_FULL);
    pool_closed(pool);
}
END_TEST

/* ---- calls of a pool, one inside the other ---- */

enum { CALLS = 5000 };

FILCH_FUNCTION(int, calls_itself, (filch_pool *, pool), (int, depth))
{
    int below = 0;
    if (depth > 0) {
        check_int_eq(calls_itself_apply(pool, pool, depth - 1, &below), FILCH_OK);
    }
    return 1 + below;
}

START_TEST(calls_of_a_pool_nest_as_deep_as_there_is_memory)
{
    filch_pool *pool = pool_opened_with(
        &(filch_pool_options){.processes = workers_of(_i), .stack_bytes = 256 * 1024});
    filch_future *future;
    int result = 0;
    ck_assert_int_eq(calls_itself_apply_async(pool, pool, CALLS, &future), FILCH_OK);
    ended_by_a_worker(future);
    ck_assert_int_eq(filch_future_get(future, &result, sizeof result), FILCH_OK);
    ck_assert_int_eq(result, CALLS + 1);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(nested_calls_end_also_when_the_pool_is_closed)
{
    filch_pool *pool = pool_opened_with(
        &(filch_pool_options){.processes = workers_of(_i), .stack_bytes = 256 * 1024});
    filch_future *future;
    int result = 0;
    ck_assert_int_eq(calls_itself_apply_async(pool, pool, CALLS, &future), FILCH_OK);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ended_by_a_worker(future);
    ck_assert_int_eq(filch_future_get(future, &result, sizeof result), FILCH_OK);
    ck_assert_int_eq(result, CALLS + 1);
    filch_future_free(future);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

/* ---- two sizes ---- */

START_TEST(the_first_thousand_stacks_are_large_and_are_had_first)
{
    enum { MORE = 100 };
    static struct filch_stack *all[FILCH_STACKS_LARGE + MORE];
    struct filch_stacks stacks;
    struct filch_shelf shelf = {0};
    filch_stacks_init(&stacks, 0);
    size_t large = stacks.stocks[0].bytes;
    for (int i = 0; i < FILCH_STACKS_LARGE + MORE; i++) {
        all[i] = filch_stacks_get(&stacks, &shelf);
        ck_assert_ptr_nonnull(all[i]);
        ck_assert_uint_ge(all[i]->bytes, i < FILCH_STACKS_LARGE ? large : 1 << 20);
        ck_assert(i < FILCH_STACKS_LARGE || large == 1 << 20 || all[i]->bytes < large);
    }
    filch_stacks_put(&stacks, &shelf, all[0]);
    for (int i = FILCH_STACKS_LARGE; i < FILCH_STACKS_LARGE + MORE; i++) {
        filch_stacks_put(&stacks, &shelf, all[i]);
    }
    struct filch_stack *next = filch_stacks_get(&stacks, &shelf);
    ck_assert(large == 1 << 20 || next == all[0]);
    filch_stacks_put(&stacks, &shelf, next);
    for (int i = 1; i < FILCH_STACKS_LARGE; i++) {
        filch_stacks_put(&stacks, &shelf, all[i]);
    }
    filch_stacks_clear(&stacks, &shelf);
    while (filch_stacks_trim(&stacks, 0)) {
    }
    ck_assert_ptr_nonnull(all[0] = filch_stacks_get(&stacks, &shelf)); /* of a slab used anew */
    ck_assert_uint_ge(all[0]->bytes, large);
    filch_stacks_put(&stacks, NULL, all[0]);
    filch_stacks_clear(&stacks, &shelf);
    ck_assert_uint_eq(stacks.live_count, 0);
    filch_stacks_destroy(&stacks);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("depth");
    TCase *tcase = tcase_create("depth");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, a_deep_unbalanced_tree_is_walked_on_any_worker, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_deep_unbalanced_tree_is_walked_from_outside, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_has_as_much_stack_as_its_pool_says, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_loop_runs_where_the_lane_is_full, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_full_lane_gives_its_oldest_work_away);
    tcase_add_loop_test(tcase, calls_of_a_pool_nest_as_deep_as_there_is_memory, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, nested_calls_end_also_when_the_pool_is_closed, 0, WORKER_SWEEP);
    tcase_add_test(tcase, the_first_thousand_stacks_are_large_and_are_had_first);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
