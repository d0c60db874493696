/* open: making pools and cores, and taking them apart. */
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "stack/overflow.h"

enum { DEQUE_CAPACITY = 64 };

struct filch_core *filch_core_new(struct filch_pool *pool, unsigned index)
{
    size_t bytes = (sizeof(struct filch_core) + FILCH_CACHE_LINE - 1) / FILCH_CACHE_LINE;
    struct filch_core *core = filch_aligned_alloc(FILCH_CACHE_LINE, bytes * FILCH_CACHE_LINE);
    if (!core) {
        return NULL;
    }
    memset(core, 0, sizeof *core);
    core->pool = pool;
    core->index = index;
    core->victim = (uint32_t)(filch_os_seed() >> 8);
    filch_queue_init(&core->ready);
    if (!filch_deque_init(&core->deque, DEQUE_CAPACITY, 0)) {
        filch_free(core);
        return NULL;
    }
    return core;
}

void filch_core_free(struct filch_core *core)
{
    if (core) {
        filch_deque_destroy(&core->deque);
        filch_free(core->seat.own);
        filch_free(core);
    }
}

static size_t pool_bytes(unsigned core_limit)
{
    size_t bytes =
        sizeof(struct filch_pool) + (core_limit - 1) * sizeof(_Atomic(struct filch_core *));
    return (bytes + FILCH_CACHE_LINE - 1) / FILCH_CACHE_LINE * FILCH_CACHE_LINE;
}

static unsigned searchers_for(const struct filch_pool_config *config, bool crowded)
{
    return crowded ? 1 : (config->workers + 1) / 2;
}

/* What the rooms below leave to the scheduler. */
static void serve_those_below(void)
{
    static const struct filch_wait_host wait_host = {filch_fibers_ready, filch_fiber_post};
    filch_wait_hosted_by(&wait_host);
    filch_tracer_hosted_by(&filch_core_trace_host);
#ifdef FILCH_ASSERTIONS
    filch_assert_hosted_by(filch_core_find_place);
#endif
}

filch_status filch_pool_create(const struct filch_pool_config *config, struct filch_pool **out)
{
    unsigned core_limit = config->workers + FILCH_POOL_SPARES;
    uint32_t token = filch_process_token();
    struct filch_pool *pool = filch_aligned_alloc(FILCH_CACHE_LINE, pool_bytes(core_limit));
    thrd_t *threads = filch_calloc(config->workers + config->permits + 1, sizeof *threads);
    struct filch_topology places = {NULL, 0};
    *out = NULL;
    if (!pool || !threads || !token || (config->bind && !filch_topology_find(&places, ""))) {
        filch_free(pool);
        filch_free(threads);
        filch_topology_forget(&places);
        return FILCH_ENOMEM;
    }
    serve_those_below();
    memset(pool, 0, pool_bytes(core_limit));
    pool->config = *config;
    pool->topology = places;
    pool->core_limit = core_limit;
    pool->crowded = config->workers > filch_os_affinity_count();
    pool->searchers_max = searchers_for(config, pool->crowded);
    pool->token = token;
    pool->threads = threads;
    atomic_init(&pool->outside, filch_outside_none);
    filch_park_init(&pool->park);
    filch_queue_init(&pool->ready);
    filch_queue_init(&pool->inject);
    filch_queue_init(&pool->background);
    filch_timers_init(&pool->timers);
    filch_stacks_init(&pool->stacks, config->stack_bytes);
    filch_crowding_init(&pool->crowding);
    filch_lock_init(&pool->lock);
    filch_lock_init(&pool->permits.lock);
    pool->permits.most = config->permits;
    filch_lock_init(&pool->pending_lock);
    if (config->report_overflow) {
        filch_overflow_install(filch_fiber_stack_here);
    }
    if (filch_os_space_is_limited() && !filch_stacks_reserve(&pool->stacks)) {
        filch_pool_destroy(pool); /* there is no stack for the first worker */
        return FILCH_ENOMEM;
    }
    filch_process_add_pool(pool);
    *out = pool;
    return FILCH_OK;
}

void filch_pool_destroy(struct filch_pool *pool)
{
    if (!pool) {
        return;
    }
    bool others = filch_process_remove_pool(pool);
    for (unsigned i = 0; i < pool->core_limit; i++) {
        /* relaxed: no other thread is left */
        filch_core_free(atomic_load_explicit(&pool->cores[i], memory_order_relaxed));
    }
    filch_stacks_destroy(&pool->stacks);
    filch_topology_forget(&pool->topology);
    filch_free(pool->threads);
    filch_free(pool);
    while (!others && filch_memory_trim(FILCH_MEMORY_IDLE)) { /* no monitor will */
    }
}
