/* party: one that can wait and be waited for: a fiber of a pool, or a thread of the program.
 *
 * One that waits says so here, for those that look at it from outside: a dump, and the search for
 * deadlocks (deadlock.c). No party can leave a wait while it is being looked at:
 *
 *   word   2n      it does not wait; this was its n-th wait
 *          2n + 1  it waits
 *
 * with the top bit set by the one that looks, for a moment. The party alone changes the rest. */
#ifndef FILCH_PARTY_H
#define FILCH_PARTY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/lane.h>

#include "base/private.h"

struct filch_party;
struct filch_releases;
struct filch_waiter;

/* Register a waiter; false: what it would wait for is there already. */
typedef bool filch_enlist(struct filch_waiter *waiter, void *context);

/* What can be waited for; static. The context says which one. */
struct filch_wait_kind {
    const char *what;     /* "a mutex" */
    filch_enlist *enlist; /* NULL: only the deadline */
    /* Undo enlist, of a wait that began and was not signalled; or NULL. The waiter is gone after
     * that: a thread that could still find it must not. */
    void (*leave)(struct filch_waiter *waiter, void *context);
    bool always_leaves; /* also when it was signalled: it may stand in other lines still */
    const void *(*object)(void *context); /* where it is; or NULL */
    /* The one that alone can end it, NULL: none in particular. Any thread; the wait goes on. */
    struct filch_party *(*holder)(void *context);
    /* Is it claimed (wait.h), but not to be told before the holder has served it? Or NULL: no. */
    bool (*moved)(void *context);
    bool in_handlers; /* a signal handler can end it */
    bool outside;     /* something outside of the program can end it */
    bool derived;     /* it ends when other work does, which may wait itself */
};

struct filch_party {
    FILCH_ALIGNED(8) _Atomic(uint32_t) word; /* low bits of its address are flags: mutex.c */
    bool forever;                            /* no deadline */
    const struct filch_wait_kind *kind;      /* the last wait's */
    void *context;                           /* the last wait's */
    struct filch_waiter *waiter;     /* the last wait's; NULL: only what it waits for ends it */
    struct filch_releases *releases; /* api/pool/closure.c: it is inside a destructor; or NULL */
    _Atomic(uintptr_t) doing;        /* the filch_function_info of what it runs; 0: none */
    uint64_t thread_id;              /* constant; 0: of a fiber */
};

FILCH_PRIVATE void filch_party_begin_wait(struct filch_party *party,
                                          const struct filch_wait_kind *kind, void *context,
                                          struct filch_waiter *waiter, bool forever);
FILCH_PRIVATE void filch_party_end_wait(struct filch_party *party);

/* Another thread: hold it in its wait, if it waits, and in the same as when *wait was set if *wait
 * is not 0. False: it does not. To be let go of soon. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_party_hold(struct filch_party *party, uint32_t *wait);
FILCH_PRIVATE void filch_party_let_go(struct filch_party *party);

/* The same for a caller that must not miss it because others look at it, too. */
FILCH_PRIVATE bool filch_party_hold_surely(struct filch_party *party);

static inline const filch_function_info *filch_party_doing(const struct filch_party *party)
{
    /* relaxed: descriptors are static */
    return (const filch_function_info *)atomic_load_explicit(&party->doing, memory_order_relaxed);
}

static inline void filch_party_do(struct filch_party *party, const filch_function_info *info)
{
    atomic_store_explicit(&party->doing, (uintptr_t)info, memory_order_relaxed); /* as above */
}

#endif
