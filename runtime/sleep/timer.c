#include "sleep/timer.h"

#include "base/assert.h"
#include "os/os.h"
#include "sleep/wait.h"

void filch_timers_init(struct filch_timers *timers)
{
    filch_lock_init(&timers->lock);
    timers->root = NULL;
    timers->closed = false;
    atomic_init(&timers->earliest_ns, FILCH_OS_NEVER);
}

static struct filch_timer *meld(struct filch_timer *a, struct filch_timer *b)
{
    if (!a || !b) {
        return a ? a : b;
    }
    FILCH_ASSERT(a != b && !a->sibling && !b->sibling);
    if (b->deadline_ns < a->deadline_ns) {
        struct filch_timer *swap = a;
        a = b;
        b = swap;
    }
    b->prev = a;
    b->sibling = a->child;
    if (a->child) {
        a->child->prev = b;
    }
    a->child = b;
    a->sibling = NULL;
    a->prev = NULL;
    return a;
}

/* Meld a list of siblings in pairs from the left, then the pairs from the right. */
static struct filch_timer *meld_siblings(struct filch_timer *first)
{
    struct filch_timer *pairs = NULL;
    while (first) {
        struct filch_timer *a = first;
        struct filch_timer *b = a->sibling;
        first = b ? b->sibling : NULL;
        a->sibling = NULL;
        if (b) {
            b->sibling = NULL;
        }
        struct filch_timer *pair = meld(a, b);
        pair->sibling = pairs;
        pairs = pair;
    }
    struct filch_timer *root = NULL;
    while (pairs) {
        struct filch_timer *next = pairs->sibling;
        pairs->sibling = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    if (root) {
        root->prev = NULL;
    }
    return root;
}

static void remove_timer_locked(struct filch_timers *timers, struct filch_timer *timer)
{
    FILCH_ASSERT(filch_lock_is_held(&timers->lock) && timer->armed);
    FILCH_ASSERT(timer == timers->root || timer->prev);
    struct filch_timer *below = meld_siblings(timer->child);
    if (timer == timers->root) {
        timers->root = below;
    } else {
        if (timer->prev->child == timer) {
            timer->prev->child = timer->sibling;
        } else {
            timer->prev->sibling = timer->sibling;
        }
        if (timer->sibling) {
            timer->sibling->prev = timer->prev;
        }
        timers->root = meld(timers->root, below);
    }
    timer->armed = false;
}

static void publish_earliest_locked(struct filch_timers *timers)
{
    FILCH_ASSERT(filch_lock_is_held(&timers->lock));
    FILCH_ASSERT(!timers->root || (!timers->root->prev && timers->root->armed));
    uint64_t earliest_ns = timers->root ? timers->root->deadline_ns : FILCH_OS_NEVER;
    /* relaxed: written under the lock. Few timers are the earliest, and all cores read this word at
     * each pick: it is left alone when it stays. */
    if (atomic_load_explicit(&timers->earliest_ns, memory_order_relaxed) != earliest_ns) {
        /* seq_cst: read by sleepers between announcement and sleep (park.h), and by
         * filch_timers_earliest */
        atomic_store_explicit(&timers->earliest_ns, earliest_ns, memory_order_seq_cst);
    }
}

static void arm_too_late_locked(struct filch_timers *timers, struct filch_timer *timer)
{
    struct filch_ready_batch batch;
    batch.count = 0;
    FILCH_ASSERT(filch_lock_is_held(&timers->lock));
    timer->armed = false;
    timer->fire(timer, FILCH_TIMER_CLOSED, &batch);
    filch_ready_deliver(&batch);
}

bool filch_timers_arm(struct filch_timers *timers, struct filch_timer *timer)
{
    FILCH_ASSERT(timer->fire);
    filch_lock_acquire(&timers->lock, FILCH_RANK_TIMERS);
    if (FILCH_UNLIKELY(timers->closed)) {
        arm_too_late_locked(timers, timer);
        filch_lock_release(&timers->lock);
        return false;
    }
    timer->child = timer->sibling = timer->prev = NULL;
    timer->armed = true;
    timers->root = meld(timers->root, timer);
    bool earliest = timers->root == timer;
    if (earliest) {
        publish_earliest_locked(timers);
    }
    filch_lock_release(&timers->lock);
    return earliest;
}

void filch_timers_disarm(struct filch_timers *timers, struct filch_timer *timer)
{
    filch_lock_acquire(&timers->lock, FILCH_RANK_TIMERS);
    if (timer->armed) {
        remove_timer_locked(timers, timer);
        publish_earliest_locked(timers);
    }
    filch_lock_release(&timers->lock);
}

static size_t fire_some_locked(struct filch_timers *timers, uint64_t now_ns,
                               enum filch_timer_end end, struct filch_ready_batch *batch)
{
    size_t fired = 0;
    FILCH_ASSERT(filch_lock_is_held(&timers->lock));
    while (timers->root && timers->root->deadline_ns <= now_ns && fired < FILCH_TIMER_AT_ONCE) {
        struct filch_timer *due = timers->root;
        remove_timer_locked(timers, due);
        if (timers->root) {
            filch_prefetch(timers->root->context); /* no thread has touched it since it waits */
        }
        due->fire(due, end, batch); /* may free or re-use the timer: not touched any more */
        fired++;
    }
    publish_earliest_locked(timers);
    return fired;
}

/* A fiber whose wait has ended stays where it is until it is made ready: after the lock. */
static size_t fire_some(struct filch_timers *timers, uint64_t now_ns, enum filch_timer_end end)
{
    struct filch_ready_batch batch;
    batch.count = 0;
    filch_lock_acquire(&timers->lock, FILCH_RANK_TIMERS);
    timers->closed |= end == FILCH_TIMER_CLOSED;
    size_t fired = fire_some_locked(timers, now_ns, end, &batch);
    filch_lock_release(&timers->lock);
    filch_ready_deliver(&batch);
    return fired;
}

size_t filch_timers_fire(struct filch_timers *timers, uint64_t now_ns)
{
    return filch_timers_earliest(timers) <= now_ns ? fire_some(timers, now_ns, FILCH_TIMER_DUE) : 0;
}

void filch_timers_close(struct filch_timers *timers)
{
    while (fire_some(timers, FILCH_OS_NEVER, FILCH_TIMER_CLOSED)) {
    }
}

uint64_t filch_timers_earliest(struct filch_timers *timers)
{
    /* seq_cst: pairs with publish_earliest_locked */
    return atomic_load_explicit(&timers->earliest_ns, memory_order_seq_cst);
}
