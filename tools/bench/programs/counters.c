/* What grows with tasks and what with steals: counts of one run, from inside the library.
 * `counters WORKERS` prints forks, thefts, and how often a thread took a core. */
#include "sample.h"

#include <filch/filch.h>

#include "sched/core.h"
#include "sched/pool.h"

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

/* Fields only: as one whole the library has no functions but the public ones. */
static unsigned long long steals(filch_pool *pool)
{
    unsigned long long sum = 0;
    for (unsigned i = 0; i < atomic_load(&pool->core_count); i++) {
        sum += atomic_load(&atomic_load(&pool->cores[i])->steals);
    }
    return sum;
}

int main(int argc, char **argv)
{
    filch_pool *pool;
    int workers = argc > 1 ? atoi(argv[1]) : 2;
    if (filch_pool_open(&(filch_pool_options){.processes = workers}, &pool) != FILCH_OK) {
        return 1;
    }
    for (int n = 20; n <= 36; n += 4) {
        long result = 0;
        unsigned long long stolen = steals(pool);
        uint64_t taken = atomic_load(&pool->running) >> 32;
        if (fib_apply(pool, n, &result) != FILCH_OK) {
            return 1;
        }
        long forks = 0; /* fib(n + 1) - 1 */
        for (long a = 0, b = 1, i = 0; i <= n; i++, forks = a - 1) {
            long next = a + b;
            a = b;
            b = next;
        }
        printf("%d workers, fib(%d): %ld forks, %llu thefts, cores taken %llu times\n", workers, n,
               forks, steals(pool) - stolen,
               (unsigned long long)((atomic_load(&pool->running) >> 32) - taken));
    }
    return filch_pool_free(pool) == FILCH_OK ? 0 : 1;
}
