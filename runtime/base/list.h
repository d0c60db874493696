/* list: doubly linked, newest first; its links lie in what is listed (FILCH_CONTAINER). Zero when
 * empty. The caller holds the lock of what has the list. */
#ifndef FILCH_LIST_H
#define FILCH_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

struct filch_link {
    struct filch_link *next;
    struct filch_link *prev;
};

struct filch_list {
    struct filch_link *first;
};

static inline void filch_list_push(struct filch_list *list, struct filch_link *link)
{
    FILCH_ASSERT(list->first != link);
    link->prev = NULL;
    link->next = list->first;
    if (link->next) {
        link->next->prev = link;
    }
    list->first = link;
}

static inline void filch_list_remove(struct filch_list *list, struct filch_link *link)
{
    FILCH_ASSERT(link->prev ? link->prev->next == link : list->first == link);
    FILCH_ASSERT(!link->next || link->next->prev == link);
    if (link->prev) {
        link->prev->next = link->next;
    } else {
        list->first = link->next;
    }
    if (link->next) {
        link->next->prev = link->prev;
    }
}

#endif
