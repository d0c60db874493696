/* Bad input: each row of the table gives its status, nothing is touched, nothing is lost. */
#define _GNU_SOURCE
#include "fixture.h"

#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

FILCH_FUNCTION(int, identity, (int, x))
{
    return x;
}

FILCH_FUNCTION(long, eight, (long, a), (long, b), (long, c), (long, d), (long, e), (long, f),
               (long, g), (long, h))
{
    return a + b + c + d + e + f + g + h;
}

FILCH_FUNCTION(void, nothing)
{
}

FILCH_FUNCTION(const char *, text, (const char *, s))
{
    return s;
}

static atomic_int body_ran;

FILCH_LOOP(counts, (size_t, i))
{
    (void)i;
    atomic_fetch_add(&body_ran, 1);
}

FILCH_REDUCER(int, add, (int, a), (int, b))
{
    return a + b;
}

START_TEST(null_is_refused_and_null_frees_do_nothing)
{
    int value = 1;
    filch_error error;
    filch_pool *pool = pool_opened(1);
    ck_assert_int_eq(filch_pool_open(NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_close(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_join(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_terminate(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_free(NULL), FILCH_OK);
    ck_assert_int_eq(filch_future_wait(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_wait_until(NULL, filch_in(1)), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_get(NULL, &value, sizeof value), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_try_get(NULL, &value, sizeof value), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_cancel(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_future_error(NULL, &error), FILCH_EINVAL);
    ck_assert(!filch_future_ready(NULL));
    ck_assert(!filch_future_successful(NULL));
    ck_assert_ptr_null(filch_future_retain(NULL));
    filch_future_free(NULL);
    ck_assert_int_eq(filch_promise_new(1, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_promise_set_value(NULL, &value), FILCH_EINVAL);
    ck_assert_int_eq(filch_promise_set_error(NULL, 1, NULL), FILCH_EINVAL);
    filch_promise_free(NULL);
    ck_assert_int_eq(filch_apply(pool, NULL, &value), FILCH_EINVAL);
    ck_assert_int_eq(filch_apply_async(pool, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(identity_apply(pool, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_map(pool, NULL, NULL, 1), FILCH_EINVAL);
    ck_assert_int_eq(filch_parallel_for(pool, 1, NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(identity_map(pool, NULL, 1, &value), FILCH_EINVAL);
    ck_assert_int_eq(identity_map(pool, &value, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(identity_map_async(pool, NULL, 1, &value, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_reduce(pool, NULL, &value, 1, &value, &value), FILCH_EINVAL);
    ck_assert_int_eq(add_reduce(pool, NULL, 1, 0, &value), FILCH_EINVAL);
    ck_assert_int_eq(add_reduce(pool, &value, 1, 0, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_closure_make(NULL, &identity_callable, &value, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_closure_call(NULL, &value), FILCH_EINVAL);
    filch_closure_release(NULL);
    ck_assert_int_eq(value, 1);
    pool_closed(pool);
}
END_TEST

START_TEST(no_elements_succeed_and_run_nothing)
{
    filch_pool *pool = pool_opened(_i);
    int total = 0;
    filch_options chunked = {.chunksize = FILCH_CHUNK(3)};
    ck_assert_int_eq(counts_for(pool, 0), FILCH_OK);
    ck_assert_int_eq(counts_for(filch_on(pool, &chunked), 0), FILCH_OK);
    ck_assert_int_eq(identity_map(pool, NULL, 0, NULL), FILCH_OK);
    ck_assert_int_eq(add_reduce(pool, NULL, 0, 5, &total), FILCH_OK);
    ck_assert_int_eq(total, 5);
    ck_assert_int_eq(atomic_load(&body_ran), 0);
    pool_closed(pool);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused_before_anything_is_touched)
{
    filch_pool *pool = pool_opened(1);
    int value = 7;
    ck_assert_int_eq(identity_map(pool, &value, SIZE_MAX, &value), FILCH_EOVERFLOW);
    ck_assert_int_eq(identity_map(pool, &value, SIZE_MAX / 4 + 1, &value), FILCH_EOVERFLOW);
    ck_assert_int_eq(identity_map_async(pool, &value, SIZE_MAX, &value, NULL), FILCH_EOVERFLOW);
    ck_assert_int_eq(add_reduce(pool, &value, SIZE_MAX / 2, 0, &value), FILCH_EOVERFLOW);
    filch_reducer no_size = add_reducer;
    no_size.element_bytes = 0;
    ck_assert_int_eq(filch_reduce(pool, &no_size, &value, 1, &value, &value), FILCH_EINVAL);
    filch_promise *promise;
    filch_future *future;
    ck_assert_int_eq(filch_promise_new(SIZE_MAX, &promise, &future), FILCH_EOVERFLOW);
    ck_assert_ptr_null(promise);
    ck_assert_ptr_null(future);
    ck_assert_int_eq(value, 7);
    pool_closed(pool);
}
END_TEST

START_TEST(an_explicit_chunk_size_below_one_is_refused)
{
    static const ptrdiff_t bad[] = {0, -1, PTRDIFF_MIN};
    filch_pool *pool = pool_opened(1);
    int value = 7;
    filch_future *future = NULL;
    for (int i = 0; i < 3; i++) {
        filch_options options = {.chunksize = FILCH_CHUNK(bad[i])};
        ck_assert_int_eq(identity_map(filch_on(pool, &options), &value, 1, &value), FILCH_EINVAL);
        ck_assert_int_eq(identity_map_async(filch_on(pool, &options), &value, 1, &value, &future),
                         FILCH_EINVAL);
        ck_assert_ptr_null(future);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(absurd_options_are_refused)
{
    filch_pool *pool = NULL;
    filch_pool_options workers = {.processes = FILCH_WORKERS_MAX + 1};
    filch_pool_options more = {.processes = UINT_MAX};
    filch_pool_options small = {.stack_bytes = 1};
    filch_pool_options huge = {.stack_bytes = SIZE_MAX};
    ck_assert_int_eq(filch_pool_open(&workers, &pool), FILCH_EINVAL);
    ck_assert_ptr_null(pool);
    ck_assert_int_eq(filch_pool_open(&more, &pool), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_open(&small, &pool), FILCH_EINVAL);
    ck_assert_int_eq(filch_pool_open(&huge, &pool), FILCH_ENOMEM);
    ck_assert_ptr_null(pool);
    filch_pool_options least = {.stack_bytes = filch_stack_bytes_min(), .processes = 2};
    int out = 0;
    ck_assert_int_eq(filch_pool_open(&least, &pool), FILCH_OK);
    ck_assert_int_eq(identity_apply(pool, 4, &out), FILCH_OK);
    filch_future *future;
    ck_assert_int_eq(identity_apply_async(pool, 5, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    filch_pool_options most = {.processes = FILCH_WORKERS_MAX};
    ck_assert_int_eq(filch_pool_open(&most, &pool), FILCH_OK);
    ck_assert_int_eq(identity_apply(pool, 4, &out), FILCH_OK);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(strange_times_are_defined)
{
    filch_pool *pool = pool_opened(1);
    filch_future *future;
    filch_promise *promise;
    ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_sleep(0), FILCH_OK);
    ck_assert_int_eq(filch_sleep(-5), FILCH_OK);
    ck_assert_int_eq(filch_sleep((double)NAN), FILCH_OK);
    ck_assert_int_eq(filch_sleep(-(double)INFINITY), FILCH_OK);
    ck_assert_int_eq(filch_sleep(1e-30), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in((double)NAN)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(-1)), FILCH_ETIMEDOUT);
    filch_promise_free(promise);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in((double)INFINITY)), FILCH_OK);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

static bool has_passed(filch_deadline until)
{
    filch_semaphore none;
    filch_semaphore_init(&none, 0);
    return filch_semaphore_acquire_until(&none, until) == FILCH_ETIMEDOUT;
}

START_TEST(a_deadline_of_any_number_has_passed_or_comes_or_never_does)
{
    static const double passed[] = {0, -0.0, -1, -(double)INFINITY, (double)NAN, 1e-300, 1e-12};
    const double now = filch_now();
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        ck_assert(has_passed(filch_in(passed[i])));
        ck_assert(has_passed(filch_at(passed[i])));
    }
    ck_assert(has_passed(filch_at(now)));
    ck_assert(has_passed(filch_in(1e-3))); /* soon */
    ck_assert(filch_in(1000).at >= now + 1000 && filch_at(now + 1000).at == now + 1000);
    ck_assert(filch_never().at == 0); /* as where one is left out */
    filch_deadline first = filch_in(1);
    filch_deadline last = filch_in(2);
    filch_deadline endless = filch_in((double)INFINITY);
    ck_assert(filch_earlier(first, last).at == first.at &&
              filch_earlier(last, first).at == first.at);
    ck_assert(filch_earlier(filch_never(), last).at == last.at);
    ck_assert(filch_earlier(last, filch_never()).at == last.at);
    ck_assert(filch_earlier(endless, last).at == last.at);
    ck_assert(filch_earlier(filch_in(0), filch_never()).at == filch_in(0).at);
}
END_TEST

START_TEST(none_that_waits_for_ever_times_out)
{
    static const double far[] = {1e9, 1e12, 1e300};
    filch_pool *pool = pool_opened(1);
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        filch_future *future;
        filch_promise *promise;
        ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
        ck_assert_int_eq(filch_promise_set_value(promise, NULL), FILCH_OK);
        ck_assert_int_eq(filch_future_wait_until(future, filch_in(far[i])), FILCH_OK);
        ck_assert_int_eq(filch_future_wait_until(future, filch_at(far[i])), FILCH_OK);
        filch_promise_free(promise);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

/* ---- captured data ---- */

static atomic_int destroyed;

static void destroy_int(void *captures)
{
    (void)captures;
    atomic_fetch_add(&destroyed, 1);
}

START_TEST(owned_captures_are_destroyed_once_on_every_path)
{
    filch_pool *pool = pool_opened(_i);
    filch_closure closure;
    filch_future *future;
    int value = 3;
    int out = 0;
    atomic_store(&destroyed, 0);
    /* ran */
    ck_assert_int_eq(filch_closure_make(&closure, &identity_callable, &value, destroy_int),
                     FILCH_OK);
    ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(filch_future_get(future, &out, sizeof out), FILCH_OK);
    ck_assert_int_eq(out, 3);
    ck_assert_int_eq(atomic_load(&destroyed), 1);
    filch_future_free(future);
    /* kept, called, copied */
    ck_assert_int_eq(filch_closure_make(&closure, &identity_callable, &value, destroy_int),
                     FILCH_OK);
    filch_closure second = filch_closure_retain(&closure);
    ck_assert_int_eq(filch_closure_call(&second, &out), FILCH_OK);
    filch_closure_release(&closure);
    ck_assert_int_eq(atomic_load(&destroyed), 1);
    ck_assert_int_eq(filch_apply(pool, &second, &out), FILCH_OK);
    filch_closure_release(&second);
    filch_closure_release(&second);
    ck_assert_int_eq(atomic_load(&destroyed), 2);
    /* refused */
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_closure_make(&closure, &identity_callable, &value, destroy_int),
                     FILCH_OK);
    ck_assert_int_eq(filch_apply_async(pool, &closure, &future), FILCH_ECLOSED);
    ck_assert_ptr_null(future);
    ck_assert_int_eq(atomic_load(&destroyed), 2);
    filch_closure_release(&closure);
    ck_assert_int_eq(atomic_load(&destroyed), 3);
    pool_closed(pool);
}
END_TEST

START_TEST(owned_captures_of_cancelled_tasks_are_destroyed_once)
{
    filch_pool *pool = pool_opened(_i);
    filch_closure closure;
    int value = 3;
    enum { TASKS = 50 };
    filch_future *futures[TASKS];
    atomic_store(&destroyed, 0);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(filch_closure_make(&closure, &identity_callable, &value, destroy_int),
                         FILCH_OK);
        ck_assert_int_eq(filch_apply_async(pool, &closure, &futures[i]), FILCH_OK);
        filch_closure_release(&closure);
    }
    for (int i = 0; i < TASKS; i += 2) {
        filch_future_cancel(futures[i]);
    }
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(atomic_load(&destroyed), TASKS);
    for (int i = 0; i < TASKS; i++) {
        ck_assert(filch_future_ready(futures[i]));
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(large_captures_work)
{
    filch_pool *pool = pool_opened(_i);
    long out = 0;
    filch_future *future;
    ck_assert_int_eq(eight_apply(pool, 1, 2, 3, 4, 5, 6, 7, 8, &out), FILCH_OK);
    ck_assert_int_eq(out, 36);
    ck_assert_int_eq(eight_apply_async(pool, 1, 2, 3, 4, 5, 6, 7, 8, &future), FILCH_OK);
    ck_assert_int_eq(eight_get(future, &out), FILCH_OK);
    ck_assert_int_eq(out, 36);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

START_TEST(functions_of_nothing_and_of_text_work)
{
    filch_pool *pool = pool_opened(_i);
    const char *out = NULL;
    filch_future *future;
    ck_assert_int_eq(nothing_apply(pool), FILCH_OK);
    ck_assert_int_eq(nothing_apply_async(pool, &future), FILCH_OK);
    ck_assert_int_eq(nothing_get(future), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(nothing_map(pool, 100), FILCH_OK);
    ck_assert_int_eq(text_apply(pool, "hello", &out), FILCH_OK);
    ck_assert_str_eq(out, "hello");
    pool_closed(pool);
}
END_TEST

static int plain_function(void *environment)
{
    return *(int *)environment + 1;
}

START_TEST(plain_functions_become_closures)
{
    filch_pool *pool = pool_opened(_i);
    int environment = 41;
    int out = 0;
    filch_closure closure = filch_closure_of(plain_function, &environment);
    ck_assert_int_eq(filch_apply(pool, &closure, &out), FILCH_OK);
    ck_assert_int_eq(out, 42);
    filch_closure empty = filch_closure_of(NULL, NULL);
    ck_assert_int_eq(filch_apply(pool, &empty, &out), FILCH_EINVAL);
    ck_assert_str_eq(filch_closure_name(&empty), "");
    ck_assert_str_eq(filch_closure_doc(NULL), "");
    pool_closed(pool);
}
END_TEST

START_TEST(raising_outside_of_tasks_only_returns)
{
    ck_assert_int_eq(filch_raise(5, "unheard %d", 1), 5);
    ck_assert_int_eq(filch_raise(0, NULL), -1);
}
END_TEST

START_TEST(long_messages_are_cut)
{
    filch_promise *promise;
    filch_future *future;
    filch_error error;
    char message[1000];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    ck_assert_int_eq(filch_promise_new(0, &promise, &future), FILCH_OK);
    ck_assert_int_eq(filch_promise_set_error(promise, 0, message), FILCH_OK);
    ck_assert_int_eq(filch_future_error(future, &error), FILCH_OK);
    ck_assert_int_eq(error.code, -1);
    ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
    filch_promise_free(promise);
    filch_future_free(future);
}
END_TEST

START_TEST(every_status_has_a_text)
{
    for (int status = FILCH_OK; status <= FILCH_ENOSYS; status++) {
        ck_assert_str_ne(filch_strerror((filch_status)status), "unknown status");
    }
    ck_assert_str_eq(filch_strerror((filch_status)999), "unknown status");
    ck_assert_str_eq(filch_version(), FILCH_VERSION_STRING);
}
END_TEST

/* ---- threads and memory that the system does not give ---- */

START_TEST(threads_that_cannot_be_made_are_reported)
{
    filch_pool *pool = NULL;
    filch_pool_options eager = {.processes = 4, .eager_threads = 1};
    pool_closed(pool_opened(0));
    long before = allocations_alive();
    long calls = calls_so_far();
    ck_assert_int_eq(filch_pool_open(&eager, &pool), FILCH_OK);
    long needed = calls_so_far() - calls;
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    int refused = 0;
    for (long k = 1; k <= needed; k++) {
        fail_call(k);
        filch_status status = filch_pool_open(&eager, &pool);
        fail_call(0);
        if (status == FILCH_OK) { /* a pool's thread, not the opener, asked for more */
            ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
        } else {
            ck_assert(status == FILCH_EAGAIN || status == FILCH_ENOMEM);
            ck_assert_ptr_null(pool);
            refused++;
        }
        ck_assert_int_eq(allocations_alive(), before);
    }
    ck_assert_int_ge(refused, 4);
}
END_TEST

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
/* Root ignores the limit on threads: an unprivileged child meets it. */
static int without_threads(void)
{
    struct rlimit none = {1, 1};
    filch_pool *pool;
    int in[3] = {1, 2, 3};
    int out[3] = {0};
    if (setuid(65534) != 0 || setrlimit(RLIMIT_NPROC, &none) != 0) {
        return 1;
    }
    filch_pool_options eager = {.processes = 3, .eager_threads = 1};
    if (filch_pool_open(&eager, &pool) != FILCH_EAGAIN || pool) {
        return 2;
    }
    if (filch_pool_open(&(filch_pool_options){.processes = 3}, &pool) != FILCH_OK) {
        return 3;
    }
    if (identity_map(pool, in, 3, out) != FILCH_OK || out[2] != 3) {
        return 4; /* the caller does it all */
    }
    if (identity_apply_async(pool, 1, NULL) != FILCH_EAGAIN) {
        return 5;
    }
    return filch_pool_free(pool) == FILCH_OK ? 0 : 6;
}

START_TEST(a_pool_works_without_any_thread)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(without_threads());
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST
#endif

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
static int without_end(volatile int *depth);

FILCH_FUNCTION(int, overflows, (int, depth))
{
    volatile int counter = depth;
    return without_end(&counter);
}

static int without_end(volatile int *depth)
{
    volatile char frame[512];
    frame[0] = (char)*depth;
    *depth += 1;
    if (*depth < 0) {
        return 0; /* it never comes to that */
    }
    return without_end(depth) + frame[0];
}

static void overflow(filch_pool *pool)
{
    any_status(overflows_apply_async(pool, 0, NULL));
    filch_sleep(100);
}

static void send_itself_sigsegv(filch_pool *pool)
{
    (void)pool;
    kill(getpid(), SIGSEGV);
    filch_sleep(100);
}

/* How the child ended that did this, and what it wrote to standard error. */
static int ended_in_a_child(filch_pool_options options, void (*does)(filch_pool *pool), char *line,
                            size_t bytes)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        filch_pool *pool;
        dup2(ends[1], STDERR_FILENO);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        any_status(filch_pool_open(&options, &pool));
        does(pool);
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], line, bytes - 1);
    for (ssize_t more = length; more > 0 && length < (ssize_t)bytes - 1; length += more) {
        more = read(ends[0], line + length, bytes - 1 - (size_t)length);
    }
    line[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

START_TEST(a_stack_overflow_names_its_task)
{
    char line[500];
    int status =
        ended_in_a_child((filch_pool_options){.processes = 1}, overflow, line, sizeof line);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_msg(strstr(line, "stack overflow in task overflows (") == line + 7, "%s", line);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(a_stack_overflow_is_silent_if_the_signal_is_left_alone)
{
    char line[500];
    filch_pool_options options = {.processes = 1, .leave_sigsegv = 1};
    int status = ended_in_a_child(options, overflow, line, sizeof line);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_str_eq(line, "");
}
END_TEST

START_TEST(a_segmentation_fault_that_is_sent_ends_the_process_as_ever)
{
    char line[500];
    filch_pool_options options = {.processes = 1};
    int status = ended_in_a_child(options, send_itself_sigsegv, line, sizeof line);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    ck_assert_str_eq(line, "");
}
END_TEST
#endif

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_FUNCTION(int, naps_and_forks, (int, n))
{
    filch_sleep(0.0001);
    return (int)fib(n);
}

static bool acceptable(filch_status status)
{
    return status == FILCH_OK || status == FILCH_ENOMEM || status == FILCH_EAGAIN;
}

/* A little of everything. False: a result is wrong. */
static bool scenario(unsigned workers)
{
    filch_pool *pool;
    filch_pool_options options = {.processes = workers};
    if (filch_pool_open(&options, &pool) != FILCH_OK) {
        return pool == NULL;
    }
    enum { N = 40 };
    int in[N];
    int out[N];
    long total = 0;
    int one = 0;
    bool right = true;
    for (int i = 0; i < N; i++) {
        in[i] = 10;
    }
    filch_status status = naps_and_forks_map(pool, in, N, out);
    right &= acceptable(status) && (status != FILCH_OK || out[N - 1] == 55);
    status = fib_apply(pool, 15, &total);
    right &= acceptable(status) && (status != FILCH_OK || total == 610);
    filch_future *future = NULL;
    status = naps_and_forks_apply_async(pool, 10, &future);
    right &= acceptable(status) && (status == FILCH_OK) == (future != NULL);
    if (future) {
        status = naps_and_forks_get(future, &one);
        right &= acceptable(status) && (status != FILCH_OK || one == 55);
        filch_future_free(future);
    }
    status = eight_apply(pool, 1, 2, 3, 4, 5, 6, 7, 8, &total);
    right &= acceptable(status) && (status != FILCH_OK || total == 36);
    status = add_reduce(pool, in, N, 0, &one);
    right &= acceptable(status) && (status != FILCH_OK || one == 400);
    return right && filch_pool_free(pool) == FILCH_OK;
}

START_TEST(every_request_to_the_system_may_fail_once)
{
    ck_assert(scenario(workers_of(_i)));
    long before = allocations_alive();
    long calls = calls_so_far();
    ck_assert(scenario(workers_of(_i)));
    long needed = calls_so_far() - calls;
    ck_assert_int_gt(needed, 5);
    for (long k = 1; k <= needed + 20; k++) {
        fail_call(k);
        bool right = scenario(workers_of(_i));
        fail_call(0);
        ck_assert_msg(right, "call %ld of %ld", k, needed);
        ck_assert_int_eq(allocations_alive(), before);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, null_is_refused_and_null_frees_do_nothing);
    tcase_add_loop_test(tcase, no_elements_succeed_and_run_nothing, 0, WORKER_SWEEP);
    tcase_add_test(tcase, sizes_that_overflow_are_refused_before_anything_is_touched);
    tcase_add_test(tcase, an_explicit_chunk_size_below_one_is_refused);
    tcase_add_test(tcase, absurd_options_are_refused);
    tcase_add_test(tcase, strange_times_are_defined);
    tcase_add_test(tcase, a_deadline_of_any_number_has_passed_or_comes_or_never_does);
    tcase_add_test(tcase, none_that_waits_for_ever_times_out);
    tcase_add_loop_test(tcase, owned_captures_are_destroyed_once_on_every_path, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, owned_captures_of_cancelled_tasks_are_destroyed_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, large_captures_work, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, functions_of_nothing_and_of_text_work, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, plain_functions_become_closures, 0, WORKER_SWEEP);
    tcase_add_test(tcase, raising_outside_of_tasks_only_returns);
    tcase_add_test(tcase, long_messages_are_cut);
    tcase_add_test(tcase, every_status_has_a_text);
    tcase_add_test(tcase, threads_that_cannot_be_made_are_reported);
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    tcase_add_test(tcase, a_pool_works_without_any_thread);
    tcase_add_test(tcase, a_stack_overflow_names_its_task);
    tcase_add_test(tcase, a_stack_overflow_is_silent_if_the_signal_is_left_alone);
    tcase_add_test(tcase, a_segmentation_fault_that_is_sent_ends_the_process_as_ever);
#endif
    tcase_add_loop_test(tcase, every_request_to_the_system_may_fail_once, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
