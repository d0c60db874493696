/* Functions as values: bound in part, composed, returned, owning something, found by name. */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

FILCH_FUNCTION(int, clamp, (int, low), (int, high), (int, x))
{
    return x < low ? low : x > high ? high : x;
}
FILCH_REGISTER(clamp);

FILCH_FUNCTION(int, twice, "Two times.", (int, x))
{
    return 2 * x;
}
FILCH_REGISTER(twice);

FILCH_FUNCTION(int, sum, (int, a), (int, b))
{
    return a + b;
}

static int noted;

FILCH_FUNCTION(void, note, (int, x), (int, y))
{
    noted = 10 * x + y;
}

FILCH_SIGNATURE(unop, int, (int, x))
FILCH_SIGNATURE(binop, int, (int, a), (int, b))
FILCH_SIGNATURE(noter, void, (int, y))
FILCH_SIGNATURE(maker, int)

FILCH_PARTIAL(unop, int, clamped, clamp, ((int, low), (int, high)), (int, x))
FILCH_PARTIAL(binop, int, clamped_from_below, clamp, ((int, low)), (int, high), (int, x))
FILCH_PARTIAL(noter, void, noting, note, ((int, x)), (int, y))
FILCH_PARTIAL(maker, int, fixed_sum, sum, ((int, a), (int, b)))
FILCH_COMPOSE(int, twice_the_sum, twice, sum, (int, a), (int, b))
FILCH_COMPOSITION(binop, int, unop_of_binop, unop, binop, (int, a), (int, b))

START_TEST(some_arguments_are_bound_now_and_the_rest_later)
{
    unop to_ten = clamped_bind(0, 10);
    binop above_five = clamped_from_below_bind(5);
    ck_assert_int_eq(unop_call(to_ten, 20), 10);
    ck_assert_int_eq(unop_call(to_ten, -20), 0);
    ck_assert_int_eq(unop_call(clamped_bind(3, 4), -20), 3);
    ck_assert_int_eq(binop_call(above_five, 8, 1), 5);
    ck_assert_int_eq(binop_call(above_five, 8, 9), 8);
    noter_call(noting_bind(4), 2);
    ck_assert_int_eq(noted, 42);
    ck_assert_int_eq(maker_call(fixed_sum_bind(3, 4)), 7);
    ck_assert_str_eq(FILCH_NAME_OF(to_ten), "clamped");
}
END_TEST

START_TEST(functions_and_values_are_composed)
{
    filch_pool *pool = pool_opened(_i);
    int as[3] = {1, 2, 3};
    int bs[3] = {10, 20, 30};
    int out[3];
    ck_assert_int_eq(twice_the_sum(3, 4), 14);
    ck_assert_int_eq(twice_the_sum_starmap(pool, as, bs, 3, out), FILCH_OK);
    ck_assert_int_eq(out[2], 66);
    unop to_ten = clamped_bind(0, 10);
    binop plain_sum = FILCH_AS(binop, sum);
    binop composed = unop_of_binop_bind(&to_ten, &plain_sum);
    ck_assert_int_eq(binop_call(composed, 3, 4), 7);
    ck_assert_int_eq(binop_call(composed, 30, 4), 10);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(unop, clamp_for, (int, low), (int, high))
{
    return clamped_bind(low, high);
}

FILCH_FUNCTION(filch_closure, sum_for, (int, a), (int, b))
{
    return sum_bind(a, b);
}

START_TEST(closures_are_returned_by_tasks)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    unop made;
    filch_closure closure;
    int out = 0;
    ck_assert_int_eq(clamp_for_apply_async(pool, 1, 5, &future), FILCH_OK);
    ck_assert_int_eq(clamp_for_get(future, &made), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(unop_call(made, 7), 5);
    ck_assert_int_eq(sum_for_apply(pool, 20, 22, &closure), FILCH_OK);
    ck_assert_int_eq(filch_apply(pool, &closure, &out), FILCH_OK);
    ck_assert_int_eq(out, 42);
    filch_closure_release(&closure);
    pool_closed(pool);
}
END_TEST

/* ---- captures that own something ---- */

static atomic_int destroyed;
static filch_promise *gate_promise;
static filch_future *gate;

FILCH_FUNCTION(int, value_of, (int *, owned), (int, code))
{
    return code ? (filch_raise(code, "as asked"), 0) : *owned;
}

FILCH_FUNCTION(int, waits, (filch_future *, until))
{
    return (int)filch_future_wait(until);
}

static void free_owned(void *captures)
{
    value_of_args *arguments = captures;
    free(arguments->owned);
    atomic_fetch_add(&destroyed, 1);
}

static filch_closure owning(int value, int code)
{
    filch_closure closure;
    int *owned = malloc(sizeof *owned);
    *owned = value;
    ck_assert_int_eq(value_of_capture_owned(&closure, owned, code, free_owned), FILCH_OK);
    return closure;
}

START_TEST(a_destructor_runs_once_whatever_happens)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    filch_group *group;
    filch_closure closure;
    int out = 0;
    atomic_store(&destroyed, 0);

    closure = owning(5, 0); /* it runs */
    ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(value_of_get(future, &out), FILCH_OK);
    ck_assert_int_eq(out, 5);
    ck_assert_int_eq(destroyed, 1); /* though the future is alive */
    filch_future_free(future);

    closure = owning(5, 9); /* it fails */
    ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(value_of_get(future, &out), FILCH_ERAISED);
    ck_assert_int_eq(destroyed, 2);
    filch_future_free(future);

    ck_assert_int_eq(filch_group_open(pool, NULL, &group), FILCH_OK); /* in a group */
    closure = owning(6, 0);
    ck_assert_int_eq(filch_group_spawn(group, &closure, &out), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(filch_group_wait(group, NULL), FILCH_OK);
    ck_assert_int_eq(out, 6);
    ck_assert_int_eq(destroyed, 3);

    ck_assert_int_eq(filch_group_cancel(group), FILCH_OK); /* cancelled with its group */
    closure = owning(6, 0);
    ck_assert_int_eq(filch_group_spawn(group, &closure, &out), FILCH_OK);
    filch_closure_release(&closure);
    filch_group_close(group, NULL);
    ck_assert_int_eq(destroyed, 4);

    filch_pool_close(pool); /* refused */
    closure = owning(7, 0);
    ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_ECLOSED);
    ck_assert_int_eq(destroyed, 4);
    filch_closure_release(&closure);
    ck_assert_int_eq(destroyed, 5);
    pool_closed(pool);
}
END_TEST

START_TEST(a_destructor_runs_once_when_the_task_is_cancelled)
{
    filch_pool *pool = pool_opened(0);
    filch_future *blocker;
    filch_future *future;
    int out = 0;
    atomic_store(&destroyed, 0);
    ck_assert_int_eq(filch_promise_new(0, &gate_promise, &gate), FILCH_OK);
    ck_assert_int_eq(waits_apply_async(pool, gate, &blocker), FILCH_OK);
    for (int i = 0; i < 50; i++) {
        filch_closure closure = owning(i, 0);
        ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_OK);
        filch_closure_release(&closure);
        filch_future_cancel(future);
        filch_status got = value_of_get(future, &out);
        ck_assert(got == FILCH_ECANCELED || got == FILCH_OK);
        ck_assert_int_eq(destroyed, i + 1);
        filch_future_free(future);
    }
    ck_assert_int_eq(filch_promise_set_value(gate_promise, NULL), FILCH_OK);
    ck_assert_int_eq(waits_get(blocker, &out), FILCH_OK);
    filch_future_free(blocker);
    filch_future_free(gate);
    filch_promise_free(gate_promise);
    pool_closed(pool);
}
END_TEST

static void post_owning(filch_inbox *inbox, filch_status wanted, filch_future **future)
{
    filch_closure closure = owning(5, 0);
    ck_assert_int_eq(filch_inbox_post(inbox, &closure, future), wanted);
    filch_closure_release(&closure);
}

START_TEST(a_destructor_runs_once_whatever_becomes_of_a_letter)
{
    filch_pool *pool = pool_opened(_i);
    filch_inbox *inbox;
    filch_future *served;
    filch_future *cancelled;
    filch_future *left;
    atomic_store(&destroyed, 0);
    ck_assert_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    post_owning(inbox, FILCH_OK, &served);
    post_owning(inbox, FILCH_OK, &cancelled);
    ck_assert_int_eq(filch_future_cancel(cancelled), FILCH_OK);
    ck_assert_int_eq(filch_inbox_serve_until(inbox, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(destroyed, 2);
    post_owning(inbox, FILCH_OK, &left);
    ck_assert_int_eq(filch_inbox_close(inbox), FILCH_OK);
    ck_assert_int_eq(destroyed, 2);
    post_owning(inbox, FILCH_ECLOSED, NULL);
    ck_assert_int_eq(destroyed, 3);
    filch_inbox_free(inbox);
    ck_assert_int_eq(destroyed, 4);
    ck_assert(filch_future_cancelled(left));
    filch_future_free(served);
    filch_future_free(cancelled);
    filch_future_free(left);
    pool_closed(pool);
}
END_TEST

/* ---- by name ---- */

static bool count_functions(void *context, const filch_callable *function)
{
    int *count = context;
    *count += function->info != NULL;
    return true;
}

START_TEST(registered_functions_are_found_by_name)
{
    const filch_callable *found = filch_function_named("twice");
    filch_closure closure;
    int x = 21;
    int out = 0;
    ck_assert_ptr_eq(found, &twice_callable);
    ck_assert_str_eq(found->info->doc, "Two times.");
    ck_assert_int_eq(filch_closure_make(&closure, found, &x, NULL), FILCH_OK);
    ck_assert_int_eq(filch_closure_call(&closure, &out), FILCH_OK);
    ck_assert_int_eq(out, 42);
    ck_assert_ptr_null(filch_function_named("sum")); /* not registered */
    ck_assert_ptr_null(filch_function_named(NULL));
    filch_registered entry = {.callable = &sum_callable};
    filch_register(&entry);
    filch_register(NULL);
    ck_assert_ptr_eq(filch_function_named("sum"), &sum_callable);
    int count = 0;
    filch_functions_visit(count_functions, &count);
    ck_assert_int_eq(count, 3);
    filch_unregister(&entry);
    filch_unregister(&entry);
    filch_unregister(NULL);
    ck_assert_ptr_null(filch_function_named("sum"));
}
END_TEST

static bool use_filch(void *waited, const filch_callable *function)
{
    (void)function;
    *(filch_status *)waited = filch_sleep(1e-6);
    return false;
}

static int visits(void *waited)
{
    filch_functions_visit(use_filch, waited);
    return 0;
}

START_TEST(a_thread_may_use_filch_for_the_first_time_while_it_visits_functions)
{
    filch_status waited = FILCH_EINVAL;
    thrd_t thread;
    ck_assert_int_eq(thrd_create(&thread, visits, &waited), thrd_success);
    thrd_join(thread, NULL);
    ck_assert_int_eq(waited, FILCH_OK);
}
END_TEST

/* The first to come waits in its visit until another has been through with its own. */
struct meeting {
    filch_semaphore through;
    _Atomic(int) visitors;
};

struct visitor {
    struct meeting *meeting;
    int seen;
};

static bool wait_for_another(void *context, const filch_callable *function)
{
    struct visitor *visitor = context;
    (void)function;
    if (visitor->seen++ == 0 && atomic_fetch_add(&visitor->meeting->visitors, 1) == 0) {
        ck_assert_int_eq(filch_semaphore_acquire(&visitor->meeting->through), FILCH_OK);
    }
    return true;
}

FILCH_FUNCTION(int, functions_seen, (struct meeting *, meeting))
{
    struct visitor visitor = {meeting, 0};
    filch_functions_visit(wait_for_another, &visitor);
    filch_semaphore_release(&meeting->through, 1);
    return visitor.seen;
}

START_TEST(a_visit_may_wait_for_another)
{
    filch_pool *pool = pool_opened(_i);
    struct meeting meeting = {.visitors = 0};
    filch_future *futures[4];
    filch_semaphore_init(&meeting.through, 0);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(functions_seen_apply_async(pool, &meeting, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 4; i++) {
        int seen;
        ck_assert_int_eq(functions_seen_get(futures[i], &seen), FILCH_OK);
        ck_assert_int_eq(seen, 2);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

static filch_registered again[2] = {{.callable = &sum_callable}, {.callable = &twice_callable}};

static bool register_again(void *count, const filch_callable *function)
{
    (void)function;
    filch_unregister(&again[0]);
    filch_unregister(&again[1]);
    filch_register(&again[1]);
    return ++*(int *)count < 100;
}

START_TEST(functions_come_and_go_during_a_visit)
{
    int count = 0;
    filch_register(&again[0]);
    filch_register(&again[1]);
    filch_functions_visit(register_again, &count);
    ck_assert_int_eq(count, 3); /* the newest of them, which then goes, and the two of this file */
    filch_unregister(&again[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("closures");
    TCase *tcase = tcase_create("closures");
    tcase_add_test(tcase, some_arguments_are_bound_now_and_the_rest_later);
    tcase_add_loop_test(tcase, functions_and_values_are_composed, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, closures_are_returned_by_tasks, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_destructor_runs_once_whatever_happens, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_destructor_runs_once_when_the_task_is_cancelled);
    tcase_add_loop_test(tcase, a_destructor_runs_once_whatever_becomes_of_a_letter, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, registered_functions_are_found_by_name);
    tcase_add_test(tcase, a_thread_may_use_filch_for_the_first_time_while_it_visits_functions);
    tcase_add_loop_test(tcase, a_visit_may_wait_for_another, 0, WORKER_SWEEP);
    tcase_add_test(tcase, functions_come_and_go_during_a_visit);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
