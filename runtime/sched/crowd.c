#include "sched/crowd.h"

#include "base/assert.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"

enum { INTERVAL_NS = 64000000 };

void filch_crowding_init(struct filch_crowding *crowding)
{
    atomic_init(&crowding->most, FILCH_CROWD_FIRST);
    atomic_init(&crowding->held, 0);
    atomic_init(&crowding->let_go, 0);
    atomic_init(&crowding->next_ns, 0);
    atomic_init(&crowding->interval_ns, INTERVAL_NS);
}

static uint32_t held_range(struct filch_crowding *crowding)
{
    /* relaxed: a look that comes too early is followed by another */
    return atomic_load_explicit(&crowding->held, memory_order_relaxed);
}

static uint32_t most(struct filch_crowding *crowding)
{
    return atomic_load_explicit(&crowding->most, memory_order_relaxed); /* relaxed: a guess */
}

bool filch_crowd_is_held(struct filch_pool *pool)
{
    return held_range(&pool->crowding) > 0;
}

bool filch_crowd_is_full(struct filch_pool *pool, _Atomic(uint32_t) *waiting)
{
    /* relaxed: a glance */
    return atomic_load_explicit(waiting, memory_order_relaxed) >= most(&pool->crowding);
}

bool filch_crowd_enter(struct filch_fiber *fiber)
{
    bool crowded = false;
    for (struct filch_frame *f = fiber->guest ? NULL : fiber->frame; f; f = f->parent) {
        /* relaxed: a number that is compared, no more */
        if (f->crowd && atomic_fetch_add_explicit(f->crowd, 1, memory_order_relaxed) >=
                            most(&fiber->pool->crowding)) {
            crowded = true;
        }
    }
    return crowded;
}

static void count_held(struct filch_crowding *crowding, uint32_t change)
{
    /* relaxed: as in held_range() */
    uint32_t before = atomic_fetch_add_explicit(&crowding->held, change, memory_order_relaxed);
    FILCH_ASSERT(before > 0 || change == 1);
}

/* What the fiber holds back, which then it does no longer; NULL: nothing. */
static filch_slot *take_held(struct filch_fiber *fiber)
{
    /* relaxed: mostly there is none */
    if (!atomic_load_explicit(&fiber->held, memory_order_relaxed)) {
        return NULL;
    }
    /* acquire: pairs with the release in filch_crowd_hold_back; the slot is published */
    filch_slot *slot =
        atomic_exchange_explicit(&fiber->held, (filch_slot *)NULL, memory_order_acquire);
    if (slot) {
        count_held(&fiber->pool->crowding, (uint32_t)-1);
    }
    return slot;
}

void filch_crowd_leave(struct filch_fiber *fiber)
{
    for (struct filch_frame *f = fiber->guest ? NULL : fiber->frame; f; f = f->parent) {
        if (f->crowd) {
            /* relaxed: as in filch_crowd_enter */
            uint32_t waiting = atomic_fetch_sub_explicit(f->crowd, 1, memory_order_relaxed);
            FILCH_ASSERT(waiting > 0);
        }
    }
    take_held(fiber); /* published as it is, it is ours to take back */
}

void filch_crowd_forget(struct filch_fiber *fiber)
{
    take_held(fiber); /* there is none, unless it could not be let go for lack of memory */
}

static void hold(struct filch_fiber *fiber, filch_slot *slot)
{
    count_held(&fiber->pool->crowding, 1);
    /* release: pairs with the acquire in take_held */
    atomic_store_explicit(&fiber->held, slot, memory_order_release);
}

bool filch_crowd_hold_back(struct filch_fiber *fiber, filch_slot *slot)
{
    /* relaxed: set by the fiber alone */
    bool holds = atomic_load_explicit(&fiber->held, memory_order_relaxed) != NULL;
    if (!slot->type->publish || holds) {
        return false;
    }
    if (filch_slot_hold(slot)) { /* if not, a thief has it */
        hold(fiber, slot);
    }
    return true;
}

/* ---- the monitor ---- */

/* relaxed, both: of the monitor of the moment; a value of the one before it will do */
static uint64_t seen_waiting(_Atomic(uint64_t) *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void note_held(_Atomic(uint64_t) *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed); /* as above */
}

static void grow_by_one(struct filch_crowding *crowding, uint32_t more)
{
    /* relaxed, both: guesses; one that takes the number looks at the fibers themselves */
    atomic_store_explicit(&crowding->most, most(crowding) + more, memory_order_relaxed);
    atomic_store_explicit(&crowding->let_go, more, memory_order_relaxed);
}

/* Nothing is held back. What an idle pool has learned is forgotten. */
static void settle(struct filch_crowding *crowding, bool idle)
{
    if (idle && most(crowding) != FILCH_CROWD_FIRST) {
        filch_crowding_init(crowding);
    }
}

/* Has nothing run since the last look? A core that was taken meanwhile is counted in the upper half
 * of `running`. */
static bool is_idle(struct filch_pool *pool)
{
    struct filch_crowding *crowding = &pool->crowding;
    /* relaxed: a core that is taken just now is seen at the next look */
    uint64_t epoch = atomic_load_explicit(&pool->running, memory_order_relaxed);
    bool same = epoch == seen_waiting(&crowding->epoch);
    note_held(&crowding->epoch, epoch);
    return same && (uint32_t)epoch == 0;
}

/* While others run: is it time to let a few more begin? */
static bool is_due(struct filch_crowding *crowding)
{
    uint64_t now_ns = filch_os_now_ns();
    uint64_t next_ns = seen_waiting(&crowding->next_ns);
    uint64_t interval_ns = seen_waiting(&crowding->interval_ns);
    if (next_ns && now_ns < next_ns) {
        return false;
    }
    note_held(&crowding->next_ns, now_ns + interval_ns);
    note_held(&crowding->interval_ns, 2 * interval_ns);
    return next_ns != 0;
}

void filch_crowd_watch(struct filch_pool *pool)
{
    struct filch_crowding *crowding = &pool->crowding;
    bool idle = is_idle(pool);
    uint32_t now = most(crowding);
    if (!held_range(crowding)) {
        settle(crowding, idle);
    } else if (now <= UINT32_MAX / 2 && (idle || is_due(crowding))) {
        grow_by_one(crowding, idle ? now : FILCH_CROWD_FIRST);
    }
}

bool filch_crowd_is_let_go(struct filch_pool *pool)
{
    /* relaxed: set before its setter looks for work itself */
    return atomic_load_explicit(&pool->crowding.let_go, memory_order_relaxed) > 0;
}

/* A core that takes ranges up, and how many still. */
struct letting_go {
    struct filch_core *core;
    uint32_t more;
};

static void let_one_go(struct filch_stack *stack, void *context)
{
    struct letting_go *letting_go = context;
    struct filch_fiber *fiber = (struct filch_fiber *)stack;
    filch_slot *slot = letting_go->more ? take_held(fiber) : NULL;
    if (!slot || !filch_slot_let_go(slot)) {
        return;
    }
    letting_go->more--;
    bool pushed = filch_deque_push(&letting_go->core->deque, filch_entry_of_slot(slot));
    if (!pushed && filch_slot_hold(slot)) {
        hold(fiber, slot); /* no memory: the next look tries again, or its owner takes it back */
    }
}

void filch_crowd_let_go(struct filch_core *core)
{
    struct filch_pool *pool = core->pool;
    if (filch_crowd_is_let_go(pool)) {
        struct letting_go letting_go = {.core = core};
        /* relaxed: as in grow */
        letting_go.more = atomic_exchange_explicit(&pool->crowding.let_go, 0, memory_order_relaxed);
        filch_stacks_each(&pool->stacks, let_one_go, &letting_go);
    }
}
