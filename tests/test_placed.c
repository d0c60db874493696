/* Tasks that live in their futures: made in place, run there, and destroyed there once. */
#include "fixture.h"

#include <stdint.h>

static atomic_int runs;
static atomic_int destroyed;
static int placed;

/* It knows where it is; such a thing cannot be copied byte by byte. */
struct state {
    struct state *self;
    int value;
};

static void *where; /* the last was placed */

static void place(void *context, void *memory)
{
    struct state *state = memory;
    state->self = state;
    state->value = *(int *)context;
    where = state;
    placed++;
}

static void run(void *captures, void *memory)
{
    struct state *state = memory;
    (void)captures;
    check_int_eq(state->self == state, true);
    state->value *= 2;
    atomic_fetch_add(&runs, 1);
}

static void run_and_raise(void *captures, void *memory)
{
    run(captures, memory);
    filch_raise(5, "five");
}

static void destroy(void *memory)
{
    struct state *state = memory;
    check_int_eq(state->self == state, true);
    state->self = NULL;
    atomic_fetch_add(&destroyed, 1);
}

static const filch_placed doubling = {{run, 0, sizeof(struct state), NULL}, place, destroy};
static const filch_placed raising = {
    {run_and_raise, 0, sizeof(struct state), NULL}, place, destroy};
static const filch_placed lasting = {{run, 0, sizeof(struct state), NULL}, place, NULL};

static void start_counts(void)
{
    atomic_store(&runs, 0);
    atomic_store(&destroyed, 0);
    placed = 0;
}

static void check_counts(int places, int ran, int gone)
{
    ck_assert_int_eq(placed, places);
    ck_assert_int_eq(atomic_load(&runs), ran);
    ck_assert_int_eq(atomic_load(&destroyed), gone);
}

START_TEST(a_task_is_made_run_and_destroyed_in_one_place)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    struct state state;
    int value = 21;
    start_counts();
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, NULL, 0, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_get(future, &state, sizeof state), FILCH_OK);
    ck_assert_int_eq(state.value, 42);
    ck_assert_ptr_eq(state.self, where);
    check_counts(1, 1, 0);
    filch_future_free(future);
    pool_closed(pool);
    check_counts(1, 1, 1);
}
END_TEST

START_TEST(one_that_raised_or_was_not_asked_for_is_destroyed_too)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int value = 1;
    start_counts();
    ck_assert_int_eq(filch_future_place(pool, &raising, &value, NULL, 0, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, NULL, 0, NULL), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &lasting, &value, NULL, 0, NULL), FILCH_OK);
    struct state state = {.value = -1};
    ck_assert_int_eq(filch_future_get(future, &state, sizeof state), FILCH_ERAISED);
    ck_assert_int_eq(state.value, -1);
    filch_future_free(future);
    pool_closed(pool);
    check_counts(3, 3, 2);
}
END_TEST

START_TEST(one_that_was_cancelled_is_destroyed_without_having_run)
{
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *gate;
    filch_future *future;
    int value = 1;
    start_counts();
    ck_assert_int_eq(filch_promise_new(0, &promise, &gate), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, &gate, 1, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert(filch_future_cancelled(future));
    check_counts(1, 0, 0);
    filch_future_free(future);
    filch_future_free(gate);
    filch_promise_free(promise);
    pool_closed(pool);
    check_counts(1, 0, 1);
}
END_TEST

START_TEST(it_runs_when_its_needs_have_succeeded_and_not_if_one_has_failed)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *needs[2];
    filch_future *after;
    filch_future *never;
    filch_error error;
    int value = 3;
    start_counts();
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, NULL, 0, &needs[0]), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &raising, &value, NULL, 0, &needs[1]), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, needs, 1, &after), FILCH_OK);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, needs, 2, &never), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(after), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(never), FILCH_OK);
    ck_assert(filch_future_successful(after));
    ck_assert_int_eq(filch_future_error(never, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 5);
    check_counts(4, 3, 0);
    filch_future_free(never);
    filch_future_free(after);
    filch_future_free(needs[1]);
    filch_future_free(needs[0]);
    pool_closed(pool);
    check_counts(4, 3, 4);
}
END_TEST

START_TEST(what_is_refused_is_not_made_or_is_destroyed)
{
    filch_pool *pool = pool_opened(0);
    filch_placed wrong[4] = {doubling, doubling, doubling, doubling};
    filch_future *const missing[1] = {NULL};
    filch_future *future = (filch_future *)&wrong;
    int value = 0;
    wrong[0].place = NULL;
    wrong[1].callable.invoke = NULL;
    wrong[2].callable.result_bytes = 0;
    wrong[3].callable.captures_bytes = 1;
    start_counts();
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(filch_future_place(pool, &wrong[i], &value, NULL, 0, &future),
                         FILCH_EINVAL);
        ck_assert_ptr_null(future);
    }
    ck_assert_int_eq(filch_future_place(pool, NULL, &value, NULL, 0, &future), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, NULL, 1, &future), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, missing, 1, &future),
                     FILCH_EINVAL);
    check_counts(0, 0, 0);
    filch_future *ready;
    ck_assert_int_eq(filch_future_place(pool, &lasting, &value, NULL, 0, &ready), FILCH_OK);
    filch_pool_close(pool);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, NULL, 0, &future), FILCH_ECLOSED);
    ck_assert_ptr_null(future);
    ck_assert_int_eq(filch_future_place(pool, &doubling, &value, &ready, 1, &future),
                     FILCH_ECLOSED);
    ck_assert_ptr_null(future);
    filch_future_free(ready);
    pool_closed(pool);
    check_counts(3, 1, 2);
}
END_TEST

START_TEST(without_memory_nothing_is_made_or_left)
{
    filch_pool *pool = pool_opened(0);
    filch_future *need;
    filch_future *future;
    int value = 4;
    ck_assert_int_eq(filch_future_place(pool, &lasting, &value, NULL, 0, &need), FILCH_OK);
    for (size_t n = 0; n < 2; n++) {
        start_counts();
        fail_call(1);
        filch_status status = filch_future_place(pool, &doubling, &value, &need, n, &future);
        fail_call(0);
        ck_assert_int_eq(status, FILCH_ENOMEM);
        ck_assert_ptr_null(future);
        check_counts(0, 0, 0);
    }
    filch_future_free(need);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("placed");
    TCase *tasks = tcase_create("tasks that live in their futures");
    tcase_add_loop_test(tasks, a_task_is_made_run_and_destroyed_in_one_place, 0, WORKER_SWEEP);
    tcase_add_loop_test(tasks, one_that_raised_or_was_not_asked_for_is_destroyed_too, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tasks, one_that_was_cancelled_is_destroyed_without_having_run, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tasks, it_runs_when_its_needs_have_succeeded_and_not_if_one_has_failed, 0,
                        WORKER_SWEEP);
    tcase_add_test(tasks, what_is_refused_is_not_made_or_is_destroyed);
    tcase_add_test(tasks, without_memory_nothing_is_made_or_left);
    suite_add_tcase(suite, tasks);
    return run_suite(suite);
}
