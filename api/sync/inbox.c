#include <filch/channel.h>
#include <filch/inbox.h>

#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"
#include "pool/default_pool.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"

struct filch_inbox {
    filch_pool *pool;
    filch_channel *letters; /* of struct letter */
};

struct letter {
    filch_closure closure;
    struct filch_future *future; /* its end is with the thread that serves the inbox */
};

static const struct filch_future_kind letter_kind = {.run = NULL};

filch_status filch_inbox_new(filch_pool *pool, filch_inbox **out)
{
    if (!out) {
        return FILCH_EINVAL;
    }
    *out = NULL;
    filch_inbox *inbox = filch_calloc(1, sizeof *inbox);
    if (!inbox) {
        return FILCH_ENOMEM;
    }
    filch_status status = filch_pool_resolve(pool, &inbox->pool);
    if (status == FILCH_OK) {
        status = filch_channel_new(sizeof(struct letter), FILCH_UNBOUNDED, &inbox->letters);
    }
    if (status != FILCH_OK) {
        filch_free(inbox);
        return status;
    }
    *out = inbox;
    return FILCH_OK;
}

static void burn(struct letter *letter)
{
    filch_closure_release(&letter->closure);
    filch_future_free(letter->future);
}

void filch_inbox_free(filch_inbox *inbox)
{
    struct letter letter;
    if (!inbox) {
        return;
    }
    while (filch_channel_receive_until(inbox->letters, &letter, filch_in(0)) == FILCH_OK) {
        filch_future_cancel(letter.future);
        burn(&letter);
    }
    filch_channel_free(inbox->letters);
    filch_free(inbox);
}

filch_status filch_inbox_close(filch_inbox *inbox)
{
    return inbox ? filch_channel_close(inbox->letters) : FILCH_EINVAL;
}

/* What is in it is the parent's to do. */
static bool inbox_is_parents(const struct filch_inbox *inbox)
{
    return filch_process_inherited(inbox->pool->token);
}

filch_status filch_inbox_post(filch_inbox *inbox, const filch_closure *closure, filch_future **out)
{
    if (out) {
        *out = NULL;
    }
    if (!inbox || !closure || !closure->callable) {
        return FILCH_EINVAL;
    }
    if (inbox_is_parents(inbox)) {
        return FILCH_EFORKED;
    }
    size_t bytes = closure->callable->result_bytes;
    struct filch_future *future = filch_future_new_at(bytes, filch_alignment_for(bytes), 0,
                                                      &letter_kind, closure->callable->info);
    if (!future) {
        return FILCH_ENOMEM;
    }
    future->result_bytes = bytes;
    struct letter letter = {filch_closure_retain(closure), filch_future_retain(future)};
    filch_status status = filch_channel_send(inbox->letters, &letter);
    if (status != FILCH_OK) {
        burn(&letter);
    }
    if (status != FILCH_OK || !out) {
        filch_future_free(future);
    } else {
        *out = future;
    }
    return status;
}

static void answer(struct filch_inbox *inbox, struct letter *letter)
{
    struct filch_future *future = letter->future;
    if (filch_future_claim(future)) { /* if not, it was cancelled */
        filch_error error = {.status = FILCH_OK};
        filch_status status =
            filch_apply(FILCH_ON(inbox->pool, .error = &error), &letter->closure, future->payload);
        if (status == FILCH_ERAISED) {
            future->fault.error = error; /* ours alone until it is finished */
        }
        filch_future_finish(future, status);
    }
    burn(letter);
}

filch_status filch_inbox_serve(filch_inbox *inbox)
{
    return filch_inbox_serve_until(inbox, filch_never());
}

filch_status filch_inbox_serve_until(filch_inbox *inbox, filch_deadline until)
{
    struct letter letter;
    if (!inbox || filch_fiber_self()) {
        return FILCH_EINVAL;
    }
    if (inbox_is_parents(inbox)) {
        return FILCH_EFORKED;
    }
    filch_status status = filch_channel_receive_until(inbox->letters, &letter, until);
    if (status != FILCH_OK) {
        return status;
    }
    do {
        answer(inbox, &letter);
    } while (filch_channel_receive_until(inbox->letters, &letter, filch_in(0)) == FILCH_OK);
    return FILCH_OK;
}
