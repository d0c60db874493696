/* channel: the inside of a channel.
 *
 * Receivers wait only while it is empty, senders only while it is full; so a value goes from hand
 * to hand when the other side waits, and through the ring when it does not. A caller that finds a
 * waiter in line claims it (wait.h) and completes its case under the channel's lock, and tells it
 * when the lock has been released. The waiter touches the channel no more: a task that knows from
 * it that the channel is not needed any longer may have freed it.
 *
 * Source: Hoare, "Communicating sequential processes" (1978); Go's channels for the two lines. */
#ifndef FILCH_CHANNEL_PRIVATE_H
#define FILCH_CHANNEL_PRIVATE_H

#include <filch/channel.h>
#include <filch/first.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/wait_list.h"

struct filch_channel {
    struct filch_lock lock;
    size_t item_bytes;                /* constant */
    size_t capacity;                  /* constant */
    bool closed;                      /* lock */
    bool torn;                        /* lock; a thread that is not here was about to change it */
    uint32_t token;                   /* constant; of the process that made it */
    uint32_t exchanged;               /* lock; values that came or went since a waiter was woken */
    struct filch_wait_list senders;   /* lock */
    struct filch_wait_list receivers; /* lock */
    size_t count;                     /* lock; values in the ring */
    size_t head;                      /* lock; where the oldest is */
    size_t room;                      /* lock; how many values `ring` holds; grows if unbounded */
    unsigned char *ring;              /* lock */
};

/* What a case of a channel keeps while it is done. It sends `subject` or, if that is NULL, receives
 * `out`. */
struct filch_case_state {
    struct filch_wait_node place;
    filch_status status; /* FILCH_EPENDING: not done yet */
    filch_case *above;   /* the case with the next channel by address */
    filch_case *lowest;  /* where that list begins */
};

_Static_assert(sizeof(struct filch_case_state) <= sizeof(((filch_case *)0)->opaque),
               "a case has room");

static inline struct filch_case_state *filch_case_state_of(filch_case *one)
{
    return (struct filch_case_state *)(void *)one->opaque;
}

/* Take its lock, also if that is held by a thread which the child of a fork() does not have. */
FILCH_PRIVATE void filch_channel_lock(filch_channel *channel);

/* Send or receive if that can be done; the caller tells the waiters whose cases were done by that.
 * FILCH_EPENDING: one must wait. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_channel_send_locked(filch_channel *channel,
                                                                      const void *item,
                                                                      struct filch_claims *claims);
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_channel_receive_locked(filch_channel *channel, void *item, struct filch_claims *claims);

/* The one of them for which there is a place: `send` or, if that is NULL, `receive`. */
static inline FILCH_MUST_CHECK filch_status filch_channel_do_locked(filch_channel *channel,
                                                                    const void *send, void *receive,
                                                                    struct filch_claims *claims)
{
    return send ? filch_channel_send_locked(channel, send, claims)
                : filch_channel_receive_locked(channel, receive, claims);
}

/* Do the case if it can be done; the caller tells the waiters whose cases were done by that. False:
 * one must wait. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_channel_try_locked(filch_channel *channel,
                                                             filch_case *one,
                                                             struct filch_claims *claims);

/* Stand in line with the case. */
FILCH_PRIVATE void filch_channel_wait_locked(filch_channel *channel, filch_case *one,
                                             struct filch_waiter *waiter);

/* All cases with this channel, of the list that begins at `lowest`, leave its lines. */
FILCH_PRIVATE void filch_channel_leave_locked(filch_channel *channel, filch_case *lowest);

#endif
