/* trace_host: what the tracers below ask of the scheduler. */
#include "base/base.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/thread.h"
#include "trace/recording.h"

static struct filch_tracer_seat *here(uint64_t *thread)
{
    struct filch_thread *self = filch_thread_known();
    if (self) {
        *thread = self->parker.thread;
    }
    return self && self->core ? &self->core->seat : NULL;
}

static void describe_tasks(struct filch_frame *frame, struct filch_recording *recording,
                           filch_trace_chunk *chunk)
{
    unsigned depth = 0;
    for (struct filch_frame *each = frame; each; each = each->parent) {
        depth++;
    }
    chunk->open_count = depth;
    for (; frame; frame = frame->parent) {
        depth--;
        if (depth < FILCH_TRACE_OPEN && frame->info) {
            chunk->open[depth].site = filch_recording_name_locked(
                recording, filch_trace_name_of(frame->info), FILCH_TRACE_FUNCTION, frame->info);
        }
    }
}

static void describe(struct filch_core *core, struct filch_recording *recording,
                     filch_trace_chunk *chunk)
{
    /* relaxed, both: the holder itself */
    struct filch_thread *holder = atomic_load_explicit(&core->holder, memory_order_relaxed);
    filch_lane *lane = atomic_load_explicit(&core->lane, memory_order_relaxed);
    struct filch_fiber *fiber = lane ? filch_fiber_of_lane(lane) : NULL;
    chunk->pool = core->pool->number;
    chunk->core = core->index;
    chunk->workers = core->pool->config.workers;
    chunk->thread = holder ? holder->parker.thread : 0;
    chunk->fiber = filch_trace_name_of(fiber);
    describe_tasks(fiber ? fiber->frame : NULL, recording, chunk);
}

const struct filch_tracer_host filch_core_trace_host = {here, describe};
