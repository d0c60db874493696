/* Tasks that are handed to a pool: futures, round trips, pools themselves, blocked tasks. */
#include <filch/filch.h>

#include <stdatomic.h>

#include "sample.h"

enum { BATCH = 1000, MOST_GAPS = 1001 };

FILCH_FUNCTION(int, nothing, (int, x))
{
    return x;
}

FILCH_FUNCTION(void, stand_still, (filch_future *, gate), (atomic_int *, blocked),
               (atomic_int *, done))
{
    atomic_fetch_add(blocked, 1);
    must(filch_future_wait(gate) == FILCH_OK, "filch_future_wait()");
    atomic_fetch_add(done, 1);
}

FILCH_FUNCTION(int, give_way, (int, times))
{
    for (int i = 0; i < times; i++) {
        filch_yield();
    }
    return times;
}

static filch_pool *opened(unsigned workers)
{
    filch_pool *pool;
    filch_status status = filch_pool_open(&(filch_pool_options){.processes = (int)workers}, &pool);
    if (status != FILCH_OK) {
        fprintf(stderr, "%s\n", filch_strerror(status));
        exit(1);
    }
    return pool;
}

static double sample_futures(unsigned workers, int size, unsigned long long *check)
{
    filch_pool *pool = opened(workers);
    filch_future **futures = malloc(BATCH * sizeof *futures);
    must(futures != NULL, "malloc()");
    double start = now_ns();
    for (int done = 0; done < size; done += BATCH) {
        for (int i = 0; i < BATCH; i++) {
            must(nothing_apply_async(pool, i, &futures[i]) == FILCH_OK, "nothing_apply_async()");
        }
        for (int i = 0; i < BATCH; i++) {
            int result = 0;
            must(nothing_get(futures[i], &result) == FILCH_OK, "nothing_get()");
            *check += (unsigned long long)result;
            filch_future_free(futures[i]);
        }
    }
    double ns = (now_ns() - start) / size;
    free(futures);
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return ns;
}

static double sample_round_trip(unsigned workers, int size, unsigned long long *check)
{
    filch_pool *pool = opened(workers);
    double start = 0;
    for (int i = -1000; i < size; i++) {
        if (i == 0) {
            start = now_ns();
        }
        filch_future *future;
        int result = 0;
        must(nothing_apply_async(pool, 1, &future) == FILCH_OK, "nothing_apply_async()");
        must(nothing_get(future, &result) == FILCH_OK, "nothing_get()");
        filch_future_free(future);
        *check += (unsigned long long)(i >= 0 ? result : 0);
    }
    double ns = (now_ns() - start) / size;
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return ns;
}

static double sample_round_trip_cold(unsigned workers, int size, unsigned long long *check)
{
    filch_pool *pool = opened(workers);
    double times[MOST_GAPS];
    for (int i = 0; i < size; i++) {
        filch_future *future;
        int result = 0;
        pause_ns(1e6);
        double start = now_ns();
        must(nothing_apply_async(pool, 1, &future) == FILCH_OK, "nothing_apply_async()");
        must(nothing_get(future, &result) == FILCH_OK, "nothing_get()");
        times[i] = now_ns() - start;
        filch_future_free(future);
        *check += (unsigned long long)result;
    }
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return median(times, (size_t)size);
}

static double sample_open_close(unsigned workers, int size, unsigned long long *check)
{
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        filch_pool *pool = opened(workers);
        int result = 0;
        filch_future *future;
        must(nothing_apply_async(pool, 1, &future) == FILCH_OK,
             "nothing_apply_async()"); /* a thread is made for it */
        must(filch_future_wait_until(future, filch_in(10)) == FILCH_OK,
             "filch_future_wait_until()");
        must(nothing_get(future, &result) == FILCH_OK, "nothing_get()");
        filch_future_free(future);
        *check += (unsigned long long)result;
        must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    }
    return (now_ns() - start) / size;
}

static double sample_open_close_unused(unsigned workers, int size, unsigned long long *check)
{
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        filch_pool *pool = opened(workers);
        int result = 0;
        *check += nothing_apply(pool, 1, &result) == FILCH_OK;
        must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    }
    return (now_ns() - start) / size;
}

static void spin_until(atomic_int *counter, int value)
{
    while (atomic_load(counter) < value) {
        pause_ns(50000);
    }
}

/* Blocks many tasks at one future and lets them go again; the second time on stacks that are
 * committed. Nanoseconds a task of one half or the other. */
static double sample_blocked(unsigned workers, int size, unsigned long long *check,
                             bool second_half)
{
    filch_pool *pool = opened(workers);
    double ns = 0;
    for (int round = 0; round < 2; round++) {
        atomic_int blocked = 0;
        atomic_int done = 0;
        filch_promise *promise;
        filch_future *gate;
        must(filch_promise_new(0, &promise, &gate) == FILCH_OK, "a promise");
        double start = now_ns();
        for (int i = 0; i < size; i++) {
            must(stand_still_apply_async(pool, gate, &blocked, &done, NULL) == FILCH_OK,
                 "stand_still_apply_async()");
        }
        spin_until(&blocked, size);
        double middle = now_ns();
        must(filch_promise_set_value(promise, NULL) == FILCH_OK, "setting a promise");
        spin_until(&done, size);
        ns = second_half ? now_ns() - middle : middle - start;
        *check = (unsigned long long)atomic_load(&done);
        filch_future_free(gate);
        filch_promise_free(promise);
    }
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return ns / size;
}

static double sample_block(unsigned workers, int size, unsigned long long *check)
{
    return sample_blocked(workers, size, check, false);
}

static double sample_unblock(unsigned workers, int size, unsigned long long *check)
{
    return sample_blocked(workers, size, check, true);
}

static double sample_switch(unsigned workers, int size, unsigned long long *check)
{
    filch_pool *pool = opened(workers);
    filch_future *both[2];
    double start = now_ns();
    for (int i = 0; i < 2; i++) {
        must(give_way_apply_async(pool, size, &both[i]) == FILCH_OK, "give_way_apply_async()");
    }
    for (int i = 0; i < 2; i++) {
        int result = 0;
        must(filch_future_wait_until(both[i], filch_in(100)) == FILCH_OK,
             "filch_future_wait_until()");
        must(give_way_get(both[i], &result) == FILCH_OK, "give_way_get()");
        *check += (unsigned long long)result;
        filch_future_free(both[i]);
    }
    double ns = (now_ns() - start) / (2.0 * size);
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    return ns;
}

static double sample_idle(unsigned workers, int size, unsigned long long *check)
{
    filch_pool *pool = opened(workers);
    int in[100] = {0};
    int out[100];
    must(nothing_map(pool, in, 100, out) == FILCH_OK, "nothing_map()");
    double start = cpu_ns();
    pause_ns(size * 1e9);
    double ns = cpu_ns() - start;
    must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
    *check = 1;
    return ns;
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"futures", sample_futures},
                                      {"round_trip", sample_round_trip},
                                      {"round_trip_cold", sample_round_trip_cold},
                                      {"open_close", sample_open_close},
                                      {"open_close_unused", sample_open_close_unused},
                                      {"block", sample_block},
                                      {"unblock", sample_unblock},
                                      {"switch", sample_switch},
                                      {"idle", sample_idle}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
