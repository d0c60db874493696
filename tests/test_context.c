/* What a task finds of its thread, and what it leaves behind: modes of floating-point arithmetic,
 * locale, signals that are blocked, the thread's name. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fenv.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "os/os_modes.h"

enum { TASKS = 200 };

/* Nothing but the modes themselves: these work on every processor that filch knows modes of. */
static const int roundings[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

static int rounding_of(int i)
{
    return roundings[i % 4];
}

FILCH_FUNCTION(int, rounding)
{
    return fegetround();
}

FILCH_FUNCTION(int, rounding_of_next, (int, before))
{
    return before == FE_TONEAREST ? fegetround() : -1;
}

FILCH_HANDLER(int, rounding_when_caught)
{
    (void)error;
    return fegetround();
}

FILCH_FUNCTION(int, raise_one)
{
    return filch_raise(1, "as wanted"), 0;
}

/* Leaves everything else than it found it. */
FILCH_FUNCTION(int, spoil, (int, i))
{
    fesetround(rounding_of(i + 1));
    return i;
}

FILCH_FUNCTION(int, spoil_and_wait, (int, i))
{
    fesetround(rounding_of(i));
    for (int round = 0; round < 3; round++) {
        filch_yield();
        if (fegetround() != rounding_of(i)) {
            return -1;
        }
    }
    return i;
}

/* ---- what a task begins with ---- */

START_TEST(a_task_begins_with_its_submitters_modes)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[TASKS];
    int found = -1;
    for (int i = 0; i < TASKS; i++) {
        fesetround(rounding_of(i));
        ck_assert_int_eq(rounding_apply_async(pool, &futures[i]), FILCH_OK);
    }
    fesetround(FE_TONEAREST);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(rounding_get(futures[i], &found), FILCH_OK);
        check_int_eq(found, rounding_of(i));
        filch_future_free(futures[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_call_begins_with_its_callers_modes)
{
    filch_pool *pool = pool_opened(_i);
    int found = -1;
    fesetround(FE_UPWARD);
    ck_assert_int_eq(rounding_apply(pool, &found), FILCH_OK);
    ck_assert_int_eq(found, FE_UPWARD);
    fesetround(FE_TONEAREST);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, call_another_pool, (filch_pool *, other))
{
    int found = -1;
    fesetround(FE_DOWNWARD);
    check_int_eq(rounding_apply(other, &found), FILCH_OK);
    return found;
}

START_TEST(a_call_into_another_pool_begins_with_its_callers_modes)
{
    filch_pool *pool = pool_opened(_i);
    filch_pool *other = NULL;
    int found = -1;
    ck_assert_int_eq(filch_pool_open(NULL, &other), FILCH_OK);
    ck_assert_int_eq(call_another_pool_apply(pool, other, &found), FILCH_OK);
    ck_assert_int_eq(found, FE_DOWNWARD);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_assert_int_eq(filch_pool_free(other), FILCH_OK);
    pool_closed(pool);
}
END_TEST

START_TEST(a_groups_task_begins_with_the_modes_of_the_one_who_spawned_it)
{
    filch_pool *pool = pool_opened(_i);
    int found[TASKS];
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < TASKS; i++) {
            fesetround(rounding_of(i));
            check_int_eq(rounding_spawn(group, &found[i]), FILCH_OK);
        }
        fesetround(FE_UPWARD);
    }
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_int_eq(fegetround(), FE_UPWARD); /* the block is the caller's own code */
    fesetround(FE_TONEAREST);
    for (int i = 0; i < TASKS; i++) {
        check_int_eq(found[i], rounding_of(i));
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_continuation_begins_with_the_modes_of_the_one_who_attached_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *first;
    filch_future *next;
    filch_future *caught;
    int found = -1;
    ck_assert_int_eq(rounding_apply_async(pool, &first), FILCH_OK);
    fesetround(FE_TOWARDZERO);
    ck_assert_int_eq(rounding_of_next_then(pool, first, &next), FILCH_OK);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(rounding_of_next_get(next, &found), FILCH_OK);
    ck_assert_int_eq(found, FE_TOWARDZERO);
    filch_future_free(first);
    filch_future_free(next);
    ck_assert_int_eq(raise_one_apply_async(pool, &first), FILCH_OK);
    fesetround(FE_UPWARD);
    ck_assert_int_eq(rounding_when_caught_catch(pool, first, &caught), FILCH_OK);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(filch_future_get(caught, &found, sizeof found), FILCH_OK);
    ck_assert_int_eq(found, FE_UPWARD);
    filch_future_free(first);
    filch_future_free(caught);
    pool_closed(pool);
}
END_TEST

static void note_rounding(void *context, const void *result)
{
    (void)result;
    atomic_store((atomic_int *)context, fegetround());
}

START_TEST(a_callback_begins_with_the_submitters_modes)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int found = -1;
    filch_closure closure = rounding_bind();
    filch_future *future;
    filch_options options = {.done = {.callback = note_rounding, .context = &found}};
    fesetround(FE_UPWARD);
    ck_assert_int_eq(filch_apply_async(filch_on(pool, &options), &closure, &future), FILCH_OK);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(atomic_load(&found), FE_UPWARD);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* Two elements that wait for each other: two threads run them. */
FILCH_LOOP(meet, (size_t, i), (atomic_int *, come), (int *, found))
{
    atomic_fetch_add(come, 1);
    await(come, 2);
    found[i] = fegetround();
}

START_TEST(a_loops_elements_begin_with_its_callers_modes)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2});
    for (int i = 0; i < TASKS; i++) {
        atomic_int come = 0;
        int found[2] = {-1, -1};
        fesetround(rounding_of(i));
        filch_status status = meet_for(pool, 2, &come, found);
        fesetround(FE_TONEAREST);
        check_int_eq(status, FILCH_OK);
        check_int_eq(found[0], rounding_of(i));
        check_int_eq(found[1], rounding_of(i));
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_map_that_runs_later_begins_with_its_submitters_modes)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2});
    atomic_int come = 0;
    int found[2] = {-1, -1};
    filch_future *future;
    fesetround(FE_DOWNWARD);
    ck_assert_int_eq(meet_for_async(pool, 2, &come, found, &future), FILCH_OK);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(filch_future_wait(future), FILCH_OK);
    ck_assert_int_eq(found[0], FE_DOWNWARD);
    ck_assert_int_eq(found[1], FE_DOWNWARD);
    filch_future_free(future);
    pool_closed(pool);
}
END_TEST

/* It is not joined before it has begun: another worker has it. */
FILCH_FORK_FUNCTION(int, stolen, (atomic_int *, come))
{
    atomic_fetch_add(come, 1);
    int found = fegetround();
    fesetround(FE_TONEAREST);
    return found;
}

FILCH_FORK_FUNCTION(int, fork_one, (int, i))
{
    atomic_int come = 0;
    int before = fegetround();
    fesetround(rounding_of(i));
    FILCH_FORK(child, stolen, &come);
    filch_yield(); /* what is latent can be had from now on */
    await(&come, 1);
    int found = FILCH_JOIN(child);
    bool kept = fegetround() == rounding_of(i);
    fesetround(before);
    return kept ? found : -1;
}

FILCH_FUNCTION(int, fork_in_task, (int, i))
{
    return fork_one(i);
}

START_TEST(a_stolen_fork_begins_with_its_callers_modes)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2});
    for (int i = 0; i < TASKS; i++) {
        filch_future *future;
        int found = -1;
        check_int_eq(fork_in_task_apply_async(pool, i, &future), FILCH_OK);
        check_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
        check_int_eq(fork_in_task_get(future, &found), FILCH_OK);
        check_int_eq(found, rounding_of(i));
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

static filch_status count_to_100(void *context, void *item)
{
    int *next = context;
    *(int *)item = *next;
    return (*next)++ < 100 ? FILCH_OK : FILCH_END;
}

static void look_and_spoil(void *context, void *item)
{
    atomic_fetch_add((atomic_int *)context, fegetround() != FE_UPWARD);
    fesetround(*(int *)item % 2 ? FE_DOWNWARD : FE_TONEAREST);
}

START_TEST(the_stages_of_a_pipeline_begin_with_its_callers_modes)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int wrong = 0;
    int next = 0;
    const filch_stage stages[] = {filch_stage_of(FILCH_STAGE_PARALLEL, look_and_spoil, &wrong),
                                  filch_stage_of(FILCH_STAGE_SERIAL, look_and_spoil, &wrong)};
    fesetround(FE_UPWARD);
    check_int_eq(filch_pipeline(pool, count_to_100, &next, sizeof(int), stages, 2, NULL), FILCH_OK);
    int after = fegetround();
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(next, 101);
    ck_assert_int_eq(atomic_load(&wrong), 0);
    ck_assert_int_eq(after, FE_UPWARD);
    pool_closed(pool);
}
END_TEST

START_TEST(the_one_who_opens_a_pool_leaves_its_workers_no_modes)
{
    fesetround(FE_UPWARD);
    filch_pool *pool = pool_opened(_i);
    fesetround(FE_TONEAREST);
    for (int i = 0; i < TASKS; i++) {
        filch_future *future;
        int found = -1;
        check_int_eq(rounding_apply_async(pool, &future), FILCH_OK);
        check_int_eq(filch_future_wait_until(future, filch_in(100)), FILCH_OK);
        check_int_eq(rounding_get(future, &found), FILCH_OK);
        check_int_eq(found, FE_TONEAREST);
        filch_future_free(future);
    }
    pool_closed(pool);
}
END_TEST

/* ---- what a task leaves behind ---- */

static void wait_for_all(filch_future **futures, int n)
{
    for (int i = 0; i < n; i++) {
        check_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
}

static void check_nothing_is_left(filch_pool *pool)
{
    filch_future *futures[TASKS];
    int found = -1;
    check_int_eq(fegetround(), FE_TONEAREST);
    for (int i = 0; i < TASKS; i++) {
        check_int_eq(rounding_apply_async(pool, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        check_int_eq(filch_future_wait_until(futures[i], filch_in(100)),
                     FILCH_OK); /* a worker runs it */
        check_int_eq(rounding_get(futures[i], &found), FILCH_OK);
        check_int_eq(found, FE_TONEAREST);
        filch_future_free(futures[i]);
    }
    check_int_eq(fegetround(), FE_TONEAREST);
}

START_TEST(the_modes_that_a_task_sets_end_with_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[TASKS];
    int result = 0;
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(spoil_apply_async(pool, i, &futures[i]), FILCH_OK);
    }
    wait_for_all(futures, TASKS);
    check_nothing_is_left(pool);
    ck_assert_int_eq(spoil_apply(pool, 0, &result), FILCH_OK);
    check_nothing_is_left(pool);
    pool_closed(pool);
}
END_TEST

START_TEST(a_task_that_waits_keeps_the_modes_it_has_set)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(spoil_and_wait_apply_async(pool, i, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        int result = -1;
        ck_assert_int_eq(spoil_and_wait_get(futures[i], &result), FILCH_OK);
        check_int_eq(result, i);
        filch_future_free(futures[i]);
    }
    check_nothing_is_left(pool);
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(spoil_each, (size_t, i), (int, unused))
{
    (void)unused;
    fesetround(rounding_of((int)i + 1));
}

START_TEST(the_modes_that_a_loops_elements_set_end_with_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_status status;
    ck_assert_int_eq(spoil_each_for(pool, 10, 0), FILCH_OK);
    ck_assert_int_eq(fegetround(), FE_TONEAREST);
    ck_assert_int_eq(spoil_each_for(pool, 10000, 0), FILCH_OK);
    check_nothing_is_left(pool);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < TASKS; i++) {
            check_int_eq(spoil_spawn(group, i, NULL), FILCH_OK);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    check_nothing_is_left(pool);
    pool_closed(pool);
}
END_TEST

#if defined(__x86_64__)

/* "Flush to zero" and "denormals are zero" of SSE; and the x87's precision. */
static const uint64_t of_sse = 0x8040;
static const uint64_t of_x87 = (uint64_t)0x300 << 32;

FILCH_FUNCTION(int, modes_are, (uint64_t, wanted))
{
    bool are = filch_os_modes() == wanted;
    filch_os_set_modes(wanted ^ of_sse ^ of_x87);
    return are;
}

START_TEST(modes_that_c_has_no_name_for_are_kept_apart_too)
{
    filch_pool *pool = pool_opened(_i);
    const uint64_t own = filch_os_modes();
    const uint64_t others[] = {own, own ^ of_sse, own ^ of_x87, own ^ of_sse ^ of_x87};
    filch_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++) {
        filch_os_set_modes(others[i % 4]);
        check_int_eq(modes_are_apply_async(pool, others[i % 4], &futures[i]), FILCH_OK);
    }
    filch_os_set_modes(own);
    for (int i = 0; i < TASKS; i++) {
        int are = 0;
        check_int_eq(modes_are_get(futures[i], &are), FILCH_OK);
        check_int_eq(are, 1);
        filch_future_free(futures[i]);
    }
    ck_assert_uint_eq(filch_os_modes(), own);
    pool_closed(pool);
}
END_TEST

/* Two tasks by turns on one worker: an inexact x87 result of the first must not trap in the second,
 * which allows that trap but has done nothing inexact. */
static void yield_until_both_came(atomic_int *come)
{
    atomic_fetch_add(come, 1);
    while (atomic_load(come) < 2) {
        filch_yield();
    }
}

FILCH_FUNCTION(int, be_inexact, (atomic_int *, come))
{
    volatile long double third = 1;
    yield_until_both_came(come);
    for (int i = 0; i < 20; i++) {
        third = third / 3;
        filch_yield();
    }
    return third < 1;
}

FILCH_FUNCTION(int, trap_inexact, (atomic_int *, come))
{
    volatile long double half = 1;
    yield_until_both_came(come);
    feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(FE_INEXACT);
    for (int i = 0; i < 20; i++) {
        half = half / 2;
        filch_yield();
    }
    return half < 1;
}

START_TEST(a_flag_of_one_task_does_not_trap_in_another)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    filch_future *futures[2];
    atomic_int come = 0;
    ck_assert_int_eq(trap_inexact_apply_async(pool, &come, &futures[0]), FILCH_OK);
    ck_assert_int_eq(be_inexact_apply_async(pool, &come, &futures[1]), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(futures[0], filch_in(100)), FILCH_OK);
    ck_assert_int_eq(filch_future_wait_until(futures[1], filch_in(100)), FILCH_OK);
    wait_for_all(futures, 2);
    check_nothing_is_left(pool);
    pool_closed(pool);
}
END_TEST

#endif

/* ---- what belongs to the thread ---- */

FILCH_FUNCTION(int, has_own_locale)
{
    return uselocale((locale_t)0) != LC_GLOBAL_LOCALE;
}

FILCH_FUNCTION(int, leave_locale, (void *, locale))
{
    return uselocale((locale_t)locale) != LC_GLOBAL_LOCALE;
}

static void check_no_task_has_a_locale(filch_pool *pool)
{
    filch_future *futures[TASKS];
    int has = -1;
    for (int i = 0; i < TASKS; i++) {
        check_int_eq(has_own_locale_apply_async(pool, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        check_int_eq(filch_future_wait_until(futures[i], filch_in(100)), FILCH_OK);
        check_int_eq(has_own_locale_get(futures[i], &has), FILCH_OK);
        check_int_eq(has, 0);
        filch_future_free(futures[i]);
    }
}

START_TEST(a_task_begins_with_the_processs_locale_and_leaves_none)
{
    filch_pool *pool = pool_opened(_i);
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    filch_future *futures[TASKS];
    filch_status status;
    int had = -1;
    ck_assert_ptr_ne(locale, LC_GLOBAL_LOCALE);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(leave_locale_apply_async(pool, locale, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(leave_locale_get(futures[i], &had), FILCH_OK);
        check_int_eq(had, 0);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(leave_locale_apply(pool, locale, &had), FILCH_OK);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < TASKS; i++) {
            check_int_eq(leave_locale_spawn(group, locale, NULL), FILCH_OK);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    ck_assert_ptr_eq(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
    check_no_task_has_a_locale(pool);
    pool_closed(pool);
    freelocale(locale);
}
END_TEST

START_TEST(a_thread_that_runs_a_task_keeps_its_locale)
{
    filch_pool *pool = pool_opened(_i);
    locale_t locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    int had = -1;
    uselocale(locale);
    check_no_task_has_a_locale(pool);
    ck_assert_int_eq(has_own_locale_apply(pool, &had), FILCH_OK);
    ck_assert_int_eq(had, 0);
    ck_assert_ptr_eq(uselocale((locale_t)0), locale);
    uselocale(LC_GLOBAL_LOCALE);
    pool_closed(pool);
    freelocale(locale);
}
END_TEST

/* The task of a worker, or of a program's own thread: is its thread as filch makes them? */
FILCH_FUNCTION(int, blocks_asynchronous_signals)
{
    static const int asynchronous[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGUSR1, SIGUSR2, SIGCHLD};
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGPROF};
    sigset_t mask;
    bool as_wanted = pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0;
    for (size_t i = 0; i < sizeof asynchronous / sizeof *asynchronous; i++) {
        as_wanted &= sigismember(&mask, asynchronous[i]) == 1;
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        as_wanted &= sigismember(&mask, own[i]) == 0;
    }
    filch_yield();
    return as_wanted;
}

FILCH_FUNCTION(int, has_workers_name)
{
    char name[16] = "";
    pthread_getname_np(pthread_self(), name, sizeof name);
    return strcmp(name, "filch") == 0;
}

START_TEST(a_workers_signals_and_name_are_those_it_was_made_with)
{
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < TASKS; i++) {
        filch_future *futures[2];
        int result = -1;
        check_int_eq(blocks_asynchronous_signals_apply_async(pool, &futures[0]), FILCH_OK);
        check_int_eq(has_workers_name_apply_async(pool, &futures[1]), FILCH_OK);
        for (int f = 0; f < 2; f++) {
            check_int_eq(filch_future_wait_until(futures[f], filch_in(100)), FILCH_OK);
            check_int_eq(filch_future_get(futures[f], &result, sizeof result), FILCH_OK);
            check_int_eq(result, 1);
            filch_future_free(futures[f]);
        }
    }
    pool_closed(pool);
}
END_TEST

FILCH_LOOP(wait_a_little, (size_t, i), (int, unused))
{
    (void)unused;
    if (i % 100 == 0) {
        filch_sleep(1e-5);
    }
}

START_TEST(filch_leaves_the_signals_and_the_name_of_a_programs_own_thread_alone)
{
    sigset_t before;
    sigset_t after;
    char name[16] = "";
    ck_assert_int_eq(pthread_setname_np(pthread_self(), "mine"), 0);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
    filch_pool *pool = pool_opened(_i);
    int result = 0;
    ck_assert_int_eq(wait_a_little_for(pool, 1000, 0), FILCH_OK);
    ck_assert_int_eq(has_workers_name_apply(pool, &result), FILCH_OK); /* it runs here */
    ck_assert_int_eq(result, 0);
    pool_closed(pool);
    ck_assert_int_eq(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
    for (int number = 1; number < SIGRTMAX; number++) {
        check_int_eq(sigismember(&after, number), sigismember(&before, number));
    }
    ck_assert_int_eq(pthread_getname_np(pthread_self(), name, sizeof name), 0);
    ck_assert_str_eq(name, "mine");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("context");
    TCase *tcase = tcase_create("context");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_task_begins_with_its_submitters_modes, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_call_begins_with_its_callers_modes, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_call_into_another_pool_begins_with_its_callers_modes, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_groups_task_begins_with_the_modes_of_the_one_who_spawned_it, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_continuation_begins_with_the_modes_of_the_one_who_attached_it, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_callback_begins_with_the_submitters_modes, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_loops_elements_begin_with_its_callers_modes);
    tcase_add_test(tcase, a_map_that_runs_later_begins_with_its_submitters_modes);
    tcase_add_test(tcase, a_stolen_fork_begins_with_its_callers_modes);
    tcase_add_loop_test(tcase, the_stages_of_a_pipeline_begin_with_its_callers_modes, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_one_who_opens_a_pool_leaves_its_workers_no_modes, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_modes_that_a_task_sets_end_with_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_that_waits_keeps_the_modes_it_has_set, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, the_modes_that_a_loops_elements_set_end_with_it, 0, WORKER_SWEEP);
#if defined(__x86_64__)
    tcase_add_loop_test(tcase, modes_that_c_has_no_name_for_are_kept_apart_too, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_flag_of_one_task_does_not_trap_in_another);
#endif
    tcase_add_loop_test(tcase, a_task_begins_with_the_processs_locale_and_leaves_none, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_thread_that_runs_a_task_keeps_its_locale, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_workers_signals_and_name_are_those_it_was_made_with, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, filch_leaves_the_signals_and_the_name_of_a_programs_own_thread_alone,
                        0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
