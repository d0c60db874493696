#include <filch/deadlock.h>

#include "base/memory.h"
#include "debug/dump.h"
#include "sched/pool.h"
#include "sched/process.h"

filch_status filch_dump(filch_pool *pool, FILE *stream)
{
    struct filch_words words = {.text = NULL};
    if (!stream) {
        return FILCH_EINVAL;
    }
    if (pool && !filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    filch_dump_pools(&words, pool);
    filch_status status = words.text ? FILCH_OK : FILCH_ENOMEM;
    if (words.text) {
        fputs(words.text, stream);
    }
    filch_free(words.text);
    return status;
}
