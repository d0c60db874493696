/* line: waiters that stand in line for something, under the lock of what they wait for. One waiter
 * can have places in several lines; who is served in one must leave the others, and must not touch
 * the one it was served in: what that belongs to may have been freed. */
#ifndef FILCH_LINE_H
#define FILCH_LINE_H

#include "sleep/wait.h"

struct filch_place {
    struct filch_place *next;
    struct filch_place *prev;
    struct filch_waiter *waiter; /* NULL: it is in no line */
};

struct filch_line {
    struct filch_place *first;
    struct filch_place *last;
};

static inline void filch_line_add_locked(struct filch_line *line, struct filch_place *place,
                                         struct filch_waiter *waiter)
{
    *place = (struct filch_place){.prev = line->last, .waiter = waiter};
    if (line->last) {
        line->last->next = place;
    } else {
        line->first = place;
    }
    line->last = place;
}

/* A place that is in no line stays so. */
static inline void filch_line_remove_locked(struct filch_line *line, struct filch_place *place)
{
    if (!place->waiter) {
        return; /* it has been called already */
    }
    if (place->prev) {
        place->prev->next = place->next;
    } else {
        line->first = place->next;
    }
    if (place->next) {
        place->next->prev = place->prev;
    } else {
        line->last = place->prev;
    }
    place->waiter = NULL;
}

/* Claim the first in line who still waits (wait.h): it is in the line no longer. The caller says so
 * by filch_claims_tell(), when it has released the lock. NULL: nobody waits. */
static inline struct filch_place *filch_line_claim_locked(struct filch_line *line,
                                                          struct filch_claims *claims)
{
    struct filch_place *place;
    while ((place = line->first)) {
        struct filch_waiter *waiter = place->waiter;
        filch_line_remove_locked(line, place);
        if (filch_waiter_claim(waiter, claims)) {
            break;
        }
    }
    return place;
}

#endif
