/* work: what a core can be given to do, and the one word that names it in a deque.
 *
 *   slot    latent work that a fiber has published (lane.h); the word is the slot's address + 1
 *   task    a detached closure (a future's, a pool call's)
 *   fiber  a suspended fiber that is ready to go on
 *
 * Tasks and fibers carry a `struct filch_work` and can wait in a queue without allocation. */
#ifndef FILCH_WORK_H
#define FILCH_WORK_H

#include <stdint.h>

#include <filch/lane.h>

/* Lines that a fiber touches when it goes on, if it has waited in a small function: of its stack,
 * which ends where its header begins, and from there on. About: they are fetched before its turn.
 */
enum { FILCH_FIBER_LINES_BEFORE = 16, FILCH_FIBER_LINES_FROM = 5 };

enum filch_work_kind { FILCH_WORK_TASK, FILCH_WORK_FIBER };

struct filch_work {
    struct filch_work *next; /* the holder of the queue's lock */
    enum filch_work_kind kind;
};

/* A detached closure. `run` is called once, on the stack of a pool's fiber. */
struct filch_detached {
    struct filch_work work;
    void (*run)(struct filch_detached *task);
};

static inline uintptr_t filch_entry_of_slot(filch_slot *slot)
{
    return (uintptr_t)slot + 1;
}

static inline uintptr_t filch_entry_of_work(struct filch_work *work)
{
    return (uintptr_t)work;
}

static inline filch_slot *filch_entry_slot(uintptr_t entry) /* NULL: it is not a slot */
{
    return entry & 1 ? (filch_slot *)(entry - 1) : NULL;
}

static inline struct filch_work *filch_entry_work(uintptr_t entry)
{
    return (struct filch_work *)entry;
}

#endif
