/* total: what a reduction has come to, the caller's only once it has succeeded. */
#ifndef FILCH_TOTAL_H
#define FILCH_TOTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/base.h"
#include "base/memory.h"

struct filch_total {
    unsigned char *bytes;
    FILCH_ALIGNED(64) unsigned char small[64];
};

/* It begins as the initial value. False: no memory. */
static inline bool filch_total_begin(struct filch_total *total, const void *initial, size_t bytes)
{
    bool is_small = bytes <= sizeof total->small;
    total->bytes = is_small ? total->small : filch_malloc_for(bytes, bytes);
    if (total->bytes) {
        memcpy(total->bytes, initial, bytes);
    }
    return total->bytes != NULL;
}

/* result: where it goes; NULL: nowhere. */
static inline void filch_total_end(struct filch_total *total, void *result, size_t bytes)
{
    if (result) {
        memcpy(result, total->bytes, bytes);
    }
    if (total->bytes != total->small) {
        filch_free(total->bytes);
    }
}

#endif
