/* line: waiters that stand in line for something, under the lock of what they wait for. One waiter
 * can have places in several lines; who is called in one must leave the others. */
#ifndef FILCH_LINE_H
#define FILCH_LINE_H

#include "wait.h"

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

/* Call the first in line who still waits: from then on it is in the line no longer, and its wait
 * has ended; its place stays where it is until the lock is released. NULL: nobody waits. */
static inline struct filch_place *filch_line_call_locked(struct filch_line *line)
{
    struct filch_place *place;
    while ((place = line->first)) {
        struct filch_waiter *waiter = place->waiter;
        filch_line_remove_locked(line, place);
        if (filch_waiter_end(waiter, FILCH_SIGNALED)) {
            break;
        }
    }
    return place;
}

#endif
