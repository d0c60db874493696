/* imap_batch: what a future of an iterator holds: items that run one after the other. */
#ifndef FILCH_IMAP_BATCH_H
#define FILCH_IMAP_BATCH_H

#include "base/base.h"
#include "base/memory.h"
#include "base/private.h"
#include "future/task_future.h"

/* One call. Behind it its captures and its result. */
struct filch_batch_item {
    struct filch_fault fault;
};

struct filch_batch {
    const filch_callable *callable;
    size_t first;                            /* the place of its first item in the source */
    size_t count;                            /* items */
    size_t taken;                            /* of which that many have been returned */
    size_t stride;                           /* bytes from item to item */
    double item_seconds;                     /* 0: no limit */
    FILCH_ALIGNED(16) unsigned char items[]; /* aligned for captures and results */
};

static inline struct filch_batch *filch_batch_of(filch_future *future)
{
    return (struct filch_batch *)(void *)future->payload;
}

static inline struct filch_batch_item *filch_batch_at(struct filch_batch *batch, size_t index)
{
    return (struct filch_batch_item *)(void *)(batch->items + index * batch->stride);
}

/* Of an item's captures and of its result, and so of the item. */
static inline size_t filch_batch_alignment(const filch_callable *callable)
{
    return filch_alignment_for_both(callable->captures_bytes, callable->result_bytes);
}

static inline size_t filch_batch_captures_offset(const filch_callable *callable)
{
    return filch_aligned_up(sizeof(struct filch_batch_item), filch_batch_alignment(callable));
}

static inline size_t filch_batch_result_offset(const filch_callable *callable)
{
    return filch_batch_captures_offset(callable) +
           filch_aligned_up(callable->captures_bytes, filch_alignment_for(callable->result_bytes));
}

static inline void *filch_batch_captures(const struct filch_batch *batch,
                                         struct filch_batch_item *item)
{
    return (unsigned char *)item + filch_batch_captures_offset(batch->callable);
}

static inline void *filch_batch_result(const struct filch_batch *batch,
                                       struct filch_batch_item *item)
{
    return (unsigned char *)item + filch_batch_result_offset(batch->callable);
}

/* A future whose payload is a copy of *batch with room for `items` items, whose faults and captures
 * the caller fills in; NULL: no memory. Those that are to run have the status FILCH_ECANCELED. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_future *filch_batch_new(const struct filch_batch *batch,
                                                             size_t items);

#endif
