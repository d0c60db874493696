/* pace: how long the blocks of a loop are, learned while it runs, and whom the loop asks for help.
 *
 * Between two blocks a loop looks up. A block grows while it takes far less than a target of about
 * 20 us, so that looking up costs nothing against the elements, and shrinks when it takes more. */
#ifndef FILCH_PACE_H
#define FILCH_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "os/os.h"
#include "os/os_ticks.h"
#include "sched/site.h"

enum {
    FILCH_PACE_TARGET = 60000, /* ticks (os.h) of a block that is long enough */
    FILCH_PACE_GROWTH = 8,     /* while a block is far below it */
    FILCH_PACE_FIRST = 8,      /* elements in the first block of a loop that is known to be short */
};

static const unsigned long long filch_pace_most = 1ULL << 48; /* elements; more are never there */

struct filch_pace {
    unsigned long long length;   /* elements in the next block, at least 1 */
    unsigned long long elements; /* in all blocks so far */
    uint64_t spent;              /* ticks, in all blocks so far */
    uint64_t last;               /* ticks, when the next block begins */
    bool dear;                   /* the last block was far too long, or one element is enough */
    enum filch_help help;
};

static inline struct filch_pace filch_pace_begun(enum filch_help help)
{
    return (struct filch_pace){.length = help == FILCH_HELP_ASK ? 1 : FILCH_PACE_FIRST,
                               .last = filch_os_ticks(),
                               .help = help};
}

/* A block of so many elements has ended `took` ticks after it began. */
static inline void filch_pace_learn(struct filch_pace *pace, unsigned long long elements,
                                    uint64_t took)
{
    pace->spent += took;
    pace->elements += elements;
    if (took < FILCH_PACE_TARGET / FILCH_PACE_GROWTH) {
        pace->length *= pace->length < filch_pace_most ? FILCH_PACE_GROWTH : 1;
    } else if (took < FILCH_PACE_TARGET / 2) {
        pace->length *= pace->length < filch_pace_most ? 2 : 1;
    } else if (took > (uint64_t)FILCH_PACE_TARGET * 2 && pace->length > 1) {
        pace->length /= 2;
    }
    pace->dear = took > (elements == 1 ? FILCH_PACE_TARGET / 2 : FILCH_PACE_TARGET * 2);
}

/* The same, now; the next block begins at once. */
static inline void filch_pace_block_ended(struct filch_pace *pace, unsigned long long elements)
{
    uint64_t now = filch_os_ticks();
    filch_pace_learn(pace, elements, now - pace->last);
    pace->last = now;
}

/* It was expected to be short, and is not. */
static inline bool filch_pace_is_surprised(const struct filch_pace *pace)
{
    return pace->help != FILCH_HELP_ASK && pace->spent > FILCH_SITE_SHORT;
}

#endif
