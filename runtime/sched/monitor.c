/* monitor: how a pool's thread sleeps, and what the one among the sleepers does that is the
 * monitor.
 *
 * The monitor sleeps with a time-out, so that timers fire although all cores are busy, and so that
 * running fibers are asked for latent work while a core is idle: after 50 us, then at doubling
 * intervals up to 1 ms. When no thread runs, its looks fade: after 1 ms, 4 ms, 16 ms, 64 ms and 256
 * ms, and then no more but for timers. So an idle pool uses no processor time, and a call that
 * comes soon after another may leave out the wake-up if it is short (call_site.h): should it turn
 * out to be long after all, the next look finds its work. */
#include "base/assert.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/ready.h"
#include "sched/starve.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sched/wake.h"

enum {
    TICK_MIN_NS = 25000, /* doubled before its first use */
    TICK_MAX_NS = 1000000,
    AGAIN_NS = 10000, /* from a look at what waits quietly to the second */
    FADE_MIN_NS = 1000000,
    FADE_MAX_NS = 256000000,
    FADE_FACTOR = 4,
    SURPLUS_NS = 1000000000, /* a thread too many ends when it has been idle that long */
    STUCK_NS = 64000000,     /* a look that long after the last shows no core held: a deadlock? */
    REST_NS = 16000000,      /* memory is given back from that look on: not between two bursts */
    GIVE_NS = 4000000,       /* between two looks while there is memory to give back */
};

static bool stopping(struct filch_pool *pool)
{
    /* seq_cst: set before the sleepers are woken; read between announcement and sleep */
    return atomic_load_explicit(&pool->stopping, memory_order_seq_cst);
}

static bool anything_new(struct filch_pool *pool)
{
    return !filch_queue_empty(&pool->inject) || !filch_queue_empty(&pool->background) ||
           filch_crowd_is_let_go(pool);
}

static bool anything_new_on(struct filch_core *core)
{
    return filch_deque_count(&core->deque) > 0 || filch_core_late_offer(core) ||
           filch_core_is_seizable(core);
}

enum seen { READY_ONLY, ALL };

static bool sees(struct filch_pool *pool, enum seen seen)
{
    if (!filch_queue_empty(&pool->ready) || (seen == ALL && anything_new(pool))) {
        return true;
    }
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        if (filch_core_is_behind(core) || (seen == ALL && anything_new_on(core))) {
            return true;
        }
    }
    uint64_t earliest = filch_timers_earliest(&pool->timers);
    return earliest != FILCH_OS_NEVER && earliest <= filch_os_now_ns();
}

bool filch_core_work_visible(struct filch_pool *pool)
{
    return sees(pool, filch_pool_is_starving(pool) ? READY_ONLY : ALL);
}

/* The same for a thread, which may have a stack to begin something on. */
static bool work_visible_to(struct filch_pool *pool, struct filch_thread *thread)
{
    return thread->fiber ? sees(pool, ALL) : filch_core_work_visible(pool);
}

void filch_core_fire_timers(struct filch_pool *pool)
{
    if (filch_timers_earliest(&pool->timers) != FILCH_OS_NEVER) {
        filch_timers_fire(&pool->timers, filch_os_now_ns());
    }
}

static void ask(struct filch_core *core)
{
    /* acquire: pairs with the release in filch_core_enter */
    filch_lane *lane = atomic_load_explicit(&core->lane, memory_order_acquire);
    if (lane && filch_deque_count(&core->deque) == 0 && !filch_core_is_quiet(core)) {
        filch_lane_poison(lane);
    }
}

void filch_core_demand(struct filch_pool *pool)
{
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        ask(filch_core_at(pool, i));
    }
}

/* Something to do, or to wait for with a core in hand. */
static bool is_wanted(struct filch_pool *pool, struct filch_thread *thread)
{
    return work_visible_to(pool, thread) || filch_pace_is_called(&pool->call_sites.pace);
}

/* Something to do, and a core to do it on; or the end. */
static bool can_run(struct filch_pool *pool, struct filch_thread *thread)
{
    return stopping(pool) || (is_wanted(pool, thread) && filch_core_acquire(pool, thread));
}

static bool claim_monitor(struct filch_pool *pool, struct filch_thread *thread)
{
    struct filch_thread *none = NULL;
    /* seq_cst: an announcement, see park.h; the fence follows in monitor_once */
    return atomic_compare_exchange_strong_explicit(&pool->monitor, &none, thread,
                                                   memory_order_seq_cst, memory_order_relaxed);
}

/* A waker chose us, and we are awake. */
static void come(struct filch_pool *pool)
{
    filch_reach_comes(&pool->call_sites.reach, filch_os_ticks());
    filch_core_answer_wake(pool);
}

/* Whether a waker chose us is known by the exchange alone: one that takes the name away between
 * two looks at it would get no answer, and no wake-up would ever be begun again. */
static void resign_monitor(struct filch_pool *pool, struct filch_thread *thread)
{
    struct filch_thread *me = thread;
    /* seq_cst: as in claim_monitor */
    if (!atomic_compare_exchange_strong_explicit(&pool->monitor, &me, NULL, memory_order_seq_cst,
                                                 memory_order_relaxed)) {
        come(pool);
    }
}

static bool a_fiber_wants_a_turn(struct filch_pool *pool)
{
    return !filch_pool_has_idle(pool) &&
           (!filch_queue_empty(&pool->ready) || !filch_queue_empty(&pool->inject));
}

/* A core is idle while others may have latent work, or work waits while all are busy. */
static bool must_tick(struct filch_pool *pool)
{
    return (filch_pool_running(pool) > 0 && filch_pool_has_idle(pool)) ||
           a_fiber_wants_a_turn(pool);
}

static uint64_t next_tick_ns(struct filch_pool *pool)
{
    /* relaxed, all: only the monitor of the moment; a value of the one before it will do */
    uint64_t tick_ns = atomic_load_explicit(&pool->tick_ns, memory_order_relaxed);
    uint64_t next_ns = tick_ns * 2 < TICK_MAX_NS ? tick_ns * 2 : TICK_MAX_NS;
    atomic_store_explicit(&pool->tick_ns, next_ns, memory_order_relaxed);
    return next_ns;
}

/* The next of the fading looks at an idle pool, from anew if it was not idle since the last. */
static uint64_t next_fade_ns(struct filch_pool *pool)
{
    /* relaxed, all: as in next_tick_ns */
    uint64_t epoch = atomic_load_explicit(&pool->running, memory_order_relaxed);
    bool idle = epoch == atomic_load_explicit(&pool->monitor_epoch, memory_order_relaxed);
    uint64_t last_ns = atomic_load_explicit(&pool->fade_ns, memory_order_relaxed);
    uint64_t factor = filch_crowd_is_held(pool) ? 1 : FADE_FACTOR; /* that cannot wait */
    uint64_t fade_ns = idle && last_ns ? last_ns * factor : FADE_MIN_NS;
    fade_ns = fade_ns <= FADE_MAX_NS ? fade_ns : FADE_MAX_NS + 1; /* over */
    atomic_store_explicit(&pool->monitor_epoch, epoch, memory_order_relaxed);
    atomic_store_explicit(&pool->fade_ns, fade_ns, memory_order_relaxed);
    return fade_ns;
}

static uint64_t next_look_ns(struct filch_pool *pool, bool ticking)
{
    if (ticking) {
        return filch_os_now_ns() + next_tick_ns(pool);
    }
    atomic_store_explicit(&pool->tick_ns, TICK_MIN_NS, memory_order_relaxed);
    uint64_t fade_ns = next_fade_ns(pool);
    if (fade_ns > FADE_MAX_NS && !filch_pool_is_starving(pool)) {
        return FILCH_OS_NEVER;
    }
    return filch_os_now_ns() + (fade_ns <= FADE_MAX_NS ? fade_ns : FADE_MAX_NS);
}

/* Has the pool been idle since a fading look that was so long? */
static bool is_idle_for(struct filch_pool *pool, uint64_t look_ns)
{
    /* relaxed, all: as in next_tick_ns */
    return atomic_load_explicit(&pool->fade_ns, memory_order_relaxed) >= look_ns &&
           atomic_load_explicit(&pool->running, memory_order_relaxed) ==
               atomic_load_explicit(&pool->monitor_epoch, memory_order_relaxed);
}

/* Until when the monitor may sleep. */
static uint64_t monitor_deadline(struct filch_pool *pool, struct filch_thread *thread, bool ticking)
{
    uint64_t timer = filch_timers_earliest(&pool->timers);
    bool gives = filch_pool_running(pool) == 0 && is_idle_for(pool, REST_NS) &&
                 filch_pool_give_memory(pool, thread, is_idle_for(pool, FADE_MAX_NS));
    uint64_t look = gives ? filch_os_now_ns() + GIVE_NS : next_look_ns(pool, ticking);
    return look < timer ? look : timer;
}

/* All running fibers look up at their next fork or block; pool fibers then stand in line. */
static void ask_for_turns(struct filch_pool *pool)
{
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        filch_lane *lane = atomic_load_explicit(&core->lane, memory_order_acquire); /* as in ask */
        if (lane) {
            /* relaxed: read when the poison has been seen, or later */
            atomic_store_explicit(&core->yield_wanted, true, memory_order_relaxed);
            filch_lane_poison(lane);
        }
    }
}

/* Has nothing run for so long that maybe nothing can? */
static bool has_rested(struct filch_pool *pool)
{
    /* relaxed: the monitor of the moment */
    return filch_pool_running(pool) == 0 &&
           atomic_load_explicit(&pool->fade_ns, memory_order_relaxed) >= STUCK_NS;
}

static void look_after_idleness(struct filch_pool *pool)
{
    if (has_rested(pool)) {
        filch_process_look(NULL);
    }
}

/* Something waits quietly: what to do about it is known by a second look. False: there is a reason
 * to wake up. */
static bool look_again(struct filch_thread *thread)
{
    return !filch_parker_wait(&thread->parker, filch_os_now_ns() + AGAIN_NS);
}

/* A pool that is over is about to end its threads: they see that without a sleep and a wake-up. */
static bool end_comes(struct filch_pool *pool, struct filch_thread *thread)
{
    bool waits = !pool->crowded && filch_pool_is_over(pool);
    uint64_t until_ns = waits ? filch_os_now_ns() + FILCH_END_SPIN_NS : 0;
    bool woken = false;
    while (waits && !(woken = filch_parker_poll(&thread->parker)) && filch_os_now_ns() < until_ns) {
        filch_os_yield(); /* the thread that ends us may be on this processor */
    }
    return woken;
}

/* False: the deadline came first. */
static bool sleep_or_end(struct filch_pool *pool, struct filch_thread *thread, uint64_t deadline)
{
    filch_thread_nap(thread);
    bool woken = end_comes(pool, thread) || filch_parker_wait(&thread->parker, deadline);
    filch_thread_rise(thread);
    return woken;
}

static void watch(struct filch_pool *pool, struct filch_thread *thread)
{
    bool ticking = must_tick(pool);
    uint64_t deadline = monitor_deadline(pool, thread, ticking);
    /* seq_cst, both: a thread that arms an earlier timer, lets go of a core, or puts work where all
     * are busy, does that, then reads these (filch_pool_poke_monitor, filch_pool_call_monitor); we
     * store them, then look again: one of us sees the other */
    atomic_store_explicit(&pool->monitor_until_ns, deadline, memory_order_seq_cst);
    atomic_store_explicit(&pool->ticking, ticking, memory_order_seq_cst);
    if (filch_timers_earliest(&pool->timers) < deadline || (!ticking && must_tick(pool))) {
        return;
    }
    if (sleep_or_end(pool, thread, deadline) ||
        (filch_pool_has_quiet(pool) && !look_again(thread))) {
        return;
    }
    look_after_idleness(pool);
    filch_core_fire_timers(pool);
    filch_crowd_watch(pool);
    filch_pool_feed_again(pool, has_rested(pool));
    if (filch_pool_has_idle(pool)) {
        filch_core_demand(pool);
    } else if (a_fiber_wants_a_turn(pool)) {
        ask_for_turns(pool);
    }
}

/* The monitor sleeps without an end while others may need it from now on: those that run, or
 * those that wait, if all have gone to sleep. */
static void remind_monitor(struct filch_pool *pool)
{
    unsigned running = filch_pool_running(pool);
    if (running == 0) {
        uint64_t soon_ns = filch_crowd_is_held(pool) ? FADE_MIN_NS : STUCK_NS;
        filch_pool_poke_monitor(pool, filch_os_now_ns() + soon_ns);
    } else if (filch_pool_has_idle(pool)) {
        filch_pool_poke_monitor(pool, filch_os_now_ns() + TICK_MAX_NS);
    }
}

/* One turn as a listed sleeper. True: there is work and a core to do it on, or the end, of the pool
 * or of this thread. */
static bool sleep_once(struct filch_pool *pool, struct filch_thread *thread)
{
    filch_park_announce(&pool->park, &thread->parker);
    bool can = can_run(pool, thread);
    if (!can) {
        remind_monitor(pool);
        bool surplus = filch_pool_has_surplus(pool);
        bool woken =
            sleep_or_end(pool, thread, surplus ? filch_os_now_ns() + SURPLUS_NS : FILCH_OS_NEVER);
        can = !woken && filch_pool_has_surplus(pool); /* it may go, without a core */
    }
    if (!filch_park_retract(&pool->park, &thread->parker)) {
        come(pool);
        can = can && thread->core; /* a waker counts on it */
    }
    return can;
}

/* The same as the monitor. It gives the name back after each look, by the exchange that tells it
 * whether it was chosen. */
static bool monitor_once(struct filch_pool *pool, struct filch_thread *thread)
{
    atomic_thread_fence(memory_order_seq_cst); /* the sleeper's half, see park.h */
    bool can = can_run(pool, thread);
    if (!can) {
        watch(pool, thread);
    }
    resign_monitor(pool, thread);
    return can;
}

bool filch_core_obtain(struct filch_pool *pool, struct filch_thread *thread)
{
    FILCH_ASSERT(thread == filch_thread_known() && !thread->core);
    bool can = false;
    while (!can) {
        can = claim_monitor(pool, thread) ? monitor_once(pool, thread) : sleep_once(pool, thread);
    }
    FILCH_ASSERT(!thread->core || filch_core_is_own(thread->core));
    thread->woken = true;
    return thread->core != NULL;
}
