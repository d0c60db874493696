/* lambdas.cpp in BS::thread_pool: its one header is found through CPLUS_INCLUDE_PATH. */
#ifndef LAMBDAS_BS_HPP
#define LAMBDAS_BS_HPP

#include <numeric>

#include <BS_thread_pool.hpp>

struct crew {
    BS::thread_pool<> pool;

    explicit crew(unsigned workers) : pool(workers)
    {
    }
    template <typename Function> auto async(const Function &function)
    {
        return pool.submit_task(function);
    }
    template <typename Function> void each_task(std::size_t n, const Function &function)
    {
        for (std::size_t i = 0; i < n; i++) {
            pool.detach_task([&function, i] { function(i); });
        }
        pool.wait();
    }
    template <typename Function> void each_index(std::size_t n, const Function &function)
    {
        pool.submit_loop(std::size_t{0}, n, function).wait();
    }
    double sum(const std::vector<double> &numbers)
    {
        const double *first = numbers.data();
        double sum = 0;
        for (double part : pool.submit_blocks(std::size_t{0}, numbers.size(),
                                              [first](std::size_t from, std::size_t to) {
                                                  return std::accumulate(first + from, first + to,
                                                                         0.0);
                                              })
                               .get()) {
            sum += part;
        }
        return sum;
    }
};

#endif
