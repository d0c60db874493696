#include "work/queue.h"

#include "base/assert.h"
#include "base/base.h"

enum { FEW = 16 }; /* that wait in line and are still at hand */

void filch_queue_init(struct filch_queue *queue)
{
    filch_lock_init(&queue->lock);
    queue->head = queue->tail = NULL;
    atomic_init(&queue->count, 0);
    atomic_init(&queue->posted, NULL);
}

static size_t set_count(struct filch_queue *queue, size_t delta)
{
    /* relaxed, both: only the lock's holder writes; one that pushes for others to see fences after
     * it, before it looks which sleep (park.h), and filch_queue_empty sees it then */
    size_t count = atomic_load_explicit(&queue->count, memory_order_relaxed) + delta;
    FILCH_ASSERT(filch_lock_is_held(&queue->lock) && count != (size_t)-1);
    atomic_store_explicit(&queue->count, count, memory_order_relaxed);
    return count;
}

static void append_locked(struct filch_queue *queue, struct filch_work *first,
                          struct filch_work *last)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    FILCH_ASSERT(!queue->head == !queue->tail);
    last->next = NULL;
    if (queue->tail) {
        queue->tail->next = first;
    } else {
        queue->head = first;
    }
    queue->tail = last;
}

static struct filch_work *take_locked(struct filch_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    struct filch_work *work = queue->head;
    if (work) {
        queue->head = work->next;
        if (!queue->head) {
            queue->tail = NULL;
        }
    }
    return work;
}

void filch_queue_push(struct filch_queue *queue, struct filch_work *work)
{
    filch_queue_push_all(queue, work, work, 1);
}

void filch_queue_show(struct filch_queue *queue, struct filch_work *first, struct filch_work *last,
                      size_t count)
{
    FILCH_ASSERT(first && last && count);
    filch_lock_acquire(&queue->lock, FILCH_RANK_QUEUE);
    append_locked(queue, first, last);
    set_count(queue, count);
}

void filch_queue_release(struct filch_queue *queue)
{
    filch_lock_release(&queue->lock);
}

void filch_queue_push_all(struct filch_queue *queue, struct filch_work *first,
                          struct filch_work *last, size_t count)
{
    filch_queue_show(queue, first, last, count);
    filch_queue_release(queue);
}

static struct filch_work *last_posted(struct filch_queue *queue)
{
    /* relaxed: a look; a thread that goes on from it takes them by an exchange */
    return atomic_load_explicit(&queue->posted, memory_order_relaxed);
}

void filch_queue_post(struct filch_queue *queue, struct filch_work *work)
{
    struct filch_work *before = last_posted(queue);
    do {
        work->next = before;
        /* release: pairs with the acquire in collect_locked */
    } while (!atomic_compare_exchange_weak_explicit(&queue->posted, &before, work,
                                                    memory_order_release, memory_order_relaxed));
}

/* What was posted, the oldest first, behind the others. */
static void collect_locked(struct filch_queue *queue)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    /* acquire: pairs with the release in filch_queue_post */
    struct filch_work *work =
        atomic_exchange_explicit(&queue->posted, (struct filch_work *)NULL, memory_order_acquire);
    struct filch_work *last = work;
    struct filch_work *first = NULL;
    size_t count = 0;
    for (; work; count++) {
        struct filch_work *older = work->next;
        work->next = first;
        first = work;
        work = older;
    }
    if (count) {
        append_locked(queue, first, last);
        set_count(queue, count);
    }
}

struct filch_work *filch_queue_pop(struct filch_queue *queue)
{
    if (filch_queue_empty(queue)) {
        return NULL; /* spares the lock; a push that we miss wakes a thread after it */
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_QUEUE);
    if (last_posted(queue)) {
        collect_locked(queue);
    }
    struct filch_work *work = take_locked(queue);
    size_t left = work ? set_count(queue, (size_t)-1) : 0;
    FILCH_ASSERT(!left == !queue->head);
    filch_lock_release(&queue->lock);
    if (left > FEW) { /* the next has stood in line for long: what it touches is not at hand */
        filch_prefetch_around(work->next, FILCH_FIBER_LINES_FROM, FILCH_FIBER_LINES_BEFORE);
    }
    return work;
}

static bool take_out_locked(struct filch_queue *queue, struct filch_work *work, bool oldest_stays)
{
    FILCH_ASSERT(filch_lock_is_held(&queue->lock));
    struct filch_work *oldest = queue->head;
    if (oldest == work) {
        return !oldest_stays && take_locked(queue);
    }
    if (!oldest || oldest->next != work) {
        return false;
    }
    oldest->next = work->next;
    if (queue->tail == work) {
        queue->tail = oldest;
    }
    return true;
}

bool filch_queue_take_out(struct filch_queue *queue, struct filch_work *work, bool oldest_stays)
{
    if (filch_queue_empty(queue)) {
        return false;
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_QUEUE);
    bool taken = take_out_locked(queue, work, oldest_stays);
    if (taken) {
        set_count(queue, (size_t)-1);
    }
    filch_lock_release(&queue->lock);
    return taken;
}

struct filch_work *filch_queue_rotate(struct filch_queue *queue, struct filch_work *work)
{
    if (filch_queue_empty(queue)) {
        return work;
    }
    filch_lock_acquire(&queue->lock, FILCH_RANK_QUEUE);
    append_locked(queue, work, work);
    work = take_locked(queue);
    filch_lock_release(&queue->lock);
    return work;
}

bool filch_queue_empty(struct filch_queue *queue)
{
    /* seq_cst: after the sleeper's fence; pairs with set_count before the publisher's (park.h) */
    return atomic_load_explicit(&queue->count, memory_order_seq_cst) == 0 &&
           atomic_load_explicit(&queue->posted, memory_order_seq_cst) == NULL;
}
