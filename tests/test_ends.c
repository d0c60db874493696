/* Threads that end at odd places: inside calls of filch, in tasks, in the whole process. */
#define _GNU_SOURCE
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "sched/fiber.h"
#include "sched/thread.h"

#if defined(__SANITIZE_ADDRESS__)
void __asan_handle_no_return(void);
void __asan_unpoison_memory_region(const volatile void *memory, size_t bytes);
#endif

/* ---- ways to end a thread, and places to do it ---- */

enum way { BY_EXIT, BY_THRD_EXIT, BY_CANCEL, WAYS };

static _Thread_local enum way way;

/* The sanitizers are told of ends by exceptions and by calls that never return, but not of
 * cancellation, and AddressSanitizer does not know the stacks of tasks on threads of thrd_create().
 * ThreadSanitizer has it that pthread_exit() is not called on other stacks than a thread's. */
static bool is_on_a_tasks_stack(void)
{
    struct filch_fiber *fiber = filch_thread_self()->fiber;
    return fiber && !fiber->guest;
}

static void leave_all_frames(void)
{
#if defined(__SANITIZE_ADDRESS__)
    if (is_on_a_tasks_stack()) {
        struct filch_stack *stack = &filch_thread_self()->fiber->stack;
        __asan_unpoison_memory_region(stack->low, stack->bytes);
    }
    __asan_handle_no_return();
#endif
}

#if defined(__SANITIZE_THREAD__)
static const enum way ways_of_tasks[] = {BY_CANCEL, BY_CANCEL};
#else
static const enum way ways_of_tasks[] = {BY_EXIT, BY_THRD_EXIT};
#endif

static void end_this_thread(void)
{
    leave_all_frames();
    switch (way) {
    case BY_EXIT: pthread_exit(NULL);
    case BY_THRD_EXIT: thrd_exit(0);
    default: pthread_cancel(pthread_self()); pthread_testcancel();
    }
    abort(); /* it has not ended */
}

static void end_thread_of_task(void)
{
    way = is_on_a_tasks_stack() ? ways_of_tasks[0] : BY_EXIT;
    end_this_thread();
}

FILCH_FUNCTION(int, end_it, (int, x))
{
    end_this_thread();
    return x;
}

FILCH_FUNCTION(int, square, (int, x))
{
    return x * x;
}

FILCH_FORK_FUNCTION(int, count_down, (int, n))
{
    if (n == 0) {
        return 0;
    }
    FILCH_FORK(child, count_down, n - 1);
    return FILCH_JOIN(child) + 1;
}

FILCH_FORK_FUNCTION(int, fork_and_end, (int, n))
{
    FILCH_FORK(first, count_down, n);
    FILCH_FORK(second, count_down, n);
    int sum = FILCH_JOIN(first); /* out of order: a hole is left */
    end_this_thread();
    return FILCH_JOIN(second) + sum;
}

static void in_a_call(filch_pool *pool)
{
    int result;
    any_status(end_it_apply(pool, 1, &result));
}

FILCH_FUNCTION(int, call_and_end, (filch_pool *, pool))
{
    in_a_call(pool);
    return 0;
}

static void in_a_call_in_a_call(filch_pool *pool)
{
    int result;
    any_status(call_and_end_apply(pool, pool, &result));
}

static void in_a_loop(filch_pool *pool)
{
    int in = 1;
    int out;
    any_status(end_it_map(pool, &in, 1, &out));
}

static void end_in_slot(size_t i, size_t slot, void *context)
{
    (void)slot;
    pthread_t *caller = context;
    if (i > 3 && pthread_equal(pthread_self(), *caller)) {
        end_this_thread();
    }
    for (volatile int k = 0; k < 1000; k++) {
    }
}

static void in_a_loop_with_slots(filch_pool *pool)
{
    pthread_t caller = pthread_self();
    any_status(filch_parallel_slots(pool, 100000, 3, end_in_slot, &caller, NULL));
}

static void in_a_blocking_section(filch_pool *pool)
{
    (void)pool;
    FILCH_BLOCKING
    {
        end_this_thread();
    }
}

FILCH_FUNCTION(int, block_and_end, (filch_pool *, pool))
{
    in_a_blocking_section(pool);
    return 0;
}

static void in_a_call_that_blocks(filch_pool *pool)
{
    int result;
    any_status(block_and_end_apply(pool, pool, &result));
}

static void in_a_group(filch_pool *pool)
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        (void)group;
        end_this_thread();
    }
}

static void in_a_call_in_a_group(filch_pool *pool)
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        (void)group;
        in_a_call(pool);
    }
}

static void in_a_fork_function(filch_pool *pool)
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        (void)group;
        fork_and_end(30);
    }
}

static void in_a_fork_function_in_the_default_pool(filch_pool *pool)
{
    (void)pool;
    fork_and_end(30);
}

static void (*const places[])(filch_pool *) = {in_a_call,
                                               in_a_call_in_a_call,
                                               in_a_loop,
                                               in_a_loop_with_slots,
                                               in_a_blocking_section,
                                               in_a_call_that_blocks,
                                               in_a_group,
                                               in_a_call_in_a_group,
                                               in_a_fork_function};
enum { PLACES = sizeof places / sizeof *places };

struct ending {
    filch_pool *pool;
    void (*place)(filch_pool *pool);
    enum way way;
};

static void *end_there(void *context)
{
    struct ending *ending = context;
    way = ending->way;
    ending->place(ending->pool);
    abort();
}

static void run_and_join(void *(*function)(void *), void *context)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, function, context), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void pool_works(filch_pool *pool)
{
    int in[100];
    int out[100];
    for (int i = 0; i < 100; i++) {
        in[i] = i;
    }
    ck_assert_int_eq(square_map(pool, in, 100, out), FILCH_OK);
    check_int_eq(out[99], 99 * 99);
}

/* ---- a program's own thread ---- */

START_TEST(a_thread_that_ends_inside_a_call_gives_back_what_it_held)
{
    filch_pool *pool = pool_opened(_i);
    for (int place = 0; place < PLACES; place++) {
        for (int w = 0; w < WAYS; w++) {
            struct ending ending = {pool, places[place], (enum way)w};
            run_and_join(end_there, &ending);
            pool_works(pool);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_thread_that_ends_inside_a_fork_function_gives_the_default_pool_back)
{
    for (int w = 0; w < WAYS; w++) {
        struct ending ending = {NULL, in_a_fork_function_in_the_default_pool, (enum way)w};
        run_and_join(end_there, &ending);
        pool_works(NULL);
    }
}
END_TEST

/* What others run of a call whose caller's thread ends. */
static atomic_int begun;
static atomic_int ended;
static atomic_int may_end;
static _Thread_local bool ends_here;
static bool others_come; /* there are other workers, and so one must have begun */

static void work_of_another(void)
{
    if (ends_here) {
        return;
    }
    atomic_fetch_add(&begun, 1);
    await(&may_end, 1);
    for (int i = 0; i < 100; i++) {
        sched_yield();
    }
    atomic_fetch_add(&ended, 1);
}

static void end_when_others_have_begun(void)
{
    if (others_come) {
        await(&begun, 1);
    }
    atomic_store(&may_end, 1);
    end_this_thread();
}

FILCH_FUNCTION(int, element, (int, x))
{
    if (ends_here) {
        end_when_others_have_begun();
    }
    work_of_another();
    return x;
}

FILCH_FORK_FUNCTION(int, child, (int, x))
{
    work_of_another();
    return x;
}

FILCH_FORK_FUNCTION(int, parent, (int, x))
{
    FILCH_FORK(left, child, x);
    FILCH_FORK(right, child, x);
    FILCH_FORK(third, child, x);
    while (others_come && atomic_load(&begun) == 0) { /* each fork checks for requests */
        FILCH_FORK(one_more, child, 0);
        (void)FILCH_JOIN(one_more);
    }
    end_when_others_have_begun();
    return FILCH_JOIN(third) + FILCH_JOIN(right) + FILCH_JOIN(left);
}

static void in_a_loop_with_others(filch_pool *pool)
{
    int in[64] = {0};
    int out[64];
    ends_here = true;
    any_status(element_map(pool, in, 64, out));
}

static void in_a_loop_in_chunks_with_others(filch_pool *pool)
{
    int in[64] = {0};
    int out[64];
    ends_here = true;
    any_status(element_map(FILCH_ON(pool, .chunksize = FILCH_CHUNK(2)), in, 64, out));
}

FILCH_FUNCTION(int, loop_in_a_loop, (filch_pool *, pool))
{
    in_a_loop_with_others(pool);
    return 0;
}

static void in_a_loop_in_a_call_with_others(filch_pool *pool)
{
    int result;
    any_status(loop_in_a_loop_apply(pool, pool, &result));
}

static void in_a_group_with_others(filch_pool *pool)
{
    static int results[8]; /* they outlive the thread's functions */
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < 8; i++) {
            any_status(element_spawn(group, i, &results[i]));
        }
        end_when_others_have_begun();
    }
}

static void in_a_fork_function_with_others(filch_pool *pool)
{
    filch_status status;
    ends_here = true;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        (void)group;
        parent(1);
    }
}

static void (*const shared_places[])(filch_pool *) = {
    in_a_loop_with_others, in_a_loop_in_chunks_with_others, in_a_loop_in_a_call_with_others,
    in_a_group_with_others, in_a_fork_function_with_others};
enum { SHARED_PLACES = sizeof shared_places / sizeof *shared_places };

START_TEST(what_others_run_of_a_call_is_waited_for_when_its_caller_ends)
{
    filch_pool *pool = pool_opened(_i);
    others_come = workers_of(_i) > 1;
    for (int place = 0; place < SHARED_PLACES; place++) {
        for (int w = 0; w < WAYS; w++) {
            atomic_store(&begun, 0);
            atomic_store(&ended, 0);
            atomic_store(&may_end, 0);
            struct ending ending = {pool, shared_places[place], (enum way)w};
            run_and_join(end_there, &ending);
            ck_assert_int_eq(atomic_load(&ended), atomic_load(&begun));
            ck_assert(!others_come || atomic_load(&begun) > 0);
            pool_works(pool);
        }
    }
    pool_closed(pool);
}
END_TEST

/* All workers are busy, so that a program's own thread runs the task that it waits for. */
static atomic_int busy;
static atomic_int free_again;

FILCH_FUNCTION(int, keep_busy, (int, x))
{
    atomic_fetch_add(&busy, 1);
    await(&free_again, 1);
    return x;
}

static void *wait_for_it(void *future)
{
    way = ways_of_tasks[0]; /* it is on a task's stack */
    any_status(filch_future_wait(future));
    abort();
}

START_TEST(a_task_fails_whose_waiter_ran_it_and_ended)
{
    filch_pool *pool = pool_opened(_i);
    unsigned workers = workers_of(_i);
    filch_future **blockers = calloc(workers, sizeof(filch_future *));
    filch_future *future;
    int result;
    atomic_store(&busy, 0);
    atomic_store(&free_again, 0);
    for (unsigned i = 0; i < workers; i++) {
        ck_assert_int_eq(keep_busy_apply_async(pool, 1, &blockers[i]), FILCH_OK);
    }
    await(&busy, (int)workers);
    ck_assert_int_eq(end_it_apply_async(pool, 1, &future), FILCH_OK);
    run_and_join(wait_for_it, future);
    ck_assert_int_eq(end_it_get(future, &result), FILCH_EBROKEN);
    filch_future_free(future);
    atomic_store(&free_again, 1);
    for (unsigned i = 0; i < workers; i++) {
        ck_assert_int_eq(keep_busy_get(blockers[i], &result), FILCH_OK);
        filch_future_free(blockers[i]);
    }
    free(blockers);
    pool_works(pool);
    pool_closed(pool);
}
END_TEST

static atomic_int waiting;
static atomic_int waited;

static void *wait_until_cancelled(void *future)
{
    atomic_store(&waiting, 1);
    filch_status status = filch_future_wait(future);
    atomic_store(&waited, 1 + (int)status);
    leave_all_frames();
    pthread_testcancel();
    return NULL;
}

START_TEST(a_wait_is_no_point_of_cancellation)
{
    filch_promise *promise;
    filch_future *future;
    pthread_t thread;
    void *outcome;
    int value = 3;
    ck_assert_int_eq(filch_promise_new(sizeof value, &promise, &future), FILCH_OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_until_cancelled, future), 0);
    await(&waiting, 1);
    ck_assert_int_eq(pthread_cancel(thread), 0);
    for (int i = 0; i < 100; i++) {
        sched_yield();
    }
    ck_assert_int_eq(atomic_load(&waited), 0);
    ck_assert_int_eq(filch_promise_set_value(promise, &value), FILCH_OK);
    ck_assert_int_eq(pthread_join(thread, &outcome), 0);
    ck_assert_int_eq(atomic_load(&waited), 1 + FILCH_OK);
    ck_assert(outcome == PTHREAD_CANCELED);
    filch_promise_free(promise);
    filch_future_free(future);
}
END_TEST

static filch_once once;
static atomic_int in_once;
static atomic_int once_run;

static filch_status first_to_run_once_ends(void *context)
{
    (void)context;
    if (atomic_fetch_add(&in_once, 1) == 0) {
        await(&waiting, 1);
        end_this_thread();
    }
    atomic_fetch_add(&once_run, 1);
    return FILCH_OK;
}

static void *run_once(void *context)
{
    if (context) {
        await(&in_once, 1);
        atomic_store(&waiting, 1);
    }
    ck_assert_int_eq(filch_once_run(&once, first_to_run_once_ends, NULL), FILCH_OK);
    return NULL;
}

START_TEST(what_is_to_run_once_is_run_by_another_if_its_thread_ends)
{
    pthread_t first;
    pthread_t second;
    ck_assert_int_eq(pthread_create(&first, NULL, run_once, NULL), 0);
    ck_assert_int_eq(pthread_create(&second, NULL, run_once, &once), 0);
    ck_assert_int_eq(pthread_join(first, NULL), 0);
    ck_assert_int_eq(pthread_join(second, NULL), 0);
    ck_assert_int_eq(atomic_load(&once_run), 1);
}
END_TEST

/* ---- tasks: each in a process of its own, which dies ---- */

enum { DEATH_SECONDS = 20 };

/* The last handler that is ours: LeakSanitizer cannot look for leaks from a task's stack. */
static void end_at_once(int status, void *context)
{
    (void)context;
    _exit(status);
}

/* Run `body` in a child, which is ended if it hangs. What it says on the standard error is put in
 * `said`. How it ended, as for waitpid(). */
static int outcome_of(void (*body)(void), char *said, size_t bytes)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(DEATH_SECONDS);
        on_exit(end_at_once, NULL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        body();
        _exit(77); /* it went on */
    }
    close(ends[1]);
    size_t had = 0;
    for (ssize_t n; had < bytes - 1 && (n = read(ends[0], said + had, bytes - 1 - had)) > 0;) {
        had += (size_t)n;
    }
    said[had] = '\0';
    close(ends[0]);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static filch_pool *pool_of_two(void)
{
    filch_pool *pool;
    if (filch_pool_open(&(filch_pool_options){.processes = 2}, &pool) != FILCH_OK) {
        _exit(78);
    }
    return pool;
}

/* So that this thread does not run it itself. */
static void wait_from_afar(filch_future *future)
{
    while (!filch_future_ready(future)) {
        sched_yield();
    }
}

FILCH_FUNCTION(int, ends_its_thread, (int, w))
{
    way = (enum way)w;
    end_this_thread();
    return w;
}

static void a_task_ends(enum way w)
{
    filch_future *future;
    any_status(ends_its_thread_apply_async(pool_of_two(), (int)w, &future));
    wait_from_afar(future);
}

static void a_task_exits(void)
{
    a_task_ends(ways_of_tasks[0]);
}

static void a_task_thrd_exits(void)
{
    a_task_ends(ways_of_tasks[1]);
}

static void a_task_is_cancelled(void)
{
    a_task_ends(BY_CANCEL);
}

FILCH_FUNCTION(int, ends_its_thread_in_a_loop, (int, x))
{
    int out;
    way = ways_of_tasks[0];
    any_status(end_it_map(NULL, &x, 1, &out));
    return out;
}

static void a_loop_of_a_task_exits(void)
{
    filch_future *future;
    any_status(ends_its_thread_in_a_loop_apply_async(NULL, 1, &future));
    wait_from_afar(future);
}

FILCH_FUNCTION(int, ends_its_thread_in_a_section, (int, x))
{
    FILCH_BLOCKING
    {
        end_thread_of_task();
    }
    return x;
}

static void a_blocking_task_exits(void)
{
    filch_future *future;
    any_status(ends_its_thread_in_a_section_apply_async(NULL, 1, &future));
    wait_from_afar(future);
}

static _Thread_local bool calls;

FILCH_FUNCTION(int, ends_its_worker, (int, x))
{
    while (calls) {
        sched_yield(); /* a worker comes, and takes an element */
    }
    end_thread_of_task();
    return x;
}

static void a_stolen_element_exits(void)
{
    int in[64] = {0};
    int out[64];
    calls = true;
    any_status(
        ends_its_worker_map(FILCH_ON(pool_of_two(), .chunksize = FILCH_CHUNK(1)), in, 64, out));
}

static void exit_in_a_callback(void *context, const void *result)
{
    (void)context, (void)result;
    end_thread_of_task();
}

FILCH_FUNCTION(int, calls_back, (int, x))
{
    return x;
}

static void a_callback_exits(void)
{
    filch_future *future;
    any_status(calls_back_apply_async(
        FILCH_ON(pool_of_two(), .done = {.callback = exit_in_a_callback}), 1, &future));
    any_status(filch_future_wait(future)); /* the callback may run here, too */
}

static void exit_in_a_hook(void *context, unsigned worker)
{
    (void)context, (void)worker;
    end_thread_of_task();
}

static void a_start_hook_exits(void)
{
    filch_pool *pool;
    int result;
    any_status(
        filch_pool_open(&(filch_pool_options){.processes = 2, .start = exit_in_a_hook}, &pool));
    any_status(square_apply(pool, 1, &result));
}

static const struct {
    void (*body)(void);
    const char *names;
} deaths[] = {
    {a_task_exits, "ends_its_thread"},
    {a_task_thrd_exits, "ends_its_thread"},
    {a_task_is_cancelled, "ends_its_thread"},
    {a_loop_of_a_task_exits, "end_it"},
    {a_blocking_task_exits, "ends_its_thread_in_a_section"},
    {a_stolen_element_exits, "ends_its_worker"},
    {a_callback_exits, "calls_back"},
    {a_start_hook_exits, "start"},
};

START_TEST(a_task_that_ends_its_thread_is_a_fatal_error_that_names_it)
{
    char said[4096];
    int status = outcome_of(deaths[_i].body, said, sizeof said);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%d: status %x, said: %s", _i,
                  (unsigned)status, said);
    ck_assert_msg(strstr(said, deaths[_i].names), "%d: said: %s", _i, said);
}
END_TEST

/* ---- the process ---- */

static filch_pool *pool_at_exit;

static void use_pools_at_exit(void)
{
    int result = 0;
    filch_future *future;
    if (square_apply(pool_at_exit, 3, &result) != FILCH_OK || result != 9 ||
        square_apply_async(NULL, 4, &future) != FILCH_OK ||
        square_get(future, &result) != FILCH_OK || result != 16) {
        _exit(79);
    }
    filch_future_free(future);
    filch_status status = filch_pool_free(pool_at_exit);
    if (status != FILCH_OK && status != FILCH_EDEADLK) { /* in a task of its own */
        _exit(80);
    }
}

FILCH_FUNCTION(int, spin, (int, x))
{
    for (;;) {
        filch_yield();
    }
    return x;
}

FILCH_FUNCTION(int, exits, (int, x))
{
    exit(x);
    return x;
}

FILCH_FUNCTION(int, exits_quickly, (int, x))
{
    quick_exit(x);
    return x;
}

static void a_task_ends_the_process(void)
{
    filch_future *future;
    pool_at_exit = pool_of_two();
    atexit(use_pools_at_exit);
    any_status(exits_apply_async(pool_at_exit, 5, &future));
    wait_from_afar(future);
}

static void a_task_ends_the_process_while_others_run(void)
{
    filch_future *future;
    pool_at_exit = pool_of_two();
    any_status(spin_apply_async(pool_at_exit, 1, NULL));
    any_status(exits_apply_async(pool_at_exit, 5, &future));
    wait_from_afar(future);
}

static void a_call_ends_the_process(void)
{
    int result;
    pool_at_exit = pool_of_two();
    atexit(use_pools_at_exit);
    any_status(exits_apply(pool_at_exit, 5, &result));
}

static void the_program_ends_the_process(void)
{
    pool_at_exit = pool_of_two();
    atexit(use_pools_at_exit);
    pool_works(pool_at_exit);
    exit(5);
}

static void a_task_ends_the_process_quickly(void)
{
    filch_future *future;
    any_status(exits_quickly_apply_async(pool_of_two(), 5, &future));
    wait_from_afar(future);
}

static void (*const exits_of_processes[])(void) = {
    a_task_ends_the_process, a_task_ends_the_process_while_others_run, a_call_ends_the_process,
    the_program_ends_the_process, a_task_ends_the_process_quickly};

START_TEST(a_process_ends_from_anywhere_and_its_handlers_use_pools)
{
    char said[4096];
    int status = outcome_of(exits_of_processes[_i], said, sizeof said);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 5, "%d: status %x, said: %s", _i,
                  (unsigned)status, said);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ends");
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 60);
    tcase_add_loop_test(threads, a_thread_that_ends_inside_a_call_gives_back_what_it_held, 0,
                        WORKER_SWEEP);
    tcase_add_test(threads, a_thread_that_ends_inside_a_fork_function_gives_the_default_pool_back);
    tcase_add_loop_test(threads, what_others_run_of_a_call_is_waited_for_when_its_caller_ends, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(threads, a_task_fails_whose_waiter_ran_it_and_ended, 0, WORKER_SWEEP);
    tcase_add_test(threads, a_wait_is_no_point_of_cancellation);
    tcase_add_test(threads, what_is_to_run_once_is_run_by_another_if_its_thread_ends);
    suite_add_tcase(suite, threads);
    TCase *tasks = tcase_create("tasks");
    tcase_set_timeout(tasks, 60);
    tcase_add_loop_test(tasks, a_task_that_ends_its_thread_is_a_fatal_error_that_names_it, 0,
                        sizeof deaths / sizeof *deaths);
    tcase_add_loop_test(tasks, a_process_ends_from_anywhere_and_its_handlers_use_pools, 0,
                        sizeof exits_of_processes / sizeof *exits_of_processes);
    suite_add_tcase(suite, tasks);
    return run_suite(suite);
}
