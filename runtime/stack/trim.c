/* trim: how stacks that are free give their memory back to the system. */
#include "base/assert.h"
#include "os/os.h"
#include "stack/sanitize.h"
#include "stack/slab.h"
#include "stack/stack.h"

enum { TRIM_AT_ONCE = 256 }; /* an idle pool must not spend its time on giving memory back */

/* What a stack and its lane hold apart from the page of its top. False: the system will not have
 * it. */
static bool trim_one(struct filch_stack *stack)
{
    size_t page = filch_os_page_bytes();
    size_t first = stack->guarded ? 0 : page; /* keep the canary's page */
    char *low = (char *)stack->low + first;
    char *top = (char *)((uintptr_t)stack / page * page); /* keep the header's page */
    char *slots = top + page;
    char *end = filch_slab_piece_of(stack) + stack->slab->stock->stride;
    filch_sanitize_stack_clean(low, (size_t)(top - low));
    /* That slots read as zero now, which is latent, is what they are: there is no fiber. */
    return filch_os_trim(slots, (size_t)(end - slots)) && filch_os_trim(low, (size_t)(top - low));
}

/* Take the warm bundles behind the first `keep` stacks, some hundreds at most. */
static struct filch_stack *take_warm_locked(struct filch_stock *stock, size_t keep, bool *more)
{
    struct filch_stack **from = &stock->bundles;
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
    *more |= rest != NULL;
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
    bool more = false;
    for (int size = 0; size < FILCH_STACK_SIZES; size++) {
        filch_lock_acquire(&stacks->lock, FILCH_RANK_STACKS);
        struct filch_stack *bundle = take_warm_locked(&stacks->stocks[size], keep, &more);
        filch_lock_release(&stacks->lock);
        while (bundle) {
            struct filch_stack *next = bundle->bundle;
            cool_bundle(stacks, bundle);
            bundle = next;
        }
    }
    return more;
}
