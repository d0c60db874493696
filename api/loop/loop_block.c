/* A block of a loop: its elements, in order. With an explicit chunk size the block is of chunks. */
#include "base/base.h"
#include "loop/loop_run.h"
#include "sched/fiber.h"
#include "trace/tracer.h"

FILCH_APART static void run_recorded(struct filch_loop *loop, filch_range *range)
{
    filch_trace(FILCH_TRACE_CHUNK, 0, loop->body->info, range->next);
    loop->body->block(loop->environment, range);
    filch_trace(FILCH_TRACE_CHUNK_END, 0, loop->body->info, range->next);
}

static void run_elements(struct filch_loop *loop, struct filch_fiber *fiber, filch_range *range)
{
    unsigned long long first = range->next;
    fiber->frame->next = &range->next; /* errors tell the element */
    fiber->frame->stop = &range->stop; /* and may end the block */
    if (filch_trace_is_on()) {
        run_recorded(loop, range);
    } else {
        loop->body->block(loop->environment, range);
    }
    if (loop->items || loop->progress.hook) {
        filch_loop_ended(loop, first, range->next);
    }
}

static void run_chunks(struct filch_loop *loop, struct filch_fiber *fiber, filch_range *chunks)
{
    for (unsigned long long c = chunks->next; c < chunks->stop && c < filch_loop_limit(loop); c++) {
        size_t first = (size_t)c * loop->chunk;
        size_t left = loop->n - first;
        filch_range elements = {first, first + (left < loop->chunk ? left : loop->chunk)};
        chunks->next = c + 1;
        run_elements(loop, fiber, &elements);
    }
    fiber->frame->next = fiber->frame->stop = NULL;
}

void filch_loop_run_block(struct filch_loop *loop, struct filch_fiber *fiber, filch_range *range)
{
    if (loop->chunk) {
        run_chunks(loop, fiber, range);
    } else {
        run_elements(loop, fiber, range);
    }
}
