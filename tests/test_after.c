/* Futures as a graph: tasks after several others, and what may follow what. */
#include "fixture.h"
#include "gates.h"

#include <string.h>

#include "sched/pool.h"

static atomic_int calls;

FILCH_FUNCTION(int, plus, (int, x), (int, y))
{
    atomic_fetch_add(&calls, 1);
    return x + y;
}

FILCH_FUNCTION(void, fills, (int *, out), (int, value))
{
    *out = value;
}

FILCH_FUNCTION(double, half_of, (int, x))
{
    return x / 2.0;
}

FILCH_FUNCTION(int, failing, (int, code))
{
    return filch_raise(code, "code %d", code), 0;
}

/* The needs are ready: it neither waits nor fails. */
FILCH_FUNCTION(int, sum_of, (filch_future *, a), (filch_future *, b))
{
    int x = -100;
    int y = -100;
    atomic_fetch_add(&calls, 1);
    check_int_eq(filch_future_successful(a) && filch_future_successful(b), true);
    check_int_eq(plus_get(a, &x), FILCH_OK);
    check_int_eq(plus_get(b, &y), FILCH_OK);
    return x + y;
}

FILCH_FUNCTION(int, ready_of, (filch_future *const *, needs), (size_t, n))
{
    int ready = 0;
    for (size_t i = 0; i < n; i++) {
        ready += filch_future_successful(needs[i]);
    }
    atomic_fetch_add(&calls, 1);
    return ready;
}

FILCH_FUNCTION(int, seven)
{
    atomic_fetch_add(&calls, 1);
    return 7;
}

FILCH_FUNCTION(int, when_open, (atomic_int *, gate), (int, x))
{
    while (!atomic_load(gate)) {
        filch_yield();
    }
    return x;
}

static int value_of(filch_future *future)
{
    int value = -1;
    ck_assert_int_eq(plus_get(future, &value), FILCH_OK);
    filch_future_free(future);
    return value;
}

static void fail_gate(struct gates *gates, int i)
{
    ck_assert_int_eq(filch_promise_set_error(gates->promises[i], 10 + i, "shut"), FILCH_OK);
}

/* ---- after ---- */

START_TEST(a_task_begins_when_all_its_needs_have_succeeded)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future *next;
    atomic_store(&calls, 0);
    ck_assert_int_eq(ready_of_after(pool, gates.futures, GATES, gates.futures, GATES, &next),
                     FILCH_OK);
    for (int i = GATES - 1; i >= 0; i--) {
        ck_assert(!filch_future_ready(next));
        ck_assert_int_eq(filch_future_wait_until(next, filch_in(0)), FILCH_ETIMEDOUT);
        ck_assert_int_eq(calls, 0);
        open_gate(&gates, i);
    }
    ck_assert_int_eq(value_of(next), GATES);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(ready_of_after(pool, gates.futures, GATES, gates.futures, GATES, &next),
                     FILCH_OK); /* they are ready already */
    ck_assert_int_eq(value_of(next), GATES);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(the_needs_may_be_of_any_type)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *other;
    filch_future *needs[6];
    filch_future *next;
    filch_promise *promise;
    int filled = 0;
    ck_assert_int_eq(filch_pool_open(NULL, &other), FILCH_OK);
    ck_assert_int_eq(plus_apply_async(pool, 1, 2, &needs[0]), FILCH_OK);
    ck_assert_int_eq(half_of_apply_async(other, 3, &needs[1]), FILCH_OK);
    ck_assert_int_eq(fills_apply_async(pool, &filled, 9, &needs[2]), FILCH_OK);
    ck_assert_int_eq(filch_when_all(needs, 3, &needs[3]), FILCH_OK);
    ck_assert_int_eq(seven_after(other, FILCH_NEEDS(needs[0], needs[2]), &needs[4]), FILCH_OK);
    ck_assert_int_eq(filch_promise_new(0, &promise, &needs[5]), FILCH_OK);
    ck_assert_int_eq(ready_of_after(pool, needs, 6, needs, 6, &next), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_value(promise, NULL), FILCH_OK);
    ck_assert_int_eq(value_of(next), 6);
    ck_assert_int_eq(filled, 9);
    ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(needs[0], needs[0]), needs[0], needs[0], &next),
                     FILCH_OK); /* twice the same */
    ck_assert_int_eq(value_of(next), 6);
    for (int i = 0; i < 6; i++) {
        filch_future_free(needs[i]);
    }
    filch_promise_free(promise);
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(without_needs_it_begins_soon)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *next;
    ck_assert_int_eq(plus_after(pool, NULL, 0, 3, 4, &next), FILCH_OK);
    ck_assert_int_eq(value_of(next), 7);
    atomic_store(&calls, 0);
    ck_assert_int_eq(plus_after(pool, NULL, 0, 3, 4, NULL), FILCH_OK);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(calls, 1); /* though no owner has its future */
    pool_closed(pool);
}
END_TEST

START_TEST(an_error_passes_by_at_once_and_without_a_call)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future **f = gates.futures;
    filch_future *nexts[3];
    filch_future *then;
    filch_error error;
    int value = 5;
    atomic_store(&calls, 0);
    ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[0], f[1]), f[0], f[1], &nexts[0]), FILCH_OK);
    for (int i = 1; i < 3; i++) {
        ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[2], nexts[i - 1], f[3]), f[2],
                                      nexts[i - 1], &nexts[i]),
                         FILCH_OK);
    }
    ck_assert_int_eq(plus_then(pool, nexts[2], 1, &then), FILCH_OK);
    fail_gate(&gates, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert(filch_future_ready(nexts[i])); /* here and now, though the others wait */
        ck_assert_int_eq(plus_get(nexts[i], &value), FILCH_ERAISED);
        ck_assert_int_eq(filch_future_error(nexts[i], &error), FILCH_OK);
        ck_assert_int_eq(error.code, 11);
        ck_assert_str_eq(error.message, "shut");
    }
    ck_assert_int_eq(plus_get(then, &value), FILCH_ERAISED);
    fail_gate(&gates, 0); /* later ones change nothing */
    open_gate(&gates, 2);
    ck_assert_int_eq(filch_future_error(nexts[0], &error), FILCH_OK);
    ck_assert_int_eq(error.code, 11);
    filch_future_free(nexts[0]);
    ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[4], f[0], f[1]), f[4], f[0], &nexts[0]),
                     FILCH_OK); /* has failed already: the first of them */
    ck_assert(filch_future_ready(nexts[0]));
    ck_assert_int_eq(filch_future_error(nexts[0], &error), FILCH_OK);
    ck_assert_int_eq(error.code, 10);
    ck_assert_int_eq(calls, 0);
    ck_assert_int_eq(value, 5);
    for (int i = 0; i < 3; i++) {
        filch_future_free(nexts[i]);
    }
    filch_future_free(then);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(what_a_need_came_to_is_what_follows_comes_to)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    filch_future **f = gates.futures;
    filch_future *next;
    int value;
    ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[0], f[1]), f[0], f[1], &next), FILCH_OK);
    ck_assert_int_eq(filch_future_cancel(f[0]), FILCH_OK);
    ck_assert_int_eq(plus_get(next, &value), FILCH_ECANCELED);
    ck_assert(filch_future_cancelled(next));
    filch_future_free(next);
    ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[2], f[1]), f[2], f[1], &next), FILCH_OK);
    filch_promise_free(gates.promises[2]);
    gates.promises[2] = NULL;
    ck_assert_int_eq(plus_get(next, &value), FILCH_EBROKEN);
    filch_future_free(next);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(needs_are_kept_until_the_task_has_run_and_no_longer)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *warm;
    ck_assert_int_eq(plus_apply_async(pool, 1, 2, &warm), FILCH_OK);
    ck_assert_int_eq(value_of(warm), 3);
    for (int failing = 0; failing < 2; failing++) {
        struct gates gates = gates_new();
        filch_future **f = gates.futures;
        filch_future *next;
        ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[0], f[1]), f[0], f[1], &next), FILCH_OK);
        filch_future_free(f[0]);
        filch_future_free(f[1]);
        f[0] = f[1] = NULL; /* the task has them still */
        open_gate(&gates, 0);
        (failing ? fail_gate : open_gate)(&gates, 1);
        ck_assert_int_eq(filch_future_wait(next), FILCH_OK);
        ck_assert_int_eq(filch_future_successful(next), !failing);
        while (filch_pool_running(pool) > 0) {
            filch_yield();
        }
        long before = allocations_alive();
        filch_promise_free(gates.promises[0]);
        filch_promise_free(gates.promises[1]);
        gates.promises[0] = gates.promises[1] = NULL;
        ck_assert_int_eq(allocations_alive(), before - 4); /* though next is there */
        filch_future_free(next);
        gates_free(&gates);
    }
    pool_closed(pool);
}
END_TEST

static atomic_int destroyed;

static void destroy(void *captures)
{
    (void)captures;
    atomic_fetch_add(&destroyed, 1);
}

START_TEST(a_closure_may_follow_and_is_given_back_however_it_ends)
{
    filch_pool *pool = pool_opened(_i);
    for (int way = 0; way < 4; way++) {
        struct gates gates = gates_new();
        filch_future *next;
        filch_closure closure;
        atomic_store(&destroyed, 0);
        ck_assert_int_eq(plus_capture_owned(&closure, 20, 22, destroy), FILCH_OK);
        ck_assert_int_eq(filch_future_after(pool, gates.futures, 2, &closure, &next), FILCH_OK);
        filch_closure_release(&closure);
        ck_assert_int_eq(destroyed, 0);
        open_gate(&gates, 1);
        if (way == 0) {
            open_gate(&gates, 0);
        } else if (way == 1) {
            fail_gate(&gates, 0);
        } else if (way == 2) {
            ck_assert_int_eq(filch_future_cancel(next), FILCH_OK);
            ck_assert_int_eq(filch_future_cancel(next), FILCH_EALREADY);
        } else {
            ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
        }
        ck_assert_int_eq(filch_future_wait(next), FILCH_OK);
        ck_assert_int_eq(filch_future_successful(next), way == 0);
        ck_assert_int_eq(filch_future_cancelled(next), way >= 2);
        ck_assert_int_eq(destroyed, 1);
        filch_future_free(next);
        gates_free(&gates);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_task_that_waits_for_needs_can_be_cancelled)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 300; round++) {
        struct gates gates = gates_new();
        filch_future *next;
        filch_future *needs[3] = {gates.futures[0], NULL, NULL};
        atomic_store(&calls, 0);
        ck_assert_int_eq(half_of_apply_async(pool, 1, &needs[1]), FILCH_OK);
        if (round % 3 == 2) {
            ck_assert_int_eq(failing_apply_async(pool, 4, &needs[2]), FILCH_OK);
        } else {
            ck_assert_int_eq(half_of_apply_async(pool, 2, &needs[2]), FILCH_OK);
        }
        ck_assert_int_eq(seven_after(pool, needs, 3, &next), FILCH_OK);
        if (round % 3 == 1) {
            open_gate(&gates, 0);
        }
        filch_status cancelled = filch_future_cancel(next);
        ck_assert(cancelled == FILCH_OK || cancelled == FILCH_EALREADY);
        int value = 0;
        filch_status ended = seven_get(next, &value);
        ck_assert_int_eq(ended == FILCH_OK, value == 7);
        ck_assert(ended == FILCH_ECANCELED || (round % 3 == 1 && ended == FILCH_OK) ||
                  (round % 3 == 2 && ended == FILCH_ERAISED));
        ck_assert_int_eq(calls, ended == FILCH_OK);
        filch_future_free(next);
        filch_future_free(needs[1]);
        filch_future_free(needs[2]);
        gates_free(&gates);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(needs_that_end_at_the_same_time)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 300; round++) {
        enum { N = 8 };
        filch_future *needs[N];
        filch_future *next;
        atomic_int gate = 0;
        int failed = round % 3; /* of them */
        for (int i = 0; i < N; i++) {
            if (i < failed) {
                ck_assert_int_eq(failing_apply_async(pool, 3, &needs[i]), FILCH_OK);
            } else {
                ck_assert_int_eq(when_open_apply_async(pool, &gate, i, &needs[i]), FILCH_OK);
            }
            if (i == round % N) {
                atomic_store(&gate, 1);
            }
        }
        ck_assert_int_eq(ready_of_after(pool, needs, N, needs, N, &next), FILCH_OK);
        int value = 0;
        ck_assert_int_eq(ready_of_get(next, &value), failed ? FILCH_ERAISED : FILCH_OK);
        ck_assert_int_eq(value, failed ? 0 : N);
        filch_future_free(next);
        for (int i = 0; i < N; i++) {
            ck_assert_int_eq(filch_future_wait(needs[i]), FILCH_OK);
            filch_future_free(needs[i]);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(closing_lets_it_happen_and_terminating_cancels_it)
{
    for (int terminated = 0; terminated < 2; terminated++) {
        filch_pool *pool = pool_opened(_i);
        struct gates gates = gates_new();
        filch_future **f = gates.futures;
        filch_future *next;
        filch_future *refused = f[0];
        int value = 0;
        ck_assert_int_eq(sum_of_after(pool, FILCH_NEEDS(f[3], f[4]), f[3], f[4], &next), FILCH_OK);
        if (terminated) {
            ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
            ck_assert_int_eq(filch_pool_join(pool), FILCH_OK); /* the gates are shut still */
            ck_assert_int_eq(sum_of_get(next, &value), FILCH_ECANCELED);
        } else {
            ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
        }
        open_gate(&gates, 3);
        open_gate(&gates, 4);
        if (!terminated) {
            ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
            ck_assert(filch_future_ready(next));
            ck_assert_int_eq(sum_of_get(next, &value), FILCH_OK);
            ck_assert_int_eq(value, 7);
        }
        ck_assert_int_eq(plus_after(pool, f, GATES, 1, 2, &refused), FILCH_ECLOSED);
        ck_assert_ptr_null(refused);
        filch_future_free(next);
        gates_free(&gates);
        pool_closed(pool);
    }
}
END_TEST

START_TEST(a_chain_of_many_needs_no_stack)
{
    enum { LINKS = 20000 };
    filch_pool *pool = pool_opened(_i);
    for (int failing = 0; failing < 2; failing++) {
        filch_promise *promise;
        filch_future *last;
        filch_future *next;
        int one = 1;
        ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &last), FILCH_OK);
        for (int i = 0; i < LINKS; i++) {
            check_int_eq(plus_after(pool, FILCH_NEEDS(last, last), i, 1, &next), FILCH_OK);
            filch_future_free(last);
            last = next;
        }
        if (failing) {
            ck_assert_int_eq(filch_promise_set_error(promise, 3, "three"), FILCH_OK);
            ck_assert(filch_future_ready(last));
            ck_assert_int_eq(plus_get(last, &one), FILCH_ERAISED);
            filch_future_free(last);
        } else {
            ck_assert_int_eq(filch_promise_set_value(promise, &one), FILCH_OK);
            ck_assert_int_eq(value_of(last), LINKS);
        }
        filch_promise_free(promise);
    }
    pool_closed(pool);
}
END_TEST

/* Each node is the sum of the two before it: Pascal's triangle, in a square. */
START_TEST(a_graph_of_many_tasks_comes_out_right)
{
    enum { SIDE = 14 };
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 10; round++) {
        filch_future *nodes[SIDE][SIDE];
        filch_promise *promise;
        int one = 1;
        ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &nodes[0][0]), FILCH_OK);
        if (round % 2) {
            ck_assert_int_eq(filch_promise_set_value(promise, &one), FILCH_OK);
        }
        for (int i = 0; i < SIDE; i++) {
            for (int j = i == 0; j < SIDE; j++) {
                filch_future *up = i ? nodes[i - 1][j] : NULL;
                filch_future *left = j ? nodes[i][j - 1] : NULL;
                check_int_eq(up && left
                                 ? sum_of_after(pool, FILCH_NEEDS(up, left), up, left, &nodes[i][j])
                                 : plus_then(pool, up ? up : left, 0, &nodes[i][j]),
                             FILCH_OK);
            }
        }
        filch_promise_set_value(promise, &one);
        filch_promise_free(promise);
        int last = 0;
        ck_assert_int_eq(sum_of_get(nodes[SIDE - 1][SIDE - 1], &last), FILCH_OK);
        ck_assert_int_eq(last, 10400600);
        for (int i = 0; i < SIDE * SIDE; i++) {
            filch_future_free(nodes[i / SIDE][i % SIDE]);
        }
    }
    pool_closed(pool);
}
END_TEST

/* ---- what may follow what ---- */

static char heard[600];
static int lines;

static void hear(void *context, filch_log_level level, const char *message)
{
    (void)context;
    ck_assert_int_eq(level, FILCH_LOG_WARNING);
    ck_assert_uint_lt(strlen(message), sizeof heard);
    strcpy(heard, message);
    lines++;
}

static void hear_all(void)
{
    lines = 0;
    heard[0] = '\0';
    filch_log_to(hear, NULL);
}

START_TEST(bad_input_is_refused_and_the_log_says_why)
{
    filch_pool *pool = pool_opened(1);
    struct gates gates = gates_new();
    filch_future **f = gates.futures;
    filch_future *next = f[0];
    filch_closure empty = {.callable = NULL};
    filch_continuation neither = plus_continuation;
    filch_callable none = plus_callable;
    plus_args args = {0};
    neither.on_value = NULL;
    none.invoke = NULL;
    long before = allocations_alive();
    hear_all();
#define REFUSED(call, why)                                                                         \
    do {                                                                                           \
        next = f[0];                                                                               \
        ck_assert_int_eq(call, FILCH_EINVAL);                                                      \
        ck_assert_ptr_null(next);                                                                  \
        ck_assert_str_eq(heard, why "\n");                                                         \
    } while (0)
    REFUSED(plus_after(pool, NULL, 1, 2, 3, &next), "plus_after() is refused: the needs are NULL");
    REFUSED(plus_after(pool, FILCH_NEEDS(f[0], NULL), 2, 3, &next),
            "plus_after() is refused: one of the needs is NULL");
    REFUSED(filch_future_after(pool, f, 2, NULL, &next),
            "filch_future_after() is refused: the closure is empty, or NULL");
    REFUSED(filch_future_after(pool, f, 2, &empty, &next),
            "filch_future_after() is refused: the closure is empty, or NULL");
    REFUSED(filch_future_after_captured(pool, f, 2, NULL, NULL, &next),
            "filch_future_after() is refused: its function or the captures are missing");
    REFUSED(filch_future_after_captured(pool, f, 2, &none, &args, &next),
            "plus_after() is refused: its function or the captures are missing");
    REFUSED(filch_future_after_captured(pool, f, 2, &plus_callable, NULL, &next),
            "plus_after() is refused: its function or the captures are missing");
    REFUSED(plus_then(pool, NULL, 1, &next), "plus_then() is refused: the future is NULL");
    REFUSED(filch_future_then(pool, f[0], NULL, NULL, &next),
            "filch_future_then() is refused: there is no function");
    REFUSED(filch_future_then(pool, f[0], &neither, &args, &next),
            "plus_then() is refused: there is no function");
    REFUSED(filch_future_then(pool, f[0], &plus_continuation, NULL, &next),
            "plus_then() is refused: the captures are NULL");
    ck_assert_int_eq(lines, 11);
    ck_assert_int_eq(plus_after(pool, f, (size_t)-1 / 64, 2, 3, &next), FILCH_EOVERFLOW);
    ck_assert_int_eq(allocations_alive(), before);
    filch_log_to(NULL, NULL);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(a_function_without_parameters_follows_any)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[4];
    filch_future *next;
    int filled = 0;
    atomic_store(&calls, 0);
    ck_assert_int_eq(fills_apply_async(pool, &filled, 9, &futures[0]), FILCH_OK);
    ck_assert_int_eq(plus_apply_async(pool, 1, 2, &futures[1]), FILCH_OK);
    ck_assert_int_eq(failing_apply_async(pool, 6, &futures[2]), FILCH_OK);
    ck_assert_int_eq(filch_when_all(futures, 2, &futures[3]), FILCH_OK);
    for (int i = 0; i < 4; i++) {
        int value = 0;
        ck_assert_int_eq(seven_then(pool, futures[i], &next), FILCH_OK);
        ck_assert_int_eq(seven_get(next, &value), i == 2 ? FILCH_ERAISED : FILCH_OK);
        ck_assert_int_eq(value, i == 2 ? 0 : 7);
        filch_future_free(next);
    }
    ck_assert_int_eq(calls, 4); /* plus, and three times */
    for (int i = 0; i < 4; i++) {
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

typedef struct pair {
    int a, b;
} pair;
typedef struct other_pair {
    float a, b;
} other_pair;
typedef union one {
    int i;
    float f;
} one;
typedef enum color { RED, GREEN = 77 } color;
typedef int number;
typedef int (*of_int)(int);
struct place {
    int x, y;
};
struct place_on_map {
    int page, row;
};
union either {
    int x[2];
};
typedef struct place position;

/* Functions of one parameter T, with what they give as futures: n of a_T is from_T. */
#define OF_TYPE(name, T)                                                                           \
    FILCH_FUNCTION(T, from_##name, (T, x))                                                         \
    {                                                                                              \
        return x;                                                                                  \
    }                                                                                              \
    FILCH_HANDLER(T, caught_##name, (T, x))                                                        \
    {                                                                                              \
        return x;                                                                                  \
    }
OF_TYPE(int, int)
OF_TYPE(unsigned, unsigned)
OF_TYPE(float, float)
OF_TYPE(double, double)
OF_TYPE(int64, int64_t)
OF_TYPE(size, size_t)
OF_TYPE(long_long, long long)
OF_TYPE(color, color)
OF_TYPE(number, number)
OF_TYPE(flag, bool)
OF_TYPE(char, char)
OF_TYPE(uchar, unsigned char)
OF_TYPE(string, const char *)
OF_TYPE(buffer, char *)
OF_TYPE(bytes, unsigned char *)
OF_TYPE(ints, int *)
OF_TYPE(pairs, pair *)
OF_TYPE(const_pairs, const pair *)
OF_TYPE(anything, void *)
OF_TYPE(const_anything, const void *)
OF_TYPE(function, of_int)
OF_TYPE(pair, pair)
OF_TYPE(other_pair, other_pair)
OF_TYPE(one, one)
OF_TYPE(place, struct place)
OF_TYPE(map_place, struct place_on_map)
OF_TYPE(either, union either)
OF_TYPE(position, position)
OF_TYPE(places, struct place *)
OF_TYPE(const_places, volatile const struct place *const *)
OF_TYPE(map_places, struct place_on_map const *)

/* A continuation and a handler after a future whose value has all bits 0, and a look at it. */
#define FOLLOWS(pool, from, to, wanted, takes, why)                                                \
    do {                                                                                           \
        from_##from##_args zero;                                                                   \
        memset(&zero, 0, sizeof zero);                                                             \
        filch_future *future;                                                                      \
        filch_future *next = NULL;                                                                 \
        lines = 0;                                                                                 \
        ck_assert_int_eq(from_##from##_apply_async(pool, zero.x, &future), FILCH_OK);              \
        ck_assert_int_eq(from_##to##_then(pool, future, &next), wanted);                           \
        ck_assert_int_eq(lines, (wanted) != FILCH_OK);                                             \
        if ((wanted) != FILCH_OK) {                                                                \
            ck_assert_ptr_null(next);                                                              \
            ck_assert_str_eq(heard,                                                                \
                             "from_" #to "_then() is refused: from_" #to " takes " takes why);     \
        }                                                                                          \
        filch_future_free(next);                                                                   \
        from_##to##_args fallback;                                                                 \
        memset(&fallback, 0, sizeof fallback);                                                     \
        ck_assert_int_eq(caught_##to##_catch(pool, future, fallback.x, &next), wanted);            \
        filch_future_free(next);                                                                   \
        ck_assert_int_eq(from_##to##_get(future, &fallback.x), wanted);                            \
        ck_assert_int_eq(lines, (wanted) == FILCH_OK ? 0 : 3);                                     \
        if ((wanted) != FILCH_OK) {                                                                \
            ck_assert_str_eq(heard,                                                                \
                             "from_" #to "_get() is refused: from_" #to " gives " takes why);      \
        }                                                                                          \
        filch_future_free(future);                                                                 \
    } while (0)
#define PASSES(pool, from, to) FOLLOWS(pool, from, to, FILCH_OK, "", "")
#define IS_REFUSED(pool, from, to, takes, gives)                                                   \
    FOLLOWS(pool, from, to, FILCH_EINVAL, takes,                                                   \
            ", but the future of from_" #from " gives " gives "\n")

START_TEST(a_value_of_another_type_is_refused_and_the_log_names_both)
{
    filch_pool *pool = pool_opened(1);
    hear_all();
    IS_REFUSED(pool, int, float, "float", "int");
    IS_REFUSED(pool, float, int, "int", "float");
    IS_REFUSED(pool, float, color, "color", "float");
    IS_REFUSED(pool, int, double, "double", "int"); /* of other sizes */
    IS_REFUSED(pool, int, int64, "int64_t", "int");
    IS_REFUSED(pool, pair, int, "int", "pair");
    IS_REFUSED(pool, int, one, "one", "int");
    IS_REFUSED(pool, char, flag, "_Bool", "char");
    IS_REFUSED(pool, double, pair, "pair", "double");
    IS_REFUSED(pool, pair, int64, "int64_t", "pair");
    IS_REFUSED(pool, int64, double, "double", "int64_t");
#if UINTPTR_MAX > 0xffffffff
    IS_REFUSED(pool, int64, pairs, "pair *", "int64_t");
    IS_REFUSED(pool, double, anything, "void *", "double");
    IS_REFUSED(pool, pair, string, "const char *", "pair");
    IS_REFUSED(pool, function, size, "size_t", "of_int");
#endif
    IS_REFUSED(pool, ints, string, "const char *", "int *");
    IS_REFUSED(pool, buffer, pairs, "pair *", "char *");
    IS_REFUSED(pool, place, map_place, "struct place_on_map", "struct place");
    IS_REFUSED(pool, map_place, place, "struct place", "struct place_on_map");
    IS_REFUSED(pool, place, either, "union either", "struct place");
    IS_REFUSED(pool, places, map_places, "struct place_on_map const *", "struct place *");
    IS_REFUSED(pool, map_places, const_places, "volatile const struct place *const *",
               "struct place_on_map const *");
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(a_value_that_stays_the_same_passes_by_whatever_name)
{
    filch_pool *pool = pool_opened(1);
    hear_all();
    PASSES(pool, int, int);
    PASSES(pool, int, number);
    PASSES(pool, unsigned, number);
    PASSES(pool, color, int);
    PASSES(pool, int, color);
    PASSES(pool, long_long, int64);
    PASSES(pool, char, uchar);
    PASSES(pool, string, buffer);
    PASSES(pool, bytes, string);
    PASSES(pool, buffer, anything);
    PASSES(pool, anything, pairs);
    PASSES(pool, pairs, const_anything);
    PASSES(pool, pairs, const_pairs);
    PASSES(pool, function, function);
    PASSES(pool, pair, pair);
    PASSES(pool, pair, other_pair); /* one might be another name for the other */
    PASSES(pool, place, place);
    PASSES(pool, place, position);
    PASSES(pool, position, place);
    PASSES(pool, pair, map_place);
    PASSES(pool, map_places, map_places);
    PASSES(pool, map_places, pairs);
    PASSES(pool, anything, map_places);
    PASSES(pool, places, const_places);
    PASSES(pool, one, one);
#if UINTPTR_MAX > 0xffffffff
    PASSES(pool, int64, size);
#endif
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

START_TEST(what_has_no_known_type_is_compared_by_size)
{
    filch_pool *pool = pool_opened(1);
    struct gates gates = gates_new();
    filch_future *next = NULL;
    filch_future *again;
    filch_future *nothing;
    float value = 1;
    int filled;
    const filch_function_info untyped = {
        "untyped", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, NULL};
    filch_continuation what = from_float_continuation;
    const from_float_args args = {0};
    what.info = &untyped;
    open_gate(&gates, 0);
    hear_all();
    ck_assert_int_eq(from_float_then(pool, gates.futures[0], &next), FILCH_OK); /* a promise's */
    ck_assert_int_eq(filch_future_then(pool, next, &what, &args, &again), FILCH_OK);
    ck_assert_int_eq(from_float_get(again, &value), FILCH_OK);
    ck_assert(value == 0);
    filch_future_free(again);
    ck_assert_int_eq(lines, 0);
    ck_assert_int_eq(from_pair_then(pool, gates.futures[0], &again), FILCH_EINVAL);
    ck_assert_str_eq(heard, "from_pair_then() is refused: from_pair takes pair, but the future of "
                            "a promise gives 4 bytes\n");
    what.value_bytes = 12;
    what.info = NULL;
    ck_assert_int_eq(filch_future_then(pool, next, &what, &args, &again), FILCH_EINVAL);
    ck_assert_str_eq(heard, "filch_future_then() is refused: the function takes 12 bytes, but the "
                            "future of from_float gives float\n");
    ck_assert_int_eq(fills_apply_async(pool, &filled, 1, &nothing), FILCH_OK);
    ck_assert_int_eq(from_int_then(pool, nothing, &again), FILCH_EINVAL);
    ck_assert_str_eq(heard, "from_int_then() is refused: from_int takes int, but the future of "
                            "fills gives nothing; _after() asks for no value\n");
    ck_assert_int_eq(caught_int_catch(pool, nothing, 1, &again), FILCH_EINVAL);
    ck_assert_str_eq(heard, "caught_int_catch() is refused: caught_int gives int, but the future "
                            "of fills gives nothing\n");
    filch_log_to(NULL, NULL);
    filch_future_free(next);
    filch_future_free(nothing);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(a_get_of_another_type_is_refused_before_it_waits)
{
    filch_pool *pool = pool_opened(1);
    struct gates gates = gates_new();
    filch_future *next;
    float got = 7;
    ck_assert_int_eq(plus_then(pool, gates.futures[0], 1, &next), FILCH_OK);
    hear_all();
    ck_assert_int_eq(from_float_get(next, &got), FILCH_EINVAL);
    ck_assert_str_eq(heard, "from_float_get() is refused: from_float gives float, but the future "
                            "of plus gives int\n");
    ck_assert_int_eq(fills_get(next), FILCH_EINVAL);
    ck_assert_str_eq(heard, "fills_get() is refused: fills gives nothing, but the future of plus "
                            "gives int\n");
    ck_assert_int_eq(from_pair_get(gates.futures[0], &(pair){0}), FILCH_EINVAL);
    ck_assert_str_eq(heard, "from_pair_get() is refused: from_pair gives pair, but the future of "
                            "a promise gives 4 bytes\n");
    ck_assert_int_eq(lines, 3);
    ck_assert_int_eq(from_float_get(NULL, &got), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_get_as(next, NULL, &got), FILCH_EINVAL);
    open_gate(&gates, 0);
    ck_assert_int_eq(from_float_get(gates.futures[0], &got), FILCH_OK); /* it may be one */
    ck_assert(got == 0);
    ck_assert_int_eq(plus_get(next, NULL), FILCH_EINVAL);
    ck_assert_int_eq(lines, 3);
    filch_log_to(NULL, NULL);
    filch_future_free(next);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(the_index_of_the_first_that_is_ready_is_a_number)
{
    filch_pool *pool = pool_opened(1);
    struct gates gates = gates_new();
    filch_future *any;
    filch_future *next = NULL;
    size_t index = 99;
    hear_all();
    open_gate(&gates, 3);
    ck_assert_int_eq(filch_when_any(gates.futures, GATES, &any), FILCH_OK);
    ck_assert_int_eq(from_double_then(pool, any, &next), FILCH_EINVAL);
    ck_assert_int_eq(from_size_then(pool, any, &next), FILCH_OK);
    ck_assert_int_eq(from_size_get(next, &index), FILCH_OK);
    ck_assert_uint_eq(index, 3);
    filch_log_to(NULL, NULL);
    filch_future_free(any);
    filch_future_free(next);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("after");
    TCase *tcase = tcase_create("after");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_task_begins_when_all_its_needs_have_succeeded, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_needs_may_be_of_any_type, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, without_needs_it_begins_soon, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, an_error_passes_by_at_once_and_without_a_call, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_need_came_to_is_what_follows_comes_to, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, needs_are_kept_until_the_task_has_run_and_no_longer, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_closure_may_follow_and_is_given_back_however_it_ends, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_that_waits_for_needs_can_be_cancelled, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, needs_that_end_at_the_same_time, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, closing_lets_it_happen_and_terminating_cancels_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_chain_of_many_needs_no_stack, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_graph_of_many_tasks_comes_out_right, 0, WORKER_SWEEP);
    tcase_add_test(tcase, bad_input_is_refused_and_the_log_says_why);
    tcase_add_loop_test(tcase, a_function_without_parameters_follows_any, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_value_of_another_type_is_refused_and_the_log_names_both);
    tcase_add_test(tcase, a_value_that_stays_the_same_passes_by_whatever_name);
    tcase_add_test(tcase, what_has_no_known_type_is_compared_by_size);
    tcase_add_test(tcase, a_get_of_another_type_is_refused_before_it_waits);
    tcase_add_test(tcase, the_index_of_the_first_that_is_ready_is_a_number);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
