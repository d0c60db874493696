/* failing: linked with a demo and the counted library (shadow/memory.h), it refuses the library's
 * requests for memory, maps and threads, from the FILCH_TEST_FAIL_FROM-th on. */
#define FILCH_SHADOW_MEMORY_OFF
#include "shadow/memory.h"

int counted_blocks_are_kept; /* they are not: each request may be refused */

#include <stdatomic.h>

static atomic_long calls;

static int fails(void)
{
    const char *from = getenv("FILCH_TEST_FAIL_FROM");
    return atomic_fetch_add(&calls, 1) + 1 >= (from ? atol(from) : 1);
}

void *counted_malloc(size_t bytes)
{
    return fails() ? NULL : malloc(bytes);
}

void *counted_calloc(size_t n, size_t bytes)
{
    return fails() ? NULL : calloc(n, bytes);
}

void *counted_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : aligned_alloc(alignment, bytes);
}

void counted_free(void *memory)
{
    free(memory);
}

void *counted_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fails() ? MAP_FAILED : mmap(at, bytes, protection, flags, fd, offset);
}

int counted_thrd_create(thrd_t *thread, thrd_start_t main, void *argument)
{
    return fails() ? thrd_nomem : thrd_create(thread, main, argument);
}
