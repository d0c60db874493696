#include "sched/strand.h"

#include "base/base.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/thread.h"
#include "stack/overflow.h"
#include "stack/sanitize.h"

static struct filch_strand *strand_on(struct filch_stack *stack, struct filch_pool *pool)
{
    struct filch_strand *strand = (struct filch_strand *)stack;
    if (strand) {
        strand->work.kind = FILCH_WORK_STRAND;
        strand->pool = pool;
        strand->frame = NULL;
        strand->exceptions = (struct filch_exceptions){NULL, 0};
        strand->fake_stack = NULL;
        strand->lent = strand->pins = 0;
        strand->forking = false;
        strand->help = FILCH_HELP_ASK;
        strand->apart = 0;
        filch_crowd_forget(strand);
        filch_lane_init(&strand->lane, filch_strand_bottom(strand), FILCH_STACK_SLOTS);
    }
    return strand;
}

static struct filch_stack *guests_stack(struct filch_pool *pool, struct filch_core *core)
{
    struct filch_stack *stack = core ? core->spare : NULL;
    if (!stack) {
        return filch_stacks_get_bare(&pool->stacks);
    }
    core->spare = NULL;
    return stack;
}

struct filch_strand *filch_strand_new_guest(struct filch_pool *pool, struct filch_core *core)
{
    struct filch_strand *strand = strand_on(guests_stack(pool, core), pool);
    if (strand) {
        strand->guest = true;
        strand->admitted = strand->entered = false;
        strand->kept = NULL;
        strand->party = &filch_thread_known()->party;
        strand->guest_sp = __builtin_frame_address(0);
    }
    return strand;
}

/* The first function on a fresh stack. */
FILCH_NEVER_RETURNS static void start(void *argument)
{
    struct filch_strand *strand = argument;
    struct filch_thread *thread = filch_thread_known();
    filch_sanitize_arrive(NULL, &thread->hub_low, &thread->hub_bytes);
    struct filch_strand *next = filch_core_main(strand);
    filch_strand_discard(strand, next);
}

struct filch_strand *filch_strand_new(struct filch_pool *pool, struct filch_core *core)
{
    struct filch_strand *strand = strand_on(filch_stacks_get(&pool->stacks, &core->shelf), pool);
    if (strand) {
        strand->guest = false;
        strand->party = &strand->own_party;
        filch_sanitize_stack_clean(strand->stack.low, strand->stack.bytes);
        filch_context_make(&strand->context, strand->stack.low, strand->stack.bytes, start, strand);
    }
    return strand;
}

void filch_strand_free(struct filch_strand *strand, struct filch_core *core)
{
    filch_stacks_put(&strand->pool->stacks, core ? &core->shelf : NULL, &strand->stack);
}

void filch_strand_free_guest(struct filch_strand *strand, struct filch_core *core)
{
    if (core && !core->spare) {
        core->spare = &strand->stack;
    } else {
        filch_stacks_put_bare(&strand->pool->stacks, &strand->stack);
    }
}

enum { GUEST_ROOM = 256 * 1024 }; /* what tasks may use of a stack whose size we do not know */

bool filch_strand_has_room(const struct filch_strand *strand)
{
    const char *here = __builtin_frame_address(0);
    if (strand->guest) {
        return strand->guest_sp - here < GUEST_ROOM;
    }
    return (size_t)(here - (const char *)strand->stack.low) > strand->stack.bytes / 2;
}

/* Back again; maybe on another thread. */
static inline void arrive(struct filch_strand *strand)
{
    if (FILCH_SANITIZES_STACKS) {
        struct filch_thread *thread = filch_thread_known();
        filch_sanitize_arrive(strand->fake_stack, &thread->hub_low, &thread->hub_bytes);
    }
}

void filch_strand_leave(struct filch_strand *strand, struct filch_thread *thread)
{
    filch_sanitize_leave(&strand->fake_stack, thread->hub_low, thread->hub_bytes,
                         thread->hub_fiber);
    filch_context_switch(&strand->context, &thread->hub);
    arrive(strand);
}

FILCH_NEVER_RETURNS void filch_strand_discard(struct filch_strand *strand,
                                              struct filch_strand *next)
{
    struct filch_thread *thread = filch_thread_known();
    thread->leave = (struct filch_leave){.kind = FILCH_LEAVE_DISCARD, .next = next};
    filch_sanitize_leave(NULL, thread->hub_low, thread->hub_bytes, thread->hub_fiber);
    filch_context_switch(&strand->context, &thread->hub);
    __builtin_unreachable();
}

bool filch_strand_stack_here(struct filch_overflow_stack *stack)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (!strand || strand->guest) {
        return false;
    }
    stack->low = strand->stack.low;
    stack->bytes = strand->stack.bytes;
    stack->info = strand->frame ? strand->frame->info : NULL;
    return true;
}
