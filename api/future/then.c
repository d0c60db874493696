/* Futures that run when another is ready. */
#include <filch/then.h>

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/fits.h"
#include "future/hold.h"
#include "future/task_future.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"

/* Behind the result in a continuation's payload. Behind it are the captures. */
struct link {
    struct filch_waiter waiter; /* called when the one before is ready */
    struct filch_future_awaiting awaiting;
    struct filch_future *before; /* a reference, until it has ended */
    struct filch_hold hold;      /* of that */
    const filch_continuation *what;
};

static size_t link_offset(size_t result_bytes)
{
    return filch_aligned_up(result_bytes, 16);
}

static size_t link_captures_offset(const filch_continuation *what)
{
    return filch_aligned_up(link_offset(what->result_bytes) + sizeof(struct link),
                            filch_alignment_for(what->captures_bytes));
}

/* Of the payload, so that the result and the captures are aligned in it. */
static size_t link_alignment(const filch_continuation *what)
{
    return filch_alignment_for_both(what->result_bytes, what->captures_bytes);
}

static unsigned char *link_captures(struct filch_future *future, const filch_continuation *what)
{
    return future->payload + link_captures_offset(what);
}

static struct link *link_of(struct filch_future *future)
{
    return (struct link *)(void *)(future->payload + link_offset(future->result_bytes));
}

static void run_link(struct filch_future *future)
{
    struct link *link = link_of(future);
    const struct filch_future *before = link->before;
    const filch_continuation *what = link->what;
    FILCH_ASSERT(filch_cell_done(&link->before->cell));
    if (before->outcome == FILCH_OK && what->on_value) {
        what->on_value(link_captures(future, what), before->payload, future->payload);
    } else if (before->outcome == FILCH_OK) {
        memcpy(future->payload, before->payload, future->result_bytes);
    } else if (what->on_error) {
        filch_error error;
        filch_future_tell(before, &error);
        what->on_error(link_captures(future, what), &error, future->payload);
    } else {
        filch_future_end_like(future, before);
    }
}

static void release_link(struct filch_future *future)
{
    struct link *link = link_of(future);
    if (filch_hold_end(&link->hold, FILCH_HOLD_FIRST)) {
        filch_future_free(link->before);
    }
}

static struct filch_waiter *before_is_ready(struct filch_waiter *waiter)
{
    filch_future_go(FILCH_CONTAINER(waiter, struct link, waiter)->awaiting.future);
    return NULL; /* it runs in its turn, not here */
}

static bool withdraw_link(struct filch_future *future)
{
    struct link *link = link_of(future);
    return filch_cell_remove(&link->before->cell, &link->waiter);
}

static struct filch_pending *pending_link(struct filch_future *future)
{
    return &link_of(future)->awaiting.pending;
}

static void visit_need_of_link(struct filch_future *future, struct filch_needs_visitor *visitor)
{
    struct link *link = link_of(future);
    if (filch_hold_look(&link->hold)) {
        visitor->need(visitor, link->before);
        if (filch_hold_look_end(&link->hold)) {
            filch_future_free(link->before);
        }
    }
}

static const struct filch_future_kind link_kind = {.run = run_link,
                                                   .release = release_link,
                                                   .withdraw = withdraw_link,
                                                   .pending = pending_link,
                                                   .visit_needs = visit_need_of_link};

static filch_status check_then(const struct filch_future *future, const filch_continuation *what,
                               const void *captures)
{
    const char *missing = NULL;
    if (!what || !(what->on_value || what->on_error)) {
        missing = "there is no function";
    } else if (!future) {
        missing = "the future is NULL";
    } else if (what->captures_bytes && !captures) {
        missing = "the captures are NULL";
    }
    const char *verb = what && !what->on_value && what->on_error ? "catch" : "then";
    return missing ? filch_future_refuse(what ? what->info : NULL, verb, missing)
                   : filch_continuation_fits(what, future);
}

static struct filch_future *link_new(const filch_continuation *what, struct filch_future *before,
                                     const void *captures)
{
    struct filch_future *made =
        filch_future_new_at(link_captures_offset(what) + what->captures_bytes, link_alignment(what),
                            0, &link_kind, what->info);
    if (made) {
        made->result_bytes = what->result_bytes;
        struct link *link = link_of(made);
        filch_future_awaiting_init(&link->awaiting, made);
        filch_waiter_init(&link->waiter, NULL, NULL);
        link->waiter.call = before_is_ready;
        link->before = filch_future_retain(before);
        filch_hold_init(&link->hold, FILCH_HOLD_SECOND); /* there is no second part */
        link->what = what;
        if (what->captures_bytes) {
            memcpy(link_captures(made, what), captures, what->captures_bytes);
        }
    }
    return made;
}

static void attach_link(struct filch_future *future)
{
    struct link *link = link_of(future);
    filch_future_trace_needs(future, FILCH_TRACE_NEEDS_ALL);
    filch_future_trace_need(link->before);
    if (filch_cell_add(&link->before->cell, &link->waiter)) {
        filch_future_waits(future);
    } else {
        filch_future_go(future);
    }
}

filch_status filch_future_then(filch_pool *pool, filch_future *future,
                               const filch_continuation *what, const void *captures,
                               filch_future **next)
{
    const filch_options *options = filch_options_of(pool);
    size_t bytes;
    if (next) {
        *next = NULL;
    }
    filch_status status = check_then(future, what, captures);
    if (status != FILCH_OK) {
        return status;
    }
    if (!filch_add(what->result_bytes, sizeof(struct link) + 2 * FILCH_CACHE_LINE, &bytes) ||
        !filch_add(bytes, what->captures_bytes, &bytes)) {
        return FILCH_EOVERFLOW;
    }
    status = filch_future_is_parents(future) ? FILCH_EFORKED : filch_pool_resolve(pool, &pool);
    if (status != FILCH_OK) {
        return status;
    }
    struct filch_future *made = link_new(what, future, captures);
    if (!made) {
        return FILCH_ENOMEM;
    }
    filch_options_check(options, pool, FILCH_USES_IN_TASK, made->info);
    filch_future_retain(made); /* it may end at once */
    status = filch_future_accept(made, pool, options, next);
    if (status == FILCH_OK) {
        attach_link(made);
        filch_future_free(made);
    }
    return status;
}
