/* stack: memory for fibers, in slabs that stay mapped until the pool is freed.
 *
 * One fiber's piece of a slab, `stride` bytes:
 *
 *   guard | stack, growing down ... top | header, then slots growing up | next piece's guard
 *
 * Stack top, header and first slots share one page: a fiber that blocks in a small function
 * keeps 4 KiB resident. Slots must outlive their fiber (lane.h), hence no unmapping before the
 * end. What idle stacks hold is given back to the system with filch_stacks_trim(): a free stack is
 * warm (as it was left), then cold (only its top's page is there); when all of a slab are cold, the
 * slab is wiped: it is as if none of its pieces had ever been used.
 *
 * Address space is reserved, memory is not: what recurses deeply may do so on a worker as it may on
 * the program's main thread. But a large stack costs a page of page tables as soon as it is used,
 * and the processor longer walks through them: a quarter of the time of 100,000 tasks that block.
 * So there are two sizes. The first thousand fibers of a pool have large stacks, those beyond it
 * ordinary ones; more than a thousand that recurse deeply at a time no memory would be enough for.
 *
 * A guest runs on its thread's stack and gets header and slots alone. */
#ifndef FILCH_STACK_H
#define FILCH_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/private.h"
#include "os/lock.h"
#include "stack/context.h"

enum {
    /* what a fiber's header may take: fiber.h asserts that it fits */
    FILCH_STACK_HEADER_BYTES = 576 + (sizeof(struct filch_context) + 63) / 64 * 64,
    FILCH_STACK_SIZES = 2,
    FILCH_STACKS_LARGE = 1024, /* with so many in use, the next is an ordinary one */
};

struct filch_timer;

/* One piece, as its user sees it. The struct lives at the start of the header. */
struct filch_stack {
    struct filch_stack *next;   /* its holder: the next in its bundle */
    struct filch_stack *bundle; /* lock of the stacks; of the first in a bundle: the next bundle */
    uint32_t bundled;           /* its holder; of the first: how many the bundle has */
    bool guarded;               /* false: the system is out of guards, a canary stands in */
    struct filch_slab *slab;    /* constant; NULL: it has no stack */
    struct filch_timer *timer;  /* constant; NULL: it has no stack */
    size_t slots;               /* constant; of the lane behind the header, spare ones aside */
    size_t clean_slots;         /* its holder; so many of them were made latent once */
    void *low;                  /* lowest usable byte */
    size_t bytes;               /* usable; the header lies at low + bytes */
    void *tsan_fiber;           /* ThreadSanitizer's; NULL in other builds */
    struct filch_stack *made;   /* constant: of those without a stack, the one made before */
};

struct filch_slab;

/* Stacks of one size. */
struct filch_stock {
    size_t bytes;                /* constant; usable stack wanted */
    size_t stride;               /* constant */
    size_t guard;                /* constant; bytes below a stack that fault */
    size_t header_at;            /* constant; where in a piece the header is, at the least */
    size_t slots;                /* constant; latent forks of one fiber; deeper ones run inline */
    size_t most;                 /* constant; so many there may be */
    size_t carved;               /* lock; so many there are */
    struct filch_stack *bundles; /* lock; free and warm, the last used first */
    struct filch_slab *cold;     /* lock; slabs with cold stacks; or that had some */
    struct filch_slab *open;     /* lock; slabs with pieces never used; or that had some */
    _Atomic(bool) spent;         /* lock to write; none is free and no more can be made */
};

struct filch_stacks {
    struct filch_lock lock;
    struct filch_stock stocks[FILCH_STACK_SIZES]; /* those to be used first, first */
    struct filch_stack *bare;                     /* lock; free, without a stack */
    struct filch_stack *made;                     /* lock; all without a stack */
    size_t live_count;                            /* lock; handed out, to shelves, too */
    struct filch_slab *slabs;                     /* lock */
    _Atomic(bool) out_of_guards;
};

/* Free stacks that a core has at hand, its holder alone: nearly all are had and given back without
 * the lock, whose line, and the stacks' own, would be fetched from afar. What is too much, or too
 * little, goes and comes by the bundle. Zero is a valid start. */
struct filch_shelf {
    struct filch_board {
        struct filch_stack *loose; /* a bundle being filled or used up; `bundled` counts it */
        struct filch_stack *full;  /* a bundle; or NULL */
    } boards[FILCH_STACK_SIZES];   /* one for each size */
};

/* Usable stack of the first FILCH_STACKS_LARGE in use, where none was asked for: as much as the
 * main thread has. */
FILCH_PRIVATE size_t filch_stack_default(void);

/* stack_bytes: usable stack wanted, already checked against the minimum. 0: the default for the
 * first FILCH_STACKS_LARGE in use, then an ordinary 1 MiB. */
FILCH_PRIVATE void filch_stacks_init(struct filch_stacks *stacks, size_t stack_bytes);

FILCH_PRIVATE void filch_stacks_destroy(struct filch_stacks *stacks);

/* From the caller's shelf if there is one there. NULL: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_stack *filch_stacks_get(struct filch_stacks *stacks,
                                                                    struct filch_shelf *shelf);

/* Back to the caller's shelf. NULL: it has none. */
FILCH_PRIVATE void filch_stacks_put(struct filch_stacks *stacks, struct filch_shelf *shelf,
                                    struct filch_stack *stack);

/* Give back all that is on it. */
FILCH_PRIVATE void filch_stacks_clear(struct filch_stacks *stacks, struct filch_shelf *shelf);

/* The same without a stack: `low` is NULL, `bytes` is 0. */
FILCH_PRIVATE struct filch_stack *filch_stacks_get_bare(struct filch_stacks *stacks);
FILCH_PRIVATE void filch_stacks_put_bare(struct filch_stacks *stacks, struct filch_stack *stack);

/* Call see(stack, context) for all that there are, free ones, too, bare ones aside, the lock in
 * hand for a few at a time. One that was never used yet is all zero. */
FILCH_PRIVATE void filch_stacks_each(struct filch_stacks *stacks,
                                     void (*see)(struct filch_stack *stack, void *context),
                                     void *context);

/* See that at least one more can be had. False: no memory. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_stacks_reserve(struct filch_stacks *stacks);

/* Give memory of free stacks back to the system, but of the `keep` of each size that were used
 * last: of a few hundred at a time. True: there are more. One thread at a time. */
FILCH_PRIVATE bool filch_stacks_trim(struct filch_stacks *stacks, size_t keep);

/* False: a stack without a guard has overflowed. */
FILCH_FOR_TESTS bool filch_stack_intact(const struct filch_stack *stack);

/* The smallest stack that holds a signal frame and a few calls. */
FILCH_PRIVATE size_t filch_stack_minimum(void);

#endif
