/* acquire: taking cores and letting go of them. */
#include "base/assert.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/answers.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/ready.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum {
    BRIEF = 30000, /* ticks, some 10 us */
    BRIEFS = 4,    /* so many in a row */
};

struct filch_core *filch_core_at(struct filch_pool *pool, unsigned index)
{
    FILCH_ASSERT(index < pool->core_limit);
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
    filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
    struct filch_core *core = filch_core_at(pool, index);
    if (!core && index == filch_core_count(pool)) {
        core = filch_core_new(pool, index);
        if (core) {
            filch_tracer_attach(&core->seat, core); /* before a thread can have it */
            /* release, both: pair with filch_core_at and filch_core_count */
            atomic_store_explicit(&pool->cores[index], core, memory_order_release);
            atomic_store_explicit(&pool->core_count, index + 1, memory_order_release);
            /* A thread that began or ended a recording meanwhile may not have seen it. */
            filch_tracer_attach(&core->seat, core);
            filch_tracer_detach(&core->seat);
        }
    }
    filch_lock_release(&pool->lock);
    return core;
}

static bool claim(struct filch_core *core, struct filch_thread *thread)
{
    struct filch_thread *none = NULL;
    /* relaxed load: spares a failing exchange. acquire: pairs with the release in
     * filch_core_release; what the last holder wrote to the core is seen */
    if (atomic_load_explicit(&core->holder, memory_order_relaxed) ||
        !atomic_compare_exchange_strong_explicit(&core->holder, &none, thread, memory_order_acquire,
                                                 memory_order_relaxed)) {
        return false;
    }
    thread->core = core;
    return true;
}

/* A free core among the first `limit`, made if it must be. */
static bool claim_below(struct filch_pool *pool, struct filch_thread *thread, unsigned limit)
{
    FILCH_ASSERT(!thread->core && thread == filch_thread_known());
    for (unsigned i = 0; i < limit; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        if (!core) {
            core = make_core(pool, i);
        }
        if (!core) {
            return false;
        }
        FILCH_ASSERT(core->index == i && core->pool == pool);
        if (claim(core, thread)) {
            return true;
        }
    }
    return false;
}

bool filch_core_make_first(struct filch_pool *pool)
{
    return filch_core_count(pool) > 0 || make_core(pool, 0) != NULL;
}

static const uint64_t one_running = (uint64_t)1 << 32 | 1;

/* Count one more core as held, unless that many are. */
static bool count_in(struct filch_pool *pool, unsigned limit)
{
    /* relaxed: checked by the exchange; that it refuses is right after its callers' fences */
    uint64_t running = atomic_load_explicit(&pool->running, memory_order_relaxed);
    do {
        if ((uint32_t)running >= limit) {
            return false;
        }
        /* seq_cst: against releasers, see filch_core_release_guest */
    } while (!atomic_compare_exchange_weak_explicit(&pool->running, &running, running + one_running,
                                                    memory_order_seq_cst, memory_order_relaxed));
    return true;
}

static void count_out(struct filch_pool *pool)
{
    /* seq_cst: before the look at all sources by which the thread that leaves, or the one that
     * finds no core, goes on */
    uint64_t running = atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst);
    FILCH_ASSERT((uint32_t)running > 0);
    /* acquire: pairs with the release in filch_poller_of */
    struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
    if (FILCH_UNLIKELY(poller != NULL)) {
        pool->poller_calls->wake(poller); /* we look for answers no more */
    }
    filch_pool_core_freed(pool);
}

static void stay_on_processor(struct filch_thread *thread)
{
    const struct filch_topology *places = &thread->core->pool->topology;
    unsigned wanted = thread->core->index + 1;
    if (places->count && thread->processor != wanted) {
        thread->processor = wanted;
        filch_os_bind(places->numbers[(wanted - 1) % places->count]);
    }
}

/* While we are counted without a core, a thread that lets go of one may see no idle core and wake
 * none. So we give up only when all cores are held that could be made: their holders look again. */
bool filch_core_acquire(struct filch_pool *pool, struct filch_thread *thread)
{
    unsigned limit = pool->config.workers;
    while (count_in(pool, limit)) {
        if (claim_below(pool, thread, limit)) {
            filch_core_trace(thread->core, FILCH_TRACE_HOLD, 0, NULL, thread->parker.thread);
            if (pool->config.bind) {
                stay_on_processor(thread);
            }
            return true;
        }
        count_out(pool);
        unsigned made = filch_core_count(pool);
        limit = made < pool->config.workers ? made : pool->config.workers;
    }
    return false;
}

bool filch_core_acquire_guest(struct filch_pool *pool, struct filch_thread *thread)
{
    atomic_fetch_add_explicit(&pool->running, one_running, memory_order_seq_cst);
    if (claim_below(pool, thread, pool->core_limit)) {
        filch_core_trace(thread->core, FILCH_TRACE_HOLD, 1, NULL, thread->parker.thread);
        return true;
    }
    count_out(pool);
    atomic_thread_fence(memory_order_seq_cst); /* as in filch_core_release_guest */
    filch_pool_pass_on(pool);
    return false;
}

void filch_core_release(struct filch_thread *thread)
{
    struct filch_core *core = thread->core;
    FILCH_ASSERT(filch_core_is_own(core));
    filch_core_queue_next(core); /* it would be overlooked; all that let go of a core look again */
    filch_core_trace(core, FILCH_TRACE_FREE, 0, NULL, 0);
    thread->core = NULL;
    /* release: pairs with the acquire in claim */
    atomic_store_explicit(&core->holder, (struct filch_thread *)NULL, memory_order_release);
    count_out(core->pool);
}

/* Fibers that are ready on a core which none holds are found by those that have nothing else: where
 * there is always something, never. All look into the pool's queue by turns. */
static void leave_ready_to_all(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    struct filch_work *work;
    filch_core_queue_next(core);
    while ((work = filch_queue_pop(&core->ready))) {
        filch_queue_push(&core->pool->ready, work);
    }
}

void filch_core_release_guest(struct filch_pool *pool, struct filch_thread *thread)
{
    if (!thread->core) {
        return;
    }
    filch_core_leave(thread->core);
    leave_ready_to_all(thread->core);
    filch_core_release(thread);
    /* A thread that found no free core went to sleep over work that it saw. It announced itself,
     * fenced and looked at the cores; we let go, fence and look at the work: one of us acts. */
    atomic_thread_fence(memory_order_seq_cst);
    filch_pool_pass_on(pool);
    filch_pool_appoint_monitor(pool, 0); /* those that go on may have latent work for our core */
}

void filch_core_end_rest(struct filch_core *core)
{
    if (core->resting) {
        filch_stacks_put(&core->pool->stacks, &core->shelf, &core->resting->stack);
        core->resting = NULL;
    }
}

void filch_core_clear_idle(struct filch_core *core, struct filch_thread *thread)
{
    struct filch_core *own = thread->core;
    if (claim(core, thread)) { /* those that look for a free core meanwhile look again */
        filch_core_end_rest(core);
        filch_stacks_clear(&core->pool->stacks, &core->shelf);
        /* release: pairs with the acquire in claim */
        atomic_store_explicit(&core->holder, (struct filch_thread *)NULL, memory_order_release);
        thread->core = own;
    }
}

void filch_core_give_spares(struct filch_pool *pool)
{
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        if (core->spare) {
            filch_stacks_put_bare(&pool->stacks, core->spare);
            core->spare = NULL;
        }
        filch_core_end_rest(core);
        filch_stacks_clear(&pool->stacks, &core->shelf);
    }
}

void filch_core_start(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    struct filch_pool *pool = core->pool;
    if (pool->config.hooks && !core->started) {
        core->started = true;
        pool->config.start(pool, core->index + 1);
    }
}

void filch_core_finish_all(struct filch_pool *pool)
{
    unsigned count = pool->config.hooks ? filch_core_count(pool) : 0;
    for (unsigned i = 0; i < count; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        if (core->started) {
            core->started = false;
            pool->config.finish(pool, core->index + 1);
        }
    }
}

void filch_core_begin(struct filch_fiber *fiber)
{
    if (fiber->pool->config.workers > 1) {
        filch_lane_poison(&fiber->lane);
    } else {
        filch_lane_settle(&fiber->lane);
    }
}

bool filch_core_is_brief(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    uint64_t now = filch_os_ticks();
    core->briefs = now - core->begun < BRIEF ? core->briefs + 1 : 0;
    core->begun = now;
    return core->briefs >= BRIEFS;
}

void filch_core_enter(struct filch_core *core, struct filch_fiber *fiber)
{
    if (!core) {
        return;
    }
    FILCH_ASSERT(filch_core_is_own(core) && fiber->pool == core->pool);
    filch_core_trace(core, FILCH_TRACE_ENTER, 0, NULL, filch_trace_name_of(fiber));
    filch_core_trace_forks(core, &fiber->lane);
    filch_core_begin(fiber);
    /* release: pairs with the acquire in ask; the lane is initialised */
    atomic_store_explicit(&core->lane, &fiber->lane, memory_order_release);
}

void filch_core_leave(struct filch_core *core)
{
    if (core) {
        /* relaxed: a late poison meets a lane that is still mapped, and means nothing */
        atomic_store_explicit(&core->lane, (filch_lane *)NULL, memory_order_relaxed);
    }
}
