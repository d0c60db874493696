#include "stack.h"

#include <string.h>

#include "base.h"
#include "memory.h"
#include "os.h"
#include "sanitize.h"
#include "work.h"

enum {
    FIRST_TOP = 1536, /* bytes of stack at least in the page that its top and the header share */
    SLOTS_BYTES = FILCH_STACK_SLOTS * 64,
    MINIMUM = 16 * 1024,
    PER_SLAB = 16,
    BUNDLE = 16,        /* stacks that go from shelf to shelf at once */
    TRIM_AT_ONCE = 256, /* an idle pool must not spend its time on giving memory back */
};

static const uint64_t canary = 0x66696c636866696cull;

struct filch_slab {
    struct filch_slab *next;
    size_t used; /* pieces carved so far */
    char *memory;
    size_t bytes;
};

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Bytes from the end of a piece down to the first place of a stack's top. */
static size_t header_offset(size_t page)
{
    return round_up(SLOTS_BYTES + FILCH_STACK_HEADER_BYTES, page) + page - FIRST_TOP;
}

size_t filch_stack_minimum(void)
{
    return filch_os_signal_frame_bytes() + MINIMUM;
}

void filch_stacks_init(struct filch_stacks *stacks, size_t stack_bytes)
{
    size_t page = filch_os_page_bytes();
    filch_lock_init(&stacks->lock);
    stacks->stride = round_up(stack_bytes, page) + page + header_offset(page) + FIRST_TOP;
    stacks->header_at = stacks->stride - header_offset(page);
    stacks->bundles = stacks->bare = stacks->made = NULL;
    stacks->live_count = 0;
    stacks->slabs = NULL;
    atomic_init(&stacks->out_of_guards, false);
}

void filch_stacks_destroy(struct filch_stacks *stacks)
{
    for (struct filch_stack *b = stacks->bundles; b; b = b->bundle) {
        for (struct filch_stack *s = b; s; s = s->next) {
            filch_sanitize_fiber_destroy(s->fiber);
        }
    }
    while (stacks->made) {
        struct filch_stack *made = stacks->made;
        stacks->made = made->made;
        filch_free(made);
    }
    while (stacks->slabs) {
        struct filch_slab *slab = stacks->slabs;
        stacks->slabs = slab->next;
        filch_os_unmap(slab->memory, slab->bytes);
        filch_memory_mapped(-(ptrdiff_t)slab->bytes);
        filch_free(slab);
    }
    stacks->bundles = NULL;
}

static struct filch_slab *slab_new(size_t stride)
{
    size_t bytes;
    struct filch_slab *slab = filch_calloc(1, sizeof *slab);
    if (!slab || !filch_multiply(stride, PER_SLAB, &bytes) ||
        !(slab->memory = filch_os_map(bytes))) {
        filch_free(slab);
        return NULL;
    }
    slab->bytes = bytes;
    filch_memory_mapped((ptrdiff_t)bytes);
    return slab;
}

/* Each piece of a slab has its header a line further on: were all at the same place in their pages,
 * the same lines of many strands would fight for few places in the processor's caches. */
static struct filch_stack *stack_at(const struct filch_stacks *stacks,
                                    const struct filch_slab *slab, size_t index)
{
    char *piece = slab->memory + stacks->stride * index;
    return (struct filch_stack *)(void *)(piece + stacks->header_at + index * FILCH_CACHE_LINE);
}

/* Where its piece begins. */
static char *piece_of(const struct filch_stacks *stacks, struct filch_stack *stack)
{
    uintptr_t page = filch_os_page_bytes();
    return (char *)(((uintptr_t)stack - stacks->header_at) / page * page);
}

_Static_assert(FIRST_TOP + PER_SLAB * FILCH_CACHE_LINE + FILCH_STACK_HEADER_BYTES <= 4096,
               "stack top and header share a page, wherever they are");

/* A piece that was never used: where its stack is to be. NULL: no memory. */
static struct filch_stack *carve_locked(struct filch_stacks *stacks)
{
    if (!stacks->slabs || stacks->slabs->used == PER_SLAB) {
        struct filch_slab *slab = slab_new(stacks->stride);
        if (!slab) {
            return NULL;
        }
        slab->next = stacks->slabs;
        stacks->slabs = slab;
    }
    return stack_at(stacks, stacks->slabs, stacks->slabs->used++);
}

static bool guard(struct filch_stacks *stacks, char *piece)
{
    /* relaxed, both: whoever does not see it asks in vain once more */
    if (atomic_load_explicit(&stacks->out_of_guards, memory_order_relaxed)) {
        return false;
    }
    bool guarded = filch_os_guard(piece, filch_os_page_bytes());
    if (!guarded) {
        atomic_store_explicit(&stacks->out_of_guards, true, memory_order_relaxed);
    }
    return guarded;
}

/* Make it one, without the lock: the first touch of its page takes long. */
static void furnish(struct filch_stacks *stacks, struct filch_stack *stack)
{
    char *piece = piece_of(stacks, stack);
    stack->guarded = guard(stacks, piece);
    stack->low = stack->guarded ? piece + filch_os_page_bytes() : piece;
    stack->bytes = (size_t)((char *)stack - (char *)stack->low);
    if (!stack->guarded) {
        *(uint64_t *)stack->low = canary;
    }
    stack->fiber = filch_sanitize_fiber_create();
    stack->next = NULL;
    stack->bundled = 1;
}

/* A bundle, or a fresh stack, which is a bundle of one. NULL: no memory. */
static struct filch_stack *fetch_bundle(struct filch_stacks *stacks)
{
    filch_lock_acquire(&stacks->lock);
    struct filch_stack *bundle = stacks->bundles;
    struct filch_stack *fresh = bundle ? NULL : carve_locked(stacks);
    if (bundle) {
        stacks->bundles = bundle->bundle;
    }
    stacks->live_count += bundle ? bundle->bundled : fresh != NULL;
    filch_lock_release(&stacks->lock);
    if (fresh) {
        furnish(stacks, fresh);
    }
    return bundle ? bundle : fresh;
}

static void store_bundle(struct filch_stacks *stacks, struct filch_stack *bundle)
{
    if (!bundle) {
        return;
    }
    filch_lock_acquire(&stacks->lock);
    bundle->bundle = stacks->bundles;
    stacks->bundles = bundle;
    stacks->live_count -= bundle->bundled;
    filch_lock_release(&stacks->lock);
}

struct filch_stack *filch_stacks_get(struct filch_stacks *stacks, struct filch_shelf *shelf)
{
    if (!shelf->loose) {
        shelf->loose = shelf->full ? shelf->full : fetch_bundle(stacks);
        shelf->full = NULL;
    }
    struct filch_stack *stack = shelf->loose;
    if (!stack) {
        return NULL;
    }
    shelf->loose = stack->next;
    if (stack->next) {
        stack->next->bundled = stack->bundled - 1;
        /* Nobody has touched it since it was given back. */
        filch_prefetch_around(stack->next, FILCH_STRAND_LINES_FROM, FILCH_STRAND_LINES_BEFORE);
    }
    stack->trimmed = false;
    return stack;
}

void filch_stacks_put(struct filch_stacks *stacks, struct filch_shelf *shelf,
                      struct filch_stack *stack)
{
    stack->next = NULL;
    stack->bundled = 1;
    if (!shelf) {
        store_bundle(stacks, stack);
        return;
    }
    if (shelf->loose && shelf->loose->bundled == BUNDLE) {
        store_bundle(stacks, shelf->full);
        shelf->full = shelf->loose;
    } else if (shelf->loose) {
        stack->next = shelf->loose;
        stack->bundled = shelf->loose->bundled + 1;
    }
    shelf->loose = stack;
}

void filch_stacks_clear(struct filch_stacks *stacks, struct filch_shelf *shelf)
{
    store_bundle(stacks, shelf->full);
    store_bundle(stacks, shelf->loose);
    shelf->full = shelf->loose = NULL;
}

/* From the heap, whose pages are warm where pools come and go; the caller holds the lock. */
static struct filch_stack *make_bare_locked(struct filch_stacks *stacks)
{
    struct filch_stack *bare = filch_aligned_alloc(64, FILCH_STACK_HEADER_BYTES + SLOTS_BYTES);
    if (bare) {
        memset(bare, 0, FILCH_STACK_HEADER_BYTES + SLOTS_BYTES); /* every slot is latent */
        bare->made = stacks->made;
        stacks->made = bare;
    }
    return bare;
}

struct filch_stack *filch_stacks_get_bare(struct filch_stacks *stacks)
{
    filch_lock_acquire(&stacks->lock);
    struct filch_stack *bare = stacks->bare;
    if (bare) {
        stacks->bare = bare->next;
    } else {
        bare = make_bare_locked(stacks);
    }
    stacks->live_count += bare != NULL;
    filch_lock_release(&stacks->lock);
    return bare;
}

void filch_stacks_put_bare(struct filch_stacks *stacks, struct filch_stack *stack)
{
    filch_lock_acquire(&stacks->lock);
    stack->next = stacks->bare;
    stacks->bare = stack;
    stacks->live_count--;
    filch_lock_release(&stacks->lock);
}

void filch_stacks_each(struct filch_stacks *stacks,
                       void (*see)(struct filch_stack *stack, void *context), void *context)
{
    filch_lock_acquire(&stacks->lock);
    struct filch_slab *slab = stacks->slabs; /* slabs are added in front, and never removed */
    while (slab) {
        for (size_t i = 0; i < slab->used; i++) {
            see(stack_at(stacks, slab, i), context);
        }
        slab = slab->next;
        filch_lock_release(&stacks->lock);
        filch_lock_acquire(&stacks->lock);
    }
    filch_lock_release(&stacks->lock);
}

static void trim_one(struct filch_stack *stack)
{
    size_t page = filch_os_page_bytes();
    size_t first = stack->guarded ? 0 : page; /* keep the canary's page */
    char *low = (char *)stack->low + first;
    char *top = (char *)((uintptr_t)stack / page * page); /* keep the header's page */
    filch_sanitize_stack_clean(low, (size_t)(top - low));
    filch_os_trim(low, (size_t)(top - low));
    stack->trimmed = true;
}

static void trim_bundle(struct filch_stack *bundle, size_t *kept, size_t *most)
{
    for (struct filch_stack *s = bundle; s && *most; s = s->next) {
        if (*kept) {
            --*kept;
        } else if (!s->trimmed) {
            trim_one(s);
            --*most;
        }
    }
}

void filch_stacks_trim(struct filch_stacks *stacks, size_t keep)
{
    filch_lock_acquire(&stacks->lock);
    size_t seen = 0;
    size_t most = TRIM_AT_ONCE;
    for (struct filch_stack *b = stacks->bundles; b && seen < keep + TRIM_AT_ONCE; b = b->bundle) {
        size_t left = keep > seen ? keep - seen : 0;
        trim_bundle(b, &left, &most);
        seen += b->bundled;
    }
    filch_lock_release(&stacks->lock);
}

bool filch_stack_intact(const struct filch_stack *stack)
{
    return stack->guarded || *(const uint64_t *)stack->low == canary;
}
