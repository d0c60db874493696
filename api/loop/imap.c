#include <filch/imap.h>

#include <string.h>

#include <filch/futures.h>

#include "base/base.h"
#include "base/memory.h"
#include "future/completions.h"
#include "future/task_future.h"
#include "loop/imap_batch.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "sched/pool.h"

struct filch_iterator {
    struct filch_pool *pool;
    const filch_callable *callable;
    filch_status (*next)(void *state, void *captures);
    void *state;
    void *copied; /* the state, if it is ours */
    size_t chunksize;
    double item_seconds;
    filch_options how;       /* of the tasks: until */
    size_t window;           /* chunks that may be in flight */
    size_t stride;           /* bytes of an item */
    size_t pulled;           /* items from the source so far */
    size_t in_flight;        /* chunks */
    filch_status end;        /* FILCH_OK: the source has more */
    filch_future *current;   /* ready, with items to return; or NULL */
    filch_error error;       /* of the item that was returned last */
    filch_completions *done; /* of an unordered one: all in flight; else NULL */
    size_t oldest;           /* of an ordered one */
    filch_future *ring[];    /* of an ordered one: window of them, from `oldest` */
};

/* ---- taking arguments from the source ---- */

/* As many items as a chunk has, or as there are. */
static void pull(filch_iterator *iterator, struct filch_batch *batch)
{
    while (iterator->end == FILCH_OK && batch->count < iterator->chunksize) {
        struct filch_batch_item *item = filch_batch_at(batch, batch->count);
        filch_fault_init(&item->fault);
        item->fault.error.status = FILCH_ECANCELED;
        iterator->end = iterator->next(iterator->state, filch_batch_captures(batch, item));
        if (iterator->end == FILCH_OK) {
            batch->count++;
        }
    }
    iterator->pulled += batch->count;
}

static filch_future *batch_new(filch_iterator *iterator)
{
    const struct filch_batch batch = {.callable = iterator->callable,
                                      .first = iterator->pulled,
                                      .stride = iterator->stride,
                                      .item_seconds = iterator->item_seconds};
    return filch_batch_new(&batch, iterator->chunksize);
}

static filch_status remember(filch_iterator *iterator, filch_future *future)
{
    if (iterator->done) {
        filch_status status = filch_completions_add(iterator->done, future);
        if (status != FILCH_OK) {
            filch_future_cancel(future);
        }
        filch_future_free(future); /* the set has a reference of its own */
        return status;
    }
    iterator->ring[(iterator->oldest + iterator->in_flight) % iterator->window] = future;
    return FILCH_OK;
}

static filch_status send_chunk(filch_iterator *iterator)
{
    filch_future *sent;
    filch_future *future = batch_new(iterator);
    if (!future) {
        return FILCH_ENOMEM;
    }
    pull(iterator, filch_batch_of(future));
    if (filch_batch_of(future)->count == 0) {
        filch_future_free(future);
        return FILCH_OK;
    }
    filch_status status = filch_future_submit(future, iterator->pool, &iterator->how, &sent);
    if (status == FILCH_OK) {
        status = remember(iterator, sent);
    }
    iterator->in_flight += status == FILCH_OK;
    return status;
}

/* Keep the window full. What cannot be sent ends the iteration, behind what was. */
static void fill(filch_iterator *iterator)
{
    while (iterator->end == FILCH_OK && iterator->in_flight < iterator->window) {
        filch_status status = send_chunk(iterator);
        if (status != FILCH_OK) {
            iterator->end = status;
        }
    }
}

/* ---- returning results ---- */

static filch_status await_chunk(filch_iterator *iterator, filch_deadline until)
{
    filch_future *future;
    filch_status status;
    if (iterator->done) {
        status = filch_completions_next_until(iterator->done, until, &future, NULL);
    } else {
        future = iterator->ring[iterator->oldest];
        status = filch_future_wait_until(future, until); /* which may run it here */
    }
    if (status == FILCH_OK) {
        iterator->current = future;
        iterator->in_flight--;
        if (!iterator->done) {
            iterator->oldest = (iterator->oldest + 1) % iterator->window;
        }
    }
    return status;
}

/* The next item of the current chunk. */
static filch_status take_item(filch_iterator *iterator, void *result, size_t bytes)
{
    filch_future *future = iterator->current;
    struct filch_batch *batch = filch_batch_of(future);
    struct filch_batch_item *item = filch_batch_at(batch, batch->taken);
    iterator->error = item->fault.error;
    if (iterator->error.status == FILCH_ECANCELED && future->outcome != FILCH_OK) {
        filch_future_tell(future, &iterator->error); /* the chunk was not begun */
    }
    iterator->error.index = batch->first + batch->taken;
    if (iterator->error.status == FILCH_OK && bytes) {
        memcpy(result, filch_batch_result(batch, item), bytes);
    }
    if (++batch->taken == batch->count) {
        filch_future_free(future);
        iterator->current = NULL;
    }
    /* FILCH_ETIMEDOUT would say that the item is not there yet */
    return iterator->error.status == FILCH_ETIMEDOUT ? FILCH_ECANCELED : iterator->error.status;
}

filch_status filch_iterator_next_until(filch_iterator *iterator, filch_deadline until, void *result,
                                       size_t bytes)
{
    if (!iterator || bytes != iterator->callable->result_bytes || (bytes && !result)) {
        return FILCH_EINVAL;
    }
    fill(iterator);
    if (!iterator->current && iterator->in_flight == 0) {
        return iterator->end;
    }
    filch_status status = iterator->current ? FILCH_OK : await_chunk(iterator, until);
    return status == FILCH_OK ? take_item(iterator, result, bytes) : status;
}

filch_status filch_iterator_next(filch_iterator *iterator, void *result, size_t bytes)
{
    return filch_iterator_next_until(iterator, filch_never(), result, bytes);
}

size_t filch_iterator_index(const filch_iterator *iterator)
{
    return iterator ? iterator->error.index : FILCH_NO_INDEX;
}

filch_status filch_iterator_error(const filch_iterator *iterator, filch_error *error)
{
    if (!iterator || !error) {
        return FILCH_EINVAL;
    }
    *error = iterator->error;
    return FILCH_OK;
}

/* ---- beginning and end ---- */

/* Bytes of one item, and of a chunk of them; false: too many. */
static bool measure_items(filch_iterator *iterator, const filch_callable *callable)
{
    size_t all;
    if (callable->captures_bytes >= SIZE_MAX / 4 || callable->result_bytes >= SIZE_MAX / 4) {
        return false;
    }
    iterator->stride =
        filch_aligned_up(filch_batch_result_offset(callable) + callable->result_bytes,
                         filch_batch_alignment(callable));
    return filch_multiply(iterator->stride, iterator->chunksize, &all) && all < SIZE_MAX / 4;
}

static filch_status copy_state(filch_iterator *iterator, const filch_source *source)
{
    if (source->state_bytes == 0) {
        memcpy(&iterator->state, &source->state, sizeof iterator->state);
        return FILCH_OK;
    }
    iterator->copied = iterator->state = filch_malloc_for(source->state_bytes, source->state_bytes);
    if (iterator->copied) {
        memcpy(iterator->copied, source->state, source->state_bytes);
    }
    return iterator->copied ? FILCH_OK : FILCH_ENOMEM;
}

static size_t window_for(const filch_imap_options *options, size_t chunksize,
                         const struct filch_pool *pool)
{
    if (!options || !options->at_once) {
        return 4 * (size_t)pool->config.workers;
    }
    size_t window = options->at_once / chunksize;
    return window ? window : 1;
}

static filch_status iterator_new(struct filch_pool *pool, const filch_callable *callable,
                                 const filch_source *source, const filch_imap_options *options,
                                 filch_deadline until, filch_iterator **out)
{
    size_t chunksize = options && options->chunksize ? options->chunksize : 1;
    size_t window = window_for(options, chunksize, pool);
    size_t bytes;
    if (!filch_multiply(window, sizeof(filch_future *), &bytes) ||
        !filch_add(bytes, sizeof(filch_iterator), &bytes)) {
        return FILCH_EOVERFLOW;
    }
    filch_iterator *iterator = filch_calloc(1, bytes);
    if (!iterator) {
        return FILCH_ENOMEM;
    }
    iterator->pool = pool;
    iterator->callable = callable;
    iterator->next = source->next;
    iterator->chunksize = chunksize;
    iterator->item_seconds = options ? options->item_seconds : 0;
    iterator->how.until = until;
    iterator->error.index = FILCH_NO_INDEX;
    iterator->window = window;
    filch_status status =
        measure_items(iterator, callable) ? copy_state(iterator, source) : FILCH_EOVERFLOW;
    if (status != FILCH_OK) {
        filch_free(iterator);
        return status;
    }
    *out = iterator;
    return FILCH_OK;
}

static filch_status open_iterator(filch_pool *pool, const filch_callable *callable,
                                  const filch_source *source, const filch_imap_options *options,
                                  filch_iterator **out)
{
    if (!out) {
        return FILCH_EINVAL;
    }
    *out = NULL;
    if (!callable || !callable->invoke || !source || !source->next ||
        (source->state_bytes && !source->state)) {
        return FILCH_EINVAL;
    }
    const filch_options *how = filch_options_of(pool);
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status == FILCH_OK) {
        filch_options_check(how, pool, FILCH_USES_UNTIL, callable->info);
        status = filch_pool_check(pool);
    }
    return status == FILCH_OK ? iterator_new(pool, callable, source, options,
                                             how ? how->until : filch_never(), out)
                              : status;
}

filch_status filch_imap(filch_pool *pool, const filch_callable *callable,
                        const filch_source *source, const filch_imap_options *options,
                        filch_iterator **iterator)
{
    filch_status status = open_iterator(pool, callable, source, options, iterator);
    if (status == FILCH_OK) {
        fill(*iterator);
    }
    return status;
}

filch_status filch_imap_unordered(filch_pool *pool, const filch_callable *callable,
                                  const filch_source *source, const filch_imap_options *options,
                                  filch_iterator **iterator)
{
    filch_status status = open_iterator(pool, callable, source, options, iterator);
    if (status == FILCH_OK) {
        status = filch_completions_new(&(*iterator)->done);
        if (status != FILCH_OK) {
            filch_iterator_free(*iterator);
            *iterator = NULL;
        } else {
            fill(*iterator);
        }
    }
    return status;
}

static void abandon(filch_future *future)
{
    filch_future_cancel(future);
    filch_future_free(future);
}

void filch_iterator_free(filch_iterator *iterator)
{
    if (!iterator) {
        return;
    }
    filch_future_free(iterator->current);
    if (iterator->done) {
        filch_completions_cancel(iterator->done);
        filch_completions_free(iterator->done);
    } else {
        for (size_t i = 0; i < iterator->in_flight; i++) {
            abandon(iterator->ring[(iterator->oldest + i) % iterator->window]);
        }
    }
    filch_free(iterator->copied);
    filch_free(iterator);
}
