/* filch/adapters/fftw.h: FFTW's threaded plans run on a filch pool. FFTW 3.3.9 and later.
 *
 *     #include <filch/adapters/fftw.h>
 *
 *     int main(void)
 *     {
 *         fftw_init_threads();
 *         filch_fftw_use(NULL); // the default pool; once, before the first plan
 *         fftw_plan_with_nthreads((int)filch_pool_workers(NULL));
 *         fftw_complex *image = fftw_alloc_complex(2048 * 2048);
 *         fftw_plan plan = fftw_plan_dft_2d(2048, 2048, image, image, FFTW_FORWARD, FFTW_ESTIMATE);
 *         for (int i = 0; i < 2048 * 2048; i++) {
 *             image[i][0] = image[i][1] = i % 7;
 *         }
 *         fftw_execute(plan); // from main, from tasks, from any thread, several at once
 *         fftw_destroy_plan(plan);
 *         fftw_free(image);
 *         return 0;
 *     }
 *
 *     cc app.c $(pkg-config --cflags --libs filch fftw3) -lfftw3_threads -lm
 *
 * FFTW starts no threads then. What a plan computes depends on how many threads it was planned for,
 * not on what runs it: to the last bit it is what FFTW's own threads compute. As many as there are
 * workers is best, more do no harm. In the child of a fork(), and where the pool is closed or there
 * is no memory, a plan runs on its caller alone.
 *
 * The callback is the whole process's. To set it and to make plans is not thread-safe, unless
 * fftw_make_planner_thread_safe() was called. For float and long double give filch_fftw_loop and
 * the pool to fftwf_threads_set_callback() and fftwl_threads_set_callback(). */
#ifndef FILCH_ADAPTERS_FFTW_H
#define FILCH_ADAPTERS_FFTW_H

#include <fftw3.h>

#include <filch/kind.h>
#include <filch/slots.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_fftw_jobs {
    void *(*work)(char *job);
    char *first;
    size_t bytes; /* from one to the next */
} filch_fftw_jobs;

static inline void filch_fftw_job(size_t i, size_t slot, void *jobs)
{
    const filch_fftw_jobs *all = (const filch_fftw_jobs *)jobs;
    (void)slot;
    all->work(all->first + i * all->bytes);
}

/* Effect: what FFTW calls for its loops. Args: pool: NULL for the default pool. */
static inline void filch_fftw_loop(void *(*work)(char *job), char *first, size_t bytes, int count,
                                   void *pool)
{
    static const filch_function_info info = {
        "fftw", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, 0};
    filch_fftw_jobs jobs = {work, first, bytes};
    size_t n = count > 0 ? (size_t)count : 0;
    filch_parallel_slots((filch_pool *)pool, n, n + 1, filch_fftw_job, &jobs, &info);
}

/* Effect: plans of double run on this pool from now on, which must stay as long as they do.
 * Args: pool: NULL for the default pool, opened when a plan needs it.
 * Threads: one, while no plan is made or runs. Does not block. */
static inline void filch_fftw_use(filch_pool *pool)
{
    fftw_threads_set_callback(filch_fftw_loop, pool);
}

#ifdef __cplusplus
}
#endif

#endif
