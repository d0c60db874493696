/* lambdas.cpp in std::async: a thread each; loops in as many blocks as there are workers. */
#ifndef LAMBDAS_STD_HPP
#define LAMBDAS_STD_HPP

#include <algorithm>
#include <future>
#include <numeric>

struct crew {
    static constexpr std::size_t threads_most = 1000; /* at once */
    std::size_t blocks;

    explicit crew(unsigned workers) : blocks(workers)
    {
    }
    template <typename Function> auto async(const Function &function)
    {
        return std::async(std::launch::async, function);
    }
    template <typename Function> void each_task(std::size_t n, const Function &function)
    {
        for (std::size_t from = 0; from < n; from += threads_most) {
            std::vector<std::future<void>> tasks; /* whose destructors wait */
            for (std::size_t i = from; i < std::min(n, from + threads_most); i++) {
                tasks.push_back(async([&function, i] { function(i); }));
            }
        }
    }
    template <typename Function> void each_index(std::size_t n, const Function &function)
    {
        std::vector<std::future<void>> tasks;
        for (std::size_t block = 0; block < blocks; block++) {
            tasks.push_back(
                async([&function, first = n * block / blocks, last = n * (block + 1) / blocks] {
                    for (std::size_t i = first; i < last; i++) {
                        function(i);
                    }
                }));
        }
    }
    double sum(const std::vector<double> &numbers)
    {
        std::vector<std::future<double>> tasks;
        double sum = 0;
        for (std::size_t block = 0; block < blocks; block++) {
            tasks.push_back(async([&numbers, block, this] {
                const double *first = numbers.data() + numbers.size() * block / blocks;
                const double *last = numbers.data() + numbers.size() * (block + 1) / blocks;
                return std::accumulate(first, last, 0.0);
            }));
        }
        for (std::future<double> &task : tasks) {
            sum += task.get();
        }
        return sum;
    }
};

#endif
