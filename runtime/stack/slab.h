/* slab: mapped memory for some stacks, cut into pieces (stack.h). All under the lock of the stacks.
 *
 * A slab's pieces are used from the first on. Free stacks that are cold lie with their slab; when
 * all of a slab are, it is wiped, and its pieces are as if they had never been used. Lists of slabs
 * may contain some that need not be there any more: they are taken out when they are met. */
#ifndef FILCH_SLAB_H
#define FILCH_SLAB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/private.h"
#include "sleep/timer.h"
#include "stack/stack.h"

enum { FILCH_SLAB_PIECES = 16 }; /* at most */

struct filch_slab {
    struct filch_slab *next;         /* constant */
    struct filch_stock *stock;       /* constant; its pieces are of that size */
    struct filch_slab *next_cold;    /* lock; in the list of those with cold stacks */
    struct filch_slab *next_open;    /* lock; in the list of those with pieces never used */
    struct filch_stack *cold_stacks; /* lock; in no bundle, linked by `next` */
    unsigned cold_count;             /* lock */
    unsigned used;                   /* lock; pieces in use, the first of them */
    unsigned pieces;                 /* constant; at most FILCH_SLAB_PIECES */
    unsigned guarded;                /* constant; so many have guards from an earlier use */
    bool listed_cold;                /* lock */
    bool listed_open;                /* lock */
    char *memory;
    size_t bytes;
    struct filch_timer timers[FILCH_SLAB_PIECES]; /* their fibers' */
};

/* Where the stack of a piece is, which is also its header. */
FILCH_PRIVATE struct filch_stack *filch_slab_stack_at(const struct filch_slab *slab, size_t index);

/* Where the piece of a stack begins. */
FILCH_PRIVATE char *filch_slab_piece_of(const struct filch_stack *stack);

/* The timer of a stack's fiber: beside those of others, not where none is touched (timer.h). */
FILCH_PRIVATE struct filch_timer *filch_slab_timer_of(const struct filch_stack *stack);

/* A slab with a piece of that size that was never used, mapped if it must be. NULL: no memory, or
 * no more of them are allowed. */
FILCH_PRIVATE struct filch_slab *filch_slab_open_locked(struct filch_stacks *stacks,
                                                        struct filch_stock *stock);

/* A piece that was never used, where its stack is to be; its slab. NULL: as above. */
FILCH_PRIVATE struct filch_stack *filch_slab_carve_locked(struct filch_stacks *stacks,
                                                          struct filch_stock *stock,
                                                          struct filch_slab **slab);

/* Any cold stack, as a bundle of one. NULL: there is none. */
FILCH_PRIVATE struct filch_stack *filch_slab_take_cold_locked(struct filch_stacks *stacks,
                                                              struct filch_stock *stock);

/* A free stack has become cold. `trimmed`: the system took its pages. */
FILCH_PRIVATE void filch_slab_cool_locked(struct filch_stacks *stacks, struct filch_stack *stack,
                                          bool trimmed);

/* Of a list of stacks linked by `next`: what ThreadSanitizer knows of them. */
FILCH_PRIVATE void filch_stack_destroy_tsan_fibers(struct filch_stack *stack);

FILCH_PRIVATE void filch_slab_free(struct filch_slab *slab);

#endif
