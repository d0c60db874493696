/* dump: all that is alive, in text. */
#ifndef FILCH_DUMP_H
#define FILCH_DUMP_H

#include "base/private.h"
#include "debug/describe.h"

struct filch_pool;

/* The pool, or all pools if it is NULL, with their tasks; and the threads that wait. */
FILCH_PRIVATE void filch_dump_pools(struct filch_text *text, struct filch_pool *pool);

#endif
