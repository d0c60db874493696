/* line: waiters that stand in line for something, under the lock of what they wait for. */
#ifndef FILCH_LINE_H
#define FILCH_LINE_H

#include "wait.h"

struct filch_line {
    struct filch_waiter *first;
    struct filch_waiter *last;
};

static inline void filch_line_add_locked(struct filch_line *line, struct filch_waiter *waiter)
{
    waiter->next = NULL;
    waiter->prev = line->last;
    if (line->last) {
        line->last->next = waiter;
    } else {
        line->first = waiter;
    }
    line->last = waiter;
}

static inline void filch_line_remove_locked(struct filch_line *line, struct filch_waiter *waiter)
{
    if (!waiter->prev && line->first != waiter) {
        return; /* it has been called already */
    }
    if (waiter->prev) {
        waiter->prev->next = waiter->next;
    } else {
        line->first = waiter->next;
    }
    if (waiter->next) {
        waiter->next->prev = waiter->prev;
    } else {
        line->last = waiter->prev;
    }
}

/* The first in line, who is in it no longer; NULL: nobody. To be ended with filch_waiter_end(),
 * before the lock is released. */
static inline struct filch_waiter *filch_line_next_locked(struct filch_line *line)
{
    struct filch_waiter *waiter = line->first;
    if (waiter) {
        filch_line_remove_locked(line, waiter);
        waiter->next = waiter->prev = NULL;
    }
    return waiter;
}

#endif
