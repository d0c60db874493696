#include "queue.h"

void filch_queue_init(struct filch_queue *queue)
{
    filch_lock_init(&queue->lock);
    queue->head = queue->tail = NULL;
    atomic_init(&queue->count, 0);
}

static void set_count(struct filch_queue *queue, size_t delta)
{
    /* relaxed load: only the lock's holder writes. seq_cst store: read by filch_queue_empty. */
    size_t count = atomic_load_explicit(&queue->count, memory_order_relaxed);
    atomic_store_explicit(&queue->count, count + delta, memory_order_seq_cst);
}

void filch_queue_push(struct filch_queue *queue, struct filch_work *work)
{
    work->next = NULL;
    filch_lock_acquire(&queue->lock);
    if (queue->tail) {
        queue->tail->next = work;
    } else {
        queue->head = work;
    }
    queue->tail = work;
    set_count(queue, 1);
    filch_lock_release(&queue->lock);
}

struct filch_work *filch_queue_pop(struct filch_queue *queue)
{
    if (filch_queue_empty(queue)) {
        return NULL; /* spares the lock; a push that we miss wakes somebody after it */
    }
    filch_lock_acquire(&queue->lock);
    struct filch_work *work = queue->head;
    if (work) {
        queue->head = work->next;
        if (!queue->head) {
            queue->tail = NULL;
        }
        set_count(queue, (size_t)-1);
    }
    filch_lock_release(&queue->lock);
    return work;
}

bool filch_queue_empty(struct filch_queue *queue)
{
    /* seq_cst: pairs with set_count, under the handshake of park.h */
    return atomic_load_explicit(&queue->count, memory_order_seq_cst) == 0;
}
