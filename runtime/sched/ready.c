/* ready: where a fiber goes that was made ready, and when another core may have it.
 *
 * One that a running fiber wakes goes on next on that fiber's core, before all else; should there
 * be one already, behind those that are ready there. What it was given is in that core's caches,
 * and most often the one that woke it is about to wait. So no thread is woken for it, and thieves
 * leave it alone: fibers that talk to each other stay on one core. It is left to a look, which is
 * sure to come (filch_pool_looks_soon): of a thread that looks around, or of the monitor. Two looks
 * tell how often something was picked or exchanged on the core in between:
 *
 *   seldom   (GRAIN_NS): the core is late. Its fibers do more than talk, and those that wait are
 *            better off on another core. From then on, for a while, it is loud: what is made ready
 *            there can be taken by all, and a thread is woken for it. Each time that this proves
 *            right again the while is twice as long.
 *   often    what waits is taken over only if that was not tried for TRY_NS: fibers may be here
 *            that do not talk to each other. Those that do are soon together again, because each
 *            comes to where it is woken, and a core that has none left looks on quietly.
 *
 * Several that are made ready together, and all that wake more than READY_FEW, make a core loud,
 * too.
 *
 * Source: Go's scheduler, whose `runnext` is the first of these ideas. */
#include "base/assert.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/handoff.h"
#include "sched/pool.h"
#include "sched/ready.h"
#include "sched/thread.h"
#include "sched/wake.h"

enum {
    LOOK_NS = 5000,   /* between two looks that are compared */
    GRAIN_NS = 400,   /* about where two cores are as fast as one, what they exchange included */
    TRY_NS = 1000000, /* between two thefts from a core that is not late */
    READY_FEW = 16,   /* fibers that may wait quietly */
    LOUD_LEAST = 64,  /* picks */
    LOUD_MOST = 8192,
    LOUD_AGAIN = 4, /* times as many picks without a theft, and it begins with the least again */
};

struct filch_fiber *filch_core_next(struct filch_core *core)
{
    /* relaxed: the holder; others glance */
    return atomic_load_explicit(&core->next, memory_order_relaxed);
}

struct filch_fiber *filch_core_take_next(struct filch_core *core)
{
    FILCH_ASSERT(filch_core_is_own(core));
    /* relaxed, both: we have put it there ourselves. An exchange, because a thief may have it. */
    return filch_core_next(core) ? atomic_exchange_explicit(&core->next, (struct filch_fiber *)NULL,
                                                            memory_order_relaxed)
                                 : NULL;
}

static void put_next(struct filch_core *core, struct filch_fiber *fiber)
{
    FILCH_ASSERT(filch_core_is_own(core) && !filch_core_next(core));
    /* release: pairs with the acquire in filch_core_steal_next */
    atomic_store_explicit(&core->next, fiber, memory_order_release);
}

void filch_core_queue_next(struct filch_core *core)
{
    struct filch_fiber *fiber = filch_core_take_next(core);
    if (fiber) {
        filch_queue_push(&core->ready, &fiber->work);
    }
}

/* ---- thieves ---- */

/* relaxed, all that follow but the exchange: guesses of several threads at what a core is doing.
 * Should they be mixed up, a fiber is taken a little early or late. */

static bool is_loud(struct filch_core *core)
{
    uint32_t until = atomic_load_explicit(&core->loud_until, memory_order_relaxed);
    return until - filch_core_picks(core) - 1 < LOUD_MOST;
}

/* For so many picks at least. */
static void be_loud(struct filch_core *core, uint32_t picks)
{
    uint32_t before = atomic_load_explicit(&core->loud_until, memory_order_relaxed);
    uint32_t until = filch_core_picks(core) + (picks < LOUD_MOST ? picks : LOUD_MOST);
    if (until - before <= LOUD_MOST || !is_loud(core)) {
        atomic_store_explicit(&core->loud_until, until, memory_order_relaxed);
    }
}

/* How often something was picked or exchanged. */
static uint32_t beats(struct filch_core *core)
{
    return filch_core_picks(core) + atomic_load_explicit(&core->exchanged, memory_order_relaxed);
}

static void note_look(struct filch_core *core, uint32_t beats, uint64_t now_ns)
{
    atomic_store_explicit(&core->seen_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&core->seen_beats, beats, memory_order_relaxed);
    atomic_store_explicit(&core->seen_next, filch_core_next(core), memory_order_relaxed);
}

/* Is the same one next as at the last look, however long ago that was? Only thieves that have
 * much else to do look so seldom. */
static bool is_seen_again(struct filch_core *core)
{
    struct filch_fiber *next = filch_core_next(core);
    return next && next == atomic_load_explicit(&core->seen_next, memory_order_relaxed);
}

/* Of a core where something waits. */
static bool is_late(struct filch_core *core, uint64_t now_ns)
{
    uint64_t passed_ns = now_ns - atomic_load_explicit(&core->seen_ns, memory_order_relaxed);
    uint32_t now = beats(core);
    uint32_t since = now - atomic_load_explicit(&core->seen_beats, memory_order_relaxed);
    if (passed_ns < LOOK_NS) {
        return false;
    }
    if (passed_ns >= (uint64_t)since * GRAIN_NS &&
        (passed_ns < 2 * TRY_NS || is_seen_again(core))) {
        return true;
    }
    note_look(core, now, now_ns);
    return false;
}

/* May what is in its queue be taken, also if it is not late? */
static bool is_open(struct filch_core *core, uint64_t now_ns)
{
    return is_loud(core) || !atomic_load_explicit(&core->holder, memory_order_relaxed) ||
           filch_queue_count(&core->ready) > READY_FEW ||
           now_ns - atomic_load_explicit(&core->stolen_ns, memory_order_relaxed) >= TRY_NS;
}

bool filch_core_is_behind(struct filch_core *core)
{
    bool queued = !filch_queue_empty(&core->ready);
    if (FILCH_LIKELY(!queued && !filch_core_next(core))) {
        return false;
    }
    uint64_t now_ns = filch_os_now_ns();
    return (queued && is_open(core, now_ns)) || is_late(core, now_ns);
}

/* It was late, and has been robbed. */
static void grow_loud(struct filch_core *core)
{
    uint32_t length = atomic_load_explicit(&core->loud_picks, memory_order_relaxed);
    uint32_t until = atomic_load_explicit(&core->loud_until, memory_order_relaxed);
    bool again = filch_core_picks(core) - until < LOUD_AGAIN * length;
    length = again ? 2 * length : LOUD_LEAST;
    length = length < LOUD_MOST ? length : LOUD_MOST;
    atomic_store_explicit(&core->loud_picks, length, memory_order_relaxed);
    be_loud(core, length);
}

static struct filch_fiber *steal_next(struct filch_core *victim)
{
    struct filch_fiber *fiber = filch_core_next(victim);
    /* acquire: pairs with the release in put_next; the fiber's registers are saved */
    bool won = fiber && atomic_compare_exchange_strong_explicit(
                            &victim->next, &fiber, (struct filch_fiber *)NULL, memory_order_acquire,
                            memory_order_relaxed);
    return won ? fiber : NULL;
}

struct filch_fiber *filch_core_steal_ready(struct filch_core *victim)
{
    bool queued = !filch_queue_empty(&victim->ready);
    if (FILCH_LIKELY(!queued && !filch_core_next(victim))) {
        return NULL;
    }
    uint64_t now_ns = filch_os_now_ns();
    bool open = is_open(victim, now_ns);
    bool late = !is_loud(victim) && is_late(victim, now_ns);
    struct filch_work *work = queued && (open || late) ? filch_queue_pop(&victim->ready) : NULL;
    struct filch_fiber *fiber = work ? filch_fiber_of_work(work) : late ? steal_next(victim) : NULL;
    if (fiber) {
        atomic_store_explicit(&victim->stolen_ns, now_ns, memory_order_relaxed);
    }
    if (fiber && late) {
        grow_loud(victim);
    }
    return fiber;
}

bool filch_pool_has_quiet(struct filch_pool *pool)
{
    unsigned count = filch_core_count(pool);
    for (unsigned i = 0; i < count; i++) {
        struct filch_core *core = filch_core_at(pool, i);
        bool waits = filch_core_next(core) || !filch_queue_empty(&core->ready);
        if (waits && !filch_core_is_behind(core)) {
            return true;
        }
    }
    return false;
}

/* ---- making ready ---- */

void filch_core_exchanged(uint32_t values)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_core *core = thread ? thread->core : NULL;
    if (core) {
        /* relaxed, both: a counter with one writer */
        uint32_t before = atomic_load_explicit(&core->exchanged, memory_order_relaxed);
        atomic_store_explicit(&core->exchanged, before + values, memory_order_relaxed);
    }
}

/* May what the calling fiber makes ready wait for it to leave? */
static bool may_follow(struct filch_core *core, const struct filch_thread *thread)
{
    const struct filch_fiber *fiber = thread->fiber;
    return !is_loud(core) && !(fiber && filch_handoff_is_bound(fiber)) &&
           filch_pool_looks_soon(core->pool);
}

/* In the order of their queue. */
static void chain(struct filch_fiber *const *fibers, unsigned count)
{
    for (unsigned i = 0; i + 1 < count; i++) {
        fibers[i]->work.next = &fibers[i + 1]->work;
    }
}

static void ready_from_outside(struct filch_pool *pool, struct filch_fiber *const *fibers,
                               unsigned count)
{
    FILCH_ASSERT(count > 0 && fibers[0]->pool == pool);
    chain(fibers, count);
    filch_pool_resume(pool, &fibers[0]->work, &fibers[count - 1]->work, count);
}

/* Not to be left to a look: for as many picks as this takes all may have what is ready here. */
static void push_loudly(struct filch_core *core, struct filch_fiber *const *fibers, unsigned count)
{
    be_loud(core, (uint32_t)filch_queue_count(&core->ready) + count);
    chain(fibers, count);
    filch_queue_push_all(&core->ready, &fibers[0]->work, &fibers[count - 1]->work, count);
    filch_pool_wake(core->pool); /* not the fibers': they may have run to their ends */
}

static void ready_on(struct filch_core *core, struct filch_fiber *const *fibers, unsigned count)
{
    FILCH_ASSERT(filch_core_is_own(core));
    const struct filch_thread *thread = filch_thread_known();
    bool follows = count == 1 && may_follow(core, thread);
    if ((follows || thread->between_jobs) && !filch_core_next(core)) {
        put_next(core, *fibers++);
        count--;
    }
    if (count && follows && filch_queue_count(&core->ready) < READY_FEW) {
        filch_queue_push(&core->ready, &fibers[0]->work);
    } else if (count) {
        push_loudly(core, fibers, count);
    }
}

void filch_fibers_ready(struct filch_fiber *const *fibers, unsigned count)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_core *core = thread ? thread->core : NULL;
    while (count) {
        struct filch_pool *pool = fibers[0]->pool;
        FILCH_ASSERT(!fibers[0]->guest && fibers[0]->work.kind == FILCH_WORK_FIBER);
        unsigned n = 1;
        while (n < count && fibers[n]->pool == pool) {
            n++;
        }
        if (core && core->pool == pool) {
            ready_on(core, fibers, n);
        } else {
            ready_from_outside(pool, fibers, n);
        }
        fibers += n;
        count -= n;
    }
}
