#include "stack/slab.h"

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "stack/sanitize.h"

/* With as many pieces as there is memory for. NULL: not even for one. */
static struct filch_slab *slab_new(size_t stride)
{
    struct filch_slab *slab = filch_calloc(1, sizeof *slab);
    unsigned pieces = FILCH_SLAB_PIECES;
    for (; slab && pieces && !slab->memory; pieces /= 2) {
        slab->pieces = pieces;
        if (filch_multiply(stride, pieces, &slab->bytes)) {
            slab->memory = filch_os_map(slab->bytes);
        }
    }
    if (!slab || !slab->memory) {
        filch_free(slab);
        return NULL;
    }
    filch_memory_mapped((ptrdiff_t)slab->bytes);
    return slab;
}

void filch_stack_destroy_tsan_fibers(struct filch_stack *stack)
{
    for (; stack; stack = stack->next) {
        filch_sanitize_tsan_fiber_destroy(stack->tsan_fiber);
    }
}

void filch_slab_free(struct filch_slab *slab)
{
    filch_stack_destroy_tsan_fibers(slab->cold_stacks);
    filch_os_unmap(slab->memory, slab->bytes);
    filch_memory_mapped(-(ptrdiff_t)slab->bytes);
    filch_free(slab);
}

/* Each piece of a slab has its header a line further on: were all at the same place in their pages,
 * the same lines of many fibers would fight for few places in the processor's caches. */
struct filch_stack *filch_slab_stack_at(const struct filch_stacks *stacks,
                                        const struct filch_slab *slab, size_t index)
{
    char *piece = slab->memory + stacks->stride * index;
    return (struct filch_stack *)(void *)(piece + stacks->header_at + index * FILCH_CACHE_LINE);
}

static void list_open_locked(struct filch_stacks *stacks, struct filch_slab *slab)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    if (!slab->listed_open) {
        slab->listed_open = true;
        slab->next_open = stacks->open;
        stacks->open = slab;
    }
}

struct filch_slab *filch_slab_open_locked(struct filch_stacks *stacks)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    while (stacks->open && stacks->open->used == stacks->open->pieces) {
        stacks->open->listed_open = false;
        stacks->open = stacks->open->next_open;
    }
    struct filch_slab *slab = stacks->open;
    if (!slab && (slab = slab_new(stacks->stride))) {
        slab->next = stacks->slabs;
        stacks->slabs = slab;
        list_open_locked(stacks, slab);
    }
    return slab;
}

struct filch_stack *filch_slab_carve_locked(struct filch_stacks *stacks, struct filch_slab **slab)
{
    *slab = filch_slab_open_locked(stacks);
    FILCH_ASSERT(!*slab || (*slab)->used < (*slab)->pieces);
    return *slab ? filch_slab_stack_at(stacks, *slab, (*slab)->used++) : NULL;
}

struct filch_stack *filch_slab_take_cold_locked(struct filch_stacks *stacks)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    while (stacks->cold && !stacks->cold->cold_stacks) {
        stacks->cold->listed_cold = false;
        stacks->cold = stacks->cold->next_cold;
    }
    struct filch_slab *slab = stacks->cold;
    struct filch_stack *stack = slab ? slab->cold_stacks : NULL;
    if (stack) {
        FILCH_ASSERT(slab->cold_count > 0 && slab->cold_count <= slab->used);
        slab->cold_stacks = stack->next;
        slab->cold_count--;
        stack->next = NULL;
        stack->bundled = 1;
    }
    return stack;
}

/* All its pieces are cold: none of them is anything any more. */
static void wipe_locked(struct filch_stacks *stacks, struct filch_slab *slab)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    FILCH_ASSERT(slab->cold_count == slab->used);
    filch_stack_destroy_tsan_fibers(slab->cold_stacks);
    filch_sanitize_stack_clean(slab->memory, slab->bytes);
    slab->cold_stacks = NULL;
    slab->cold_count = slab->used = 0;
    list_open_locked(stacks, slab);
    filch_os_trim(slab->memory, slab->bytes);
}

void filch_slab_cool_locked(struct filch_stacks *stacks, struct filch_stack *stack, bool trimmed)
{
    struct filch_slab *slab = stack->slab;
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    FILCH_ASSERT(slab->cold_count < slab->used);
    stack->next = slab->cold_stacks;
    slab->cold_stacks = stack;
    slab->cold_count++;
    if (!slab->listed_cold) {
        slab->listed_cold = true;
        slab->next_cold = stacks->cold;
        stacks->cold = slab;
    }
    if (trimmed && slab->cold_count == slab->used) {
        wipe_locked(stacks, slab);
    }
}
