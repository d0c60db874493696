/* filch/channel.hpp: values handed from task to task, as in channel.h, of any type that can be
 * moved.
 *
 *     filch::channel<std::string> lines(16);
 *     lines.send("one");                              a task
 *     while (auto line = lines.receive()) { ... }     another; until it is closed and empty
 *
 * A value that can be copied byte by byte lies in the channel, another in memory of its own. */
#ifndef FILCH_CHANNEL_HPP
#define FILCH_CHANNEL_HPP

#include <optional>
#include <type_traits>
#include <utility>

#include <filch/channel.h>
#include <filch/error.hpp>

namespace filch
{

/* Threads: any, several at once, until its destructor. */
template <typename T> class channel
{
    static constexpr bool is_plain =
        std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T> && alignof(T) <= 64;
    using item = std::conditional_t<is_plain, T, T *>;

  public:
    /* capacity: 0: hand to hand; FILCH_UNBOUNDED: senders never wait. */
    explicit channel(std::size_t capacity)
    {
        detail::check(filch_channel_new(sizeof(item), capacity, &channel_));
    }
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;

    /* When nothing else uses it. What is in it goes. */
    ~channel()
    {
        item left;
        filch_channel_close(channel_);
        while (!is_plain && filch_channel_receive_until(channel_, &left, filch_in(0)) == FILCH_OK) {
            take(left);
        }
        filch_channel_free(channel_);
    }

    /* Effect: waits for room, or for a receiver. Throws: filch::error: FILCH_ECLOSED, and as in
     * channel.h; the value is gone then. Blocks. */
    void send(T value)
    {
        if constexpr (is_plain) {
            detail::check(filch_channel_send(channel_, &value));
        } else {
            T *moved = new T(std::move(value));
            const filch_status status = filch_channel_send(channel_, &moved);
            if (status != FILCH_OK) {
                delete moved;
            }
            detail::check(status);
        }
    }

    /* Effect: waits for the next value. Returns: none, if it is closed and empty.
     * Throws: filch::error, as in channel.h. Blocks. */
    std::optional<T> receive()
    {
        return receive_until(filch_never());
    }
    /* Throws: also FILCH_ETIMEDOUT. */
    std::optional<T> receive_until(filch_deadline until)
    {
        item next;
        const filch_status status = filch_channel_receive_until(channel_, &next, until);
        if (status == FILCH_END) {
            return std::nullopt;
        }
        detail::check(status);
        return take(next);
    }

    /* Effect: no more will be sent. */
    void close() noexcept
    {
        filch_channel_close(channel_);
    }
    filch_channel *native() const noexcept /* its items are T *, where T is not plain */
    {
        return channel_;
    }

  private:
    static T take(item &next)
    {
        if constexpr (is_plain) {
            return next;
        } else {
            struct owner {
                T *value;
                ~owner()
                {
                    delete value;
                }
            } gone{next};
            return std::move(*next);
        }
    }

    filch_channel *channel_ = nullptr;
};

} // namespace filch

#endif
