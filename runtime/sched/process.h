/* process: the one object of which there is one per process.
 *
 * The child of a fork() has one thread, and a copy of everything else. What was under way in the
 * parent never ends there, so objects say whose they are, by a token, and a wait for something of
 * the parent's is refused on the way in. The parent's threads and pools are forgotten; locks that
 * were held are free (lock.h). Waiters of the parent's must not be touched: the stacks that they
 * are on may have been given away. */
#ifndef FILCH_PROCESS_PRIVATE_H
#define FILCH_PROCESS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"
#include "os/lock.h"

struct filch_party;
struct filch_thread;
struct filch_pool;
struct filch_registered;

struct filch_waiter;

enum { FILCH_LOOK_NS = 100000000 }; /* a thread that has slept that long looks */

typedef void filch_look(struct filch_waiter *own);

struct filch_process {
    struct filch_lock lock;
    struct filch_thread *spare_threads;           /* lock */
    _Atomic(struct filch_thread *) newest_thread; /* lock to write; all records, by `older` */
    struct filch_thread *absent_threads;       /* constant; the parent's records: a look finds them
                                            in use */
    _Atomic(struct filch_pool *) default_pool; /* lock to write */
    bool warned;         /* lock; of an environment variable that makes no sense */
    uint32_t last_token; /* lock */
    bool forked;         /* constant: it is the child of one that used filch */
    _Atomic(_Atomic(uint32_t) *) fork_word; /* lock to write; it points to 0 in a child */
    struct filch_lock registry_lock;
    struct filch_registered *registered; /* registry_lock; api/pool/registry.c */
    uint64_t last_registered;            /* registry_lock; its number */
    _Atomic(uint32_t) posters;  /* threads that wake a fiber, not yet done with its pool; post.c */
    _Atomic(filch_look *) look; /* finds waits that nothing can end; NULL: no thread has asked */
    _Atomic(bool) pinned;       /* filch_process_pin() is done */
    unsigned cpu_count;         /* lock, until it is not 0 */
    char cpu_reason[48];        /* lock, as cpu_count */

    struct filch_lock dump_lock;
    int dump_signal;     /* dump_lock; 0: none */
    int dump_event[2];   /* dump_lock to write; api/pool/dump_signal.c */
    bool has_dump_event; /* dump_lock */

    struct filch_lock pools_lock; /* held while a thread looks at other pools: they stay */
    struct filch_pool *pools;     /* pools_lock */
    uint32_t pool_number;         /* pools_lock; the last one's */
    uint64_t reported_deadlock;   /* pools_lock; the last one */
};

FILCH_PRIVATE struct filch_process *filch_process(void);

/* To be called before the first thread, key or handler that is ours, whichever comes first, and
 * without a lock: another thread may hold the loader's and wait for ours. A plug-in that contains
 * this library then stays where it is when it is unloaded, and is there still when it is loaded
 * again. */
FILCH_PRIVATE void filch_process_pin(void);

/* The records of all threads there are or have been, through `older`. Also for signal handlers. */
static inline struct filch_thread *filch_process_newest_thread(struct filch_process *process)
{
    /* acquire: pairs with the release in make_record; they are made */
    return atomic_load_explicit(&process->newest_thread, memory_order_acquire);
}

/* A number that says "this process, not its parent". 0: no memory. */
FILCH_PRIVATE uint32_t filch_process_token(void);

/* False: `token` was given out before a fork(), in the parent. */
FILCH_PRIVATE bool filch_process_owns(uint32_t token);

/* The same of objects that may have got no token, or none yet: 0, and nothing is known of them. */
static inline bool filch_process_inherited(uint32_t token)
{
    return token && !filch_process_owns(token);
}

/* Is that a thread, or the fiber of a pool, of this process? Takes its time. */
FILCH_PRIVATE bool filch_process_has_party(const struct filch_party *party);

/* In the child of a fork(): is the holder of something in the parent, so that no thread here will
 * let go of it? token: of the process that used it last, or 0; holder: may be NULL, none. */
FILCH_PRIVATE bool filch_process_lacks(const struct filch_party *holder, uint32_t token);

/* A sleeper looks after a while whether anything can still wake it. How that is done is a
 * matter of debug/deadlock.c, which is above; `own`: see filch_deadlock_look(). */
FILCH_PRIVATE void filch_process_look(struct filch_waiter *own);
FILCH_PRIVATE void filch_process_look_by(filch_look *look); /* from now on */

/* All pools that are open, for threads that look at them from outside. */
FILCH_PRIVATE void filch_process_add_pool(struct filch_pool *pool);
FILCH_PRIVATE bool filch_process_remove_pool(struct filch_pool *pool); /* true: there are others */

/* Their cores take part in the recording that has begun; or leave the one that has ended. */
FILCH_PRIVATE void filch_process_join_recording(void);
FILCH_PRIVATE void filch_process_leave_recording(void);

FILCH_PRIVATE FILCH_MUST_CHECK struct filch_thread *filch_process_take_thread(void);
FILCH_PRIVATE void filch_process_give_thread(struct filch_thread *thread);

#endif
