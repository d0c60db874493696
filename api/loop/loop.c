/* Maps and loops as users call them. */
#include <filch/kind.h>
#include <filch/loop.h>

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/task_future.h"
#include "loop/loop_run.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "sched/fiber.h"
#include "sched/pool.h"

static void run_loop(void *context)
{
    filch_loop_run_here(context);
}

FILCH_APART static filch_status enter_as_told(struct filch_loop *loop, filch_pool *pool,
                                              void (*function)(void *context), void *context)
{
    const filch_options *options = filch_options_of(pool);
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status != FILCH_OK) {
        return status;
    }
    filch_options_check(options, pool, FILCH_USES_IN_LOOP, loop->body->info);
    return loop->n == 0 ? filch_pool_check(pool)
                        : filch_call_in_time(pool, options, function, context, loop->frame.fault,
                                             loop->body->info);
}

filch_status filch_loop_enter(struct filch_loop *loop, filch_pool *pool,
                              void (*function)(void *context), void *context)
{
    if (FILCH_UNLIKELY(filch_options_of(pool) != NULL)) {
        return enter_as_told(loop, pool, function, context);
    }
    filch_status status = filch_pool_resolve(pool, &pool);
    if (status == FILCH_OK && loop->n == 0) {
        return filch_pool_check(pool);
    }
    return status == FILCH_OK
               ? filch_region_call(pool, function, context, loop->frame.fault, loop->body->info)
               : status;
}

static filch_status map_now(filch_pool *pool, const filch_body *body, const void *environment,
                            size_t n, bool chained)
{
    const filch_options *options = filch_options_of(pool);
    struct filch_loop loop;
    struct filch_fault fault;
    filch_status status = filch_loop_init(&loop, body, environment, n, options, &fault);
    loop.chained = chained;
    if (status == FILCH_OK) {
        status = filch_loop_enter(&loop, pool, run_loop, &loop);
    }
    if (status == FILCH_OK) {
        status = filch_loop_result(&loop, filch_options_error(options));
    }
    return filch_options_end(options, status);
}

filch_status filch_map(filch_pool *pool, const filch_body *body, const void *environment, size_t n)
{
    return map_now(pool, body, environment, n, false);
}

filch_status filch_map_chained(filch_pool *pool, const filch_body *body, const void *environment,
                               size_t n)
{
    return map_now(pool, body, environment, n, true);
}

/* What an asynchronous map keeps in its future. */
struct later {
    struct filch_loop loop;
    FILCH_ALIGNED(16) unsigned char environment[];
};

static void run_later(struct filch_future *future)
{
    struct later *later = (struct later *)(void *)future->payload;
    if (later->loop.n) {
        filch_loop_run_here(&later->loop);
        future->fault.error.status = filch_loop_result(&later->loop, NULL);
    }
}

static const struct filch_future_kind later_kind = {.run = run_later};

filch_status filch_map_async(filch_pool *pool, const filch_body *body, const void *environment,
                             size_t n, filch_future **future)
{
    const filch_options *options = filch_options_of(pool);
    struct filch_loop loop;
    struct filch_fault unused;
    if (future) {
        *future = NULL;
    }
    filch_status status = filch_loop_init(&loop, body, environment, n, options, &unused);
    if (status == FILCH_OK) {
        status = filch_pool_resolve(pool, &pool);
    }
    if (status != FILCH_OK) {
        return status;
    }
    struct filch_future *made =
        filch_future_new_at(sizeof(struct later) + body->environment_bytes,
                            filch_alignment_for(body->environment_bytes),
                            offsetof(struct later, environment), &later_kind, body->info);
    if (!made) {
        return FILCH_ENOMEM;
    }
    struct later *later = (struct later *)(void *)made->payload;
    if (body->environment_bytes) {
        memcpy(later->environment, environment, body->environment_bytes);
    }
    status = filch_loop_init(&later->loop, body, later->environment, n, options, &made->fault);
    FILCH_ASSERT(status == FILCH_OK); /* as above */
    filch_options_check(options, pool, FILCH_USES_IN_LATER_LOOP, body->info);
    return filch_future_submit(made, pool, options, future);
}

struct plain_for {
    void (*body)(size_t i, void *environment);
    void *environment;
};

static void plain_block(const void *environment, filch_range *range)
{
    const struct plain_for *plain = environment;
    for (size_t i = (size_t)range->next; i < range->stop; i++) {
        range->next = i + 1;
        plain->body(i, plain->environment);
    }
}

static const filch_function_info plain_info = {
    "parallel_for",  "",  __FILE__, __LINE__, sizeof(struct plain_for), FILCH_TYPE_NONE,
    FILCH_TYPE_NONE, NULL};
static const filch_body plain_body = {plain_block, sizeof(struct plain_for), 0, &plain_info};

filch_status filch_parallel_for(filch_pool *pool, size_t n,
                                void (*body)(size_t i, void *environment), void *environment)
{
    struct plain_for plain = {body, environment};
    return filch_map(pool, body ? &plain_body : NULL, &plain, n);
}
