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
    FILCH_CALL_SITE_LONG = 360000, /* ticks (os.h) of a call that is always worth a wake-up */
    FILCH_CALL_SITE_QUIET = 9000, /* of one that even those that are awake had better leave alone */
};

/* Which threads a call wants. Even a short one is offered: a part of it may wait for another. */
enum filch_help {
    FILCH_HELP_ASK,   /* any: they are woken */
    FILCH_HELP_OFFER, /* it is known to be short: those that are awake, or will look up soon */
    FILCH_HELP_LATE,  /* it is known to be over before they are any use: if it is not after all */
};

/* Loops at short distance, one after the other: a thread that can help stays within reach from one
 * to the next, and is called once for many of them. A guess, too. */
enum {
    FILCH_PACE_WORTH = 4000,    /* ticks of a loop that a thread within reach can help with */
    FILCH_PACE_NEAR = 150000,   /* from the end of a loop to the beginning of the next */
    FILCH_PACE_REACH = 300000,  /* so long a thread waits for the next one */
    FILCH_PACE_CALL = 400000,   /* in so many ticks of them a wake-up is not much */
    FILCH_PACE_WRITTEN = 30000, /* the line is shared: what is newer than that stands */
};

struct filch_pace {
    _Atomic(uint64_t) last;   /* ticks, about when the last of them ended; 0: there was none */
    _Atomic(uint64_t) sum;    /* ticks of those that had to do without help since the last call */
    _Atomic(uint32_t) called; /* a thread is woken for the next ones: it will see nothing to do */
};

/* How far away a thread is that sleeps: what it takes to come, where that differs by tenths of a
 * microsecond on one machine and by a hundred on another. A call that is over before, or hardly
 * later, wakes none. */
enum {
    FILCH_REACH_LEAST = 60000, /* ticks of a call that may be worth a wake-up: about 20 us */
    FILCH_REACH_PRICE = 60000, /* of what a call must take beyond that to gain by it */
    FILCH_REACH_FIRST = 90000, /* what is assumed before any has come */
    FILCH_REACH_CHECK = 64,    /* one of so many that wake none does: it may be different now */
};

struct filch_reach {
    _Atomic(uint64_t) woken;  /* ticks: when the thread that is to come was woken; 0: none is */
    _Atomic(uint64_t) ticks;  /* one takes to come, about; 0: not known */
    _Atomic(uint32_t) spared; /* calls that may have been worth a wake-up, and made none */
};

struct filch_call_site {
    _Atomic(const void *) place;
    _Atomic(uint32_t) ticks_16; /* of one element, in sixteenths */
    _Atomic(uint32_t) streak;   /* how many calls in a row were short */
};

struct filch_call_sites {
    struct filch_call_site table[FILCH_SITES];
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_pace pace;
    struct filch_reach reach;
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

/* Did one of them end so shortly before `now` that another may come? */
FILCH_PRIVATE bool filch_pace_is_kept(struct filch_pace *pace, uint64_t now);

/* One begins that no thread would help with, and takes so many ticks. True: one is to be called. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_pace_calls(struct filch_pace *pace, uint64_t now,
                                                     uint64_t estimate);

/* The thread that was called, and is to stay although there is nothing to do. Once for a call. */
FILCH_PRIVATE bool filch_pace_is_called(struct filch_pace *pace);

/* A thread that sleeps is about to be woken; and it has come. */
FILCH_PRIVATE void filch_reach_wakes(struct filch_reach *reach, uint64_t now);
FILCH_PRIVATE void filch_reach_comes(struct filch_reach *reach, uint64_t now);

/* Ticks of a call that is worth waking one, from FILCH_REACH_LEAST to FILCH_CALL_SITE_LONG. */
FILCH_PRIVATE uint64_t filch_reach_worth(struct filch_reach *reach);

/* Is a call that is estimated to take so many ticks to do without? */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_reach_spares(struct filch_reach *reach,
                                                       uint64_t estimate);

/* One has ended. */
FILCH_PRIVATE void filch_pace_note(struct filch_pace *pace, uint64_t now);

#endif
