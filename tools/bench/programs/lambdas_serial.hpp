/* lambdas.cpp in plain calls and loops. */
#ifndef LAMBDAS_SERIAL_HPP
#define LAMBDAS_SERIAL_HPP

#include <future>
#include <numeric>

struct crew {
    explicit crew(unsigned)
    {
    }
    template <typename Function> auto async(const Function &function)
    {
        return std::async(std::launch::deferred, function);
    }
    template <typename Function> void each_task(std::size_t n, const Function &function)
    {
        each_index(n, function);
    }
    template <typename Function> void each_index(std::size_t n, const Function &function)
    {
        for (std::size_t i = 0; i < n; i++) {
            function(i);
        }
    }
    double sum(const std::vector<double> &numbers)
    {
        return std::accumulate(numbers.begin(), numbers.end(), 0.0);
    }
};

#endif
