#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/sanitizers.h"

/* What lies before every block; as long as it is aligned. */
struct head {
    size_t bytes;  /* of the whole, this included */
    size_t before; /* from its beginning to the block */
};

enum { HEAD = 16 };
_Static_assert(sizeof(struct head) <= HEAD, "there is room for the head");

static struct head *head_of(void *memory)
{
    return (struct head *)(void *)((char *)memory - sizeof(struct head));
}

/* Of the process; below the process object, which is made of this memory. Zero is a valid start. */
static struct {
    filch_memory_hooks hooks;                  /* constant from the first allocation */
    _Atomic(struct filch_heap_count *) counts; /* the newest; none is ever removed */
    _Atomic(int64_t) uncounted_bytes;          /* of threads that have no count */
    _Atomic(ptrdiff_t) mapped_bytes;
    struct filch_depot depot; /* not counted */
} heap;

/* Are blocks kept? Not where AddressSanitizer is to see each use of what was given back. */
#if defined(FILCH_ASAN) && !defined(FILCH_BLOCKS_KEPT)
#define FILCH_BLOCKS_KEPT 0
#elif !defined(FILCH_BLOCKS_KEPT)
#define FILCH_BLOCKS_KEPT 1
#endif

enum { DEPOT_KEPT = 64 }; /* bundles of a size that are not freed between two bursts */

static _Thread_local struct filch_heap_count *own_count;

void filch_memory_add_count(struct filch_heap_count *count)
{
    /* relaxed: checked by the exchange */
    count->older = atomic_load_explicit(&heap.counts, memory_order_relaxed);
    /* release: pairs with the acquire in filch_memory_held; it is made */
    while (!atomic_compare_exchange_weak_explicit(&heap.counts, &count->older, count,
                                                  memory_order_release, memory_order_relaxed)) {
    }
}

void filch_memory_count_as(struct filch_heap_count *count)
{
    if (own_count) {
        filch_blocks_clear(&own_count->blocks, &heap.depot);
    }
    own_count = count;
}

static void count_for(struct filch_heap_count *own, int64_t bytes)
{
    if (FILCH_LIKELY(own != NULL)) {
        /* relaxed, both: one writer; read as a glance */
        int64_t held = atomic_load_explicit(&own->bytes, memory_order_relaxed);
        atomic_store_explicit(&own->bytes, held + bytes, memory_order_relaxed);
    } else {
        /* relaxed: a counter */
        atomic_fetch_add_explicit(&heap.uncounted_bytes, bytes, memory_order_relaxed);
    }
}

static void *kept_block(struct filch_heap_count *own, size_t bytes)
{
    return FILCH_BLOCKS_KEPT && own ? filch_blocks_take(&own->blocks, &heap.depot, bytes) : NULL;
}

/* If there is any. */
static void *counted_for(struct filch_heap_count *own, void *memory, size_t bytes)
{
    if (memory) {
        count_for(own, (int64_t)bytes);
    }
    return memory;
}

/* noinline and opaque, all: as filch_thread_known(). Of the calling thread, and its count. */
static __attribute__((noinline)) void *get_counted(size_t bytes)
{
    __asm__ volatile("" ::: "memory");
    struct filch_heap_count *own = own_count;
    void *kept = kept_block(own, bytes);
    return counted_for(own, kept ? kept : malloc(filch_block_bytes(bytes)), bytes);
}

static __attribute__((noinline)) void *get_counted_zeroed(size_t bytes)
{
    __asm__ volatile("" ::: "memory");
    struct filch_heap_count *own = own_count;
    void *kept = kept_block(own, bytes);
    void *memory = kept ? memset(kept, 0, bytes) : calloc(1, filch_block_bytes(bytes));
    return counted_for(own, memory, bytes);
}

static __attribute__((noinline)) void *counted(void *memory, size_t bytes)
{
    __asm__ volatile("" ::: "memory");
    return counted_for(own_count, memory, bytes);
}

static __attribute__((noinline)) void count_given(size_t bytes)
{
    __asm__ volatile("" ::: "memory");
    count_for(own_count, -(int64_t)bytes);
}

static __attribute__((noinline)) void give_counted(void *memory, size_t bytes)
{
    __asm__ volatile("" ::: "memory");
    struct filch_heap_count *own = own_count;
    count_for(own, -(int64_t)bytes);
    if (!FILCH_BLOCKS_KEPT || !own ||
        !filch_blocks_keep(&own->blocks, &heap.depot, memory, bytes)) {
        free(memory);
    }
}

static void *get(size_t bytes, size_t alignment)
{
    const filch_memory_hooks *hooks = &heap.hooks;
    if (hooks->get) {
        return counted(hooks->get(hooks->context, bytes, alignment), bytes);
    }
    return alignment <= _Alignof(max_align_t)
               ? get_counted(bytes)
               : counted(aligned_alloc(alignment, filch_aligned_up(bytes, alignment)), bytes);
}

static void give(void *memory, size_t bytes)
{
    const filch_memory_hooks *hooks = &heap.hooks;
    if (hooks->give) {
        count_given(bytes);
        hooks->give(hooks->context, memory, bytes);
    } else {
        give_counted(memory, bytes);
    }
}

static void *with_head(char *whole, size_t total, size_t before)
{
    if (!whole) {
        return NULL;
    }
    *head_of(whole + before) = (struct head){total, before};
    return whole + before;
}

void *filch_aligned_alloc(size_t alignment, size_t bytes)
{
    size_t before = alignment > HEAD ? alignment : HEAD;
    size_t total;
    return filch_add(bytes, before, &total) ? with_head(get(total, before), total, before) : NULL;
}

void *filch_malloc(size_t bytes)
{
    return filch_aligned_alloc(HEAD, bytes);
}

void *filch_alloc_at(size_t bytes, size_t alignment, size_t offset)
{
    size_t slack = alignment > HEAD ? alignment - HEAD : 0;
    size_t total;
    if (!filch_add(bytes, HEAD + slack, &total)) {
        return NULL;
    }
    char *whole = get(total, HEAD);
    size_t missing = slack ? -((uintptr_t)whole + HEAD + offset) & (alignment - 1) : 0;
    return with_head(whole, total, HEAD + missing);
}

void *filch_malloc_for(size_t unit_bytes, size_t bytes)
{
    return filch_alloc_at(bytes, filch_alignment_for(unit_bytes), 0);
}

/* The C library knows which pages are zero already. */
static void *get_zeroed(size_t bytes)
{
    if (!heap.hooks.get && HEAD <= _Alignof(max_align_t)) {
        return get_counted_zeroed(bytes);
    }
    void *memory = get(bytes, HEAD);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *filch_calloc(size_t n, size_t bytes)
{
    size_t asked;
    size_t total;
    return filch_multiply(n, bytes, &asked) && filch_add(asked, HEAD, &total)
               ? with_head(get_zeroed(total), total, HEAD)
               : NULL;
}

void filch_free(void *memory)
{
    if (memory) {
        const struct head head = *head_of(memory);
        give((char *)memory - head.before, head.bytes);
    }
}

void *filch_realloc(void *memory, size_t bytes)
{
    void *grown = filch_malloc(bytes);
    if (grown && memory) {
        const struct head *head = head_of(memory);
        size_t had = head->bytes - head->before;
        memcpy(grown, memory, had < bytes ? had : bytes);
        filch_free(memory);
    }
    return grown;
}

bool filch_memory_trim(enum filch_memory_idle idle)
{
    return filch_depot_trim(&heap.depot, idle == FILCH_MEMORY_IDLE_LONG ? 0 : DEPOT_KEPT);
}

void filch_memory_mapped(ptrdiff_t bytes)
{
    /* relaxed: a counter */
    atomic_fetch_add_explicit(&heap.mapped_bytes, bytes, memory_order_relaxed);
}

void filch_memory_held(size_t *heap_bytes, size_t *mapped_bytes)
{
    /* relaxed, all but the next: a glance. acquire: pairs with filch_memory_add_count */
    int64_t held = atomic_load_explicit(&heap.uncounted_bytes, memory_order_relaxed);
    struct filch_heap_count *count = atomic_load_explicit(&heap.counts, memory_order_acquire);
    for (; count; count = count->older) {
        held += atomic_load_explicit(&count->bytes, memory_order_relaxed);
    }
    if (heap_bytes) {
        *heap_bytes = held > 0 ? (size_t)held : 0;
    }
    if (mapped_bytes) {
        *mapped_bytes = (size_t)atomic_load_explicit(&heap.mapped_bytes, memory_order_relaxed);
    }
}

filch_status filch_memory_use(const filch_memory_hooks *hooks)
{
    size_t held;
    if (hooks && (!hooks->get || !hooks->give)) {
        return FILCH_EINVAL;
    }
    filch_memory_held(&held, NULL);
    if (held > 0) {
        return FILCH_EBUSY;
    }
    heap.hooks = hooks ? *hooks : (filch_memory_hooks){.get = NULL};
    return FILCH_OK;
}
