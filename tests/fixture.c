#define _GNU_SOURCE
#define FILCH_SHADOW_MEMORY_OFF
#include "fixture.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <threads.h>

#include "os/os.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "stack/stack.h"
#include "shadow/memory.h"
#include "sched/thread.h"

static atomic_long alive;
static atomic_long calls;
static atomic_long failing;      /* the number of the call that fails */
static atomic_long failing_from; /* the number from which on all of these kinds fail; 0: none */
static atomic_int failing_kinds;
static long alive_before;
int counted_blocks_are_kept;

void fail_call(long number)
{
    atomic_store(&failing, number > 0 ? atomic_load(&calls) + number : 0);
}

static atomic_long refusals_left;
static atomic_long grants_left;
static atomic_long refusals;

void refuse_threads(long count)
{
    atomic_store(&refusals_left, count);
}

long threads_refused(void)
{
    return atomic_load(&refusals);
}

void grant_threads(long count)
{
    atomic_store(&grants_left, count);
    refuse_threads(LONG_MAX);
}

static bool refuses_thread(void)
{
    if (atomic_load(&grants_left) > 0 && atomic_fetch_sub(&grants_left, 1) > 0) {
        return false;
    }
    long left = atomic_load(&refusals_left);
    while (left > 0 && !atomic_compare_exchange_weak(&refusals_left, &left, left - 1)) {
    }
    atomic_fetch_add(&refusals, left > 0);
    return left > 0;
}

long calls_so_far(void)
{
    return atomic_load(&calls);
}

void fail_calls_from(long number, int kinds)
{
    atomic_store(&failing_kinds, kinds);
    atomic_store(&failing_from, number > 0 ? atomic_load(&calls) + number : 0);
}

static bool fails(int kind)
{
    long call = atomic_fetch_add(&calls, 1) + 1;
    long from = atomic_load(&failing_from);
    return call == atomic_load(&failing) ||
           (from && call >= from && (atomic_load(&failing_kinds) & kind));
}

/* The library's calls, by way of shadow/memory.h. */

static void *counted(void *memory)
{
    atomic_fetch_add(&alive, memory != NULL);
    return memory;
}

void *counted_malloc(size_t bytes)
{
    return fails(FAIL_MEMORY) ? NULL : counted(malloc(bytes));
}

void *counted_calloc(size_t n, size_t bytes)
{
    return fails(FAIL_MEMORY) ? NULL : counted(calloc(n, bytes));
}

void *counted_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails(FAIL_MEMORY) ? NULL : counted(aligned_alloc(alignment, bytes));
}

void counted_free(void *memory)
{
    atomic_fetch_sub(&alive, memory != NULL);
    free(memory);
}

void *counted_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fails(FAIL_MAPS) ? MAP_FAILED : mmap(at, bytes, protection, flags, fd, offset);
}

int counted_thrd_create(thrd_t *thread, thrd_start_t main, void *argument)
{
    bool refused = fails(FAIL_THREADS) || refuses_thread();
    return refused ? thrd_error : thrd_create(thread, main, argument);
}

static atomic_long wakes;

void __real_filch_os_wake(_Atomic(uint32_t) *word, int count);
void __wrap_filch_os_wake(_Atomic(uint32_t) *word, int count);

void __wrap_filch_os_wake(_Atomic(uint32_t) *word, int count)
{
    atomic_fetch_add(&wakes, 1);
    __real_filch_os_wake(word, count);
}

long wakes_so_far(void)
{
    return atomic_load(&wakes);
}

/* Thread records are kept for the life of the process (thread.h). */
static long thread_records(void)
{
    long count = 0;
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    for (struct filch_thread *t = process->spare_threads; t; t = t->next) {
        count += 1 + (t->fault_stack != NULL);
    }
    filch_lock_release(&process->lock);
    return count;
}

long allocations_alive(void)
{
    return atomic_load(&alive) - thread_records();
}

unsigned workers_of(int sweep)
{
    const unsigned counts[WORKER_SWEEP] = {1, 2, 3, 2 * filch_cpu_count()};
    return counts[sweep];
}

filch_pool *pool_opened(int sweep)
{
    return pool_opened_with(&(filch_pool_options){.processes = workers_of(sweep)});
}

filch_pool *pool_opened_with(const filch_pool_options *options)
{
    filch_pool *pool;
    filch_thread_self(); /* this thread's record is made now, not between the counts */
    alive_before = allocations_alive();
    ck_assert_int_eq(filch_pool_open(options, &pool), FILCH_OK);
    return pool;
}

void pool_closed(filch_pool *pool)
{
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_uint_eq(pool->stacks.live_count, 0);
    ck_assert_uint_eq(filch_pool_running(pool), 0);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    /* What is kept for reuse is not given back yet. */
    ck_assert_int_eq(counted_blocks_are_kept ? alive_before : allocations_alive(), alive_before);
}

int run_suite(Suite *suite)
{
    counted_blocks_are_kept = getenv("KEEP_BLOCKS") != NULL;
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void await(atomic_int *flag, int value)
{
    while (atomic_load(flag) < value) {
        sched_yield();
    }
}
