// The public headers in C++17.
#include <filch/closure.h>
#include <filch/error.h>
#include <filch/filch.h>
#include <filch/fold.h>
#include <filch/fork.h>
#include <filch/function.h>
#include <filch/future.h>
#include <filch/futures.h>
#include <filch/grid.h>
#include <filch/group.h>
#include <filch/imap.h>
#include <filch/kind.h>
#include <filch/lane.h>
#include <filch/loop.h>
#include <filch/macros.h>
#include <filch/map_reduce.h>
#include <filch/order.h>
#include <filch/pipeline.h>
#include <filch/platform.h>
#include <filch/pool.h>
#include <filch/predicate.h>
#include <filch/progress.h>
#include <filch/reduce.h>
#include <filch/registry.h>
#include <filch/signature.h>
#include <filch/source.h>
#include <filch/status.h>
#include <filch/task.h>
#include <filch/then.h>
#include <filch/version.h>

#include <cstdint>
#include <cstdio>

#include "pointers_of.h"

FILCH_FUNCTION(int, mult, "Multiplies.", (int, a), (int, b))
{
    return a * b;
}

FILCH_FUNCTION(long, eight, (long, a), (long, b), (long, c), (long, d), (long, e), (long, f),
               (long, g), (long, h))
{
    return a + b + c + d + e + f + g + h;
}

FILCH_FUNCTION(void, nothing)
{
}

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_SOURCE(int, numbers_to, (int *, next), (int, end))
{
    *item = ++*next;
    return *item <= end ? FILCH_OK : FILCH_END;
}

struct result {
    int value = 0;
};

static result tried(filch_status status)
{
    FILCH_TRY(status, {});
    return {5};
}

FILCH_FUNCTION(int, tries_mult, (filch_future *, future))
{
    int value = 0;
    ssize_t n;
    FILCH_TRY_IO(n, value, -2);
    FILCH_TRY_FROM(future, mult_get(future, &value), -1);
    return value + static_cast<int>(n);
}

FILCH_STAGE(double, half, "Halves.", (int, x))
{
    if (x == 8) {
        return filch_raise(x, "eight"), 0;
    }
    return x / 2.0;
}

FILCH_STAGE(void, total, (double, x), (double *, into))
{
    *into += x;
}

/* The sum of 1 to n, halved; or to 7. */
static double half_sum(filch_pool *pool, int n, filch_status expected)
{
    int next = 0;
    double sum = 0;
    const filch_stage stages[] = {half_parallel(), total_serial(&sum)};
    return numbers_to_pipeline(pool, &next, n, stages, 2, nullptr) == expected ? sum : -1;
}

FILCH_LOOP(fill, (size_t, i), (int *, out))
{
    out[i] = static_cast<int>(i);
}

FILCH_REDUCER(int, add, (int, a), (int, b))
{
    return a + b;
}

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

FILCH_FUNCTION(int, mult_of_three, (int, a), (int, b), (int, c))
{
    return a * b * c;
}

FILCH_SIGNATURE(binop, int, (int, a), (int, b))
FILCH_LAMBDA(binop, int, plus, ((int, base)), (int, a), (int, b))
{
    return base + a + b;
}

FILCH_PARTIAL(binop, int, product_with, mult_of_three, ((int, a)), (int, b), (int, c))
FILCH_COMPOSE(int, twice_mult, twice, mult, (int, a), (int, b))
FILCH_REGISTER(mult);
FILCH_RANGE(twice, int);

FILCH_HANDLER(int, code_of)
{
    return error->code;
}

FILCH_PREDICATE(is_below, (int, x), (int, limit))
{
    return x < limit;
}

FILCH_ORDER(downwards, (int, a), (int, b))
{
    return a > b;
}

FILCH_LOOP_2D(fill_2d, (size_t, i), (size_t, j), (int *, cells))
{
    cells[i * 10 + j] = static_cast<int>(i + j);
}

FILCH_LOOP_3D(fill_3d, (size_t, i), (size_t, j), (size_t, k), (int *, cells))
{
    cells[(i * 5 + j) * 5 + k] = static_cast<int>(i * j * k);
}

// Aligned to more than memory is by itself.
struct alignas(32) vector {
    double x[4];
};

static vector vector_of(double value)
{
    return {{value, value, value, value}};
}

static bool is_placed(const vector *value)
{
    const volatile void *volatile unknown = value;
    return reinterpret_cast<std::uintptr_t>(unknown) % alignof(vector) == 0;
}

FILCH_REDUCER(vector, vector_sum, (vector, a), (vector, b))
{
    return vector_of(a.x[0] + b.x[0]);
}

FILCH_FUNCTION(vector, scaled, (vector, a), (int, factor))
{
    return vector_of(is_placed(&a) ? a.x[0] * factor : -1);
}

FILCH_ORDER(vector_before, (vector, a), (vector, b))
{
    return a.x[0] < b.x[0];
}

FILCH_CHANNEL(vectors, vector);

FILCH_SIGNATURE(vector_to_vector, vector, (vector, a))
FILCH_LAMBDA(vector_to_vector, vector, times, ((vector, by)), (vector, a))
{
    return vector_of(is_placed(&by) ? a.x[0] * by.x[0] : -1);
}

FILCH_FORK_FUNCTION(vector, vector_fib, (int, n), (vector, one))
{
    if (n < 2) {
        return vector_of(is_placed(&one) ? n * one.x[3] : -1);
    }
    FILCH_FORK(left, vector_fib, n - 1, one);
    const vector right = FILCH_CALL(vector_fib, n - 2, one);
    return vector_of(FILCH_JOIN(left).x[1] + right.x[2]);
}

// How a library of parallel algorithms that knows nothing of filch forks: any two callables.
using call = void (*)(void *);

FILCH_FORK_FUNCTION(void, call_one, (call, function), (void *, object))
{
    function(object);
}

FILCH_FORK_FUNCTION(void, call_both, (call, left), (void *, left_object), (call, right),
                    (void *, right_object))
{
    FILCH_FORK(other, call_one, right, right_object);
    left(left_object);
    FILCH_JOIN(other);
}

template <typename T> void call_object(void *object)
{
    (*static_cast<T *>(object))();
}

template <typename Left, typename Right> void par_do(Left left, Right right)
{
    call_both(call_object<Left>, &left, call_object<Right>, &right);
}

static long sum_of(const int *a, int n)
{
    if (n == 1) {
        return a[0];
    }
    long left = 0;
    long right = 0;
    par_do([&] { left = sum_of(a, n / 2); }, [&] { right = sum_of(a + n / 2, n - n / 2); });
    return left + right;
}

static long sum_of_hundreds(int count)
{
    int hundred[100];
    for (int &x : hundred) {
        x = 100;
    }
    long sum = 0;
    for (int i = 0; i < count; i++) {
        sum += sum_of(hundred, 100);
    }
    return sum;
}

static void scale(void *captures, void *result)
{
    const auto *a = static_cast<const vector *>(captures);
    auto *to = static_cast<vector *>(result);
    *to = vector_of(is_placed(a) && is_placed(to) ? 2 * a->x[0] : -1);
}

#define EXPECT(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            std::printf("%s:%d: %s\n", __FILE__, __LINE__, #x);                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int use_first()
{
    vectors box;
    const vector value = vector_of(3);
    filch_status sent = FILCH_EPENDING;
    EXPECT(vectors_new(1, &box) == FILCH_OK);
    EXPECT(FILCH_FIRST(filch_never(), filch_none(), vectors_sending(box, &value, &sent)) == 1);
    EXPECT(sent == FILCH_OK);
    EXPECT(FILCH_FIRST(filch_in(0), vectors_sending(box, &value, nullptr)) == -FILCH_ETIMEDOUT);
    vectors_free(box);
    return 0;
}

FILCH_FUNCTION(int, throws, (int, x))
{
    throw x;
}

/* An exception leaves a call in the program's own thread: the pool is as it was. */
static int catch_it(filch_pool *pool, int x)
{
    int caught = 0;
    int result = 0;
    try {
        caught += 100 * throws_apply(pool, x, &result);
    } catch (int thrown) {
        caught += thrown;
    }
    try {
        caught += 100 * throws_map(pool, &x, 1, &result);
    } catch (int thrown) {
        caught += thrown;
    }
    return caught;
}

struct tally {
    alignas(64) long count[2];
};

FILCH_FOLD(tally, tell_apart, (int, x), (int, from))
{
    into->count[x >= from]++;
    if (x < 0) {
        throw x;
    }
}

FILCH_FOLD_LOOP(long, sum_indices, (size_t, i))
{
    *into += static_cast<long>(i);
}

FILCH_REDUCER(vector, vector_added, (vector, a), (vector, b))
{
    return vector_of(is_placed(&a) && is_placed(&b) ? a.x[0] + b.x[0] : -1);
}

FILCH_MAP_REDUCE(vector, sum_of_scaled, scaled, vector_added, (vector, a), (int, by));

static int tallies = 0; // alive; on one worker

static filch_status begin_tally(tally *state, void *context)
{
    tallies++;
    *static_cast<long *>(context) += state->count[0];
    return FILCH_OK;
}

static void end_tally(tally *state, void *)
{
    tallies -= state->count[0] + state->count[1] > 0;
}

static void add_tallies(tally *to, tally *from, void *)
{
    to->count[0] += from->count[0];
    to->count[1] += from->count[1];
}

static void add_longs(long *to, long *from, void *)
{
    *to += *from;
}

static int use_folds(filch_pool *pool)
{
    int xs[100];
    vector vectors_in[100];
    for (int i = 0; i < 100; i++) {
        xs[i] = i;
        vectors_in[i] = vector_of(1);
    }
    const sum_indices_accumulator sum_up = {nullptr, add_longs, nullptr, nullptr, FILCH_FOLD_FAST};
    tally all = {{0, 0}};
    long sum = 0;
    vector product;
    EXPECT(sum_indices_fold(pool, 100, &sum_up, &sum) == FILCH_OK && sum == 4950);
    EXPECT(sum_of_scaled(pool, vectors_in, xs, 100, vector_of(7), &product) == FILCH_OK);
    EXPECT(product.x[1] == 4957);
    filch_pool *one;
    filch_pool_options options = {};
    options.processes = 1;
    EXPECT(filch_pool_open(&options, &one) == FILCH_OK);
    tell_apart_accumulator how = {begin_tally, add_tallies, end_tally, &sum, FILCH_FOLD_FIXED};
    EXPECT(tell_apart_fold(one, xs, 100, 30, &how, &all) == FILCH_OK);
    EXPECT(all.count[0] == 30 && all.count[1] == 70 && tallies == 0);
    /* An exception leaves it: states are finished. */
    for (int order = 0; order < 2; order++) {
        int caught = 0;
        xs[50] = -order - 1;
        how.order = static_cast<filch_fold_order>(order);
        try {
            caught = 100 * tell_apart_fold(one, xs, 100, 30, &how, &all);
        } catch (int thrown) {
            caught = thrown;
        }
        EXPECT(caught == -order - 1 && tallies == 0);
    }
    EXPECT(filch_pool_free(one) == FILCH_OK);
    return 0;
}

static int use_vectors(filch_pool *pool)
{
    const filch_callable scaling = {scale, sizeof(vector), sizeof(vector), nullptr};
    vector all[3] = {vector_of(2), vector_of(3), vector_of(1)};
    vector out[3];
    vector result;
    filch_future *first;
    filch_future *second;
    filch_closure closure;
    filch_iterator *it;
    vectors box;
    EXPECT(scaled_apply_async(pool, all[0], 3, &first) == FILCH_OK);
    EXPECT(scaled_then(pool, first, 2, &second) == FILCH_OK);
    EXPECT(scaled_get(second, &result) == FILCH_OK && result.x[3] == 12);
    filch_future_free(first);
    filch_future_free(second);
    EXPECT(filch_closure_make(&closure, &scaling, &all[1], nullptr) == FILCH_OK);
    EXPECT(filch_apply(pool, &closure, &result) == FILCH_OK && result.x[0] == 6);
    EXPECT(filch_apply_async(pool, &closure, &first) == FILCH_OK);
    EXPECT(filch_future_get(first, &result, sizeof result) == FILCH_OK && result.x[0] == 6);
    filch_future_free(first);
    filch_closure_release(&closure);
    const int factors[3] = {4, 5, 6};
    EXPECT(scaled_imap(pool, all, factors, 3, nullptr, &it) == FILCH_OK);
    EXPECT(scaled_imap_next(it, &result) == FILCH_OK && result.x[0] == 8);
    filch_iterator_free(it);
    EXPECT(vector_sum_reduce(pool, all, 3, vector_of(1), &result) == FILCH_OK && result.x[2] == 7);
    EXPECT(vector_sum_scan(pool, all, 3, vector_of(1), out) == FILCH_OK && out[1].x[2] == 6);
    EXPECT(vector_before_sort(pool, all, 3) == FILCH_OK && all[0].x[0] == 1);
    EXPECT(vectors_new(1, &box) == FILCH_OK && vectors_send(box, all[2]) == FILCH_OK);
    EXPECT(vectors_receive(box, &result) == FILCH_OK && result.x[1] == 3);
    vectors_free(box);
    EXPECT(vector_to_vector_call(times_bind(vector_of(4)), vector_of(3)).x[3] == 12);
    EXPECT(vector_fib_apply(pool, 15, vector_of(1), &result) == FILCH_OK && result.x[0] == 610);
    return 0;
}

enum color { RED, GREEN };
enum class shade : unsigned char { DARK, LIGHT };
typedef int (*of_int)(int);

FILCH_FUNCTION(color, green)
{
    return GREEN;
}

FILCH_FUNCTION(float, third_of, (float, x))
{
    return x / 3;
}

FILCH_FUNCTION(const char *, name_of, (color, which))
{
    return which == GREEN ? "green" : "red";
}

FILCH_FUNCTION(int, length_of, (const void *, text))
{
    return static_cast<int>(strlen(static_cast<const char *>(text)));
}

static_assert(filch_kind_of<shade>::kind == FILCH_KIND_INTEGER, "");
static_assert(filch_kind_of<bool>::kind == FILCH_KIND_BOOLEAN, "");
static_assert(filch_kind_of<of_int>::kind == FILCH_KIND_POINTER, "");
static_assert(filch_kind_of<vector>::kind == FILCH_KIND_OTHER, "");
static_assert(filch_kind_of<const unsigned char *>::kind == FILCH_KIND_POINTER_TO_CHARACTERS, "");
static_assert(filch_kind_of<volatile void *>::kind == FILCH_KIND_POINTER_TO_VOID, "");

/* In C++ as in C. */
static int use_graphs(filch_pool *pool, filch_future *a, filch_future *b)
{
    filch_future *futures[4];
    filch_future *refused;
    int length = 0;
    EXPECT(green_after(pool, FILCH_NEEDS(a, b), &futures[0]) == FILCH_OK);
    EXPECT(name_of_then(pool, futures[0], &futures[1]) == FILCH_OK);
    EXPECT(length_of_then(pool, futures[1], &futures[2]) == FILCH_OK);
    EXPECT(third_of_then(pool, futures[0], &refused) == FILCH_EINVAL);
    EXPECT(third_of_then(pool, futures[2], &refused) == FILCH_EINVAL);
    EXPECT(length_of_then(pool, futures[2], &refused) == FILCH_EINVAL);
    EXPECT(twice_after(pool, FILCH_NEEDS(futures[2]), 4, &futures[3]) == FILCH_OK);
    EXPECT(length_of_get(futures[2], &length) == FILCH_OK && length == 5);
    EXPECT(twice_get(futures[3], &length) == FILCH_OK && length == 8);
    EXPECT(twice_after(pool, FILCH_NEEDS(a, nullptr), 4, &refused) == FILCH_EINVAL);
    EXPECT(twice_after(pool, futures, 4, 5, nullptr) == FILCH_OK);
    for (filch_future *future : futures) {
        filch_future_free(future);
    }
    return 0;
}

int main()
{
    filch_status status;
    int result = 0;
    size_t found = 0;
    filch_iterator *it;
    filch_future *first;
    filch_future *second;
    filch_future *third;
    long sum = 0;
    int a[3] = {1, 2, 3};
    int out[100];
    FILCH_WITH_POOL(pool, nullptr, &status) {
        EXPECT(mult_apply(pool, 6, 7, &result) == FILCH_OK && result == 42);
        EXPECT(eight_apply(pool, 1, 2, 3, 4, 5, 6, 7, 8, &sum) == FILCH_OK && sum == 36);
        EXPECT(catch_it(pool, 7) == 14);
        EXPECT(nothing_apply(pool) == FILCH_OK);
        EXPECT(mult_map(pool, a, a, 3, out) == FILCH_OK && out[2] == 9);
        EXPECT(fill_for(pool, 100, out) == FILCH_OK);
        EXPECT(add_reduce(pool, out, 100, 0, &result) == FILCH_OK && result == 4950);
        EXPECT(add_scan(pool, a, 3, 0, out) == FILCH_OK && out[2] == 6);
        EXPECT(twice_map_range(pool, 5, 1, 3, out) == FILCH_OK && out[2] == 14);
        EXPECT(is_below_count(pool, a, 3, 3, &found) == FILCH_OK && found == 2);
        EXPECT(is_below_filter(pool, a, 3, 3, out, &found) == FILCH_OK && out[1] == 2);
        EXPECT(downwards_sort(pool, a, 3) == FILCH_OK && a[0] == 3);
        EXPECT(fill_2d_for(pool, 10, 10, out) == FILCH_OK && out[99] == 18);
        EXPECT(fill_3d_for(pool, 4, 5, 5, out) == FILCH_OK && out[99] == 48);
        EXPECT(twice_map_strided(pool, a, sizeof *a, 3, out, sizeof *out) == FILCH_OK);
        EXPECT(twice_imap(pool, a, 3, nullptr, &it) == FILCH_OK);
        EXPECT(twice_imap_next(it, &result) == FILCH_OK && result == 6);
        filch_iterator_free(it);
        EXPECT(twice_apply_async(pool, 4, &first) == FILCH_OK);
        EXPECT(mult_then(pool, first, 5, &second) == FILCH_OK);
        EXPECT(code_of_catch(pool, second, &third) == FILCH_OK);
        EXPECT(twice_get(third, &result) == FILCH_OK && result == 40);
        EXPECT(use_graphs(pool, first, second) == 0);
        filch_future_free(first);
        filch_future_free(second);
        filch_future_free(third);
        FILCH_WITH_GROUP(group, pool, nullptr, &status) {
            EXPECT(twice_spawn(group, 21, &result) == FILCH_OK);
        }
        EXPECT(status == FILCH_OK && result == 42);
        EXPECT(fib_apply(pool, 20, &sum) == FILCH_OK && sum == 6765);
        EXPECT(half_sum(pool, 4, FILCH_OK) == 5);
        EXPECT(tried(FILCH_OK).value == 5 && tried(FILCH_EBUSY).value == 0);
        EXPECT(mult_apply_async(pool, 4, 5, &first) == FILCH_OK);
        EXPECT(tries_mult_apply(pool, first, &result) == FILCH_OK && result == 20);
        filch_future_free(first);
        EXPECT(half_sum(pool, 100, FILCH_ERAISED) == 14);
        EXPECT(use_vectors(pool) == 0);
        EXPECT(use_folds(pool) == 0);
        EXPECT(use_first() == 0);
    }
    EXPECT(status == FILCH_OK);
    EXPECT(sum_of_hundreds(1000) == 10000000);
    EXPECT(binop_call(FILCH_AS(binop, mult), 2, 3) == 6);
    EXPECT(binop_call(plus_bind(10), 2, 3) == 15);
    EXPECT(binop_call(product_with_bind(10), 2, 3) == 60);
    EXPECT(twice_mult(3, 4) == 24);
    EXPECT(filch_function_named("mult") == &mult_callable);
    std::puts("1 passed, 0 failed");
    return 0;
}
