/* hold: making cores, taking them and letting go of them. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "os.h"
#include "pool.h"
#include "strand.h"
#include "thread.h"

enum { DEQUE_CAPACITY = 64 };

struct filch_core *filch_core_new(struct filch_pool *pool, unsigned index)
{
    size_t bytes = (sizeof(struct filch_core) + FILCH_CACHE_LINE - 1) / FILCH_CACHE_LINE;
    struct filch_core *core = aligned_alloc(FILCH_CACHE_LINE, bytes * FILCH_CACHE_LINE);
    if (!core) {
        return NULL;
    }
    memset(core, 0, sizeof *core);
    core->pool = pool;
    core->index = index;
    core->victim = (uint32_t)(filch_os_seed() >> 8);
    filch_queue_init(&core->ready);
    if (!filch_deque_init(&core->deque, DEQUE_CAPACITY, 0)) {
        free(core);
        return NULL;
    }
    return core;
}

void filch_core_free(struct filch_core *core)
{
    if (core) {
        filch_deque_destroy(&core->deque);
        free(core);
    }
}

struct filch_core *filch_core_at(struct filch_pool *pool, unsigned index)
{
    /* acquire: pairs with the release in make_core; the core is made */
    return atomic_load_explicit(&pool->cores[index], memory_order_acquire);
}

unsigned filch_core_count(struct filch_pool *pool)
{
    /* acquire: pairs with the release in make_core */
    return atomic_load_explicit(&pool->core_count, memory_order_acquire);
}

static struct filch_core *make_core(struct filch_pool *pool, unsigned index)
{
    filch_lock_acquire(&pool->lock);
    struct filch_core *core = filch_core_at(pool, index);
    if (!core && index == filch_core_count(pool)) {
        core = filch_core_new(pool, index);
        if (core) {
            /* release, both: pair with filch_core_at and filch_core_count */
            atomic_store_explicit(&pool->cores[index], core, memory_order_release);
            atomic_store_explicit(&pool->core_count, index + 1, memory_order_release);
        }
    }
    filch_lock_release(&pool->lock);
    return core;
}

static bool claim(struct filch_core *core, struct filch_thread *thread)
{
    struct filch_thread *nobody = NULL;
    /* relaxed load: spares a failing exchange. acquire: pairs with the release in
     * filch_core_release; what the last holder wrote to the core is seen */
    if (atomic_load_explicit(&core->holder, memory_order_relaxed) ||
        !atomic_compare_exchange_strong_explicit(&core->holder, &nobody, thread,
                                                 memory_order_acquire, memory_order_relaxed)) {
        return false;
    }
    thread->core = core;
    return true;
}

/* A free core among the first `limit`, made if it must be. */
static bool claim_below(struct filch_pool *pool, struct filch_thread *thread, unsigned limit)
{
    for (unsigned i = 0; i < limit; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        if (!core) {
            core = make_core(pool, i);
        }
        if (!core) {
            return false;
        }
        if (claim(core, thread)) {
            return true;
        }
    }
    return false;
}

static const uint64_t one_running = (uint64_t)1 << 32 | 1;

bool filch_core_acquire(struct filch_pool *pool, struct filch_thread *thread)
{
    /* relaxed: checked by the exchange */
    uint64_t running = atomic_load_explicit(&pool->running, memory_order_relaxed);
    do {
        if ((uint32_t)running >= pool->config.workers) {
            return false;
        }
        /* seq_cst: against releasers, see filch_core_release_guest */
    } while (!atomic_compare_exchange_weak_explicit(&pool->running, &running, running + one_running,
                                                    memory_order_seq_cst, memory_order_relaxed));
    if (claim_below(pool, thread, pool->config.workers)) {
        return true;
    }
    /* Guests hold them all for this moment, or there is no memory for a core. */
    atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst);
    return false;
}

bool filch_core_acquire_guest(struct filch_pool *pool, struct filch_thread *thread)
{
    atomic_fetch_add_explicit(&pool->running, one_running, memory_order_seq_cst);
    if (claim_below(pool, thread, pool->core_limit)) {
        return true;
    }
    atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst);
    thread->core = NULL;
    return false;
}

void filch_core_release(struct filch_thread *thread)
{
    struct filch_core *core = thread->core;
    thread->core = NULL;
    /* release: pairs with the acquire in claim */
    atomic_store_explicit(&core->holder, (struct filch_thread *)NULL, memory_order_release);
    /* seq_cst: before the re-check of all sources that follows in every caller */
    atomic_fetch_sub_explicit(&core->pool->running, 1, memory_order_seq_cst);
}

void filch_core_release_guest(struct filch_pool *pool, struct filch_thread *thread)
{
    if (!thread->core) {
        return;
    }
    filch_core_leave(thread->core);
    filch_core_release(thread);
    /* A thread that found no free core went to sleep over work that it saw. It announced itself,
     * fenced and looked at the cores; we let go, fence and look at the work: one of us acts. */
    atomic_thread_fence(memory_order_seq_cst);
    if (filch_core_work_visible(pool)) {
        filch_pool_wake(pool);
    }
}

void filch_core_begin(struct filch_strand *strand)
{
    if (strand->pool->config.workers > 1) {
        filch_lane_poison(&strand->lane);
    } else {
        filch_lane_settle(&strand->lane);
    }
}

void filch_core_enter(struct filch_core *core, struct filch_strand *strand)
{
    if (!core) {
        return;
    }
    filch_core_begin(strand);
    /* release: pairs with the acquire in ask; the lane is initialised */
    atomic_store_explicit(&core->lane, &strand->lane, memory_order_release);
}

void filch_core_leave(struct filch_core *core)
{
    if (core) {
        /* relaxed: a late poison meets a lane that is still mapped, and means nothing */
        atomic_store_explicit(&core->lane, (filch_lane *)NULL, memory_order_relaxed);
    }
}
