/* lambdas.cpp in oneTBB, which has no futures: a promise is kept by a task of an arena. */
#ifndef LAMBDAS_TBB_HPP
#define LAMBDAS_TBB_HPP

#include <functional>
#include <future>
#include <memory>

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/parallel_reduce.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

struct crew {
    tbb::global_control limit;
    tbb::task_arena arena;

    explicit crew(unsigned workers)
        : limit(tbb::global_control::max_allowed_parallelism, workers),
          arena(static_cast<int>(workers) + 1, 1)
    {
    }
    template <typename Function> auto async(const Function &function)
    {
        auto promise = std::make_shared<std::promise<decltype(function())>>();
        arena.enqueue([=] { promise->set_value(function()); });
        return promise->get_future();
    }
    template <typename Function> void each_task(std::size_t n, const Function &function)
    {
        tbb::task_group group;
        for (std::size_t i = 0; i < n; i++) {
            group.run([&function, i] { function(i); });
        }
        group.wait();
    }
    template <typename Function> void each_index(std::size_t n, const Function &function)
    {
        tbb::parallel_for(std::size_t{0}, n, function);
    }
    double sum(const std::vector<double> &numbers)
    {
        using range = tbb::blocked_range<const double *>;
        return tbb::parallel_reduce(
            range(numbers.data(), numbers.data() + numbers.size()), 0.0,
            [](const range &part, double sum) {
                for (double x : part) {
                    sum += x;
                }
                return sum;
            },
            std::plus<double>());
    }
};

#endif
