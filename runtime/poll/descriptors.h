/* descriptors: for each number one that waits for it finds the line to stand in. */
#ifndef FILCH_DESCRIPTORS_H
#define FILCH_DESCRIPTORS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/private.h"
#include "os/lock.h"
#include "sleep/closing.h"
#include "sleep/wait_list.h"

enum {
    FILCH_DESCRIPTORS_PER_CHUNK = 256,
    FILCH_DESCRIPTOR_CHUNKS = FILCH_FD_MOST / FILCH_DESCRIPTORS_PER_CHUNK,
};

struct filch_descriptor {
    struct filch_lock lock;
    uint32_t question;              /* lock; the last one's number */
    struct filch_wait_list waiting; /* lock */
};

struct filch_descriptor_chunk;

/* Zero is a valid start. */
struct filch_descriptors {
    /* of consecutive numbers; never removed */
    _Atomic(struct filch_descriptor_chunk *) chunks[FILCH_DESCRIPTOR_CHUNKS];
};

/* The one with that number. NULL: out of bounds, or none has waited for it. */
FILCH_PRIVATE struct filch_descriptor *filch_descriptor_known(struct filch_descriptors *all,
                                                              int fd);

/* The same, made if it must be. NULL: out of bounds, or no memory. */
FILCH_PRIVATE struct filch_descriptor *filch_descriptor_made(struct filch_descriptors *all, int fd);

FILCH_PRIVATE void filch_descriptors_free(struct filch_descriptors *all);

#endif
