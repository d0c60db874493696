#include <filch/deadlock.h>

#include "base/memory.h"
#include "debug/dump.h"
#include "pool/call_options.h"
#include "sched/pool.h"
#include "sched/process.h"

filch_status filch_dump(filch_pool *pool, FILE *stream)
{
    struct filch_text text = {.string = NULL};
    pool = filch_pool_given(pool);
    if (!stream) {
        return FILCH_EINVAL;
    }
    if (pool && !filch_process_owns(pool->token)) {
        return FILCH_EFORKED;
    }
    filch_dump_pools(&text, pool);
    filch_status status = text.string ? FILCH_OK : FILCH_ENOMEM;
    if (text.string) {
        fputs(text.string, stream);
    }
    filch_free(text.string);
    return status;
}
