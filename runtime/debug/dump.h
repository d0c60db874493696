/* dump: all that is alive, in words. */
#ifndef FILCH_DUMP_H
#define FILCH_DUMP_H

#include "debug/tell.h"

struct filch_pool;

/* The pool, or all pools if it is NULL, with their tasks; and the threads that wait. */
void filch_dump_pools(struct filch_words *words, struct filch_pool *pool);

#endif
