/* wait_list: waiters that stand in line for something, under the lock of what they wait for. One
 * waiter can have places in several lines; when served in one it must leave the others, and must
 * not touch the one it was served in: what that belongs to may have been freed. */
#ifndef FILCH_WAIT_LIST_H
#define FILCH_WAIT_LIST_H

#include "base/assert.h"
#include "sleep/wait.h"

struct filch_wait_node {
    struct filch_wait_node *next;
    struct filch_wait_node *prev;
    struct filch_waiter *waiter; /* NULL: it is in no line */
};

struct filch_wait_list {
    struct filch_wait_node *first;
    struct filch_wait_node *last;
};

static inline void filch_wait_list_add_locked(struct filch_wait_list *line,
                                              struct filch_wait_node *place,
                                              struct filch_waiter *waiter)
{
    FILCH_ASSERT(waiter && !line->first == !line->last);
    *place = (struct filch_wait_node){.prev = line->last, .waiter = waiter};
    if (line->last) {
        line->last->next = place;
    } else {
        line->first = place;
    }
    line->last = place;
}

/* All of another line, which is no more. */
static inline void filch_wait_list_append_locked(struct filch_wait_list *line,
                                                 const struct filch_wait_list *more)
{
    FILCH_ASSERT(!line->first == !line->last && more->first && more->last);
    if (line->last) {
        line->last->next = more->first;
        more->first->prev = line->last;
    } else {
        line->first = more->first;
    }
    line->last = more->last;
}

/* The same for one that has been in line before. */
static inline void filch_wait_list_add_first_locked(struct filch_wait_list *line,
                                                    struct filch_wait_node *place,
                                                    struct filch_waiter *waiter)
{
    FILCH_ASSERT(waiter && !line->first == !line->last);
    *place = (struct filch_wait_node){.next = line->first, .waiter = waiter};
    if (line->first) {
        line->first->prev = place;
    } else {
        line->last = place;
    }
    line->first = place;
}

/* A place that is in no line stays so. */
static inline void filch_wait_list_remove_locked(struct filch_wait_list *line,
                                                 struct filch_wait_node *place)
{
    if (!place->waiter) {
        return; /* it has been called already */
    }
    FILCH_ASSERT(place->prev ? place->prev->next == place : line->first == place);
    FILCH_ASSERT(place->next ? place->next->prev == place : line->last == place);
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

/* Claim the first in line that still waits (wait.h): it is in the line no longer. The caller says
 * so by filch_claims_tell(), when it has released the lock. NULL: none waits. */
static inline struct filch_wait_node *filch_wait_list_claim_locked(struct filch_wait_list *line,
                                                                   struct filch_claims *claims)
{
    struct filch_wait_node *place;
    while ((place = line->first)) {
        struct filch_waiter *waiter = place->waiter;
        FILCH_ASSERT(waiter); /* it is in a line */
        filch_wait_list_remove_locked(line, place);
        if (filch_waiter_claim(waiter, claims)) {
            break;
        }
    }
    return place;
}

#endif
