/* task_future: the inside of a future, for the parts of api/ that make some.
 *
 * The claimer of a pending future runs its task, or cancels it, and so owns its end: the pool, when
 * its queue's entry comes up, or a caller before that. The pool counts a task as there until
 * both the entry has come up and the end has been seen to, so it is not freed under a claimer.
 * References: one for each owner that the user has, one for the queue's entry, one for a promise.
 */
#ifndef FILCH_TASK_FUTURE_H
#define FILCH_TASK_FUTURE_H

#include <stdatomic.h>

#include <filch/future.h>

#include "base/private.h"
#include "future/needs.h"
#include "pool/fault.h"
#include "sched/cancel.h"
#include "sched/pending.h"
#include "sched/pool.h"
#include "sleep/party.h"
#include "sleep/wait.h"
#include "trace/tracer.h"
#include "work/lane.h"
#include "work/work.h"

struct filch_pool;
/* Something that is freed with a future: future_fd.c. */
struct filch_notifier {
    void (*free)(struct filch_notifier *notifier);
};

static inline void filch_notifier_free(struct filch_notifier *notifier)
{
    if (notifier) {
        notifier->free(notifier);
    }
}

/* Futures that have no owner any more, to be freed: a list, because one may keep others, and these
 * others, to any depth. */
struct filch_unowned {
    struct filch_work *first;
};

/* What futures of one kind have in common; static. NULL in a field: nothing. */
struct filch_future_kind {
    void (*run)(struct filch_future *future);     /* the task, inside the pool */
    void (*release)(struct filch_future *future); /* what it holds, once, when it has ended */
    /* What it keeps until its memory goes; futures are disowned, not freed. */
    void (*dismantle)(struct filch_future *future, struct filch_unowned *unowned);
    /* Of one that waits for others: stop waiting. True: they will not call. */
    bool (*withdraw)(struct filch_future *future);
    /* Of one that is accepted before it can run. */
    struct filch_pending *(*pending)(struct filch_future *future);
    /* Calls need() for each future that it needs, as long as it keeps them. Any thread that has a
     * reference. */
    void (*visit_needs)(struct filch_future *future, struct filch_needs_visitor *visitor);
};

struct filch_future {
    struct filch_detached task;
    const struct filch_future_kind *kind;
    struct filch_cell cell;
    _Atomic(uint32_t) owners;
    _Atomic(int) claim;                   /* enum claim, task_future.c */
    struct filch_pool *pool;              /* NULL for a promise's; valid until the task has ended */
    _Atomic(struct filch_party *) runner; /* the party that runs its task; for its waiters */
    const filch_function_info *info;
    filch_callbacks *callbacks;                /* what its end calls, before it is ready; or NULL */
    _Atomic(struct filch_notifier *) notifier; /* future_fd.c; NULL: none was asked for */
    size_t result_bytes;
    bool background;                 /* it is put off */
    filch_status outcome;            /* the claimer, before the cell is complete */
    uint32_t token;                  /* constant; of the process that made it */
    uint64_t modes;                  /* of its submitter (os_modes.h) */
    struct filch_cancel_scope scope; /* of its task: how that is asked to stop while it runs */
    filch_closure closure;           /* of apply_async */
    void (*destroy_result)(void *);  /* NULL, or of what is in its payload: placed.h */
    struct filch_fault fault;
    FILCH_ALIGNED(16) unsigned char payload[]; /* the aligned result; or what run needs */
};

static inline void filch_future_destroy_result(struct filch_future *future)
{
    if (future->destroy_result) {
        future->destroy_result(future->payload);
    }
}

/* One owner more, of one that no other thread knows yet. */
FILCH_PRIVATE void filch_future_retain_unshared(struct filch_future *future);

/* One owner less; if it was the last, into the list. NULL: no-op. */
FILCH_PRIVATE void filch_future_disown(struct filch_future *future, struct filch_unowned *unowned);

/* In the child of a fork(): it was pending in the parent, and stays so here. */
FILCH_PRIVATE bool filch_future_is_parents(struct filch_future *future);

/* Claimed by the caller, which holds a reference: spare its pool the entry, if that comes soon.
 * True: the entry's reference is the caller's. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_future_withdraw(struct filch_future *future);

/* A pending future with `payload_bytes` of payload, which is not set, and one owner; NULL: no
 * memory. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_future *filch_future_new(
    size_t payload_bytes, const struct filch_future_kind *kind, const filch_function_info *info);

/* The same whose payload is aligned at `offset` (a multiple of 16) for what lies there. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_future *filch_future_new_at(
    size_t payload_bytes, size_t alignment, size_t offset, const struct filch_future_kind *kind,
    const filch_function_info *info);

/* It is to be run later, when filch_future_go() says so: it counts as accepted by its pool from now
 * on. `options`: of the call that makes it, or NULL. On failure it is released and gone. No other
 * thread knows it yet. The caller then has filch_future_go() called, and if that may take time,
 * holds a reference and calls filch_future_waits(), so that it is cancelled if the pool is
 * terminated. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_future_accept(struct filch_future *future,
                                                                struct filch_pool *pool,
                                                                const filch_options *options,
                                                                struct filch_future **out);

FILCH_PRIVATE void filch_future_waits(struct filch_future *future);

/* How its pool knows a future that waits for others, which has this in its payload. */
struct filch_future_awaiting {
    struct filch_pending pending;
    struct filch_future *future; /* itself */
};

FILCH_PRIVATE void filch_future_awaiting_init(struct filch_future_awaiting *awaiting,
                                              struct filch_future *future);

/* What it waits for has ended as `before` did, so it does, too, without having run, if it has not
 * ended yet; filch_future_go() is to be called nevertheless, by the caller or another thread that
 * has been called, later. Returns what is to be called (wait.h). */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_waiter *filch_future_end_early(
    struct filch_future *future, const struct filch_future *before);

/* It waits for others, each of which is told of then. For the recording. */
static inline void filch_future_trace_needs(const struct filch_future *future,
                                            enum filch_trace_needs which)
{
    filch_trace(FILCH_TRACE_NEEDS, which, future->info, filch_trace_name_of(future));
}

static inline void filch_future_trace_need(const struct filch_future *need)
{
    filch_trace(FILCH_TRACE_NEED, 0, need->info, filch_trace_name_of(need));
}

/* Now it can run; or, if it was cancelled meanwhile, be forgotten. */
FILCH_PRIVATE void filch_future_go(struct filch_future *future);

/* The details of how a ready future ended. */
static inline void filch_future_tell(const struct filch_future *future, filch_error *error)
{
    filch_fault_result(&future->fault, error);
    error->status = future->outcome;
}

/* It ends as `before` did, without having run. */
FILCH_PRIVATE void filch_future_end_like(struct filch_future *future,
                                         const struct filch_future *before);

/* Before it has a pool: what the call that makes it was told. FILCH_ENOMEM: nothing has changed. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_future_obey(struct filch_future *future,
                                                              const filch_options *options);

/* It has ended: the one of its callbacks that is for that, once. What it raises is dropped: it
 * belongs to no task. */
FILCH_PRIVATE void filch_future_call_back(struct filch_future *future);

/* Hand it to its pool; `options`: of the call that makes it, or NULL. On success *out, if asked
 * for, gets the caller's reference; on failure the future is released and gone. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_future_submit(struct filch_future *future,
                                                                struct filch_pool *pool,
                                                                const filch_options *options,
                                                                struct filch_future **out);

/* Not the queue: try to own its end; then filch_future_finish(), then filch_future_unclaim(). */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_future_claim(struct filch_future *future);

/* By the owner of its end: it ends with `outcome`; waiters are woken. */
FILCH_PRIVATE void filch_future_finish(struct filch_future *future, filch_status outcome);

/* The same for one that ends because another has: what is to be called is returned (wait.h). */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_waiter *filch_future_complete(
    struct filch_future *future, filch_status outcome);

enum filch_future_runs_in {
    FILCH_RUNS_IN_TURN,     /* its pool has come to it */
    FILCH_RUNS_FOR_A_WAITER /* which runs it itself */
};

/* By its claimer: run its task on the fiber that we are on, and finish it. */
FILCH_PRIVATE void filch_future_execute(struct filch_future *future,
                                        enum filch_future_runs_in place);

/* The party that runs it, or NULL; a glance. */
FILCH_PRIVATE struct filch_party *filch_future_runner(struct filch_future *future);

/* It is claimed: a thread runs it, or has, or it was cancelled. A glance. */
FILCH_PRIVATE bool filch_future_has_begun(struct filch_future *future);

/* The claimer cannot see to its end after all: it is pending again, with one of the caller's
 * references. */
FILCH_PRIVATE void filch_future_give_back(struct filch_future *future);

/* The claimer is done with the future's pool. */
FILCH_PRIVATE void filch_future_unclaim(struct filch_future *future);

#endif
