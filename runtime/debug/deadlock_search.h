/* deadlock_search: one look at all waits that have no deadline, and how its result is told. */
#ifndef FILCH_DEADLOCK_SEARCH_H
#define FILCH_DEADLOCK_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/private.h"
#include "sleep/party.h"

enum { FILCH_DEADLOCK_NONE = -1 };

/* One that waits without a deadline. */
struct filch_deadlock_wait {
    struct filch_party *party;
    struct filch_party *holder;
    uint32_t number; /* which of the party's waits */
    long next;       /* the index of the holder's own wait, or FILCH_DEADLOCK_NONE */
    bool derived;
    bool endable;
    bool in_cycle;
    bool ends;   /* this one is to be ended */
    bool sleeps; /* and is to be woken for that */
    unsigned mark;
};

struct filch_deadlock_search {
    struct filch_deadlock_wait *waits;
    size_t n;
    size_t room;
    bool still;   /* nothing can happen any more */
    bool forgets; /* no memory for all of them */
    bool asked_for_handlers;
    bool has_handlers;
};

/* To the log. */
FILCH_PRIVATE void filch_deadlock_describe(const struct filch_deadlock_search *search);

/* A deadlock that cannot be ended is told of once: this says whether it is the same. */
FILCH_PRIVATE uint64_t filch_deadlock_signature(const struct filch_deadlock_search *search);

#endif
