/* pool: the cores, what they share, and the threads that work on them.
 *
 * A pool of N workers has N cores (slots to run on) and up to N + 1 threads of its own, made when
 * first needed: N can run, one can watch. A program's own thread that enters the pool takes a
 * free core, or a spare one when all are held. */
#ifndef FILCH_POOL_H
#define FILCH_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <threads.h>

#include <filch/status.h>

#include "base/base.h"
#include "base/list.h"
#include "base/private.h"
#include "os/topology.h"
#include "sched/call_site.h"
#include "sched/crowd.h"
#include "sched/handoff.h"
#include "sleep/park.h"
#include "sleep/timer.h"
#include "sleep/wait.h"
#include "stack/stack.h"
#include "work/queue.h"

struct filch_core;
struct filch_hooks;
struct filch_poller;
struct filch_pool;
struct filch_thread;

enum {
    FILCH_POOL_WORKERS_MAX = 1024,
    FILCH_POOL_PERMITS_MAX = 4096,
    FILCH_POOL_SPARES = 64, /* cores for the program's own threads beyond the pool's; when they
                               are used up too, such a thread runs its region serially */
};

/* The value of `outside` when nothing is. Tasks may begin inside and end outside, or the other way:
 * the count of either place may be below zero, only their sum never is. */
static const uint64_t filch_outside_none = (uint64_t)1 << 62;

enum filch_pool_state { FILCH_POOL_RUNNING, FILCH_POOL_CLOSED, FILCH_POOL_TERMINATED };

struct filch_pool_config {
    unsigned workers;     /* 1 .. FILCH_POOL_WORKERS_MAX */
    bool chosen, check;   /* the user named that number; look for the program's mistakes */
    size_t stack_bytes;   /* at least filch_stack_minimum(); 0: see filch_stacks_init() */
    bool report_overflow; /* overflow.h */
    bool bind;            /* threads stay on the processor of the core they hold */
    unsigned permits;     /* fibers that may keep their threads at a time (handoff.h) */

    /* What is done when a worker starts and finishes; from api/pool/hooks.c, NULL: nothing. */
    struct filch_hooks *hooks;
    void (*start)(struct filch_pool *pool, unsigned worker);
    void (*finish)(struct filch_pool *pool, unsigned worker);
};

struct filch_pool {
    /* constant after open */
    struct filch_pool_config config;
    struct filch_topology topology; /* none, if the threads are not bound */
    unsigned core_limit;            /* workers + spares: the length of cores */
    unsigned searchers_max;
    bool crowded;    /* more workers than processors */
    uint32_t token;  /* of the process that opened it */
    uint32_t number; /* of the pools of this process, from 1 */

    /* Read at every publication, written when threads come and go. */
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_park park;
    FILCH_ALIGNED(FILCH_CACHE_LINE)
    _Atomic(uint64_t) running;    /* low half: cores held; high half: how often one was taken */
    _Atomic(uint32_t) searching;  /* threads that look for work with a core in hand */
    _Atomic(uint32_t) waking;     /* a wake-up is under way: no second one is needed */
    _Atomic(bool) starving;       /* there is no stack to begin anything on, starve.c */
    _Atomic(uint32_t) core_count; /* cores made so far */
    _Atomic(uint32_t) givers;     /* bound fibers that give a turn away, see suspend.c */
    _Atomic(uint32_t) turns;      /* turns that were taken while there were some */
    _Atomic(struct filch_thread *) monitor;
    _Atomic(uint64_t) monitor_until_ns; /* the monitor sleeps no longer than this */
    _Atomic(bool) ticking;              /* the monitor: it looks soon anyway */
    _Atomic(uint64_t) tick_ns;          /* the monitor */
    _Atomic(uint64_t) fade_ns;          /* the monitor: its last sleep while the pool was idle */
    _Atomic(uint64_t) monitor_epoch;    /* the monitor: `running` when it looked last */

    /* Written by outsiders: what a task needs that comes from there is on one line. */
    FILCH_ALIGNED(FILCH_CACHE_LINE)
    _Atomic(uint64_t) outside; /* regions and tasks from outside, biased; top bit: closed */
    _Atomic(int) state;
    _Atomic(bool) stopping;
    _Atomic(bool) broken;      /* a worker could not start */
    _Atomic(uint32_t) ends;    /* counts what waiters for the pool to fall quiet must see */
    struct filch_queue inject; /* tasks */
    FILCH_ALIGNED(FILCH_CACHE_LINE)
    struct filch_queue ready;      /* fibers that outsiders made ready */
    struct filch_queue background; /* what can wait until nothing else is to be done */

    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_timers timers;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_stacks stacks;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_call_sites call_sites;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_crowding crowding;

    _Atomic(struct filch_poller *) poller; /* lock to write; NULL: none waited for descriptors */
    const struct filch_poller_calls *poller_calls; /* written with `poller`, see answers.h */

    struct filch_permits permits;

    struct filch_lock pending_lock;
    struct filch_list pending; /* pending_lock; of struct filch_pending */
    bool refuses_pending;      /* pending_lock: terminated */

    struct filch_pool *next_pool; /* pools_lock of the process object */

    struct filch_lock lock;                  /* making cores and threads, joining */
    _Atomic(unsigned) thread_count;          /* lock; without it a hint */
    _Atomic(struct filch_thread *) starting; /* lock; the last of them, if it has not begun yet */
    _Atomic(uint64_t) ask_again_ns;        /* lock; a thread was refused: not before; 0: none was */
    uint64_t ask_pause_ns;                 /* lock; how long that was the last time; 0: granted */
    thrd_t *threads;                       /* lock; workers + permits + 1 of them */
    _Atomic(struct filch_core *) cores[1]; /* core_limit of them; lock to make one */
};

_Static_assert(offsetof(struct filch_pool, park) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_pool, config) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_pool, running) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_pool, outside) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_pool, inject) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_pool, ready) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_pool, ready) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_pool, timers) / FILCH_CACHE_LINE,
               "what different threads write lies on different lines");
_Static_assert((offsetof(struct filch_pool, ready) - 1) / FILCH_CACHE_LINE ==
                   offsetof(struct filch_pool, outside) / FILCH_CACHE_LINE,
               "a task from outside costs its submitter one line");

/* Accept some: the pool is not quiet until its task has ended. Errors: as filch_pool_submit(). */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_accept(struct filch_pool *pool);

/* It can run now. */
FILCH_PRIVATE void filch_pool_submit_accepted(struct filch_pool *pool, struct filch_detached *task);

/* Errors: FILCH_ENOMEM. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_pool_create(const struct filch_pool_config *config, struct filch_pool **out);

/* Free a pool whose threads have ended (or never were). Takes NULL. */
FILCH_PRIVATE void filch_pool_destroy(struct filch_pool *pool);

/* Refuse new work from now on. `state` only ever rises. */
FILCH_PRIVATE void filch_pool_refuse(struct filch_pool *pool, enum filch_pool_state state);

/* Wait until nothing is left to do, then end the threads. The pool refuses new work. */
FILCH_PRIVATE void filch_pool_drain(struct filch_pool *pool);

/* Submit work. FILCH_ECLOSED; FILCH_EFORKED; FILCH_EAGAIN: no thread to run it can be made. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_submit(struct filch_pool *pool,
                                                              struct filch_detached *task);

/* The same for a task that comes after all others. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status
filch_pool_submit_background(struct filch_pool *pool, struct filch_detached *task);

/* From outside: put fibers that are ready, a chain as for filch_queue_push_all(), where any of the
 * pool's threads finds them, and see that one comes. */
FILCH_PRIVATE void filch_pool_resume(struct filch_pool *pool, struct filch_work *first,
                                     struct filch_work *last, size_t count);

/* Take a task back that was submitted, if it is one of the next in line among those from outside,
 * and not the one that a thread has been woken for. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_pool_withdraw(struct filch_pool *pool,
                                                        struct filch_detached *task);

/* The holder of a core accepts a task. Each accepted task reports its end once, from wherever it
 * ended. */
FILCH_PRIVATE void filch_pool_task_begun(struct filch_core *core);
FILCH_PRIVATE void filch_pool_task_ended(struct filch_pool *pool);

/* Count a region of an outside thread in and out. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_admit(struct filch_pool *pool);
FILCH_PRIVATE void filch_pool_dismiss(struct filch_pool *pool);

/* Count a caller in that knows that the pool is not quiet yet, even if it is closed. */
FILCH_PRIVATE void filch_pool_hold(struct filch_pool *pool);

/* A core is held no longer: what waits for the pool to fall quiet must know. */
FILCH_PRIVATE void filch_pool_core_freed(struct filch_pool *pool);

/* Wait until no core is held and nothing is left to do. */
FILCH_PRIVATE void filch_pool_await_quiet(struct filch_pool *pool);

/* The core of this pool that the caller holds, or NULL. */
FILCH_PRIVATE struct filch_core *filch_pool_own_core(struct filch_pool *pool);

/* FILCH_OK, FILCH_ECLOSED, FILCH_EBROKEN or FILCH_EFORKED. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_pool_check(struct filch_pool *pool);

/* `status`, unless the pool is broken, which explains it: FILCH_EBROKEN. */
FILCH_PRIVATE filch_status filch_pool_ended_as(struct filch_pool *pool, filch_status status);

/* From inside: more of what the pool has accepted already, also when it accepts no more. */
FILCH_PRIVATE void filch_pool_continue(struct filch_pool *pool, struct filch_detached *task);

/* Terminate it: what is accepted but has not come is cancelled, and waits end. */
FILCH_PRIVATE void filch_pool_terminate_now(struct filch_pool *pool);

/* For a fiber of the pool, registered for what it waits for and not yet armed: if the pool was
 * terminated its wait ends here, too late to be found. */
FILCH_PRIVATE void filch_pool_end_late_wait(struct filch_pool *pool, struct filch_waiter *waiter);

FILCH_PRIVATE enum filch_pool_state filch_pool_state(struct filch_pool *pool);
/* How many cores are held. */
FILCH_PRIVATE unsigned filch_pool_running(struct filch_pool *pool);

static inline bool filch_pool_has_idle(struct filch_pool *pool)
{
    return filch_pool_running(pool) < pool->config.workers;
}

/* Guests took spare cores: the pool's threads make room at their next pick. */
static inline bool filch_pool_overcrowded(struct filch_pool *pool)
{
    return filch_pool_running(pool) > pool->config.workers;
}

#endif
