#include "sched/unwound.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/log.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "stack/sanitize.h"

_Noreturn void filch_unwound_fatally(struct filch_thread *thread)
{
    /* the frames may be gone: what they said cannot be read any more */
    const filch_function_info *info =
        !thread ? NULL : filch_party_doing(thread->fiber ? thread->fiber->party : &thread->party);
    char message[512];
    if (info) {
        snprintf(
            message, sizeof message,
            "task %.100s (%.200s:%d) has ended the thread that runs it (pthread_exit, thrd_exit, "
            "pthread_cancel), or an exception left it: a task must return\n",
            info->name, info->file, info->line);
    } else {
        snprintf(message, sizeof message,
                 "a task, callback or hook has ended the thread that runs it: it must return\n");
    }
    filch_log(FILCH_LOG_ERROR, message);
    abort();
}

bool filch_unwound_begin(struct filch_fiber *fiber, struct filch_frame *frame)
{
    filch_sanitize_unwound(fiber->guest ? NULL : fiber->stack.low);
    if (!fiber->guest && !fiber->on_stint) {
        filch_unwound_fatally(filch_thread_known());
    }
    fiber->frame = frame;
    return filch_process_owns(fiber->pool->token);
}

/* Others may still want it. */
static bool is_live(const filch_slot *slot)
{
    return slot->type && slot->type != &filch_slot_running;
}

bool filch_unwound_drop(struct filch_fiber *fiber)
{
    filch_lane *lane = &fiber->lane;
    filch_slot *slot = lane->top - 1;
    bool ours = is_live(slot) && (slot >= lane->split || filch_core_reclaim(fiber, slot));
    filch_lane_retire(lane, slot);
    return ours;
}

void filch_unwound_to(struct filch_fiber *fiber, struct filch_frame *frame, filch_slot *bottom)
{
    if (filch_unwound_begin(fiber, frame)) {
        while (fiber->lane.top > bottom) {
            filch_unwound_drop(fiber);
        }
    }
}

struct filch_must_return filch_must_return_begin(void)
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_must_return must = {.uncancelled = !fiber || fiber->guest};
    if (must.uncancelled) { /* else it may go on on another thread, and no thread cancels those */
        must.state = filch_os_cancel_off();
    }
    return must;
}

void filch_must_return_end(struct filch_must_return *must)
{
    if (!must->returned) {
        filch_unwound_fatally(filch_thread_known());
    }
    if (must->uncancelled) {
        filch_os_cancel_restore(must->state);
    }
}
