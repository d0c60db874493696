/* A plug-in with a copy of the library of its own, for plugin_host.c. */
#include <string.h>

#include <filch/filch.h>

FILCH_FUNCTION(long, plugin_square, (long, x))
{
    return x * x;
}

FILCH_FORK_FUNCTION(long, plugin_fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, plugin_fib, n - 1);
    long right = FILCH_CALL(plugin_fib, n - 2);
    return FILCH_JOIN(left) + right;
}

/* Where a function of the library is that this plug-in calls: whose copy it is. */
__attribute__((visibility("default"))) void *plugin_copy(void)
{
    void *address = NULL;
    filch_status (*open_pool)(const filch_pool_options *, filch_pool **) = filch_pool_open;
    memcpy(&address, &open_pool, sizeof address);
    return address;
}

__attribute__((visibility("default"))) filch_pool *plugin_open(void)
{
    filch_pool *pool = NULL;
    const filch_pool_options options = {.processes = 2, .eager_threads = 1};
    return filch_pool_open(&options, &pool) == FILCH_OK ? pool : NULL;
}

__attribute__((visibility("default"))) int plugin_close(filch_pool *pool)
{
    return filch_pool_free(pool) != FILCH_OK;
}

/* Maps, futures, groups and forks. False: something came out wrong. */
__attribute__((visibility("default"))) int plugin_work(filch_pool *pool)
{
    long in[200];
    long out[200];
    long square = 0;
    filch_future *future = NULL;
    for (long i = 0; i < 200; i++) {
        in[i] = i;
    }
    int right = plugin_square_map(pool, in, 200, out) == FILCH_OK &&
                plugin_square_apply_async(pool, 12, &future) == FILCH_OK &&
                plugin_square_get(future, &square) == FILCH_OK && square == 144;
    for (long i = 0; right && i < 200; i++) {
        right = out[i] == i * i;
    }
    filch_future_free(future);
    return right && plugin_fib(15) == 610;
}
