/* Read-write locks: which callers are in together, which wait, and in what order all are served. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "sched/pool.h"

enum { TASKS = 40, TIMES = 50, LONG_NS = 2000000 };

static filch_rwlock rwlock;
static atomic_int arrived;
static atomic_int readers;
static atomic_int writers;
static atomic_int wrong;
static atomic_int may_end;
static int plain_count; /* the lock */

/* While no thread is at it: how many are in, and the flags. */
static unsigned word(void)
{
    unsigned bits;
    memcpy(&bits, &rwlock, sizeof bits);
    return bits;
}

static void start_anew(void)
{
    rwlock = (filch_rwlock)FILCH_RWLOCK_INIT;
    atomic_store(&arrived, 0);
    atomic_store(&readers, 0);
    atomic_store(&writers, 0);
    atomic_store(&wrong, 0);
    atomic_store(&may_end, 0);
    plain_count = 0;
}

static void reads(bool yields)
{
    wrong += filch_rwlock_lock_shared(&rwlock) != FILCH_OK;
    atomic_fetch_add(&readers, 1);
    int seen = plain_count;
    if (yields) {
        filch_yield();
    }
    wrong += writers != 0 || plain_count != seen;
    atomic_fetch_sub(&readers, 1);
    wrong += filch_rwlock_unlock_shared(&rwlock) != FILCH_OK;
}

static void writes(bool yields)
{
    wrong += filch_rwlock_lock(&rwlock) != FILCH_OK;
    wrong += atomic_fetch_add(&writers, 1) != 0 || readers != 0;
    plain_count++;
    if (yields) {
        filch_yield();
    }
    atomic_fetch_sub(&writers, 1);
    wrong += filch_rwlock_unlock(&rwlock) != FILCH_OK;
}

FILCH_LOOP(reads_and_writes, (size_t, i))
{
    for (size_t t = 0; t < TIMES; t++) {
        if ((i + t) % 5 == 0) {
            writes((i + t) % 10 == 0);
        } else {
            reads((i + t) % 3 == 0);
        }
    }
}

static int thread_reads_and_writes(void *unused)
{
    (void)unused;
    reads_and_writes(0);
    return 0;
}

START_TEST(nothing_changes_for_readers_and_writers_are_alone)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t thread;
    start_anew();
    ck_assert_int_eq(thrd_create(&thread, thread_reads_and_writes, NULL), thrd_success);
    ck_assert_int_eq(reads_and_writes_for(pool, TASKS), FILCH_OK);
    thrd_join(thread, NULL);
    ck_assert_int_eq(plain_count, (TASKS + 1) * TIMES / 5);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(filch_rwlock_lock_until(&rwlock, filch_in(0)),
                     FILCH_OK); /* none has been left in */
    pool_closed(pool);
}
END_TEST

/* ---- the order ---- */

enum { LINE = 7 };
static const char line_of[LINE + 1] = "RWRRWWR"; /* R: comes to read, W: to write */
static atomic_int turn;

/* How many had been let in before it. A reader stays until all let in with it are there. */
FILCH_FUNCTION(int, comes, (int, number), (int, together))
{
    bool shared = line_of[number] == 'R';
    atomic_fetch_add(&arrived, 1);
    wrong += (shared ? filch_rwlock_lock_shared(&rwlock) : filch_rwlock_lock(&rwlock)) != FILCH_OK;
    wrong += !shared &&
             filch_rwlock_lock_until(&rwlock, filch_in(0)) != FILCH_EDEADLK; /* it is the owner */
    int before = atomic_fetch_add(&turn, 1);
    while (turn < together) {
        filch_yield();
    }
    wrong += turn > together;
    wrong +=
        (shared ? filch_rwlock_unlock_shared(&rwlock) : filch_rwlock_unlock(&rwlock)) != FILCH_OK;
    return before;
}

static void lock_and_have_them_come(filch_pool *pool, filch_future *futures[])
{
    static const int together[LINE] = {1, 2, 4, 4, 5, 6, 7}; /* so many are through by then */
    start_anew();
    atomic_store(&turn, 0);
    ck_assert_int_eq(filch_rwlock_lock(&rwlock), FILCH_OK);
    for (int i = 0; i < LINE; i++) {
        ck_assert_int_eq(comes_apply_async(pool, i, together[i], &futures[i]), FILCH_OK);
        await(&arrived, i + 1);
        while (filch_pool_running(pool) > 0) {
            filch_yield(); /* until no task runs: this one is in line */
        }
    }
}

START_TEST(all_are_served_in_order_and_readers_side_by_side_together)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[LINE];
    lock_and_have_them_come(pool, futures);
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
    for (int i = 0; i < LINE; i++) {
        int before = -1;
        ck_assert_int_eq(comes_get(futures[i], &before), FILCH_OK);
        ck_assert(before == i || ((i == 2 || i == 3) && (before == 2 || before == 3)));
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

/* Those in line have waited for longer than they may be passed over. */
START_TEST(those_that_have_waited_for_long_are_all_served_before_one_that_comes)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[LINE];
    lock_and_have_them_come(pool, futures);
    for (double until = filch_now() + 1e-9 * LONG_NS; filch_now() < until;) {
        filch_yield();
    }
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock(&rwlock), FILCH_OK);
    ck_assert_int_eq(turn, LINE);
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
    for (int i = 0; i < LINE; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, locks_until, (bool, shared), (filch_deadline, deadline))
{
    atomic_fetch_add(&arrived, 1);
    filch_status status = shared ? filch_rwlock_lock_shared_until(&rwlock, deadline)
                                 : filch_rwlock_lock_until(&rwlock, deadline);
    if (status == FILCH_OK) {
        if (!shared) {
            plain_count++;
        }
        status = shared ? filch_rwlock_unlock_shared(&rwlock) : filch_rwlock_unlock(&rwlock);
    }
    return (int)status;
}

static filch_future *one_comes(filch_pool *pool, bool shared, filch_deadline deadline)
{
    filch_future *future;
    int before = arrived;
    ck_assert_int_eq(locks_until_apply_async(pool, shared, deadline, &future), FILCH_OK);
    await(&arrived, before + 1);
    while (filch_pool_running(pool) > 0) {
        filch_yield();
    }
    return future;
}

static void one_ends(filch_future *future, filch_status wanted)
{
    int status = -1;
    ck_assert_int_eq(filch_future_get(future, &status, sizeof status), FILCH_OK);
    ck_assert_int_eq(status, wanted);
    filch_future_free(future);
}

/* True: it was taken again before the waiter came to it, which is served all the same. */
static bool passes_by_one(filch_pool *pool, bool shared)
{
    start_anew();
    ck_assert_int_eq(filch_rwlock_lock(&rwlock), FILCH_OK);
    filch_future *waiter = one_comes(pool, false, filch_never());
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
    ck_assert_int_eq(shared ? filch_rwlock_lock_shared(&rwlock) : filch_rwlock_lock(&rwlock),
                     FILCH_OK);
    bool passed = plain_count == 0;
    ck_assert_int_eq(shared ? filch_rwlock_unlock_shared(&rwlock) : filch_rwlock_unlock(&rwlock),
                     FILCH_OK);
    one_ends(waiter, FILCH_OK);
    ck_assert_int_eq(plain_count, 1);
    return passed;
}

START_TEST(one_that_runs_may_pass_by_one_that_is_woken)
{
    filch_pool *pool = pool_opened(_i);
    for (int shared = 0; shared < 2; shared++) {
        while (!passes_by_one(pool, shared)) {
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_writer_that_waits_keeps_new_readers_out)
{
    filch_pool *pool = pool_opened(_i);
    start_anew();
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    filch_future *writer = one_comes(pool, false, filch_never());
    ck_assert_int_eq(filch_rwlock_lock_shared_until(&rwlock, filch_in(0)), FILCH_ETIMEDOUT);
    filch_future *reader = one_comes(pool, true, filch_never());
    ck_assert_int_eq(plain_count, 0);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    one_ends(writer, FILCH_OK);
    one_ends(reader, FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_shared_until(&rwlock, filch_in(0)), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(readers_behind_a_writer_that_gives_up_are_let_in)
{
    filch_pool *pool = pool_opened(_i);
    start_anew();
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    filch_future *late = one_comes(pool, false, filch_in(0.02));
    filch_future *stopped = one_comes(pool, false, filch_never());
    filch_future *reader = one_comes(pool, true, filch_never());
    one_ends(late, FILCH_ETIMEDOUT);
    ck_assert(!filch_future_ready(reader));
    ck_assert_int_eq(filch_future_cancel(stopped), FILCH_OK);
    one_ends(stopped, FILCH_ECANCELED);
    one_ends(reader, FILCH_OK); /* while we read */
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(a_turn_that_meets_a_time_out_is_not_lost)
{
    filch_pool *pool = pool_opened(_i);
    start_anew();
    for (int round = 0; round < 200; round++) {
        filch_future *futures[3];
        ck_assert_int_eq(filch_rwlock_lock(&rwlock), FILCH_OK);
        for (int i = 0; i < 3; i++) {
            filch_deadline deadline = filch_in(1e-5 * ((round + 3 * i) % 10));
            ck_assert_int_eq(
                locks_until_apply_async(pool, (round + i) % 3 > 0, deadline, &futures[i]),
                FILCH_OK);
        }
        filch_sleep(1e-5 * (round % 7));
        ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
            filch_future_free(futures[i]);
        }
        ck_assert_int_eq(filch_rwlock_lock_until(&rwlock, filch_in(0)), FILCH_OK);
        ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
        ck_assert_uint_eq(word(), 0); /* no flag is left either */
    }
    pool_closed(pool);
}
END_TEST

/* ---- mistakes, and ends ---- */

START_TEST(a_lock_knows_its_writer_and_what_it_is_not)
{
    start_anew();
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_lock(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_until(&rwlock, filch_in(0)), FILCH_EDEADLK);
    ck_assert_int_eq(filch_rwlock_lock_shared_until(&rwlock, filch_in(0)), FILCH_EDEADLK);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_until(&rwlock, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_rwlock_lock_until(&rwlock, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_uint_eq(word() % 16, 0); /* no flag is left */
    ck_assert_int_eq(filch_rwlock_unlock(&rwlock), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_lock_shared(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_unlock(NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_rwlock_unlock_shared(NULL), FILCH_EINVAL);
}
END_TEST

START_TEST(too_many_readers_are_refused)
{
    const uint32_t full = (uint32_t)1 << 31; /* 2^27 readers, see rwlock.c */
    start_anew();
    memcpy(&rwlock, &full, sizeof full);
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    ck_assert_int_eq(memcmp(&rwlock, &full, sizeof full), 0); /* none was counted twice */
}
END_TEST

static filch_rwlock pair[2];

FILCH_FUNCTION(int, writes_one_and_wants_the_other, (int, me), (bool, shared))
{
    check_int_eq(filch_rwlock_lock(&pair[me]), FILCH_OK);
    atomic_fetch_add(&arrived, 1);
    while (arrived < 2) {
        filch_yield();
    }
    filch_rwlock *other = &pair[1 - me];
    filch_status status = shared ? filch_rwlock_lock_shared(other) : filch_rwlock_lock(other);
    if (status == FILCH_OK) {
        check_int_eq(shared ? filch_rwlock_unlock_shared(other) : filch_rwlock_unlock(other),
                     FILCH_OK);
    }
    filch_rwlock_unlock(&pair[me]);
    return (int)status;
}

static void tell_nothing(void *context, filch_log_level level, const char *message)
{
    (void)context, (void)level, (void)message;
}

/* A thread that filch does not know: it cannot be told that nothing can happen any more. */
static int waits_for_the_end(void *unused)
{
    (void)unused;
    while (!may_end) {
        sched_yield();
    }
    return 0;
}

START_TEST(a_cycle_of_writers_ends)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[2];
    thrd_t unknown;
    start_anew();
    ck_assert_int_eq(thrd_create(&unknown, waits_for_the_end, NULL), thrd_success);
    pair[0] = pair[1] = (filch_rwlock)FILCH_RWLOCK_INIT;
    filch_log_to(tell_nothing, NULL);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(writes_one_and_wants_the_other_apply_async(pool, i, i == 1, &futures[i]),
                         FILCH_OK);
    }
    one_ends(futures[0], FILCH_EDEADLK);
    one_ends(futures[1], FILCH_EDEADLK);
    atomic_store(&may_end, 1);
    thrd_join(unknown, NULL);
    filch_log_to(NULL, NULL);
    pool_closed(pool);
}
END_TEST

struct shared {
    filch_rwlock rwlock;
    atomic_int left;
};

/* Freed, or left as it is: then it is seen whether one has written there since. */
enum { SPOILT = 0xEE };

FILCH_FUNCTION(void, uses_and_frees, (struct shared *, shared), (bool, reads), (bool, frees))
{
    check_int_eq(reads ? filch_rwlock_lock_shared(&shared->rwlock)
                       : filch_rwlock_lock(&shared->rwlock),
                 FILCH_OK);
    if (!reads) {
        filch_yield(); /* the others come to wait */
    }
    bool last = atomic_fetch_sub(&shared->left, 1) == 1;
    if (last) { /* those that are in as well may have to leave yet */
        check_int_eq(reads ? filch_rwlock_unlock_shared(&shared->rwlock)
                           : filch_rwlock_unlock(&shared->rwlock),
                     FILCH_OK);
        check_int_eq(filch_rwlock_lock(&shared->rwlock), FILCH_OK);
        check_int_eq(filch_rwlock_unlock(&shared->rwlock), FILCH_OK);
        memset(shared, SPOILT, sizeof *shared);
        if (frees) {
            free(shared);
        }
    } else {
        check_int_eq(reads ? filch_rwlock_unlock_shared(&shared->rwlock)
                           : filch_rwlock_unlock(&shared->rwlock),
                     FILCH_OK);
    }
}

START_TEST(the_last_one_may_free_it)
{
    filch_pool *pool = pool_opened(_i);
    for (int round = 0; round < 300; round++) {
        struct shared *shared = calloc(1, sizeof *shared);
        filch_future *futures[4];
        bool frees = round % 2;
        shared->left = 4;
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(
                uses_and_frees_apply_async(pool, shared, (round + i) % 4 > 0, frees, &futures[i]),
                FILCH_OK);
        }
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
            filch_future_free(futures[i]);
        }
        for (size_t i = 0; !frees && i < sizeof *shared; i++) {
            ck_assert_uint_eq(((unsigned char *)shared)[i], SPOILT);
        }
        if (!frees) {
            free(shared);
        }
    }
    pool_closed(pool);
}
END_TEST

/* ---- fork() ---- */

FILCH_FUNCTION(void, writes_until_told)
{
    check_int_eq(filch_rwlock_lock(&pair[0]), FILCH_OK);
    atomic_fetch_add(&arrived, 1);
    while (!may_end) {
        filch_yield();
    }
    filch_rwlock_unlock(&pair[0]);
}

/* `rwlock` is the caller's to read, and a task of the parent's waits for it. 0: all is well. */
static int look_in_child(void)
{
    if (filch_rwlock_lock_until(&pair[0], filch_in(10)) != FILCH_EFORKED ||
        filch_rwlock_lock_shared_until(&pair[0], filch_in(10)) != FILCH_EFORKED) {
        return 1;
    }
    if (filch_rwlock_lock_shared_until(&rwlock, filch_in(0)) != FILCH_OK ||
        filch_rwlock_unlock_shared(&rwlock) != FILCH_OK ||
        filch_rwlock_unlock_shared(&rwlock) != FILCH_OK) {
        return 2;
    }
    if (filch_rwlock_lock_until(&rwlock, filch_in(0)) != FILCH_OK ||
        filch_rwlock_lock(&rwlock) != FILCH_EDEADLK || filch_rwlock_unlock(&rwlock) != FILCH_OK) {
        return 3;
    }
    bool known = filch_rwlock_lock(&pair[1]) == FILCH_EDEADLK; /* it was ours before */
    return known && filch_rwlock_unlock(&pair[1]) == FILCH_OK ? 0 : 4;
}

START_TEST(a_child_has_what_its_thread_had_and_waits_for_none_of_the_parent)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *busy;
    int status = -1;
    start_anew();
    pair[0] = pair[1] = (filch_rwlock)FILCH_RWLOCK_INIT;
    ck_assert_int_eq(filch_rwlock_lock(&pair[1]), FILCH_OK);
    ck_assert_int_eq(filch_rwlock_lock_shared(&rwlock), FILCH_OK);
    filch_future *writer = one_comes(pool, false, filch_never());
    ck_assert_int_eq(writes_until_told_apply_async(pool, &busy), FILCH_OK);
    await(&arrived, 2);
    pid_t child = fork();
    if (child == 0) {
        _exit(look_in_child());
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    atomic_store(&may_end, 1);
    ck_assert_int_eq(filch_rwlock_unlock_shared(&rwlock), FILCH_OK);
    one_ends(writer, FILCH_OK);
    ck_assert_int_eq(filch_future_wait(busy), FILCH_OK);
    filch_future_free(busy);
    ck_assert_int_eq(filch_rwlock_unlock(&pair[1]), FILCH_OK);
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rwlock");
    TCase *tcase = tcase_create("rwlock");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, nothing_changes_for_readers_and_writers_are_alone, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, all_are_served_in_order_and_readers_side_by_side_together, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, those_that_have_waited_for_long_are_all_served_before_one_that_comes,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_that_runs_may_pass_by_one_that_is_woken, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_writer_that_waits_keeps_new_readers_out, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, readers_behind_a_writer_that_gives_up_are_let_in, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_turn_that_meets_a_time_out_is_not_lost, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_lock_knows_its_writer_and_what_it_is_not);
    tcase_add_test(tcase, too_many_readers_are_refused);
    tcase_add_loop_test(tcase, a_cycle_of_writers_ends, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_last_one_may_free_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_child_has_what_its_thread_had_and_waits_for_none_of_the_parent, 0,
                        WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
