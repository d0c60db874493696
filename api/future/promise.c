/* Futures that are completed from outside. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"

struct filch_promise {
    struct filch_future *future;
};

static const struct filch_future_kind promise_kind = {.run = NULL};

filch_status filch_promise_new(size_t bytes, filch_promise **promise, filch_future **future)
{
    if (!promise || !future) {
        return FILCH_EINVAL;
    }
    *promise = NULL;
    *future = NULL;
    if (bytes > SIZE_MAX - sizeof(struct filch_future)) {
        return FILCH_EOVERFLOW;
    }
    struct filch_future *made =
        filch_future_new_at(bytes, filch_alignment_for(bytes), 0, &promise_kind, NULL);
    struct filch_promise *paired = filch_malloc(sizeof *paired);
    if (!made || !paired) {
        filch_free(made);
        filch_free(paired);
        return FILCH_ENOMEM;
    }
    made->result_bytes = bytes;
    paired->future = filch_future_retain(made);
    *promise = paired;
    *future = made;
    return FILCH_OK;
}

/* We own its end. A thread that learns of it may free the promise, and with it the promise's
 * reference. */
static void finish(struct filch_future *future, filch_status outcome)
{
    filch_future_retain(future);
    filch_future_finish(future, outcome);
    filch_future_free(future);
}

/* The waiters for a promise of the parent's are in the parent. */
static filch_status claim_promise(struct filch_future *future)
{
    if (filch_future_is_parents(future)) {
        return FILCH_EFORKED;
    }
    return filch_future_claim(future) ? FILCH_OK : FILCH_EALREADY;
}

filch_status filch_promise_set_value(filch_promise *promise, const void *value)
{
    if (!promise || (promise->future->result_bytes && !value)) {
        return FILCH_EINVAL;
    }
    struct filch_future *future = promise->future;
    filch_status status = claim_promise(future);
    if (status != FILCH_OK) {
        return status;
    }
    if (future->result_bytes) {
        memcpy(future->payload, value, future->result_bytes);
    }
    finish(future, FILCH_OK);
    return FILCH_OK;
}

filch_status filch_promise_set_error(filch_promise *promise, int code, const char *message)
{
    if (!promise) {
        return FILCH_EINVAL;
    }
    struct filch_future *future = promise->future;
    filch_status status = claim_promise(future);
    if (status != FILCH_OK) {
        return status;
    }
    filch_error *error = &future->fault.error; /* ours alone until the cell is complete */
    error->status = FILCH_ERAISED;
    error->code = code != 0 ? code : -1;
    snprintf(error->message, sizeof error->message, "%s", message ? message : "");
    finish(future, FILCH_ERAISED);
    return FILCH_OK;
}

void filch_promise_free(filch_promise *promise)
{
    if (!promise) {
        return;
    }
    if (claim_promise(promise->future) == FILCH_OK) {
        filch_future_finish(promise->future, FILCH_EBROKEN);
    }
    filch_future_free(promise->future);
    filch_free(promise);
}
