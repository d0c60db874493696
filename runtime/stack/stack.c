#include "stack/stack.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "stack/sanitize.h"
#include "stack/slab.h"
#include "work/work.h"

enum {
    FIRST_TOP = 1536, /* bytes of stack at least in the page that its top and the header share */
    SLOTS_BYTES = FILCH_STACK_SLOTS * 64,
    MINIMUM = 16 * 1024,
    BUNDLE = 16,        /* stacks that go from shelf to shelf at once */
    TRIM_AT_ONCE = 256, /* an idle pool must not spend its time on giving memory back */
};

static const uint64_t canary = 0x66696c636866696cull;

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
    stacks->slabs = stacks->cold = stacks->open = NULL;
    atomic_init(&stacks->out_of_guards, false);
}

void filch_stacks_destroy(struct filch_stacks *stacks)
{
    for (struct filch_stack *b = stacks->bundles; b; b = b->bundle) {
        filch_stack_destroy_tsan_fibers(b);
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
    stacks->bundles = NULL;
}

/* Where its piece begins. */
static char *stack_piece_of(const struct filch_stacks *stacks, struct filch_stack *stack)
{
    uintptr_t page = filch_os_page_bytes();
    return (char *)(((uintptr_t)stack - stacks->header_at) / page * page);
}

_Static_assert(FIRST_TOP + FILCH_SLAB_PIECES * FILCH_CACHE_LINE + FILCH_STACK_HEADER_BYTES <= 4096,
               "stack top and header share a page, wherever they are");

static bool guard(struct filch_stacks *stacks, char *piece)
{
    /* relaxed, both: a thread that does not see it asks in vain once more */
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
static void furnish(struct filch_stacks *stacks, struct filch_stack *stack, struct filch_slab *slab)
{
    char *piece = stack_piece_of(stacks, stack);
    stack->guarded = guard(stacks, piece);
    stack->low = stack->guarded ? piece + filch_os_page_bytes() : piece;
    stack->bytes = (size_t)((char *)stack - (char *)stack->low);
    if (!stack->guarded) {
        *(uint64_t *)stack->low = canary;
    }
    stack->tsan_fiber = filch_sanitize_tsan_fiber_create();
    stack->slab = slab;
    stack->next = NULL;
    stack->bundled = 1;
}

/* A bundle, or a cold or fresh stack, which is a bundle of one. NULL: no memory. */
static struct filch_stack *fetch_bundle(struct filch_stacks *stacks)
{
    struct filch_slab *slab = NULL;
    struct filch_stack *fresh = NULL;
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    struct filch_stack *bundle = stacks->bundles;
    if (bundle) {
        stacks->bundles = bundle->bundle;
    } else if (!(bundle = filch_slab_take_cold_locked(stacks))) {
        fresh = filch_slab_carve_locked(stacks, &slab);
    }
    stacks->live_count += bundle ? bundle->bundled : fresh != NULL;
    filch_lock_release(&stacks->lock);
    if (fresh) {
        furnish(stacks, fresh, slab);
    }
    return bundle ? bundle : fresh;
}

bool filch_stacks_reserve(struct filch_stacks *stacks)
{
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    struct filch_stack *cold = stacks->bundles ? NULL : filch_slab_take_cold_locked(stacks);
    if (cold) {
        cold->bundle = NULL;
        stacks->bundles = cold;
    }
    bool there = stacks->bundles || filch_slab_open_locked(stacks);
    filch_lock_release(&stacks->lock);
    return there;
}

static void store_bundle(struct filch_stacks *stacks, struct filch_stack *bundle)
{
    if (!bundle) {
        return;
    }
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    FILCH_ASSERT(bundle->bundled && bundle->bundled <= stacks->live_count);
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
        /* No thread has touched it since it was given back. */
        filch_prefetch_around(stack->next, FILCH_FIBER_LINES_FROM, FILCH_FIBER_LINES_BEFORE);
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
    FILCH_ASSERT(filch_lock_is_held(&stacks->lock));
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
        for (size_t i = 0; i < slab->used; i++) {
            see(filch_slab_stack_at(stacks, slab, i), context);
        }
        slab = slab->next;
        filch_lock_release(&stacks->lock);
        filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    }
    filch_lock_release(&stacks->lock);
}

/* ---- giving memory back ---- */

/* What a stack holds apart from the page of its top. False: the system will not have it. */
static bool trim_one(struct filch_stack *stack)
{
    size_t page = filch_os_page_bytes();
    size_t first = stack->guarded ? 0 : page; /* keep the canary's page */
    char *low = (char *)stack->low + first;
    char *top = (char *)((uintptr_t)stack / page * page); /* keep the header's page */
    filch_sanitize_stack_clean(low, (size_t)(top - low));
    return filch_os_trim(low, (size_t)(top - low));
}

/* Take the warm bundles behind the first `keep` stacks, some hundreds at most. */
static struct filch_stack *take_warm(struct filch_stacks *stacks, size_t keep, bool *more)
{
    filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
    struct filch_stack **from = &stacks->bundles;
    for (size_t kept = 0; *from && kept < keep; from = &(*from)->bundle) {
        kept += (*from)->bundled;
    }
    struct filch_stack *first = *from;
    struct filch_stack **to = from;
    for (size_t taken = 0; *to && taken < TRIM_AT_ONCE; to = &(*to)->bundle) {
        taken += (*to)->bundled;
    }
    struct filch_stack *rest = *to;
    *to = NULL; /* the end of what is taken */
    *from = rest;
    *more = rest != NULL;
    filch_lock_release(&stacks->lock);
    return first;
}

static void cool_bundle(struct filch_stacks *stacks, struct filch_stack *bundle)
{
    while (bundle) {
        struct filch_stack *next = bundle->next;
        bool trimmed = trim_one(bundle);
        filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
        filch_slab_cool_locked(stacks, bundle, trimmed);
        filch_lock_release(&stacks->lock);
        bundle = next;
    }
}

bool filch_stacks_trim(struct filch_stacks *stacks, size_t keep)
{
    bool more;
    struct filch_stack *bundle = take_warm(stacks, keep, &more);
    while (bundle) {
        struct filch_stack *next = bundle->bundle;
        cool_bundle(stacks, bundle);
        bundle = next;
    }
    return more;
}

bool filch_stack_intact(const struct filch_stack *stack)
{
    return stack->guarded || *(const uint64_t *)stack->low == canary;
}
