/* Futures of futures: continuations, combinations, callbacks, cancellation, descriptors. */
#include "fixture.h"
#include "gates.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "sched/pool.h"

FILCH_FUNCTION(int, plus, (int, x), (int, y))
{
    return x + y;
}

FILCH_FUNCTION(int, failing, (int, code))
{
    return filch_raise(code, "code %d", code), 0;
}

FILCH_FUNCTION(int, after, (int, x), (double, seconds))
{
    filch_sleep(seconds);
    return x;
}

FILCH_FUNCTION(int, when_open, (filch_future *, gate), (int, x))
{
    check_int_eq(filch_future_wait(gate), FILCH_OK);
    return x;
}

FILCH_FUNCTION(void, count_up, (int, by), (atomic_int *, total))
{
    atomic_fetch_add(total, by);
}

FILCH_HANDLER(int, code_of, (int, offset))
{
    return error->code + offset;
}

FILCH_HANDLER(int, raising_again)
{
    return filch_raise(error->code + 1, "again: %s", error->message), 0;
}

static int value_of(filch_future *future)
{
    int value = -1;
    ck_assert_int_eq(plus_get(future, &value), FILCH_OK);
    filch_future_free(future);
    return value;
}

/* ---- then and catch ---- */

START_TEST(a_continuation_gets_the_value)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *one;
    filch_future *two;
    filch_future *three;
    ck_assert_int_eq(plus_apply_async(pool, 1, 2, &one), FILCH_OK);
    ck_assert_int_eq(plus_then(pool, one, 10, &two), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(one), FILCH_OK);
    ck_assert_int_eq(plus_then(pool, one, 100, &three), FILCH_OK); /* it is ready already */
    ck_assert_int_eq(value_of(one), 3);
    ck_assert_int_eq(value_of(two), 13);
    ck_assert_int_eq(value_of(three), 103);
    pool_closed(pool);
}
END_TEST

START_TEST(an_error_passes_through_then_and_a_value_through_catch)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *failed;
    filch_future *passed;
    filch_future *caught;
    filch_future *value;
    filch_future *kept;
    filch_error error;
    ck_assert_int_eq(failing_apply_async(pool, 7, &failed), FILCH_OK);
    ck_assert_int_eq(plus_then(pool, failed, 1, &passed), FILCH_OK);
    ck_assert_int_eq(code_of_catch(pool, passed, 100, &caught), FILCH_OK);
    ck_assert_int_eq(plus_apply_async(pool, 1, 2, &value), FILCH_OK);
    ck_assert_int_eq(code_of_catch(pool, value, 100, &kept), FILCH_OK);
    ck_assert_int_eq(value_of(caught), 107);
    ck_assert_int_eq(value_of(kept), 3);
    ck_assert_int_eq(filch_future_wait(passed), FILCH_OK);
    ck_assert_int_eq(filch_future_error(passed, &error), FILCH_OK);
    ck_assert_int_eq(error.status, FILCH_ERAISED);
    ck_assert_int_eq(error.code, 7);
    ck_assert_str_eq(error.message, "code 7");
    ck_assert_str_eq(error.function, "failing");
    filch_future_free(failed);
    filch_future_free(passed);
    filch_future_free(value);
    pool_closed(pool);
}
END_TEST

START_TEST(a_handler_may_raise_an_error_of_its_own)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *failed;
    filch_future *again;
    filch_error error;
    ck_assert_int_eq(failing_apply_async(pool, 7, &failed), FILCH_OK);
    ck_assert_int_eq(raising_again_catch(pool, failed, &again), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(again), FILCH_OK);
    ck_assert_int_eq(filch_future_error(again, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 8);
    ck_assert_str_eq(error.message, "again: code 7");
    filch_future_free(failed);
    filch_future_free(again);
    pool_closed(pool);
}
END_TEST

START_TEST(a_chain_of_many_continuations_needs_no_stack)
{
    enum { LINKS = 20000 };
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *last;
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &last), FILCH_OK);
    for (int i = 0; i < LINKS; i++) {
        filch_future *next;
        ck_assert_int_eq(plus_then(pool, last, 1, &next), FILCH_OK);
        filch_future_free(last);
        last = next;
    }
    int zero = 0;
    ck_assert_int_eq(filch_promise_set_value(promise, &zero), FILCH_OK);
    filch_promise_free(promise);
    ck_assert_int_eq(value_of(last), LINKS);
    pool_closed(pool);
}
END_TEST

START_TEST(closing_lets_continuations_happen_and_terminating_cancels_them)
{
    for (int terminated = 0; terminated < 2; terminated++) {
        filch_pool *pool = pool_opened(_i);
        filch_promise *promise;
        filch_future *gate;
        filch_future *next;
        filch_future *refused = NULL;
        int value = 5;
        ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &gate), FILCH_OK);
        ck_assert_int_eq(plus_then(pool, gate, 1, &next), FILCH_OK);
        if (terminated) {
            ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
            ck_assert_int_eq(filch_pool_join(pool), FILCH_OK); /* the promise is not set yet */
            ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
            ck_assert_int_eq(plus_get(next, &value), FILCH_ECANCELED);
        } else {
            ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
            ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
            ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
            ck_assert(filch_future_ready(next));
            ck_assert_int_eq(plus_get(next, &value), FILCH_OK);
            ck_assert_int_eq(value, 6);
        }
        ck_assert_int_eq(plus_then(pool, gate, 1, &refused), FILCH_ECLOSED);
        ck_assert_ptr_null(refused);
        filch_promise_free(promise);
        filch_future_free(gate);
        filch_future_free(next);
        pool_closed(pool);
    }
}
END_TEST

START_TEST(a_continuation_that_waits_can_be_cancelled)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 200; round++) {
        filch_promise *promise;
        filch_future *gate;
        filch_future *next;
        atomic_int total = 0;
        int one = 1;
        int value;
        ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &gate), FILCH_OK);
        ck_assert_int_eq(count_up_then(pool, gate, &total, &next), FILCH_OK);
        filch_future *setter;
        ck_assert_int_eq(after_apply_async(pool, 1, 0, &setter), FILCH_OK);
        if (round % 2) {
            ck_assert_int_eq(filch_promise_set_value(promise, &one), FILCH_OK);
        }
        filch_status cancelled = filch_future_cancel(next);
        filch_promise_free(promise);
        ck_assert_int_eq(filch_future_wait(next), FILCH_OK);
        filch_status ended = count_up_get(next);
        ck_assert_int_eq(ended == FILCH_OK, atomic_load(&total) == 1);
        ck_assert(ended == FILCH_OK || ended == FILCH_ECANCELED);
        ck_assert(cancelled == FILCH_OK || cancelled == FILCH_EALREADY);
        ck_assert(round % 2 || ended == FILCH_ECANCELED);
        ck_assert_int_eq(after_get(setter, &value), FILCH_OK);
        filch_future_free(setter);
        filch_future_free(gate);
        filch_future_free(next);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_value_of_another_size_is_refused)
{
    filch_pool *pool = pool_opened(1);
    filch_future *nothing;
    filch_future *next = NULL;
    atomic_int total = 0;
    ck_assert_int_eq(count_up_apply_async(pool, 1, &total, &nothing), FILCH_OK);
    ck_assert_int_eq(plus_then(pool, nothing, 1, &next), FILCH_EINVAL);
    ck_assert_ptr_null(next);
    ck_assert_int_eq(code_of_catch(pool, nothing, 1, &next), FILCH_EINVAL);
    ck_assert_int_eq(plus_then(pool, NULL, 1, &next), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_then(pool, nothing, NULL, NULL, &next), FILCH_EINVAL);
    filch_future_free(nothing);
    pool_closed(pool);
}
END_TEST

/* ---- callbacks ---- */

struct seen {
    atomic_int values;
    atomic_int errors;
    int value;
    filch_error error;
};

static void see_value(void *context, const void *result)
{
    struct seen *seen = context;
    seen->value = result ? *(const int *)result : -1;
    filch_raise(99, "a callback that fails does no harm");
    atomic_fetch_add(&seen->values, 1);
}

static void see_error(void *context, const filch_error *error)
{
    struct seen *seen = context;
    seen->error = *error;
    atomic_fetch_add(&seen->errors, 1);
}

START_TEST(callbacks_come_before_the_future_is_ready)
{
    filch_pool *pool = pool_opened(_i);
    struct seen good = {.value = 0};
    struct seen bad = {.value = 0};
    filch_options to_good = {.done = {see_value, see_error, &good}};
    filch_options to_bad = {.done = {see_value, see_error, &bad}};
    filch_future *future;
    ck_assert_int_eq(plus_apply_async(filch_on(pool, &to_good), 1, 2, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    ck_assert_int_eq(good.values, 1);
    ck_assert_int_eq(good.value, 3);
    ck_assert_int_eq(good.errors, 0);
    ck_assert_int_eq(value_of(future), 3);
    ck_assert_int_eq(failing_apply_async(filch_on(pool, &to_bad), 4, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(bad.values, 0);
    ck_assert_int_eq(bad.errors, 1);
    ck_assert_int_eq(bad.error.code, 4);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(the_end_of_an_asynchronous_map_calls_back)
{
    filch_pool *pool = pool_opened(_i);
    struct seen seen = {.value = 0};
    filch_options options = {.done = {see_value, see_error, &seen}};
    int xs[100];
    int ys[100];
    int out[100];
    for (int i = 0; i < 100; i++) {
        xs[i] = i;
        ys[i] = 1;
    }
    filch_future *future;
    ck_assert_int_eq(plus_starmap_async(filch_on(pool, &options), xs, ys, 100, out, &future),
                     FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(seen.values, 1);
    ck_assert_int_eq(seen.value, -1);
    ck_assert_int_eq(out[99], 100);
    filch_future_free(future);
    ck_assert_int_eq(plus_starmap_async(filch_on(pool, &options), xs, ys, 0, out, &future),
                     FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(seen.values, 2); /* also of no elements */
    filch_future_free(future);
    ck_assert_int_eq(failing_map_async(filch_on(pool, &options), xs, 100, out, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(seen.errors, 1);
    ck_assert_uint_eq(seen.error.index, 0);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(a_cancelled_task_calls_the_error_callback)
{
    filch_pool *pool = pool_opened(0);
    struct seen seen = {.value = 0};
    filch_options options = {.done = {see_value, see_error, &seen}};
    filch_promise *promise;
    filch_future *gate;
    filch_future *holder;
    filch_future *future;
    int value;
    ck_assert_int_eq(filch_promise_new(0, &promise, &gate), FILCH_OK);
    ck_assert_int_eq(when_open_apply_async(pool, gate, 1, &holder), FILCH_OK);
    ck_assert_int_eq(plus_apply_async(filch_on(pool, &options), 1, 2, &future), FILCH_OK);
    filch_status cancelled = filch_future_cancel(future);
    ck_assert_int_eq(filch_promise_set_value(promise, NULL), FILCH_OK);
    filch_status ended = plus_get(future, &value);
    ck_assert_int_eq(seen.values + seen.errors, 1);
    ck_assert_int_eq(seen.errors, ended == FILCH_ECANCELED);
    ck_assert(cancelled == FILCH_OK || ended == FILCH_OK);
    ck_assert_int_eq(value_of(holder), 1);
    filch_future_free(future);
    filch_future_free(gate);
    filch_promise_free(promise);
    pool_closed(pool);
}
END_TEST

/* ---- cancelling what runs ---- */

static atomic_int started;

FILCH_FUNCTION(int, until_cancelled)
{
    atomic_fetch_add(&started, 1);
    while (!filch_cancelled()) {
        filch_yield();
    }
    return 1;
}

FILCH_FUNCTION(int, sleeping_until_cancelled)
{
    atomic_fetch_add(&started, 1);
    return filch_sleep(1000) == FILCH_ECANCELED;
}

FILCH_FUNCTION(int, waiting_until_cancelled, (filch_future *, gate))
{
    atomic_fetch_add(&started, 1);
    return filch_future_wait(gate) == FILCH_ECANCELED;
}

FILCH_LOOP(sleeper, (size_t, i), (atomic_int *, cancelled))
{
    (void)i;
    atomic_fetch_add(&started, 1);
    atomic_fetch_add(cancelled, filch_sleep(1000) == FILCH_ECANCELED);
}

START_TEST(a_running_task_is_asked_to_stop)
{
    filch_pool *pool = pool_opened(_i);
    filch_promise *promise;
    filch_future *gate;
    filch_future *futures[3];
    ck_assert_int_eq(filch_promise_new(0, &promise, &gate), FILCH_OK);
    atomic_store(&started, 0);
    ck_assert_int_eq(until_cancelled_apply_async(pool, &futures[0]), FILCH_OK);
    ck_assert_int_eq(sleeping_until_cancelled_apply_async(pool, &futures[1]), FILCH_OK);
    ck_assert_int_eq(waiting_until_cancelled_apply_async(pool, gate, &futures[2]), FILCH_OK);
    await(&started, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert(!filch_future_ready(futures[i]));
        ck_assert(filch_future_running(futures[i]));
        ck_assert_int_eq(filch_future_cancel(futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 3; i++) {
        int stopped = 0;
        ck_assert_int_eq(filch_future_get(futures[i], &stopped, sizeof stopped), FILCH_OK);
        ck_assert_int_eq(stopped, 1);
        ck_assert(!filch_future_running(futures[i]));
        ck_assert(!filch_future_cancelled(futures[i])); /* it came to its end */
        ck_assert_int_eq(filch_future_cancel(futures[i]), FILCH_EALREADY);
        filch_future_free(futures[i]);
    }
    filch_promise_free(promise);
    filch_future_free(gate);
    pool_closed(pool);
}
END_TEST

START_TEST(cancelling_a_map_wakes_its_elements)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    atomic_int cancelled = 0;
    atomic_store(&started, 0);
    ck_assert_int_eq(sleeper_for_async(pool, 10, &cancelled, &future), FILCH_OK);
    await(&started, 10);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(cancelled, 10);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(cancelling_races_with_the_end)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 500; round++) {
        filch_future *future;
        int value = 0;
        ck_assert_int_eq(after_apply_async(pool, 3, round % 3 ? 0 : 1e-5, &future), FILCH_OK);
        filch_future_cancel(future);
        filch_status ended = after_get(future, &value);
        ck_assert(ended == FILCH_OK ? value == 3 : ended == FILCH_ECANCELED);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(the_future_of_a_promise_can_be_cancelled)
{
    filch_promise *promise;
    filch_future *future;
    int value = 3;
    ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert(filch_future_cancelled(future));
    ck_assert(!filch_future_running(future));
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_EALREADY);
    ck_assert_int_eq(plus_get(future, &value), FILCH_ECANCELED);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_EALREADY);
    filch_promise_free(promise);
    filch_future_free(future);
}
END_TEST

/* ---- several futures ---- */

START_TEST(all_is_ready_when_the_last_is)
{
    long before = allocations_alive();
    struct gates gates = gates_new();
    filch_future *all;
    ck_assert_int_eq(filch_when_all(gates.futures, GATES, &all), FILCH_OK);
    for (int i = GATES - 1; i >= 0; i--) {
        ck_assert(!filch_future_ready(all));
        open_gate(&gates, i);
    }
    ck_assert(filch_future_successful(all));
    filch_future_free(all);
    ck_assert_int_eq(filch_when_all(NULL, 0, &all), FILCH_OK);
    ck_assert(filch_future_successful(all));
    filch_future_free(all);
    gates_free(&gates);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

START_TEST(all_tells_the_lowest_index_that_failed)
{
    struct gates gates = gates_new();
    filch_future *all;
    filch_error error;
    ck_assert_int_eq(filch_when_all(gates.futures, GATES, &all), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_error(gates.promises[3], 33, "three"), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_error(gates.promises[1], 11, "one"), FILCH_OK);
    for (int i = 0; i < GATES; i++) {
        filch_promise_set_value(gates.promises[i], &i);
    }
    ck_assert_int_eq(filch_future_wait(all), FILCH_OK);
    ck_assert(!filch_future_successful(all));
    ck_assert_int_eq(filch_future_error(all, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 11);
    ck_assert_uint_eq(error.index, 1);
    ck_assert_str_eq(error.message, "one");
    filch_future_free(all);
    gates_free(&gates);
}
END_TEST

START_TEST(any_is_ready_with_the_first_and_forgets_the_others)
{
    long before = allocations_alive();
    struct gates gates = gates_new();
    filch_future *any;
    size_t first = 99;
    ck_assert_int_eq(filch_when_any(gates.futures, GATES, &any), FILCH_OK);
    ck_assert(!filch_future_ready(any));
    open_gate(&gates, 3);
    ck_assert_int_eq(filch_future_try_get(any, &first, sizeof first), FILCH_OK);
    ck_assert_uint_eq(first, 3);
    long kept = allocations_alive();
    filch_future_free(any);
    ck_assert_int_lt(allocations_alive(), kept); /* though four gates are shut still */
    open_gate(&gates, 0);
    ck_assert_int_eq(filch_when_any(gates.futures, GATES, &any), FILCH_OK);
    ck_assert_int_eq(filch_future_get(any, &first, sizeof first), FILCH_OK);
    ck_assert_uint_eq(first, 0);
    filch_future_free(any);
    ck_assert_int_eq(filch_when_any(&gates.futures[1], 2, &any), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(any), FILCH_OK);
    filch_future_free(any);
    gates_free(&gates);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

START_TEST(combinations_of_futures_that_end_at_the_same_time)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 300; round++) {
        enum { N = 6 };
        filch_future *futures[N];
        filch_future *all;
        filch_future *any;
        size_t first = 99;
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(plus_apply_async(pool, i, round, &futures[i]), FILCH_OK);
        }
        ck_assert_int_eq(filch_when_any(futures, N, &any), FILCH_OK);
        ck_assert_int_eq(filch_when_all(futures, N, &all), FILCH_OK);
        ck_assert_int_eq(filch_future_get(any, &first, sizeof first), FILCH_OK);
        ck_assert_uint_lt(first, N);
        ck_assert(filch_future_ready(futures[first]));
        filch_future_free(any);
        ck_assert_int_eq(filch_future_get(all, NULL, 0), FILCH_OK);
        for (int i = 0; i < N; i++) {
            ck_assert(filch_future_ready(futures[i]));
            ck_assert_int_eq(value_of(futures[i]), i + round);
        }
        filch_future_free(all);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(completions_come_in_the_order_of_their_ends)
{
    static const int order[GATES] = {2, 4, 0, 3, 1};
    long before = allocations_alive();
    struct gates gates = gates_new();
    filch_completions *set;
    filch_future *ready;
    size_t index;
    open_gate(&gates, order[0]);
    ck_assert_int_eq(filch_as_completed(gates.futures, GATES, &set), FILCH_OK);
    for (int i = 1; i < GATES; i++) {
        open_gate(&gates, order[i]);
    }
    for (int i = 0; i < GATES; i++) {
        ck_assert_int_eq(filch_completions_next(set, &ready, &index), FILCH_OK);
        ck_assert_uint_eq(index, (size_t)order[i]);
        ck_assert_ptr_eq(ready, gates.futures[order[i]]);
        filch_future_free(ready);
    }
    ck_assert_int_eq(filch_completions_next(set, &ready, &index), FILCH_END);
    filch_completions_free(set);
    gates_free(&gates);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

START_TEST(completions_can_time_out_be_added_to_and_be_abandoned)
{
    filch_sleep(1e-9); /* this thread's record is made now, not between the counts */
    long before = allocations_alive();
    struct gates gates = gates_new();
    filch_completions *set;
    filch_future *ready;
    ck_assert_int_eq(filch_completions_new(&set), FILCH_OK);
    ck_assert_int_eq(filch_completions_next_until(set, filch_in(0), &ready, NULL), FILCH_END);
    for (int i = 0; i < GATES - 1; i++) {
        ck_assert_int_eq(filch_completions_add(set, gates.futures[i]), FILCH_OK);
    }
    ck_assert_int_eq(filch_completions_next_until(set, filch_in(0), &ready, NULL), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_completions_next_until(set, filch_in(0.01), &ready, NULL),
                     FILCH_ETIMEDOUT);
    open_gate(&gates, 1);
    open_gate(&gates, 2);
    ck_assert_int_eq(filch_completions_next_until(set, filch_in(0), &ready, NULL), FILCH_OK);
    filch_future_free(ready);
    filch_completions_free(set); /* one is ready, two are not */
    open_gate(&gates, 0);
    gates_free(&gates);
    ck_assert_int_eq(allocations_alive(), before);
}
END_TEST

FILCH_FUNCTION(int, collect, (filch_completions *, set), (atomic_int *, collected))
{
    filch_future *ready;
    filch_status status;
    while ((status = filch_completions_next(set, &ready, NULL)) == FILCH_OK) {
        atomic_fetch_add(collected, 1);
        filch_future_free(ready);
    }
    return status == FILCH_END;
}

START_TEST(several_may_take_from_one_set)
{
    enum { N = 300, TAKERS = 4 };
    filch_pool *pool = pool_opened(_i);
    filch_completions *set;
    filch_future *takers[TAKERS];
    filch_future *task;
    atomic_int collected = 0;
    ck_assert_int_eq(filch_completions_new(&set), FILCH_OK);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(after_apply_async(pool, i, i % 7 ? 0 : 1e-4, &task), FILCH_OK);
        ck_assert_int_eq(filch_completions_add(set, task), FILCH_OK);
        filch_future_free(task);
    }
    for (int i = 0; i < TAKERS; i++) {
        ck_assert_int_eq(collect_apply_async(pool, set, &collected, &takers[i]), FILCH_OK);
    }
    for (int i = 0; i < TAKERS; i++) {
        ck_assert_int_eq(value_of(takers[i]), 1);
    }
    ck_assert_int_eq(collected, N);
    filch_completions_free(set);
    pool_closed(pool);
}
END_TEST

START_TEST(all_who_wait_for_a_set_learn_of_its_end)
{
    enum { TAKERS = 5 };
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_completions *set;
    filch_future *takers[TAKERS];
    atomic_int collected = 0;
    ck_assert_int_eq(filch_as_completed(gates.futures, 1, &set), FILCH_OK);
    for (int i = 0; i < TAKERS; i++) {
        ck_assert_int_eq(collect_apply_async(pool, set, &collected, &takers[i]), FILCH_OK);
    }
    for (int i = 0; i < TAKERS; i++) {
        while (!filch_future_running(takers[i]) || filch_pool_running(pool) > 0) {
            filch_yield(); /* until all wait */
        }
    }
    open_gate(&gates, 0);
    for (int i = 0; i < TAKERS; i++) {
        ck_assert_int_eq(value_of(takers[i]), 1);
    }
    ck_assert_int_eq(collected, 1);
    filch_completions_free(set);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(waiting_for_several_has_three_modes_and_a_time_out)
{
    struct gates gates = gates_new();
    filch_future **f = gates.futures;
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_FIRST_COMPLETED, filch_in(0)),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_FIRST_COMPLETED, filch_in(0.01)),
                     FILCH_ETIMEDOUT);
    open_gate(&gates, 2);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_FIRST_COMPLETED, filch_in(100)),
                     FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_FIRST_ERROR, filch_in(0.01)),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_promise_set_error(gates.promises[4], EIO, NULL), FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_FIRST_ERROR, filch_in(100)),
                     FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_ALL_COMPLETED, filch_in(0.01)),
                     FILCH_ETIMEDOUT);
    open_gate(&gates, 0);
    open_gate(&gates, 1);
    open_gate(&gates, 3);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, FILCH_ALL_COMPLETED, filch_in(0)),
                     FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(f, 4, FILCH_FIRST_ERROR, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(NULL, 0, FILCH_ALL_COMPLETED, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_futures_wait_until(f, GATES, (filch_wait_mode)7, filch_in(0)),
                     FILCH_EINVAL);
    ck_assert_int_eq(filch_futures_wait_until(NULL, 1, FILCH_ALL_COMPLETED, filch_in(0)),
                     FILCH_EINVAL);
    gates_free(&gates);
}
END_TEST

/* ---- descriptors ---- */

static bool readable(int descriptor, int milliseconds)
{
    struct pollfd poller = {.fd = descriptor, .events = POLLIN};
    return poll(&poller, 1, milliseconds) == 1;
}

START_TEST(a_descriptor_becomes_readable_with_the_future)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_promise *promise;
    int descriptor;
    int again;
    int value = 1;
    ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_fd(future, &descriptor), FILCH_OK);
    ck_assert(!readable(descriptor, 0));
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
    ck_assert(readable(descriptor, -1));
    ck_assert_int_eq(filch_future_fd(future, &again), FILCH_OK);
    ck_assert_int_eq(again, descriptor);
    filch_promise_free(promise);
    filch_future_free(future);
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(plus_apply_async(pool, 1, 2, &future), FILCH_OK);
        ck_assert_int_eq(filch_future_fd(future, &descriptor), FILCH_OK);
        ck_assert(readable(descriptor, -1));
        ck_assert_int_eq(value_of(future), 3);
    }
    ck_assert_int_eq(filch_future_fd(NULL, &descriptor), FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("futures");
    TCase *tcase = tcase_create("futures");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_continuation_gets_the_value, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_passes_through_then_and_a_value_through_catch, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_handler_may_raise_an_error_of_its_own, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_chain_of_many_continuations_needs_no_stack, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, closing_lets_continuations_happen_and_terminating_cancels_them, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_continuation_that_waits_can_be_cancelled, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_value_of_another_size_is_refused);
    tcase_add_loop_test(tcase, callbacks_come_before_the_future_is_ready, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_end_of_an_asynchronous_map_calls_back, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_cancelled_task_calls_the_error_callback);
    tcase_add_loop_test(tcase, a_running_task_is_asked_to_stop, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_a_map_wakes_its_elements, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_races_with_the_end, 0, WORKER_SWEEP);
    tcase_add_test(tcase, the_future_of_a_promise_can_be_cancelled);
    tcase_add_test(tcase, all_is_ready_when_the_last_is);
    tcase_add_test(tcase, all_tells_the_lowest_index_that_failed);
    tcase_add_test(tcase, any_is_ready_with_the_first_and_forgets_the_others);
    tcase_add_loop_test(tcase, combinations_of_futures_that_end_at_the_same_time, 0, WORKER_SWEEP);
    tcase_add_test(tcase, completions_come_in_the_order_of_their_ends);
    tcase_add_test(tcase, completions_can_time_out_be_added_to_and_be_abandoned);
    tcase_add_loop_test(tcase, several_may_take_from_one_set, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, all_who_wait_for_a_set_learn_of_its_end, 0, WORKER_SWEEP);
    tcase_add_test(tcase, waiting_for_several_has_three_modes_and_a_time_out);
    tcase_add_loop_test(tcase, a_descriptor_becomes_readable_with_the_future, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
