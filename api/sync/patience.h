/* patience: how long one that waits may be passed over in line, by others that come later. */
#ifndef FILCH_SYNC_PATIENCE_H
#define FILCH_SYNC_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

enum { FILCH_PATIENCE_NS = 1000000 };

/* Of one that stands in line since then. */
static inline bool filch_patience_is_over(uint64_t since_ns, uint64_t now_ns)
{
    return now_ns - since_ns >= FILCH_PATIENCE_NS;
}

#endif
