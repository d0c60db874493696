/* filch/channel.h: values handed from task to task.
 *
 *     FILCH_CHANNEL(numbers, int);                       at file scope: a type, and its functions
 *
 *     numbers box;
 *     status = numbers_new(16, &box);                    room for 16; 0: hand to hand
 *     status = numbers_send(box, 5);
 *     while (numbers_receive(box, &x) == FILCH_OK) { ... }   until it is closed and empty
 *
 * A task that must wait is suspended and its core goes on with other work; ordinary threads sleep.
 * A channel is FIFO: values arrive in the order in which they were sent, and waiters are served in
 * the order in which they came. What was sent before a channel was closed can be received still.
 *
 * A channel may be freed as soon as it is known that the others are through with it, as a POSIX
 * mutex may be destroyed immediately after it is unlocked: by the receiver of the last value,
 * though the call that sent it may not have returned yet; by a sender that has handed a value over
 * (capacity 0); by a caller that is told that it is closed. Of the channels of filch_first() that
 * holds for the one that served it; the others are in use until it has returned.
 *
 * FILCH_CHANNEL(name, T) defines the value type `name`, to be passed around as it is, and
 *
 *     name_new(capacity, &channel), name_free(channel), name_close(channel), name_count(channel)
 *     name_send(channel, value), name_send_until(channel, value, deadline)
 *     name_receive(channel, &value), name_receive_until(channel, &value, deadline)
 *     name_sending(channel, &value, &status), name_receiving(channel, &value, &status)
 *                                                         cases of filch_first() (first.h)
 *
 * Functions that wait may be called from any thread; a task may go on on another one. Their errors
 * are also FILCH_ETIMEDOUT: the deadline (time.h) came first; FILCH_ECANCELED: the caller is asked
 * to stop; FILCH_EDEADLK: nothing is left that could end the wait (deadlock.h); FILCH_ENOMEM. */
#ifndef FILCH_CHANNEL_H
#define FILCH_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include <filch/first.h>
#include <filch/macros.h>
#include <filch/shape.h>
#include <filch/status.h>
#include <filch/time.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* The capacity of a channel whose senders never wait. */
#define FILCH_UNBOUNDED SIZE_MAX

/* Effect: a channel for values of item_bytes (at least 1), with room for `capacity` of them; 0: a
 * sender waits until a receiver has come.
 * Owns: the caller; ends with filch_channel_free(), when it is not used any more. Values that are
 * in it then are forgotten. NULL: no-op.
 * Errors: FILCH_EINVAL, FILCH_EOVERFLOW, FILCH_ENOMEM. Threads: any. Do not block. */
FILCH_MUST_CHECK filch_status filch_channel_new(size_t item_bytes, size_t capacity,
                                                filch_channel **channel);
void filch_channel_free(filch_channel *channel);

/* Effect: sends a copy of *item, waiting for room, or for a receiver.
 * Errors: FILCH_ECLOSED: it is never received; FILCH_ENOMEM: an unbounded channel cannot grow. */
FILCH_MUST_CHECK filch_status filch_channel_send(filch_channel *channel, const void *item);
FILCH_MUST_CHECK filch_status filch_channel_send_until(filch_channel *channel, const void *item,
                                                       filch_deadline until);

/* Effect: waits for the next value. Returns: FILCH_END, when the channel is closed and empty. */
FILCH_MUST_CHECK filch_status filch_channel_receive(filch_channel *channel, void *item);
FILCH_MUST_CHECK filch_status filch_channel_receive_until(filch_channel *channel, void *item,
                                                          filch_deadline until);

/* Effect: no more will be sent. Receivers get what is there, then FILCH_END; senders that wait give
 * up. Errors: FILCH_EALREADY: it is closed. Threads: any. Does not block. */
filch_status filch_channel_close(filch_channel *channel);

/* Effect: how many values are in it; a glance. */
size_t filch_channel_count(filch_channel *channel);

#ifdef __cplusplus
}
#endif

#define FILCH_CHANNEL(...) FILCH_SHAPED_TYPE(FILCH_CHANNEL, __VA_ARGS__, ~)
#define FILCH_CHANNEL_RULE a name for the channels and the type of what they carry
/* clang-format off */
#define FILCH_CHANNEL_STUBS(name, ...)                                                             \
    typedef struct name {                                                                          \
        filch_channel *untyped;                                                                    \
    } name;                                                                                        \
    FILCH_STUB(filch_status, name##_new) FILCH_STUB(void, name##_free)                             \
    FILCH_STUB(filch_status, name##_close) FILCH_STUB(size_t, name##_count)                        \
    FILCH_STUB(filch_status, name##_send) FILCH_STUB(filch_status, name##_receive)                 \
    FILCH_STUB(filch_status, name##_send_until) FILCH_STUB(filch_status, name##_receive_until)
/* clang-format on */
#define FILCH_CHANNEL_GENERATE(name, T, end)                                                       \
    typedef struct name {                                                                          \
        filch_channel *untyped;                                                                    \
    } name;                                                                                        \
    FILCH_CHECKED filch_status name##_new(size_t filch_capacity, name *filch_out)                  \
    {                                                                                              \
        return filch_channel_new(sizeof(T), filch_capacity,                                        \
                                 filch_out ? &filch_out->untyped : NULL);                          \
    }                                                                                              \
    FILCH_UNUSED static inline void name##_free(name filch_on)                                     \
    {                                                                                              \
        filch_channel_free(filch_on.untyped);                                                      \
    }                                                                                              \
    FILCH_UNUSED static inline filch_status name##_close(name filch_on)                            \
    {                                                                                              \
        return filch_channel_close(filch_on.untyped);                                              \
    }                                                                                              \
    FILCH_UNUSED static inline size_t name##_count(name filch_on)                                  \
    {                                                                                              \
        return filch_channel_count(filch_on.untyped);                                              \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_send(name filch_on, T filch_value)                           \
    {                                                                                              \
        return filch_channel_send(filch_on.untyped, &filch_value);                                 \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_send_until(name filch_on, T filch_value,                     \
                                                 filch_deadline filch_until)                       \
    {                                                                                              \
        return filch_channel_send_until(filch_on.untyped, &filch_value, filch_until);              \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_receive(name filch_on, T *filch_value)                       \
    {                                                                                              \
        return filch_channel_receive(filch_on.untyped, filch_value);                               \
    }                                                                                              \
    FILCH_CHECKED filch_status name##_receive_until(name filch_on, T *filch_value,                 \
                                                    filch_deadline filch_until)                    \
    {                                                                                              \
        return filch_channel_receive_until(filch_on.untyped, filch_value, filch_until);            \
    }                                                                                              \
    FILCH_UNUSED static inline filch_case name##_sending(name filch_on, T const *filch_value,      \
                                                         filch_status *filch_answer)               \
    {                                                                                              \
        return filch_on_send(filch_on.untyped, filch_value, filch_answer);                         \
    }                                                                                              \
    FILCH_UNUSED static inline filch_case name##_receiving(name filch_on, T *filch_value,          \
                                                           filch_status *filch_answer)             \
    {                                                                                              \
        return filch_on_receive(filch_on.untyped, filch_value, filch_answer);                      \
    }                                                                                              \
    FILCH_ASSERT_ALIGNED(T)

#endif
