// The rows of recursion.c, map.c and tasks.c, and the scan of shapes.c, with oneTBB.
#include <atomic>
#include <future>
#include <vector>

#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_invoke.h>
#include <tbb/parallel_scan.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "problems.h"

static long fib(int n)
{
    if (n < 2) {
        return n;
    }
    long left;
    long right;
    tbb::parallel_invoke([&] { left = fib(n - 1); }, [&] { right = fib(n - 2); });
    return left + right;
}

static long queens(unsigned all, unsigned columns, unsigned left, unsigned right)
{
    if (columns == all) {
        return 1;
    }
    long found[16];
    int count = 0;
    tbb::task_group group;
    for (unsigned free = all & ~(columns | left | right); free; free &= free - 1) {
        unsigned queen = free & -free;
        long *out = &found[count++];
        group.run([=] {
            *out = queens(all, columns | queen, (left | queen) << 1, (right | queen) >> 1);
        });
    }
    group.wait();
    long sum = 0;
    while (count > 0) {
        sum += found[--count];
    }
    return sum;
}

static long tree_sum(const node *at)
{
    if (!at->left) {
        return at->value;
    }
    long left;
    long right;
    tbb::parallel_invoke([&] { left = tree_sum(at->left); }, [&] { right = tree_sum(at->right); });
    return left + right + at->value;
}

template <class F> static double timed(F f)
{
    double start = now_ns();
    f();
    return now_ns() - start;
}

static double sample_fib(unsigned, int size, unsigned long long *check)
{
    fib(15);
    long result = 0;
    double ns = timed([&] { result = fib(size); });
    *check = (unsigned long long)result;
    return ns / (double)result;
}

static double sample_queens(unsigned, int size, unsigned long long *check)
{
    fib(15);
    long result = 0;
    double ns = timed([&] { result = queens((1U << size) - 1, 0, 0, 0); });
    *check = (unsigned long long)result;
    return ns / (double)result;
}

static double sample_tree(unsigned long long *check, int depth, int rounds)
{
    size_t count = ((size_t)1 << depth) - 1;
    std::vector<node> memory(count);
    const node *root = memory.data();
    plant(memory.data(), count);
    tree_sum(root);
    double ns = timed([&] {
        for (int i = 0; i < rounds; i++) {
            *check += (unsigned long long)tree_sum(root);
        }
    });
    return ns / rounds / (double)count;
}

static double sample_small_tree(unsigned, int size, unsigned long long *check)
{
    return sample_tree(check, 10, size);
}

static double sample_big_tree(unsigned, int size, unsigned long long *check)
{
    return sample_tree(check, size, 2);
}

struct arrays {
    std::vector<int> in, out;
    explicit arrays(size_t n) : in(n), out(n)
    {
        for (size_t i = 0; i < n; i++) {
            in[i] = (int)(i % 1000);
        }
    }
    void map()
    {
        const int *from = in.data();
        int *to = out.data();
        tbb::parallel_for(tbb::blocked_range<size_t>(0, in.size()),
                          [=](const tbb::blocked_range<size_t> &range) {
                              for (size_t i = range.begin(); i < range.end(); i++) {
                                  to[i] = from[i] * from[i];
                              }
                          });
    }
    unsigned long long sum() const
    {
        unsigned long long total = 0;
        for (int x : out) {
            total += (unsigned long long)x;
        }
        return total;
    }
};

static double warm(unsigned long long *check, size_t n, int rounds)
{
    arrays a(n);
    for (int i = 0; i < rounds / 10 + 1; i++) {
        a.map();
    }
    double ns = timed([&] {
        for (int i = 0; i < rounds; i++) {
            a.map();
        }
    });
    *check = a.sum();
    return ns / rounds;
}

static double after_pause(unsigned long long *check, size_t n, int pauses, double gap_ns)
{
    arrays a(n);
    std::vector<double> times;
    a.map();
    for (int i = 0; i < pauses; i++) {
        pause_ns(gap_ns);
        times.push_back(timed([&] { a.map(); }));
    }
    *check = a.sum();
    return median(times.data(), times.size());
}

static double sample_few(unsigned, int size, unsigned long long *check)
{
    return warm(check, 8, size);
}

static double sample_few_cold(unsigned, int size, unsigned long long *check)
{
    return after_pause(check, 8, size, 5e6);
}

static double sample_seed(unsigned, int size, unsigned long long *check)
{
    return warm(check, 5000, size);
}

static double sample_seed_cold(unsigned, int size, unsigned long long *check)
{
    return after_pause(check, 5000, size, 1e8);
}

static double sample_many(unsigned, int size, unsigned long long *check)
{
    return warm(check, (size_t)size, 10);
}

static double sample_heavy(unsigned, int size, unsigned long long *check)
{
    size_t n = (size_t)size;
    std::vector<long> out(n);
    auto run = [&] { tbb::parallel_for((size_t)0, n, [&](size_t i) { out[i] = heavy(i, n); }); };
    run();
    double ns = timed(run);
    for (long x : out) {
        *check += (unsigned long long)x;
    }
    return ns;
}

static void scan(const std::vector<uint32_t> &in, std::vector<uint32_t> &out)
{
    tbb::parallel_scan(
        tbb::blocked_range<size_t>(0, in.size()), 0U,
        [&](const tbb::blocked_range<size_t> &range, uint32_t sum, bool is_final) {
            for (size_t i = range.begin(); i < range.end(); i++) {
                sum += in[i];
                if (is_final) {
                    out[i] = sum;
                }
            }
            return sum;
        },
        [](uint32_t a, uint32_t b) { return a + b; });
}

static double sample_scan(unsigned, int size, unsigned long long *check)
{
    std::vector<uint32_t> in((size_t)size), out(in.size());
    std::vector<double> times;
    for (size_t i = 0; i < in.size(); i++) {
        in[i] = (uint32_t)mix(i) % 200;
    }
    scan(in, out);
    for (int round = 0; round < 5; round++) {
        times.push_back(timed([&] { scan(in, out); }));
    }
    for (uint32_t x : out) {
        *check += x;
    }
    return median(times.data(), times.size());
}

// One task handed in, its result waited for through a future.
static std::future<int> submit(tbb::task_arena &arena, int x)
{
    auto promise = std::make_shared<std::promise<int>>();
    std::future<int> future = promise->get_future();
    arena.enqueue([=] { promise->set_value(x); });
    return future;
}

static double sample_futures(unsigned workers, int size, unsigned long long *check)
{
    enum { BATCH = 1000 };
    tbb::task_arena arena((int)workers + 1, 1);
    std::vector<std::future<int>> futures(BATCH);
    return timed([&] {
               for (int done = 0; done < size; done += BATCH) {
                   for (int i = 0; i < BATCH; i++) {
                       futures[(size_t)i] = submit(arena, i);
                   }
                   for (auto &future : futures) {
                       *check += (unsigned long long)future.get();
                   }
               }
           }) /
           size;
}

static double sample_round_trip(unsigned workers, int size, unsigned long long *check)
{
    tbb::task_arena arena((int)workers + 1, 1);
    double start = 0;
    for (int i = -1000; i < size; i++) {
        if (i == 0) {
            start = now_ns();
        }
        *check += (unsigned long long)(submit(arena, 1).get() & (i >= 0));
    }
    return (now_ns() - start) / size;
}

static double sample_round_trip_cold(unsigned workers, int size, unsigned long long *check)
{
    tbb::task_arena arena((int)workers + 1, 1);
    std::vector<double> times;
    for (int i = 0; i < size; i++) {
        pause_ns(1e6);
        times.push_back(timed([&] { *check += (unsigned long long)submit(arena, 1).get(); }));
    }
    return median(times.data(), times.size());
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"fib", sample_fib},
                                      {"queens", sample_queens},
                                      {"small_tree", sample_small_tree},
                                      {"big_tree", sample_big_tree},
                                      {"few", sample_few},
                                      {"few_cold", sample_few_cold},
                                      {"seed", sample_seed},
                                      {"seed_cold", sample_seed_cold},
                                      {"many", sample_many},
                                      {"heavy", sample_heavy},
                                      {"scan", sample_scan},
                                      {"futures", sample_futures},
                                      {"round_trip", sample_round_trip},
                                      {"round_trip_cold", sample_round_trip_cold}};
    tbb::global_control limit(tbb::global_control::max_allowed_parallelism,
                              argc > 2 ? (size_t)atoi(argv[2]) : 1);
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
