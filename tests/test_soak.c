/* Everything at once: threads of the program and tasks of a pool do random things, from seeds that
 * are told. Nothing may be lost, doubled or stuck. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum {
    OUTSIDERS = 3,
    STEPS = 12, /* in one task */
    DEPTH = 3,  /* of tasks in tasks */
    MANY = 500,
};

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
static const unsigned rounds = 150; /* of each outsider */
#else
static const unsigned rounds = 1500;
#endif

static filch_pool *pool;
static atomic_int wrong; /* the line of the last check that failed */

#define EXPECT(x)                                                                                  \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            atomic_store(&wrong, __LINE__);                                                        \
        }                                                                                          \
    } while (0)

static unsigned pick(uint64_t *seed, unsigned n)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (unsigned)(*seed >> 20) % n;
}

static bool is_end(filch_status status)
{
    return status == FILCH_OK || status == FILCH_ECANCELED || status == FILCH_ETIMEDOUT ||
           status == FILCH_ERAISED;
}

/* Some sleep, some fail. */
FILCH_FUNCTION(int, leaf, (int, x))
{
    if (x % 13 == 5) {
        filch_sleep(1e-5 * (x % 7));
    }
    if (x % 29 == 7) {
        return filch_raise(x, "%d", x), 0;
    }
    return 2 * x;
}

FILCH_FUNCTION(int, waits, (filch_future *, until))
{
    return (int)filch_future_wait(until);
}

FILCH_HANDLER(int, mended)
{
    return -error->code;
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

FILCH_REDUCER(long, add, (long, a), (long, b))
{
    return a + b;
}

FILCH_ORDER(upwards, (int, a), (int, b))
{
    return a < b;
}

FILCH_PREDICATE(is_even, (int, x))
{
    return x % 2 == 0;
}

static void wander(uint64_t seed, int depth);

FILCH_FUNCTION(void, wandering, (uint64_t, seed), (int, depth))
{
    wander(seed, depth);
}

static void combine_futures(uint64_t *seed)
{
    enum { MOST = 6 };
    filch_future *futures[MOST];
    filch_future *all;
    filch_future *any;
    filch_future *next;
    size_t n = 1 + pick(seed, MOST);
    size_t first;
    for (size_t i = 0; i < n; i++) {
        EXPECT(leaf_apply_async(pool, (int)pick(seed, 100), &futures[i]) == FILCH_OK);
    }
    EXPECT(filch_when_all(futures, n, &all) == FILCH_OK);
    EXPECT(filch_when_any(futures, n, &any) == FILCH_OK);
    EXPECT(leaf_after(pool, futures, n, (int)pick(seed, 100), &next) == FILCH_OK);
    if (pick(seed, 6) == 0) {
        filch_future_cancel(next);
    }
    if (pick(seed, 4) == 0) {
        filch_future_cancel(futures[pick(seed, (unsigned)n)]);
    }
    if (pick(seed, 5) == 0) {
        filch_future_cancel(any);
    }
    filch_status status = filch_future_get(any, &first, sizeof first);
    EXPECT(status == FILCH_ECANCELED || (first < n && filch_future_ready(futures[first])));
    status = filch_future_wait(all);
    for (size_t i = 0; i < n; i++) {
        EXPECT(status != FILCH_OK || filch_future_ready(futures[i]));
        filch_future_free(futures[i]);
    }
    if (filch_future_wait(next) == FILCH_OK && status == FILCH_OK) {
        EXPECT(!filch_future_successful(next) || filch_future_successful(all));
    }
    filch_future_free(next);
    filch_future_free(all);
    filch_future_free(any);
}

static void chain_futures(uint64_t *seed)
{
    filch_future *first;
    filch_future *second;
    filch_future *third;
    int value;
    EXPECT(leaf_apply_async(pool, (int)pick(seed, 60), &first) == FILCH_OK);
    EXPECT(leaf_then(pool, first, &second) == FILCH_OK);
    EXPECT(mended_catch(pool, second, &third) == FILCH_OK);
    if (pick(seed, 3) == 0) {
        filch_future_cancel(pick(seed, 2) ? second : third);
    }
    EXPECT(is_end(leaf_get(third, &value)));
    filch_future_free(first);
    filch_future_free(second);
    filch_future_free(third);
}

static void map_some(uint64_t *seed)
{
    enum { N = 40 };
    int xs[N];
    int out[N];
    filch_item items[N];
    filch_options options = {.items = items,
                             .policy = pick(seed, 2) ? FILCH_FAIL_FAST : FILCH_RUN_ALL};
    for (int i = 0; i < N; i++) {
        xs[i] = (int)pick(seed, 60);
    }
    EXPECT(is_end(leaf_map(filch_on(pool, &options), xs, N, out)));
    for (int i = 0; i < N; i++) {
        EXPECT(items[i].status != FILCH_OK || out[i] == 2 * xs[i]);
        EXPECT(items[i].status != FILCH_ERAISED || items[i].code == xs[i]);
    }
}

static void iterate(uint64_t *seed)
{
    enum { N = 20 };
    int xs[N];
    bool seen[N] = {false};
    filch_iterator *it;
    filch_status status = FILCH_OK;
    filch_error error;
    int value;
    for (int i = 0; i < N; i++) {
        xs[i] = (int)pick(seed, 60);
    }
    filch_imap_options options = {.at_once = pick(seed, 10), .chunksize = pick(seed, 4)};
    EXPECT((pick(seed, 2) ? leaf_imap(pool, xs, N, &options, &it)
                          : leaf_imap_unordered(pool, xs, N, &options, &it)) == FILCH_OK);
    for (unsigned left = pick(seed, 30); left > 0 && status != FILCH_END; left--) {
        status = leaf_imap_next(it, &value);
        filch_iterator_error(it, &error);
        if (status == FILCH_OK) {
            EXPECT(!seen[error.index] && value == 2 * xs[error.index]);
            seen[error.index] = true;
        }
    }
    filch_iterator_free(it);
}

static void gather(uint64_t *seed, int depth)
{
    enum { N = 10 };
    int out[N];
    filch_group *group;
    filch_group_options options = {.cancel_on_error = (int)pick(seed, 2),
                                   .until = pick(seed, 3) ? filch_never()
                                                          : filch_in(1e-4 * pick(seed, 20))};
    EXPECT(filch_group_open(pool, &options, &group) == FILCH_OK);
    for (int i = 0; i < N; i++) {
        EXPECT(leaf_spawn(group, (int)pick(seed, 60), &out[i]) == FILCH_OK);
    }
    if (depth < DEPTH) {
        EXPECT(wandering_spawn(group, *seed + 1, depth + 1) == FILCH_OK);
    }
    if (pick(seed, 6) == 0) {
        filch_group_cancel(group);
    }
    EXPECT(is_end(filch_group_close(group, NULL)));
}

static void compute(uint64_t *seed)
{
    long numbers[MANY];
    int values[MANY];
    int kept[MANY];
    long total;
    size_t count = 0;
    for (int i = 0; i < MANY; i++) {
        numbers[i] = i;
        values[i] = (int)pick(seed, 1000);
    }
    filch_status status = add_scan(pool, numbers, MANY, 0, numbers);
    EXPECT(status == FILCH_ECANCELED || numbers[MANY - 1] == (long)MANY * (MANY - 1) / 2);
    EXPECT(upwards_sort(pool, values, MANY) == FILCH_OK);
    for (int i = 1; i < MANY; i++) {
        EXPECT(values[i - 1] <= values[i]);
    }
    status = is_even_filter(pool, values, MANY, kept, &count);
    for (size_t i = 0; status == FILCH_OK && i < count; i++) {
        EXPECT(kept[i] % 2 == 0);
    }
    EXPECT(fib_apply(pool, 12, &total) == FILCH_OK && total == 144);
}

static void await_a_promise(uint64_t *seed)
{
    enum { WAITERS = 3 };
    filch_promise *promise;
    filch_future *until;
    filch_future *waiters[WAITERS];
    EXPECT(filch_promise_new(0, &promise, &until) == FILCH_OK);
    for (int i = 0; i < WAITERS; i++) {
        EXPECT(waits_apply_async(pool, until, &waiters[i]) == FILCH_OK);
    }
    if (pick(seed, 4) == 0) {
        filch_future_cancel(waiters[pick(seed, WAITERS)]);
    }
    if (pick(seed, 2) == 0) {
        filch_promise_set_value(promise, NULL);
    }
    filch_promise_free(promise);
    for (int i = 0; i < WAITERS; i++) {
        while (filch_future_wait(waiters[i]) == FILCH_ECANCELED && !filch_cancelled()) {
        }
        filch_future_free(waiters[i]);
    }
    filch_future_free(until);
}

static void complete_some(uint64_t *seed)
{
    filch_completions *set;
    filch_future *future;
    EXPECT(filch_completions_new(&set) == FILCH_OK);
    for (unsigned left = pick(seed, 8); left > 0; left--) {
        EXPECT(leaf_apply_async(pool, (int)pick(seed, 60), &future) == FILCH_OK);
        EXPECT(filch_completions_add(set, future) == FILCH_OK);
        filch_future_free(future);
    }
    for (unsigned left = pick(seed, 10); left > 0; left--) {
        if (filch_completions_next_until(set, filch_in(1e-3), &future, NULL) == FILCH_OK) {
            filch_future_free(future);
        }
    }
    filch_completions_free(set);
}

/* ---- tasks that block and talk ---- */

FILCH_CHANNEL(numbers, int);

static filch_mutex shared;
static filch_semaphore permits;
static int held; /* shared */

enum { PERMITS = 3 };

static filch_deadline moment(uint64_t *seed)
{
    unsigned kind = pick(seed, 4);
    return filch_in(kind == 0 ? 0 : 1e-6 * (1 << 4 * kind));
}

/* Sends rising numbers through either of two channels; how many, also if it was cancelled. */
FILCH_FUNCTION(void, sends_rising, (numbers, a), (numbers, b), (uint64_t, seed), (int *, sent))
{
    for (int value = 0; value < 20 && !filch_cancelled();) {
        filch_status status = FILCH_EPENDING;
        int chosen = FILCH_FIRST(moment(&seed), numbers_sending(a, &value, &status),
                                 numbers_sending(b, &value, &status));
        EXPECT(chosen >= 0 ? status == FILCH_OK
                           : chosen == -FILCH_ETIMEDOUT || chosen == -FILCH_ECANCELED);
        value += chosen >= 0;
        *sent = value;
    }
    numbers_close(a);
    numbers_close(b);
}

/* The senders are done, or will never begin; what they sent is there still. */
static void end_sending(filch_group *group, numbers boxes[2])
{
    EXPECT(is_end(filch_group_close(group, NULL)));
    numbers_close(boxes[0]);
    numbers_close(boxes[1]);
}

/* Receives from both until both are closed and empty: all that was sent, in order. */
static void talk(uint64_t *seed)
{
    numbers boxes[2];
    filch_group *group;
    int sent = 0;
    int received = 0;
    int value = -1;
    int last[2] = {-1, -1};
    EXPECT(numbers_new(pick(seed, 3), &boxes[0]) == FILCH_OK);
    EXPECT(numbers_new(pick(seed, 2) ? 1 : FILCH_UNBOUNDED, &boxes[1]) == FILCH_OK);
    if (filch_group_open(pool, NULL, &group) != FILCH_OK) { /* the pool is closed already */
        numbers_free(boxes[0]);
        numbers_free(boxes[1]);
        return;
    }
    EXPECT(sends_rising_spawn(group, boxes[0], boxes[1], *seed, &sent) == FILCH_OK);
    filch_status status = FILCH_EPENDING;
    filch_case cases[] = {numbers_receiving(boxes[0], &value, &status),
                          numbers_receiving(boxes[1], &value, &status)};
    unsigned patience = pick(seed, 60);
    for (int open = 2; open > 0;) {
        int chosen = filch_first(cases, 2, moment(seed), NULL);
        if (chosen >= 0 && status == FILCH_OK) {
            EXPECT(value > last[chosen]);
            last[chosen] = value;
            received++;
        } else if (chosen >= 0) {
            EXPECT(status == FILCH_END);
            cases[chosen] = filch_none();
            open--;
        } else {
            EXPECT(chosen == -FILCH_ETIMEDOUT || chosen == -FILCH_ECANCELED);
            filch_sleep(1e-6);
        }
        if (group && (patience-- == 0 || filch_cancelled())) {
            filch_group_cancel(group);
            end_sending(group, boxes);
            group = NULL;
        }
    }
    if (group) {
        end_sending(group, boxes);
    }
    EXPECT(received == sent);
    numbers_free(boxes[0]);
    numbers_free(boxes[1]);
}

static void contend(uint64_t *seed)
{
    for (int i = 0; i < 5; i++) {
        if (filch_semaphore_acquire_until(&permits, moment(seed)) == FILCH_OK) {
            if (filch_mutex_lock_until(&shared, moment(seed)) == FILCH_OK) {
                EXPECT(++held == 1);
                filch_sleep(1e-6 * pick(seed, 10));
                EXPECT(--held == 0);
                EXPECT(filch_mutex_unlock(&shared) == FILCH_OK);
            }
            EXPECT(filch_semaphore_release(&permits, 1) == FILCH_OK);
        }
    }
}

FILCH_FUNCTION(void, writes_late, (int, fd), (double, seconds))
{
    filch_sleep(seconds);
    ssize_t n = filch_write(fd, "x", 1);
    EXPECT(n == 1 || n == -ECANCELED);
}

static void block(uint64_t *seed)
{
    int ends[2];
    char byte;
    bool pinned = pick(seed, 3) == 0 && filch_pin() == FILCH_OK;
    if (pick(seed, 2) == 0) {
        FILCH_BLOCKING
        {
            thrd_sleep(&(struct timespec){.tv_nsec = 1000 * (long)pick(seed, 50)}, NULL);
        }
    } else if (pipe(ends) == 0) {
        filch_group *group;
        if (filch_group_open(pool, NULL, &group) == FILCH_OK) {
            EXPECT(writes_late_spawn(group, ends[1], 1e-6 * pick(seed, 99)) == FILCH_OK);
            ssize_t n = filch_read_until(ends[0], &byte, 1, moment(seed));
            EXPECT(n == 1 || n == -ETIMEDOUT || n == -ECANCELED);
            EXPECT(is_end(filch_group_close(group, NULL)));
        }
        EXPECT(filch_close(ends[0]) == 0 && filch_close(ends[1]) == 0);
    }
    if (pinned) {
        filch_unpin();
    }
}

static void start_another(uint64_t *seed, int depth)
{
    filch_future *future;
    if (depth == DEPTH) {
        return;
    }
    EXPECT(wandering_apply_async(pool, *seed, depth + 1, &future) == FILCH_OK);
    filch_sleep(1e-6 * pick(seed, 100));
    if (pick(seed, 3) == 0) {
        filch_future_cancel(future);
    }
    EXPECT(is_end(filch_future_wait(future)));
    filch_future_free(future);
}

static void wander(uint64_t seed, int depth)
{
    seed |= 1;
    for (int step = 0; step < STEPS && !filch_cancelled(); step++) {
        switch (pick(&seed, 12)) {
        case 0: combine_futures(&seed); break;
        case 1: chain_futures(&seed); break;
        case 2: map_some(&seed); break;
        case 3: iterate(&seed); break;
        case 4: gather(&seed, depth); break;
        case 5: compute(&seed); break;
        case 6: complete_some(&seed); break;
        case 7: start_another(&seed, depth); break;
        case 8: talk(&seed); break;
        case 9: contend(&seed); break;
        case 10: block(&seed); break;
        default: filch_sleep(1e-6 * pick(&seed, 50)); break;
        }
    }
    if (!filch_cancelled()) { /* else its waiters could outlive what they wait for */
        await_a_promise(&seed);
    }
}

/* Another each time; FILCH_TEST_SEED repeats one, as far as threads can be made to repeat. */
static uint64_t first_seed;

static void choose_seed(void)
{
    const char *wanted = getenv("FILCH_TEST_SEED");
    first_seed =
        wanted ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
    fprintf(stderr, "FILCH_TEST_SEED=%" PRIu64 "\n", first_seed);
}

static int outsider(void *number)
{
    uint64_t seed = first_seed + 7919 * (uint64_t)(uintptr_t)number;
    for (unsigned round = 0; round < rounds / DEPTH / STEPS + 1; round++) {
        wander(seed + round * 2654435761u, 0);
    }
    return 0;
}

START_TEST(nothing_is_lost_doubled_or_stuck)
{
    thrd_t threads[OUTSIDERS];
    choose_seed();
    pool = pool_opened(_i);
    shared = (filch_mutex)FILCH_MUTEX_INIT;
    filch_semaphore_init(&permits, PERMITS);
    for (uintptr_t i = 0; i < OUTSIDERS; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], outsider, (void *)i), thrd_success);
    }
    for (int i = 0; i < OUTSIDERS; i++) {
        thrd_join(threads[i], NULL);
    }
    ck_assert_msg(atomic_load(&wrong) == 0, "line %d", atomic_load(&wrong));
    pool_closed(pool); /* a cancelled task does not wait for the tasks that it has begun */
    for (int i = 0; i <= PERMITS; i++) { /* all are back, and no more */
        ck_assert_int_eq(filch_semaphore_acquire_until(&permits, filch_in(0)),
                         i < PERMITS ? FILCH_OK : FILCH_ETIMEDOUT);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("soak");
    TCase *tcase = tcase_create("soak");
    tcase_set_timeout(tcase, 200);
    tcase_add_loop_test(tcase, nothing_is_lost_doubled_or_stuck, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
