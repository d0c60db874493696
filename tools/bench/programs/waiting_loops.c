/* What a loop takes whose elements wait for each other: `waiting_loops LOOP ELEMENTS` prints the peak
 * of resident memory in KiB, and nanoseconds an element. LOOP is `mutex`, a sum under one lock, or
 * `channel`, all sent through a channel with room for 16. */
#include <string.h>
#include <sys/resource.h>

#include <filch/filch.h>

#include "sample.h"

FILCH_CHANNEL(numbers, int);

FILCH_LOOP(add, (size_t, i), (filch_mutex *, mutex), (uint64_t *, sum))
{
    must(filch_mutex_lock(mutex) == FILCH_OK, "filch_mutex_lock()");
    *sum += mix(i) & 1;
    filch_mutex_unlock(mutex);
}

FILCH_LOOP(send_one, (size_t, i), (numbers, channel))
{
    must(numbers_send(channel, (int)i) == FILCH_OK, "numbers_send()");
}

FILCH_FUNCTION(int, receive, (numbers, channel), (size_t, n))
{
    int value;
    while (n && numbers_receive(channel, &value) == FILCH_OK) {
        n--;
    }
    return n == 0;
}

static int run(const char *loop, filch_pool *pool, size_t n)
{
    filch_mutex mutex = FILCH_MUTEX_INIT;
    uint64_t sum = 0;
    numbers channel;
    filch_future *received;
    int all = 0;
    if (strcmp(loop, "mutex") == 0) {
        return add_for(pool, n, &mutex, &sum) == FILCH_OK;
    }
    if (numbers_new(16, &channel) != FILCH_OK ||
        receive_apply_async(pool, channel, n, &received) != FILCH_OK) {
        return 0;
    }
    must(send_one_for(pool, n, channel) == FILCH_OK, "send_one_for()");
    must(receive_get(received, &all) == FILCH_OK, "receive_get()");
    filch_future_free(received);
    numbers_free(channel);
    return all;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    filch_pool *pool;
    size_t n = argc == 3 ? (size_t)atol(argv[2]) : 0;
    if (!n || filch_pool_open(&(filch_pool_options){.processes = 2}, &pool) != FILCH_OK) {
        fprintf(stderr, "waiting_loops mutex|channel ELEMENTS\n");
        return 2;
    }
    double start = now_ns();
    int right = run(argv[1], pool, n);
    double ns = now_ns() - start;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %.0f\n", usage.ru_maxrss, ns / (double)n);
    filch_pool_free(pool);
    return !right;
}
