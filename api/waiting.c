#include "waiting.h"

#include "block.h"

filch_status filch_wait_until(filch_enlist *enlist,
                              void (*leave)(struct filch_waiter *waiter, void *context),
                              void *context, uint64_t deadline)
{
    switch (filch_block_until(enlist, leave, context, deadline)) {
    case FILCH_SIGNALED: return FILCH_OK;
    case FILCH_TIMED_OUT: return FILCH_ETIMEDOUT;
    case FILCH_NO_MEMORY: return FILCH_ENOMEM;
    default: return FILCH_ECANCELED;
    }
}
