#include "poller.h"

#include <errno.h>
#include <threads.h>

#include "lock.h"
#include "memory.h"
#include "os.h"
#include "pool.h"
#include "process.h"
#include "thread.h"

enum { PER_CHUNK = 256, CHUNKS = 4096, AT_ONCE = 128, REFUSED_NS = 20000000 };

static const unsigned always = POLLERR | POLLHUP | POLLNVAL; /* comes unasked */

struct descriptor {
    struct filch_lock lock;
    struct filch_line waiting; /* lock */
    unsigned asked;            /* lock; what the system will still answer */
    bool closing;              /* whoever closes it, who has the lock */
};

struct chunk {
    struct descriptor descriptors[PER_CHUNK];
};

struct filch_poller {
    struct filch_os_poll *os;
    struct filch_thread *record;
    thrd_t thread;
    _Atomic(bool) ends;
    _Atomic(struct chunk *) chunks[CHUNKS]; /* of consecutive numbers; never removed */
};

/* The descriptor with that number, made if it must be. NULL: no memory, or out of bounds. */
static struct descriptor *descriptor_of(struct filch_poller *poller, int fd)
{
    if (fd < 0 || fd >= PER_CHUNK * CHUNKS) {
        return NULL;
    }
    _Atomic(struct chunk *) *place = &poller->chunks[fd / PER_CHUNK];
    /* acquire: pairs with the release below; the chunk is zeroed, which is a valid start */
    struct chunk *chunk = atomic_load_explicit(place, memory_order_acquire);
    if (!chunk) {
        struct chunk *made = filch_calloc(1, sizeof *made);
        /* acq_rel: as above, whoever of us two it was */
        if (made && atomic_compare_exchange_strong_explicit(
                        place, &chunk, made, memory_order_acq_rel, memory_order_acquire)) {
            chunk = made;
        } else {
            filch_free(made);
        }
    }
    return chunk ? &chunk->descriptors[fd % PER_CHUNK] : NULL;
}

static struct filch_fd_wait *wait_of(struct filch_place *place)
{
    return FILCH_CONTAINER(place, struct filch_fd_wait, place);
}

/* Ask for all that is waited for, unless that has been done. 0 or an errno. */
static int ask_locked(struct filch_poller *poller, struct descriptor *descriptor, int fd)
{
    unsigned wanted = 0;
    for (struct filch_place *p = descriptor->waiting.first; p; p = p->next) {
        wanted |= wait_of(p)->events;
    }
    if (!wanted || !(wanted & ~descriptor->asked)) {
        return 0;
    }
    int error = filch_os_poll_ask(poller->os, fd, wanted);
    descriptor->asked = error ? 0 : wanted;
    return error;
}

static bool enlist(struct filch_waiter *waiter, void *context)
{
    struct filch_fd_wait *wait = context;
    struct descriptor *descriptor = descriptor_of(wait->poller, wait->fd);
    if (!descriptor) {
        wait->error = wait->fd < 0 || wait->fd >= PER_CHUNK * CHUNKS ? EBADF : ENOMEM;
        return false;
    }
    filch_lock_acquire(&descriptor->lock);
    filch_line_add_locked(&descriptor->waiting, &wait->place, waiter);
    int error = ask_locked(wait->poller, descriptor, wait->fd);
    if (error) {
        filch_line_remove_locked(&descriptor->waiting, &wait->place);
        wait->error = error;
    }
    filch_lock_release(&descriptor->lock);
    return !error;
}

/* However the wait ended: whoever woke us is done with the place after this. */
static void leave(struct filch_waiter *waiter, void *context)
{
    struct filch_fd_wait *wait = context;
    struct descriptor *descriptor = descriptor_of(wait->poller, wait->fd);
    (void)waiter;
    if (descriptor) {
        filch_lock_acquire(&descriptor->lock);
        filch_line_remove_locked(&descriptor->waiting, &wait->place);
        filch_lock_release(&descriptor->lock);
    }
}

const struct filch_wait_kind filch_fd_kind = {.what = "a descriptor",
                                              .enlist = enlist,
                                              .leave = leave,
                                              .always_leaves = true,
                                              .outside = true};

/* Wake the first in line for each of the events, in the order of the line. */
static void wake_locked(struct descriptor *descriptor, unsigned events)
{
    unsigned left = events & always ? ~0u : events;
    struct filch_place *next;
    for (struct filch_place *p = descriptor->waiting.first; p && left; p = next) {
        struct filch_fd_wait *wait = wait_of(p);
        struct filch_waiter *waiter = p->waiter;
        unsigned wanted = wait->events | always;
        next = p->next;
        if (!(wanted & left)) {
            continue;
        }
        wait->came = events & wanted;
        filch_line_remove_locked(&descriptor->waiting, p);
        if (filch_waiter_end(waiter, FILCH_SIGNALED) && !(events & always)) {
            left &= ~wanted;
        }
    }
}

static void answer(struct filch_poller *poller, const struct filch_os_ready *ready)
{
    struct descriptor *descriptor = descriptor_of(poller, ready->fd);
    filch_lock_acquire(&descriptor->lock);
    descriptor->asked = 0;
    wake_locked(descriptor, ready->events);
    int error = ask_locked(poller, descriptor, ready->fd);
    if (error) {
        wake_locked(descriptor, error == ENOSYS ? POLLERR : POLLNVAL); /* it has been closed */
    }
    filch_lock_release(&descriptor->lock);
}

/* The system lets us wait no more: whoever waits is told. It is asked again, in case that passes,
 * but not at once. */
static void refuse_all(struct filch_poller *poller)
{
    for (size_t i = 0; i < CHUNKS; i++) {
        /* acquire: pairs with the release in descriptor_of */
        struct chunk *chunk = atomic_load_explicit(&poller->chunks[i], memory_order_acquire);
        for (size_t k = 0; chunk && k < PER_CHUNK; k++) {
            struct descriptor *descriptor = &chunk->descriptors[k];
            filch_lock_acquire(&descriptor->lock);
            for (struct filch_place *p = descriptor->waiting.first; p; p = p->next) {
                wait_of(p)->error = ENOSYS;
            }
            descriptor->asked = 0;
            wake_locked(descriptor, POLLERR);
            filch_lock_release(&descriptor->lock);
        }
    }
    _Atomic(uint32_t) nobody = 0;
    filch_os_wait(&nobody, 0, filch_os_now_ns() + REFUSED_NS);
}

static int poll_for_ever(void *context)
{
    struct filch_poller *poller = context;
    struct filch_os_ready ready[AT_ONCE];
    filch_os_thread_name("filch-poll");
    filch_thread_adopt(poller->record);
    /* acquire: pairs with the release in filch_poller_end */
    while (!atomic_load_explicit(&poller->ends, memory_order_acquire)) {
        filch_thread_nap(poller->record);
        size_t n = filch_os_poll_wait(poller->os, ready, AT_ONCE);
        filch_thread_rise(poller->record);
        if (n == FILCH_OS_POLL_REFUSED) {
            refuse_all(poller);
        }
        for (size_t i = 0; i < n && n != FILCH_OS_POLL_REFUSED; i++) {
            answer(poller, &ready[i]);
        }
    }
    filch_thread_resign();
    return 0;
}

static void destroy(struct filch_poller *poller)
{
    for (size_t i = 0; i < CHUNKS; i++) {
        filch_free(
            atomic_load_explicit(&poller->chunks[i], memory_order_relaxed)); /* nobody else */
    }
    if (poller->os) {
        filch_os_poll_close(poller->os);
    }
    filch_free(poller);
}

static struct filch_poller *poller_new_locked(struct filch_pool *pool)
{
    struct filch_poller *poller =
        filch_pool_may_ask_thread(pool) ? filch_calloc(1, sizeof *poller) : NULL;
    if (!poller) {
        return NULL;
    }
    poller->os = filch_os_poll_open();
    poller->record = poller->os ? filch_process_take_thread() : NULL;
    if (poller->record &&
        filch_pool_ask_thread_locked(pool, &poller->thread, poll_for_ever, poller)) {
        return poller;
    }
    if (poller->record) {
        filch_process_give_thread(poller->record);
    }
    destroy(poller);
    return NULL;
}

struct filch_poller *filch_poller_of(struct filch_pool *pool)
{
    /* acquire: pairs with the release below */
    struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
    if (!poller) {
        filch_lock_acquire(&pool->lock);
        poller = atomic_load_explicit(&pool->poller, memory_order_relaxed); /* under the lock */
        if (!poller && (poller = poller_new_locked(pool))) {
            atomic_store_explicit(&pool->poller, poller, memory_order_release); /* as above */
        }
        filch_lock_release(&pool->lock);
    }
    return poller;
}

void filch_poller_end(struct filch_poller *poller)
{
    if (poller) {
        /* release: pairs with the acquire in poll_for_ever */
        atomic_store_explicit(&poller->ends, true, memory_order_release);
        filch_os_poll_interrupt(poller->os);
        filch_os_thread_join(poller->thread);
        destroy(poller);
    }
}

void filch_poller_forget(struct filch_poller *poller, int fd)
{
    struct descriptor *descriptor = descriptor_of(poller, fd);
    if (descriptor) {
        filch_lock_acquire(&descriptor->lock);
        descriptor->closing = true;
        descriptor->asked = 0;
        filch_os_poll_drop(poller->os, fd);
        wake_locked(descriptor, POLLNVAL);
    }
}

void filch_poller_forgotten(struct filch_poller *poller, int fd)
{
    struct descriptor *descriptor = descriptor_of(poller, fd);
    if (descriptor && descriptor->closing) { /* if not, the poller is new: nobody has locked it */
        descriptor->closing = false;
        filch_lock_release(&descriptor->lock);
    }
}
