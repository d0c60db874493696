/* thread: what filch knows of one thread of the operating system, a pool's or the program's.
 *
 * Records are never freed while the process lives: a waker may hold a parker's address a moment
 * after its thread is gone (park.h). They are handed on to new threads instead. */
#ifndef FILCH_THREAD_H
#define FILCH_THREAD_H

#include "base/private.h"
#include "base/memory.h"
#include "sched/fiber.h"
#include "sleep/park.h"

struct filch_core;

/* In the child of a fork(): where in the parent's pool its one thread was, which it has left. */
enum filch_left { FILCH_LEFT_NOTHING, FILCH_LEFT_REGION, FILCH_LEFT_TASK };

struct filch_thread {
    struct filch_parker parker;
    struct filch_party party;          /* while it runs no fiber of a pool's own */
    _Atomic(uint32_t) naps;            /* odd: it sleeps, and another must wake it; deadlock.c */
    _Atomic(struct filch_pool *) pool; /* a pool's thread: whose; see filch_thread_pool */
    struct filch_core *core;           /* the core it holds, or NULL */
    struct filch_fiber
        *fiber;         /* the fiber it runs, or NULL: it is not in a pool, or in its own loop */
    unsigned processor; /* one more than the core whose processor it is bound to; 0: none */
    bool woken;         /* from sleep, by one that counts on us to wake the next */
    bool fresh;         /* a pool's: it has not been without work yet */
    bool between_jobs;  /* its fiber's job has ended: a woken fiber may follow at once */
    struct filch_heap_count heap; /* of all whose record this was */
    struct filch_leave leave;
    struct filch_context native;
    void *fault_stack; /* constant once made: that of overflow.h; its record keeps it */
    struct filch_exceptions *exceptions; /* a pool's thread: the C++ runtime's for it, or NULL */
    void *native_fake_stack;             /* the sanitizers' view of the native stack */
    const void *native_low;
    size_t native_bytes;
    void *native_tsan_fiber;
    struct filch_thread *next;  /* lock of the process object */
    struct filch_thread *older; /* constant: the record made before it */
    bool live;                  /* lock of the process object: it is a thread's */
    uint64_t blocked_signals; /* constant while it is a thread's: those blocked at its first call */
    enum filch_left left;     /* until it has left the region, or for good */
};

/* The calling thread's record, made at its first call. NULL: no memory. Never cache the result
 * across a call that can block: the fiber may go on on another thread. */
FILCH_PRIVATE struct filch_thread *filch_thread_self(void);

/* The same without making one. */
FILCH_PRIVATE struct filch_thread *filch_thread_known(void);

/* The calling fiber, or thread. NULL: no memory. */
FILCH_PRIVATE struct filch_party *filch_party_self(void);

/* The same; NULL also if the thread has made no call yet. */
FILCH_PRIVATE struct filch_party *filch_party_known(void);

/* Whose thread it is, if it is a pool's; or was, of a record that is no thread's any more. */
static inline struct filch_pool *filch_thread_pool(struct filch_thread *thread)
{
    /* relaxed: set before the thread starts; others than itself only guess */
    return atomic_load_explicit(&thread->pool, memory_order_relaxed);
}

/* The calling thread sleeps from here to there, until another wakes it. */
FILCH_PRIVATE void filch_thread_nap(struct filch_thread *thread);
FILCH_PRIVATE void filch_thread_rise(struct filch_thread *thread);

/* It ends as a guest of a pool: what it holds there is given back. region.c. */
FILCH_PRIVATE void filch_thread_give_up(struct filch_thread *thread);

/* Its maker: it is to have a stack to handle faults on, if there is memory. Had the thread to ask
 * for that itself, the C library would make a heap for it. */
FILCH_PRIVATE void filch_thread_furnish(struct filch_thread *thread);

/* A pool's thread begins with a record that its maker took, and ends by giving it back. */
FILCH_PRIVATE void filch_thread_adopt(struct filch_thread *thread);
FILCH_PRIVATE void filch_thread_resign(void);

#endif
