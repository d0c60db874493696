/* Opening, closing and asking about pools. */
#include <filch/pool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "debug/deadlock.h"
#include "os/cpu.h"
#include "os/log.h"
#include "os/os.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "pool/hooks.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/region.h"
#include "sched/threads.h"
#include "stack/context.h"
#include "stack/sanitize.h"
#include "stack/stack.h"
#include "trace/tracing.h"

enum { BLOCKING_DEFAULT = 64 };

static const size_t stack_max = (size_t)1 << 30;

static const char *const reasons[] = {[FILCH_CPU_AFFINITY] = "affinity mask",
                                      [FILCH_CPU_CGROUP_V1] = "cgroup v1 quota",
                                      [FILCH_CPU_CGROUP_V2] = "cgroup v2 quota"};

/* The number and its reason, found once per process. */
static struct filch_process *with_cpu_count(void)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    if (process->cpu_count == 0) {
        struct filch_cpu cpu = filch_cpu_detect("", filch_os_affinity_count());
        snprintf(process->cpu_reason, sizeof process->cpu_reason, "%u: %s", cpu.count,
                 reasons[cpu.reason]);
        process->cpu_count = cpu.count;
    }
    filch_lock_release(&process->lock);
    return process; /* both fields are constant from now on */
}

unsigned filch_cpu_count(void)
{
    return with_cpu_count()->cpu_count;
}

const char *filch_cpu_count_reason(void)
{
    return with_cpu_count()->cpu_reason;
}

size_t filch_stack_bytes_min(void)
{
    return filch_stack_minimum();
}

/* Once per process. */
static void warn_of_workers(const char *text)
{
    struct filch_process *process = filch_process();
    char message[160];
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    bool warned = process->warned;
    process->warned = true;
    filch_lock_release(&process->lock);
    if (!warned) {
        snprintf(message, sizeof message,
                 "FILCH_WORKERS=\"%.40s\" is not a number from 1 to %d: it is ignored\n", text,
                 FILCH_WORKERS_MAX);
        filch_log(FILCH_LOG_WARNING, message);
    }
}

/* FILCH_WORKERS, or 0 if it is not set or not a number in bounds. */
static unsigned workers_from_environment(void)
{
    const char *text = filch_os_getenv("FILCH_WORKERS");
    char *end;
    unsigned long workers = text && *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (workers > 0 && *end == '\0' && workers <= FILCH_WORKERS_MAX) {
        return (unsigned)workers;
    }
    if (text) {
        warn_of_workers(text);
    }
    return 0;
}

static unsigned default_workers(void)
{
    unsigned workers = workers_from_environment();
    if (workers == 0) {
        workers = filch_cpu_count();
    }
    return workers < FILCH_WORKERS_MAX ? workers : FILCH_WORKERS_MAX;
}

/* FILCH_CHECK: any text but "" and "0". */
static bool check_from_environment(void)
{
    const char *text = filch_os_getenv("FILCH_CHECK");
    return text && *text && strcmp(text, "0") != 0;
}

static filch_status resolve_options(const filch_pool_options *options,
                                    struct filch_pool_config *config)
{
    size_t stack_bytes = options ? options->stack_bytes : 0;
    unsigned processes = options ? options->processes : 0;
    if (processes > FILCH_WORKERS_MAX ||
        (options && options->blocking_threads > FILCH_BLOCKING_MAX) ||
        (stack_bytes && stack_bytes < filch_stack_minimum())) {
        return FILCH_EINVAL;
    }
    if (stack_bytes > stack_max) {
        return FILCH_ENOMEM;
    }
    config->workers = processes ? processes : default_workers();
    config->chosen = processes != 0;
    config->stack_bytes = stack_bytes;
    config->permits =
        options && options->blocking_threads ? options->blocking_threads : BLOCKING_DEFAULT;
    config->check = check_from_environment();
    config->bind = options && options->bind_workers;
    config->report_overflow = !FILCH_SANITIZES_STACKS && !(options && options->leave_sigsegv);
    return filch_hooks_new(options, config);
}

/* Said here rather than found out by a thread that hangs. */
static filch_status check_system(void)
{
    const char *call = filch_os_refused();
    call = call ? call : filch_context_refused();
    if (call) {
        char message[100];
        snprintf(message, sizeof message, "no pool: the system refuses %s\n", call);
        filch_log(FILCH_LOG_ERROR, message);
    }
    return call ? FILCH_ENOSYS : FILCH_OK;
}

filch_status filch_pool_open(const filch_pool_options *options, filch_pool **pool)
{
    struct filch_pool_config config = {.hooks = NULL};
    if (!pool) {
        return FILCH_EINVAL;
    }
    *pool = NULL;
    filch_tracing_begin();
    filch_status status = check_system();
    if (status == FILCH_OK) {
        status = resolve_options(options, &config);
    }
    if (status == FILCH_OK) {
        filch_deadlock_watch();
        status = filch_pool_create(&config, pool);
        if (status != FILCH_OK) {
            filch_hooks_free(config.hooks);
        }
    }
    if (status == FILCH_OK && options && options->eager_threads) {
        status = filch_pool_start_threads(*pool);
        if (status != FILCH_OK) {
            filch_pool_free(*pool);
            *pool = NULL;
        }
    }
    return status;
}

static filch_status check_owned(const filch_pool *pool)
{
    return !pool ? FILCH_EINVAL : filch_process_owns(pool->token) ? FILCH_OK : FILCH_EFORKED;
}

filch_status filch_pool_close(filch_pool *pool)
{
    pool = filch_pool_given(pool);
    filch_status status = check_owned(pool);
    if (status == FILCH_OK) {
        filch_pool_refuse(pool, FILCH_POOL_CLOSED);
    }
    return status;
}

filch_status filch_pool_terminate(filch_pool *pool)
{
    pool = filch_pool_given(pool);
    filch_status status = check_owned(pool);
    if (status == FILCH_OK) {
        filch_pool_terminate_now(pool);
    }
    return status;
}

static bool called_from_inside(const filch_pool *pool)
{
    struct filch_fiber *fiber = filch_fiber_self();
    return fiber && fiber->pool == pool;
}

filch_status filch_pool_join(filch_pool *pool)
{
    pool = filch_pool_given(pool);
    if (!pool) {
        return FILCH_EINVAL;
    }
    if (!filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    if (called_from_inside(pool)) {
        return FILCH_EDEADLK;
    }
    if (filch_pool_state(pool) == FILCH_POOL_RUNNING) {
        return FILCH_EBUSY;
    }
    filch_pool_drain(pool);
    return FILCH_OK;
}

static bool is_default(const filch_pool *pool)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    bool is = process->default_pool == pool;
    filch_lock_release(&process->lock);
    return is;
}

filch_status filch_pool_free(filch_pool *pool)
{
    pool = filch_pool_given(pool);
    if (!pool) {
        return FILCH_OK;
    }
    if (is_default(pool)) {
        return FILCH_EINVAL;
    }
    filch_status status = called_from_inside(pool) ? FILCH_EDEADLK : filch_pool_close(pool);
    if (status == FILCH_OK) {
        struct filch_hooks *hooks = pool->config.hooks;
        filch_pool_drain(pool);
        filch_pool_destroy(pool);
        filch_hooks_free(hooks);
    }
    return status;
}

/* What NULL stands for, if it was opened already: in the child of a fork() not the parent's. */
static const filch_pool *existing(const filch_pool *given)
{
    const filch_options *options = filch_options_of(given);
    const filch_pool *pool = options ? filch_pool_behind(options) : given;
    if (!pool) {
        struct filch_process *process = filch_process();
        filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
        pool = process->default_pool;
        filch_lock_release(&process->lock);
        pool = pool && filch_process_owns(pool->token) ? pool : NULL;
    }
    return pool;
}

unsigned filch_pool_workers(const filch_pool *pool)
{
    pool = existing(pool);
    return pool ? pool->config.workers : default_workers();
}

size_t filch_pool_stack_bytes(const filch_pool *pool)
{
    pool = existing(pool);
    return pool ? pool->stacks.stocks[0].bytes : filch_stack_default();
}

int filch_pool_repr(const filch_pool *pool, char *buffer, size_t bytes)
{
    static const char *const states[] = {"running", "closed", "terminated", "broken"};
    pool = existing(pool);
    if (!pool) {
        return snprintf(buffer, bytes, "<filch_pool state=unopened workers=%u>", default_workers());
    }
    /* relaxed, both: a glance */
    int state = atomic_load_explicit(&pool->state, memory_order_relaxed);
    state = atomic_load_explicit(&pool->broken, memory_order_relaxed) ? 3 : state;
    return snprintf(buffer, bytes, "<filch_pool state=%s workers=%u>", states[state],
                    pool->config.workers);
}

filch_status filch_pool_resolve(struct filch_pool *given, struct filch_pool **pool)
{
    struct filch_process *process = filch_process();
    filch_status status = FILCH_OK;
    *pool = filch_pool_given(given);
    if (*pool) {
        return FILCH_OK;
    }
    /* acquire: pairs with the release below; a fast look without the lock */
    *pool = atomic_load_explicit(&process->default_pool, memory_order_acquire);
    if (*pool && filch_process_owns((*pool)->token)) {
        return FILCH_OK;
    }
    filch_pool *fresh;
    status = filch_pool_open(NULL, &fresh);
    if (status != FILCH_OK) {
        return status;
    }
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    filch_pool *current = atomic_load_explicit(&process->default_pool, memory_order_relaxed);
    if (!current || !filch_process_owns(current->token)) {
        /* the parent's, if there was one, stays where it is: its threads are not here */
        atomic_store_explicit(&process->default_pool, fresh, memory_order_release);
        current = fresh;
    }
    filch_lock_release(&process->lock);
    if (current != fresh) {
        filch_pool_free(fresh); /* another thread was faster */
    }
    *pool = current;
    return FILCH_OK;
}

filch_pool *filch_pool_with(const filch_pool_options *options, filch_status *status)
{
    filch_pool *pool;
    filch_status opened = filch_pool_open(options, &pool);
    if (status) {
        *status = opened;
    }
    return pool;
}

void filch_pool_leave(filch_pool **pool)
{
    filch_pool_free(*pool);
}
