/* memory: included before every source of the library that the suites link, it sends the library's
 * requests to the system through fixture.c, which counts them and can let one fail. */
#ifndef FILCH_SHADOW_MEMORY_H
#define FILCH_SHADOW_MEMORY_H

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <threads.h>

void *counted_malloc(size_t bytes);
void *counted_calloc(size_t n, size_t bytes);
void *counted_aligned_alloc(size_t alignment, size_t bytes);
void counted_free(void *memory);
void *counted_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int counted_thrd_create(thrd_t *thread, thrd_start_t main, void *argument);

/* Is what is given back kept, as usually? If not, each request is counted. */
extern int counted_blocks_are_kept;

#ifndef FILCH_SHADOW_MEMORY_OFF
#define malloc counted_malloc
#define calloc counted_calloc
#define aligned_alloc counted_aligned_alloc
#define free counted_free
#define mmap counted_mmap
#define thrd_create counted_thrd_create
#define FILCH_BLOCKS_KEPT counted_blocks_are_kept
#endif
#endif

#endif
