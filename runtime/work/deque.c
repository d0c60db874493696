#include "work/deque.h"

#include "base/assert.h"
#include "base/memory.h"

struct filch_ring {
    struct filch_ring *older;
    uint64_t mask;
    _Atomic(uintptr_t) entries[1]; /* mask + 1 of them */
};

static struct filch_ring *ring_new(uint64_t capacity, struct filch_ring *older)
{
    size_t bytes = sizeof(struct filch_ring) + (size_t)(capacity - 1) * sizeof(_Atomic(uintptr_t));
    struct filch_ring *ring = (struct filch_ring *)filch_calloc(1, bytes);
    if (ring) {
        ring->older = older;
        ring->mask = capacity - 1;
    }
    return ring;
}

static uintptr_t ring_get(struct filch_ring *ring, uint64_t index)
{
    /* relaxed: the acquire of bottom (or of ring) that told us of this index orders the read, and
     * an entry that was overwritten since is refused by the compare-exchange of top */
    return atomic_load_explicit(&ring->entries[index & ring->mask], memory_order_relaxed);
}

static void ring_put(struct filch_ring *ring, uint64_t index, uintptr_t entry)
{
    /* relaxed: published by the release of bottom (push) or of ring (grow) */
    atomic_store_explicit(&ring->entries[index & ring->mask], entry, memory_order_relaxed);
}

bool filch_deque_init(struct filch_deque *deque, size_t capacity, uint64_t start)
{
    FILCH_ASSERT(capacity && (capacity & (capacity - 1)) == 0); /* the mask needs a power of 2 */
    struct filch_ring *ring = ring_new(capacity, NULL);
    atomic_init(&deque->top, start);
    atomic_init(&deque->bottom, start);
    atomic_init(&deque->ring, ring);
    return ring != NULL;
}

void filch_deque_destroy(struct filch_deque *deque)
{
    /* relaxed: no other thread is left */
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    while (ring) {
        struct filch_ring *older = ring->older;
        filch_free(ring);
        ring = older;
    }
    atomic_store_explicit(&deque->ring, (struct filch_ring *)NULL, memory_order_relaxed);
}

/* Twice the ring with the entries [top, bottom); NULL when there is no memory. */
static struct filch_ring *grow(struct filch_deque *deque, struct filch_ring *ring, uint64_t top,
                               uint64_t bottom)
{
    FILCH_ASSERT(bottom - top == ring->mask + 1); /* full, and no more than that */
    struct filch_ring *bigger = ring_new((ring->mask + 1) * 2, ring);
    if (!bigger) {
        return NULL;
    }
    for (uint64_t i = top; i != bottom; i++) {
        ring_put(bigger, i, ring_get(ring, i));
    }
    /* release: pairs with the acquire of ring in steal; a thief that sees the new ring sees the
     * entries copied into it */
    atomic_store_explicit(&deque->ring, bigger, memory_order_release);
    return bigger;
}

bool filch_deque_push(struct filch_deque *deque, uintptr_t entry)
{
    FILCH_ASSERT(entry); /* 0 means that there is none */
    /* relaxed: bottom and ring are written by the owner alone */
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    /* acquire: pairs with the compare-exchange of top in steal; a cell is overwritten only after
     * its thief has read it */
    uint64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    FILCH_ASSERT((int64_t)(bottom - top) >= 0);
    if (FILCH_UNLIKELY(bottom - top > ring->mask)) {
        ring = grow(deque, ring, top, bottom);
        if (!ring) {
            return false;
        }
    }
    ring_put(ring, bottom, entry);
    /* release: pairs with the acquire of bottom in steal and peek; a thief that sees this bottom
     * sees the entry and what it points to */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return true;
}

uintptr_t filch_deque_pop(struct filch_deque *deque)
{
    /* relaxed: written by the owner alone */
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    /* relaxed: a stale top only hides that the deque has become empty */
    if (bottom == atomic_load_explicit(&deque->top, memory_order_relaxed)) {
        return 0;
    }
    bottom--;
    /* seq_cst store of bottom, then seq_cst load of top; steal loads top, then bottom, both
     * seq_cst: at least one of the two sees the other, so the last entry is not handed out twice.
     * It also releases, as push does: a thief may learn of older entries from this value. */
    atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
    uint64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    uintptr_t entry = 0;
    FILCH_ASSERT((int64_t)(bottom - top) >= -1); /* thieves have taken the last, and no more */
    if ((int64_t)(bottom - top) >= 0) {
        entry = ring_get(ring, bottom);
        FILCH_ASSERT(entry);
        if (bottom != top) {
            return entry; /* more than one left: no thief can reach this one */
        }
        /* The last one: race the thieves for it. seq_cst: one order with steal's; relaxed on
         * failure: what it read is not used. */
        if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1,
                                                     memory_order_seq_cst, memory_order_relaxed)) {
            entry = 0;
        }
    }
    /* release: as in push */
    atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_release);
    return entry;
}

bool filch_deque_pop_if(struct filch_deque *deque, uintptr_t entry)
{
    /* relaxed: written by the owner alone */
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_relaxed);
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_relaxed);
    /* The cell below bottom may be a stolen one's; then pop finds the deque empty and returns 0. */
    return ring_get(ring, bottom - 1) == entry && filch_deque_pop(deque) == entry;
}

enum filch_steal filch_deque_steal(struct filch_deque *deque, uintptr_t *entry)
{
    /* seq_cst, both: the other half of pop's. The load of bottom acquires push's release. */
    uint64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    if ((int64_t)(bottom - top) <= 0) {
        return FILCH_STEAL_EMPTY;
    }
    /* acquire: pairs with the release in grow. The ring is read after bottom, so it holds `top`. */
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_acquire);
    uintptr_t got = ring_get(ring, top);
    /* seq_cst: one order with pop's; its release half pairs with push's acquire of top */
    if (!atomic_compare_exchange_strong_explicit(&deque->top, &top, top + 1, memory_order_seq_cst,
                                                 memory_order_relaxed)) {
        return FILCH_STEAL_LOST;
    }
    FILCH_ASSERT(got); /* a thief that won has read what was there */
    *entry = got;
    return FILCH_STEAL_GOT;
}

uintptr_t filch_deque_peek(struct filch_deque *deque)
{
    /* acquire, all three: as in steal; nothing is taken, so no common order is needed */
    uint64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_acquire);
    if ((int64_t)(bottom - top) <= 0) {
        return 0;
    }
    struct filch_ring *ring = atomic_load_explicit(&deque->ring, memory_order_acquire);
    return ring_get(ring, top);
}

size_t filch_deque_count(struct filch_deque *deque)
{
    /* seq_cst: read by sleepers between their announcement and their sleep (park.h) */
    uint64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
    uint64_t bottom = atomic_load_explicit(&deque->bottom, memory_order_seq_cst);
    int64_t count = (int64_t)(bottom - top);
    return count > 0 ? (size_t)count : 0;
}
