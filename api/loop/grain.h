/* grain: how long the blocks of a loop are, learned while it runs, and what help the loop asks for.
 *
 * Between two blocks a loop looks up. A block grows while it takes far less than a target of about
 * 20 us, so that looking up costs nothing against the elements, and shrinks when it takes more. */
#ifndef FILCH_GRAIN_H
#define FILCH_GRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/call_site.h"
#include "sched/pool.h"

enum {
    FILCH_GRAIN_TARGET = 60000, /* ticks (os.h) of a block that is long enough */
    FILCH_GRAIN_GROWTH = 8,     /* while a block is far below it */
    FILCH_GRAIN_FEW = 128,      /* elements of a short loop that looks up often enough */
    FILCH_GRAIN_FIRST = 8, /* elements in the first block of a loop that is known to be short */
    FILCH_GRAIN_ALONE = 200000, /* ticks after which a thread that was made should have begun */
};

static const unsigned long long filch_grain_most = 1ULL << 48; /* elements; more are never there */

struct filch_grain {
    unsigned long long length;   /* elements in the next block, at least 1 */
    unsigned long long elements; /* in all blocks so far */
    uint64_t spent;              /* ticks, in all blocks so far */
    uint64_t last;               /* ticks, when the next block begins */
    unsigned long long ahead;    /* elements that we do before a thief that is awake has begun */
    uint64_t patience;           /* ticks: if it was to be short, it is not after so many */
    uint64_t alone;              /* ticks, as FILCH_GRAIN_ALONE; UINT64_MAX: that was seen to */
    bool shared;                 /* there are others that may take part */
    bool costly;                 /* the last block was far too long, or one element is enough */
    enum filch_help help;
};

static inline struct filch_grain filch_grain_begun(struct filch_pool *pool, enum filch_help help)
{
    return (struct filch_grain){.length = help == FILCH_HELP_ASK ? 1 : FILCH_GRAIN_FIRST,
                                .last = filch_os_ticks(),
                                .patience = filch_reach_worth(&pool->call_sites.reach),
                                .alone = FILCH_GRAIN_ALONE,
                                .shared = pool->config.workers > 1,
                                .help = help};
}

/* A block of so many elements has ended `took` ticks after it began. */
static inline void filch_grain_learn(struct filch_grain *grain, unsigned long long elements,
                                     uint64_t took)
{
    grain->spent += took;
    grain->elements += elements;
    if (took < FILCH_GRAIN_TARGET / FILCH_GRAIN_GROWTH) {
        grain->length *= grain->length < filch_grain_most ? FILCH_GRAIN_GROWTH : 1;
    } else if (took < FILCH_GRAIN_TARGET / 2) {
        grain->length *= grain->length < filch_grain_most ? 2 : 1;
    } else if (took > (uint64_t)FILCH_GRAIN_TARGET * 2 && grain->length > 1) {
        grain->length /= 2;
    }
    grain->costly = took > (elements == 1 ? FILCH_GRAIN_TARGET / 2 : FILCH_GRAIN_TARGET * 2);
}

/* The same, now; the next block begins at once. */
static inline void filch_grain_block_ended(struct filch_grain *grain, unsigned long long elements)
{
    uint64_t now = filch_os_ticks();
    filch_grain_learn(grain, elements, now - grain->last);
    grain->last = now;
}

/* So many of `left` we keep, of 2 or more: both parts are to be done at about the same time. */
static inline unsigned long long filch_grain_lower(struct filch_grain *grain,
                                                   unsigned long long left)
{
    unsigned long long ahead = grain->ahead < left - 2 ? grain->ahead : left - 2;
    grain->ahead = 0; /* where it goes on from here is not known */
    return (left + ahead) / 2 + (left + ahead) % 2;
}

/* It was expected to be short, and is not. */
static inline bool filch_grain_is_surprised(const struct filch_grain *grain)
{
    return grain->help != FILCH_HELP_ASK && grain->spent > grain->patience;
}

#endif
