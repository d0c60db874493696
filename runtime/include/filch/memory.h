/* filch/memory.h: the library's memory, in the program's hands. */
#ifndef FILCH_MEMORY_H
#define FILCH_MEMORY_H

#include <stddef.h>

#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where memory comes from. */
typedef struct filch_memory_hooks {
    /* At least `bytes`, at a multiple of `alignment` (a power of two, at most 64); NULL: none. */
    void *(*get)(void *context, size_t bytes, size_t alignment);
    /* What get() gave, and the `bytes` that were asked for. Never NULL. */
    void (*give)(void *context, void *memory, size_t bytes);
    void *context;
} filch_memory_hooks;

/* Effect: the library takes its memory from there from now on, stacks aside, which are mapped
 * pages. NULL: from the C library again. Copied. The hooks may be called from any thread, several
 * at once, and must not call filch.
 * Errors: FILCH_EBUSY: the library holds memory already: call this before anything else;
 * FILCH_EINVAL: one of the two is missing. Threads: one, before others call filch. */
FILCH_MUST_CHECK filch_status filch_memory_use(const filch_memory_hooks *hooks);

/* Effect: tells how many bytes the library holds: from the hooks or the C library, and as mapped
 * pages, of which stacks commit what they touch. Small blocks that are kept for reuse are not
 * counted; the pages of a pool that was hardly used are kept for the next one, and are. Either may
 * be NULL. A glance while others run.
 * Threads: any. Does not block. */
void filch_memory_held(size_t *heap_bytes, size_t *mapped_bytes);

#ifdef __cplusplus
}
#endif

#endif
