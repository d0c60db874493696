/* tell: tasks, threads and what they wait for, in words. */
#ifndef FILCH_TELL_H
#define FILCH_TELL_H

#include <stddef.h>

#include "sleep/party.h"

/* Words, in a buffer that grows. Without memory, the rest is left out. */
struct filch_words {
    char *text; /* NULL: none yet; to be freed */
    size_t length;
    size_t room;
};

__attribute__((format(printf, 2, 3))) void filch_say(struct filch_words *words, const char *format,
                                                     ...);

/* "task 0x55d0 feed (farm.c:12)", or "thread 4711 in feed (farm.c:12)". */
void filch_tell_party(struct filch_words *words, struct filch_party *party);

/* "a mutex (0x7ffe), held by task ...". The party waits, and the caller holds it. `holder` is known
 * to be there still, or NULL. */
void filch_tell_wait(struct filch_words *words, struct filch_party *party,
                     struct filch_party *holder);

#endif
