// Lambdas as tasks and as the bodies of loops: one program, with PEER (lambdas_*.hpp) a header in which
// `crew` is how a library of C++ does it: async(f).get(), each_task(n, f), each_index(n, f), sum(v).
#include <cstddef>
#include <vector>

#include PEER

#include "sample.h"

namespace
{

constexpr int rounds = 11;

template <typename Function> double timed(const Function &function)
{
    const double start = now_ns();
    function();
    return now_ns() - start;
}

template <typename Function> double median_of(int n, const Function &function)
{
    std::vector<double> times;
    function(); // warm
    for (int i = 0; i < n; i++) {
        times.push_back(timed(function));
    }
    return median(times.data(), times.size());
}

double sample_async_get(unsigned workers, int size, unsigned long long *check)
{
    crew crew(workers);
    const auto run = [&](int n) {
        for (int i = 0; i < n; i++) {
            *check += static_cast<unsigned long long>(crew.async([i] { return i; }).get());
        }
    };
    run(size / 10);
    return timed([&] { run(size); }) / size;
}

double sample_each_task(unsigned workers, int size, unsigned long long *check)
{
    crew crew(workers);
    std::vector<unsigned> out(static_cast<std::size_t>(size));
    const double ns = median_of(3, [&] {
        crew.each_task(out.size(), [&](std::size_t i) { out[i] += static_cast<unsigned>(i); });
    });
    for (unsigned x : out) {
        *check += x;
    }
    return ns / size;
}

double sample_each_index(unsigned workers, int size, unsigned long long *check)
{
    crew crew(workers);
    std::vector<unsigned> in(static_cast<std::size_t>(size)), out(in.size());
    for (std::size_t i = 0; i < in.size(); i++) {
        in[i] = static_cast<unsigned>(i % 1000);
    }
    const double ns = median_of(rounds, [&] {
        crew.each_index(out.size(), [&](std::size_t i) { out[i] = in[i] * in[i]; });
    });
    for (unsigned x : out) {
        *check += x;
    }
    return ns;
}

double sample_sum(unsigned workers, int size, unsigned long long *check)
{
    crew crew(workers);
    std::vector<double> in(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < in.size(); i++) {
        in[i] = static_cast<double>(mix(i) % 1000); // whole numbers: any order gives the same sum
    }
    double sum = 0;
    const double ns = median_of(rounds, [&] { sum += crew.sum(in); });
    *check = static_cast<unsigned long long>(sum);
    return ns;
}

} // namespace

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"async_get", sample_async_get},
                                      {"each_task", sample_each_task},
                                      {"each_index", sample_each_index},
                                      {"sum", sample_sum}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
