/* Life in a process: memory hooks, the log, processors, an inbox, work in the background. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sched/pending.h"
#include "sched/pool.h"
#include "stack/slab.h"

/* ---- memory ---- */

static atomic_long given;
static atomic_long taken_back;
static atomic_long bytes_out;

static void *get(void *context, size_t bytes, size_t alignment)
{
    ck_assert_str_eq(context, "hooks");
    ck_assert(alignment && alignment <= 64 && (alignment & (alignment - 1)) == 0);
    atomic_fetch_add(&given, 1);
    atomic_fetch_add(&bytes_out, (long)bytes);
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void give(void *context, void *memory, size_t bytes)
{
    ck_assert_str_eq(context, "hooks");
    ck_assert_ptr_nonnull(memory);
    atomic_fetch_add(&taken_back, 1);
    atomic_fetch_sub(&bytes_out, (long)bytes);
    free(memory);
}

FILCH_FUNCTION(int, twice, (int, x))
{
    filch_sleep(1e-5);
    return 2 * x;
}

FILCH_CHANNEL(numbers, int);

static void use_a_bit_of_everything(filch_pool *pool)
{
    int in[100];
    int out[100];
    numbers box;
    for (int i = 0; i < 100; i++) {
        in[i] = i;
    }
    ck_assert_int_eq(twice_map(pool, in, 100, out), FILCH_OK);
    filch_future *future;
    ck_assert_int_eq(twice_apply_async(pool, 4, &future), FILCH_OK);
    ck_assert_int_eq(twice_get(future, out), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(numbers_new(FILCH_UNBOUNDED, &box), FILCH_OK);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(numbers_send(box, i), FILCH_OK);
    }
    numbers_free(box);
}

START_TEST(the_librarys_memory_comes_from_the_hooks_and_every_byte_is_counted)
{
    const filch_memory_hooks hooks = {get, give, "hooks"};
    size_t heap;
    size_t mapped;
    filch_memory_held(&heap, &mapped);
    if (heap > 0) {
        return; /* not a process of its own (CK_FORK=no): the hooks come too late */
    }
    ck_assert_uint_eq(mapped, 0);
    ck_assert_int_eq(filch_memory_use(&(filch_memory_hooks){get, NULL, NULL}), FILCH_EINVAL);
    ck_assert_int_eq(filch_memory_use(&hooks), FILCH_OK);
    long before = calls_so_far();
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 3}, &pool), FILCH_OK);
    ck_assert_int_eq(filch_memory_use(NULL), FILCH_EBUSY);
    use_a_bit_of_everything(pool);
    filch_memory_held(&heap, &mapped);
    ck_assert_uint_gt(heap, 0);
    ck_assert_uint_gt(mapped, 0);
    size_t slab_bytes = pool->stacks.slabs->bytes;
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    filch_memory_held(&heap, &mapped);
    ck_assert_uint_eq(heap, (size_t)atomic_load(&bytes_out)); /* the records of threads */
    ck_assert(mapped == 0 || mapped == slab_bytes);           /* kept for the next pool */
    ck_assert_int_gt(given, 10);
    /* this thread; workers and monitor, with their stacks for faults */
    ck_assert_int_le(given - taken_back, 1 + 2 * (3 + 1));
    ck_assert_int_lt(calls_so_far() - before, 40); /* maps and threads: no malloc */
}
END_TEST

/* ---- the log and the environment ---- */

static char logged[1000];

static void keep(void *context, filch_log_level level, const char *message)
{
    ck_assert_str_eq(context, "log");
    ck_assert_int_eq(level, FILCH_LOG_WARNING);
    strncat(logged, message, sizeof logged - strlen(logged) - 1);
}

static void workers_are(const char *text, unsigned expected)
{
    filch_pool *pool;
    ck_assert_int_eq(setenv("FILCH_WORKERS", text, 1), 0);
    ck_assert_int_eq(filch_pool_open(NULL, &pool), FILCH_OK);
    ck_assert_uint_eq(filch_pool_workers(pool), expected);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}

START_TEST(a_senseless_environment_is_ignored_with_one_warning)
{
    logged[0] = '\0';
    filch_log_to(keep, (void *)(uintptr_t) "log");
    workers_are("5", 5);
    ck_assert_str_eq(logged, "");
    workers_are("-3", filch_cpu_count());
    ck_assert_ptr_nonnull(strstr(logged, "FILCH_WORKERS=\"-3\""));
    size_t length = strlen(logged);
    workers_are("many", filch_cpu_count());
    workers_are("99999999999999999999999", filch_cpu_count());
    ck_assert_uint_eq(strlen(logged), length);
    ck_assert_int_eq(unsetenv("FILCH_WORKERS"), 0);
}
END_TEST

/* ---- processors ---- */

static atomic_int bound;

FILCH_LOOP(sees_its_processor, (size_t, i))
{
    cpu_set_t mask;
    filch_sleep(1e-3 * (double)(i % 2));
    if (sched_getaffinity(0, sizeof mask, &mask) == 0 && CPU_COUNT(&mask) == 1) {
        atomic_fetch_add(&bound, 1);
    }
}

START_TEST(bound_workers_stay_on_a_processor_and_the_callers_thread_is_left_alone)
{
    cpu_set_t before;
    cpu_set_t after;
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    filch_pool *pool =
        pool_opened_with(&(filch_pool_options){.processes = workers_of(_i), .bind_workers = 1});
    filch_future *future;
    atomic_store(&bound, 0);
    ck_assert_int_eq(sees_its_processor_for_async(pool, 50, &future), FILCH_OK);
    while (!filch_future_ready(future)) {
        sched_yield();
    }
    ck_assert_int_eq(bound, pool->topology.count ? 50 : 0); /* POSIX alone knows no processors */
    filch_future_free(future);
    pool_closed(pool);
    ck_assert_int_eq(sched_getaffinity(0, sizeof after, &after), 0);
    ck_assert(CPU_EQUAL(&before, &after));
}
END_TEST

/* ---- what is accepted and comes later ---- */

static void is_not_cancelled(struct filch_pending *expected)
{
    (void)expected;
    ck_abort_msg("it has come already");
}

START_TEST(what_has_come_before_it_was_listed_is_not_cancelled_with_the_pool)
{
    filch_pool *pool = pool_opened(_i);
    struct filch_pending early = {.retain = is_not_cancelled, .cancel = is_not_cancelled};
    filch_pool_unlist_pending(pool, &early);
    ck_assert(filch_pool_list_pending(pool, &early));
    ck_assert(!early.listed);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- an inbox ---- */

static uint64_t served_by[20];

FILCH_FUNCTION(int, notes_its_thread, (int, i))
{
    if (i == 13) {
        return filch_raise(EDOM, "unlucky"), 0;
    }
    served_by[i] = filch_thread_id();
    return i * i;
}

/* How many came back as they should. */
FILCH_FUNCTION(int, posts_many, (filch_inbox *, inbox))
{
    int good = 0;
    for (int i = 0; i < 20; i++) {
        filch_closure call = notes_its_thread_bind(i);
        filch_future *future;
        filch_error error;
        int square = -1;
        if (filch_inbox_post(inbox, &call, &future) != FILCH_OK) {
            continue;
        }
        filch_status status = notes_its_thread_get(future, &square);
        if (i == 13) {
            good += status == FILCH_ERAISED && filch_future_error(future, &error) == FILCH_OK &&
                    error.code == EDOM && strcmp(error.function, "notes_its_thread") == 0;
        } else {
            good += status == FILCH_OK && square == i * i;
        }
        filch_future_free(future);
    }
    filch_inbox_close(inbox);
    return good;
}

FILCH_FUNCTION(int, serves_from_a_task, (filch_inbox *, inbox))
{
    return (int)filch_inbox_serve_until(inbox, filch_in(0));
}

START_TEST(what_is_posted_runs_on_the_thread_that_serves)
{
    filch_pool *pool = pool_opened(_i);
    filch_inbox *inbox;
    filch_future *poster;
    int good = 0;
    filch_status status;
    ck_assert_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    ck_assert_int_eq(filch_inbox_serve_until(inbox, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(posts_many_apply_async(pool, inbox, &poster), FILCH_OK);
    while ((status = filch_inbox_serve(inbox)) == FILCH_OK) {
    }
    ck_assert_int_eq(status, FILCH_END);
    ck_assert_int_eq(posts_many_get(poster, &good), FILCH_OK);
    ck_assert_int_eq(good, 20);
    for (int i = 0; i < 20; i++) {
        ck_assert(i == 13 || served_by[i] == filch_thread_id());
    }
    int refused = 0;
    ck_assert_int_eq(serves_from_a_task_apply(pool, inbox, &refused), FILCH_OK);
    ck_assert_int_eq(refused, FILCH_EINVAL);
    filch_closure late = notes_its_thread_bind(1);
    filch_future *never = poster;
    ck_assert_int_eq(filch_inbox_post(inbox, &late, &never), FILCH_ECLOSED);
    ck_assert_ptr_null(never);
    filch_future_free(poster);
    filch_inbox_free(inbox);
    pool_closed(pool);
}
END_TEST

START_TEST(what_is_left_in_an_inbox_is_cancelled)
{
    filch_pool *pool = pool_opened(_i);
    filch_inbox *inbox;
    filch_future *futures[2];
    filch_closure call = notes_its_thread_bind(1);
    int square = 0;
    ck_assert_int_eq(filch_inbox_new(pool, &inbox), FILCH_OK);
    ck_assert_int_eq(filch_inbox_post(inbox, &call, &futures[0]), FILCH_OK);
    ck_assert_int_eq(filch_inbox_post(inbox, &call, &futures[1]), FILCH_OK);
    ck_assert_int_eq(filch_inbox_post(inbox, &call, NULL), FILCH_OK);
    ck_assert_int_eq(filch_inbox_post(inbox, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_inbox_post(NULL, &call, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_cancel(futures[0]), FILCH_OK);
    filch_inbox_free(inbox);
    filch_inbox_free(NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(notes_its_thread_get(futures[i], &square), FILCH_ECANCELED);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- background ---- */

static atomic_int clock_of_begins;

FILCH_FUNCTION(int, notes_its_turn)
{
    return atomic_fetch_add(&clock_of_begins, 1);
}

FILCH_FUNCTION(void, holds_the_worker, (atomic_int *, go))
{
    while (!atomic_load(go)) {
    }
}

START_TEST(background_work_comes_after_the_other_work)
{
    filch_pool *pool = pool_opened(0); /* one worker: the order is known */
    enum { N = 20 };
    filch_future *holder;
    filch_future *behind;
    filch_future *others[N];
    atomic_int go = 0;
    atomic_store(&clock_of_begins, 0);
    ck_assert_int_eq(holds_the_worker_apply_async(pool, &go, &holder), FILCH_OK);
    while (!filch_future_running(holder)) {
        sched_yield();
    }
    filch_options put_off = {.background = 1};
    ck_assert_int_eq(notes_its_turn_apply_async(filch_on(pool, &put_off), &behind), FILCH_OK);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(notes_its_turn_apply_async(pool, &others[i]), FILCH_OK);
    }
    atomic_store(&go, 1);
    while (!filch_future_ready(behind)) {
        sched_yield();
    }
    int turn = -1;
    ck_assert_int_eq(notes_its_turn_get(behind, &turn), FILCH_OK);
    ck_assert_int_eq(turn, N);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(filch_future_wait(others[i]), FILCH_OK);
        filch_future_free(others[i]);
    }
    filch_future_free(behind);
    filch_future_free(holder);
    pool_closed(pool);
}
END_TEST

static atomic_int enough;

/* An endless chain: each task spawns the next. */
FILCH_FUNCTION(void, spawns_the_next, (filch_pool *, pool))
{
    if (!atomic_load(&enough)) {
        any_status(spawns_the_next_apply_async(pool, pool, NULL));
    }
}

START_TEST(an_endless_chain_starves_neither_background_nor_outside_work)
{
    filch_pool *pool = pool_opened(_i);
    filch_options put_off = {.background = 1};
    filch_future *behind;
    filch_future *outside;
    atomic_store(&enough, 0);
    for (unsigned i = 0; i < 2 * workers_of(_i); i++) {
        ck_assert_int_eq(spawns_the_next_apply_async(pool, pool, NULL), FILCH_OK);
    }
    ck_assert_int_eq(notes_its_turn_apply_async(filch_on(pool, &put_off), &behind), FILCH_OK);
    ck_assert_int_eq(notes_its_turn_apply_async(pool, &outside), FILCH_OK);
    while (!filch_future_ready(behind) || !filch_future_ready(outside)) {
        sched_yield();
    }
    atomic_store(&enough, 1);
    filch_future_free(behind);
    filch_future_free(outside);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *tcase = tcase_create("process");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_librarys_memory_comes_from_the_hooks_and_every_byte_is_counted);
    tcase_add_test(tcase, a_senseless_environment_is_ignored_with_one_warning);
    tcase_add_loop_test(tcase,
                        bound_workers_stay_on_a_processor_and_the_callers_thread_is_left_alone, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_has_come_before_it_was_listed_is_not_cancelled_with_the_pool, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_is_posted_runs_on_the_thread_that_serves, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_is_left_in_an_inbox_is_cancelled, 0, WORKER_SWEEP);
    tcase_add_test(tcase, background_work_comes_after_the_other_work);
    tcase_add_loop_test(tcase, an_endless_chain_starves_neither_background_nor_outside_work, 0,
                        WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
