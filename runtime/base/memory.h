/* memory: where the library's own memory comes from: the C library, or the program's hooks.
 *
 * Every block has its size before it, so that all that is held can be told at any time. Each thread
 * counts what it takes less what it gives back; the sum is what is held. */
#ifndef FILCH_MEMORY_PRIVATE_H
#define FILCH_MEMORY_PRIVATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/memory.h>

#include "base/blocks.h"
#include "base/private.h"

/* What one thread has taken less given back; or several, one after the other. Only the thread whose
 * it is writes. */
struct filch_heap_count {
    _Atomic(int64_t) bytes;
    struct filch_blocks blocks;     /* given back, and at hand for the next; not counted */
    struct filch_heap_count *older; /* constant: the one that was added before it */
};

/* It counts from now on, for as long as the process lives. */
FILCH_PRIVATE void filch_memory_add_count(struct filch_heap_count *count);

/* What the calling thread takes and gives back is counted there. NULL: among that of all threads
 * without a count. */
FILCH_PRIVATE void filch_memory_count_as(struct filch_heap_count *count);

/* As malloc(), calloc(), realloc(), aligned_alloc() and free(). */
FILCH_SEAM FILCH_MUST_CHECK void *filch_malloc(size_t bytes);
FILCH_SEAM FILCH_MUST_CHECK void *filch_calloc(size_t n, size_t bytes);
FILCH_SEAM FILCH_MUST_CHECK void *filch_realloc(void *memory, size_t bytes);
FILCH_PRIVATE FILCH_MUST_CHECK void *filch_aligned_alloc(size_t alignment, size_t bytes);
FILCH_SEAM void filch_free(void *memory);

/* Memory of which not the beginning but what lies `offset` bytes (a multiple of 16) behind it is at
 * a multiple of `alignment` (at most 64). As fast as filch_malloc(), where an aligned_alloc() is
 * not; it takes up to 48 bytes more. */
FILCH_PRIVATE FILCH_MUST_CHECK void *filch_alloc_at(size_t bytes, size_t alignment, size_t offset);

/* `bytes` for values that have `unit_bytes` each, at any alignment that their type may have. */
FILCH_PRIVATE FILCH_MUST_CHECK void *filch_malloc_for(size_t unit_bytes, size_t bytes);

/* Free some of what is kept at hand (blocks.h). True: there is more, should this go on. */
enum filch_memory_idle { FILCH_MEMORY_IDLE, FILCH_MEMORY_IDLE_LONG };
FILCH_PRIVATE bool filch_memory_trim(enum filch_memory_idle idle);

/* Pages were mapped, or (negative) unmapped. */
FILCH_PRIVATE void filch_memory_mapped(ptrdiff_t bytes);

#endif
