/* wake: which thread is woken, and when. The other half, which sleep and how, is monitor.c.
 *
 * A publisher that sees an idle core and no searcher wakes one thread: a listed sleeper, else
 * the monitor, else a new thread. One wake-up is under way at a time, marked by `waking`;
 * publishers pass by while it is. The woken thread answers (filch_core_answer_wake), looks at
 * everything, and wakes the next if there is more than one piece to do.
 *
 * Source: Go's scheduler, whose wakep() and "spinning" threads are the same idea. */
#include <limits.h>

#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/starve.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/wake.h"

unsigned filch_pool_running(struct filch_pool *pool)
{
    /* seq_cst: sleepers and releasers decide by it, under the handshake of park.h */
    return (unsigned)(uint32_t)atomic_load_explicit(&pool->running, memory_order_seq_cst);
}

/* One that has a core goes on with what it was doing, and is to have help; others may be about to
 * sleep. */
static void rouse(struct filch_pool *pool, struct filch_parker *parker)
{
    struct filch_thread *waker = filch_thread_known();
    if (waker && waker->core && !pool->crowded) {
        filch_parker_unpark_apart(parker);
    } else {
        filch_parker_unpark(parker);
    }
}

bool filch_pool_wake_monitor(struct filch_pool *pool)
{
    /* seq_cst: pairs with claim_monitor, as sleepers do with filch_park_choose. Taking the name
     * away tells the monitor that it was chosen. */
    struct filch_thread *monitor =
        atomic_exchange_explicit(&pool->monitor, (struct filch_thread *)NULL, memory_order_seq_cst);
    if (monitor) {
        rouse(pool, &monitor->parker);
    }
    return monitor != NULL;
}

static bool any_asleep(struct filch_pool *pool)
{
    /* seq_cst: after the fence in the caller */
    return filch_park_sleepers(&pool->park) > 0 ||
           atomic_load_explicit(&pool->monitor, memory_order_seq_cst) != NULL;
}

static bool wake_sleeper(struct filch_pool *pool)
{
    struct filch_parker *sleeper = filch_park_choose(&pool->park);
    if (sleeper) {
        rouse(pool, sleeper);
    }
    return sleeper != NULL;
}

static void wake_one(struct filch_pool *pool, bool even_monitor)
{
    if (FILCH_UNLIKELY(filch_pool_is_starving(pool))) {
        filch_pool_wake_all(pool); /* some of them may have a stack */
        return;
    }
    /* seq_cst: pairs with filch_core_answer_wake; one that finds it set was seen by its setter */
    while (atomic_exchange_explicit(&pool->waking, 1, memory_order_seq_cst) == 0) {
        filch_reach_wakes(&pool->call_sites.reach, filch_os_ticks());
        if (wake_sleeper(pool) || (even_monitor && filch_pool_wake_monitor(pool)) ||
            filch_pool_make_thread(pool)) {
            filch_trace(FILCH_TRACE_WAKE, 0, NULL, 0);
            return;
        }
        filch_core_answer_wake(pool);
        /* A thread may have announced itself, and a publisher passed us by, while it was set. */
        even_monitor = even_monitor || filch_core_work_visible(pool);
        if (!even_monitor || !any_asleep(pool)) {
            return;
        }
    }
}

void filch_pool_wake_first(struct filch_pool *pool)
{
    wake_one(pool, false);
}

bool filch_pool_expects_thread(struct filch_pool *pool)
{
    return atomic_load_explicit(&pool->waking, memory_order_relaxed); /* relaxed: a guess */
}

void filch_pool_take_turn(struct filch_pool *pool)
{
    /* relaxed, both: see give_core in suspend.c */
    if (FILCH_UNLIKELY(atomic_load_explicit(&pool->givers, memory_order_relaxed))) {
        atomic_fetch_add_explicit(&pool->turns, 1, memory_order_relaxed);
        filch_os_wake(&pool->turns, INT_MAX);
    }
}

/* After the publisher's fence: will no thread look at what is published? */
static bool none_comes(struct filch_pool *pool)
{
    /* seq_cst, both: a searcher counts itself out, and a woken thread answers, before it looks
     * for the last time. While there are no stacks, a look may come to nothing. */
    return atomic_load_explicit(&pool->searching, memory_order_seq_cst) == 0 &&
           (atomic_load_explicit(&pool->waking, memory_order_seq_cst) == 0 ||
            filch_pool_is_starving(pool));
}

void filch_pool_wake(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, see park.h */
    if (filch_pool_has_idle(pool) && none_comes(pool)) {
        wake_one(pool, true);
    }
}

void filch_pool_pass_on(struct filch_pool *pool)
{
    if (filch_core_work_visible(pool)) {
        filch_pool_wake(pool);
    }
}

void filch_core_answer_wake(struct filch_pool *pool)
{
    /* seq_cst: pairs with the exchange in wake_one. The fence: what a publisher made visible
     * before it passed us by is seen when we look after this. */
    atomic_store_explicit(&pool->waking, 0, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
}

void filch_pool_poke_monitor(struct filch_pool *pool, uint64_t deadline_ns)
{
    /* seq_cst, both: see watch() in monitor.c. A late poke is stale. */
    struct filch_thread *monitor = atomic_load_explicit(&pool->monitor, memory_order_seq_cst);
    if (monitor &&
        atomic_load_explicit(&pool->monitor_until_ns, memory_order_seq_cst) > deadline_ns) {
        filch_parker_unpark(&monitor->parker);
    }
}

void filch_pool_call_monitor(struct filch_pool *pool)
{
    /* seq_cst, both: see watch() in monitor.c, as above */
    if (!atomic_load_explicit(&pool->ticking, memory_order_seq_cst)) {
        struct filch_thread *monitor = atomic_load_explicit(&pool->monitor, memory_order_seq_cst);
        if (monitor) {
            filch_parker_unpark(&monitor->parker);
        }
    }
}

bool filch_pool_must_call(struct filch_pool *pool)
{
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, see park.h */
    /* seq_cst: as in filch_pool_call_monitor */
    return filch_pool_has_idle(pool) ? none_comes(pool)
                                     : !atomic_load_explicit(&pool->ticking, memory_order_seq_cst);
}

void filch_pool_call(struct filch_pool *pool)
{
    filch_pool_wake(pool);
    if (!filch_pool_has_idle(pool)) {
        filch_pool_call_monitor(pool); /* which asks the busy ones for a turn */
    }
}

bool filch_pool_is_monitored(struct filch_pool *pool)
{
    /* seq_cst, all: the caller holds a core since before; see watch() in monitor.c. A searcher that
     * gives up becomes a monitor, or finds one. */
    return atomic_load_explicit(&pool->searching, memory_order_seq_cst) > 0 ||
           (atomic_load_explicit(&pool->monitor, memory_order_seq_cst) != NULL &&
            atomic_load_explicit(&pool->monitor_until_ns, memory_order_seq_cst) != FILCH_OS_NEVER);
}

bool filch_pool_looks_soon(struct filch_pool *pool)
{
    /* seq_cst, all: as above. While all cores are held, the first that is let go of has a thread
     * that looks. A monitor that has not said yet that it ticks will see that it must. */
    return !filch_pool_has_idle(pool) ||
           atomic_load_explicit(&pool->searching, memory_order_seq_cst) > 0 ||
           (atomic_load_explicit(&pool->monitor, memory_order_seq_cst) != NULL &&
            atomic_load_explicit(&pool->ticking, memory_order_seq_cst));
}

bool filch_pool_searches_on(struct filch_pool *pool, uint64_t until_ns)
{
    if (filch_pool_is_over(pool)) {
        return false;
    }
    return filch_os_now_ns() < until_ns ||
           (!pool->crowded && filch_pace_is_kept(&pool->call_sites.pace, filch_os_ticks()));
}

bool filch_pool_is_searched(struct filch_pool *pool)
{
    return atomic_load_explicit(&pool->searching, memory_order_relaxed) > 0; /* relaxed: a guess */
}

enum filch_help filch_pool_help_for(struct filch_pool *pool, uint64_t estimate)
{
    if (!filch_pool_is_monitored(pool) || !filch_reach_spares(&pool->call_sites.reach, estimate)) {
        return FILCH_HELP_ASK;
    }
    return estimate < FILCH_CALL_SITE_QUIET ? FILCH_HELP_LATE : FILCH_HELP_OFFER;
}

/* Timers may come due; or others run, which may have latent work, and could have help. We
 * ourselves need none: our lane was poisoned when we began. */
static bool worth_watching(struct filch_pool *pool, unsigned ours)
{
    return filch_timers_earliest(&pool->timers) != FILCH_OS_NEVER ||
           (filch_pool_running(pool) > ours && filch_pool_has_idle(pool));
}

void filch_pool_appoint_monitor(struct filch_pool *pool, unsigned ours)
{
    /* relaxed: asked again at each pick */
    if (atomic_load_explicit(&pool->monitor, memory_order_relaxed) == NULL &&
        worth_watching(pool, ours)) {
        wake_one(pool, false);
    }
}

void filch_pool_wake_all(struct filch_pool *pool)
{
    filch_park_wake_all(&pool->park);
    atomic_thread_fence(memory_order_seq_cst); /* the publisher's half, for the monitor */
    filch_pool_wake_monitor(pool);
}
