/* blocks: small blocks of memory that were given back, at hand for the next.
 *
 * Tasks are made on one thread and end on another. A block that another thread gives back costs the
 * C library the lock of an arena; and two threads that make and end tasks as fast as they can meet
 * at that lock with every second of them, and sleep there. So each thread keeps some blocks, and
 * what is too much, or too little, goes and comes by the bundle, through a depot.
 *
 * Source: Bonwick & Adams, "Magazines and Vmem" (USENIX 2001). */
#ifndef FILCH_BLOCKS_H
#define FILCH_BLOCKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/private.h"

enum {
    FILCH_BLOCK_UNIT = 32,    /* sizes are multiples of it */
    FILCH_BLOCK_CLASSES = 16, /* so many of them are kept, the smallest */
};

struct filch_block; /* one that is kept */

/* What a thread keeps, its alone. Zero is a valid start. */
struct filch_blocks {
    struct filch_block *loose[FILCH_BLOCK_CLASSES]; /* a bundle being filled or used up */
    struct filch_block *full[FILCH_BLOCK_CLASSES];  /* a bundle; or NULL */
};

/* What all share. Zero is a valid start. */
struct filch_depot {
    struct filch_depot_shelf {
        _Atomic(uint32_t) busy;      /* 1: locked, but never waited for */
        struct filch_block *bundles; /* busy */
        uint32_t count;              /* busy; of bundles */
    } shelves[FILCH_BLOCK_CLASSES];
};

/* How large a block is that is asked for with so many bytes: a small one is as large as all that
 * are kept with it. */
static inline size_t filch_block_bytes(size_t bytes)
{
    return bytes <= FILCH_BLOCK_CLASSES * FILCH_BLOCK_UNIT
               ? filch_aligned_up(bytes, FILCH_BLOCK_UNIT)
               : bytes;
}

/* NULL: none of that size is at hand. */
FILCH_PRIVATE void *filch_blocks_take(struct filch_blocks *blocks, struct filch_depot *depot,
                                      size_t bytes);

/* Of that size, from malloc(). False: it is not kept, the caller has it still. */
FILCH_PRIVATE bool filch_blocks_keep(struct filch_blocks *blocks, struct filch_depot *depot,
                                     void *memory, size_t bytes);

/* All of it goes to the depot. */
FILCH_PRIVATE void filch_blocks_clear(struct filch_blocks *blocks, struct filch_depot *depot);

/* Of each size all but `keep` bundles are freed, a few at a time. True: there are more. */
FILCH_PRIVATE bool filch_depot_trim(struct filch_depot *depot, uint32_t keep);

#endif
