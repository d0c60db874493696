/* filch/pool.hpp: pools of workers. */
#ifndef FILCH_POOL_HPP
#define FILCH_POOL_HPP

#include <filch/future.hpp>
#include <filch/loop.hpp>
#include <filch/pool.h>

namespace filch
{

/* Opened and freed with the object. Functions throw filch::error with the status that pool.h,
 * future.h and loop.h give; they may be called by any thread and any task. */
class pool
{
  public:
    /* 0: as many as there are processors. */
    explicit pool(unsigned workers = 0)
    {
        filch_pool_options options = {};
        options.processes = workers;
        detail::check(filch_pool_open(&options, &pool_));
    }
    /* As filch_pool_open(). */
    explicit pool(const filch_pool_options &options)
    {
        detail::check(filch_pool_open(&options, &pool_));
    }
    /* Effect: the default pool, which is never freed. */
    static pool shared() noexcept
    {
        return pool(nullptr);
    }
    pool(const pool &) = delete;
    pool &operator=(const pool &) = delete;

    /* Lets all that was accepted complete; not from one of its own tasks: then nothing is freed. */
    ~pool()
    {
        filch_pool_free(pool_);
    }

    /* Effect: has the pool call function(), soon. It is moved in, or copied from an lvalue, and
     * goes when it has been called. Returns: future<what it returns>. Does not block. */
    template <typename Function> auto async(Function &&function)
    {
        using result = std::invoke_result_t<std::decay_t<Function>>;
        return future<result>(pool_, detail::submit<std::decay_t<Function>>(
                                         pool_, nullptr, 0, std::forward<Function>(function)));
    }

    /* Effect: has the pool call function(values of the futures), when they have all ended: of a
     * future<T> const T &, of a future<void> none. Of one that is std::move()d T &&, and that
     * future is given up; what else follows it must have run before. What the leftmost of those
     * that have thrown threw is what the new one throws, without a call; one that was cancelled
     * ends the new one at once, with FILCH_ECANCELED. Does not block. */
    template <typename Function, typename... Futures>
    auto after(Function &&function, Futures &&...futures)
    {
        static_assert(sizeof...(Futures) > 0, "filch: after what?");
        return detail::follow(pool_, std::forward<Function>(function),
                              std::forward<Futures>(futures)...);
    }

    /* Effect: function(i) for i = 0 to n - 1, in any order, several at once: the function must
     * allow that, so it is const. If one throws, those that have not begun need not run, and what
     * was thrown at the lowest index is thrown. Blocks. */
    template <typename Function> void for_each_index(std::size_t n, const Function &function)
    {
        detail::loop<Function>(pool_, n, function);
    }

    /* Effect: the same: function(element) for those of a container, array or other range. */
    template <typename Range, typename Function>
    void parallel_for(Range &&range, const Function &function)
    {
        const auto first = detail::first_of(range);
        detail::loop<Function>(pool_, detail::count_of(range),
                               [&](std::size_t i) { function(detail::at(first, i)); });
    }

    /* Effect: the same, with out[i] = function(element i). out: an iterator with random access. */
    template <typename Range, typename Function, typename Output>
    void map(Range &&range, const Function &function, Output out)
    {
        const auto first = detail::first_of(range);
        detail::loop<Function>(pool_, detail::count_of(range), [&](std::size_t i) {
            detail::at(out, i) = function(detail::at(first, i));
        });
    }

    /* Effect: the same, into a new vector. */
    template <typename Range, typename Function> auto map(Range &&range, const Function &function)
    {
        using result = std::decay_t<decltype(function(*std::begin(range)))>;
        static_assert(!std::is_same_v<result, bool>,
                      "filch: the elements of a vector<bool> cannot be set at once: map to char");
        std::vector<result> out(detail::count_of(range));
        map(range, function, out.begin());
        return out;
    }

    /* Effect: initial (+) element 0 (+) element 1 ..., where a (+) b is combine(a, b), which must
     * be associative: up to 256 pieces are combined first, the same with any number of workers, so
     * that a sum of floating-point numbers has the same bits. Each is called as
     * combine(T &&, element) or combine(T &&, T &&). Exceptions as above. Blocks. */
    template <typename Range, typename T, typename Combine>
    T reduce(Range &&range, T initial, const Combine &combine)
    {
        return detail::reduce(pool_, range, std::move(initial), combine);
    }

    /* Effect: as filch_pool_close(), filch_pool_terminate(). */
    void close() noexcept
    {
        filch_pool_close(pool_);
    }
    void terminate() noexcept
    {
        filch_pool_terminate(pool_);
    }
    unsigned workers() const noexcept /* as filch_pool_workers() */
    {
        return filch_pool_workers(pool_);
    }
    filch_pool *native() const noexcept /* for the layer in C; NULL: the default pool */
    {
        return pool_;
    }

  private:
    explicit pool(std::nullptr_t) noexcept
    {
    }

    filch_pool *pool_ = nullptr;
};

} // namespace filch

#endif
