#include "sleep/wait.h"

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"
#include "os/rank.h"
#include "sleep/park.h"
#include "trace/tracer.h"

enum { DONE = 1, LOCKED = 2 };
static const uintptr_t latch_open = 1;

void filch_waiter_init(struct filch_waiter *waiter, struct filch_fiber *fiber,
                       struct filch_parker *parker)
{
    FILCH_ASSERT(!fiber || !parker); /* neither: it is not woken but called */
    waiter->fiber = fiber;
    waiter->parker = parker;
    atomic_init(&waiter->outcome, FILCH_ARMING);
    waiter->next = waiter->prev = NULL;
    waiter->scope = NULL;
    waiter->call = NULL;
}

bool filch_waiter_arm(struct filch_waiter *waiter)
{
    int old = FILCH_ARMING;
    /* release: pairs with the acquire in decide, or in tell; the one that wakes sees the fiber's
     * saved state. acquire on failure: pairs with fire's release; we go on with what the signaller
     * wrote. acq_rel because C11 wants success at least as strong as failure. */
    if (atomic_compare_exchange_strong_explicit(&waiter->outcome, &old, FILCH_WAITING,
                                                memory_order_acq_rel, memory_order_acquire)) {
        return true;
    }
    FILCH_ASSERT(old != FILCH_WAITING && old != FILCH_CLAIMED); /* it is armed once */
    /* As above. One that is claimed can only be told still. */
    return old == FILCH_CLAIMED_EARLY &&
           atomic_compare_exchange_strong_explicit(&waiter->outcome, &old, FILCH_CLAIMED,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* From ARMING to `early`, from WAITING to `outcome`. What it was before; one that is decided
 * already stays as it is. */
static int decide(struct filch_waiter *waiter, enum filch_outcome early, enum filch_outcome outcome)
{
    /* relaxed: the compare-exchange checks it */
    int old = atomic_load_explicit(&waiter->outcome, memory_order_relaxed);
    while (old == FILCH_ARMING || old == FILCH_WAITING) {
        int next = (int)(old == FILCH_ARMING ? early : outcome);
        /* acq_rel: pairs with the release and the acquire in arm, and with outcome */
        if (atomic_compare_exchange_weak_explicit(&waiter->outcome, &old, next,
                                                  memory_order_acq_rel, memory_order_relaxed)) {
            break;
        }
    }
    return old;
}

bool filch_waiter_fire(struct filch_waiter *waiter, enum filch_outcome outcome)
{
    FILCH_ASSERT(outcome >= FILCH_SIGNALED);
    return decide(waiter, outcome, outcome) == FILCH_WAITING;
}

void filch_waiter_found(struct filch_waiter *waiter)
{
    FILCH_ASSERT(filch_waiter_outcome(waiter) == FILCH_ARMING || filch_waiter_fired(waiter));
    /* relaxed: the waiter itself reads it. A signaller that fires it now finds it fired. */
    atomic_store_explicit(&waiter->outcome, (int)FILCH_SIGNALED, memory_order_relaxed);
}

enum filch_outcome filch_waiter_outcome(struct filch_waiter *waiter)
{
    /* acquire: pairs with the release in fire */
    return (enum filch_outcome)atomic_load_explicit(&waiter->outcome, memory_order_acquire);
}

static const struct filch_wait_host *host; /* NULL: there are no fibers */

void filch_wait_hosted_by(const struct filch_wait_host *scheduler)
{
    /* relaxed, here and below: a constant; a thread that knows a fiber has seen it */
    __atomic_store_n(&host, scheduler, __ATOMIC_RELAXED);
}

static const struct filch_wait_host *scheduler(void)
{
    return __atomic_load_n(&host, __ATOMIC_RELAXED);
}

void filch_ready_deliver(struct filch_ready_batch *batch)
{
    if (batch->count) {
        FILCH_ASSERT(scheduler()); /* or there were no fibers */
        scheduler()->ready(batch->fibers, batch->count);
        batch->count = 0;
    }
}

static void collect(struct filch_ready_batch *batch, struct filch_fiber *fiber)
{
    if (batch->count == FILCH_READY_MOST) {
        filch_ready_deliver(batch);
    }
    batch->fibers[batch->count++] = fiber;
}

/* What is read of a waiter before it is fired: a thread that polls may see the outcome, leave its
 * frame at once, and end. Its parker outlives it, maybe as another's; a fiber cannot run before we
 * make it ready. */
struct sleeper {
    struct filch_fiber *fiber;
    struct filch_parker *parker;
    uint64_t name; /* in a trace */
};

static struct sleeper sleeper_of(const struct filch_waiter *waiter)
{
    return (struct sleeper){waiter->fiber, waiter->parker,
                            waiter->fiber ? filch_trace_name_of(waiter->fiber)
                                          : waiter->parker->thread};
}

/* It was fired by us; a fiber whose turn it is to go on is put in the batch. */
static void wake(struct sleeper sleeper, bool armed, enum filch_outcome outcome,
                 struct filch_ready_batch *batch)
{
    filch_trace(FILCH_TRACE_READY, (unsigned)outcome, NULL, sleeper.name);
    if (armed && sleeper.fiber) {
        filch_prefetch((const char *)sleeper.fiber + FILCH_CACHE_LINE); /* its work */
        collect(batch, sleeper.fiber);
    } else if (armed) {
        filch_parker_unpark(sleeper.parker);
    }
}

/* End a wait. */
bool filch_waiter_end_in(struct filch_waiter *waiter, enum filch_outcome outcome,
                         struct filch_ready_batch *batch)
{
    FILCH_ASSERT(outcome >= FILCH_SIGNALED && !waiter->call);
    struct sleeper sleeper = sleeper_of(waiter);
    int old = decide(waiter, outcome, outcome);
    bool ended = old == FILCH_ARMING || old == FILCH_WAITING;
    if (ended) {
        wake(sleeper, old == FILCH_WAITING, outcome, batch);
    }
    return ended;
}

bool filch_waiter_end(struct filch_waiter *waiter, enum filch_outcome outcome)
{
    struct filch_ready_batch batch;
    batch.count = 0;
    bool ended = filch_waiter_end_in(waiter, outcome, &batch);
    filch_ready_deliver(&batch);
    return ended;
}

bool filch_waiter_claim(struct filch_waiter *waiter, struct filch_claims *claims)
{
    int old = decide(waiter, FILCH_CLAIMED_EARLY, FILCH_CLAIMED);
    if (old != FILCH_ARMING && old != FILCH_WAITING) {
        return false;
    }
    FILCH_ASSERT(!claims->first == !claims->last);
    waiter->next = NULL;
    if (claims->last) {
        claims->last->next = waiter;
    } else {
        claims->first = waiter;
    }
    claims->last = waiter;
    return true;
}

/* Signal one that we have claimed, which is our last touch of it. True: it was armed. */
static bool tell(struct filch_waiter *waiter)
{
    /* acquire: pairs with arm, as in decide */
    int old = atomic_load_explicit(&waiter->outcome, memory_order_acquire);
    if (FILCH_LIKELY(old == FILCH_CLAIMED)) {
        /* It changes no more: a store will do, where an exchange would cost. release: pairs with
         * outcome, the waiter sees what we did for it. */
        atomic_store_explicit(&waiter->outcome, (int)FILCH_SIGNALED, memory_order_release);
        return true;
    }
    /* acq_rel: the same, and release pairs with the failure in arm */
    old = atomic_exchange_explicit(&waiter->outcome, (int)FILCH_SIGNALED, memory_order_acq_rel);
    FILCH_ASSERT(old == FILCH_CLAIMED || old == FILCH_CLAIMED_EARLY); /* ours, and told once */
    return old == FILCH_CLAIMED;
}

void filch_claims_tell(struct filch_claims *claims)
{
    struct filch_ready_batch batch;
    batch.count = 0;
    struct filch_waiter *waiter = claims->first;
    while (waiter) {
        struct filch_waiter *next = waiter->next; /* one that is told may be gone */
        filch_prefetch(next);                     /* no other has touched it since it waits */
        struct sleeper sleeper = sleeper_of(waiter);
        wake(sleeper, tell(waiter), FILCH_SIGNALED, &batch);
        waiter = next;
    }
    filch_ready_deliver(&batch);
}

void filch_claims_tell_from_anywhere(struct filch_claims *claims)
{
    struct filch_waiter *next;
    for (struct filch_waiter *waiter = claims->first; waiter; waiter = next) {
        struct sleeper sleeper = sleeper_of(waiter);
        next = waiter->next; /* one that is told may be gone */
        bool armed = tell(waiter);
        if (armed && sleeper.fiber) {
            scheduler()->post(sleeper.fiber);
        } else if (armed) {
            filch_parker_unpark(sleeper.parker);
        }
    }
}

void filch_cell_init(struct filch_cell *cell)
{
    atomic_init(&cell->word, 0);
    cell->waiters = NULL;
}

bool filch_cell_done(struct filch_cell *cell)
{
    /* acquire: pairs with the release in unlock after complete; the result is visible */
    return atomic_load_explicit(&cell->word, memory_order_acquire) & DONE;
}

/* The word before it was locked. */
static uint32_t lock(struct filch_cell *cell)
{
    filch_rank_check(cell, FILCH_RANK_CELL);
    for (int i = 0;; i++) {
        /* acquire: pairs with the release in unlock */
        uint32_t old =
            atomic_fetch_or_explicit(&cell->word, (uint32_t)LOCKED, memory_order_acquire);
        if (!(old & LOCKED)) {
            filch_rank_take(cell, FILCH_RANK_CELL);
            return old;
        }
        if (i < FILCH_SPINS) {
            filch_relax();
        } else {
            filch_os_yield(); /* the holder was preempted */
        }
    }
}

static void unlock(struct filch_cell *cell, uint32_t word)
{
    FILCH_ASSERT(!(word & LOCKED));
    filch_rank_drop(cell);
    /* release: pairs with lock and filch_cell_done */
    atomic_store_explicit(&cell->word, word, memory_order_release);
}

bool filch_cell_add(struct filch_cell *cell, struct filch_waiter *waiter)
{
    uint32_t word = lock(cell);
    if (!(word & DONE)) {
        waiter->prev = NULL;
        waiter->next = cell->waiters;
        if (cell->waiters) {
            cell->waiters->prev = waiter;
        }
        cell->waiters = waiter;
    }
    unlock(cell, word);
    return !(word & DONE);
}

bool filch_cell_remove(struct filch_cell *cell, struct filch_waiter *waiter)
{
    uint32_t word = lock(cell);
    if (!(word & DONE)) { /* else complete has emptied the list, under the lock */
        FILCH_ASSERT(waiter->prev || cell->waiters == waiter);
        if (waiter->prev) {
            waiter->prev->next = waiter->next;
        } else {
            cell->waiters = waiter->next;
        }
        if (waiter->next) {
            waiter->next->prev = waiter->prev;
        }
    }
    unlock(cell, word);
    return !(word & DONE);
}

void filch_cell_settle(struct filch_cell *cell)
{
    while (!filch_cell_done(cell)) {
        filch_os_yield(); /* its completer is about to */
    }
    unlock(cell, lock(cell));
}

/* Wake those that sleep; return the list of those that are to be called. */
static struct filch_waiter *end_sleepers(struct filch_waiter *waiter)
{
    struct filch_waiter *to_call = NULL;
    struct filch_ready_batch batch;
    batch.count = 0;
    while (waiter) {
        struct filch_waiter *next = waiter->next; /* a fired waiter may be gone */
        filch_prefetch(next);                     /* no thread has touched it since it waits */
        if (waiter->call) {
            waiter->next = to_call;
            to_call = waiter;
        } else {
            bool sleeps = waiter->fiber || waiter->parker;
            filch_waiter_end_in(sleeps ? waiter : waiter->stands_for, FILCH_SIGNALED, &batch);
        }
        waiter = next;
    }
    filch_ready_deliver(&batch);
    return to_call;
}

struct filch_waiter *filch_cell_complete(struct filch_cell *cell)
{
    uint32_t word = lock(cell);
    FILCH_ASSERT(!(word & DONE)); /* it is completed once */
    struct filch_waiter *waiter = cell->waiters;
    cell->waiters = NULL;
    /* Done before any is woken, or a woken one would find it undone. The lock bit stays set:
     * a waiter that times out now waits in remove until we have passed its node. */
    atomic_store_explicit(&cell->word, (uint32_t)(DONE | LOCKED), memory_order_release);
    waiter = end_sleepers(waiter);
    unlock(cell, DONE);
    return waiter;
}

/* `more` before `rest`. */
static struct filch_waiter *join_waiters(struct filch_waiter *more, struct filch_waiter *rest)
{
    struct filch_waiter *last = more;
    while (last && last->next) {
        last = last->next;
    }
    if (last) {
        last->next = rest;
    }
    return more ? more : rest;
}

void filch_waiters_call(struct filch_waiter *waiters)
{
    while (waiters) {
        FILCH_ASSERT(waiters->call);
        struct filch_waiter *rest = waiters->next; /* one that has been called may be gone */
        waiters = join_waiters(waiters->call(waiters), rest);
    }
}

void filch_latch_init(struct filch_latch *latch)
{
    atomic_init(&latch->word, 0);
}

bool filch_latch_is_open(struct filch_latch *latch)
{
    /* acquire: pairs with the release in filch_latch_open */
    return atomic_load_explicit(&latch->word, memory_order_acquire) == latch_open;
}

bool filch_latch_add(struct filch_latch *latch, struct filch_waiter *waiter)
{
    uintptr_t closed = 0;
    /* release: pairs with the acquire in open: the opener reads the waiter. acquire on failure:
     * pairs with the release in open: the result is read next. acq_rel as in filch_waiter_arm. */
    bool waits = atomic_compare_exchange_strong_explicit(
        &latch->word, &closed, (uintptr_t)waiter, memory_order_acq_rel, memory_order_acquire);
    FILCH_ASSERT(waits || closed == latch_open); /* there is one waiter */
    return waits;
}

void filch_latch_open(struct filch_latch *latch)
{
    /* acq_rel: pairs with add and is_open. The last touch of the latch: its frame may go now; the
     * waiter cannot, before it is signalled. */
    uintptr_t waiter = atomic_exchange_explicit(&latch->word, latch_open, memory_order_acq_rel);
    FILCH_ASSERT(waiter != latch_open); /* it is opened once */
    if (waiter) {
        filch_waiter_end((struct filch_waiter *)waiter, FILCH_SIGNALED);
    }
}
