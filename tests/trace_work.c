/* trace_work: programs of known shape, for the tests of filch-trace: trace_work NAME [N]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

/* So many rounds of something that the compiler keeps. */
static long burn(long rounds)
{
    volatile unsigned long x = 1;
    for (long i = 0; i < rounds; i++) {
        x = x * 3 + 1;
    }
    return (long)x;
}

FILCH_FORK_FUNCTION(long, tree, (int, depth), (long, rounds))
{
    if (depth == 0) {
        return burn(rounds) & 1;
    }
    FILCH_FORK(left, tree, depth - 1, rounds);
    long right = FILCH_CALL(tree, depth - 1, rounds);
    return FILCH_JOIN(left) + right;
}

FILCH_FUNCTION(long, work, (long, rounds))
{
    long result = 0;
    FILCH_TRACE_SECTION("inner part")
    {
        filch_trace_counter("rounds", (double)rounds);
        result = burn(rounds);
    }
    return result;
}

FILCH_FUNCTION(long, serial_part, (long, rounds))
{
    return burn(rounds);
}

FILCH_FUNCTION(int, nap, (int, ms))
{
    filch_sleep(ms / 1000.0);
    return ms;
}

static void check(filch_status status)
{
    if (status != FILCH_OK) {
        fprintf(stderr, "trace_work: %s\n", filch_strerror(status));
        exit(1);
    }
}

static filch_mutex lock = FILCH_MUTEX_INIT;

FILCH_FUNCTION(long, guarded, (long, rounds))
{
    check(filch_mutex_lock(&lock));
    long result = burn(rounds);
    filch_mutex_unlock(&lock);
    return result;
}

static filch_pool *pool;

/* So many tasks, all submitted before the first is waited for. */
#define SPAWN_ALL(function, count, argument)                                                       \
    do {                                                                                           \
        filch_future *futures[1000];                                                               \
        int count_ = (count) < 1000 ? (count) : 1000;                                              \
        for (int i = 0; i < count_; i++) {                                                         \
            check(function##_apply_async(pool, argument, &futures[i]));                            \
        }                                                                                          \
        for (int i = 0; i < count_; i++) {                                                         \
            check(filch_future_wait(futures[i]));                                                  \
            filch_future_free(futures[i]);                                                         \
        }                                                                                          \
    } while (0)

static void do_tree(int n)
{
    long result;
    check(tree_apply(pool, n, 2000, &result));
}

static void do_fan(int n)
{
    SPAWN_ALL(work, n, 200000);
}

static void do_chain(int n)
{
    for (int i = 0; i < n; i++) {
        long result;
        check(work_apply(pool, 200000, &result));
    }
}

static void do_naps(int n)
{
    SPAWN_ALL(nap, n, 20);
}

static void do_lock(int n)
{
    SPAWN_ALL(guarded, n, 200000);
}

static void do_serial(int n)
{
    SPAWN_ALL(work, n, 200000);
    SPAWN_ALL(serial_part, 1, 200000L * n);
    SPAWN_ALL(work, n, 200000);
}

static void do_loop(int n)
{
    static long in[100000], out[100000];
    size_t count = (size_t)n < 100000 ? (size_t)n : 100000;
    for (size_t i = 0; i < count; i++) {
        in[i] = 2000;
    }
    check(work_map(pool, in, count, out));
}

/* Two after two, so many times: a long task, and one before or behind it that is short. */
static void do_graph(int n)
{
    filch_future *both[2];
    check(work_apply_async(pool, 200000, &both[0]));
    check(work_apply_async(pool, 2000, &both[1]));
    for (int i = 0; i < n; i++) {
        filch_future *next[2];
        check(serial_part_after(pool, both, 2, i % 2 ? 2000 : 200000, &next[0]));
        check(serial_part_after(pool, both, 2, i % 2 ? 200000 : 2000, &next[1]));
        for (int k = 0; k < 2; k++) {
            filch_future_free(both[k]);
            both[k] = next[k];
        }
    }
    for (int k = 0; k < 2; k++) {
        check(filch_future_wait(both[k]));
        filch_future_free(both[k]);
    }
}

static void do_marks(int n)
{
    static const char *const hostile = "<script>alert(1)</script>\"'&\\\x01\xff</style>";
    filch_trace_span_begin(hostile);
    for (int i = 0; i < n; i++) {
        filch_trace_counter(hostile, i);
        filch_trace_mark("a mark", (uint64_t)(unsigned)i);
    }
    do_fan(2);
    filch_trace_span_end(hostile);
}

/* A little of everything. */
static void do_mixed(int n)
{
    do_tree(6);
    do_fan(n / 4);
    do_naps(n / 4);
    do_lock(n / 4);
    do_loop(n * 10);
    do_graph(n / 4);
    do_marks(n / 4);
}

static const struct {
    const char *name;
    void (*run)(int n);
} programs[] = {{"tree", do_tree},  {"fan", do_fan},     {"chain", do_chain},
                {"naps", do_naps},  {"lock", do_lock},   {"serial", do_serial},
                {"loop", do_loop},  {"graph", do_graph}, {"marks", do_marks},
                {"mixed", do_mixed}};

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    int n = argc > 2 ? atoi(argv[2]) : 8;
    unsigned workers = argc > 3 ? (unsigned)atoi(argv[3]) : 2;
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (strcmp(programs[i].name, name) == 0) {
            check(filch_pool_open(&(filch_pool_options){.processes = workers}, &pool));
            programs[i].run(n);
            filch_pool_free(pool);
            return 0;
        }
    }
    fprintf(stderr, "trace_work: which program?\n");
    return 2;
}
