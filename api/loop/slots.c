/* Loops whose indices begin in order, each with a slot of its own (filch/slots.h): their caller,
 * which is the first participant. The loop has ended when it finds nothing more to run, and so has
 * each that came, or could still come, for a place. */
#include <filch/kind.h>
#include <filch/slots.h>

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "loop/loop_range.h"
#include "loop/participant.h"
#include "os/os.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "sched/call_site.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sched/wake.h"
#include "trace/tracer.h"

enum { PARTS_PER_WORKER = 4 }; /* what is left is to go round so often */

static const struct filch_wait_kind others_wait = {
    .what = "the slots of a loop", .enlist = filch_latch_enlist, .derived = true};

static bool others_have_left(struct filch_slots_loop *loop)
{
    /* acquire: pairs with filch_slots_one_has_left; what all others did is seen */
    return atomic_load_explicit(&loop->unfinished, memory_order_acquire) == 1;
}

static void await_participants(struct filch_slots_loop *loop)
{
    if (!others_have_left(loop)) {
        filch_slots_one_has_left(loop);
        filch_suspend_join(&others_wait, &loop->done);
    }
}

/* Nothing is left, but others still run some. True: they have given some back. */
static bool look_on(struct filch_participant *caller)
{
    struct filch_slots_loop *loop = caller->loop;
    uint64_t until_ns =
        others_have_left(loop) ? 0 : filch_os_now_ns() + filch_loop_patience_ns(caller->fiber);
    while (!others_have_left(loop) && filch_os_now_ns() < until_ns) {
        if (filch_dispenser_has_returned(&loop->dispenser) &&
            filch_dispenser_enter(&loop->dispenser, &caller->portion)) {
            return true;
        }
        filch_relax();
    }
    return false;
}

/* As other loops do (loop_run.c): its site knows, or learns, how long it takes. */
static void take_first_part(struct filch_participant *caller)
{
    struct filch_slots_loop *loop = caller->loop;
    struct filch_pool *pool = caller->fiber->pool;
    size_t n = loop->dispenser.n;
    struct filch_call_site *site = filch_call_site_of(&pool->call_sites, loop->frame.info);
    uint64_t estimate = filch_call_site_estimate(site, n);
    caller->grain = filch_grain_begun(pool, filch_pool_help_for(pool, estimate));
    bool paced = estimate >= FILCH_PACE_WORTH;
    if (paced && caller->grain.help != FILCH_HELP_ASK && !pool->crowded) {
        filch_grain_help_short(&caller->grain, pool, n, estimate);
    }
    filch_participant_begin(caller);
    filch_participant_take_part(caller);
    if (paced && (estimate != UINT64_MAX || caller->grain.spent >= FILCH_PACE_WORTH)) {
        filch_pace_note(&pool->call_sites.pace, caller->grain.last);
    }
    filch_call_site_learn(site, n, caller->grain.elements, caller->grain.spent);
}

/* Others may still run indices, and have the loop, until they are done. */
FILCH_APART static void give_up_slots(struct filch_participant *caller)
{
    if (filch_unwound_begin(caller->fiber, caller->frame)) {
        filch_participant_give_up(caller);
        await_participants(caller->loop);
    }
}

static inline void slots_left(struct filch_participant **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_slots(*running);
    }
}

static void run_slots(void *context)
{
    struct filch_slots_loop *loop = context;
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_participant caller = {.loop = loop, .fiber = fiber, .frame = fiber->frame};
    bool enters = filch_dispenser_enter(&loop->dispenser, &caller.portion);
    FILCH_ASSERT(enters); /* the first */
    loop->begun = true;
    loop->parts = (size_t)fiber->pool->config.workers * PARTS_PER_WORKER;
    loop->frame.scope = fiber->frame->scope;
    fiber->frame->next = loop->frame.next;
    filch_frame_set_modes(&loop->frame, filch_frame_modes(fiber->frame)); /* its caller's */
    filch_trace(FILCH_TRACE_LOOP, 0, loop->frame.info, loop->dispenser.n);
    FILCH_UNWINDS(slots_left) struct filch_participant *running = &caller;
    take_first_part(&caller);
    while (look_on(&caller)) {
        filch_participant_take_part(&caller);
    }
    running = NULL;
    await_participants(loop);
    filch_trace(FILCH_TRACE_LOOP_END, 0, loop->frame.info, filch_trace_name_of(loop));
}

/* ---- the call ---- */

static const filch_function_info slots_info = {
    "parallel_slots", "", __FILE__, __LINE__, 0, FILCH_TYPE_NONE, FILCH_TYPE_NONE, NULL};

static void slots_init(struct filch_slots_loop *loop, const filch_function_info *info)
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_frame *caller = fiber ? fiber->frame : NULL;
    memset(&loop->frame, 0, sizeof loop->frame);
    loop->frame.info = info ? info : &slots_info;
    loop->frame.fault = caller ? caller->fault : NULL;
    if (caller && caller->next) {
        loop->raised_at = *caller->next;
        loop->frame.next = &loop->raised_at;
    }
    loop->begun = false;
    atomic_init(&loop->unfinished, 1);
    filch_latch_init(&loop->done);
}

filch_status filch_parallel_slots(filch_pool *pool, size_t n, size_t limit,
                                  void (*body)(size_t i, size_t slot, void *environment),
                                  void *environment, const filch_function_info *info)
{
    struct filch_slots_loop loop;
    if (!body || !limit) {
        return FILCH_EINVAL;
    }
    loop.begun = false;
    const filch_options *options = filch_options_of(pool);
    if (n > 1 && limit > 1 && filch_pool_resolve(pool, &pool) == FILCH_OK) {
        filch_options_check(options, pool, 0, info);
        slots_init(&loop, info);
        loop.body = body;
        loop.environment = environment;
        filch_dispenser_init(&loop.dispenser, n, limit);
        filch_status status =
            filch_region_call(pool, run_slots, &loop, loop.frame.fault, loop.frame.info);
        (void)status; /* it has not begun then */
    }
    for (size_t i = 0; !loop.begun && i < n; i++) {
        body(i, 0, environment);
    }
    return FILCH_OK;
}
