/* filch/task.hpp: how a callable of C++ becomes a task. Nothing here is for direct use.
 *
 * The callable, and then its result or exception, lie in the future's memory (placed.h): they are
 * moved in and out, never copied. */
#ifndef FILCH_TASK_HPP
#define FILCH_TASK_HPP

#include <new>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include <filch/error.hpp>
#include <filch/placed.h>

namespace filch
{

namespace detail
{

struct nothing {
};

/* How a task has ended. */
template <typename T> struct outcome {
    std::optional<std::conditional_t<std::is_void_v<T>, nothing, T>> value;
    std::exception_ptr thrown;
};

/* A task; `function` is gone when it has been called. */
template <typename T, typename Function> struct job : outcome<T> {
    std::optional<Function> function;

    template <typename Given> explicit job(Given &&given) noexcept
    {
        try {
            function.emplace(std::forward<Given>(given));
        } catch (...) { /* by its constructor: as if the task had thrown it */
            this->thrown = std::current_exception();
        }
    }
    void call()
    {
        if constexpr (std::is_void_v<T>) {
            std::move (*function)();
            this->value.emplace();
        } else {
            this->value.emplace(std::move(*function)());
        }
    }
};

/* A job as the untyped layer sees it. */
template <typename Job, typename Named> struct placed_job {
    static void run(void *, void *state)
    {
        auto *job = static_cast<Job *>(state);
        if (job->function) {
            contain([job] { job->call(); },
                    [job](std::exception_ptr thrown) { job->thrown = std::move(thrown); });
            job->function.reset();
        }
    }
    static void destroy(void *state)
    {
        static_cast<Job *>(state)->~Job();
    }
    template <typename Given> struct placing {
        std::remove_reference_t<Given> *given;
        Job *made;
        static void place(void *context, void *state)
        {
            auto *self = static_cast<placing *>(context);
            self->made = new (state) Job(std::forward<Given>(*self->given));
        }
    };
    template <typename Given>
    static constexpr filch_placed placed = {
        {run, 0, sizeof(Job), &info<Named>}, placing<Given>::place, destroy};
};

/* What has been submitted: a reference, and where its outcome is or will be. */
template <typename T> struct submitted {
    filch_future *future = nullptr;
    outcome<T> *state = nullptr;
};

/* Has the pool call `function` when the n needs have succeeded. Named: for the task's name. */
template <typename Named, typename Function>
auto submit(filch_pool *pool, filch_future *const needs[], std::size_t n, Function &&function)
{
    using type = std::decay_t<Function>;
    using result = std::invoke_result_t<type>;
    using job_type = job<result, type>;
    static_assert(!std::is_reference_v<result>, "filch: a task returns a value, or a pointer");
    static_assert(alignof(job_type) <= 64, "filch: it is aligned to more than 64 bytes");
    using placed = placed_job<job_type, Named>;
    typename placed::template placing<Function> placing = {std::addressof(function), nullptr};
    submitted<result> made;
    check(filch_future_place(pool, &placed::template placed<Function>, &placing, needs, n,
                             &made.future));
    made.state = placing.made;
    return made;
}

/* One need. Given: std::true_type if its value may be moved from. */
template <typename T, typename Given> struct need {
    outcome<T> *state;

    void rethrow() const
    {
        if (state->thrown) {
            std::rethrow_exception(state->thrown);
        }
    }
    /* What it is to the task that follows: none if T is void. */
    auto values() const
    {
        if constexpr (std::is_void_v<T>) {
            return std::tuple<>();
        } else if constexpr (Given::value) {
            return std::tuple<T &&>(std::move(*state->value));
        } else {
            return std::tuple<const T &>(*state->value);
        }
    }
};

/* Calls function(values of the needs), unless one has thrown. The library keeps the needs until it
 * has returned. */
template <typename Function, typename... Needs> struct following {
    Function function;
    std::tuple<Needs...> needs;

    decltype(auto) operator()() &&
    {
        return std::apply(
            [this](const Needs &...need) -> decltype(auto) {
                (need.rethrow(), ...);
                return std::apply(std::move(function), std::tuple_cat(need.values()...));
            },
            needs);
    }
};

} // namespace detail

} // namespace filch

#endif
