/* filch/coroutine.hpp: co_await of a future, in C++20, in coroutines of any kind.
 *
 *     const std::string text = co_await pool.async([=] { return fetch(url); });
 *
 * The coroutine goes on as a task of the future's pool, when the future is ready: co_await is
 * get(), as to what is thrown and what is moved, too. Where it can be no task (the awaited one was
 * cancelled, say, or the pool terminated) it goes on in the thread that has seen to that. filch
 * brings no kind of coroutine of its own: its tasks may wait as they are. */
#ifndef FILCH_COROUTINE_HPP
#define FILCH_COROUTINE_HPP

#include <filch/future.hpp>

#if defined __cpp_impl_coroutine && __cplusplus >= 202002L
#include <coroutine>

namespace filch
{

namespace detail
{

/* Goes on with a coroutine: as a task, or, if that never runs, when its future goes: the future
 * that is awaited has failed then, or its pool was terminated. Once, anyhow. */
struct going_on {
    std::coroutine_handle<> coroutine;
    bool gone_on;

    void go_on() noexcept
    {
        if (!std::exchange(gone_on, true)) {
            std::exchange(coroutine, nullptr).resume();
        }
    }
    static void place(void *context, void *state)
    {
        auto *handed = static_cast<going_on *>(context);
        new (state) going_on{handed->coroutine, false};
        handed->gone_on = true;
    }
    static void run(void *, void *state)
    {
        static_cast<going_on *>(state)->go_on();
    }
    static constexpr filch_function_info info = {"coroutine", "", "", 0, 0, {}, {}, FILCH_ABI};
};
inline constexpr filch_placed placed_going_on = {
    {going_on::run, 0, sizeof(going_on), &going_on::info}, going_on::place, [](void *state) {
        static_cast<going_on *>(state)->go_on();
    }};

/* Future: filch::future<T> or a reference to one. */
template <typename Future> struct awaiter {
    Future future;

    bool await_ready() const noexcept
    {
        return future.ready() || !future.valid();
    }
    /* False: it was refused, so the coroutine goes on at once, and waits. */
    bool await_suspend(std::coroutine_handle<> coroutine) noexcept
    {
        going_on handed = {coroutine, false};
        filch_future *const needs[] = {future.native()};
        const filch_status status =
            filch_future_place(future.pool(), &placed_going_on, &handed, needs, 1, nullptr);
        return status == FILCH_OK || handed.gone_on;
    }
    decltype(auto) await_resume()
    {
        return static_cast<Future &&>(future).get();
    }
};

} // namespace detail

template <typename T> detail::awaiter<future<T> &> operator co_await(future<T> &awaited) noexcept
{
    return {awaited};
}
template <typename T> detail::awaiter<future<T>> operator co_await(future<T> &&awaited) noexcept
{
    return {std::move(awaited)};
}

} // namespace filch

#endif

#endif
