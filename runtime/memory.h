/* memory: where the library's own memory comes from: the C library, or the program's hooks.
 *
 * Every block has its size before it, so that all that is held can be told at any time. Each thread
 * counts what it takes less what it gives back; the sum is what is held. */
#ifndef FILCH_MEMORY_PRIVATE_H
#define FILCH_MEMORY_PRIVATE_H

#include <stddef.h>

#include <filch/memory.h>

/* As malloc(), calloc(), realloc(), aligned_alloc() and free(). */
void *filch_malloc(size_t bytes);
void *filch_calloc(size_t n, size_t bytes);
void *filch_realloc(void *memory, size_t bytes);
void *filch_aligned_alloc(size_t alignment, size_t bytes);
void filch_free(void *memory);

/* Pages were mapped, or (negative) unmapped. */
void filch_memory_mapped(ptrdiff_t bytes);

#endif
