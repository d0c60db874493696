/* filch/future.hpp: results that are not there yet, of any type that can be moved.
 *
 *     filch::future<std::string> page = pool.async([=] { return fetch(url); });
 *     auto size = page.then([](const std::string &text) { return text.size(); });
 *     std::printf("%zu of %s\n", size.get(), page.get().c_str());
 */
#ifndef FILCH_FUTURE_HPP
#define FILCH_FUTURE_HPP

#include <filch/future.h>
#include <filch/task.hpp>
#include <filch/time.h>

namespace filch
{

/* Can be moved, not copied. Its destructor waits for nothing: the task still runs, and what it has
 * captured by reference must still be there. A future outlives its pool, but then() needs it. */
template <typename T> class future
{
  public:
    /* Without a task: every function that wants one throws FILCH_EINVAL. */
    future() noexcept = default;
    /* The other has no task any more. */
    future(future &&other) noexcept
        : pool_(other.pool_), made_(std::exchange(other.made_, detail::submitted<T>()))
    {
    }
    future &operator=(future &&other) noexcept
    {
        future old(std::move(*this));
        pool_ = other.pool_;
        made_ = std::exchange(other.made_, detail::submitted<T>());
        return *this;
    }
    /* The task still runs. */
    ~future()
    {
        filch_future_free(made_.future);
    }

    /* Effect: waits; the result, in place: it stays in the future, and may be got again. From one
     * that is a temporary, or std::move()d, it is moved out.
     * Throws: what the task threw; filch::error: what the library says instead of a result, and why
     * the wait has ended early (FILCH_ECANCELED, FILCH_EDEADLK); it has no task (FILCH_EINVAL).
     * Threads: any, several at once unless it is moved out. Blocks, as filch_future_wait() does. */
    std::add_lvalue_reference_t<T> get() &
    {
        wait();
        if (made_.state->thrown) {
            std::rethrow_exception(made_.state->thrown);
        }
        check_value();
        if constexpr (!std::is_void_v<T>) {
            return *made_.state->value;
        }
    }
    T get() &&
    {
        wait();
        if (made_.state->thrown) { /* the catcher's alone: no other thread drops it later */
            std::rethrow_exception(std::exchange(made_.state->thrown, nullptr));
        }
        check_value();
        if constexpr (!std::is_void_v<T>) {
            return std::move(*made_.state->value);
        }
    }

    /* Effect: waits until it has ended in any way. Throws: filch::error, as get(). Blocks. */
    void wait() const
    {
        detail::check(filch_future_wait(made_.future));
    }
    /* The same, so long at most: a std::chrono::duration. Returns: is it ready? */
    template <typename Duration> bool wait_for(const Duration &time) const
    {
        using period = typename Duration::period;
        const double seconds = static_cast<double>(time.count()) *
                               static_cast<double>(period::num) / static_cast<double>(period::den);
        const filch_status status = filch_future_wait_until(made_.future, filch_in(seconds));
        if (status != FILCH_ETIMEDOUT) {
            detail::check(status);
        }
        return status == FILCH_OK;
    }
    bool ready() const noexcept /* it has ended, in any way */
    {
        return filch_future_ready(made_.future);
    }
    bool valid() const noexcept /* it has a task */
    {
        return made_.future != nullptr;
    }

    /* Effect: as filch_future_cancel(). Returns: false: it has ended before. What a task that has
     * not begun captured goes with the future. */
    bool cancel() noexcept
    {
        return filch_future_cancel(made_.future) == FILCH_OK;
    }

    /* Effect: as pool.after(function, *this), in the pool of the task: function(const T &), or
     * function() of a future<void>. Of a temporary, or std::move()d: function(T &&), and the future
     * is given up. */
    template <typename Function> auto then(Function &&function) &;
    template <typename Function> auto then(Function &&function) &&;

    /* The reference of the layer in C. Its value is no T, but what holds one: do not get() it. */
    filch_future *native() const noexcept
    {
        return made_.future;
    }

    /* Used by the library: the reference is the future's. */
    future(filch_pool *pool, const detail::submitted<T> &made) noexcept : pool_(pool), made_(made)
    {
    }
    filch_pool *pool() const noexcept
    {
        return pool_;
    }
    detail::outcome<T> *state() const noexcept
    {
        return made_.state;
    }

  private:
    void check_value() const
    {
        filch_error why;
        detail::check(filch_future_error(made_.future, &why));
        if (why.status != FILCH_OK) {
            throw error(why);
        }
    }

    filch_pool *pool_ = nullptr;
    detail::submitted<T> made_;
};

namespace detail
{

template <typename Future> struct need_of;
template <typename T> struct need_of<future<T> &> {
    using type = need<T, std::false_type>;
};
template <typename T> struct need_of<const future<T> &> {
    using type = need<T, std::false_type>;
};
template <typename T> struct need_of<future<T>> {
    using type = need<T, std::true_type>;
};

/* One that was given away has no more to say. */
template <typename T> void give_up(future<T> &&given)
{
    future<T> gone(std::move(given));
}
template <typename T> void give_up(const future<T> &)
{
}

/* pool.after() and future.then(). */
template <typename Function, typename... Futures>
auto follow(filch_pool *pool, Function &&function, Futures &&...futures)
{
    using task = following<std::decay_t<Function>, typename need_of<Futures>::type...>;
    using result = std::invoke_result_t<task>;
    for (filch_future *given : {futures.native()...}) {
        check(given ? FILCH_OK : FILCH_EINVAL);
    }
    filch_future *const needs[] = {futures.native()...};
    future<result> next(pool, submit<std::decay_t<Function>>(
                                  pool, needs, sizeof...(Futures),
                                  task{std::forward<Function>(function), {{futures.state()}...}}));
    (give_up(std::forward<Futures>(futures)), ...);
    return next;
}

} // namespace detail

template <typename T> template <typename Function> auto future<T>::then(Function &&function) &
{
    return detail::follow(pool_, std::forward<Function>(function), *this);
}

template <typename T> template <typename Function> auto future<T>::then(Function &&function) &&
{
    return detail::follow(pool_, std::forward<Function>(function), std::move(*this));
}

} // namespace filch

#endif
