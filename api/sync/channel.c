#include "sync/channel.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "sched/process.h"

enum { FIRST_ROOM = 16 }; /* of an unbounded channel */

filch_status filch_channel_new(size_t item_bytes, size_t capacity, filch_channel **out)
{
    if (!out || item_bytes == 0) {
        return FILCH_EINVAL;
    }
    *out = NULL;
    size_t room = capacity == FILCH_UNBOUNDED ? FIRST_ROOM : capacity;
    size_t bytes;
    if (!filch_multiply(room, item_bytes, &bytes) || bytes > PTRDIFF_MAX) {
        return FILCH_EOVERFLOW;
    }
    filch_channel *channel = filch_calloc(1, sizeof *channel);
    unsigned char *ring = bytes ? filch_malloc(bytes) : NULL;
    if (!channel || (bytes && !ring)) {
        filch_free(channel);
        filch_free(ring);
        return FILCH_ENOMEM;
    }
    filch_lock_init(&channel->lock);
    channel->item_bytes = item_bytes;
    channel->capacity = capacity;
    channel->room = room;
    channel->ring = ring;
    channel->token = filch_process_token();
    *out = channel;
    return FILCH_OK;
}

void filch_channel_free(filch_channel *channel)
{
    if (channel) {
        filch_free(channel->ring);
        filch_free(channel);
    }
}

static unsigned char *at(filch_channel *channel, size_t position)
{
    size_t place = channel->head + position;
    if (place >= channel->room) {
        place -= channel->room; /* a division takes longer than all else here */
    }
    return channel->ring + place * channel->item_bytes;
}

/* The commonest sizes without a call. */
static inline void copy_item(const filch_channel *channel, void *to, const void *from)
{
    switch (channel->item_bytes) {
    case 4: memcpy(to, from, 4); break;
    case 8: memcpy(to, from, 8); break;
    default: memcpy(to, from, channel->item_bytes);
    }
}

/* Twice the room, with the oldest value first. */
static bool grow_locked(filch_channel *channel)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    FILCH_ASSERT(channel->count == channel->room);
    size_t bytes = channel->item_bytes;
    size_t total;
    if (!filch_multiply(channel->room, 2 * bytes, &total) || total > PTRDIFF_MAX) {
        return false;
    }
    unsigned char *ring = filch_malloc(total);
    if (!ring) {
        return false;
    }
    size_t until_end = channel->room - channel->head;
    memcpy(ring, channel->ring + channel->head * bytes, until_end * bytes);
    memcpy(ring + until_end * bytes, channel->ring, channel->head * bytes);
    filch_free(channel->ring);
    channel->ring = ring;
    channel->room *= 2;
    channel->head = 0;
    return true;
}

/* What is half changed is of no use: the channel is closed, and there is nothing in it. */
void filch_channel_lock(filch_channel *channel)
{
    if (!filch_lock_acquire(&channel->lock, FILCH_RANK_CHANNEL)) {
        channel->torn = channel->closed = true;
        channel->count = 0;
        channel->senders = channel->receivers = (struct filch_wait_list){NULL, NULL};
    }
}

static struct filch_wait_list *line_of(filch_channel *channel, const filch_case *one)
{
    return one->subject ? &channel->senders : &channel->receivers;
}

void filch_channel_wait_locked(filch_channel *channel, filch_case *one, struct filch_waiter *waiter)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    filch_wait_list_add_locked(line_of(channel, one), &filch_case_state_of(one)->place, waiter);
}

void filch_channel_leave_locked(filch_channel *channel, filch_case *lowest)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    for (filch_case *one = lowest; one; one = filch_case_state_of(one)->above) {
        if (one->channel == channel) {
            filch_wait_list_remove_locked(line_of(channel, one), &filch_case_state_of(one)->place);
        }
    }
}

/* The first in line that still waits, claimed: its case is to be completed, with this status. It
 * leaves this channel's lines here and now, because it must not come back for that. */
static filch_case *claim_locked(filch_channel *channel, struct filch_wait_list *line,
                                filch_status status, struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    if (line->first && filch_process_inherited(channel->token)) {
        *line = (struct filch_wait_list){NULL, NULL}; /* they are in the parent */
    }
    struct filch_wait_node *place = filch_wait_list_claim_locked(line, claims);
    filch_case *one = place ? FILCH_CONTAINER(place, filch_case, opaque) : NULL;
    if (one) {
        FILCH_ASSERT(filch_case_state_of(one)->status == FILCH_EPENDING); /* it is done once */
        filch_case_state_of(one)->status = status;
        filch_channel_leave_locked(one->channel, filch_case_state_of(one)->lowest);
    }
    return one;
}

static void append_value_locked(filch_channel *channel, const void *item)
{
    FILCH_ASSERT(channel->count < channel->room);
    copy_item(channel, at(channel, channel->count++), item);
    channel->exchanged++;
}

filch_status filch_channel_send_locked(filch_channel *channel, const void *item,
                                       struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    filch_case *receiver;
    if (FILCH_UNLIKELY(channel->closed)) {
        return channel->torn ? FILCH_EFORKED : FILCH_ECLOSED;
    }
    if (channel->receivers.first &&
        (receiver = claim_locked(channel, &channel->receivers, FILCH_OK, claims))) {
        FILCH_ASSERT(channel->count == 0); /* receivers wait only while it is empty */
        copy_item(channel, receiver->out, item);
        return FILCH_OK;
    }
    if (channel->count == channel->capacity) {
        return FILCH_EPENDING;
    }
    if (channel->count == channel->room && !grow_locked(channel)) {
        return FILCH_ENOMEM;
    }
    append_value_locked(channel, item);
    return FILCH_OK;
}

static void take_oldest_locked(filch_channel *channel, void *item)
{
    FILCH_ASSERT(channel->count > 0 && channel->count <= channel->room);
    copy_item(channel, item, at(channel, 0));
    channel->head = channel->head + 1 < channel->room ? channel->head + 1 : 0;
    channel->count--;
    channel->exchanged++;
}

filch_status filch_channel_receive_locked(filch_channel *channel, void *item,
                                          struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    bool from_ring = channel->count > 0;
    if (from_ring) {
        take_oldest_locked(channel, item);
    }
    filch_case *sender =
        channel->senders.first ? claim_locked(channel, &channel->senders, FILCH_OK, claims) : NULL;
    if (sender && from_ring) {
        FILCH_ASSERT(channel->count + 1 == channel->capacity); /* senders: while it is full */
        append_value_locked(channel, sender->subject);         /* there is room now */
    } else if (sender) {
        copy_item(channel, item, sender->subject);
    } else if (!from_ring) {
        return !channel->closed ? FILCH_EPENDING : channel->torn ? FILCH_EFORKED : FILCH_END;
    }
    return FILCH_OK;
}

bool filch_channel_try_locked(filch_channel *channel, filch_case *one, struct filch_claims *claims)
{
    FILCH_ASSERT(one->channel == channel);
    filch_status status = filch_channel_do_locked(channel, one->subject, one->out, claims);
    filch_case_state_of(one)->status = status;
    return status != FILCH_EPENDING;
}

filch_status filch_channel_close(filch_channel *channel)
{
    if (!channel) {
        return FILCH_EINVAL;
    }
    struct filch_claims claims = {NULL, NULL};
    filch_channel_lock(channel);
    filch_status status = channel->closed ? FILCH_EALREADY : FILCH_OK;
    channel->closed = true;
    while (claim_locked(channel, &channel->receivers, FILCH_END, &claims)) {
    }
    while (claim_locked(channel, &channel->senders, FILCH_ECLOSED, &claims)) {
    }
    filch_lock_release(&channel->lock);
    filch_claims_tell(&claims);
    return status;
}

size_t filch_channel_count(filch_channel *channel)
{
    if (!channel) {
        return 0;
    }
    filch_channel_lock(channel);
    size_t count = channel->count;
    filch_lock_release(&channel->lock);
    return count;
}
