#include "base/blocks.h"

#include <stdlib.h>

#include "base/assert.h"

enum {
    BLOCK_BUNDLE = 32,   /* blocks */
    DEPOT_MOST = 4096,   /* bundles of a size */
    BUNDLES_AT_ONCE = 8, /* the same */
};

struct filch_block {
    struct filch_block *next;
    union {
        size_t bundled;             /* of the first of those a thread has: how many */
        struct filch_block *bundle; /* in the depot, of the first in a bundle: the next bundle */
    };
};

_Static_assert(sizeof(struct filch_block) <= FILCH_BLOCK_UNIT, "a block that is kept has the room");

static size_t class_of(size_t bytes)
{
    return (bytes - 1) / FILCH_BLOCK_UNIT;
}

/* ---- the depot ---- */

/* False: another thread has it. There is none to wait for then: the C library does as well. */
static bool try_shelf(struct filch_depot_shelf *shelf)
{
    /* acquire: pairs with the release in leave_shelf; relaxed: a glance, which spares the line */
    return !atomic_load_explicit(&shelf->busy, memory_order_relaxed) &&
           !atomic_exchange_explicit(&shelf->busy, 1, memory_order_acquire);
}

static void leave_shelf(struct filch_depot_shelf *shelf)
{
    atomic_store_explicit(&shelf->busy, 0, memory_order_release); /* as above */
}

/* NULL: there are no more than `keep`, or another thread is at it. */
static struct filch_block *fetch_block_bundle(struct filch_depot_shelf *shelf, uint32_t keep)
{
    struct filch_block *bundle = NULL;
    if (try_shelf(shelf)) {
        FILCH_ASSERT(!shelf->bundles == !shelf->count);
        if (shelf->count > keep) {
            bundle = shelf->bundles;
            shelf->bundles = bundle->bundle;
            shelf->count--;
            bundle->bundled = BLOCK_BUNDLE;
        }
        leave_shelf(shelf);
    }
    return bundle;
}

static bool stored(struct filch_depot_shelf *shelf, struct filch_block *bundle)
{
    bool room = false;
    if (try_shelf(shelf)) {
        room = shelf->count < DEPOT_MOST;
        if (room) {
            bundle->bundle = shelf->bundles;
            shelf->bundles = bundle;
            shelf->count++;
        }
        leave_shelf(shelf);
    }
    return room;
}

static void free_bundle(struct filch_block *block)
{
    while (block) {
        struct filch_block *next = block->next;
        free(block);
        block = next;
    }
}

static void store_block_bundle(struct filch_depot_shelf *shelf, struct filch_block *bundle)
{
    if (bundle && (bundle->bundled < BLOCK_BUNDLE || !stored(shelf, bundle))) {
        free_bundle(bundle);
    }
}

bool filch_depot_trim(struct filch_depot *depot, uint32_t keep)
{
    bool more = false;
    for (size_t i = 0; i < FILCH_BLOCK_CLASSES; i++) {
        struct filch_block *bundle;
        int n = 0;
        while (n < BUNDLES_AT_ONCE && (bundle = fetch_block_bundle(&depot->shelves[i], keep))) {
            free_bundle(bundle);
            n++;
        }
        more |= n == BUNDLES_AT_ONCE;
    }
    return more;
}

/* ---- what a thread has ---- */

/* There is none loose: a bundle, if there is one. */
static struct filch_block *refill(struct filch_blocks *blocks, struct filch_depot *depot,
                                  size_t class)
{
    struct filch_block *full = blocks->full[class];
    blocks->full[class] = NULL;
    return full ? full : fetch_block_bundle(&depot->shelves[class], 0);
}

void *filch_blocks_take(struct filch_blocks *blocks, struct filch_depot *depot, size_t bytes)
{
    size_t class = class_of(bytes);
    if (class >= FILCH_BLOCK_CLASSES) {
        return NULL;
    }
    struct filch_block *block = blocks->loose[class];
    if (!block && !(block = refill(blocks, depot, class))) {
        return NULL;
    }
    struct filch_block *next = block->next;
    FILCH_ASSERT((block->bundled == 1) == !next);
    if (next) {
        next->bundled = block->bundled - 1;
    }
    blocks->loose[class] = next;
    return block;
}

bool filch_blocks_keep(struct filch_blocks *blocks, struct filch_depot *depot, void *memory,
                       size_t bytes)
{
    size_t class = class_of(bytes);
    if (class >= FILCH_BLOCK_CLASSES) {
        return false;
    }
    struct filch_block *block = memory;
    struct filch_block *loose = blocks->loose[class];
    if (loose && loose->bundled == BLOCK_BUNDLE) {
        store_block_bundle(&depot->shelves[class], blocks->full[class]);
        blocks->full[class] = loose;
        loose = NULL;
    }
    block->next = loose;
    block->bundled = loose ? loose->bundled + 1 : 1;
    blocks->loose[class] = block;
    return true;
}

void filch_blocks_clear(struct filch_blocks *blocks, struct filch_depot *depot)
{
    for (size_t i = 0; i < FILCH_BLOCK_CLASSES; i++) {
        store_block_bundle(&depot->shelves[i], blocks->full[i]);
        store_block_bundle(&depot->shelves[i], blocks->loose[i]);
        blocks->full[i] = blocks->loose[i] = NULL;
    }
}
