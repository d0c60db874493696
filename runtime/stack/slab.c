#include "stack/slab.h"

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "stack/sanitize.h"

/* With as many pieces as there is memory for. NULL: not even for one. */
static struct filch_slab *slab_new(struct filch_stock *stock)
{
    struct filch_slab *slab = filch_calloc(1, sizeof *slab);
    unsigned pieces = FILCH_SLAB_PIECES;
    for (; slab && pieces && !slab->memory; pieces /= 2) {
        slab->stock = stock;
        slab->pieces = pieces;
        if (filch_multiply(stock->stride, pieces, &slab->bytes)) {
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
struct filch_stack *filch_slab_stack_at(const struct filch_slab *slab, size_t index)
{
    char *piece = slab->memory + slab->stock->stride * index;
    char *header = piece + slab->stock->header_at + index * FILCH_CACHE_LINE;
    return (struct filch_stack *)(void *)header;
}

char *filch_slab_piece_of(const struct filch_stack *stack)
{
    uintptr_t page = filch_os_page_bytes();
    return (char *)(((uintptr_t)stack - stack->slab->stock->header_at) / page * page);
}

static void list_open_locked(struct filch_stacks *stacks, struct filch_slab *slab)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    struct filch_stock *stock = slab->stock;
    if (!slab->listed_open) {
        slab->listed_open = true;
        slab->next_open = stock->open;
        stock->open = slab;
    }
}

struct filch_slab *filch_slab_open_locked(struct filch_stacks *stacks, struct filch_stock *stock)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock) && stock->carved <= stock->most);
    while (stock->open && stock->open->used == stock->open->pieces) {
        stock->open->listed_open = false;
        stock->open = stock->open->next_open;
    }
    if (stock->carved == stock->most) {
        return NULL;
    }
    struct filch_slab *slab = stock->open;
    if (!slab && (slab = slab_new(stock))) {
        slab->next = stacks->slabs;
        stacks->slabs = slab;
        list_open_locked(stacks, slab);
    }
    return slab;
}

struct filch_stack *filch_slab_carve_locked(struct filch_stacks *stacks, struct filch_stock *stock,
                                            struct filch_slab **slab)
{
    *slab = filch_slab_open_locked(stacks, stock);
    FILCH_ASSERT(!*slab || (*slab)->used < (*slab)->pieces);
    stock->carved += *slab != NULL;
    return *slab ? filch_slab_stack_at(*slab, (*slab)->used++) : NULL;
}

struct filch_stack *filch_slab_take_cold_locked(struct filch_stacks *stacks,
                                                struct filch_stock *stock)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    while (stock->cold && !stock->cold->cold_stacks) {
        stock->cold->listed_cold = false;
        stock->cold = stock->cold->next_cold;
    }
    struct filch_slab *slab = stock->cold;
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
    FILCH_ASSERT(slab->stock->carved >= slab->used);
    slab->cold_stacks = NULL;
    slab->stock->carved -= slab->used;
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
        slab->next_cold = slab->stock->cold;
        slab->stock->cold = slab;
    }
    if (trimmed && slab->cold_count == slab->used) {
        wipe_locked(stacks, slab);
    }
}
