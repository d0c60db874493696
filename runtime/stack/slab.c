#include "stack/slab.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "stack/sanitize.h"

/* ---- one is kept ----
 *
 * Where pools come and go, mapping and unmapping costs as much as the thread that a pool makes: the
 * processor on which that ran must be told. So the memory of a slab of which one piece was used,
 * and little of that, stays for the next pool with stacks of its size. */

enum { KEPT_DEPTH = 64 << 10, PROBED = 16 << 10 }; /* bytes of stack, and of its lane, at most */

static struct {
    _Atomic(uint32_t) state; /* who changes the rest; in the child of a fork() it may stay BUSY */
    char *memory;            /* FULL: constant; BUSY: one thread's */
    size_t stride, guard, header_at;
} kept;

enum { EMPTY, FULL, BUSY };

static bool begin_on_kept(uint32_t state)
{
    /* acquire: pairs with the release in end_on_kept; what the last one wrote is seen */
    return atomic_compare_exchange_strong_explicit(&kept.state, &state, BUSY, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void end_on_kept(uint32_t state)
{
    atomic_store_explicit(&kept.state, state, memory_order_release); /* as above */
}

/* What goes deep passes by there. */
static bool was_deep(const struct filch_slab *slab)
{
    const struct filch_stock *stock = slab->stock;
    uintptr_t page = filch_os_page_bytes();
    uintptr_t top = (uintptr_t)filch_slab_stack_at(slab, 0) / page * page;
    char *stack = (char *)top - KEPT_DEPTH;
    char *lane = (char *)top + KEPT_DEPTH;
    return (stock->bytes >= KEPT_DEPTH + PROBED && filch_os_is_resident(stack - PROBED, PROBED)) ||
           (lane + PROBED <= slab->memory + stock->stride && filch_os_is_resident(lane, PROBED));
}

static bool keep(const struct filch_slab *slab)
{
    const struct filch_stock *stock = slab->stock;
    bool keeps = sizeof(void *) >= 8 && slab->used == 1 && slab->pieces == FILCH_SLAB_PIECES &&
                 filch_slab_stack_at(slab, 0)->guarded && !filch_os_space_is_limited() &&
                 !was_deep(slab) && begin_on_kept(EMPTY);
    if (keeps) {
        kept.memory = slab->memory;
        kept.stride = stock->stride;
        kept.guard = stock->guard;
        kept.header_at = stock->header_at;
        end_on_kept(FULL);
    }
    return keeps;
}

static bool take_kept(struct filch_slab *slab)
{
    const struct filch_stock *stock = slab->stock;
    if (!begin_on_kept(FULL)) {
        return false;
    }
    bool fits = kept.stride == stock->stride && kept.guard == stock->guard &&
                kept.header_at == stock->header_at;
    if (fits) {
        slab->memory = kept.memory;
        slab->guarded = 1;
        /* Those that see all stacks find one that was never used. Its slots are latent. */
        memset(filch_slab_stack_at(slab, 0), 0, FILCH_STACK_HEADER_BYTES);
    }
    end_on_kept(fits ? EMPTY : FULL);
    return fits;
}

/* With as many pieces as there is memory for. False: not even for one. */
static bool map(struct filch_slab *slab)
{
    for (unsigned pieces = FILCH_SLAB_PIECES; pieces && !slab->memory; pieces /= 2) {
        slab->pieces = pieces;
        if (filch_multiply(slab->stock->stride, pieces, &slab->bytes) &&
            (pieces < FILCH_SLAB_PIECES || !take_kept(slab)) &&
            (slab->memory = filch_os_map(slab->bytes))) {
            filch_memory_mapped((ptrdiff_t)slab->bytes);
        }
    }
    return slab->memory != NULL;
}

static struct filch_slab *slab_new(struct filch_stock *stock)
{
    struct filch_slab *slab = filch_calloc(1, sizeof *slab);
    if (slab) {
        slab->stock = stock;
    }
    if (slab && !map(slab)) {
        filch_free(slab);
        slab = NULL;
    }
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
    if (!keep(slab)) {
        filch_os_unmap(slab->memory, slab->bytes);
        filch_memory_mapped(-(ptrdiff_t)slab->bytes);
    }
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

struct filch_timer *filch_slab_timer_of(const struct filch_stack *stack)
{
    struct filch_slab *slab = stack->slab;
    size_t index = (size_t)((const char *)stack - slab->memory) / slab->stock->stride;
    FILCH_ASSERT(index < slab->pieces && filch_slab_stack_at(slab, index) == stack);
    return &slab->timers[index];
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
