/* fiber: a stack with work in progress on it, its lane, and how it leaves and comes back.
 *
 * A pool's fiber runs on a piece of its pool's stacks and may go on on another thread after any
 * wait. A guest is the fiber of a program's own thread while that is inside a pool: it uses the
 * thread's stack (the piece is there for the lane alone) and never moves.
 *
 * A fiber leaves by switching to its thread's native stack, the worker, with an order in
 * `thread->leave`. The worker carries the order out: only there, after the registers are saved, may
 * the fiber be registered anywhere it can be woken from, or its stack be re-used (dmd #17413 is
 * this rule broken). */
#ifndef FILCH_FIBER_H
#define FILCH_FIBER_H

#include "base/private.h"
#include "base/exceptions.h"
#include "sched/call_site.h"
#include "sleep/party.h"
#include "sleep/wait.h"
#include "stack/context.h"
#include "sched/seize.h"
#include "stack/stack.h"
#include "work/lane.h"
#include "work/work.h"

struct filch_core;
struct filch_overflow_stack;
struct filch_pool;
struct filch_region;
struct filch_thread;

/* See stint.h. */
struct filch_job {
    void (*run)(void *context);
    void (*over)(void *context); /* NULL: nothing */
    void *context;
};

struct filch_fiber {
    struct filch_stack stack;                 /* first: it lies at the header of its piece */
    FILCH_ALIGNED(64) struct filch_work work; /* what a wait's end and a switch touch, on a line */
    struct filch_context context;
    struct filch_pool *pool;
    struct filch_frame *frame; /* innermost; the fiber itself */
    struct filch_party *party; /* its own, or of the guest's thread */
    struct filch_party own_party;
    struct filch_exceptions exceptions; /* while it is not running; a guest's never are here */
    void *fake_stack;                   /* AddressSanitizer's */
    bool forking;            /* inside a fork function's outermost call, which knows its site */
    enum filch_help help;    /* which threads its next offer is for; from then on ASK */
    uint64_t overhead_ticks; /* ticks (os.h) of serving and waiting, not of the work itself */
    unsigned lent;           /* depth of sections in which it has lent its core (handoff.h) */
    unsigned pins;           /* how often it was bound to its thread */
    bool guest;
    bool on_stint;              /* it runs its job on a thread which waits for it */
    bool entered;               /* a guest: `entry` is in use */
    _Atomic(filch_slot *) held; /* a range that nothing is to take while it waits (crowd.h) */
    FILCH_ALIGNED(64) filch_lane lane; /* limit and bound: any thread; the rest: the fiber */
    /* Until here, a fiber that goes on touches all lines: work.h counts them. */
    struct filch_job job;      /* on a stint: what it does first */
    struct filch_frame entry;  /* a guest's outermost: it outlives the thread's stack */
    struct filch_region *kept; /* the guest's region, if that is in memory of its own; else NULL */
    struct filch_opening opening; /* a range whose block runs: any thread */
    uint64_t served;              /* ticks: when it was asked for work last */
    unsigned more;                /* how many it offers at a time then, beyond the first */
    const char *guest_sp; /* a guest's: about where its thread's stack was when it entered */
};

_Static_assert(sizeof(struct filch_fiber) <= FILCH_STACK_HEADER_BYTES, "the header has room");
/* But for what a ucontext takes, of which a switch touches most. */
_Static_assert(offsetof(struct filch_fiber, job) - offsetof(struct filch_fiber, work) -
                       sizeof(struct filch_context) + sizeof(void *) <=
                   (size_t)FILCH_FIBER_LINES_FROM * FILCH_CACHE_LINE,
               "lines that are needed are fetched before");

static inline struct filch_fiber *filch_fiber_of_lane(filch_lane *lane)
{
    return (struct filch_fiber *)(void *)((char *)lane - offsetof(struct filch_fiber, lane));
}

static inline struct filch_fiber *filch_fiber_of_work(struct filch_work *work)
{
    return (struct filch_fiber *)(void *)((char *)work - offsetof(struct filch_fiber, work));
}

/* The first slot of its lane. */
static inline filch_slot *filch_fiber_bottom(struct filch_fiber *fiber)
{
    return (filch_slot *)(void *)((char *)fiber + FILCH_STACK_HEADER_BYTES);
}

enum filch_leave_kind {
    FILCH_LEAVE_WAIT,    /* enlist the waiter; come back when it is fired */
    FILCH_LEAVE_YIELD,   /* come back when the others had their turn */
    FILCH_LEAVE_DISCARD, /* never come back; `next` goes on instead, NULL: the thread ends */
    FILCH_LEAVE_REST,    /* its job on a stint is done; come back for the next one, or never */
    FILCH_LEAVE_UNWOUND, /* the job ends the thread; never come back */
};

/* An order to the worker. */
struct filch_leave {
    enum filch_leave_kind kind;
    struct filch_waiter *waiter;
    filch_enlist *enlist; /* NULL: only the timer */
    void *context;
    bool ends; /* at the waiter's deadline, and when the pool is terminated */
    struct filch_fiber *next;
};

/* A pool's fiber, which starts in filch_core_main(). The caller holds `core`; when it is given
 * back maybe none: NULL. NULL: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_fiber *filch_fiber_new(struct filch_pool *pool,
                                                                   struct filch_core *core);
FILCH_PRIVATE void filch_fiber_free(struct filch_fiber *fiber, struct filch_core *core);

/* The same that starts in filch_stint_main(). */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_fiber *filch_fiber_new_for_stint(
    struct filch_pool *pool, struct filch_core *core);

/* A guest's. The caller holds `core`, or none: NULL. Its memory stays with the core for the next
 * guest. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_fiber *filch_fiber_new_guest(struct filch_pool *pool,
                                                                         struct filch_core *core);
FILCH_PRIVATE void filch_fiber_free_guest(struct filch_fiber *fiber, struct filch_core *core);

/* Is little stack or lane left to call what may go on like this? */
FILCH_PRIVATE bool filch_fiber_is_low(struct filch_fiber *fiber);

/* Is there stack left for a task to run on top of the caller, which runs on `fiber`? */
FILCH_PRIVATE bool filch_fiber_has_room(const struct filch_fiber *fiber);

/* Fiber, on that thread: leave, with the order in thread->leave; returns when the fiber goes on,
 * maybe on another thread. In the end a jump: each return after a switch of stacks is one that the
 * processor foretells wrongly. */
FILCH_PRIVATE void filch_fiber_leave(struct filch_fiber *fiber, struct filch_thread *thread);

/* The stack of the fiber that the calling thread runs. Also in a signal handler. */
FILCH_PRIVATE bool filch_fiber_stack_here(struct filch_overflow_stack *stack);

/* Fiber: leave for good: FILCH_LEAVE_DISCARD, or as another kind says. */
FILCH_PRIVATE void filch_fiber_discard(struct filch_fiber *fiber, struct filch_fiber *next);
FILCH_PRIVATE void filch_fiber_discard_as(struct filch_fiber *fiber, enum filch_leave_kind kind,
                                          struct filch_fiber *next);

#endif
