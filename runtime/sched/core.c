/* The scheduling policy reads from filch_core_main() down to pick(): what runs next, and when a
 * thread stops looking. Victims are visited in a ring that starts where the last theft succeeded.
 *
 * Sources: Blumofe & Leiserson (1999) for stealing; Go's scheduler for the limit on searchers and
 * for one wake-up leading to the next; Tzannes et al. (2010) for publishing on demand. */
#include "sched/core.h"

#include <string.h>

#include "base/assert.h"
#include "os/os.h"
#include "os/os_modes.h"
#include "sched/answers.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/ready.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum {
    BACKGROUND = 16,   /* every so many fair picks, what is in the background comes first */
    SEARCH_NS = 20000, /* an idle thread looks this long before it sleeps */
    DEMAND_AFTER = 2,  /* rounds of a search before running fibers are asked */
};

static uintptr_t from_queue(struct filch_queue *queue)
{
    struct filch_work *work = filch_queue_pop(queue);
    return work ? filch_entry_of_work(work) : 0;
}

struct filch_picked filch_core_picked(void)
{
    struct filch_core *core = filch_thread_known()->core;
    return core ? core->picked : (struct filch_picked){.how = FILCH_TRACE_HELPED};
}

enum filch_trace_type filch_core_trace_task(struct filch_picked picked,
                                            const filch_function_info *info, const void *task)
{
    bool own = picked.how == FILCH_TRACE_OWN || picked.how == FILCH_TRACE_HELPED;
    filch_trace(own ? FILCH_TRACE_BEGIN_OWN : FILCH_TRACE_BEGIN, picked.how, info,
                filch_trace_name_from(task, picked.from));
    return own ? FILCH_TRACE_END_OWN : FILCH_TRACE_END;
}

static void note_pick(struct filch_core *core, enum filch_trace_how how, unsigned from)
{
    core->picked = (struct filch_picked){how, from};
}

static uintptr_t from_outside(struct filch_core *core, struct filch_queue *queue)
{
    uintptr_t entry = from_queue(queue);
    if (entry) {
        note_pick(core, FILCH_TRACE_INJECTED, 0);
    }
    return entry;
}

/* A fiber that is ready to go on: of this core, or one that outsiders made ready. */
static uintptr_t from_ready(struct filch_core *core)
{
    uintptr_t entry = from_queue(&core->ready);
    return entry ? entry : from_queue(&core->pool->ready);
}

/* The one that was made ready here last, and that nothing is to come before. */
static uintptr_t from_next(struct filch_core *core)
{
    struct filch_fiber *fiber = filch_core_take_next(core);
    return fiber ? filch_entry_of_work(&fiber->work) : 0;
}

void filch_core_look_for_answers(struct filch_pool *pool)
{
    /* acquire: pairs with the release in filch_poller_of */
    struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
    if (FILCH_UNLIKELY(poller != NULL)) {
        pool->poller_calls->look(poller);
    }
}

static uintptr_t steal_from(struct filch_core *core, struct filch_core *victim)
{
    struct filch_fiber *fiber = filch_core_steal_ready(victim);
    if (fiber) {
        return filch_entry_of_work(&fiber->work);
    }
    uintptr_t entry = 0;
    enum filch_steal result;
    do {
        result = filch_deque_steal(&victim->deque, &entry);
    } while (result == FILCH_STEAL_LOST);
    if (result == FILCH_STEAL_GOT) {
        return entry;
    }
    filch_slot *slot = filch_core_late_offer(victim);
    return slot ? filch_entry_of_slot(slot) : filch_core_seize(core, victim);
}

static uintptr_t steal(struct filch_core *core, bool even_own)
{
    unsigned count = filch_core_count(core->pool);
    for (unsigned i = 0; i < count; i++) {
        unsigned index = (core->victim + i) % count;
        bool visits = even_own || index != core->index;
        uintptr_t entry = visits ? steal_from(core, filch_core_at(core->pool, index)) : 0;
        if (entry) {
            core->victim = index;
            note_pick(core, index == core->index ? FILCH_TRACE_OWN : FILCH_TRACE_STOLEN, index + 1);
            /* relaxed, both: a counter with one writer */
            uint64_t steals = atomic_load_explicit(&core->steals, memory_order_relaxed);
            atomic_store_explicit(&core->steals, steals + 1, memory_order_relaxed);
            return entry;
        }
    }
    return 0;
}

/* By turns, so that nothing comes before work from outside, or new work, for ever. Other cores have
 * a turn, too: what is on one with a task that does not end is taken by one that always yields. */
static uintptr_t by_turns(struct filch_core *core, uint32_t turn)
{
    struct filch_pool *pool = core->pool;
    uintptr_t entry = 0;
    if (turn % BACKGROUND == 0 && (entry = from_outside(core, &pool->background))) {
        return entry;
    }
    if (turn % 2 == 0 && (entry = from_outside(core, &pool->inject))) {
        return entry;
    }
    switch (turn % 8) {
    case 1: return from_queue(&pool->ready);
    case 3: return from_queue(&core->ready);
    case 5: return steal(core, false);
    default: return filch_deque_pop(&core->deque);
    }
}

/* So that a core with always something ready, or something newer in its deque, starves nothing. */
static uintptr_t overdue(struct filch_core *core)
{
    filch_core_fire_timers(core->pool);
    filch_core_look_for_answers(core->pool);
    filch_core_queue_next(core); /* behind what it would have gone before */
    uintptr_t entry = by_turns(core, filch_core_picks(core) / FILCH_FAIR_PICKS);
    return entry || (entry = from_ready(core)) ? entry : from_outside(core, &core->pool->inject);
}

/* Of a core: fibers that are ready before anything new, because what is begun keeps memory until
 * it has ended; of what is new the newest. After a yield the other way round. */
static uintptr_t from_own(struct filch_core *core)
{
    if (core->new_first) {
        core->new_first = false;
        uintptr_t entry = filch_deque_pop(&core->deque);
        if (entry) {
            return entry;
        }
    }
    uintptr_t entry = from_ready(core);
    return entry ? entry : filch_deque_pop(&core->deque);
}

/* When nothing else is to be done: timers that are due, what loops hold back, what was put off. */
static uintptr_t put_off(struct filch_core *core)
{
    filch_core_fire_timers(core->pool);
    filch_core_look_for_answers(core->pool);
    filch_crowd_let_go(core);
    uintptr_t entry = from_next(core); /* a timer's */
    return entry || (entry = from_own(core)) ? entry : from_outside(core, &core->pool->background);
}

/* What runs next on this core, 0 when there is nothing: own work, then tasks from outside, then
 * other cores' oldest, then what was put off. */
static uintptr_t pick(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    uintptr_t entry = 0;
    note_pick(core, FILCH_TRACE_OWN, 0);
    if (filch_core_count_pick(core) % FILCH_FAIR_PICKS == 0 && (entry = overdue(core))) {
        return entry;
    }
    if ((entry = from_next(core)) || (entry = from_own(core)) ||
        (entry = from_outside(core, &core->pool->inject)) || (entry = steal(core, true))) {
        return entry;
    }
    return put_off(core);
}

static bool may_search(struct filch_pool *pool)
{
    /* seq_cst: pairs with the load in none_comes, under the handshake of park.h */
    uint32_t others = atomic_fetch_add_explicit(&pool->searching, 1, memory_order_seq_cst);
    if (others < pool->searchers_max) {
        return true;
    }
    atomic_fetch_sub_explicit(&pool->searching, 1, memory_order_seq_cst);
    return false;
}

/* Look around for a while, and ask those that have latent work. */
static uintptr_t search(struct filch_core *core)
{
    struct filch_pool *pool = core->pool;
    if (!may_search(pool)) {
        return 0;
    }
    uint64_t until_ns = filch_os_now_ns() + SEARCH_NS;
    uintptr_t entry = 0;
    unsigned round = 0;
    filch_core_trace(core, FILCH_TRACE_SEARCH, 0, NULL, 0);
    for (; !(entry = pick(core)) && filch_pool_searches_on(pool, until_ns); round++) {
        if (round >= DEMAND_AFTER) {
            filch_core_demand(pool);
        }
        if (pool->crowded) {
            filch_os_yield();
        }
        for (unsigned i = 0; i < 8; i++) {
            filch_relax();
        }
    }
    filch_core_trace(core, FILCH_TRACE_FOUND, entry != 0, NULL, round);
    /* seq_cst: as in may_search. A publisher that still saw us searching woke none: a searcher
     * that leaves looks once more, here or before it sleeps. */
    uint32_t searching = atomic_fetch_sub_explicit(&pool->searching, 1, memory_order_seq_cst);
    FILCH_ASSERT(searching > 0);
    if (entry) {
        atomic_thread_fence(memory_order_seq_cst); /* after the count, before the look */
        filch_pool_pass_on(pool);
    }
    return entry;
}

/* A thread that was just made is often on the processor of its maker, which waits for what it was
 * made for, and would wait for our search, too. */
static void give_way_once(struct filch_thread *thread)
{
    if (FILCH_UNLIKELY(thread->fresh)) {
        thread->fresh = false;
        filch_os_yield();
    }
}

/* Look for work with the core in hand. */
static uintptr_t look(struct filch_core *core, struct filch_thread *thread)
{
    if (!filch_core_next(core) && filch_pool_overcrowded(core->pool)) {
        return 0;
    }
    uintptr_t entry = pick(core);
    if (!entry) {
        give_way_once(thread);
        entry = search(core);
    }
    return entry;
}

/* Find work; sleep while there is none. 0: the pool stops, and the thread holds no core. */
static uintptr_t find(struct filch_thread *thread, struct filch_fiber *fiber)
{
    FILCH_ASSERT(thread == filch_thread_known() && (thread->fiber == fiber || thread->left));
    struct filch_pool *pool = fiber->pool;
    uintptr_t entry;
    while (!thread->core || !(entry = look(thread->core, thread))) {
        if (thread->left) {
            filch_suspend_end_child("more work");
        }
        if (thread->core) { /* if not, the last job ended without one */
            filch_core_leave(thread->core);
            filch_core_release(thread);
        }
        if (!filch_core_obtain(pool, thread)) {
            return 0;
        }
        filch_core_enter(thread->core, fiber);
    }
    if (thread->woken) {
        thread->woken = false;
        filch_pool_pass_on(pool); /* the thread that was woken wakes the next */
    }
    filch_pool_take_turn(pool);
    return entry;
}

static void trace_taken(struct filch_core *core, filch_slot *slot, const filch_function_info *info)
{
    filch_core_trace(core, FILCH_TRACE_BEGIN, core->picked.how, info,
                     filch_trace_name_from(slot, core->picked.from));
}

static void run_with_modes(filch_lane *lane, filch_slot *slot, uint64_t modes)
{
    if (FILCH_UNLIKELY(modes != FILCH_OS_MODES_DEFAULT)) {
        filch_os_set_modes(modes);
    }
    slot->type->run(lane, lane->top, slot);
    filch_os_restore_modes(FILCH_OS_MODES_DEFAULT);
}

/* Run a published slot for its owner, which may be waiting for it. */
static void run_stolen(struct filch_fiber *fiber, filch_slot *slot, struct filch_frame *origin)
{
    const filch_slot_type *type = slot->type;
    filch_lane *lane = &fiber->lane;
    FILCH_ASSERT(filch_fiber_is_own(fiber) && !fiber->frame);
    FILCH_ASSERT(type && type != &filch_slot_running); /* a thief has what was published */
    /* In a loop, the index that the forking element had. It waits for us: the index stands. */
    const unsigned long long next = origin->next ? *origin->next : 0;
    struct filch_frame frame = {.base = lane->top,
                                .fault = origin->fault,
                                .scope = origin->scope,
                                .info = type->info,
                                .next = origin->next ? &next : NULL,
                                .modes = filch_frame_modes(origin)};
    trace_taken(filch_thread_known()->core, slot, type->info ? type->info : origin->info);
    fiber->frame = &frame;
    filch_party_do(fiber->party, type->info);
    if (type->publish) {
        filch_slot moved;
        memcpy(moved.payload, slot->payload, sizeof moved.payload);
        filch_slot_finish(slot);            /* the owner needs its slot no longer */
        type->run(lane, lane->top, &moved); /* which records its end itself */
    } else {
        run_with_modes(lane, slot, frame.modes);
        filch_trace(FILCH_TRACE_END, 0, NULL, filch_trace_name_of(slot)); /* before it is known */
        filch_thread_known()->between_jobs = true;
        filch_slot_finish(slot);
        filch_thread_known()->between_jobs = false;
    }
    fiber->frame = NULL;
    filch_party_do(fiber->party, NULL);
}

/* Run an entry of a deque or a queue. A suspended fiber is not run but returned. */
static struct filch_fiber *run_entry(struct filch_fiber *fiber, uintptr_t entry)
{
    FILCH_ASSERT(entry && !filch_rank_holds_any());
    filch_slot *slot = filch_entry_slot(entry);
    if (slot) {
        struct filch_frame *origin = filch_slot_take(slot);
        if (origin) {
            run_stolen(fiber, slot, origin);
        }
        return NULL;
    }
    struct filch_work *work = filch_entry_work(entry);
    if (work->kind == FILCH_WORK_FIBER) {
        return filch_fiber_of_work(work);
    }
    struct filch_detached *task = FILCH_CONTAINER(work, struct filch_detached, work);
    FILCH_ASSERT(work->kind == FILCH_WORK_TASK && task->run);
    task->run(task);
    return NULL;
}

struct filch_fiber *filch_core_main(struct filch_fiber *fiber)
{
    for (;;) {
        struct filch_thread *thread = filch_thread_known(); /* the last job may have moved us */
        uintptr_t entry = find(thread, fiber);
        if (!entry) {
            return NULL;
        }
        filch_pool_appoint_monitor(fiber->pool, 1);
        filch_core_start(thread->core);
        filch_core_trace_forks(thread->core, &fiber->lane);
        filch_core_begin(fiber);
        bool brief = filch_entry_slot(entry) && filch_core_is_brief(thread->core);
        fiber->help = brief ? FILCH_HELP_LATE : FILCH_HELP_ASK;
        struct filch_fiber *ready = run_entry(fiber, entry);
        FILCH_ASSERT(!fiber->frame && fiber->lane.top == filch_fiber_bottom(fiber));
        FILCH_ASSERT(!filch_rank_holds_any());
        if (ready) {
            return ready;
        }
        if (FILCH_UNLIKELY(fiber->lent || fiber->pins)) {
            filch_handoff_forget(fiber);
        }
    }
}
