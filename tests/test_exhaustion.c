/* Each request to the system (memory, maps, threads) fails once, in each of these uses of the
 * library: every call answers with a status that says so or does what it should, nothing that was
 * accepted is lost, nothing leaks. Threads are refused for a while, and asked for again. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sched/pool.h"
#include "sched/thread.h"

FILCH_FUNCTION(int, square, (int, x))
{
    return x * x;
}

FILCH_FUNCTION(int, plus, (int, x), (int, y))
{
    return x + y;
}

/* Its arguments need memory. */
FILCH_FUNCTION(int, many, (long, a), (long, b), (long, c), (long, d), (long, e), (long, f),
               (long, g))
{
    return (int)(a + b + c + d + e + f + g);
}

FILCH_FUNCTION(int, naps, (int, x))
{
    filch_sleep(1e-5);
    return x;
}

FILCH_HANDLER(int, never)
{
    return -1;
}

FILCH_REDUCER(long, add, (long, a), (long, b))
{
    return a + b;
}

FILCH_PREDICATE(is_even, (int, x))
{
    return x % 2 == 0;
}

FILCH_ORDER(upwards, (int, a), (int, b))
{
    return a < b;
}

FILCH_LOOP_2D(mark, (size_t, i), (size_t, j), (atomic_int *, marks))
{
    (void)i;
    (void)j;
    atomic_fetch_add(marks, 1);
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

/* What a call may answer when there is no memory. */
static bool is_scarce(filch_status status)
{
    return status == FILCH_ENOMEM || status == FILCH_EAGAIN;
}

static bool is_either(filch_status status, bool right)
{
    return status == FILCH_OK ? right : is_scarce(status);
}

/* The result of a future, if there is one; then it is freed. */
static bool ends_with(filch_status begun, filch_future *future, int expected)
{
    int value = 0;
    if (begun != FILCH_OK) {
        return is_scarce(begun) && !future;
    }
    filch_status got;
    do { /* a wait may need memory, too */
        got = plus_get(future, &value);
    } while (got == FILCH_ENOMEM);
    filch_future_free(future);
    return got == FILCH_OK && value == expected;
}

static bool uses_continuations(filch_pool *pool)
{
    filch_future *first;
    filch_future *second = NULL;
    filch_future *third = NULL;
    filch_status begun = plus_apply_async(pool, 1, 2, &first);
    if (begun != FILCH_OK) {
        return is_scarce(begun);
    }
    filch_status then = plus_then(pool, first, 10, &second);
    filch_status caught = never_catch(pool, first, &third);
    bool right = ends_with(begun, first, 3);
    right = ends_with(then, second, 13) && right;
    return ends_with(caught, third, 3) && right;
}

static bool uses_graphs(filch_pool *pool)
{
    filch_future *first;
    filch_future *second = NULL;
    filch_future *third = NULL;
    filch_status begun = plus_apply_async(pool, 1, 2, &first);
    if (begun != FILCH_OK) {
        return is_scarce(begun);
    }
    filch_status after = plus_after(pool, FILCH_NEEDS(first, first), 10, 20, &second);
    bool right = true;
    if (second) {
        filch_status last =
            many_after(pool, FILCH_NEEDS(first, second), 1, 2, 3, 4, 5, 6, 7, &third);
        right = ends_with(last, third, 28);
    }
    right = ends_with(begun, first, 3) && right;
    return ends_with(after, second, 30) && right;
}

enum { N = 5 };

static size_t begin_some(filch_pool *pool, filch_future **futures)
{
    size_t n = 0;
    while (n < N && naps_apply_async(pool, (int)n, &futures[n]) == FILCH_OK) {
        n++;
    }
    return n;
}

static void end_all(filch_future **futures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (filch_future_wait(futures[i]) != FILCH_OK) {
        }
        filch_future_free(futures[i]);
    }
}

static bool uses_combinations(filch_pool *pool)
{
    filch_future *futures[N];
    filch_future *all = NULL;
    filch_future *any = NULL;
    size_t n = begin_some(pool, futures);
    size_t first = 99;
    filch_status status = filch_when_all(futures, n, &all);
    bool right = is_either(status, all != NULL);
    if (n) {
        status = filch_when_any(futures, n, &any);
        right = is_either(status, any != NULL) && right;
    }
    end_all(futures, n);
    while (all && (status = filch_future_wait(all)) != FILCH_OK) {
        right = is_scarce(status) && right;
    }
    while (any && (status = filch_future_get(any, &first, sizeof first)) != FILCH_OK) {
        right = is_scarce(status) && right;
    }
    right = (!all || filch_future_successful(all)) && (!any || first < n) && right;
    filch_future_free(all);
    filch_future_free(any);
    return right;
}

static bool uses_completions(filch_pool *pool)
{
    filch_future *futures[N];
    filch_future *ready;
    filch_completions *set = NULL;
    size_t n = begin_some(pool, futures);
    size_t came = 0;
    filch_status status = filch_as_completed(futures, n, &set);
    bool right = is_either(status, set != NULL);
    while (set && (status = filch_completions_next(set, &ready, NULL)) != FILCH_END) {
        right = is_either(status, true) && right;
        if (status == FILCH_OK) {
            filch_future_free(ready);
            came++;
        }
    }
    right = (!set || came == n) && right;
    filch_completions_free(set);
    status = filch_futures_wait_until(futures, n, FILCH_ALL_COMPLETED, filch_in(100));
    end_all(futures, n);
    return is_either(status, true) && right;
}

static bool uses_descriptors(filch_pool *pool)
{
    filch_future *future;
    int descriptor = -1;
    filch_status begun = naps_apply_async(pool, 7, &future);
    bool right = true;
    if (begun == FILCH_OK) {
        filch_status status = filch_future_fd(future, &descriptor);
        right = is_either(status, descriptor >= 0);
    }
    return ends_with(begun, future, 7) && right;
}

FILCH_FUNCTION(int, first_of_two, (filch_future *, future))
{
    int ends[2];
    if (pipe(ends) != 0) {
        return -FILCH_EAGAIN;
    }
    int chosen =
        FILCH_FIRST(filch_in(100), filch_on_fd(ends[0], POLLIN, NULL), filch_on_future(future));
    close(ends[0]);
    close(ends[1]);
    return chosen;
}

static bool uses_first(filch_pool *pool)
{
    filch_future *future;
    int chosen = 1;
    filch_status begun = naps_apply_async(pool, 7, &future);
    bool right = true;
    if (begun == FILCH_OK) {
        filch_status status = first_of_two_apply(pool, future, &chosen);
        right = is_either(status, chosen == 1 || is_scarce((filch_status)-chosen));
    }
    return ends_with(begun, future, 7) && right;
}

static void add_result(void *context, const void *result)
{
    atomic_fetch_add((atomic_int *)context, *(const int *)result);
}

static void add_one(void *context, const filch_error *error)
{
    (void)error;
    atomic_fetch_add((atomic_int *)context, 1);
}

static bool uses_options(filch_pool *pool)
{
    atomic_int heard = 0;
    filch_future *future;
    filch_error error = {.status = FILCH_OK};
    int value = 0;
    filch_pool *told = FILCH_ON(pool, .done = {add_result, add_one, &heard});
    filch_status begun = naps_apply_async(told, 7, &future);
    bool right = ends_with(begun, future, 7) && heard == (begun == FILCH_OK ? 7 : 0);
    filch_status status =
        square_apply(FILCH_ON(pool, .until = filch_in(3600), .error = &error), 3, &value);
    return is_either(status, value == 9) && error.status == status && right;
}

static bool uses_groups(filch_pool *pool)
{
    filch_group *group;
    int out[N] = {0};
    filch_status status = filch_group_open(pool, NULL, &group);
    if (status != FILCH_OK) {
        return is_scarce(status) && !group;
    }
    bool right = true;
    for (int i = 0; i < N; i++) {
        right = square_spawn(group, i, &out[i]) == FILCH_OK && right; /* at once, if need be */
    }
    status = filch_group_close(group, NULL);
    for (int i = 0; i < N; i++) {
        right = out[i] == i * i && right;
    }
    return status == FILCH_OK && right;
}

static bool uses_map_options(filch_pool *pool)
{
    int xs[N] = {0, 1, 2, 3, 4};
    int out[N] = {0};
    filch_item items[N];
    filch_future *future = NULL;
    filch_options options = {.items = items, .policy = FILCH_FAIL_FAST};
    filch_status status = square_map(filch_on(pool, &options), xs, N, out);
    bool right = is_either(status, out[4] == 16 && items[4].status == FILCH_OK);
    status = square_map_async(filch_on(pool, &options), xs, N, out, &future);
    if (status != FILCH_OK) {
        return is_scarce(status) && right;
    }
    end_all(&future, 1);
    return out[4] == 16 && right;
}

static bool uses_iterators(filch_pool *pool)
{
    int xs[N] = {0, 1, 2, 3, 4};
    bool right = true;
    for (int unordered = 0; unordered < 2; unordered++) {
        filch_iterator *it;
        filch_status status = unordered ? square_imap_unordered(pool, xs, N, NULL, &it)
                                        : square_imap(pool, xs, N, NULL, &it);
        int sum = 0;
        int value;
        int scarce = 0;
        right = is_either(status, it != NULL) && right;
        while (it && (status = square_imap_next(it, &value)) != FILCH_END && scarce < 3) {
            sum += status == FILCH_OK ? value : 0;
            scarce += status != FILCH_OK;
            right = is_either(status, true) && right;
        }
        right = (!it || status != FILCH_END || sum == 30) && right;
        filch_iterator_free(it);
    }
    return right;
}

static bool uses_algorithms(filch_pool *pool)
{
    enum { MANY = 600 };
    int xs[MANY];
    int kept[MANY];
    long sums[MANY];
    long total = 0;
    size_t n = 0;
    atomic_int marks = 0;
    for (int i = 0; i < MANY; i++) {
        xs[i] = MANY - i;
        sums[i] = 1;
    }
    bool right = true;
    filch_status status = add_reduce(pool, sums, MANY, 0, &total);
    right = is_either(status, total == MANY) && right;
    status = add_scan(pool, sums, MANY, 0, sums);
    right = is_either(status, sums[MANY - 1] == MANY) && right;
    status = is_even_filter(pool, xs, MANY, kept, &n);
    right = is_either(status, n == MANY / 2) && right;
    status = is_even_find(pool, xs, MANY, &n);
    right = is_either(status, n == 0) && right;
    status = upwards_max(pool, xs, MANY, &n);
    right = is_either(status, n == 0) && right;
    status = upwards_sort(pool, xs, MANY);
    right = is_either(status, xs[0] == 1) && right;
    status = mark_for(pool, 20, 30, &marks);
    right = is_either(status, marks == 600) && right;
    status = fib_apply(pool, 15, &total);
    return is_either(status, total == 610) && right;
}

/* Its states own memory. */
FILCH_FOLD(long *, take_in, (int, x))
{
    **into += x;
}

static filch_status begin_sum(long **sum, void *context)
{
    (void)context;
    *sum = calloc(1, sizeof **sum);
    return *sum ? FILCH_OK : FILCH_ENOMEM;
}

static void merge_sums(long **into, long **from, void *context)
{
    (void)context;
    **into += **from;
}

static void end_sum(long **sum, void *context)
{
    (void)context;
    free(*sum);
}

FILCH_MAP_REDUCE(long, sum_of_squares, square, add, (int, x));

static bool uses_folds(filch_pool *pool)
{
    enum { MANY = 600 };
    int xs[MANY];
    for (int i = 0; i < MANY; i++) {
        xs[i] = 2;
    }
    bool right = true;
    for (int order = 0; order < 2; order++) {
        long sum = 0;
        long *all = &sum;
        const take_in_accumulator how = {.start = begin_sum,
                                         .merge = merge_sums,
                                         .finish = end_sum,
                                         .order = (filch_fold_order)order};
        filch_status status = take_in_fold(pool, xs, MANY, &how, &all);
        right = is_either(status, true) && sum == (status == FILCH_OK ? 2 * MANY : 0) && right;
    }
    long total = 0;
    filch_status status = sum_of_squares(pool, xs, MANY, 1, &total);
    return is_either(status, total == 4 * MANY + 1) && right;
}

struct counted {
    int next;
    int sum;
};

static filch_status count(void *context, void *item)
{
    struct counted *counted = context;
    *(int *)item = counted->next;
    return counted->next++ < N ? FILCH_OK : FILCH_END;
}

static void sum_up(void *context, void *item)
{
    struct counted *counted = context;
    counted->sum += *(int *)item;
}

static bool uses_pipelines(filch_pool *pool)
{
    struct counted counted = {0, 0};
    const filch_stage stage = filch_stage_of(FILCH_STAGE_SERIAL, sum_up, &counted);
    filch_status status = filch_pipeline(pool, count, &counted, sizeof(int), &stage, 1, NULL);
    return is_either(status, counted.sum == 10);
}

FILCH_SOURCE(int, count_items, (int *, next))
{
    *item = (*next)++;
    return *item < N ? FILCH_OK : FILCH_END;
}

FILCH_STAGE(long, widened, (int, x))
{
    return x;
}

FILCH_STAGE(void, summed, (long, x), (long *, sum))
{
    *sum += x;
}

static bool uses_stages(filch_pool *pool)
{
    int next = 0;
    long total = 0;
    const filch_stage stages[] = {widened_parallel(), summed_serial(&total)};
    filch_status status = count_items_pipeline(pool, &next, stages, 2, NULL);
    return is_either(status, total == 10);
}

FILCH_FUNCTION(int, tries_for_a_sum, (filch_pool *, pool))
{
    filch_future *future;
    int sum = 0;
    FILCH_TRY(plus_apply_async(pool, 1, 2, &future), 0);
    filch_status got = filch_future_wait(future);
    got = got == FILCH_OK ? plus_get(future, &sum) : got;
    filch_future_free(future);
    FILCH_TRY(got, 0);
    return sum;
}

static bool uses_tries(filch_pool *pool)
{
    filch_future *future;
    filch_error error;
    filch_status begun = tries_for_a_sum_apply_async(pool, pool, &future);
    if (begun != FILCH_OK) {
        return is_scarce(begun);
    }
    while (filch_future_wait(future) != FILCH_OK) { /* a wait may need memory, too */
    }
    bool told = filch_future_error(future, &error) == FILCH_OK;
    filch_future_free(future);
    return told && (error.status == FILCH_OK || error.code == ENOMEM || error.code == EAGAIN);
}

enum { SLOTTED = 200 };

static void mark_slot(size_t i, size_t slot, void *context)
{
    (void)slot;
    ((atomic_int *)context)[i]++;
}

static bool uses_slots(filch_pool *pool)
{
    atomic_int marks[SLOTTED] = {0};
    bool right = filch_parallel_slots(pool, SLOTTED, 3, mark_slot, marks, NULL) == FILCH_OK;
    for (int i = 0; i < SLOTTED; i++) {
        right = right && marks[i] == 1;
    }
    return right;
}

static void start(void *context, unsigned worker)
{
    (void)worker;
    atomic_fetch_add((atomic_int *)context, 1);
}

static void finish(void *context, unsigned worker)
{
    (void)worker;
    atomic_fetch_sub((atomic_int *)context, 1);
}

static bool (*const uses[])(filch_pool *pool) = {
    uses_continuations, uses_graphs,    uses_combinations, uses_completions,
    uses_descriptors,   uses_groups,    uses_map_options,  uses_iterators,
    uses_algorithms,    uses_pipelines, uses_stages,       uses_tries,
    uses_folds,         uses_first,     uses_options,      uses_slots};
enum { USES = sizeof uses / sizeof *uses };

static bool use(int which, unsigned workers)
{
    atomic_int started = 0;
    filch_pool *pool;
    const filch_pool_options options = {.processes = workers,
                                        .start = start,
                                        .finish = finish,
                                        .hooks_context = &started,
                                        .bind_workers = 1};
    filch_status status = filch_pool_open(&options, &pool);
    if (status != FILCH_OK) {
        return is_scarce(status) && !pool;
    }
    bool right = uses[which](pool);
    return filch_pool_free(pool) == FILCH_OK && started == 0 && right;
}

START_TEST(every_request_to_the_system_may_fail_once)
{
    const int which = _i % USES;
    const unsigned workers = workers_of(_i / USES);
    filch_thread_self(); /* this thread's record, which stays, is made now */
    ck_assert(use(which, workers));
    ck_assert(use(which, workers));
    long before = allocations_alive();
    long calls = calls_so_far();
    ck_assert(use(which, workers));
    long needed = calls_so_far() - calls;
    ck_assert_int_gt(needed, 3);
    for (long k = 1; k <= needed + 10; k++) {
        fail_call(k);
        bool right = use(which, workers);
        fail_call(0);
        ck_assert_msg(right, "use %d, call %ld of %ld", which, k, needed);
        for (int look = 0; allocations_alive() != before && look < 100; look++) {
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL); /* what is lost stays lost */
        }
        ck_assert_msg(allocations_alive() == before, "use %d, call %ld leaks %ld", which, k,
                      allocations_alive() - before);
    }
}
END_TEST

/* ---- threads that are refused for a while ---- */

static int square_of_three(filch_pool *pool)
{
    filch_future *future;
    int value = -1;
    filch_status status = square_apply_async(pool, 3, &future);
    if (status == FILCH_OK) {
        status = square_get(future, &value);
        filch_future_free(future);
    }
    return status == FILCH_OK ? value : -(int)status;
}

/* Refused for `seconds`, a pool may ask at once, after 1 ms, 2 ms, ... 256 ms, and then each 256 ms
 * again. */
static bool is_bounded(long asked, double seconds)
{
    return asked <= 10 + (long)(seconds / 0.256);
}

START_TEST(a_thread_that_was_refused_is_asked_for_again_and_not_too_often)
{
    filch_pool *pool = pool_opened(_i);
    double began = filch_now();
    long before = threads_refused();
    refuse_threads(LONG_MAX);
    for (int i = 0; i < 10000; i++) {
        check_int_eq(square_of_three(pool), -FILCH_EAGAIN);
    }
    ck_assert(is_bounded(threads_refused() - before, filch_now() - began));
    while (threads_refused() - before < 3) { /* it does ask again */
        check_int_eq(square_of_three(pool), -FILCH_EAGAIN);
    }
    refuse_threads(0);
    int value;
    while ((value = square_of_three(pool)) == -FILCH_EAGAIN) {
    }
    ck_assert_int_eq(value, 9);
    pool_closed(pool);
}
END_TEST

static unsigned threads_of(filch_pool *pool)
{
    return atomic_load(&pool->thread_count);
}

static void nap_together(filch_pool *pool)
{
    enum { MANY = 50 };
    filch_future *futures[MANY];
    for (int i = 0; i < MANY; i++) {
        check_int_eq(naps_apply_async(pool, i, &futures[i]), FILCH_OK);
    }
    end_all(futures, MANY);
}

START_TEST(a_pool_that_got_few_threads_does_its_work_and_gets_the_others_later)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 3});
    ck_assert_int_eq(square_of_three(pool), 9);
    refuse_threads(LONG_MAX);
    nap_together(pool); /* one that was being made then is there now */
    unsigned few = threads_of(pool);
    nap_together(pool);
    ck_assert_uint_eq(threads_of(pool), few);
    refuse_threads(0);
    while (threads_of(pool) < 3) {
        nap_together(pool);
    }
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, reads, (int, fd))
{
    char byte = 0;
    ssize_t n = filch_read_until(fd, &byte, 1, filch_in(100));
    return n == 1 ? byte : (int)n;
}

static int read_in(filch_pool *pool, int fd)
{
    filch_future *future;
    int value;
    ck_assert_int_eq(reads_apply_async(pool, fd, &future), FILCH_OK);
    ck_assert_int_eq(reads_get(future, &value), FILCH_OK);
    filch_future_free(future);
    return value;
}

static bool has_poller(filch_pool *pool)
{
    return atomic_load(&pool->poller) != NULL;
}

START_TEST(a_poller_that_was_refused_is_asked_for_again_and_not_too_often)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1, .eager_threads = 1});
    int ends[2];
    filch_future *future;
    int value;
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(square_of_three(pool), 9);
    double began = filch_now();
    long before = threads_refused();
    refuse_threads(LONG_MAX);
    for (int i = 0; i < 1000; i++) {
        check_int_eq(read_in(pool, ends[0]), -EAGAIN);
    }
    ck_assert(is_bounded(threads_refused() - before, filch_now() - began));
    refuse_threads(0);
    do {
        ck_assert_int_eq(reads_apply_async(pool, ends[0], &future), FILCH_OK);
        while (!has_poller(pool) && !filch_future_ready(future)) {
        }
        if (has_poller(pool)) {
            ck_assert_int_eq(write(ends[1], "x", 1), 1);
        }
        ck_assert_int_eq(reads_get(future, &value), FILCH_OK);
        filch_future_free(future);
    } while (value == -EAGAIN);
    ck_assert_int_eq(value, 'x');
    close(ends[0]);
    close(ends[1]);
    pool_closed(pool);
}
END_TEST

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static bool goes_at_last(filch_pool *pool)
{
    int value;
    while ((value = square_of_three(pool)) == -FILCH_EAGAIN) {
    }
    return value == 9;
}

/* Root ignores the limit on threads: an unprivileged child meets it. */
static int until_the_limit_is_lifted(void)
{
    struct rlimit before;
    filch_pool *pool;
    if (setuid(65534) != 0 || getrlimit(RLIMIT_NPROC, &before) != 0) {
        return 1;
    }
    struct rlimit none = {.rlim_cur = 1, .rlim_max = before.rlim_max};
    if (setrlimit(RLIMIT_NPROC, &none) != 0 ||
        filch_pool_open(&(filch_pool_options){.processes = 3}, &pool) != FILCH_OK) {
        return 2;
    }
    if (square_of_three(pool) != -FILCH_EAGAIN || square_of_three(NULL) != -FILCH_EAGAIN) {
        return 3;
    }
    if (setrlimit(RLIMIT_NPROC, &before) != 0 || !goes_at_last(pool) || !goes_at_last(NULL)) {
        return 4;
    }
    return filch_pool_free(pool) == FILCH_OK ? 0 : 5;
}

START_TEST(pools_recover_when_a_limit_on_threads_is_lifted)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(30);
        _exit(until_the_limit_is_lifted());
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("exhaustion");
    TCase *tcase = tcase_create("exhaustion");
    tcase_set_timeout(tcase, 240);
    tcase_add_loop_test(tcase, every_request_to_the_system_may_fail_once, 0, USES * WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_thread_that_was_refused_is_asked_for_again_and_not_too_often, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, a_pool_that_got_few_threads_does_its_work_and_gets_the_others_later);
    tcase_add_test(tcase, a_poller_that_was_refused_is_asked_for_again_and_not_too_often);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, pools_recover_when_a_limit_on_threads_is_lifted);
#endif
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
