/* What a future is told when it is made (filch/options.h), and what its end calls. */
#include "base/assert.h"
#include "base/memory.h"
#include "future/task_future.h"
#include "os/rank.h"
#include "pool/deadline.h"
#include "sched/fiber.h"
#include "sched/region.h"
#include "sched/unwound.h"

filch_status filch_future_obey(struct filch_future *future, const filch_options *options)
{
    if (options->done.callback || options->done.error_callback) {
        future->callbacks = filch_malloc(sizeof *future->callbacks);
        if (!future->callbacks) {
            return FILCH_ENOMEM;
        }
        *future->callbacks = options->done;
    }
    future->background = options->background;
    future->scope.deadline_ns = filch_deadline_ns(options->until);
    return FILCH_OK;
}

void filch_future_call_back(struct filch_future *future)
{
    FILCH_ASSERT(!filch_rank_holds_any());
    const filch_callbacks *callbacks = future->callbacks;
    struct filch_fiber *fiber = filch_fiber_self();
    FILCH_UNWINDS(filch_must_return_end) struct filch_must_return must = filch_must_return_begin();
    struct filch_frame frame;
    struct filch_fault dropped;
    filch_fault_init(&dropped);
    if (fiber) {
        filch_frame_push(&frame, fiber, &dropped, future->info);
        filch_frame_seclude_as(&frame, fiber, future->modes);
    }
    if (future->outcome == FILCH_OK && callbacks->callback) {
        callbacks->callback(callbacks->context, future->result_bytes ? future->payload : NULL);
    } else if (future->outcome != FILCH_OK && callbacks->error_callback) {
        filch_error error;
        filch_future_tell(future, &error);
        callbacks->error_callback(callbacks->context, &error);
    }
    must.returned = true;
    if (fiber) {
        filch_frame_pop(&frame, fiber);
    }
    filch_free(future->callbacks);
    future->callbacks = NULL;
}
