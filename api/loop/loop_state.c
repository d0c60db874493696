/* What is known of a loop while it runs and after: its limits, its errors, how far it is. */
#include "base/assert.h"
#include "base/base.h"
#include "loop/loop_range.h"
#include "loop/loop_run.h"
#include "sched/cancel.h"
#include "sched/pool.h"

void filch_loop_lower(struct filch_loop *loop, size_t limit)
{
    /* relaxed, both: only the number matters, and it may be seen late */
    size_t old = atomic_load_explicit(&loop->limit, memory_order_relaxed);
    while (limit < old &&
           !atomic_compare_exchange_weak_explicit(&loop->limit, &old, limit, memory_order_relaxed,
                                                  memory_order_relaxed)) {
    }
}

void filch_loop_halt(struct filch_loop *loop, filch_status why)
{
    /* relaxed: read when all ranges are done */
    atomic_store_explicit(&loop->halted, (int)why, memory_order_relaxed);
    filch_loop_lower(loop, 0);
}

void filch_loop_check(struct filch_loop *loop, struct filch_pool *pool)
{
    if (filch_pool_state(pool) == FILCH_POOL_TERMINATED ||
        filch_cancel_scope_is_cancelled(loop->frame.scope)) {
        filch_loop_halt(loop, filch_pool_ended_as(pool, FILCH_ECANCELED));
    }
}

void filch_ranges_done(struct filch_loop *loop, size_t count)
{
    /* acq_rel: the last to count down has seen all others' elements, and so does the root */
    size_t unfinished = atomic_fetch_sub_explicit(&loop->unfinished, count, memory_order_acq_rel);
    FILCH_ASSERT(unfinished >= count);
    if (unfinished == count) {
        filch_latch_open(&loop->done);
    }
}

static void element_failed(struct filch_fault_listener *listener, size_t index, filch_item item,
                           unsigned long long *stop)
{
    struct filch_loop *loop = FILCH_CONTAINER(listener, struct filch_loop, listener);
    if (loop->items && index < loop->n) {
        FILCH_ASSERT(loop->items[index].status == FILCH_ECANCELED ||
                     loop->items[index].status == FILCH_ERAISED);
        loop->items[index] = item; /* its worker's alone */
    }
    if (loop->policy == FILCH_FAIL_FAST) {
        filch_loop_lower(loop, 0);
        /* If the element has waited its range was given away, and thieves read it: then it ends
         * here as it is. */
        if (stop && *stop > index + 1) {
            *stop = 0;
        }
    }
}

void filch_loop_ended(struct filch_loop *loop, unsigned long long first, unsigned long long next)
{
    FILCH_ASSERT(first <= next);
    for (unsigned long long i = first; loop->items && i < next; i++) {
        if (loop->items[i].status == FILCH_ECANCELED && loop->items[i].code == 0) {
            loop->items[i].status = FILCH_OK;
        }
    }
    if (loop->progress.hook) {
        filch_progress_step(&loop->progress, (size_t)(next - first));
    }
}

filch_status filch_loop_result(const struct filch_loop *loop, filch_error *error)
{
    filch_status status = filch_fault_result(loop->frame.fault, error);
    if (status == FILCH_OK) {
        /* relaxed: no element runs any more */
        status = (filch_status)atomic_load_explicit(&loop->halted, memory_order_relaxed);
    }
    if (error) {
        error->status = status;
    }
    return status;
}

static bool loop_is_valid(const filch_body *body, const void *environment,
                          const filch_options *options)
{
    return body && body->block && (environment || !body->environment_bytes) &&
           (!options || ((options->policy == FILCH_RUN_ALL || options->policy == FILCH_FAIL_FAST) &&
                         options->chunksize.size >= 0));
}

filch_status filch_loop_init(struct filch_loop *loop, const filch_body *body,
                             const void *environment, size_t n, const filch_options *options,
                             struct filch_fault *fault)
{
    size_t bytes;
    if (!loop_is_valid(body, environment, options)) {
        return FILCH_EINVAL;
    }
    if (!filch_multiply(n, body->element_bytes, &bytes)) {
        return FILCH_EOVERFLOW;
    }
    /* Field by field, as much as is looked at: to clear it takes a tenth of a short call. */
    loop->frame.parent = NULL;
    loop->frame.fault = fault;
    loop->frame.info = body->info;
    loop->frame.next = NULL;
    loop->body = body;
    loop->environment = environment;
    loop->n = n;
    loop->chunk = 0;
    loop->python = false;
    loop->grouped = false;
    loop->chained = false;
    loop->policy = FILCH_RUN_ALL;
    loop->items = NULL;
    loop->progress.hook = NULL;
    atomic_init(&loop->unfinished, 1);
    atomic_init(&loop->waiting, 0);
    atomic_init(&loop->limit, SIZE_MAX);
    atomic_init(&loop->halted, FILCH_OK);
    filch_latch_init(&loop->done);
    filch_fault_init(fault);
    if (options) {
        loop->chunk = (size_t)options->chunksize.size;
        loop->python = options->chunksize.python;
        loop->policy = options->policy;
        loop->items = options->items;
        filch_progress_begin(&loop->progress, options, n);
        loop->listener.failed = element_failed;
        fault->listener = loop->items || loop->policy == FILCH_FAIL_FAST ? &loop->listener : NULL;
    }
    return FILCH_OK;
}

/* Elements by four times the workers, rounded up. */
static size_t python_chunk(size_t n, unsigned workers)
{
    size_t chunk = n / ((size_t)workers * 4);
    return chunk + (n % ((size_t)workers * 4) != 0);
}

void filch_loop_prepare(struct filch_loop *loop, struct filch_pool *pool)
{
    loop->pool = pool;
    if (loop->python) {
        loop->chunk = python_chunk(loop->n, pool->config.workers);
    }
    loop->gang = loop->chunk && !loop->grouped && pool->config.chosen && pool->config.workers > 1;
    for (size_t i = 0; loop->items && i < loop->n; i++) {
        loop->items[i] = (filch_item){FILCH_ECANCELED, 0};
    }
    if (loop->progress.hook) {
        loop->progress.hook(loop->progress.context, 0, loop->n);
    }
}
