#include "loop/imap_batch.h"

#include "os/os.h"
#include "pool/call_options.h"
#include "pool/deadline.h"
#include "sched/fiber.h"
#include "sched/region.h"

struct item_call {
    struct filch_batch *batch;
    struct filch_batch_item *item;
};

static void call_item(void *context)
{
    const struct item_call *call = context;
    call->batch->callable->invoke(filch_batch_captures(call->batch, call->item),
                                  filch_batch_result(call->batch, call->item));
}

/* Its answer does not count if it was asked to stop; why, is for filch_iterator_error(). */
static void call_item_in_time(struct item_call *call, uint64_t all_until_ns)
{
    double seconds = call->batch->item_seconds;
    uint64_t own_until_ns = seconds > 0 ? filch_deadline_after(seconds) : FILCH_OS_NEVER;
    bool own = own_until_ns <= all_until_ns;
    uint64_t until_ns = own ? own_until_ns : all_until_ns;
    filch_call_until(until_ns, call_item, call);
    filch_status *status = &call->item->fault.error.status; /* nothing runs in it any more */
    if (filch_os_now_ns() >= until_ns && *status != FILCH_ERAISED) {
        *status = own ? FILCH_ETIMEDOUT : FILCH_ECANCELED;
    }
}

static void run_item(struct filch_future *future, struct filch_batch *batch,
                     struct filch_batch_item *item)
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame frame;
    struct item_call call = {batch, item};
    if (filch_cancel_scope_is_cancelled(&future->scope)) {
        return; /* it stays what it was: cancelled */
    }
    item->fault.error.status = FILCH_OK;
    filch_frame_push(&frame, fiber, &item->fault, batch->callable->info);
    if (batch->item_seconds > 0 || future->scope.deadline_ns != FILCH_OS_NEVER) {
        call_item_in_time(&call, future->scope.deadline_ns);
    } else {
        call_item(&call);
    }
    filch_frame_pop(&frame, fiber);
}

static void run_batch(struct filch_future *future)
{
    struct filch_batch *batch = filch_batch_of(future);
    for (size_t i = 0; i < batch->count; i++) {
        run_item(future, batch, filch_batch_at(batch, i));
    }
}

static const struct filch_future_kind batch_kind = {.run = run_batch};

filch_future *filch_batch_new(const struct filch_batch *batch, size_t items)
{
    filch_future *future = filch_future_new_at(
        sizeof *batch + items * batch->stride, filch_batch_alignment(batch->callable),
        offsetof(struct filch_batch, items), &batch_kind, batch->callable->info);
    if (future) {
        *filch_batch_of(future) = *batch;
    }
    return future;
}
