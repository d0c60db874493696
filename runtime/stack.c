#include "stack.h"

#include <string.h>

#include "base.h"
#include "memory.h"
#include "os.h"
#include "sanitize.h"

enum {
    HALF_PAGE = 2048, /* of the page that stack top and header share */
    SLOTS_BYTES = FILCH_STACK_SLOTS * 64,
    MINIMUM = 16 * 1024,
    PER_SLAB = 16,
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

/* Bytes from the end of a piece down to its stack top. */
static size_t header_offset(size_t page)
{
    return round_up(SLOTS_BYTES + FILCH_STACK_HEADER_BYTES, page) + page - HALF_PAGE;
}

size_t filch_stack_minimum(void)
{
    return filch_os_signal_frame_bytes() + MINIMUM;
}

void filch_stacks_init(struct filch_stacks *stacks, size_t stack_bytes)
{
    size_t page = filch_os_page_bytes();
    filch_lock_init(&stacks->lock);
    stacks->stride = round_up(stack_bytes, page) + page + header_offset(page) + HALF_PAGE;
    stacks->stride = round_up(stacks->stride, page);
    stacks->header_at = stacks->stride - header_offset(page);
    stacks->free = stacks->bare = stacks->made = NULL;
    stacks->free_count = stacks->live_count = 0;
    stacks->slabs = NULL;
    stacks->out_of_guards = false;
}

void filch_stacks_destroy(struct filch_stacks *stacks)
{
    for (struct filch_stack *s = stacks->free; s; s = s->next) {
        filch_sanitize_fiber_destroy(s->fiber);
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
    stacks->free = NULL;
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

static struct filch_stack *stack_of(const struct filch_stacks *stacks, char *piece)
{
    return (struct filch_stack *)(void *)(piece + stacks->header_at);
}

/* A fresh piece; the caller holds the lock. */
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
    size_t page = filch_os_page_bytes();
    char *piece = stacks->slabs->memory + stacks->stride * stacks->slabs->used++;
    struct filch_stack *stack = stack_of(stacks, piece);
    char *header = (char *)stack;
    stacks->out_of_guards = stacks->out_of_guards || !filch_os_guard(piece, page);
    stack->low = stacks->out_of_guards ? piece : piece + page;
    stack->bytes = (size_t)(header - (char *)stack->low);
    stack->guarded = !stacks->out_of_guards;
    if (!stack->guarded) {
        *(uint64_t *)stack->low = canary;
    }
    stack->fiber = filch_sanitize_fiber_create();
    return stack;
}

struct filch_stack *filch_stacks_get(struct filch_stacks *stacks)
{
    filch_lock_acquire(&stacks->lock);
    struct filch_stack *stack = stacks->free;
    if (stack) {
        stacks->free = stack->next;
        stacks->free_count--;
    } else {
        stack = carve_locked(stacks);
    }
    if (stack) {
        stack->trimmed = false;
        stack->live = true;
        stacks->live_count++;
    }
    filch_lock_release(&stacks->lock);
    return stack;
}

void filch_stacks_put(struct filch_stacks *stacks, struct filch_stack *stack)
{
    filch_lock_acquire(&stacks->lock);
    stack->live = false;
    stack->next = stacks->free;
    stacks->free = stack;
    stacks->free_count++;
    stacks->live_count--;
    filch_lock_release(&stacks->lock);
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
            struct filch_stack *stack = stack_of(stacks, slab->memory + stacks->stride * i);
            if (stack->live) {
                see(stack, context);
            }
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

void filch_stacks_trim(struct filch_stacks *stacks, size_t keep)
{
    filch_lock_acquire(&stacks->lock);
    size_t position = 0;
    size_t most = TRIM_AT_ONCE;
    for (struct filch_stack *s = stacks->free; s && most && position < keep + TRIM_AT_ONCE;
         s = s->next, position++) {
        if (position >= keep && !s->trimmed) {
            trim_one(s);
            most--;
        }
    }
    filch_lock_release(&stacks->lock);
}

bool filch_stack_intact(const struct filch_stack *stack)
{
    return stack->guarded || *(const uint64_t *)stack->low == canary;
}
