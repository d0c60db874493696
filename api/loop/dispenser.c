#include "loop/dispenser.h"

#include <string.h>

#include "base/assert.h"

void filch_dispenser_init(struct filch_dispenser *dispenser, size_t n, size_t limit)
{
    dispenser->n = n;
    dispenser->slots = filch_least(filch_least(n, limit), FILCH_SLOTS_MAX);
    atomic_init(&dispenser->next, 0);
    atomic_init(&dispenser->returned_count, 0);
    atomic_init(&dispenser->inside, 0);
    filch_lock_init(&dispenser->lock);
    dispenser->returned = NULL;
    memset(dispenser->taken, 0, (dispenser->slots + 63) / 64 * sizeof *dispenser->taken);
}

/* ---- under the lock ---- */

/* relaxed, here and below: written under the lock, glanced at without */
static void add_locked(_Atomic(uint32_t) *count, uint32_t more)
{
    uint32_t old = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, old + more, memory_order_relaxed);
}

/* The lowest that is free. There is one. */
static size_t take_slot_locked(struct filch_dispenser *dispenser)
{
    size_t word = 0;
    while (dispenser->taken[word] == UINT64_MAX) {
        word++;
    }
    unsigned bit = (unsigned)__builtin_ctzll(~dispenser->taken[word]);
    dispenser->taken[word] |= (uint64_t)1 << bit;
    return word * 64 + bit;
}

static void free_slot_locked(struct filch_dispenser *dispenser, size_t slot)
{
    uint64_t bit = (uint64_t)1 << slot % 64;
    FILCH_ASSERT(dispenser->taken[slot / 64] & bit);
    dispenser->taken[slot / 64] &= ~bit;
}

/* Where the link to it is; to the end of the list, if it is not there. */
static struct filch_portion **link_to(struct filch_dispenser *dispenser,
                                      const struct filch_portion *portion)
{
    struct filch_portion **link = &dispenser->returned;
    while (*link && *link != portion) {
        link = &(*link)->after;
    }
    return link;
}

/* Its own, else the lowest. False: none was given back. */
static bool take_returned_locked(struct filch_dispenser *dispenser, struct filch_portion *portion)
{
    struct filch_portion **link =
        portion->is_returned ? link_to(dispenser, portion) : &dispenser->returned;
    struct filch_portion *taken = *link;
    if (!taken) {
        return false;
    }
    *link = taken->after;
    add_locked(&dispenser->returned_count, (uint32_t)-1);
    taken->is_returned = false;
    portion->next = taken->returned_next;
    portion->end = taken->returned_end;
    return true;
}

/* ---- for participants ---- */

bool filch_dispenser_enter(struct filch_dispenser *dispenser, struct filch_portion *portion)
{
    filch_lock_acquire(&dispenser->lock, FILCH_RANK_SLOTS);
    bool enters = atomic_load_explicit(&dispenser->inside, memory_order_relaxed) < dispenser->slots;
    if (enters) {
        portion->next = portion->end = 0;
        portion->is_returned = false;
        portion->slot = take_slot_locked(dispenser);
        add_locked(&dispenser->inside, 1);
        FILCH_ASSERT(portion->slot < dispenser->slots);
    }
    filch_lock_release(&dispenser->lock);
    return enters;
}

static bool take_returned(struct filch_dispenser *dispenser, struct filch_portion *portion)
{
    filch_lock_acquire(&dispenser->lock, FILCH_RANK_SLOTS);
    bool taken = take_returned_locked(dispenser, portion);
    filch_lock_release(&dispenser->lock);
    return taken;
}

bool filch_dispenser_take(struct filch_dispenser *dispenser, struct filch_portion *portion,
                          size_t most, size_t parts)
{
    FILCH_ASSERT(portion->next == portion->end && most >= 1 && parts >= 1);
    if (FILCH_UNLIKELY(filch_dispenser_has_returned(dispenser)) &&
        take_returned(dispenser, portion)) {
        return true;
    }
    /* relaxed, all of this word: only the number matters */
    size_t first = atomic_load_explicit(&dispenser->next, memory_order_relaxed);
    size_t count;
    do {
        if (first >= dispenser->n) {
            return false;
        }
        size_t part = (dispenser->n - first) / parts;
        count = filch_least(part ? part : 1, most);
    } while (!atomic_compare_exchange_weak_explicit(&dispenser->next, &first, first + count,
                                                    memory_order_relaxed, memory_order_relaxed));
    portion->next = first;
    portion->end = first + count;
    return true;
}

void filch_dispenser_return(struct filch_dispenser *dispenser, struct filch_portion *portion)
{
    if (portion->next == portion->end) {
        return;
    }
    filch_lock_acquire(&dispenser->lock, FILCH_RANK_SLOTS);
    FILCH_ASSERT(!portion->is_returned); /* it has taken it back before it took another */
    struct filch_portion **link = &dispenser->returned;
    while (*link && (*link)->returned_next < portion->next) {
        link = &(*link)->after;
    }
    portion->returned_next = portion->next;
    portion->returned_end = portion->end;
    portion->is_returned = true;
    portion->after = *link;
    *link = portion;
    add_locked(&dispenser->returned_count, 1);
    portion->end = portion->next;
    filch_lock_release(&dispenser->lock);
}

bool filch_dispenser_leave(struct filch_dispenser *dispenser, struct filch_portion *portion)
{
    filch_lock_acquire(&dispenser->lock, FILCH_RANK_SLOTS);
    bool leaves = !take_returned_locked(dispenser, portion);
    if (leaves) {
        free_slot_locked(dispenser, portion->slot);
        add_locked(&dispenser->inside, (uint32_t)-1);
    }
    filch_lock_release(&dispenser->lock);
    return leaves;
}

void filch_dispenser_close(struct filch_dispenser *dispenser)
{
    filch_lock_acquire(&dispenser->lock, FILCH_RANK_SLOTS);
    for (struct filch_portion *p = dispenser->returned; p; p = p->after) {
        p->is_returned = false;
    }
    dispenser->returned = NULL;
    atomic_store_explicit(&dispenser->returned_count, 0, memory_order_relaxed);
    filch_lock_release(&dispenser->lock);
    /* relaxed: one that takes at the same time may have had some */
    atomic_store_explicit(&dispenser->next, dispenser->n, memory_order_relaxed);
}
