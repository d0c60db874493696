#define _POSIX_C_SOURCE 200809L
/* Memory, maps or threads are refused from some moment on: what can go on does, what cannot says
 * so, and all of it ends. And stacks that are not needed are given back. */
#include "fixture.h"

#include <string.h>
#include <time.h>

#include "os/os_ticks.h"
#include "sched/pool.h"
#include "stack/slab.h"
#include "stack/stack.h"
#include "sched/thread.h"

FILCH_FUNCTION(int, square, (int, x))
{
    return x * x;
}

FILCH_FUNCTION(int, naps, (int, x))
{
    filch_sleep(1e-4);
    return x;
}

FILCH_CHANNEL(numbers, int);

FILCH_FUNCTION(int, receive_one, (numbers, channel))
{
    int value = -1;
    if (numbers_receive(channel, &value) != FILCH_OK) {
        numbers_close(channel); /* a sender has no partner now */
    }
    return value;
}

FILCH_FUNCTION(int, send_one, (numbers, channel))
{
    if (numbers_send(channel, 7) != FILCH_OK) {
        numbers_close(channel);
    }
    return 7;
}

FILCH_LOOP(add_under_lock, (size_t, i), (filch_mutex *, mutex), (atomic_long *, sum))
{
    filch_status status = filch_mutex_lock(mutex);
    filch_yield();
    atomic_fetch_add(sum, (long)i);
    if (status == FILCH_OK) {
        filch_mutex_unlock(mutex);
    }
}

static bool is_scarce(filch_status status)
{
    return status == FILCH_ENOMEM || status == FILCH_EAGAIN;
}

enum { N = 6 };

static bool maps(filch_pool *pool)
{
    int in[N] = {0, 1, 2, 3, 4, 5};
    int out[N] = {0};
    filch_status status = square_map(pool, in, N, out);
    return status == FILCH_OK ? out[N - 1] == (N - 1) * (N - 1) : is_scarce(status);
}

/* Its result, or that there is no memory to wait for it; then it is freed. */
static bool ends(filch_future *future, int expected)
{
    int value = 0;
    filch_status status;
    do {
        status = naps_get(future, &value);
    } while (status == FILCH_ENOMEM && !filch_future_ready(future));
    filch_future_free(future);
    return status == FILCH_OK ? value == expected : is_scarce(status);
}

static bool begins_many(filch_pool *pool)
{
    filch_future *futures[N];
    int n = 0;
    bool right = true;
    filch_status status = FILCH_OK;
    while (n < N && (status = naps_apply_async(pool, n, &futures[n])) == FILCH_OK) {
        n++;
    }
    for (int i = 0; i < n; i++) {
        right = ends(futures[i], i) && right;
    }
    return right && (status == FILCH_OK || is_scarce(status));
}

/* Some that wait, more than a slab has stacks, and those that they wait for: where one is told that
 * there is no memory, another has no partner. */
enum { TALKERS = 20 };

static bool talks(filch_pool *pool)
{
    numbers channel;
    filch_future *futures[2 * TALKERS];
    int n = 0;
    if (numbers_new(0, &channel) != FILCH_OK) {
        return true;
    }
    while (n < TALKERS && receive_one_apply_async(pool, channel, &futures[n]) == FILCH_OK) {
        n++;
    }
    while (n < 2 * TALKERS && send_one_apply_async(pool, channel, &futures[n]) == FILCH_OK) {
        n++;
    }
    if (n < 2 * TALKERS) { /* some have no partner */
        numbers_close(channel);
    }
    bool right = true;
    for (int i = 0; i < n; i++) {
        int value = 0;
        filch_status status = receive_one_get(futures[i], &value);
        right = right && (status == FILCH_OK || is_scarce(status) || status == FILCH_EDEADLK);
        filch_future_free(futures[i]);
    }
    numbers_free(channel);
    return right;
}

static bool locks(filch_pool *pool)
{
    filch_mutex mutex = FILCH_MUTEX_INIT;
    atomic_long sum = 0;
    filch_status status = add_under_lock_for(pool, 20, &mutex, &sum);
    return status == FILCH_OK ? atomic_load(&sum) == 190 : is_scarce(status);
}

static bool (*const uses[])(filch_pool *pool) = {maps, begins_many, talks, locks};
enum { USES = sizeof uses / sizeof *uses, KINDS = 4, MOMENTS = 20 };

/* How many calls one use made; from the `from`-th on all of these kinds failed. */
static long use_without(int use, int kinds, long from)
{
    filch_pool *pool;
    long before = calls_so_far();
    fail_calls_from(from, kinds);
    filch_status status =
        filch_pool_open(&(filch_pool_options){.processes = 2, .stack_bytes = 65536}, &pool);
    if (status == FILCH_OK) {
        ck_assert(uses[use](pool));
        ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    } else {
        ck_assert(is_scarce(status));
    }
    fail_calls_from(0, 0);
    return calls_so_far() - before;
}

static void keep_silent(void *context, filch_log_level level, const char *message)
{
    (void)context, (void)level, (void)message;
}

START_TEST(what_is_refused_from_some_moment_on_ends_nothing_else)
{
    const int kinds[KINDS] = {FAIL_MEMORY, FAIL_MAPS, FAIL_THREADS,
                              FAIL_MEMORY | FAIL_MAPS | FAIL_THREADS};
    ck_assert_ptr_nonnull(filch_thread_self());
    filch_log_to(keep_silent, NULL);
    for (int kind = 0; kind < KINDS; kind++) {
        long calls = use_without(_i, 0, 0);
        long step = calls / MOMENTS + 1; /* where there are many moments, other ones each time */
        for (long from = 1 + (long)(filch_os_ticks() % (uint64_t)step); from <= calls;
             from += step) {
            use_without(_i, kinds[kind], from);
        }
    }
}
END_TEST

/* ---- memory that comes back ---- */

static void count_used(struct filch_stack *stack, void *count)
{
    *(size_t *)count += stack->low != NULL;
}

START_TEST(every_free_stack_is_given_back_in_the_end)
{
    enum { MANY = 1000 };
    struct filch_stacks stacks;
    struct filch_shelf shelf = {0};
    static struct filch_stack *all[MANY];
    size_t used = 0;
    filch_stacks_init(&stacks, 64 * 1024);
    for (int i = 0; i < MANY; i++) {
        all[i] = filch_stacks_get(&stacks, &shelf);
        ck_assert_ptr_nonnull(all[i]);
        memset(all[i]->low, 1, all[i]->bytes);
    }
    for (int i = 0; i < MANY; i++) {
        filch_stacks_put(&stacks, &shelf, all[i]);
    }
    filch_stacks_clear(&stacks, &shelf);
    while (filch_stacks_trim(&stacks, 0)) {
    }
    filch_stacks_each(&stacks, count_used, &used);
    ck_assert_uint_eq(used, 0);
    for (int i = 0; i < MANY; i++) { /* and they are had again, all of them */
        all[i] = filch_stacks_get(&stacks, &shelf);
        ck_assert_ptr_nonnull(all[i]);
        ck_assert_uint_eq(*(unsigned char *)all[i]->low, 0);
        for (int k = 0; k < i; k += 97) {
            ck_assert_ptr_ne(all[i], all[k]);
        }
    }
    for (int i = 0; i < MANY; i++) {
        filch_stacks_put(&stacks, &shelf, all[i]);
    }
    filch_stacks_clear(&stacks, &shelf);
    ck_assert_uint_eq(stacks.live_count, 0);
    filch_stacks_destroy(&stacks);
}
END_TEST

START_TEST(a_cold_stack_is_had_before_a_new_one)
{
    struct filch_stacks stacks;
    struct filch_shelf shelf = {0};
    filch_stacks_init(&stacks, 64 * 1024);
    struct filch_stack *stays = filch_stacks_get(&stacks, &shelf); /* its slab is not wiped */
    struct filch_stack *cold[2] = {filch_stacks_get(&stacks, &shelf),
                                   filch_stacks_get(&stacks, &shelf)};
    ck_assert(stays && cold[0] && cold[1]);
    filch_stacks_put(&stacks, NULL, cold[0]);
    filch_stacks_put(&stacks, NULL, cold[1]);
    ck_assert(!filch_stacks_trim(&stacks, 0));
    struct filch_stack *first = filch_stacks_get(&stacks, &shelf);
    struct filch_stack *second = filch_stacks_get(&stacks, &shelf);
    ck_assert(first != second && (first == cold[0] || first == cold[1]) &&
              (second == cold[0] || second == cold[1]));
    filch_stacks_put(&stacks, &shelf, first);
    filch_stacks_put(&stacks, &shelf, second);
    filch_stacks_put(&stacks, &shelf, stays);
    filch_stacks_clear(&stacks, &shelf);
    filch_stacks_destroy(&stacks);
}
END_TEST

enum { DEEP = 600, DEPTH = 100 * 1024 };

FILCH_FUNCTION(int, goes_deep, (filch_semaphore *, end))
{
    volatile char deep[DEPTH];
    memset((char *)deep, 1, sizeof deep);
    check_int_eq(filch_semaphore_acquire(end), FILCH_OK);
    return deep[DEPTH / 2];
}

static void burst(filch_pool *pool)
{
    static filch_future *futures[DEEP];
    filch_semaphore end;
    filch_semaphore_init(&end, 0);
    for (int i = 0; i < DEEP; i++) {
        ck_assert_int_eq(goes_deep_apply_async(pool, &end, &futures[i]), FILCH_OK);
    }
    filch_semaphore_release(&end, DEEP);
    for (int i = 0; i < DEEP; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
}

START_TEST(an_idle_pool_gives_its_stacks_back)
{
    filch_pool *pool = pool_opened(_i);
    size_t used = DEEP;
    burst(pool);
    /* Each of its threads sleeps on one, whose slab stays. Check ends it if the others never go. */
    while (used > FILCH_SLAB_PIECES * (workers_of(_i) + 1)) {
        used = 0;
        filch_stacks_each(&pool->stacks, count_used, &used);
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    burst(pool);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, takes_permit, (filch_semaphore *, permits))
{
    return (int)filch_semaphore_acquire(permits);
}

FILCH_FUNCTION(void, keeps_its_core, (atomic_int *, holds))
{
    atomic_store(holds, 1);
    while (atomic_load(holds)) {
    }
}

static void await_value(atomic_int *word, int value)
{
    while (atomic_load(word) != value) {
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

/* Where there are no more stacks, threads look among what is ready, and not among what is new. */
START_TEST(what_a_thread_outside_wakes_is_ready_and_not_new)
{
    filch_pool *pool = pool_opened(0);
    filch_semaphore permits;
    filch_future *taker;
    filch_future *keeper;
    atomic_int holds = 0;
    int taken = -1;
    filch_semaphore_init(&permits, 0);
    ck_assert_int_eq(takes_permit_apply_async(pool, &permits, &taker), FILCH_OK);
    ck_assert_int_eq(keeps_its_core_apply_async(pool, &holds, &keeper), FILCH_OK);
    await_value(&holds, 1);
    ck_assert_int_eq(filch_semaphore_release(&permits, 1), FILCH_OK);
    bool is_ready = !filch_queue_empty(&pool->ready);
    bool is_new = !filch_queue_empty(&pool->inject);
    atomic_store(&holds, 0);
    ck_assert_int_eq(takes_permit_get(taker, &taken), FILCH_OK);
    ck_assert_int_eq(taken, FILCH_OK);
    ck_assert(is_ready);
    ck_assert(!is_new);
    filch_future_free(taker);
    filch_future_free(keeper);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("starving");
    TCase *tcase = tcase_create("starving");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, what_is_refused_from_some_moment_on_ends_nothing_else, 0, USES);
    tcase_add_test(tcase, every_free_stack_is_given_back_in_the_end);
    tcase_add_test(tcase, a_cold_stack_is_had_before_a_new_one);
    tcase_add_test(tcase, what_a_thread_outside_wakes_is_ready_and_not_new);
    tcase_add_loop_test(tcase, an_idle_pool_gives_its_stacks_back, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
