/* A core that is made while a recording begins or ends takes part in it, or does not. */
#include "fixture.h"

#include <threads.h>

#include "sched/core.h"
#include "sched/pool.h"

/* The core's first attachment comes before any thread can have the core, the second after that. */
static int attachments;
static bool had_by_others; /* at the first */
static bool took_part;     /* at the second */
static void (*meanwhile)(void);

static int call_meanwhile(void *unused)
{
    (void)unused;
    meanwhile();
    return 0;
}

/* On a thread of its own, which has no part in the locks of the one that makes the core. */
static void run_meanwhile(void)
{
    thrd_t other;
    ck_assert_int_eq(thrd_create(&other, call_meanwhile, NULL), thrd_success);
    thrd_join(other, NULL);
}

void __real_filch_tracer_attach(struct filch_tracer_seat *seat, struct filch_core *core);
void __wrap_filch_tracer_attach(struct filch_tracer_seat *seat, struct filch_core *core);
void __wrap_filch_tracer_attach(struct filch_tracer_seat *seat, struct filch_core *core)
{
    bool is_had = filch_core_count(core->pool) > core->index;
    if (attachments == 0) {
        had_by_others = is_had;
    } else if (attachments == 1) {
        took_part = atomic_load(&core->seat.tracer) != NULL;
    }
    __real_filch_tracer_attach(seat, core);
    if (attachments++ == 0 && meanwhile) {
        run_meanwhile(); /* between the two */
    }
}

static void start(void)
{
    ck_assert_int_eq(filch_trace_start(NULL), FILCH_OK);
}

static void stop(void)
{
    ck_assert_int_eq(filch_trace_stop(), FILCH_OK);
}

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

/* Makes a core, and does that in the middle. Does the core take part? */
static bool made_core_takes_part(filch_pool *pool, void (*between)(void))
{
    int out;
    attachments = 0;
    had_by_others = took_part = false;
    meanwhile = between;
    ck_assert_int_eq(twice_apply(pool, 4, &out), FILCH_OK);
    ck_assert_int_ge(attachments, 2);
    ck_assert(!had_by_others);
    return atomic_load(&filch_core_at(pool, 0)->seat.tracer) != NULL;
}

START_TEST(a_core_takes_part_before_anybody_can_have_it)
{
    filch_pool *pool = pool_opened(_i);
    start();
    ck_assert(made_core_takes_part(pool, NULL));
    ck_assert(took_part);
    stop();
    pool_closed(pool);
}
END_TEST

START_TEST(a_core_that_is_made_when_a_recording_begins_takes_part)
{
    filch_pool *pool = pool_opened(_i);
    ck_assert(made_core_takes_part(pool, start));
    stop();
    pool_closed(pool);
}
END_TEST

START_TEST(a_core_that_is_made_when_a_recording_ends_does_not_take_part)
{
    filch_pool *pool = pool_opened(_i);
    start();
    ck_assert(!made_core_takes_part(pool, stop));
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tracers");
    TCase *tcase = tcase_create("tracers");
    tcase_add_loop_test(tcase, a_core_takes_part_before_anybody_can_have_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_core_that_is_made_when_a_recording_begins_takes_part, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_core_that_is_made_when_a_recording_ends_does_not_take_part, 0,
                        WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
