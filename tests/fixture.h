/* fixture: what the suites share.
 *
 * A looped test runs once for each of WORKER_SWEEP numbers of workers: 1, 2, 3 and twice the
 * processors. pool_opened(_i) gives it a pool of that size; pool_closed() frees the pool and fails
 * the test if a fiber is still alive or an allocation of the library is left. */
#ifndef FILCH_TESTS_FIXTURE_H
#define FILCH_TESTS_FIXTURE_H

#include <check.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/filch.h>

enum { WORKER_SWEEP = 4 };

unsigned workers_of(int sweep);
filch_pool *pool_opened(int sweep);
filch_pool *pool_opened_with(const filch_pool_options *options);
void pool_closed(filch_pool *pool);

/* Allocations of the library and the test that are alive now, thread records aside. */
long allocations_alive(void);

/* The call of malloc and its relatives, mmap, thrd_create or the guard that fails next: 1 is the
 * next call, 0 none. All kinds share one count. */
void fail_call(long number);

/* The same for all calls of these kinds from there on; 0: none any more. */
enum { FAIL_MEMORY = 1, FAIL_MAPS = 2, FAIL_THREADS = 4 };
void fail_calls_from(long number, int kinds);

long calls_so_far(void);

/* So many of the next threads are refused; how many have been. */
void refuse_threads(long count);
long threads_refused(void);

/* So many more are granted, and all after these refused, until refuse_threads(0). */
void grant_threads(long count);

/* How often the library asked the system to wake a thread. */
long wakes_so_far(void);

/* ck_assert_int_eq for the insides of long loops: Check writes a message for each assertion that
 * holds, this one does not. */
#define check_int_eq(is, wanted)                                                                   \
    do {                                                                                           \
        const intmax_t check_is = (is);                                                            \
        if (check_is != (wanted)) {                                                                \
            ck_assert_int_eq(check_is, wanted);                                                    \
        }                                                                                          \
    } while (0)

/* Of a call that may end in any way, or not at all. */
static inline void any_status(filch_status status)
{
    (void)status;
}

/* Run one suite from main(). */
int run_suite(Suite *suite);

/* Wait, without sleeping, until *flag is at least `value`; a test that hangs is ended by Check. */
void await(atomic_int *flag, int value);

#endif
