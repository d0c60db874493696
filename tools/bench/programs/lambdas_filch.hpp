/* lambdas.cpp in filch. */
#ifndef LAMBDAS_FILCH_HPP
#define LAMBDAS_FILCH_HPP

#include <functional>

#include <filch/filch.hpp>

struct crew {
    filch::pool pool;

    explicit crew(unsigned workers) : pool(workers)
    {
    }
    template <typename Function> auto async(const Function &function)
    {
        return pool.async(function);
    }
    template <typename Function> void each_task(std::size_t n, const Function &function)
    {
        filch::group group(pool);
        for (std::size_t i = 0; i < n; i++) {
            group.spawn([&function, i] { function(i); });
        }
        group.wait();
    }
    template <typename Function> void each_index(std::size_t n, const Function &function)
    {
        pool.for_each_index(n, function);
    }
    double sum(const std::vector<double> &numbers)
    {
        return pool.reduce(numbers, 0.0, std::plus<double>());
    }
};

#endif
