// A pool of a model: its cores, the records of the threads, a fiber for each of its own; and what the
// runtime asks of the rest of the house. Part of one source file each.
#ifndef FILCH_MODEL_POOL_H
#define FILCH_MODEL_POOL_H

#include "sched/core.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/starve.h"
#include "sched/fiber.h"
#include "sched/thread.h"
#include "sched/wake.h"

#include "os/os.h"

static uint64_t now_ns;

// The first `Fibers` of the threads are the pool's own.
template <unsigned Workers, unsigned Cores, unsigned Fibers, unsigned Threads> struct house {
    typedef rl::atomic<filch_core *> core_pointer;
    alignas(FILCH_CACHE_LINE) unsigned char memory[sizeof(filch_pool) +
                                                   (Cores - 1) * sizeof(core_pointer)];
    filch_pool *pool;
    mortal<filch_core> cores[Cores];
    filch_thread threads[Threads];
    thrd_t handles[Fibers + 1];
    filch_fiber fibers[Fibers];
    filch_slot slots[Fibers][2]; // one and the spare one

    void make_core(unsigned index)
    {
        filch_core *core = cores[index].begin();
        core->pool = pool;
        core->index = index;
        core->victim = 0;
        core->picks.store(0, rl::mo_relaxed, $);
        core->next.store(NULL, rl::mo_relaxed, $);
        core->exchanged.store(0, rl::mo_relaxed, $);
        core->seen_ns.store(0, rl::mo_relaxed, $);
        core->seen_next.store(NULL, rl::mo_relaxed, $);
        core->seen_beats.store(0, rl::mo_relaxed, $);
        core->loud_until.store(0, rl::mo_relaxed, $);
        core->loud_picks.store(0, rl::mo_relaxed, $);
        core->stolen_ns.store(0, rl::mo_relaxed, $);
        core->yields = 0;
        core->new_first = false;
        core->spare = NULL;
        core->holder.store(NULL, rl::mo_relaxed, $);
        core->lane.store(NULL, rl::mo_relaxed, $);
        core->tasks.store(0, rl::mo_relaxed, $);
        core->steals.store(0, rl::mo_relaxed, $);
        core->yield_wanted.store(false, rl::mo_relaxed, $);
        filch_queue_init(&core->ready);
        filch_deque_init(&core->deque, 2, 0);
        if (index > 0) { // the first is part of the struct
            new (&pool->cores[index]) core_pointer();
        }
        pool->cores[index].store(core, rl::mo_relaxed, $);
    }

    void make_pool()
    {
        pool = new (memory) filch_pool();
        pool->config = {};
        pool->config.workers = Workers;
        pool->core_limit = Cores;
        pool->searchers_max = 1;
        pool->crowded = false;
        pool->threads = handles;
        filch_park_init(&pool->park);
        filch_queue_init(&pool->ready);
        filch_queue_init(&pool->inject);
        filch_queue_init(&pool->background);
        filch_timers_init(&pool->timers);
        filch_lock_init(&pool->lock);
        pool->running.store(0, rl::mo_relaxed, $);
        pool->searching.store(0, rl::mo_relaxed, $);
        pool->waking.store(0, rl::mo_relaxed, $);
        pool->starving.store(false, rl::mo_relaxed, $);
        pool->givers.store(0, rl::mo_relaxed, $);
        pool->turns.store(0, rl::mo_relaxed, $);
        pool->monitor.store(NULL, rl::mo_relaxed, $);
        pool->monitor_until_ns.store(0, rl::mo_relaxed, $);
        pool->ticking.store(false, rl::mo_relaxed, $);
        pool->tick_ns.store(0, rl::mo_relaxed, $);
        pool->fade_ns.store(0, rl::mo_relaxed, $);
        pool->monitor_epoch.store(0, rl::mo_relaxed, $);
        pool->outside.store(filch_outside_none, rl::mo_relaxed, $);
        pool->state.store(0, rl::mo_relaxed, $);
        pool->stopping.store(false, rl::mo_relaxed, $);
        pool->broken.store(false, rl::mo_relaxed, $);
        pool->ends.store(0, rl::mo_relaxed, $);
        pool->thread_count.store(Fibers, rl::mo_relaxed, $);
        pool->ask_again_ns.store(UINT64_MAX, rl::mo_relaxed, $);
        pool->ask_pause_ns = 0;
        pool->core_count.store(Cores, rl::mo_relaxed, $);
        pool->poller.store(NULL, rl::mo_relaxed, $);
    }

    void build()
    {
        now_ns = 0;
        make_pool();
        for (unsigned i = 0; i < Cores; i++) {
            make_core(i);
        }
        for (filch_thread &thread : threads) {
            filch_parker_init(&thread.parker);
            thread.core = NULL;
            thread.fiber = NULL;
            thread.woken = thread.between_jobs = false;
        }
        for (unsigned i = 0; i < Fibers; i++) {
            fibers[i].pool = pool;
            fibers[i].frame = NULL;
            fibers[i].guest = false;
            fibers[i].lent = fibers[i].pins = 0;
            fibers[i].party = &fibers[i].own_party;
            fibers[i].own_party.doing.store(0, rl::mo_relaxed, $);
            slots[i][0].state.store(0, rl::mo_relaxed, $);
            filch_lane_init(&fibers[i].lane, slots[i], 1, 1);
        }
    }

    void demolish()
    {
        for (unsigned i = 0; i < Cores; i++) {
            filch_deque_destroy(&filch_core_at(pool, i)->deque);
            if (i > 0) {
                pool->cores[i].~core_pointer();
            }
            cores[i].end();
        }
        pool->~filch_pool();
    }

    // As filch_core_thread(), until there is nothing more to do.
    void run_fibers(filch_thread *thread, filch_fiber *fiber)
    {
        filch_core_answer_wake(pool);
        if (filch_core_obtain(pool, thread)) {
            thread->fiber = fiber;
            filch_core_enter(thread->core, fiber);
            filch_core_main(fiber);
            thread->fiber = NULL;
        }
    }
};

static filch_thread *(*thread_of)(unsigned index);

struct filch_thread *filch_thread_known(void)
{
    return thread_of(rl::ctx().threadx_ ? rl::thread_index() : 0);
}
struct filch_thread *filch_thread_self(void)
{
    return filch_thread_known();
}

// Without publish.c: there are no quiet offers, for which no thread need come.
bool filch_core_is_quiet(struct filch_core *)
{
    return false;
}

filch_slot *filch_core_late_offer(struct filch_core *)
{
    return NULL;
}

// Without loops: none is open, and none follows another.
uintptr_t filch_core_seize(struct filch_core *, struct filch_core *)
{
    return 0;
}
bool filch_core_is_seizable(struct filch_core *)
{
    return false;
}
bool filch_reach_spares(struct filch_reach *, uint64_t)
{
    return false;
}
void filch_reach_wakes(struct filch_reach *, uint64_t)
{
}
void filch_reach_comes(struct filch_reach *, uint64_t)
{
}
bool filch_pace_is_kept(struct filch_pace *, uint64_t)
{
    return false;
}
bool filch_pace_is_called(struct filch_pace *)
{
    return false;
}

// Without crowd.c: no loop holds anything back.
bool filch_crowd_is_let_go(struct filch_pool *)
{
    return false;
}
bool filch_crowd_is_held(struct filch_pool *)
{
    return false;
}
void filch_crowd_let_go(struct filch_core *)
{
}
void filch_crowd_watch(struct filch_pool *)
{
}

// Without starve.c: there are always stacks.
bool filch_pool_is_starving(struct filch_pool *)
{
    return false;
}
void filch_pool_feed_again(struct filch_pool *, bool)
{
}
bool filch_pool_give_memory(struct filch_pool *, struct filch_thread *, bool)
{
    return false;
}

uint64_t filch_os_now_ns(void)
{
    return now_ns += 1000000;
} // a search has one round
uint64_t filch_os_seed(void)
{
    return 0;
}
void filch_os_bind(unsigned)
{
}
void filch_os_thread_move(thrd_t)
{
}
void filch_os_thread_join(thrd_t)
{
}
void filch_thread_furnish(struct filch_thread *)
{
}
bool filch_process_owns(uint32_t)
{
    return true;
}
bool filch_stacks_reserve(struct filch_stacks *)
{
    return true;
}
void filch_stacks_put(struct filch_stacks *, struct filch_shelf *, struct filch_stack *)
{
}
void filch_stacks_put_bare(struct filch_stacks *, struct filch_stack *)
{
}
void filch_stacks_clear(struct filch_stacks *, struct filch_shelf *)
{
}
int filch_core_thread(void *)
{
    return 0;
}
struct filch_core *filch_core_new(struct filch_pool *, unsigned)
{
    return NULL;
}

#endif
