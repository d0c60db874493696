#include "sched/starve.h"

#include "base/assert.h"
#include "base/memory.h"
#include "os/log.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum { STACKS_KEPT = 64 }; /* free stacks that stay warm when a pool has just fallen idle */

static void set_starving(struct filch_pool *pool, bool starving)
{
    /* seq_cst: read by sleepers between announcement and sleep (park.h) */
    atomic_store_explicit(&pool->starving, starving, memory_order_seq_cst);
}

bool filch_pool_is_starving(struct filch_pool *pool)
{
    return atomic_load_explicit(&pool->starving, memory_order_seq_cst); /* as above */
}

/* Stacks on the shelves of cores that nothing holds: to where all find them. */
static void clear_idle_shelves(struct filch_pool *pool, struct filch_thread *thread)
{
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        filch_core_clear_idle(filch_core_at(pool, i), thread);
    }
}

static struct filch_fiber *ready_anywhere(struct filch_pool *pool, struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    struct filch_work *work = filch_queue_pop(&core->ready);
    work = work ? work : filch_queue_pop(&pool->ready);
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; !work && i < count; i++) {
        work = filch_queue_pop(&filch_core_at(pool, i)->ready);
    }
    return work ? filch_fiber_of_work(work) : NULL;
}

struct filch_fiber *filch_pool_starve(struct filch_pool *pool, struct filch_thread *thread)
{
    set_starving(pool, true);
    clear_idle_shelves(pool, thread);
    struct filch_fiber *fiber = filch_fiber_new(pool, thread->core);
    if (fiber) {
        set_starving(pool, false);
        filch_pool_pass_on(pool);
        return fiber;
    }
    filch_core_fire_timers(pool);
    return ready_anywhere(pool, thread->core);
}

void filch_pool_feed(struct filch_pool *pool, struct filch_core *core)
{
    if (!filch_pool_is_starving(pool)) {
        return;
    }
    if (core) {
        filch_core_end_rest(core);
        filch_stacks_clear(&pool->stacks, &core->shelf);
    }
    set_starving(pool, false);
    filch_pool_wake(pool);
}

static void end_starving_wait(struct filch_stack *stack, void *ended)
{
    struct filch_party *party = &((struct filch_fiber *)stack)->own_party;
    uint32_t any = 0;
    if (!filch_party_hold(party, &any)) {
        return;
    }
    if (party->waiter && party->forever && !party->kind->outside) {
        *(size_t *)ended += filch_waiter_end(party->waiter, FILCH_NO_MEMORY);
    }
    filch_party_let_go(party);
}

static void end_starving_waits(struct filch_pool *pool)
{
    size_t ended = 0;
    filch_stacks_each(&pool->stacks, end_starving_wait, &ended);
    if (ended) {
        filch_log(FILCH_LOG_ERROR, "no memory for stacks, and all tasks that have one wait: their "
                                   "waits end with FILCH_ENOMEM\n");
    }
}

void filch_pool_feed_again(struct filch_pool *pool, bool long_ago)
{
    if (!filch_pool_is_starving(pool)) {
        return;
    }
    if (filch_stacks_reserve(&pool->stacks)) {
        set_starving(pool, false); /* the monitor looks for work next */
    } else if (long_ago && filch_pool_running(pool) == 0) {
        end_starving_waits(pool);
    }
}

bool filch_pool_give_memory(struct filch_pool *pool, struct filch_thread *thread, bool long_ago)
{
    if (long_ago) {
        clear_idle_shelves(pool, thread);
    }
    bool stacks = filch_stacks_trim(&pool->stacks, long_ago ? 0 : STACKS_KEPT);
    return filch_memory_trim(long_ago ? FILCH_MEMORY_IDLE_LONG : FILCH_MEMORY_IDLE) || stacks;
}
