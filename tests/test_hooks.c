/* What is called when a worker starts and finishes, and what becomes of a pool that cannot start
 * one. */
#include "fixture.h"

#include <string.h>

enum { MOST = 200 };

struct seen {
    atomic_int started[MOST];
    atomic_int finished[MOST];
    int fails_at;     /* the worker that cannot start; 0: all can */
    atomic_int early; /* tasks that ran on a worker that had not started */
};

static void start(void *context, unsigned worker)
{
    struct seen *seen = context;
    ck_assert_uint_eq(worker, filch_worker_id());
    if ((int)worker == seen->fails_at) {
        filch_raise(71, "worker %u has no luck", worker);
        return;
    }
    atomic_fetch_add(&seen->started[worker], 1);
}

static void finish(void *context, unsigned worker)
{
    struct seen *seen = context;
    atomic_fetch_add(&seen->finished[worker], 1);
}

FILCH_FUNCTION(int, looks, (struct seen *, seen), (int, x))
{
    if (atomic_load(&seen->started[filch_worker_id()]) != 1) {
        atomic_fetch_add(&seen->early, 1);
    }
    return x;
}

static filch_pool *hooked_pool(struct seen *seen, int sweep)
{
    return pool_opened_with(&(filch_pool_options){
        .processes = workers_of(sweep), .start = start, .finish = finish, .hooks_context = seen});
}

static void check_pairs(struct seen *seen, int least)
{
    int started = 0;
    for (int i = 0; i < MOST; i++) {
        ck_assert_int_le(seen->started[i], 1);
        ck_assert_int_eq(seen->started[i], seen->finished[i]);
        started += seen->started[i];
    }
    ck_assert_int_ge(started, least);
    ck_assert_int_eq(seen->early, 0);
}

START_TEST(each_worker_starts_before_its_first_work_and_finishes_once)
{
    static struct seen seen;
    filch_pool *pool = hooked_pool(&seen, _i);
    filch_future *futures[50];
    struct seen *seens[100];
    int in[100];
    int out[100];
    for (int i = 0; i < 100; i++) {
        seens[i] = &seen;
        in[i] = i;
    }
    ck_assert_int_eq(looks_starmap(pool, seens, in, 100, out), FILCH_OK);
    for (int i = 0; i < 50; i++) {
        ck_assert_int_eq(looks_apply_async(pool, &seen, i, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 50; i++) {
        int value;
        ck_assert_int_eq(looks_get(futures[i], &value), FILCH_OK);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
    check_pairs(&seen, 1);
}
END_TEST

START_TEST(a_pool_that_does_nothing_starts_no_worker)
{
    static struct seen seen;
    filch_pool *pool = hooked_pool(&seen, _i);
    pool_closed(pool);
    check_pairs(&seen, 0);
    ck_assert_int_eq(seen.started[1], 0);
}
END_TEST

START_TEST(a_failing_start_breaks_the_pool)
{
    static struct seen seen;
    seen.fails_at = 1;
    filch_pool *pool = hooked_pool(&seen, _i);
    filch_error error;
    filch_future *future;
    char line[100];
    int value = 0;
    ck_assert_int_eq(filch_pool_error(pool, &error), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_OK);
    ck_assert_int_eq(looks_apply(pool, &seen, 1, &value), FILCH_EBROKEN);
    ck_assert_int_eq(filch_pool_error(pool, &error), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_EBROKEN);
    ck_assert_int_eq(error.code, 71);
    ck_assert_str_eq(error.message, "worker 1 has no luck");
    ck_assert_int_eq(looks_apply_async(pool, &seen, 1, &future), FILCH_EBROKEN);
    ck_assert_ptr_null(future);
    filch_pool_repr(pool, line, sizeof line);
    ck_assert(strstr(line, "state=broken"));
    ck_assert_int_eq(seen.early, 0);
    pool_closed(pool);
}
END_TEST

START_TEST(what_is_pending_fails_when_the_pool_breaks)
{
    enum { N = 40 };
    int broken = 0;
    for (int round = 0; round < 20; round++) {
        static struct seen seen;
        seen.fails_at = 1;
        filch_pool *pool = hooked_pool(&seen, _i);
        filch_future *futures[N];
        filch_error error;
        int accepted = 0;
        while (accepted < N) {
            filch_status status = looks_apply_async(pool, &seen, 1, &futures[accepted]);
            if (status != FILCH_OK) {
                ck_assert_int_eq(status, FILCH_EBROKEN);
                break;
            }
            accepted++;
        }
        ck_assert_int_ge(accepted, 1);
        for (int i = 0; i < accepted; i++) {
            int value = 0;
            filch_status got = looks_get(futures[i], &value);
            /* another worker may have run some before the first could not start: this thread */
            ck_assert(got == FILCH_EBROKEN || got == FILCH_OK);
            broken += got == FILCH_EBROKEN;
            ck_assert_int_eq(filch_future_error(futures[i], &error), FILCH_OK);
            ck_assert(got == FILCH_OK || error.code == 71);
            filch_future_free(futures[i]);
        }
        pool_closed(pool);
    }
    ck_assert_int_gt(broken, 0);
}
END_TEST

struct two {
    filch_pool *pool;
    atomic_int begun;
};

/* Both workers are in here at once; the second fails when the first has failed. */
static void fails_in_turn(void *context, unsigned worker)
{
    struct two *two = context;
    int turn = atomic_fetch_add(&two->begun, 1) + 1;
    filch_error error = {.status = FILCH_OK};
    (void)worker;
    await(&two->begun, 2);
    while (turn == 2 && error.status != FILCH_EBROKEN) {
        filch_pool_error(two->pool, &error);
    }
    filch_raise(turn, "number %d", turn);
}

START_TEST(of_several_workers_that_cannot_start_the_first_is_told)
{
    struct two two = {.pool = NULL};
    filch_pool *pool = pool_opened_with(
        &(filch_pool_options){.processes = 2, .start = fails_in_turn, .hooks_context = &two});
    filch_future *futures[2];
    filch_error error;
    struct seen unused;
    two.pool = pool;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(looks_apply_async(pool, &unused, i, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(filch_future_wait_until(futures[i], filch_in(1000)), FILCH_OK);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_error(pool, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 1);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hooks");
    TCase *tcase = tcase_create("hooks");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, each_worker_starts_before_its_first_work_and_finishes_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_pool_that_does_nothing_starts_no_worker, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_failing_start_breaks_the_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_is_pending_fails_when_the_pool_breaks, 0, WORKER_SWEEP);
    tcase_add_test(tcase, of_several_workers_that_cannot_start_the_first_is_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
