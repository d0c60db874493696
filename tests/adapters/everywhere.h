/* everywhere: a library's work, called from wherever a program may call it. */
#ifndef FILCH_TESTS_EVERYWHERE_H
#define FILCH_TESTS_EVERYWHERE_H

#include <check.h>
#include <stdbool.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <filch/filch.h>

enum { AT_ONCE = 2 };

/* Do it, and say whether it came out right. Several of them run at once, each with its number. */
typedef bool filch_work(filch_pool *pool, unsigned number);

struct somewhere {
    filch_work *work;
    filch_pool *pool;
    unsigned number;
};

static inline int work_on_a_thread(void *context)
{
    const struct somewhere *here = context;
    return here->work(here->pool, here->number);
}

FILCH_FUNCTION(bool, work_in_a_task, (struct somewhere, here))
{
    return here.work(here.pool, here.number);
}

/* On a thread of the program, in a task, on several threads at once, in several tasks at once. */
static inline void works_everywhere(filch_pool *pool, filch_work *work)
{
    struct somewhere here[AT_ONCE];
    bool right[AT_ONCE] = {false};
    thrd_t threads[AT_ONCE];
    for (unsigned i = 0; i < AT_ONCE; i++) {
        here[i] = (struct somewhere){work, pool, i};
    }
    ck_assert(work(pool, 0));
    ck_assert_int_eq(work_in_a_task_apply(pool, here[0], &right[0]), FILCH_OK);
    ck_assert(right[0]);
    for (int i = 0; i < AT_ONCE; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], work_on_a_thread, &here[i]), thrd_success);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        int well = 0;
        ck_assert_int_eq(thrd_join(threads[i], &well), thrd_success);
        ck_assert_int_eq(well, 1);
    }
    ck_assert_int_eq(work_in_a_task_map(pool, here, AT_ONCE, right), FILCH_OK);
    ck_assert(right[0] && right[1]);
}

/* In a pool that is closed, and in the child of a fork(), with the parent's pool and with a new
 * one. */
static inline void works_without_a_pool(filch_work *work)
{
    filch_pool *pool;
    int status = -1;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 2}, &pool), FILCH_OK);
    ck_assert(work(pool, 0));
/* The sanitizers take new threads in the child of a process with threads for the parent's. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    pid_t child = fork();
    if (child == 0) {
        _exit(!(work(pool, 0) && work(NULL, 1)));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
#endif
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert(work(pool, 0));
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    (void)status;
}

static inline filch_pool *pool_of(int workers)
{
    filch_pool *pool;
    const filch_pool_options options = {.processes = (unsigned)workers};
    ck_assert_int_eq(filch_pool_open(&options, &pool), FILCH_OK);
    return pool;
}

static inline int run_adapter_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
