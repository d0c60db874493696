/* A descriptor that becomes readable when a future is ready. */

#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"
#include "os/os.h"

struct future_descriptor {
    struct filch_notifier notifier;
    struct filch_waiter waiter;  /* called when the future is complete */
    struct filch_future *future; /* which we are freed with; a reference until we are called */
    int read_end;
    int write_end;
};

static struct filch_waiter *notify(struct filch_waiter *waiter)
{
    struct future_descriptor *descriptor =
        FILCH_CONTAINER(waiter, struct future_descriptor, waiter);
    filch_os_event_set(descriptor->write_end);
    filch_future_free(descriptor->future);
    return NULL;
}

static void descriptor_free(struct filch_notifier *notifier)
{
    struct future_descriptor *descriptor =
        FILCH_CONTAINER(notifier, struct future_descriptor, notifier);
    filch_os_event_close(descriptor->read_end, descriptor->write_end);
    filch_free(descriptor);
}

static filch_status descriptor_new(struct future_descriptor **out)
{
    struct future_descriptor *descriptor = filch_malloc(sizeof *descriptor);
    if (!descriptor) {
        return FILCH_ENOMEM;
    }
    if (!filch_os_event_make(&descriptor->read_end, &descriptor->write_end)) {
        filch_free(descriptor);
        return FILCH_EAGAIN;
    }
    filch_waiter_init(&descriptor->waiter, NULL, NULL);
    descriptor->waiter.call = notify;
    descriptor->notifier.free = descriptor_free;
    *out = descriptor;
    return FILCH_OK;
}

/* The future's, made if it must be. */
static filch_status descriptor_of(struct filch_future *future, struct future_descriptor **out)
{
    /* acquire: pairs with the release below; the descriptor is made */
    struct filch_notifier *known = atomic_load_explicit(&future->notifier, memory_order_acquire);
    if (known) {
        *out = FILCH_CONTAINER(known, struct future_descriptor, notifier);
        return FILCH_OK;
    }
    filch_status status = descriptor_new(out);
    if (status != FILCH_OK) {
        return status;
    }
    struct future_descriptor *made = *out;
    made->future = filch_future_retain(future);
    /* acq_rel: pairs with the acquire above, and here when another was faster */
    if (!atomic_compare_exchange_strong_explicit(&future->notifier, &known, &made->notifier,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        filch_future_free(made->future);
        descriptor_free(&made->notifier);
        *out = FILCH_CONTAINER(known, struct future_descriptor, notifier);
    } else if (!filch_cell_add(&future->cell, &made->waiter)) {
        notify(&made->waiter);
    }
    return FILCH_OK;
}

filch_status filch_future_fd(filch_future *future, int *descriptor)
{
    if (!future || !descriptor) {
        return FILCH_EINVAL;
    }
    if (filch_future_is_parents(future)) {
        return FILCH_EFORKED;
    }
    struct future_descriptor *own;
    filch_status status = descriptor_of(future, &own);
    if (status == FILCH_OK) {
        *descriptor = own->read_end;
    }
    return status;
}
