/* filch/loop.hpp: how the elements of loops are called. Nothing here is for direct use. */
#ifndef FILCH_LOOP_HPP
#define FILCH_LOOP_HPP

#include <atomic>
#include <optional>
#include <type_traits>
#include <vector>

#include <filch/error.hpp>
#include <filch/loop.h>
#include <filch/task.h>

namespace filch
{

namespace detail
{

/* Of what a loop's elements have thrown, that of the lowest index. */
class first_thrown
{
  public:
    void note(std::size_t index, std::exception_ptr thrown) noexcept
    {
        /* acquire, and release below: whoever notes sees what was noted before */
        while (lock_.test_and_set(std::memory_order_acquire)) {
            filch_yield();
        }
        if (index < index_) {
            index_ = index;
            std::swap(thrown_, thrown);
        }
        lock_.clear(std::memory_order_release);
        filch_raise(-1, "an exception"); /* the others need not begin */
    }
    /* The loop has ended: throws what was thrown, or raised in C at a lower index. */
    void check(filch_status status, const filch_error &why)
    {
        if (thrown_ && (status != FILCH_ERAISED || index_ <= why.index)) {
            std::rethrow_exception(std::move(thrown_));
        }
        if (status == FILCH_ERAISED) {
            throw error(why);
        }
        detail::check(status);
    }

  private:
    std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
    std::size_t index_ = FILCH_NO_INDEX;
    std::exception_ptr thrown_;
};

/* body(i) for the elements of a block. */
template <typename Body> struct looping {
    const Body *body;
    first_thrown *thrown;

    static void run(const void *environment, std::size_t i)
    {
        (*static_cast<const looping *>(environment)->body)(i);
    }
    /* Around all of them, not each: what may throw costs an element nothing. */
    static void block(const void *environment, filch_range *range)
    {
        const looping self = *static_cast<const looping *>(environment);
        while (range->next < range->stop) {
            contain([&] { filch_block_run(range, run, &self); },
                    [&](std::exception_ptr what) {
                        self.thrown->note(static_cast<std::size_t>(range->next) - 1, what);
                    });
        }
    }
};

/* Named: for the loop's name. */
template <typename Named, typename Body>
void loop(filch_pool *pool, std::size_t n, const Body &body)
{
    static constexpr filch_body untyped = {looping<Body>::block, sizeof(looping<Body>), 0,
                                           &info<Named>};
    first_thrown thrown;
    filch_error why = {};
    filch_options options = {};
    options.policy = FILCH_FAIL_FAST;
    options.error = &why;
    const looping<Body> environment = {&body, &thrown};
    const filch_status status = filch_map(filch_on(pool, &options), &untyped, &environment, n);
    thrown.check(status, why);
}

/* Of anything that std::begin() and std::end() give iterators with random access for. */
template <typename Range> auto first_of(Range &range)
{
    using iterator = decltype(std::begin(range));
    static_assert(std::is_base_of_v<std::random_access_iterator_tag,
                                    typename std::iterator_traits<iterator>::iterator_category>,
                  "filch: its elements are taken in any order");
    return std::begin(range);
}
template <typename Range> std::size_t count_of(Range &range)
{
    return static_cast<std::size_t>(std::end(range) - std::begin(range));
}

/* The i-th; without warnings about signs, whatever the iterator counts with. */
template <typename Iterator> decltype(auto) at(const Iterator &first, std::size_t i)
{
    return first[static_cast<typename std::iterator_traits<Iterator>::difference_type>(i)];
}

/* So many pieces, whatever the number of workers: their sums are the same, to the bit. */
constexpr std::size_t pieces_most = 256;

/* Where the piece begins. */
inline std::size_t piece_begins(std::size_t n, std::size_t pieces, std::size_t piece)
{
    return n / pieces * piece + (piece < n % pieces ? piece : n % pieces);
}

template <typename T, typename Iterator, typename Combine>
T sum_of_piece(const Iterator &first, std::size_t from, std::size_t to, const Combine &combine)
{
    T sum(at(first, from));
    for (std::size_t i = from + 1; i < to; i++) {
        sum = combine(std::move(sum), at(first, i));
    }
    return sum;
}

template <typename Range, typename T, typename Combine>
T reduce(filch_pool *pool, Range &range, T sum, const Combine &combine)
{
    const auto first = first_of(range);
    const std::size_t n = count_of(range);
    const std::size_t pieces = n < pieces_most ? n : pieces_most;
    std::vector<std::optional<T>> sums(pieces);
    loop<Combine>(pool, pieces, [&](std::size_t piece) {
        sums[piece].emplace(sum_of_piece<T>(first, piece_begins(n, pieces, piece),
                                            piece_begins(n, pieces, piece + 1), combine));
    });
    for (std::optional<T> &piece : sums) {
        sum = combine(std::move(sum), std::move(*piece));
    }
    return sum;
}

} // namespace detail

} // namespace filch

#endif
