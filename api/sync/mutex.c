/* Mutexes. One word says who has it:
 *
 *   owner | WAITED | WOKEN | STARVING        owner: a party, or 0: it is free
 *
 *   WAITED     the line is not empty
 *   WOKEN      one of the line has been woken and is not through: it takes the mutex, or finds that
 *              it is taken and stands in line again, as the first
 *   STARVING   the first in line has waited too long: the mutex is not let go of but handed over
 *
 * Without waiters it is taken by one exchange, 0 to owner, and let go of by another. With some, it
 * is let go of as well, and the first in line is woken; until that runs another may take the mutex,
 * any number of times: none has to be switched to before the mutex is in use again. One that has
 * waited for FILCH_PATIENCE_NS is not passed over any longer: the unlock makes it the owner.
 *
 *   lock    free -> owner, the flags as they are, but WOKEN if it is ours. Never of one that is
 *           STARVING, because:
 *   unlock  STARVING, or WAITED and not WOKEN: claim the first in line, under the lock of the line.
 *           It becomes the owner if it has waited too long, STARVING if so has the next; else the
 *           owner is 0, WOKEN. Otherwise the owner is 0 and nothing more is to be done.
 *   wait    WAITED, under the lock of the line, and only while there is an owner. WOKEN, if it is
 *           ours, goes with the same exchange; STARVING if we come back and have waited too long.
 *   leave   (a time-out, a cancellation) under the lock of the line: if that is empty now, neither
 *           WAITED nor STARVING.
 *
 * So a line that is not empty has an owner or a woken one that sees to it: WOKEN goes only when
 * there is an owner, whose unlock finds it gone.
 *
 * The last touch. When the owner is 0 the mutex may be taken, let go of and freed by another. Where
 * the unlocker has the lock of the line then, it has claimed a waiter that is told after the lock
 * is released, and is not through with the mutex before. If it finds none to claim, it lets go of
 * the lock first, and of the mutex by the one exchange.
 *
 * Orders: the exchanges that take it acquire, those that let go of it or hand it over release; all
 * others change flags only, are relaxed, and as read-modify-writes keep the release that they come
 * behind. WAITED and what stands in line need no order: both change under the lock, and an unlocker
 * that finds the flag takes that.
 *
 * Source: Go's sync.Mutex, for passing over and its end. */
#include "sync/mutex_word.h"

#include "base/assert.h"
#include "base/base.h"
#include "debug/deadlock.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/suspend.h"
#include "sched/thread.h"

bool filch_mutex_is_locked(struct filch_mutex_state *mutex)
{
    return owner_in(word_of_mutex(mutex)) != NULL;
}

bool filch_mutex_starves(filch_mutex *mutex)
{
    return word_of_mutex(filch_mutex_of(mutex)) & STARVING;
}

/* ---- the line ---- */

/* Of a crowd no other has touched the next one since it waits. It is fetched while the one before
 * it has its turn: its waiter, what was saved beside that, and the head of its fiber. More at a
 * time took longer: the processor cannot wait for so many lines at once. */
static inline void fetch_moved(struct filch_wait_node *place)
{
    if (place) {
        filch_prefetch(place->next);
        filch_prefetch_around(place->waiter, 3, 1);
        filch_prefetch(wait_at(place)->party);
    }
}

/* Claim the first in line that still waits; one that was moved there is claimed already. */
static struct filch_mutex_wait *claim_next_locked(struct filch_mutex_state *mutex,
                                                  struct filch_claims *claims)
{
    struct filch_wait_node *place;
    FILCH_ASSERT(filch_lock_is_held(&mutex->lock) && !claims->first);
    while ((place = mutex->line.first)) {
        struct filch_waiter *waiter = place->waiter;
        filch_wait_list_remove_locked(&mutex->line, place);
        if (filch_mutex_is_moved(wait_at(place))) {
            /* relaxed: a search reads it, and would rather look again */
            atomic_store_explicit(&wait_at(place)->moved, false, memory_order_relaxed);
            waiter->next = NULL;
            *claims = (struct filch_claims){waiter, waiter};
            fetch_moved(mutex->line.first);
            return wait_at(place);
        }
        if (filch_waiter_claim(waiter, claims)) {
            return wait_at(place);
        }
    }
    return NULL;
}

/* Free, or the claimed one's; the waiter is told yet. */
static void let_one_in_locked(struct filch_mutex_state *mutex, const struct filch_mutex_wait *next)
{
    uint64_t now_ns = filch_os_now_ns();
    struct filch_wait_node *first = mutex->line.first;
    uintptr_t line = first ? WAITED : 0;
    uintptr_t word = word_of_mutex(mutex);
    uintptr_t wanted;
    do {
        FILCH_ASSERT(owner_in(word));
        bool hand_over = word & STARVING || filch_patience_is_over(next->since_ns, now_ns);
        bool starves =
            hand_over && first && filch_patience_is_over(wait_at(first)->since_ns, now_ns);
        wanted =
            hand_over ? (uintptr_t)next->party | (word & WOKEN) | (starves ? STARVING : 0) : WOKEN;
        /* release: pairs with the acquire in take_mutex_word. One that it is handed to need not
         * acquire: it is told. */
    } while (!atomic_compare_exchange_weak_explicit(&mutex->word, &word, wanted | line,
                                                    memory_order_release, memory_order_relaxed));
}

/* True: the mutex is not the caller's any more. */
static bool serve_line(struct filch_mutex_state *mutex)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&mutex->lock, FILCH_RANK_WAIT_QUEUE);
    if (filch_process_inherited(mutex->token)) {
        mutex->line = (struct filch_wait_list){NULL, NULL}; /* they are in the parent */
    }
    struct filch_mutex_wait *next = claim_next_locked(mutex, &claims);
    if (next) {
        let_one_in_locked(mutex, next);
    } else {
        drop_flags(mutex, WAITED | STARVING);
    }
    filch_lock_release(&mutex->lock);
    filch_claims_tell(&claims);
    return next != NULL;
}

FILCH_APART static filch_status unlock_slow(struct filch_mutex_state *mutex)
{
    for (;;) {
        uintptr_t word = word_of_mutex(mutex);
        if (!owner_in(word)) {
            return FILCH_EINVAL;
        }
        bool serve = word & STARVING || (word & (WAITED | WOKEN)) == WAITED;
        if (serve ? serve_line(mutex) : free_mutex_word(mutex, word)) {
            return FILCH_OK;
        }
    }
}

static inline filch_status unlock_state(struct filch_mutex_state *mutex)
{
    uintptr_t word = word_of_mutex(mutex);
    if (FILCH_LIKELY(word && !(word & MUTEX_FLAGS) && free_mutex_word(mutex, word))) {
        return FILCH_OK;
    }
    return unlock_slow(mutex);
}

filch_status filch_mutex_unlock(filch_mutex *mutex)
{
    return FILCH_LIKELY(mutex != NULL) ? unlock_state(filch_mutex_of(mutex)) : FILCH_EINVAL;
}

/* ---- waiting ---- */

/* False: it was free, and is ours. */
static bool stand_in_line_locked(struct filch_mutex_wait *wait, struct filch_waiter *waiter)
{
    struct filch_mutex_state *mutex = wait->mutex;
    uint64_t now_ns = filch_os_now_ns();
    bool again = wait->since_ns != 0;
    uintptr_t lost = wait->woken ? WOKEN : 0;
    uintptr_t more =
        again && filch_patience_is_over(wait->since_ns, now_ns) ? WAITED | STARVING : WAITED;
    uintptr_t word;
    do {
        if (take_if_free(wait)) {
            return false;
        }
        word = word_of_mutex(mutex);
    } while (!owner_in(word) || !change_flags(mutex, word, (word & ~lost) | more));
    wait->woken = false;
    wait->since_ns = again ? wait->since_ns : now_ns;
    if (again) {
        filch_wait_list_add_first_locked(&mutex->line, &wait->place, waiter);
    } else {
        filch_wait_list_add_locked(&mutex->line, &wait->place, waiter);
    }
    return true;
}

static bool enlist_for_mutex(struct filch_waiter *waiter, void *context)
{
    struct filch_mutex_wait *wait = (struct filch_mutex_wait *)context;
    struct filch_mutex_state *mutex = wait->mutex;
    bool waits = false;
    filch_lock_acquire(&mutex->lock, FILCH_RANK_WAIT_QUEUE);
    if (filch_process_lacks(owner_in(word_of_mutex(mutex)), mutex->token)) {
        wait->forked = true;
    } else {
        adopt_mutex_locked(mutex);
        waits = stand_in_line_locked(wait, waiter);
    }
    filch_lock_release(&mutex->lock);
    return waits;
}

static void leave_mutex(struct filch_waiter *waiter, void *context)
{
    struct filch_mutex_wait *wait = (struct filch_mutex_wait *)context;
    struct filch_mutex_state *mutex = wait->mutex;
    (void)waiter;
    filch_lock_acquire(&mutex->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&mutex->line, &wait->place);
    if (!mutex->line.first) {
        drop_flags(mutex, WAITED | STARVING);
    }
    filch_lock_release(&mutex->lock);
}

static const void *mutex_object(void *wait)
{
    return ((struct filch_mutex_wait *)wait)->mutex;
}

struct filch_party *filch_mutex_holder(void *context)
{
    const struct filch_mutex_wait *wait = (const struct filch_mutex_wait *)context;
    /* relaxed: a search looks twice */
    struct filch_party *owner = owner_in(word_of_mutex(wait->mutex));
    return owner == wait->party ? NULL : owner; /* it was handed over; the waiter is to be told */
}

static const struct filch_wait_kind mutex_wait = {.what = "a mutex",
                                                  .enlist = enlist_for_mutex,
                                                  .leave = leave_mutex,
                                                  .object = mutex_object,
                                                  .holder = filch_mutex_holder};

static bool spin_for_mutex(struct filch_mutex_wait *wait)
{
    for (int i = 0; i < FILCH_SPIN_TRIES && !(word_of_mutex(wait->mutex) & STARVING); i++) {
        if (take_if_free(wait)) {
            return true;
        }
        filch_spin_pause();
    }
    return take_if_free(wait);
}

static bool try_for_mutex(struct filch_mutex_wait *wait)
{
    return take_if_free(wait) || (filch_spin_may_help() && spin_for_mutex(wait));
}

/* The wait ended, and the next unlock counts on us still: it would wake none. */
static void pass_on_mutex(struct filch_mutex_wait *wait)
{
    while (wait->woken) {
        if (take_if_free(wait)) {
            unlock_state(wait->mutex);
            return;
        }
        uintptr_t word = word_of_mutex(wait->mutex);
        wait->woken = !owner_in(word) || !change_flags(wait->mutex, word, word & ~WOKEN);
    }
}

static filch_status lock_slow(struct filch_mutex_wait *wait, uint64_t deadline)
{
    if (has_it(wait)) {
        return FILCH_EDEADLK;
    }
    if (deadline == 0) {
        return take_if_free(wait) ? FILCH_OK : FILCH_ETIMEDOUT;
    }
    while (!try_for_mutex(wait)) {
        filch_status status = filch_wait_until(&mutex_wait, wait, deadline);
        if (wait->forked || status != FILCH_OK) {
            pass_on_mutex(wait);
            return wait->forked ? FILCH_EFORKED : status;
        }
        if (has_it(wait)) {
            return FILCH_OK;
        }
        wait->woken = true;
    }
    return FILCH_OK;
}

void filch_mutex_take_surely(struct filch_mutex_wait *wait, bool woken)
{
    if (woken && has_it(wait)) {
        return;
    }
    wait->woken = woken;
    while (!try_for_mutex(wait)) {
        filch_deadlock_watch();
        filch_suspend_join(&mutex_wait, wait);
        FILCH_ASSERT(!wait->forked); /* no wait goes on in the child of a fork() */
        if (has_it(wait)) {
            return;
        }
        wait->woken = true;
    }
}

/* It was not to be had at once; or it is not known who we are. */
FILCH_APART static filch_status lock_surely_until(filch_mutex *mutex, uint64_t deadline)
{
    struct filch_party *self = filch_party_self();
    if (!mutex || !self) {
        return mutex ? FILCH_ENOMEM : FILCH_EINVAL;
    }
    struct filch_mutex_wait wait = {.mutex = filch_mutex_of(mutex), .party = self};
    atomic_init(&wait.moved, false);
    return lock_slow(&wait, deadline);
}

static inline filch_status lock_until(filch_mutex *mutex, uint64_t deadline)
{
    struct filch_party *self = filch_party_known();
    return FILCH_LIKELY(self && mutex && take_mutex_word(filch_mutex_of(mutex), 0, (uintptr_t)self))
               ? FILCH_OK
               : lock_surely_until(mutex, deadline);
}

filch_status filch_mutex_lock(filch_mutex *mutex)
{
    return lock_until(mutex, FILCH_OS_NEVER);
}

filch_status filch_mutex_lock_until(filch_mutex *mutex, filch_deadline until)
{
    return lock_until(mutex, filch_deadline_ns(until));
}

/* ---- moving in from a condition ---- */

bool filch_mutex_is_moved(const struct filch_mutex_wait *wait)
{
    /* relaxed: under the lock, or by a search, which looks twice */
    return atomic_load_explicit(&wait->moved, memory_order_relaxed);
}

/* There are more in line. If it is free, and none is on its way to it, the first is woken. */
static void tell_of_line_locked(struct filch_mutex_state *mutex, struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&mutex->lock) && mutex->line.first);
    uintptr_t word;
    bool wake;
    do {
        word = word_of_mutex(mutex);
        wake = !owner_in(word) && !(word & WOKEN);
    } while (!change_flags(mutex, word, word | WAITED | (wake ? WOKEN : 0)));
    if (wake) {
        claim_next_locked(mutex, claims);
        if (!mutex->line.first) {
            drop_flags(mutex, WAITED);
        }
    }
}

void filch_mutex_note_move(struct filch_mutex_wait *wait, uint64_t now_ns)
{
    wait->since_ns = now_ns;
    /* relaxed: read under the lock when it is in line; or by a search */
    atomic_store_explicit(&wait->moved, true, memory_order_relaxed);
}

void filch_mutex_move(struct filch_wait_list *claimed)
{
    if (!claimed->first) {
        return;
    }
    struct filch_claims claims = {NULL, NULL};
    struct filch_mutex_state *mutex = wait_at(claimed->first)->mutex;
    filch_lock_acquire(&mutex->lock, FILCH_RANK_WAIT_QUEUE);
    adopt_mutex_locked(mutex);
    filch_wait_list_append_locked(&mutex->line, claimed);
    tell_of_line_locked(mutex, &claims);
    filch_lock_release(&mutex->lock);
    filch_claims_tell(&claims);
}
