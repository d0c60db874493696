/* call_site: what a pool remembers of the places that call it: whether they are known to be short.
 *
 * Waking a thread costs more than a short call takes, so a call that was short several times in a
 * row, and has no more elements now than that allows, begins without asking for help. It looks at
 * the clock as it goes on, and asks once it has become long. All of this is a guess that may be
 * wrong without harm: entries are shared without order, and another place may take one over. */
#ifndef FILCH_CALL_SITE_H
#define FILCH_CALL_SITE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/private.h"
#include "base/base.h"

enum {
    FILCH_SITES = 64,
    FILCH_CALL_SITE_SHORT =
        30000, /* ticks (os.h) of a call that is not worth a wake-up: about 10 us */
    FILCH_CALL_SITE_QUIET = 9000, /* of one that even those that are awake had better leave alone */
};

/* Which threads a call wants. Even a short one is offered: a part of it may wait for another. */
enum filch_help {
    FILCH_HELP_ASK,   /* any: they are woken */
    FILCH_HELP_OFFER, /* it is known to be short: those that are awake, or will look up soon */
    FILCH_HELP_LATE,  /* it is known to be over before they are any use: if it is not after all */
};

struct filch_call_site {
    _Atomic(const void *) place;
    _Atomic(uint32_t) ticks_16; /* of one element, in sixteenths */
    _Atomic(uint32_t) streak;   /* how many calls in a row were short */
};

struct filch_call_sites {
    struct filch_call_site table[FILCH_SITES];
};

/* The entry for a place, which is any address that names it. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_call_site *filch_call_site_of(
    struct filch_call_sites *sites, const void *place);

/* How long a call with so many elements would take, as far as this place is known to be short;
 * UINT64_MAX: that is not known. */
FILCH_PRIVATE uint64_t filch_call_site_estimate(struct filch_call_site *site, size_t elements);

/* In a call with so many elements at this place, `ran` of them took so long. */
FILCH_PRIVATE void filch_call_site_learn(struct filch_call_site *site, size_t elements,
                                         uint64_t ran, uint64_t ticks);

#endif
