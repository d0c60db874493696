/* A descriptor that becomes readable when a future is ready. */

#include "base/base.h"
#include "base/memory.h"
#include "future/task_future.h"
#include "os/os.h"

struct filch_notifier {
    struct filch_waiter waiter;  /* called when the future is complete */
    struct filch_future *future; /* which we are freed with; a reference until we are called */
    int read_end;
    int write_end;
};

static struct filch_waiter *notify(struct filch_waiter *waiter)
{
    struct filch_notifier *notifier = FILCH_CONTAINER(waiter, struct filch_notifier, waiter);
    filch_os_event_set(notifier->write_end);
    filch_future_free(notifier->future);
    return NULL;
}

static void notifier_close(struct filch_notifier *notifier)
{
    if (notifier) {
        filch_os_event_close(notifier->read_end, notifier->write_end);
        filch_free(notifier);
    }
}

void filch_notifier_free(struct filch_future *future)
{
    /* relaxed: the last owner; it has seen what all others did */
    notifier_close(atomic_load_explicit(&future->notifier, memory_order_relaxed));
}

static filch_status notifier_new(struct filch_notifier **out)
{
    struct filch_notifier *notifier = filch_malloc(sizeof *notifier);
    if (!notifier) {
        return FILCH_ENOMEM;
    }
    if (!filch_os_event_make(&notifier->read_end, &notifier->write_end)) {
        filch_free(notifier);
        return FILCH_EAGAIN;
    }
    filch_waiter_init(&notifier->waiter, NULL, NULL);
    notifier->waiter.call = notify;
    *out = notifier;
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
    /* acquire: pairs with the release below; the descriptor is made */
    struct filch_notifier *known = atomic_load_explicit(&future->notifier, memory_order_acquire);
    struct filch_notifier *made;
    if (!known) {
        filch_status status = notifier_new(&made);
        if (status != FILCH_OK) {
            return status;
        }
        /* acq_rel: pairs with the acquire above, and here when somebody was faster */
        if (!atomic_compare_exchange_strong_explicit(&future->notifier, &known, made,
                                                     memory_order_acq_rel, memory_order_acquire)) {
            notifier_close(made);
        } else {
            known = made;
            made->future = filch_future_retain(future);
            if (!filch_cell_add(&future->cell, &made->waiter)) {
                notify(&made->waiter);
            }
        }
    }
    *descriptor = known->read_end;
    return FILCH_OK;
}
