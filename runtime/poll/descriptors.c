#include "poll/descriptors.h"

#include "base/memory.h"

struct filch_descriptor_chunk {
    struct filch_descriptor descriptors[FILCH_DESCRIPTORS_PER_CHUNK];
};

struct filch_descriptor *filch_descriptor_known(struct filch_descriptors *all, int fd)
{
    if (fd < 0 || fd >= FILCH_FD_MOST) {
        return NULL;
    }
    /* acquire: pairs with the release in made; the chunk is zeroed, which is a valid start */
    struct filch_descriptor_chunk *chunk =
        atomic_load_explicit(&all->chunks[fd / FILCH_DESCRIPTORS_PER_CHUNK], memory_order_acquire);
    return chunk ? &chunk->descriptors[fd % FILCH_DESCRIPTORS_PER_CHUNK] : NULL;
}

struct filch_descriptor *filch_descriptor_made(struct filch_descriptors *all, int fd)
{
    struct filch_descriptor *descriptor = filch_descriptor_known(all, fd);
    if (descriptor || fd < 0 || fd >= FILCH_FD_MOST) {
        return descriptor;
    }
    struct filch_descriptor_chunk *none = NULL;
    struct filch_descriptor_chunk *chunk = filch_calloc(1, sizeof *chunk);
    /* release: pairs with the acquire in known; relaxed on failure: known reads it again */
    if (chunk && !atomic_compare_exchange_strong_explicit(
                     &all->chunks[fd / FILCH_DESCRIPTORS_PER_CHUNK], &none, chunk,
                     memory_order_release, memory_order_relaxed)) {
        filch_free(chunk);
    }
    return filch_descriptor_known(all, fd);
}

void filch_descriptors_free(struct filch_descriptors *all)
{
    for (size_t i = 0; i < FILCH_DESCRIPTOR_CHUNKS; i++) {
        filch_free(atomic_load_explicit(&all->chunks[i], memory_order_relaxed)); /* no other */
    }
}
