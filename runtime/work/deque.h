/* deque: the per-core queue of published work.
 *
 * The owner pushes and pops at the bottom (newest), any thread steals at the top (oldest). Entries
 * are opaque non-zero words. The ring grows; old rings are kept until the deque is freed, because
 * a slow thief may still be reading one.
 *
 * Source: Chase & Lev, "Dynamic circular work-stealing deque" (SPAA 2005), with C11 orders after
 * Lê, Pop, Cohen & Zappa Nardelli (PPoPP 2013). Their free fences are orders on the accesses here,
 * so that ThreadSanitizer sees them. Indices are 64 bits wide and never wrap in practice; the
 * arithmetic is right even if they do, and a test starts them near the wrap. */
#ifndef FILCH_DEQUE_H
#define FILCH_DEQUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/private.h"
#include "base/base.h"

struct filch_ring;

struct filch_deque {
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(uint64_t) top; /* thieves */

    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(uint64_t) bottom; /* the owner */
    _Atomic(struct filch_ring *) ring;                        /* the owner */
};

_Static_assert(offsetof(struct filch_deque, bottom) - offsetof(struct filch_deque, top) >=
                   FILCH_CACHE_LINE,
               "thieves and the owner write different lines");

enum filch_steal { FILCH_STEAL_GOT, FILCH_STEAL_EMPTY, FILCH_STEAL_LOST };

/* `start` is the first index: 0, or near the wrap in tests. False: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_deque_init(struct filch_deque *deque, size_t capacity,
                                                     uint64_t start);
FILCH_PRIVATE void filch_deque_destroy(struct filch_deque *deque);

/* Owner. False: the ring was full and could not grow; the deque is unchanged. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_deque_push(struct filch_deque *deque, uintptr_t entry);

/* Owner. The newest entry, or 0. */
FILCH_PRIVATE uintptr_t filch_deque_pop(struct filch_deque *deque);

/* Owner. Pop the newest entry if it is `entry`: how a joiner removes what it takes back. */
FILCH_PRIVATE bool filch_deque_pop_if(struct filch_deque *deque, uintptr_t entry);

/* Any thread. LOST: another was faster, there may be more. */
FILCH_PRIVATE enum filch_steal filch_deque_steal(struct filch_deque *deque, uintptr_t *entry);

/* Any thread. The oldest entry, not taken, or 0; it may be gone by the time it is looked at. */
FILCH_PRIVATE uintptr_t filch_deque_peek(struct filch_deque *deque);

/* Any thread. A hint, exact only when no other moves. */
FILCH_PRIVATE size_t filch_deque_count(struct filch_deque *deque);

#endif
