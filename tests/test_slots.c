/* Loops with slots: what other libraries count on in their callbacks. */
#define _GNU_SOURCE
#include "fixture.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "sched/pool.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

enum { MOST_SLOTS = FILCH_SLOTS_MAX };

/* A call, and what its bodies have seen. */
struct seen {
    size_t n;
    size_t limit;
    atomic_uchar *ran;             /* how often each has */
    atomic_bool taken[MOST_SLOTS]; /* by a body that runs */
    atomic_int running;
    atomic_int most;        /* that ran at the same time */
    atomic_int twice;       /* slots that two bodies had at a time */
    atomic_int out_of_line; /* slots at or above the limit, or index 0 in another than 0 */
    void (*then)(struct seen *seen, size_t i);
    void *context;
};

static struct seen *seen_new(size_t n, size_t limit, void (*then)(struct seen *seen, size_t i))
{
    struct seen *seen = calloc(1, sizeof *seen);
    seen->n = n;
    seen->limit = limit;
    seen->ran = calloc(n + 1, 1);
    seen->then = then;
    return seen;
}

static void seen_free(struct seen *seen)
{
    free((void *)seen->ran);
    free(seen);
}

static void see(size_t i, size_t slot, void *context)
{
    struct seen *seen = context;
    atomic_fetch_add(&seen->ran[i], 1);
    if (slot >= seen->limit || slot >= MOST_SLOTS || (i == 0 && slot != 0)) {
        atomic_fetch_add(&seen->out_of_line, 1);
        return;
    }
    int running = atomic_fetch_add(&seen->running, 1) + 1;
    int most = atomic_load(&seen->most);
    while (running > most && !atomic_compare_exchange_weak(&seen->most, &most, running)) {
    }
    atomic_fetch_add(&seen->twice, atomic_exchange(&seen->taken[slot], true));
    if (seen->then) {
        seen->then(seen, i);
    }
    atomic_store(&seen->taken[slot], false);
    atomic_fetch_sub(&seen->running, 1);
}

static bool all_is_well(const struct seen *seen)
{
    bool well =
        !seen->twice && !seen->out_of_line && !seen->running && (size_t)seen->most <= seen->limit;
    for (size_t i = 0; i < seen->n; i++) {
        well = well && seen->ran[i] == 1;
    }
    return well && seen->ran[seen->n] == 0;
}

static bool runs_well(filch_pool *pool, size_t n, size_t limit,
                      void (*then)(struct seen *seen, size_t i), void *context)
{
    struct seen *seen = seen_new(n, limit, then);
    seen->context = context;
    filch_status status = filch_parallel_slots(pool, n, limit, see, seen, NULL);
    bool well = status == FILCH_OK && all_is_well(seen);
    seen_free(seen);
    return well;
}

FILCH_FUNCTION(int, run_inside, (filch_pool *, pool), (size_t, n), (size_t, limit))
{
    return runs_well(pool, n, limit, NULL, NULL);
}

START_TEST(every_index_runs_once_in_a_slot_of_its_own)
{
    const size_t lengths[] = {0, 1, 2, 3, 7, 100, 4097, 200000};
    const size_t limits[] = {1, 2, 3, 8, 64, 65, 5000, SIZE_MAX};
    filch_pool *pool = pool_opened(_i);
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
            int inside = 0;
            ck_assert(runs_well(pool, lengths[k], limits[l], NULL, NULL));
            check_int_eq(run_inside_apply(pool, pool, lengths[k], limits[l], &inside), FILCH_OK);
            check_int_eq(inside, 1);
        }
    }
    pool_closed(pool);
}
END_TEST

static void count_to(size_t i, size_t slot, void *context)
{
    (void)slot;
    *(size_t *)context += i;
}

START_TEST(a_missing_body_and_a_limit_of_zero_are_refused)
{
    filch_pool *pool = pool_opened(_i);
    size_t sum = 0;
    ck_assert_int_eq(filch_parallel_slots(pool, 3, 2, NULL, &sum, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_parallel_slots(pool, 3, 0, count_to, &sum, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_parallel_slots(pool, 0, 0, count_to, &sum, NULL), FILCH_EINVAL);
    ck_assert_uint_eq(sum, 0);
    ck_assert_int_eq(filch_parallel_slots(pool, 0, 1, count_to, NULL, NULL), FILCH_OK);
    pool_closed(pool);
}
END_TEST

struct on_one_thread {
    thrd_t thread;
    size_t next;
    bool well;
};

static void be_next_here(size_t i, size_t slot, void *context)
{
    struct on_one_thread *one = context;
    one->well =
        one->well && i == one->next++ && slot == 0 && thrd_equal(thrd_current(), one->thread);
}

START_TEST(one_at_a_time_run_on_the_caller_in_order)
{
    filch_pool *pool = pool_opened(_i);
    struct on_one_thread one = {thrd_current(), 0, true};
    ck_assert_int_eq(filch_parallel_slots(pool, 10000, 1, be_next_here, &one, NULL), FILCH_OK);
    ck_assert(one.well);
    ck_assert_uint_eq(one.next, 10000);
    pool_closed(pool);
}
END_TEST

/* ---- order ---- */

static void spin_a_little(void)
{
    for (volatile int k = 0; k < 3000; k++) {
    }
}

struct starts {
    atomic_uchar *begun;
    atomic_size_t most_missing;
    size_t limit;
};

/* Those in between are what other participants took at once, and come to next. */
static void count_missing(struct seen *seen, size_t i)
{
    struct starts *starts = seen->context;
    atomic_store(&starts->begun[i], 1);
    size_t missing = 0;
    for (size_t j = 0; j < i; j++) {
        missing += !atomic_load(&starts->begun[j]);
    }
    size_t most = atomic_load(&starts->most_missing);
    while (missing > most && !atomic_compare_exchange_weak(&starts->most_missing, &most, missing)) {
    }
    spin_a_little();
}

START_TEST(indices_begin_in_ascending_order)
{
    enum { MANY = 3000 };
    filch_pool *pool = pool_opened(_i);
    const size_t workers = workers_of(_i);
    for (size_t limit = 2; limit <= 2 * workers; limit++) {
        struct starts starts = {.begun = calloc(MANY, 1), .limit = limit};
        ck_assert(runs_well(pool, MANY, limit, count_missing, &starts));
        ck_assert_uint_le(starts.most_missing, (limit - 1) * (MANY / (4 * workers) + 1));
        free((void *)starts.begun);
    }
    pool_closed(pool);
}
END_TEST

static void await_all_below(struct seen *seen, size_t i)
{
    for (size_t j = i > 40 ? i - 40 : 0; j < i; j++) {
        while (atomic_load(&seen->ran[j]) == 0) {
            sched_yield();
        }
    }
    if (i % 7 == 0) {
        spin_a_little();
    }
}

START_TEST(a_body_may_spin_until_all_below_it_have_begun)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t limit = 2; limit < 6; limit++) {
        ck_assert(runs_well(pool, 20000, limit, await_all_below, NULL));
    }
    pool_closed(pool);
}
END_TEST

/* A chain: each waits for the end of the one below it, and lets the next go on. */
static void pass_the_baton(struct seen *seen, size_t i)
{
    filch_semaphore *batons = seen->context;
    check_int_eq(filch_semaphore_acquire(&batons[i]), FILCH_OK);
    filch_semaphore_release(&batons[i + 1], 1);
}

static bool chain_is_passed(filch_pool *pool, size_t n, size_t limit)
{
    filch_semaphore *batons = calloc(n + 1, sizeof *batons);
    filch_semaphore_release(&batons[0], 1);
    bool well = runs_well(pool, n, limit, pass_the_baton, batons);
    free(batons);
    return well;
}

START_TEST(a_body_may_wait_for_those_below_it_at_any_limit)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 10; round++) {
        ck_assert(chain_is_passed(pool, 1000, 2));
        ck_assert(chain_is_passed(pool, 1000, 3));
        ck_assert(chain_is_passed(pool, 1000, 50));
        ck_assert(chain_is_passed(pool, 1000, SIZE_MAX));
    }
    pool_closed(pool);
}
END_TEST

static void come_together(struct seen *seen, size_t i)
{
    (void)i;
    check_int_eq(filch_wait_group_done(seen->context), FILCH_OK);
    check_int_eq(filch_wait_group_wait(seen->context), FILCH_OK);
}

START_TEST(as_many_as_the_limit_may_all_wait_for_each_other)
{
    const size_t sizes[] = {2, 3, 8, 64, 65, 300};
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 30; round++) {
        size_t n = sizes[round % 6];
        filch_wait_group meeting = {0};
        ck_assert_int_eq(filch_wait_group_add(&meeting, (unsigned)n), FILCH_OK);
        ck_assert(runs_well(pool, n, n, come_together, &meeting));
    }
    pool_closed(pool);
}
END_TEST

/* Those of the first half take nothing, so that many of the second are given out at once. */
static void await_the_next(struct seen *seen, size_t i)
{
    filch_semaphore *ends = seen->context;
    if (i >= seen->n / 2 && i % 2 == 0 && i + 1 < seen->n) {
        check_int_eq(filch_semaphore_acquire(&ends[i + 1]), FILCH_OK);
    }
    filch_semaphore_release(&ends[i], 1);
}

/* The last lets all of the second half go on, which have begun by then. */
static void await_the_last(struct seen *seen, size_t i)
{
    if (i == seen->n - 1) {
        filch_semaphore_release(seen->context, (unsigned)(seen->n - seen->n / 2));
    } else if (i >= seen->n / 2) {
        check_int_eq(filch_semaphore_acquire(seen->context), FILCH_OK);
    }
}

START_TEST(a_body_may_wait_for_higher_ones_where_all_fit)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t n = 2; n < 1000; n += 1 + n / 9) {
        filch_semaphore *ends = calloc(n, sizeof *ends);
        ck_assert(runs_well(pool, n, n, await_the_next, ends));
        free(ends);
        filch_semaphore last = {0};
        ck_assert(runs_well(pool, n, n + n % 3, await_the_last, &last));
    }
    pool_closed(pool);
}
END_TEST

static void sleep_or_yield(struct seen *seen, size_t i)
{
    (void)seen;
    if (i % 3 == 0) {
        check_int_eq(filch_sleep(1e-5), FILCH_OK);
    } else if (i % 3 == 1) {
        filch_yield();
    }
}

START_TEST(a_slot_is_kept_while_its_body_waits)
{
    filch_pool *pool = pool_opened(_i);
    for (size_t limit = 2; limit < 20; limit += 3) {
        ck_assert(runs_well(pool, 500, limit, sleep_or_yield, NULL));
    }
    pool_closed(pool);
}
END_TEST

/* ---- from where it is called ---- */

static void nest(struct seen *seen, size_t i)
{
    filch_pool *pool = seen->context;
    ck_assert(runs_well(pool, 20 + i % 50, 1 + i % 5, i % 2 ? sleep_or_yield : NULL, NULL));
}

START_TEST(loops_with_slots_nest)
{
    filch_pool *pool = pool_opened(_i);
    ck_assert(runs_well(pool, 200, 3, nest, pool));
    ck_assert(runs_well(pool, 200, SIZE_MAX, nest, pool));
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

static void fork_inside(struct seen *seen, size_t i)
{
    (void)seen;
    check_int_eq(fib((int)(i % 12)),
                 ((const int[]){0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89})[i % 12]);
}

START_TEST(bodies_may_fork)
{
    filch_pool *pool = pool_opened(_i);
    ck_assert(runs_well(pool, 3000, 2, fork_inside, NULL));
    ck_assert(runs_well(pool, 3000, SIZE_MAX, fork_inside, NULL));
    pool_closed(pool);
}
END_TEST

static int loop_again_and_again(void *pool)
{
    bool well = true;
    for (size_t k = 0; k < 150; k++) {
        well = well && runs_well(pool, k, 1 + k % 4, NULL, NULL);
    }
    return well;
}

START_TEST(any_number_of_threads_may_loop_at_once)
{
    enum { THREADS = 12 };
    filch_pool *pool = pool_opened(_i);
    thrd_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        ck_assert_int_eq(thrd_create(&threads[t], loop_again_and_again, pool), thrd_success);
    }
    for (int t = 0; t < THREADS; t++) {
        int well = 0;
        thrd_join(threads[t], &well);
        ck_assert_int_eq(well, 1);
    }
    pool_closed(pool);
}
END_TEST

static void go_to(struct seen *seen, size_t i)
{
    (void)i;
    ck_assert(runs_well(seen->context, 30, 2, sleep_or_yield, NULL));
}

START_TEST(a_body_may_loop_in_another_pool)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *other;
    ck_assert_int_eq(filch_pool_open(NULL, &other), FILCH_OK);
    ck_assert(runs_well(pool, 40, 4, go_to, other));
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- no cancellation, no errors ---- */

FILCH_FUNCTION(int, loop_when_told, (filch_pool *, pool), (atomic_int *, begun),
               (atomic_int *, told))
{
    atomic_store(begun, 1);
    await(told, 1);
    return filch_cancelled() + 2 * runs_well(pool, 5000, 3, NULL, NULL);
}

START_TEST(a_terminated_pool_leaves_no_index_out)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int begun = 0;
    atomic_int told = 0;
    filch_future *future;
    int inside = 0;
    ck_assert_int_eq(loop_when_told_apply_async(pool, pool, &begun, &told, &future), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert(runs_well(pool, 5000, 3, NULL, NULL)); /* on this thread, alone */
    atomic_store(&told, 1);
    ck_assert_int_eq(loop_when_told_get(future, &inside), FILCH_OK);
    ck_assert_int_eq(inside, 3);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(a_closed_pool_and_one_that_was_not_opened_run_it)
{
    filch_pool *pool = pool_opened(_i);
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    struct on_one_thread one = {thrd_current(), 0, true};
    ck_assert_int_eq(filch_parallel_slots(pool, 100, 7, be_next_here, &one, NULL), FILCH_OK);
    ck_assert(one.well && one.next == 100);
    ck_assert(runs_well(NULL, 5000, 3, NULL, NULL)); /* the default pool */
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

static void be_cancelled(struct seen *seen, size_t i)
{
    (void)i;
    atomic_fetch_add((atomic_int *)seen->context, filch_cancelled());
}

START_TEST(a_cancelled_group_leaves_no_index_out_and_is_seen_by_each)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int told = 0;
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(filch_group_cancel(group), FILCH_OK);
        ck_assert(runs_well(pool, 5000, 3, be_cancelled, &told));
    }
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_eq(told, 5000);
    pool_closed(pool);
}
END_TEST

struct raising {
    int code;
    filch_semaphore raised;
};

/* The caller has the first, and waits: another raises. */
static void raise_at_7(size_t i, size_t slot, void *context)
{
    struct raising *raising = context;
    (void)slot;
    if (i == 0) {
        check_int_eq(filch_semaphore_acquire(&raising->raised), FILCH_OK);
    } else if (i == 7) {
        filch_raise(raising->code, "seven");
        filch_semaphore_release(&raising->raised, 1);
    }
}

static filch_status raise_in_slots(filch_pool *pool, int code)
{
    struct raising raising = {.code = code};
    return filch_parallel_slots(pool, 10, 10, raise_at_7, &raising, NULL);
}

FILCH_FUNCTION(int, raise_inside, (filch_pool *, pool), (int, code))
{
    return raise_in_slots(pool, code) == FILCH_OK;
}

static void raise_in_element_11(size_t i, void *pool)
{
    if (i == 11) {
        check_int_eq(raise_in_slots(pool, 9), FILCH_OK);
    }
}

START_TEST(what_a_body_raises_is_raised_by_the_caller)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(raise_in_slots(pool, 3), FILCH_OK);
    filch_future *future;
    filch_error error;
    ck_assert_int_eq(raise_inside_apply_async(pool, pool, 5, &future), FILCH_OK);
    ck_assert_int_eq(raise_inside_get(future, &result), FILCH_ERAISED);
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    ck_assert_int_eq(error.code, 5);
    ck_assert_str_eq(error.message, "seven");
    ck_assert_uint_eq(error.index, FILCH_NO_INDEX);
    filch_future_free(future);
    ck_assert_int_eq(
        filch_parallel_for(FILCH_ON(pool, .error = &error), 20, raise_in_element_11, pool),
        FILCH_ERAISED);
    ck_assert_uint_eq(error.index, 11);
    ck_assert_str_eq(error.message, "seven");
    pool_closed(pool);
}
END_TEST

/* ---- far ends ---- */

struct counted {
    struct {
        FILCH_ALIGNED(64) size_t count;
    } slots[2];
};

static void count_here(size_t i, size_t slot, void *context)
{
    (void)i;
    ((struct counted *)context)->slots[slot].count++;
}

START_TEST(there_may_be_more_indices_than_32_bits_can_count)
{
    const unsigned long long wanted = SANITIZED ? 1ULL << 22 : (1ULL << 32) + 3;
    const size_t n = wanted < SIZE_MAX ? (size_t)wanted : SIZE_MAX;
    filch_pool *pool = pool_opened(1);
    struct counted *counted = aligned_alloc(64, sizeof *counted);
    memset(counted, 0, sizeof *counted);
    ck_assert_int_eq(filch_parallel_slots(pool, n, 2, count_here, counted, NULL), FILCH_OK);
    ck_assert(counted->slots[0].count + counted->slots[1].count == n);
    free(counted);
    pool_closed(pool);
}
END_TEST

static bool runs_in_child(filch_pool *parents)
{
    if (SANITIZED) {
        refuse_threads(
            LONG_MAX); /* new ones would have the stacks of the parent's, as it knows them */
    }
    return runs_well(parents, 3000, 3, NULL, NULL) && runs_well(NULL, 3000, 3, NULL, NULL);
}

static int end_of(pid_t child)
{
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

FILCH_FUNCTION(int, fork_in_a_task, (filch_pool *, pool))
{
    pid_t child = fork();
    if (child == 0) {
        _exit(!runs_in_child(pool));
    }
    return end_of(child);
}

static void fork_a_child(struct seen *seen, size_t i)
{
    if (i == 5) {
        pid_t child = fork();
        if (child == 0) {
            _exit(!runs_in_child(seen->context));
        }
        check_int_eq(end_of(child), 0);
    }
}

START_TEST(in_the_child_of_a_fork_all_run)
{
    filch_pool *pool = pool_opened(_i);
    int inside = -1;
    ck_assert(runs_well(pool, 1000, 3, NULL, NULL));
    pid_t child = fork();
    if (child == 0) {
        _exit(!runs_in_child(pool));
    }
    ck_assert_int_eq(end_of(child), 0);
    ck_assert_int_eq(fork_in_a_task_apply(pool, pool, &inside), FILCH_OK);
    ck_assert_int_eq(inside, 0);
    ck_assert(runs_well(pool, 10, 10, fork_a_child, pool));
    pool_closed(pool);
}
END_TEST

/* Also where nothing more can be had from some call on. */
START_TEST(without_memory_maps_or_threads_all_run)
{
    const int kinds[] = {FAIL_MEMORY, FAIL_MAPS, FAIL_THREADS,
                         FAIL_MEMORY | FAIL_MAPS | FAIL_THREADS};
    for (int k = 0; k < 4 * 30; k++) {
        filch_pool *pool;
        struct seen *seen = seen_new(300, 3, NULL);
        ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers_of(_i)}, &pool),
                         FILCH_OK);
        fail_calls_from(1 + k / 4, kinds[k % 4]);
        filch_status status = filch_parallel_slots(pool, seen->n, seen->limit, see, seen, NULL);
        fail_calls_from(0, 0);
        ck_assert_int_eq(status, FILCH_OK);
        ck_assert(all_is_well(seen));
        seen_free(seen);
        ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tcase = tcase_create("slots");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, every_index_runs_once_in_a_slot_of_its_own, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_missing_body_and_a_limit_of_zero_are_refused, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_at_a_time_run_on_the_caller_in_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, indices_begin_in_ascending_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_body_may_spin_until_all_below_it_have_begun, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_body_may_wait_for_those_below_it_at_any_limit, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, as_many_as_the_limit_may_all_wait_for_each_other, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_body_may_wait_for_higher_ones_where_all_fit, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_slot_is_kept_while_its_body_waits, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, loops_with_slots_nest, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, bodies_may_fork, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, any_number_of_threads_may_loop_at_once, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_body_may_loop_in_another_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_terminated_pool_leaves_no_index_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_closed_pool_and_one_that_was_not_opened_run_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_cancelled_group_leaves_no_index_out_and_is_seen_by_each, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_body_raises_is_raised_by_the_caller, 0, WORKER_SWEEP);
    tcase_add_test(tcase, there_may_be_more_indices_than_32_bits_can_count);
    tcase_add_loop_test(tcase, in_the_child_of_a_fork_all_run, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, without_memory_maps_or_threads_all_run, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
