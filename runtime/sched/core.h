/* core: a slot to run on, and the policy of what runs next.
 *
 * A core has the deque, the queue of ready fibers and the counters; a thread holds it while it
 * runs work and lets go of it before it sleeps. */
#ifndef FILCH_CORE_H
#define FILCH_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "base/base.h"
#include "sched/seize.h"
#include "stack/stack.h"
#include "trace/tracer.h"
#include "work/deque.h"
#include "work/lane.h"
#include "work/queue.h"

struct filch_detached;
struct filch_pool;
struct filch_stack;
struct filch_fiber;
struct filch_thread;

/* For wait.h: make fibers ready, together: one lock and one look for sleepers, not each its own;
 * and one of them, from a signal handler (post.c). */
FILCH_PRIVATE void filch_fibers_ready(struct filch_fiber *const *fibers, unsigned count);
FILCH_PRIVATE void filch_fiber_post(struct filch_fiber *fiber);

FILCH_PRIVATE_OBJECT const struct filch_tracer_host filch_core_trace_host; /* trace_host.c */

/* For assert.h, where assertions are on; assert_host.c. */
struct filch_assert_place;
FILCH_FOR_ASSERTIONS void filch_core_find_place(struct filch_assert_place *place);

/* For assertions alone: does the calling thread hold the core, does it run the fiber? */
FILCH_FOR_ASSERTIONS bool filch_core_is_own(const struct filch_core *core);
FILCH_FOR_ASSERTIONS bool filch_fiber_is_own(const struct filch_fiber *fiber);

enum { FILCH_FAIR_PICKS = 31 }; /* every so many picks, queues and timers come first */

/* Where the last pick came from, for the recording. */
struct filch_picked {
    enum filch_trace_how how;
    unsigned from; /* as filch_trace_name_from() wants it */
};

struct filch_core {
    struct filch_pool *pool; /* constant */
    unsigned index;          /* constant */
    struct filch_tracer_seat seat;

    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(struct filch_thread *) holder;
    _Atomic(filch_lane *) lane;    /* the holder: what runs here, which demand poisons */
    _Atomic(bool) yield_wanted;    /* the monitor: work waits for a turn */
    _Atomic(filch_slot *) offer;   /* the holder: beside the deque, see filch_core_offer_quietly */
    _Atomic(uint64_t) quiet_until; /* the holder: ticks; before that no thief takes the offer */

    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_deque deque;
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_queue ready;
    _Atomic(struct filch_fiber *) next; /* comes before those; a thief may take it, see ready.c */

    /* The holder alone. */
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(uint32_t) picks; /* others glance at it */
    uint32_t yields;
    bool new_first;  /* a fiber has yielded: the next pick begins something new */
    uint32_t victim; /* where the next round of stealing starts */
    bool started;    /* its worker's start hook has been called */
    struct filch_picked picked;
    uint64_t begun;              /* ticks: when it last began a fork of another core */
    unsigned briefs;             /* how many, one shortly after the other */
    struct filch_stack *spare;   /* of the last guest here, for the next one; or NULL */
    struct filch_fiber *resting; /* of the last stint here (stint.h), the same */
    struct filch_shelf shelf;    /* stacks for fibers */
    _Atomic(int64_t) tasks;      /* begun here less ended here; read while no thread runs */
    _Atomic(uint64_t) steals;
    _Atomic(uint32_t) exchanged; /* values of channels, so far */

    /* Those that look for work; see ready.c. */
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(uint64_t) seen_ns; /* the last look */
    _Atomic(struct filch_fiber *) seen_next;
    _Atomic(uint32_t) seen_beats;
    _Atomic(uint32_t) loud_until; /* a number of picks; the holder, too */
    _Atomic(uint32_t) loud_picks;
    _Atomic(uint64_t) stolen_ns;

    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_seized seized; /* the holder: runs next */
};

_Static_assert(offsetof(struct filch_core, holder) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_core, deque) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_core, deque) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_core, ready) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_core, ready) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_core, picks) / FILCH_CACHE_LINE &&
                   offsetof(struct filch_core, steals) / FILCH_CACHE_LINE !=
                       offsetof(struct filch_core, seen_ns) / FILCH_CACHE_LINE,
               "what different threads write lies on different lines");

/* NULL: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_core *filch_core_new(struct filch_pool *pool,
                                                                 unsigned index);
FILCH_PRIVATE void filch_core_free(struct filch_core *core);

/* The core made as number `index`, or NULL; how many there are: they are made in order. */
FILCH_PRIVATE struct filch_core *filch_core_at(struct filch_pool *pool, unsigned index);
FILCH_PRIVATE unsigned filch_core_count(struct filch_pool *pool);

/* See that there is at least one. False: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_core_make_first(struct filch_pool *pool);

/* Take a core for a pool thread: one of the first `workers`, and not while so many are held.
 * False: there is none. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_core_acquire(struct filch_pool *pool,
                                                       struct filch_thread *thread);

/* Take a core for a program's own thread, a spare one if need be. False: even those are used up. */
FILCH_PRIVATE bool filch_core_acquire_guest(struct filch_pool *pool, struct filch_thread *thread);
FILCH_PRIVATE void filch_core_release(struct filch_thread *thread);

/* A guest lets go of its core; what it leaves behind is passed on. */
FILCH_PRIVATE void filch_core_release_guest(struct filch_pool *pool, struct filch_thread *thread);

/* If nothing holds the core: put the stacks on its shelf where all find them. */
FILCH_PRIVATE void filch_core_clear_idle(struct filch_core *core, struct filch_thread *thread);

/* Holder: the resting fiber's stack goes to the shelf. */
FILCH_PRIVATE void filch_core_end_rest(struct filch_core *core);

/* No thread holds a core or ever will: give back what they keep; workers that started finish. */
FILCH_PRIVATE void filch_core_give_spares(struct filch_pool *pool);
FILCH_PRIVATE void filch_core_finish_all(struct filch_pool *pool);

/* Holder, on a fiber: call the worker's start hook if that is still to be done. */
FILCH_PRIVATE void filch_core_start(struct filch_core *core);

/* `fiber` begins something of unknown length: its first fork will be published. A body that forks
 * once and then computes for a second looks up only at that fork. */
FILCH_PRIVATE void filch_core_begin(struct filch_fiber *fiber);

/* The holder begins a published slot. True: it has begun one every few microseconds, so this one
 * will be short, too, and no thread need come for its first fork. */
FILCH_PRIVATE bool filch_core_is_brief(struct filch_core *core);

/* What the calling thread picked last, if it holds a core. */
FILCH_PRIVATE struct filch_picked filch_core_picked(void);

/* Record that a task begins here; how its end is recorded. */
FILCH_PRIVATE enum filch_trace_type filch_core_trace_task(struct filch_picked picked,
                                                          const filch_function_info *info,
                                                          const void *task);
/* Record something that happens on this core, for the holder (tracer.h). */
static inline void filch_core_trace(struct filch_core *core, enum filch_trace_type type,
                                    unsigned detail, const void *subject, uint64_t argument)
{
    filch_trace_on(&core->seat, type, detail, subject, argument);
}

/* The holder: see whether each fork on this lane is to be recorded. */
static inline void filch_core_trace_forks(struct filch_core *core, filch_lane *lane)
{
    if (FILCH_UNLIKELY(lane->traced) || filch_trace_is_on()) {
        lane->traced = filch_trace_wants(&core->seat, FILCH_TRACE_FORK);
    }
}

/* `fiber` begins or goes on on this core; and has left it. */
FILCH_PRIVATE void filch_core_enter(struct filch_core *core, struct filch_fiber *fiber);
FILCH_PRIVATE void filch_core_leave(struct filch_core *core);

/* The life of a pool's fiber: run one piece of work after the other. Returns the suspended
 * fiber to go on with, or NULL: the thread is to end. */
FILCH_PRIVATE struct filch_fiber *filch_core_main(struct filch_fiber *fiber);

/* The life of a pool's thread, whose record is the argument: what thrd_create() starts. */
FILCH_PRIVATE int filch_core_thread(void *thread);

/* Is there anything that a thread could do? Exact under the handshake of park.h. */
FILCH_PRIVATE bool filch_core_work_visible(struct filch_pool *pool);

/* Pool thread without a core: sleep until there is work and a core to do it on. False: the pool
 * stops. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_core_obtain(struct filch_pool *pool,
                                                      struct filch_thread *thread);

/* A waker counted on us (it set `waking`): wake-ups may begin anew. Since it may have seen work
 * that we have not, and others passed by, the caller looks at everything after this and wakes the
 * next one if there is more than it takes. */
FILCH_PRIVATE void filch_core_answer_wake(struct filch_pool *pool);

FILCH_PRIVATE void filch_core_fire_timers(struct filch_pool *pool);

/* Make ready what waits for descriptors that are ready. */
FILCH_PRIVATE void filch_core_look_for_answers(struct filch_pool *pool);

/* Ask all running fibers for latent work. */
FILCH_PRIVATE void filch_core_demand(struct filch_pool *pool);

/* Owner of `fiber`: publish its oldest latent slot, and see that a thread comes for it. */
FILCH_PRIVATE void filch_core_serve(struct filch_fiber *fiber);

/* The same for those that are awake anyway: none is woken. True: something was published. */
FILCH_PRIVATE bool filch_core_offer(struct filch_fiber *fiber);

/* The same for no thief before `until` (ticks, soon): by then it will have been taken back, unless
 * something takes longer than is known of it. Until then others do not ask for more, either. */
FILCH_PRIVATE bool filch_core_offer_quietly(struct filch_fiber *fiber, uint64_t until);

/* Any thread: is the holder to be left in peace? Its offer when it no longer is, or NULL. */
FILCH_PRIVATE bool filch_core_is_quiet(struct filch_core *core);
FILCH_PRIVATE filch_slot *filch_core_late_offer(struct filch_core *core);

/* The holder: a slot that was published has been taken back (it is ours), or was taken: it is no
 * longer to be found here. */
FILCH_PRIVATE void filch_core_withdraw(struct filch_core *core, filch_slot *slot, bool ours);

/* Owner of `fiber`: publish all its latent slots, because it is about to wait. */
FILCH_PRIVATE void filch_core_serve_all(struct filch_fiber *fiber);

/* The same when too many of its loop wait already: the rest of its range is held back (crowd.h). */
FILCH_PRIVATE void filch_core_serve_crowd(struct filch_fiber *fiber);

/* Does so much lie in its deque that ranges of loops need not be there, too? NULL: no. */
FILCH_PRIVATE bool filch_core_has_plenty(struct filch_core *core);

/* Owner, on `fiber`: a slot that was published is wanted. True: it was taken back, and is ours
 * again. False: a thief had it, and is done with it when this returns. */
FILCH_PRIVATE bool filch_core_reclaim(struct filch_fiber *fiber, filch_slot *slot);

/* Before a wait: run the newest tasks of our own core as long as they are wanted, and there is
 * stack left. Nothing else runs on top of the caller. */
FILCH_PRIVATE void filch_core_run_tasks(struct filch_pool *pool,
                                        bool (*wanted)(struct filch_detached *task, void *context),
                                        void *context);

/* Run a slot that its owner has taken back, above everything else on its lane. */
FILCH_PRIVATE void filch_core_run_own(struct filch_fiber *fiber, filch_slot *slot);

/* Run what was forked into the spare slot of a full lane; its result stays there. */
FILCH_PRIVATE void filch_core_run_at_once(filch_lane *lane, filch_slot *slot);

#endif
