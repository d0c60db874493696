#include "sched/fiber.h"

#include "base/assert.h"
#include "base/base.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/stint.h"
#include "sched/thread.h"
#include "stack/overflow.h"
#include "stack/sanitize.h"
#include "stack/slab.h"

static struct filch_fiber *fiber_on(struct filch_stack *stack, struct filch_pool *pool)
{
    struct filch_fiber *fiber = (struct filch_fiber *)stack;
    if (fiber) {
        fiber->work.kind = FILCH_WORK_FIBER;
        fiber->pool = pool;
        fiber->frame = NULL;
        fiber->exceptions = (struct filch_exceptions){NULL, 0};
        fiber->fake_stack = NULL;
        fiber->lent = fiber->pins = 0;
        fiber->forking = fiber->on_stint = false;
        fiber->help = FILCH_HELP_ASK;
        fiber->overhead_ticks = fiber->served = 0;
        fiber->more = 0;
        filch_crowd_forget(fiber);
        filch_opening_init(&fiber->opening);
        filch_lane_init(&fiber->lane, filch_fiber_bottom(fiber), stack->clean_slots, stack->slots);
    }
    return fiber;
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

struct filch_fiber *filch_fiber_new_guest(struct filch_pool *pool, struct filch_core *core)
{
    struct filch_fiber *fiber = fiber_on(guests_stack(pool, core), pool);
    if (fiber) {
        fiber->guest = true;
        fiber->entered = false;
        fiber->kept = NULL;
        fiber->party = &filch_thread_known()->party;
        fiber->guest_sp = __builtin_frame_address(0);
    }
    return fiber;
}

/* The first functions on a fresh stack. */

FILCH_NEVER_RETURNS static void start_in(struct filch_fiber *fiber,
                                         struct filch_fiber *(*life)(struct filch_fiber *))
{
    struct filch_thread *thread = filch_thread_known();
    FILCH_ASSERT(thread->fiber == fiber);
    filch_sanitize_arrive(NULL, &thread->native_low, &thread->native_bytes);
    filch_fiber_discard(fiber, life(fiber));
}

FILCH_NEVER_RETURNS static void start(void *fiber)
{
    start_in((struct filch_fiber *)fiber, filch_core_main);
}

FILCH_NEVER_RETURNS static void start_on_stint(void *fiber)
{
    start_in((struct filch_fiber *)fiber, filch_stint_main);
}

static struct filch_fiber *fiber_that_starts(struct filch_pool *pool, struct filch_core *core,
                                             void (*first)(void *fiber))
{
    FILCH_ASSERT(filch_core_is_own(core));
    struct filch_fiber *fiber = fiber_on(filch_stacks_get(&pool->stacks, &core->shelf), pool);
    if (fiber) {
        fiber->guest = false;
        fiber->party = &fiber->own_party;
        filch_sanitize_stack_clean(fiber->stack.low, fiber->stack.bytes);
        filch_context_make(&fiber->context, fiber->stack.low, fiber->stack.bytes, first, fiber);
    }
    return fiber;
}

struct filch_fiber *filch_fiber_new(struct filch_pool *pool, struct filch_core *core)
{
    return fiber_that_starts(pool, core, start);
}

struct filch_fiber *filch_fiber_new_for_stint(struct filch_pool *pool, struct filch_core *core)
{
    return fiber_that_starts(pool, core, start_on_stint);
}

void filch_fiber_free(struct filch_fiber *fiber, struct filch_core *core)
{
    FILCH_ASSERT(!fiber->guest && (!core || filch_core_is_own(core)));
    filch_stacks_put(&fiber->pool->stacks, core ? &core->shelf : NULL, &fiber->stack);
}

void filch_fiber_free_guest(struct filch_fiber *fiber, struct filch_core *core)
{
    FILCH_ASSERT(fiber->guest && (!core || filch_core_is_own(core)));
    fiber->stack.clean_slots = filch_lane_clean_slots(&fiber->lane, filch_fiber_bottom(fiber));
    if (core && !core->spare) {
        core->spare = &fiber->stack;
    } else {
        filch_stacks_put_bare(&fiber->pool->stacks, &fiber->stack);
    }
}

enum { GUEST_ROOM = 256 * 1024 }; /* what tasks may use of a stack whose size we do not know */

bool filch_fiber_has_room(const struct filch_fiber *fiber)
{
    const char *here = __builtin_frame_address(0);
    if (fiber->guest) {
        return fiber->guest_sp - here < GUEST_ROOM;
    }
    return (size_t)(here - (const char *)fiber->stack.low) > fiber->stack.bytes / 2;
}

bool filch_fiber_is_low(struct filch_fiber *fiber)
{
    const char *here = __builtin_frame_address(0);
    bool has_stack =
        fiber->guest || (size_t)(here - (const char *)fiber->stack.low) > fiber->stack.bytes / 8;
    return !has_stack || !filch_lane_has_room(&fiber->lane, FILCH_LANE_RANGES / 2);
}

/* Back again; maybe on another thread. */
static inline void arrive(struct filch_fiber *fiber)
{
    if (FILCH_SANITIZES_STACKS) {
        struct filch_thread *thread = filch_thread_known();
        filch_sanitize_arrive(fiber->fake_stack, &thread->native_low, &thread->native_bytes);
    }
}

void filch_fiber_leave(struct filch_fiber *fiber, struct filch_thread *thread)
{
    /* It may go on on another thread, where what this one holds would never be released. */
    FILCH_ASSERT(!filch_rank_holds_any());
    FILCH_ASSERT(thread == filch_thread_known() && thread->fiber == fiber);
    FILCH_ASSERT(!fiber->guest && !fiber->pins); /* these stay where they are */
    filch_sanitize_leave(&fiber->fake_stack, thread->native_low, thread->native_bytes,
                         thread->native_tsan_fiber);
    filch_context_switch(&fiber->context, &thread->native);
    arrive(fiber);
}

FILCH_NEVER_RETURNS void filch_fiber_discard(struct filch_fiber *fiber, struct filch_fiber *next)
{
    filch_fiber_discard_as(fiber, FILCH_LEAVE_DISCARD, next);
}

FILCH_NEVER_RETURNS void filch_fiber_discard_as(struct filch_fiber *fiber,
                                                enum filch_leave_kind kind,
                                                struct filch_fiber *next)
{
    struct filch_thread *thread = filch_thread_known();
    FILCH_ASSERT(thread->fiber == fiber && !fiber->guest && !fiber->frame);
    FILCH_ASSERT(!filch_rank_holds_any());
    thread->leave = (struct filch_leave){.kind = kind, .next = next};
    filch_sanitize_leave(NULL, thread->native_low, thread->native_bytes, thread->native_tsan_fiber);
    filch_context_switch(&fiber->context, &thread->native);
    __builtin_unreachable();
}

bool filch_fiber_stack_here(struct filch_overflow_stack *stack)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_fiber *fiber = thread ? thread->fiber : NULL;
    if (!fiber || fiber->guest) {
        return false;
    }
    stack->low = fiber->stack.low;
    stack->bytes = fiber->stack.bytes;
    stack->guard = fiber->stack.slab->stock->guard;
    stack->info = fiber->frame ? fiber->frame->info : NULL;
    return true;
}
