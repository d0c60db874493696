/* describe: tasks, threads and what they wait for, in text. */
#ifndef FILCH_DESCRIBE_H
#define FILCH_DESCRIBE_H

#include <stddef.h>

#include "base/private.h"
#include "sleep/party.h"

/* Text, in a buffer that grows. Without memory, the rest is left out. */
struct filch_text {
    char *string; /* NULL: none yet; to be freed */
    size_t length;
    size_t room;
};

FILCH_PRIVATE __attribute__((format(printf, 2, 3))) void filch_text_add(struct filch_text *text,
                                                                        const char *format, ...);

/* "task 0x55d0 feed (farm.c:12)", or "thread 4711 in feed (farm.c:12)". */
FILCH_PRIVATE void filch_describe_party(struct filch_text *text, struct filch_party *party);

/* "a mutex (0x7ffe), held by task ...". The party waits, and the caller holds it. `holder` is known
 * to be there still, or NULL. */
FILCH_PRIVATE void filch_describe_wait(struct filch_text *text, struct filch_party *party,
                                       struct filch_party *holder);

#endif
