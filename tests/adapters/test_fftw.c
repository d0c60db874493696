/* FFTW on a pool: the bits of its own threads, from everywhere, also where plans re-enter. */
#define _GNU_SOURCE
#include "everywhere.h"

#include <stdatomic.h>
#include <string.h>

#include <filch/adapters/fftw.h>

/* Two transforms for eight threads: each is done by several, inside the loop over both. */
static const struct {
    int rank, n[3], many;
} shapes[] = {{2, {512, 768, 1}, 1},
              {3, {64, 48, 80}, 1},
              {1, {1 << 18, 1, 1}, 1},
              {1, {1 << 17, 1, 1}, 2},
              {2, {300, 256, 1}, 3}};
enum { SHAPES = sizeof shapes / sizeof *shapes, MOST = 300 * 256 * 3 + (1 << 18) };

static fftw_complex *in, *expected, *outs[AT_ONCE];
static fftw_plan plan;
static size_t elements;

static void *memory(void)
{
    fftw_complex *made = fftw_alloc_complex(MOST * 2);
    ck_assert_ptr_nonnull(made);
    return made;
}

static void prepare(void)
{
    fftw_init_threads();
    in = memory();
    expected = memory();
    for (int i = 0; i < AT_ONCE; i++) {
        outs[i] = memory();
    }
    for (size_t i = 0; i < MOST * 2; i++) {
        in[i][0] = (double)(i * 7919 % 1009) / 1009;
        in[i][1] = (double)(i * 104729 % 997) / 997;
    }
}

/* And what FFTW's own threads make of it. */
static void plan_for(int shape, int threads)
{
    const int *n = shapes[shape].n;
    int one = n[0] * n[1] * n[2];
    fftw_threads_set_callback(NULL, NULL);
    fftw_plan_with_nthreads(threads);
    plan = fftw_plan_many_dft(shapes[shape].rank, n, shapes[shape].many, in, NULL, 1, one, expected,
                              NULL, 1, one, FFTW_FORWARD, FFTW_ESTIMATE);
    ck_assert_ptr_nonnull(plan);
    elements = (size_t)one * (size_t)shapes[shape].many;
    fftw_execute(plan);
}

static bool transform(filch_pool *pool, unsigned number)
{
    (void)pool; /* the callback's */
    memset(outs[number], 0, elements * sizeof *expected);
    fftw_execute_dft(plan, in, outs[number]);
    return memcmp(outs[number], expected, elements * sizeof *expected) == 0;
}

START_TEST(plans_compute_to_the_bit_what_fftws_own_threads_compute)
{
    const int threads[] = {2, 3, 8};
    filch_pool *pool = pool_of((int[]){1, 2, 3, 8}[_i]);
    prepare();
    for (int shape = 0; shape < SHAPES; shape++) {
        for (int t = 0; t < 3; t++) {
            plan_for(shape, threads[t]);
            filch_fftw_use(pool);
            works_everywhere(pool, transform);
            fftw_destroy_plan(plan);
        }
    }
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

/* ---- loops inside loops ---- */

struct counted_job {
    void *(*work)(char *job);
    char *job;
};

static atomic_int loops, loops_inside, jobs_running;

static void *count_job(char *counted)
{
    const struct counted_job *job = (const void *)counted;
    atomic_fetch_add(&jobs_running, 1);
    job->work(job->job);
    atomic_fetch_sub(&jobs_running, 1);
    return NULL;
}

static void count_loop(void *(*work)(char *job), char *first, size_t bytes, int count, void *pool)
{
    struct counted_job jobs[64];
    ck_assert_int_le(count, 64);
    atomic_fetch_add(&loops, 1);
    atomic_fetch_add(&loops_inside, atomic_load(&jobs_running) > 0);
    for (int i = 0; i < count; i++) {
        jobs[i] = (struct counted_job){work, first + (size_t)i * bytes};
    }
    filch_fftw_loop(count_job, (char *)jobs, sizeof *jobs, count, pool);
}

START_TEST(a_plan_may_call_back_from_inside_its_callback)
{
    filch_pool *pool = pool_of(2);
    prepare();
    plan_for(3, 8);
    fftw_threads_set_callback(count_loop, pool);
    for (int round = 0; round < 20; round++) {
        ck_assert(transform(pool, 0));
    }
    ck_assert_int_gt(loops, 0);
    ck_assert_int_gt(loops_inside, 0);
    fftw_destroy_plan(plan);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

static bool transform_there(filch_pool *pool, unsigned number)
{
    filch_fftw_use(pool);
    return transform(pool, number);
}

START_TEST(transforms_are_right_without_a_pool_too)
{
    prepare();
    plan_for(3, 8);
    works_without_a_pool(transform_there);
    fftw_destroy_plan(plan);
}
END_TEST

static void count_one(size_t *runs)
{
    ++*runs;
}

static void *count_run(char *runs)
{
    count_one((size_t *)(void *)runs);
    return NULL;
}

START_TEST(a_loop_of_no_jobs_or_fewer_runs_none)
{
    size_t runs = 0;
    filch_fftw_loop(count_run, (char *)&runs, 0, 0, NULL);
    filch_fftw_loop(count_run, (char *)&runs, 0, -1, NULL);
    ck_assert_uint_eq(runs, 0);
    filch_fftw_loop(count_run, (char *)&runs, 0, 1, NULL);
    ck_assert_uint_eq(runs, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("adapter-fftw");
    TCase *tcase = tcase_create("fftw");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, plans_compute_to_the_bit_what_fftws_own_threads_compute, 0, 4);
    tcase_add_test(tcase, a_plan_may_call_back_from_inside_its_callback);
    tcase_add_test(tcase, transforms_are_right_without_a_pool_too);
    tcase_add_test(tcase, a_loop_of_no_jobs_or_fewer_runs_none);
    suite_add_tcase(suite, tcase);
    return run_adapter_suite(suite);
}
