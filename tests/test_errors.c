/* Errors on their way: from a call's status, another task's error or the system's number to those
 * who ask for a task's result. */
#include "fixture.h"

#include <errno.h>
#include <string.h>

/* ---- a status ---- */

FILCH_FUNCTION(int, tries, (int, status))
{
    FILCH_TRY((filch_status)status, -1);
    return 5;
}

FILCH_FUNCTION(void, tries_without_a_result, (int, status), (atomic_int *, after))
{
    FILCH_TRY((filch_status)status);
    atomic_fetch_add(after, 1);
}

struct pair {
    int a, b;
};

FILCH_FUNCTION(struct pair, tries_for_a_pair, (int, status))
{
    FILCH_TRY((filch_status)status, (struct pair){1, 2});
    return (struct pair){3, 4};
}

/* What the task raised, which is then freed. */
static filch_error error_of(filch_future *future)
{
    filch_error error;
    any_status(filch_future_wait(future));
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    filch_future_free(future);
    return error;
}

static filch_error error_of_trying(filch_pool *pool, int status)
{
    filch_future *future;
    ck_assert_int_eq(tries_apply_async(pool, status, &future), FILCH_OK);
    return error_of(future);
}

START_TEST(trying_raises_a_status_with_its_text_and_number)
{
    filch_pool *pool = pool_opened(_i);
    for (int status = FILCH_EINVAL; status <= FILCH_ENOSYS; status++) {
        filch_error error = error_of_trying(pool, status);
        ck_assert_int_eq(error.status, FILCH_ERAISED);
        ck_assert_int_eq(error.code, filch_errno_of((filch_status)status));
        ck_assert_str_eq(error.message, filch_strerror((filch_status)status));
        ck_assert_str_eq(error.function, "tries");
        ck_assert_uint_eq(error.index, FILCH_NO_INDEX);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(trying_goes_on_after_success)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    struct pair pair = {0, 0};
    atomic_int after = 0;
    ck_assert_int_eq(tries_apply(pool, FILCH_OK, &result), FILCH_OK);
    ck_assert_int_eq(result, 5);
    ck_assert_int_eq(tries_without_a_result_apply(pool, FILCH_OK, &after), FILCH_OK);
    ck_assert_int_eq(tries_without_a_result_apply(pool, FILCH_END, &after), FILCH_ERAISED);
    ck_assert_int_eq(atomic_load(&after), 1);
    ck_assert_int_eq(tries_for_a_pair_apply(pool, FILCH_OK, &pair), FILCH_OK);
    ck_assert_int_eq(pair.b, 4);
    ck_assert_int_eq(tries_for_a_pair(FILCH_EBUSY).b, 2);
    pool_closed(pool);
}
END_TEST

static filch_status raises_and_says_so(int code)
{
    return filch_raise(code, "not found: %d", code), FILCH_ERAISED;
}

FILCH_FUNCTION(int, tries_what_raises, (int, code))
{
    FILCH_TRY(raises_and_says_so(code), 0);
    return 1;
}

START_TEST(what_the_call_has_raised_itself_stands)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    ck_assert_int_eq(tries_what_raises_apply_async(pool, 7, &future), FILCH_OK);
    filch_error error = error_of(future);
    ck_assert_int_eq(error.code, 7);
    ck_assert_str_eq(error.message, "not found: 7");
    pool_closed(pool);
}
END_TEST

/* ---- another task's error ---- */

FILCH_LOOP(fails_at, (size_t, i), (size_t, at))
{
    if (i == at) {
        filch_raise(77, "element %zu", i);
    }
}

FILCH_FUNCTION(int, first_of_three, (filch_pool *, pool))
{
    filch_error error;
    filch_options options = {.error = &error};
    any_status(fails_at_for(filch_on(pool, &options), 10, 4));
    return filch_raise_error(&error), 0;
}

FILCH_FUNCTION(int, second_of_three, (filch_pool *, pool))
{
    filch_future *future;
    int value = 0;
    FILCH_TRY(first_of_three_apply_async(pool, pool, &future), 0);
    any_status(filch_future_wait(future));
    filch_status status = filch_raise_from(future);
    check_int_eq(status, FILCH_ERAISED);
    check_int_eq(first_of_three_get(future, &value), FILCH_ERAISED);
    filch_future_free(future);
    return value;
}

FILCH_FUNCTION(int, third_of_three, (filch_future *, future))
{
    int value = 0;
    FILCH_TRY_FROM(future, second_of_three_get(future, &value), -1);
    return value;
}

START_TEST(an_error_passes_through_tasks_with_all_that_is_known_of_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *second;
    filch_future *third;
    ck_assert_int_eq(second_of_three_apply_async(pool, pool, &second), FILCH_OK);
    ck_assert_int_eq(third_of_three_apply_async(pool, second, &third), FILCH_OK);
    filch_error error = error_of(third);
    ck_assert_int_eq(error.status, FILCH_ERAISED);
    ck_assert_int_eq(error.code, 77);
    ck_assert_str_eq(error.message, "element 4");
    ck_assert_str_eq(error.function, "fails_at");
    ck_assert_uint_eq(error.index, 4);
    filch_future_free(second);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(raises_from, (size_t, i), (filch_future *, future))
{
    if (i > 2) {
        filch_raise_from(future);
    }
}

START_TEST(in_a_loop_it_has_the_index_of_its_element)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_error error;
    filch_options options = {.error = &error};
    ck_assert_int_eq(first_of_three_apply_async(pool, pool, &future), FILCH_OK);
    any_status(filch_future_wait(future));
    ck_assert_int_eq(raises_from_for(filch_on(pool, &options), 10, future), FILCH_ERAISED);
    ck_assert_int_eq(error.code, 77);
    ck_assert_uint_eq(error.index, 3);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

FILCH_HANDLER(int, passes_on, (int, handled))
{
    return error->code == handled ? handled : (filch_raise_error(error), 0);
}

START_TEST(a_handler_can_pass_on_what_is_not_its_business)
{
    filch_pool *pool = pool_opened(_i);
    for (int handled = 7; handled < 9; handled++) {
        filch_future *first;
        filch_future *next;
        int value = 0;
        ck_assert_int_eq(tries_what_raises_apply_async(pool, 7, &first), FILCH_OK);
        ck_assert_int_eq(passes_on_catch(pool, first, handled, &next), FILCH_OK);
        ck_assert_int_eq(tries_get(next, &value), handled == 7 ? FILCH_OK : FILCH_ERAISED);
        filch_error error = error_of(next);
        ck_assert_int_eq(error.code, handled == 7 ? 0 : 7);
        ck_assert_str_eq(error.message, handled == 7 ? "" : "not found: 7");
        filch_future_free(first);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, tries_the_wrong_size, (filch_future *, future))
{
    char value;
    FILCH_TRY_FROM(future, filch_future_get(future, &value, sizeof value), -1);
    return 0;
}

FILCH_FUNCTION(int, tries_too_early, (filch_future *, future))
{
    int value;
    FILCH_TRY_FROM(future, filch_future_try_get(future, &value, sizeof value), -1);
    return 0;
}

START_TEST(an_error_of_the_call_alone_is_raised_as_such)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *given;
    filch_future *tried;
    filch_promise *promise;
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &given), FILCH_OK);
    ck_assert_int_eq(tries_too_early_apply_async(pool, given, &tried), FILCH_OK);
    ck_assert_int_eq(error_of(tried).code, EINPROGRESS);
    ck_assert_int_eq(filch_promise_set_value(promise, &(int){1}), FILCH_OK);
    ck_assert_int_eq(tries_the_wrong_size_apply_async(pool, given, &tried), FILCH_OK);
    ck_assert_int_eq(error_of(tried).code, EINVAL);
    ck_assert_int_eq(tries_the_wrong_size_apply_async(pool, NULL, &tried), FILCH_OK);
    ck_assert_int_eq(error_of(tried).code, EINVAL);
    filch_promise_free(promise);
    filch_future_free(given);
    pool_closed(pool);
}
END_TEST

START_TEST(ends_that_were_not_raised_have_the_number_of_their_status)
{
    filch_pool *pool = pool_opened(_i);
    for (int dropped = 0; dropped < 2; dropped++) {
        filch_future *given;
        filch_future *tried;
        filch_promise *promise;
        ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &given), FILCH_OK);
        if (!dropped) {
            ck_assert_int_eq(filch_future_cancel(given), FILCH_OK);
        }
        filch_promise_free(promise);
        ck_assert_int_eq(third_of_three_apply_async(pool, given, &tried), FILCH_OK);
        filch_error error = error_of(tried);
        ck_assert_int_eq(error.code, dropped ? EPIPE : ECANCELED);
        ck_assert_str_eq(error.message, filch_strerror(dropped ? FILCH_EBROKEN : FILCH_ECANCELED));
        filch_future_free(given);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(outside_of_tasks_they_only_answer)
{
    filch_future *given;
    filch_promise *promise;
    const filch_error none = {.status = FILCH_OK};
    const filch_error raised = {.status = FILCH_ERAISED, .code = 5};
    ck_assert_int_eq(filch_raise_status(FILCH_OK), FILCH_OK);
    ck_assert_int_eq(filch_raise_status(FILCH_EBUSY), FILCH_EBUSY);
    ck_assert_int_eq(filch_raise_errno(-EIO), EIO);
    ck_assert_int_eq(filch_raise_errno(EIO), EIO);
    ck_assert_int_eq(filch_raise_errno(0), 0);
    ck_assert_int_eq(filch_raise_error(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_raise_error(&none), FILCH_OK);
    ck_assert_int_eq(filch_raise_error(&raised), FILCH_ERAISED);
    ck_assert_int_eq(filch_raise_from(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_promise_new(0, &promise, &given), FILCH_OK);
    ck_assert_int_eq(filch_raise_from(given), FILCH_EPENDING);
    ck_assert_int_eq(filch_promise_set_value(promise, NULL), FILCH_OK);
    ck_assert_int_eq(filch_raise_from(given), FILCH_OK);
    ck_assert_int_eq(tries(FILCH_EBUSY), -1);
    filch_promise_free(promise);
    filch_future_free(given);
}
END_TEST

/* ---- the system's numbers ---- */

static ssize_t answers(int answer)
{
    return answer;
}

FILCH_FUNCTION(ssize_t, tries_io, (int, answer))
{
    ssize_t n;
    FILCH_TRY_IO(n, answers(answer), -100);
    return 2 * n;
}

FILCH_FUNCTION(void, tries_io_without_a_result, (int, answer), (atomic_int *, sum))
{
    int n;
    FILCH_TRY_IO(n, answer);
    atomic_fetch_add(sum, n);
}

START_TEST(a_number_of_the_system_is_raised_as_it_is)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    ssize_t n = 0;
    atomic_int sum = 0;
    ck_assert_int_eq(tries_io_apply(pool, 21, &n), FILCH_OK);
    ck_assert_int_eq(n, 42);
    ck_assert_int_eq(tries_io_apply(pool, 0, &n), FILCH_OK);
    ck_assert_int_eq(tries_io_without_a_result_apply(pool, 3, &sum), FILCH_OK);
    ck_assert_int_eq(tries_io_without_a_result_apply(pool, -EIO, &sum), FILCH_ERAISED);
    ck_assert_int_eq(atomic_load(&sum), 3);
    ck_assert_int_eq(tries_io_apply_async(pool, -ECONNRESET, &future), FILCH_OK);
    filch_error error = error_of(future);
    ck_assert_int_eq(error.code, ECONNRESET);
    ck_assert_str_eq(error.message, strerror(ECONNRESET));
    ck_assert_int_eq(tries_io(-EIO), -100);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, raises_a_text, (int, code), (const char *, text))
{
    return filch_raise_text(code, text);
}

START_TEST(a_text_is_raised_as_it_is)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    ck_assert_int_eq(raises_a_text_apply_async(pool, 3, "100 %s of %n", &future), FILCH_OK);
    filch_error error = error_of(future);
    ck_assert_int_eq(error.code, 3);
    ck_assert_str_eq(error.message, "100 %s of %n");
    ck_assert_int_eq(raises_a_text_apply_async(pool, 0, NULL, &future), FILCH_OK);
    error = error_of(future);
    ck_assert_int_eq(error.code, -1);
    ck_assert_str_eq(error.message, "");
    ck_assert_int_eq(raises_a_text(3, "outside"), 3);
    pool_closed(pool);
}
END_TEST

START_TEST(statuses_and_numbers_are_each_others)
{
    for (int status = FILCH_OK; status <= FILCH_ENOSYS; status++) {
        int number = filch_errno_of((filch_status)status);
        ck_assert_int_eq(filch_status_of_errno(-number), status);
        ck_assert_int_eq(number > 0, status != FILCH_OK);
    }
    ck_assert_int_eq(filch_errno_of(FILCH_ETIMEDOUT), ETIMEDOUT);
    ck_assert_int_eq(filch_errno_of((filch_status)1000), EINVAL);
    ck_assert_int_eq(filch_status_of_errno(17), FILCH_OK);
    ck_assert_int_eq(filch_status_of_errno(-ECANCELED), FILCH_ECANCELED);
    ck_assert_int_eq(filch_status_of_errno(-ECONNRESET), FILCH_ERAISED);
    ck_assert_int_eq(filch_status_of_errno(-100000), FILCH_ERAISED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errors");
    TCase *tcase = tcase_create("errors");
    tcase_add_loop_test(tcase, trying_raises_a_status_with_its_text_and_number, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, trying_goes_on_after_success, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_the_call_has_raised_itself_stands, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_passes_through_tasks_with_all_that_is_known_of_it, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, in_a_loop_it_has_the_index_of_its_element, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_handler_can_pass_on_what_is_not_its_business, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_of_the_call_alone_is_raised_as_such, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, ends_that_were_not_raised_have_the_number_of_their_status, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, outside_of_tasks_they_only_answer);
    tcase_add_loop_test(tcase, a_number_of_the_system_is_raised_as_it_is, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_text_is_raised_as_it_is, 0, WORKER_SWEEP);
    tcase_add_test(tcase, statuses_and_numbers_are_each_others);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
