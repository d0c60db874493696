/* What the system has been asked, and what it still remembers of that, differ at any time, and it
 * does not say when: a descriptor is closed with a plain close(), while a duplicate here or in the
 * child of a fork() keeps alive what it stood for, and epoll watches on under a number that stands
 * for something else; a wait ends otherwise and leaves its question behind; an answer is under way
 * while all that happens. So there is one rule, and no belief about the past:
 *
 *   Each wait that begins asks anew, for all in line, and each question has a number. An answer to
 *   another than the last question is none. An answer is a hint: what it woke looks for itself.
 *
 * No wake-up is lost by that, because a question asks whether the descriptor is ready now, not what
 * has happened since the last one: what an ignored answer would have said, the one to the last
 * question says. And nothing spins: a question is answered at most once, so what is left behind for
 * something that no number stands for any more costs one look at most. */
#include "poll/poller.h"

#include <errno.h>
#include <threads.h>

#include "base/assert.h"
#include "base/memory.h"
#include "os/os.h"
#include "poll/descriptors.h"
#include "sched/answers.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sleep/closing.h"

enum { LEAVE_NS = 1000000, AT_ONCE = 128, REFUSED_NS = 20000000 };

static const unsigned always = POLLERR | POLLHUP | POLLNVAL; /* comes unasked */

struct filch_poller {
    struct filch_os_poll *os;
    struct filch_thread *record;
    thrd_t thread;
    struct filch_pool *pool;
    _Atomic(bool) ends;
    _Atomic(uint32_t) rests;   /* its thread leaves it to those that run, see leave_to_others() */
    _Atomic(uint32_t) looking; /* 1: a thread of the pool is at it */
    _Atomic(uint32_t) answers; /* that such looks have found */
    struct filch_descriptors descriptors;
};

static struct filch_fd_wait *wait_of(struct filch_wait_node *place)
{
    return FILCH_CONTAINER(place, struct filch_fd_wait, place);
}

/* Ask for all that is waited for now. 0 or an errno. */
static int ask_locked(struct filch_poller *poller, struct filch_descriptor *descriptor, int fd)
{
    FILCH_ASSERT(filch_lock_is_held(&descriptor->lock));
    unsigned wanted = 0;
    for (struct filch_wait_node *p = descriptor->waiting.first; p; p = p->next) {
        wanted |= wait_of(p)->events;
    }
    descriptor->question++;
    return wanted ? filch_os_poll_ask(poller->os, fd, wanted, descriptor->question) : 0;
}

/* Stand in line, and ask: 0 or an errno. */
static int join_line(struct filch_descriptor *descriptor, struct filch_fd_wait *wait,
                     struct filch_waiter *waiter)
{
    filch_lock_acquire(&descriptor->lock, FILCH_RANK_DESCRIPTOR);
    filch_wait_list_add_locked(&descriptor->waiting, &wait->place, waiter);
    int error = ask_locked(wait->poller, descriptor, wait->fd);
    if (error) {
        filch_wait_list_remove_locked(&descriptor->waiting, &wait->place);
        wait->error = error;
    }
    filch_lock_release(&descriptor->lock);
    return error;
}

static bool enlist_for_fd(struct filch_waiter *waiter, void *context)
{
    struct filch_fd_wait *wait = context;
    struct filch_descriptor *descriptor =
        filch_descriptor_made(&wait->poller->descriptors, wait->fd);
    int unused = descriptor ? filch_fd_use(wait->fd, wait->closes) : ENOMEM;
    if (unused == EBADF) {
        wait->came = POLLNVAL;
    } else {
        wait->error = unused;
    }
    if (unused) {
        return false;
    }
    int error = join_line(descriptor, wait, waiter);
    filch_fd_unuse(wait->fd);
    return !error;
}

/* However the wait ended: what woke it is done with the place after this. One that was not woken
 * leaves no question behind that would keep alive what is plainly closed next. */
static void leave(struct filch_waiter *waiter, void *context)
{
    struct filch_fd_wait *wait = context;
    struct filch_descriptor *descriptor =
        filch_descriptor_known(&wait->poller->descriptors, wait->fd);
    (void)waiter;
    if (!descriptor) {
        return;
    }
    filch_lock_acquire(&descriptor->lock, FILCH_RANK_DESCRIPTOR);
    bool unanswered = wait->place.waiter != NULL;
    filch_wait_list_remove_locked(&descriptor->waiting, &wait->place);
    if (unanswered && !descriptor->waiting.first) {
        filch_os_poll_drop(wait->poller->os, wait->fd);
    }
    filch_lock_release(&descriptor->lock);
}

const struct filch_wait_kind filch_fd_kind = {.what = "a descriptor",
                                              .enlist = enlist_for_fd,
                                              .leave = leave,
                                              .always_leaves = true,
                                              .outside = true};

/* Wake the first in line for each of the events, in the order of the line. If a wait has ended
 * otherwise meanwhile, the event is the next one's when the system has been asked again. */
static void wake_locked(struct filch_descriptor *descriptor, unsigned events,
                        struct filch_ready_batch *batch)
{
    FILCH_ASSERT(filch_lock_is_held(&descriptor->lock));
    unsigned left = events & always ? ~0u : events;
    struct filch_wait_node *next;
    for (struct filch_wait_node *p = descriptor->waiting.first; p && left; p = next) {
        struct filch_fd_wait *wait = wait_of(p);
        struct filch_waiter *waiter = p->waiter;
        unsigned wanted = wait->events | always;
        next = p->next;
        if (!(wanted & left)) {
            continue;
        }
        wait->came = events & wanted;
        filch_wait_list_remove_locked(&descriptor->waiting, p);
        filch_waiter_end_in(waiter, FILCH_SIGNALED, batch);
        if (!(events & always)) {
            left &= ~wanted;
        }
    }
}

/* The system cannot be asked any more: it has been closed (EBADF), or something else. */
static void wake_all_locked(struct filch_descriptor *descriptor, int error)
{
    FILCH_ASSERT(filch_lock_is_held(&descriptor->lock));
    struct filch_wait_node *next;
    for (struct filch_wait_node *p = descriptor->waiting.first; p; p = next) {
        struct filch_fd_wait *wait = wait_of(p);
        struct filch_waiter *waiter = p->waiter;
        next = p->next;
        wait->came = error == EBADF ? POLLNVAL : 0;
        wait->error = error == EBADF ? 0 : error;
        filch_wait_list_remove_locked(&descriptor->waiting, p);
        filch_waiter_end(waiter, FILCH_SIGNALED);
    }
}

/* A fiber whose wait has ended stays where it is until it is made ready. */
static void answer_question(struct filch_poller *poller, const struct filch_os_ready *ready,
                            struct filch_ready_batch *batch)
{
    struct filch_descriptor *descriptor = filch_descriptor_known(&poller->descriptors, ready->fd);
    filch_lock_acquire(&descriptor->lock, FILCH_RANK_DESCRIPTOR);
    if (ready->question == descriptor->question) {
        wake_locked(descriptor, ready->events, batch);
        int error = ask_locked(poller, descriptor, ready->fd);
        if (error) {
            wake_all_locked(descriptor, error);
        }
    }
    filch_lock_release(&descriptor->lock);
}

/* The system lets us wait no more: the waiters are told. It is asked again, in case that passes,
 * but not at once. */
static void refuse_all(struct filch_poller *poller)
{
    for (int fd = 0; fd < FILCH_FD_MOST; fd++) {
        struct filch_descriptor *descriptor = filch_descriptor_known(&poller->descriptors, fd);
        if (!descriptor) {
            fd += FILCH_DESCRIPTORS_PER_CHUNK - 1;
            continue;
        }
        filch_lock_acquire(&descriptor->lock, FILCH_RANK_DESCRIPTOR);
        wake_all_locked(descriptor, ENOSYS);
        filch_lock_release(&descriptor->lock);
    }
    _Atomic(uint32_t) never_woken = 0;
    filch_os_wait(&never_woken, 0, filch_os_now_ns() + REFUSED_NS);
}

static void answer_all(struct filch_poller *poller, const struct filch_os_ready *ready, size_t n)
{
    struct filch_ready_batch batch;
    batch.count = 0;
    for (size_t i = 0; i < n; i++) {
        answer_question(poller, &ready[i], &batch);
    }
    filch_ready_deliver(&batch);
}

/* ---- threads of the pool look, too ----
 *
 * While all cores are held those that hold them look for answers between two fibers, and when they
 * find nothing else: that takes many at a time, and no thread is woken for each. The poller's
 * thread rests then, because the system would wake it. It goes on as soon as a core is free; or
 * when for LEAVE_NS none has found anything: all may be busy with something long.
 *
 *   poller                              one that lets go of its core
 *   1 say that it rests                 1 count itself out (pool.h, `running`)
 *   2 look whether a core is free       2 look whether the poller rests: wake it
 *
 * All four are seq_cst: one of them sees the other. */

static void look_for_answers(struct filch_poller *poller)
{
    /* acquire: pairs with the release below; one at a time is enough. relaxed: a glance */
    if (atomic_load_explicit(&poller->looking, memory_order_relaxed) ||
        atomic_exchange_explicit(&poller->looking, 1, memory_order_acquire)) {
        return;
    }
    struct filch_os_ready ready[AT_ONCE];
    size_t n = filch_os_poll_look(poller->os, ready, AT_ONCE);
    atomic_store_explicit(&poller->looking, 0, memory_order_release); /* as above */
    if (n && n != FILCH_OS_POLL_REFUSED) { /* if it is refused the poller's thread will see to it */
        atomic_fetch_add_explicit(&poller->answers, 1, memory_order_relaxed); /* a counter */
        answer_all(poller, ready, n);
    }
}

static void no_call(struct filch_poller *poller)
{
    (void)poller; /* where the system has no looks, the thread does not rest either */
}

static void wake_poller(struct filch_poller *poller)
{
    /* seq_cst, both: see above */
    if (atomic_load_explicit(&poller->rests, memory_order_seq_cst) &&
        atomic_exchange_explicit(&poller->rests, 0, memory_order_seq_cst)) {
        filch_os_wake(&poller->rests, 1);
    }
}

static void leave_to_others(struct filch_poller *poller)
{
    uint32_t before;
    uint32_t now = atomic_load_explicit(&poller->answers, memory_order_relaxed); /* a counter */
    do {
        before = now;
        atomic_store_explicit(&poller->rests, 1, memory_order_seq_cst); /* see above */
        if (filch_pool_has_idle(poller->pool)) {
            break;
        }
        filch_os_wait(&poller->rests, 1, filch_os_now_ns() + LEAVE_NS);
        now = atomic_load_explicit(&poller->answers, memory_order_relaxed);
        /* relaxed: a wake-up is seen now or when it is tried again */
    } while (now != before && atomic_load_explicit(&poller->rests, memory_order_relaxed));
    atomic_store_explicit(&poller->rests, 0, memory_order_relaxed); /* it is looking itself */
}

static const struct filch_poller_calls looking_calls = {filch_poller_end, look_for_answers,
                                                        wake_poller};
static const struct filch_poller_calls plain_calls = {filch_poller_end, no_call, no_call};

static int poll_for_ever(void *context)
{
    struct filch_poller *poller = context;
    struct filch_os_ready ready[AT_ONCE];
    bool rests = filch_os_poll_looks(poller->os);
    filch_os_thread_begin("filch-poll");
    filch_thread_adopt(poller->record);
    /* acquire: pairs with the release in filch_poller_end */
    while (!atomic_load_explicit(&poller->ends, memory_order_acquire)) {
        filch_thread_nap(poller->record);
        size_t n = filch_os_poll_wait(poller->os, ready, AT_ONCE);
        filch_thread_rise(poller->record);
        if (n == FILCH_OS_POLL_REFUSED) {
            refuse_all(poller);
            continue;
        }
        answer_all(poller, ready, n);
        if (rests && n) {
            leave_to_others(poller);
        }
    }
    filch_thread_resign();
    return 0;
}

static void destroy_poller(struct filch_poller *poller)
{
    filch_descriptors_free(&poller->descriptors);
    if (poller->os) {
        filch_os_poll_close(poller->os);
    }
    filch_free(poller);
}

static struct filch_poller *poller_new_locked(struct filch_pool *pool)
{
    FILCH_ASSERT(filch_lock_is_held(&pool->lock));
    struct filch_poller *poller =
        filch_pool_may_ask_thread(pool) ? filch_calloc(1, sizeof *poller) : NULL;
    if (!poller) {
        return NULL;
    }
    poller->pool = pool;
    poller->os = filch_os_poll_open();
    poller->record = poller->os ? filch_process_take_thread() : NULL;
    if (poller->record &&
        filch_pool_ask_thread_locked(pool, &poller->thread, poll_for_ever, poller)) {
        return poller;
    }
    if (poller->record) {
        filch_process_give_thread(poller->record);
    }
    destroy_poller(poller);
    return NULL;
}

struct filch_poller *filch_poller_of(struct filch_pool *pool)
{
    /* acquire: pairs with the release below */
    struct filch_poller *poller = atomic_load_explicit(&pool->poller, memory_order_acquire);
    if (!poller) {
        filch_lock_acquire(&pool->lock, FILCH_RANK_POOL);
        poller = atomic_load_explicit(&pool->poller, memory_order_relaxed); /* under the lock */
        if (!poller && (poller = poller_new_locked(pool))) {
            pool->poller_calls = filch_os_poll_looks(poller->os) ? &looking_calls : &plain_calls;
            atomic_store_explicit(&pool->poller, poller, memory_order_release); /* as above */
        }
        filch_lock_release(&pool->lock);
    }
    return poller;
}

static void end_thread(struct filch_poller *poller)
{
    if (poller) {
        /* release: pairs with the acquire in poll_for_ever */
        atomic_store_explicit(&poller->ends, true, memory_order_release);
        filch_os_poll_interrupt(poller->os);
        wake_poller(poller);
        filch_os_thread_join(poller->thread);
        destroy_poller(poller);
    }
}

void filch_poller_end(struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    /* filch_close() may be looking at it. */
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    /* relaxed: under the lock, and no fibers are left */
    struct filch_poller *poller =
        atomic_exchange_explicit(&pool->poller, (struct filch_poller *)NULL, memory_order_relaxed);
    filch_lock_release(&process->pools_lock);
    end_thread(poller);
}

void filch_poller_forget(struct filch_poller *poller, int fd)
{
    struct filch_descriptor *descriptor = filch_descriptor_known(&poller->descriptors, fd);
    if (descriptor) {
        filch_lock_acquire(&descriptor->lock, FILCH_RANK_DESCRIPTOR);
        descriptor->question++; /* an answer that is under way is about what is closed now */
        filch_os_poll_drop(poller->os, fd);
        wake_all_locked(descriptor, EBADF);
        filch_lock_release(&descriptor->lock);
    }
}
