/* Semaphores. One word says how many permits there are, or that the line is not empty: WAITED, and
 * then there are none. It becomes WAITED, and is that no more, under the lock of the line.
 *
 * Unless it is WAITED a permit is taken, and given, by one exchange. Else those given go to the
 * first in line, under the lock; what is left when the line is empty is given after its release.
 *
 * A release never waits: a signal handler may be the one that releases, and interrupt the thread
 * that has the lock. It then adds to the mail, marks the lock (lock.h), and the holder does it.
 * Waiters are told without a lock (post.c), unless by a pool's thread.
 *
 * The last touch. One that releases has, after the exchange that gives what is left, only waiters
 * to tell, which are not through with the semaphore before. The holder of the lock that gives for
 * others has itself not done yet what it came for.
 *
 * Orders: what takes a permit acquires, what gives it releases. WAITED and what stands in line need
 * no order, see mutex.c. */
#include <filch/sync.h>

#include <limits.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/waiting.h"
#include "os/lock.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sleep/party.h"
#include "sleep/wait_list.h"

static const uint32_t PERMITS_WAITED = UINT_MAX;
static const uint32_t MOST_PERMITS = UINT_MAX - 1;

struct semaphore {
    struct filch_lock lock;
    _Atomic(uint32_t) permits;
    struct filch_wait_list line; /* lock */
    uint32_t token;              /* lock; of the process that has put one in line, or made it */
    _Atomic(uint32_t) mail;      /* to be given by the holder of the lock */
};

_Static_assert(sizeof(struct semaphore) <= sizeof(filch_semaphore), "it has room");

struct semaphore_wait {
    struct semaphore *semaphore;
    struct filch_wait_node place; /* lock */
    bool forked;                  /* only the parent could give one */
};

static struct semaphore *semaphore_of(filch_semaphore *semaphore)
{
    return (struct semaphore *)(void *)semaphore;
}

static uint32_t permits_of(struct semaphore *semaphore)
{
    /* relaxed: checked by the exchange that follows, or under the lock */
    return atomic_load_explicit(&semaphore->permits, memory_order_relaxed);
}

void filch_semaphore_init(filch_semaphore *semaphore, unsigned count)
{
    struct semaphore *state = semaphore_of(semaphore);
    if (state) {
        *state = (struct semaphore){.permits = count < MOST_PERMITS ? count : MOST_PERMITS,
                                    .token = filch_process_token()};
        filch_lock_init(&state->lock);
    }
}

/* ---- giving ---- */

/* False: one waits, *permits says so; or it would be too many. */
static bool give_to_semaphore(struct semaphore *semaphore, uint32_t count, uint32_t *permits)
{
    *permits = permits_of(semaphore);
    while (*permits != PERMITS_WAITED && count <= MOST_PERMITS - *permits) {
        /* release: pairs with the acquire in take_from_semaphore. The last touch. */
        if (atomic_compare_exchange_weak_explicit(&semaphore->permits, permits, *permits + count,
                                                  memory_order_release, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void note_empty_line_locked(struct semaphore *semaphore)
{
    FILCH_ASSERT(filch_lock_is_held(&semaphore->lock));
    if (!semaphore->line.first && permits_of(semaphore) == PERMITS_WAITED) {
        /* relaxed: see the top. WAITED, it is written under the lock alone. */
        atomic_store_explicit(&semaphore->permits, 0, memory_order_relaxed);
    }
}

static void forget_parents_waiters_locked(struct semaphore *semaphore)
{
    if (semaphore->line.first && filch_process_inherited(semaphore->token)) {
        semaphore->line = (struct filch_wait_list){NULL, NULL};
    }
    note_empty_line_locked(semaphore);
}

/* To those in line. What is left? */
static uint32_t serve_semaphore_locked(struct semaphore *semaphore, uint32_t count,
                                       struct filch_claims *claims)
{
    forget_parents_waiters_locked(semaphore);
    while (count && filch_wait_list_claim_locked(&semaphore->line, claims)) {
        count--;
    }
    note_empty_line_locked(semaphore);
    return count;
}

/* Signal handlers run on the program's own threads; a pool's threads leave signals to these. */
static void tell_of_permits(struct filch_claims *claims)
{
    struct filch_thread *thread = claims->first ? filch_thread_known() : NULL;
    if (thread && filch_thread_pool(thread)) {
        filch_claims_tell(claims);
    } else if (claims->first) {
        filch_claims_tell_from_anywhere(claims);
    }
}

/* Do what callers want that found the lock held, and let go of it. More than there can be are lost:
 * their releaser has been told that they will be there. */
static void open_mail_locked(struct semaphore *semaphore)
{
    struct filch_claims claims = {NULL, NULL};
    FILCH_ASSERT(filch_lock_is_held(&semaphore->lock));
    do {
        /* relaxed: the mark was seen, and with it what was posted before it was left */
        uint32_t count = atomic_exchange_explicit(&semaphore->mail, 0, memory_order_relaxed);
        count = serve_semaphore_locked(semaphore, count, &claims);
        uint32_t permits;
        while (count && !give_to_semaphore(semaphore, count, &permits)) {
            FILCH_ASSERT(permits != PERMITS_WAITED);
            count = MOST_PERMITS - permits;
        }
    } while (!filch_lock_release_unless_marked(&semaphore->lock));
    tell_of_permits(&claims);
}

static void let_go_of_semaphore(struct semaphore *semaphore)
{
    if (!filch_lock_release_unless_marked(&semaphore->lock)) {
        open_mail_locked(semaphore);
    }
}

/* The lock is held, maybe by the code that we interrupt: its holder does the rest. */
static filch_status post_to_semaphore(struct semaphore *semaphore, uint32_t count)
{
    /* relaxed, all: ordered by the mark, or by the lock */
    uint32_t mail = atomic_load_explicit(&semaphore->mail, memory_order_relaxed);
    do {
        if (count > UINT_MAX - mail) {
            return FILCH_EOVERFLOW;
        }
    } while (!atomic_compare_exchange_weak_explicit(&semaphore->mail, &mail, mail + count,
                                                    memory_order_relaxed, memory_order_relaxed));
    while (!filch_lock_mark(&semaphore->lock)) {
        if (filch_lock_try_acquire(&semaphore->lock, FILCH_RANK_WAIT_QUEUE)) {
            open_mail_locked(semaphore);
            break;
        }
    }
    return FILCH_OK;
}

FILCH_APART static filch_status release_semaphore_slow(struct semaphore *semaphore, uint32_t count)
{
    struct filch_claims claims = {NULL, NULL};
    filch_status status = FILCH_OK;
    uint32_t permits;
    while (status == FILCH_OK && count && !give_to_semaphore(semaphore, count, &permits)) {
        if (permits != PERMITS_WAITED) {
            status = FILCH_EOVERFLOW;
        } else if (filch_lock_try_acquire(&semaphore->lock, FILCH_RANK_WAIT_QUEUE)) {
            count = serve_semaphore_locked(semaphore, count, &claims);
            let_go_of_semaphore(semaphore);
        } else {
            status = post_to_semaphore(semaphore, count);
            count = 0;
        }
    }
    tell_of_permits(&claims);
    return status;
}

filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count)
{
    struct semaphore *state = semaphore_of(semaphore);
    if (FILCH_UNLIKELY(!state)) {
        return FILCH_EINVAL;
    }
    uint32_t permits;
    return FILCH_LIKELY(give_to_semaphore(state, count, &permits))
               ? FILCH_OK
               : release_semaphore_slow(state, count);
}

/* ---- taking ---- */

/* False: there is none. */
static bool take_from_semaphore(struct semaphore *semaphore)
{
    uint32_t permits = permits_of(semaphore);
    while (permits != 0 && permits != PERMITS_WAITED) {
        /* acquire: pairs with the release in give_to_semaphore */
        if (atomic_compare_exchange_weak_explicit(&semaphore->permits, &permits, permits - 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

/* False: one is taken. */
static bool stand_in_permit_line_locked(struct semaphore_wait *wait, struct filch_waiter *waiter)
{
    struct semaphore *semaphore = wait->semaphore;
    uint32_t permits = 0;
    /* relaxed, both: see the top */
    while (!atomic_compare_exchange_strong_explicit(&semaphore->permits, &permits, PERMITS_WAITED,
                                                    memory_order_relaxed, memory_order_relaxed) &&
           permits != PERMITS_WAITED) {
        if (take_from_semaphore(semaphore)) {
            return false;
        }
        permits = 0;
    }
    filch_wait_list_add_locked(&semaphore->line, &wait->place, waiter);
    return true;
}

static bool enlist_for_semaphore(struct filch_waiter *waiter, void *context)
{
    struct semaphore_wait *wait = context;
    struct semaphore *semaphore = wait->semaphore;
    filch_lock_acquire(&semaphore->lock, FILCH_RANK_WAIT_QUEUE);
    bool waits = !take_from_semaphore(semaphore);
    if (waits && filch_process_inherited(semaphore->token)) {
        wait->forked = true;
        waits = false;
    } else if (waits) {
        semaphore->token = filch_process_token();
        waits = stand_in_permit_line_locked(wait, waiter);
    }
    let_go_of_semaphore(semaphore);
    return waits;
}

static void leave_semaphore(struct filch_waiter *waiter, void *context)
{
    struct semaphore_wait *wait = context;
    struct semaphore *semaphore = wait->semaphore;
    (void)waiter;
    filch_lock_acquire(&semaphore->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&semaphore->line, &wait->place);
    note_empty_line_locked(semaphore);
    let_go_of_semaphore(semaphore);
}

static const void *semaphore_object(void *wait)
{
    return ((struct semaphore_wait *)wait)->semaphore;
}

static const struct filch_wait_kind semaphore_wait = {.what = "a semaphore",
                                                      .enlist = enlist_for_semaphore,
                                                      .leave = leave_semaphore,
                                                      .object = semaphore_object,
                                                      .in_handlers = true};

FILCH_APART static filch_status wait_for_semaphore(struct semaphore *semaphore, uint64_t deadline)
{
    struct semaphore_wait wait = {.semaphore = semaphore};
    if (deadline == 0) {
        return FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(&semaphore_wait, &wait, deadline);
    return wait.forked ? FILCH_EFORKED : status;
}

static inline filch_status acquire_semaphore_until(filch_semaphore *semaphore, uint64_t deadline)
{
    struct semaphore *state = semaphore_of(semaphore);
    if (FILCH_UNLIKELY(!state)) {
        return FILCH_EINVAL;
    }
    return FILCH_LIKELY(take_from_semaphore(state)) ? FILCH_OK
                                                    : wait_for_semaphore(state, deadline);
}

filch_status filch_semaphore_acquire(filch_semaphore *semaphore)
{
    return acquire_semaphore_until(semaphore, FILCH_OS_NEVER);
}

filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore, filch_deadline until)
{
    return acquire_semaphore_until(semaphore, filch_deadline_ns(until));
}
