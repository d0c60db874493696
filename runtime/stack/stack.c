#include "stack/stack.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "stack/sanitize.h"
#include "stack/slab.h"
#include "work/lane.h"
#include "work/work.h"

enum {
    FIRST_TOP = 1472, /* bytes of stack at least in the page that its top and the header share */
    SLOT_BYTES = sizeof(filch_slot),
    SLOTS_LEAST = 1024,
    MINIMUM = 16 * 1024,
    ORDINARY = 1 << 20, /* bytes of a stack where nothing else is said */
    CLEAN_SLOTS = 64,   /* to begin with: a lane without any would look as if a thread asked */
    BARE_SLOTS = sizeof(void *) < 8 ? SLOTS_LEAST : 16384,
    LARGE = 2 << 20,  /* from that size on, room for slots and guards is no matter */
    GUARD = 64 << 10, /* a frame of less than that does not leap over it */
    BUNDLE = 16,      /* stacks that go from shelf to shelf at once */
};

static const uint64_t canary = 0x66696c636866696cull;

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* Bytes from the end of a piece down to the first place of a stack's top. */
static size_t header_offset(size_t slots, size_t page)
{
    return round_up(slots * SLOT_BYTES + FILCH_STACK_HEADER_BYTES, page) + page - FIRST_TOP;
}

/* A function that has forked takes about as much of its stack as of its lane: as many slots as a
 * large stack has room for frames. A smaller one is to stay small. */
static size_t slots_for(size_t stack_bytes)
{
    return stack_bytes >= LARGE ? stack_bytes / SLOT_BYTES : SLOTS_LEAST;
}

size_t filch_stack_minimum(void)
{
    return filch_os_signal_frame_bytes() + MINIMUM;
}

size_t filch_stack_default(void)
{
    bool scarce = sizeof(void *) < 8 || filch_os_space_is_limited();
    size_t main_bytes = scarce ? 0 : filch_os_stack_bytes();
    return main_bytes > ORDINARY ? main_bytes : ORDINARY;
}

static void stock_init(struct filch_stock *stock, size_t stack_bytes, size_t most)
{
    size_t page = filch_os_page_bytes();
    size_t slots = slots_for(stack_bytes);
    size_t offset = header_offset(slots, page);
    size_t guard = stack_bytes >= LARGE ? round_up(GUARD, page) : page;
    size_t stride = guard + round_up(stack_bytes, page) + offset + FIRST_TOP;
    *stock = (struct filch_stock){.bytes = stack_bytes,
                                  .stride = stride,
                                  .guard = guard,
                                  .header_at = stride - offset,
                                  .slots = slots,
                                  .most = most};
}

void filch_stacks_init(struct filch_stacks *stacks, size_t stack_bytes)
{
    size_t bytes = stack_bytes ? stack_bytes : filch_stack_default();
    bool two = !stack_bytes && bytes > ORDINARY;
    filch_lock_init(&stacks->lock);
    stock_init(&stacks->stocks[0], bytes, two ? FILCH_STACKS_LARGE : SIZE_MAX);
    stock_init(&stacks->stocks[1], ORDINARY, two ? SIZE_MAX : 0);
    stacks->bare = stacks->made = NULL;
    stacks->live_count = 0;
    stacks->slabs = NULL;
    atomic_init(&stacks->out_of_guards, false);
}

void filch_stacks_destroy(struct filch_stacks *stacks)
{
    for (int size = 0; size < FILCH_STACK_SIZES; size++) {
        for (struct filch_stack *b = stacks->stocks[size].bundles; b; b = b->bundle) {
            filch_stack_destroy_tsan_fibers(b);
        }
        stacks->stocks[size].bundles = NULL;
    }
    while (stacks->made) {
        struct filch_stack *made = stacks->made;
        stacks->made = made->made;
        filch_free(made);
    }
    while (stacks->slabs) {
        struct filch_slab *slab = stacks->slabs;
        stacks->slabs = slab->next;
        filch_slab_free(slab);
    }
}

_Static_assert(FIRST_TOP + FILCH_SLAB_PIECES * FILCH_CACHE_LINE + FILCH_STACK_HEADER_BYTES <= 4096,
               "stack top and header share a page, wherever they are");

static bool guard(struct filch_stacks *stacks, char *piece, size_t bytes)
{
    /* relaxed, both: a thread that does not see it asks in vain once more */
    if (atomic_load_explicit(&stacks->out_of_guards, memory_order_relaxed)) {
        return false;
    }
    bool guarded = filch_os_guard(piece, bytes);
    if (!guarded) {
        atomic_store_explicit(&stacks->out_of_guards, true, memory_order_relaxed);
    }
    return guarded;
}

/* Make it one, without the lock: the first touch of its page takes long. */
static void furnish(struct filch_stacks *stacks, struct filch_stack *stack, struct filch_slab *slab)
{
    stack->slab = slab;
    stack->timer = filch_slab_timer_of(stack);
    stack->slots = slab->stock->slots - FILCH_LANE_SPARE;
    stack->clean_slots = stack->slots; /* the system's pages are zero */
    char *piece = filch_slab_piece_of(stack);
    size_t guard_bytes = slab->stock->guard;
    bool has_guard = piece < slab->memory + slab->guarded * slab->stock->stride;
    stack->guarded = has_guard || guard(stacks, piece, guard_bytes);
    stack->low = stack->guarded ? piece + guard_bytes : piece;
    stack->bytes = (size_t)((char *)stack - (char *)stack->low);
    if (!stack->guarded) {
        *(uint64_t *)stack->low = canary;
    }
    stack->tsan_fiber = filch_sanitize_tsan_fiber_create();
    stack->next = NULL;
    stack->bundled = 1;
}

/* ---- to have, and to give back ---- */

static bool is_spent(struct filch_stock *stock)
{
    /* relaxed: a thread that sees it late asks in vain, or takes one of another size */
    return atomic_load_explicit(&stock->spent, memory_order_relaxed);
}

static void set_spent_locked(struct filch_stock *stock, bool spent)
{
    if (is_spent(stock) != spent) {
        atomic_store_explicit(&stock->spent, spent, memory_order_relaxed); /* as above */
    }
}

/* A bundle, or a cold or fresh stack, which is a bundle of one. NULL: no memory, or no more of this
 * size are allowed. */
static struct filch_stack *fetch_bundle(struct filch_stacks *stacks, struct filch_stock *stock)
{
    struct filch_slab *slab = NULL;
    struct filch_stack *fresh = NULL;
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    struct filch_stack *bundle = stock->bundles;
    if (bundle) {
        stock->bundles = bundle->bundle;
    } else if (!(bundle = filch_slab_take_cold_locked(stacks, stock))) {
        fresh = filch_slab_carve_locked(stacks, stock, &slab);
    }
    stacks->live_count += bundle ? bundle->bundled : fresh != NULL;
    set_spent_locked(stock, !bundle && !fresh);
    filch_lock_release(&stacks->lock);
    if (fresh) {
        furnish(stacks, fresh, slab);
    }
    return bundle ? bundle : fresh;
}

/* One of this size is there, or can be made. */
static bool reserve_locked(struct filch_stacks *stacks, struct filch_stock *stock)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    struct filch_stack *cold = stock->bundles ? NULL : filch_slab_take_cold_locked(stacks, stock);
    if (cold) {
        cold->bundle = NULL;
        stock->bundles = cold;
    }
    bool there = stock->bundles || filch_slab_open_locked(stacks, stock);
    set_spent_locked(stock, !there);
    return there;
}

bool filch_stacks_reserve(struct filch_stacks *stacks)
{
    bool there = false;
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    for (int size = 0; size < FILCH_STACK_SIZES && !there; size++) {
        there = reserve_locked(stacks, &stacks->stocks[size]);
    }
    filch_lock_release(&stacks->lock);
    return there;
}

static void store_bundle(struct filch_stacks *stacks, struct filch_stack *bundle)
{
    if (!bundle) {
        return;
    }
    struct filch_stock *stock = bundle->slab->stock;
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    FILCH_ASSERT(bundle->bundled && bundle->bundled <= stacks->live_count);
    bundle->bundle = stock->bundles;
    stock->bundles = bundle;
    stacks->live_count -= bundle->bundled;
    set_spent_locked(stock, false);
    filch_lock_release(&stacks->lock);
}

/* From that board, filled from the stock if need be. */
static struct filch_stack *take_from(struct filch_stacks *stacks, struct filch_stock *stock,
                                     struct filch_board *board)
{
    if (!board->loose) {
        board->loose = board->full ? board->full : fetch_bundle(stacks, stock);
        board->full = NULL;
    }
    struct filch_stack *stack = board->loose;
    if (!stack) {
        return NULL;
    }
    board->loose = stack->next;
    if (stack->next) {
        stack->next->bundled = stack->bundled - 1;
        /* No thread has touched it since it was given back. */
        filch_prefetch_around(stack->next, FILCH_FIBER_LINES_FROM, FILCH_FIBER_LINES_BEFORE);
    }
    return stack;
}

struct filch_stack *filch_stacks_get(struct filch_stacks *stacks, struct filch_shelf *shelf)
{
    struct filch_stack *stack = NULL;
    for (int size = 0; size < FILCH_STACK_SIZES && !stack; size++) {
        struct filch_stock *stock = &stacks->stocks[size];
        struct filch_board *board = &shelf->boards[size];
        bool last = size + 1 == FILCH_STACK_SIZES || stacks->stocks[size + 1].most == 0;
        if (board->loose || board->full || last || !is_spent(stock)) {
            stack = take_from(stacks, stock, board);
        }
    }
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
    struct filch_board *board = &shelf->boards[stack->slab->stock - stacks->stocks];
    if (board->loose && board->loose->bundled == BUNDLE) {
        store_bundle(stacks, board->full);
        board->full = board->loose;
    } else if (board->loose) {
        stack->next = board->loose;
        stack->bundled = board->loose->bundled + 1;
    }
    board->loose = stack;
}

void filch_stacks_clear(struct filch_stacks *stacks, struct filch_shelf *shelf)
{
    for (int size = 0; size < FILCH_STACK_SIZES; size++) {
        struct filch_board *board = &shelf->boards[size];
        store_bundle(stacks, board->full);
        store_bundle(stacks, board->loose);
        board->full = board->loose = NULL;
    }
}

/* ---- without a stack ---- */

/* From the heap, whose pages are warm where pools come and go: mapping and unmapping takes longer
 * than all else that is done for a short stay. Slots are cleaned when a lane grows into them. */
static struct filch_stack *make_bare_locked(struct filch_stacks *stacks)
{
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
    struct filch_stack *bare =
        filch_aligned_alloc(64, FILCH_STACK_HEADER_BYTES + BARE_SLOTS * SLOT_BYTES);
    if (bare) {
        memset(bare, 0, FILCH_STACK_HEADER_BYTES + CLEAN_SLOTS * SLOT_BYTES);
        bare->slots = BARE_SLOTS - FILCH_LANE_SPARE;
        bare->clean_slots = CLEAN_SLOTS;
        bare->made = stacks->made;
        stacks->made = bare;
    }
    return bare;
}

struct filch_stack *filch_stacks_get_bare(struct filch_stacks *stacks)
{
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
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
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    FILCH_ASSERT(stacks->live_count > 0);
    stack->next = stacks->bare;
    stacks->bare = stack;
    stacks->live_count--;
    filch_lock_release(&stacks->lock);
}

void filch_stacks_each(struct filch_stacks *stacks,
                       void (*see)(struct filch_stack *stack, void *context), void *context)
{
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    struct filch_slab *slab = stacks->slabs; /* slabs are added in front, and never removed */
    while (slab) {
        for (size_t i = 0; i < slab->used; i++) { /* no thread may have touched them for long */
            filch_prefetch_around(filch_slab_stack_at(slab, i) + 1, FILCH_FIBER_LINES_FROM, 0);
        }
        for (size_t i = 0; i < slab->used; i++) {
            see(filch_slab_stack_at(slab, i), context);
        }
        slab = slab->next;
        filch_lock_release(&stacks->lock);
        filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    }
    filch_lock_release(&stacks->lock);
}

bool filch_stack_intact(const struct filch_stack *stack)
{
    return stack->guarded || *(const uint64_t *)stack->low == canary;
}
