#include "sched/cancel.h"

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"

static bool flag(struct filch_cancel_scope *scope)
{
    /* acquire: pairs with the release in cancel_locked; one that is told sees why */
    return atomic_load_explicit(&scope->cancelled, memory_order_acquire);
}

void filch_cancel_scope_open(struct filch_cancel_scope *scope, struct filch_cancel_scope *parent,
                             uint64_t deadline_ns)
{
    *scope = (struct filch_cancel_scope){.parent = parent, .deadline_ns = deadline_ns};
    filch_lock_init(&scope->lock);
    atomic_init(&scope->cancelled, false);
    if (!parent) {
        return;
    }
    if (parent->deadline_ns < deadline_ns) {
        scope->deadline_ns = parent->deadline_ns;
    }
    filch_lock_acquire(&parent->lock, FILCH_RANK_SCOPE);
    atomic_init(&scope->cancelled, flag(parent));
    filch_list_push(&parent->children, &scope->link);
    filch_lock_release(&parent->lock);
}

void filch_cancel_scope_close(struct filch_cancel_scope *scope)
{
    FILCH_ASSERT(!scope->waiters.first && !scope->children.first);
    struct filch_cancel_scope *parent = scope->parent;
    if (!parent) {
        return;
    }
    /* A cancel of the parent that is under way ends first. */
    filch_lock_acquire(&parent->lock, FILCH_RANK_SCOPE);
    filch_list_remove(&parent->children, &scope->link);
    filch_lock_release(&parent->lock);
}

static void cancel_locked(struct filch_cancel_scope *scope)
{
    FILCH_ASSERT(filch_lock_is_held(&scope->lock));
    /* release: pairs with the acquire in flag */
    atomic_store_explicit(&scope->cancelled, true, memory_order_release);
    /* They leave the list themselves, each after we have let go of the lock. */
    for (struct filch_link *link = scope->waiters.first; link; link = link->next) {
        struct filch_waiter *w = FILCH_CONTAINER(link, struct filch_waiter, scope_link);
        filch_waiter_end(w, FILCH_CLOSED);
    }
}

static struct filch_cancel_scope *scope_at(struct filch_link *link)
{
    return link ? FILCH_CONTAINER(link, struct filch_cancel_scope, link) : NULL;
}

/* The next one at the side of `scope`, or of one between it and `top`; NULL: none. All from `scope`
 * up to `top` are locked; those that are behind us now are released. */
static struct filch_cancel_scope *next_beside(struct filch_cancel_scope *scope,
                                              struct filch_cancel_scope *top)
{
    while (scope != top) {
        struct filch_cancel_scope *next =
            scope_at(scope->link.next); /* our parent's lock, which we have */
        struct filch_cancel_scope *parent = scope->parent;
        filch_lock_release(&scope->lock); /* it is closed no sooner than that is released */
        if (next) {
            return next;
        }
        scope = parent;
    }
    filch_lock_release(&top->lock);
    return NULL;
}

/* All below, without a call inside a call: scopes may be nested to any depth. The locks of those
 * above the one that we are at are held, so none of these can be closed. */
void filch_cancel_scope_cancel(struct filch_cancel_scope *top)
{
    struct filch_cancel_scope *scope = top;
    while (scope) {
        FILCH_ASSERT(scope == top || filch_lock_is_held(&scope->parent->lock)); /* downwards */
        filch_lock_acquire(&scope->lock, FILCH_RANK_SCOPE);
        cancel_locked(scope);
        struct filch_cancel_scope *below = scope_at(scope->children.first);
        scope = below ? below : next_beside(scope, top);
    }
}

bool filch_cancel_scope_is_cancelled(struct filch_cancel_scope *scope)
{
    return scope && (flag(scope) || (scope->deadline_ns != FILCH_OS_NEVER &&
                                     scope->deadline_ns <= filch_os_now_ns()));
}

bool filch_cancel_scope_add(struct filch_cancel_scope *scope, struct filch_waiter *waiter)
{
    filch_lock_acquire(&scope->lock, FILCH_RANK_SCOPE);
    bool open = !flag(scope);
    if (open) {
        waiter->scope = scope;
        filch_list_push(&scope->waiters, &waiter->scope_link);
    }
    filch_lock_release(&scope->lock);
    return open;
}

void filch_cancel_scope_remove(struct filch_waiter *waiter)
{
    struct filch_cancel_scope *scope = waiter->scope;
    if (!scope) {
        return;
    }
    filch_lock_acquire(&scope->lock, FILCH_RANK_SCOPE);
    filch_list_remove(&scope->waiters, &waiter->scope_link);
    filch_lock_release(&scope->lock);
}
