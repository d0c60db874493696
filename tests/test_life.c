/* What pools take that come and go: threads, stacks, system calls. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <filch/filch.h>

#include "os/os.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "stack/sanitize.h"
#include "stack/slab.h"
#include "fixture.h"

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

/* A thread of the pool runs it: one that waits with a deadline does not. */
static void run_elsewhere(filch_pool *pool)
{
    filch_future *future;
    int result = 0;
    ck_assert_int_eq(twice_apply_async(pool, 4, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    ck_assert_int_eq(twice_get(future, &result), FILCH_OK);
    ck_assert_int_eq(result, 8);
    filch_future_free(future);
}

static unsigned threads_of(filch_pool *pool)
{
    return atomic_load(&pool->thread_count);
}

static atomic_bool holds_threads;

void __real_filch_os_thread_begin(const char *name);
void __wrap_filch_os_thread_begin(const char *name);
void __wrap_filch_os_thread_begin(const char *name)
{
    while (atomic_load(&holds_threads)) {
        filch_os_yield();
    }
    __real_filch_os_thread_begin(name);
}

/* Until it has begun there is no use for a second one, which would find the same. */
START_TEST(tasks_that_come_before_the_first_thread_has_begun_have_no_other_made)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[3];
    atomic_store(&holds_threads, true);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(threads_of(pool), i > 0);
        ck_assert_int_eq(twice_apply_async(pool, i, &futures[i]), FILCH_OK);
    }
    ck_assert_uint_eq(threads_of(pool), 1);
    atomic_store(&holds_threads, false);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(filch_future_wait_until(futures[i], filch_in(100)), FILCH_OK);
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(what_runs_where_it_is_called_has_none_made)
{
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(twice_apply(pool, 4, &result), FILCH_OK);
    ck_assert_uint_eq(threads_of(pool), 0);
    pool_closed(pool);
}
END_TEST

/* ---- stacks ---- */

static size_t mapped_now(void)
{
    size_t mapped;
    filch_memory_held(NULL, &mapped);
    return mapped;
}

/* Does the system tell which memory was touched? If not, none is kept. */
static bool system_tells(void)
{
    size_t page = filch_os_page_bytes();
    void *fresh = filch_os_map(page);
    bool tells = !filch_os_is_resident(fresh, page);
    filch_os_unmap(fresh, page);
    return tells;
}

/* With one core, so that there is one stack, too, whichever of its threads are made. */
static filch_pool *opened(void)
{
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 1}, &pool), FILCH_OK);
    return pool;
}

static void come_and_go(void)
{
    filch_pool *pool = opened();
    run_elsewhere(pool);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}

START_TEST(a_stack_that_was_hardly_used_is_the_next_pools)
{
    come_and_go();
    size_t kept = mapped_now();
    ck_assert_int_eq(kept > 0, system_tells());
    for (int i = 0; i < 10; i++) {
        come_and_go();
        ck_assert_uint_eq(mapped_now(), kept);
    }
}
END_TEST

START_TEST(a_stack_of_another_size_is_not)
{
    come_and_go();
    size_t kept = mapped_now();
    filch_pool *pool;
    ck_assert_int_eq(
        filch_pool_open(&(filch_pool_options){.processes = 1, .stack_bytes = 1 << 20}, &pool),
        FILCH_OK);
    run_elsewhere(pool);
    ck_assert_uint_gt(mapped_now(), kept);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_uint_eq(mapped_now(), kept);
}
END_TEST

FILCH_FUNCTION(int, deep, (int, bytes))
{
    volatile char room[4096];
    room[0] = (char)bytes;
    return bytes > 0 ? deep(bytes - (int)sizeof room) + room[0] : 0;
}

START_TEST(a_stack_that_was_used_is_given_back)
{
    filch_pool *pool = opened();
    filch_future *future;
    ck_assert_int_eq(deep_apply_async(pool, 200 << 10, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_uint_eq(mapped_now(), 0);
}
END_TEST

FILCH_FUNCTION(int, what_lies_below, (int, pipe))
{
    struct filch_fiber *fiber = filch_fiber_self();
    return write(pipe, (const char *)fiber->stack.low - 1, 1) == 1 ? 0 : errno;
}

START_TEST(a_kept_stack_has_its_guard)
{
    int ends[2];
    int error = 0;
    filch_future *future;
    come_and_go();
    filch_pool *pool = opened();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(what_lies_below_apply_async(pool, ends[1], &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    ck_assert_int_eq(what_lies_below_get(future, &error), FILCH_OK);
    ck_assert_int_eq(error, EFAULT);
    filch_future_free(future);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* A search for deadlocks may look at it before it is furnished. */
START_TEST(a_kept_stack_is_nothing_until_it_is_taken)
{
    static const char zero[FILCH_STACK_HEADER_BYTES];
    come_and_go();
    filch_pool *pool = opened();
    struct filch_slab *slab;
    filch_lock_acquire(&pool->stacks.lock, FILCH_RANK_STACKS);
    struct filch_stack *stack =
        filch_slab_carve_locked(&pool->stacks, &pool->stacks.stocks[0], &slab);
    filch_lock_release(&pool->stacks.lock);
    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(memcmp(stack, zero, sizeof zero), 0);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

FILCH_FUNCTION(int, handles_faults, (void **, stack))
{
    stack_t here;
    *stack = sigaltstack(NULL, &here) == 0 ? here.ss_sp : NULL;
    return !(here.ss_flags & SS_DISABLE);
}

static void *stack_for_faults(void)
{
    filch_pool *pool = opened();
    filch_future *future;
    void *stack;
    int handles = 0;
    ck_assert_int_eq(handles_faults_apply_async(pool, &stack, &future), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
    ck_assert_int_eq(handles_faults_get(future, &handles), FILCH_OK);
    filch_future_free(future);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_int_eq(handles, !FILCH_SANITIZES_STACKS);
    return stack;
}

START_TEST(threads_that_follow_each_other_handle_faults_on_one_stack)
{
    void *first = stack_for_faults();
    if (!FILCH_SANITIZES_STACKS) {
        ck_assert_ptr_eq(stack_for_faults(), first);
    }
}
END_TEST

/* ---- dumps ---- */

static atomic_bool refuses_poll;

int __real_poll(struct pollfd *files, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *files, nfds_t count, int timeout)
{
    errno = EPERM;
    return atomic_load(&refuses_poll) ? -1 : __real_poll(files, count, timeout);
}

static bool is_dumped(struct filch_process *process)
{
    filch_lock_acquire(&process->dump_lock, FILCH_RANK_DUMP);
    bool is = process->dump_signal != 0;
    filch_lock_release(&process->dump_lock);
    return is;
}

/* The lowest descriptor that is free. */
static int next_file(void)
{
    int next = dup(0);
    close(next);
    return next;
}

START_TEST(a_dumper_that_cannot_wait_leaves_no_files_behind)
{
    int next[4];
    atomic_store(&refuses_poll, true);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(filch_dump_on_signal(SIGUSR2), FILCH_OK);
        while (is_dumped(filch_process())) {
            filch_os_yield();
        }
        next[i] = next_file();
    }
    atomic_store(&refuses_poll, false);
    ck_assert_int_eq(next[3], next[0]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("life");
    TCase *tcase = tcase_create("life");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, tasks_that_come_before_the_first_thread_has_begun_have_no_other_made,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_runs_where_it_is_called_has_none_made, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_stack_that_was_hardly_used_is_the_next_pools);
    tcase_add_test(tcase, a_stack_of_another_size_is_not);
    tcase_add_test(tcase, a_stack_that_was_used_is_given_back);
    tcase_add_test(tcase, a_kept_stack_has_its_guard);
    tcase_add_test(tcase, a_kept_stack_is_nothing_until_it_is_taken);
    tcase_add_test(tcase, threads_that_follow_each_other_handle_faults_on_one_stack);
    tcase_add_test(tcase, a_dumper_that_cannot_wait_leaves_no_files_behind);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
