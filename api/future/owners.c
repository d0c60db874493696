/* The owners of a future: its memory goes with the last of them. */
#include "future/task_future.h"

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"

filch_future *filch_future_retain(filch_future *future)
{
    if (future) {
        /* relaxed: the caller has a reference, the future cannot go meanwhile */
        uint32_t owners = atomic_fetch_add_explicit(&future->owners, 1, memory_order_relaxed);
        FILCH_ASSERT(owners > 0);
    }
    return future;
}

void filch_future_retain_unshared(struct filch_future *future)
{
    /* relaxed, both: no other thread knows it */
    uint32_t owners = atomic_load_explicit(&future->owners, memory_order_relaxed);
    FILCH_ASSERT(owners > 0);
    atomic_store_explicit(&future->owners, owners + 1, memory_order_relaxed);
}

static bool drop(struct filch_future *future)
{
    /* acquire: as below. The only owner stays it: no other can make one more. */
    if (atomic_load_explicit(&future->owners, memory_order_acquire) == 1) {
        return true;
    }
    /* acq_rel: the last owner sees what all others did */
    uint32_t owners = atomic_fetch_sub_explicit(&future->owners, 1, memory_order_acq_rel);
    FILCH_ASSERT(owners > 0);
    return owners == 1;
}

void filch_future_disown(struct filch_future *future, struct filch_unowned *unowned)
{
    if (future && drop(future)) {
        future->task.work.next = unowned->first; /* it is in no queue, or that would own it */
        unowned->first = &future->task.work;
    }
}

static void destroy(struct filch_future *future, struct filch_unowned *unowned)
{
    /* relaxed: the last owner; it has seen what all others did */
    filch_notifier_free(atomic_load_explicit(&future->notifier, memory_order_relaxed));
    filch_future_destroy_result(future);
    if (future->kind->dismantle) {
        future->kind->dismantle(future, unowned);
    }
    filch_free(future);
}

static struct filch_future *take(struct filch_unowned *unowned)
{
    struct filch_work *first = unowned->first;
    unowned->first = first ? first->next : NULL;
    return first ? FILCH_CONTAINER(first, struct filch_future, task.work) : NULL;
}

void filch_future_free(filch_future *future)
{
    if (future && drop(future)) {
        struct filch_unowned unowned = {NULL};
        do {
            destroy(future, &unowned);
        } while ((future = take(&unowned)));
    }
}
