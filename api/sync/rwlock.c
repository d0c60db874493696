/* Read-mostly locks. One word says who is in:
 *
 *   READER * n | WRITTEN | WAITED | WOKEN | STARVING
 *
 *   WRITTEN    it is locked by a writer, `owner`
 *   n          readers
 *   WAITED     the line is not empty
 *   WOKEN      one of the line has been woken and is not through: it comes in, or finds that it may
 *              not and stands in line again, as the first
 *   STARVING   the first in line has waited too long: the lock is not let go of but handed over
 *
 * As with mutexes (mutex.c) the last one that is in lets go of it and wakes the first in line, and
 * until that runs others may come in. One that has waited for FILCH_PATIENCE_NS is handed the lock.
 * While some wait, readers that come do not join those that are in, or these might never leave.
 *
 *   enter   a writer that is free; a reader one that is free, or read and not WAITED. The one that
 *           was WOKEN may join readers, and takes those with it that stand in line behind it, up to
 *           the next writer. None enters one that is STARVING.
 *   leave   STARVING, or WAITED and not WOKEN: the last one claims the first in line, under the
 *           lock of the line. That is in from then on if it has waited too long, and readers behind
 *           it with it; else the lock is free, WOKEN. Otherwise nothing more is to be done.
 *   wait    WAITED, under the lock of the line, and only while it is held. WOKEN, if it is ours,
 *           goes with the same exchange; STARVING if we come back and have waited too long.
 *   give up (a time-out, a cancellation) under the lock of the line: if that is empty now, neither
 *           WAITED nor STARVING. Readers may be the first now, and join others.
 *
 * So a line that is not empty has one that is in, or a woken one, that sees to it. Where one sees
 * to the line under its lock, it is WAITED, not WOKEN, and the last one in is the caller: no other
 * comes in, and the word is the caller's.
 *
 * The last touch. When it is free it may be taken, let go of and freed by another. One that leaves
 * and has the lock of the line then has claimed a waiter, which is told after the lock is released,
 * and is not through before. If it finds none to claim, it lets go of the lock first.
 *
 * Orders: what lets one in acquires, what lets it out releases. One that is served is told, by a
 * thread which has acquired what the last one released. All others change flags only, are relaxed,
 * and as read-modify-writes keep the release that they come behind. */
#include <filch/sync.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sync/rwlock_word.h"

/* ---- the line ---- */

/* Readers that are the first in line come in, up to the next writer. How many? */
static uint32_t claim_readers_locked(struct rwlock *rwlock, struct filch_claims *claims)
{
    uint32_t count = 0;
    FILCH_ASSERT(filch_lock_is_held(&rwlock->lock));
    while (reads_first(rwlock)) {
        struct filch_wait_node *place = rwlock->line.first;
        struct filch_waiter *waiter = place->waiter;
        filch_wait_list_remove_locked(&rwlock->line, place);
        if (filch_waiter_claim(waiter, claims)) {
            enter_as_served(rwlock_wait_at(place));
            count++;
        }
    }
    return count;
}

/* The caller is in to read. */
static void admit_readers_locked(struct rwlock *rwlock, struct filch_claims *claims)
{
    uint32_t count = claim_readers_locked(rwlock, claims);
    FILCH_ASSERT(word_of_rwlock(rwlock) >= READER);
    /* relaxed: the caller has acquired what the last writer released, and tells them */
    atomic_fetch_add_explicit(&rwlock->word, count * READER, memory_order_relaxed);
    if (!rwlock->line.first) {
        drop_rwlock_flags(rwlock, RW_WAITED | RW_STARVING);
    }
}

static void admit_readers(struct rwlock *rwlock)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    admit_readers_locked(rwlock, &claims);
    filch_lock_release(&rwlock->lock);
    filch_claims_tell(&claims);
}

/* The caller is out, and it is free, or has been handed over to `next`, which is claimed. */
static void let_next_in_locked(struct rwlock *rwlock, struct rwlock_wait *next,
                               struct filch_claims *claims)
{
    uint64_t now_ns = filch_os_now_ns();
    bool starving = word_of_rwlock(rwlock) & RW_STARVING;
    uint32_t wanted = RW_WOKEN;
    if (starving || filch_patience_is_over(next->since_ns, now_ns)) {
        enter_as_served(next);
        wanted = next->unit == READER ? READER + READER * claim_readers_locked(rwlock, claims)
                                      : next->unit;
        struct filch_wait_node *first = rwlock->line.first;
        wanted |= first && filch_patience_is_over(rwlock_wait_at(first)->since_ns, now_ns)
                      ? RW_STARVING
                      : 0;
    }
    wanted |= rwlock->line.first ? RW_WAITED : 0;
    /* acquire: pairs with the release in let_out, of other readers; the next one is told of it.
     * release: pairs with the acquire in let_in. */
    uint32_t word = atomic_exchange_explicit(&rwlock->word, wanted, memory_order_acq_rel);
    FILCH_ASSERT((word & ~RW_FLAGS) == READER || (word & ~RW_FLAGS) == WRITTEN);
    FILCH_ASSERT(word & RW_WAITED && !(word & RW_WOKEN));
    (void)word;
}

/* Of one that is in. False: there is none to serve, it is still. */
FILCH_APART static bool serve_rwlock_line(struct rwlock *rwlock, uint32_t less)
{
    struct filch_claims claims = {NULL, NULL};
    struct rwlock_wait *next = NULL;
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    if (is_line_due(word_of_rwlock(rwlock), less)) {
        struct filch_wait_node *place = filch_wait_list_claim_locked(&rwlock->line, &claims);
        if (place) {
            next = rwlock_wait_at(place);
            let_next_in_locked(rwlock, next, &claims);
        } else {
            drop_rwlock_flags(rwlock, RW_WAITED | RW_STARVING);
        }
    }
    filch_lock_release(&rwlock->lock);
    filch_claims_tell(&claims);
    return next != NULL;
}

/* ---- leaving ---- */

FILCH_APART static filch_status unlock_shared_slow(struct rwlock *rwlock, uint32_t word)
{
    while (word >= READER) {
        if (is_line_due(word, READER)) {
            if (serve_rwlock_line(rwlock, READER)) {
                return FILCH_OK;
            }
            word = word_of_rwlock(rwlock);
        } else if (let_out(rwlock, &word, READER)) {
            return FILCH_OK;
        }
    }
    return FILCH_EINVAL;
}

static inline filch_status unlock_shared(struct rwlock *rwlock)
{
    uint32_t word = READER; /* a guess: see share_rwlock */
    return FILCH_LIKELY(let_out(rwlock, &word, READER)) ? FILCH_OK
                                                        : unlock_shared_slow(rwlock, word);
}

filch_status filch_rwlock_unlock_shared(filch_rwlock *rwlock)
{
    return FILCH_LIKELY(rwlock != NULL) ? unlock_shared(rwlock_of(rwlock)) : FILCH_EINVAL;
}

static filch_status unlock_written(struct rwlock *rwlock)
{
    uint32_t word = word_of_rwlock(rwlock);
    if (!(word & WRITTEN)) {
        return FILCH_EINVAL;
    }
    own_rwlock(rwlock, NULL);
    while (is_line_due(word, WRITTEN) ? !serve_rwlock_line(rwlock, WRITTEN)
                                      : !let_out(rwlock, &word, WRITTEN)) {
        word = word_of_rwlock(rwlock);
    }
    return FILCH_OK;
}

filch_status filch_rwlock_unlock(filch_rwlock *rwlock)
{
    return FILCH_LIKELY(rwlock != NULL) ? unlock_written(rwlock_of(rwlock)) : FILCH_EINVAL;
}

/* ---- waiting ---- */

/* False: it is in. */
static bool stand_in_rwlock_line_locked(struct rwlock_wait *wait, struct filch_waiter *waiter)
{
    struct rwlock *rwlock = wait->rwlock;
    uint64_t now_ns = filch_os_now_ns();
    bool again = wait->since_ns != 0;
    uint32_t lost = wait->woken ? RW_WOKEN : 0;
    uint32_t more = again && filch_patience_is_over(wait->since_ns, now_ns)
                        ? RW_WAITED | RW_STARVING
                        : RW_WAITED;
    uint32_t word;
    do {
        if (enter_rwlock(wait)) {
            return false;
        }
        word = word_of_rwlock(rwlock);
    } while (may_enter(word, wait->unit, wait->woken) ||
             !change_rwlock_flags(rwlock, word, (word & ~lost) | more));
    FILCH_ASSERT(is_rwlock_held(word));
    wait->woken = false;
    wait->since_ns = again ? wait->since_ns : now_ns;
    if (again) {
        filch_wait_list_add_first_locked(&rwlock->line, &wait->place, waiter);
    } else {
        filch_wait_list_add_locked(&rwlock->line, &wait->place, waiter);
    }
    return true;
}

static bool enlist_for_rwlock(struct filch_waiter *waiter, void *context)
{
    struct rwlock_wait *wait = context;
    struct rwlock *rwlock = wait->rwlock;
    bool waits = false;
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    struct filch_party *writer = word_of_rwlock(rwlock) & WRITTEN ? writer_of(rwlock) : NULL;
    if (filch_process_lacks(writer, rwlock->token)) { /* of readers it is not known */
        wait->forked = true;
    } else {
        forget_parents_line_locked(rwlock);
        rwlock->token = filch_process_token();
        waits = stand_in_rwlock_line_locked(wait, waiter);
    }
    filch_lock_release(&rwlock->lock);
    return waits;
}

static void leave_rwlock(struct filch_waiter *waiter, void *context)
{
    struct rwlock_wait *wait = context;
    struct rwlock *rwlock = wait->rwlock;
    struct filch_claims claims = {NULL, NULL};
    (void)waiter;
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&rwlock->line, &wait->place);
    bool joins = join_readers_locked(rwlock);
    if (joins) {
        admit_readers_locked(rwlock, &claims);
    } else if (!rwlock->line.first) {
        drop_rwlock_flags(rwlock, RW_WAITED | RW_STARVING);
    }
    filch_lock_release(&rwlock->lock);
    filch_claims_tell(&claims);
    if (joins) {
        unlock_shared(rwlock);
    }
}

static const void *rwlock_object(void *wait)
{
    return ((struct rwlock_wait *)wait)->rwlock;
}

static struct filch_party *rwlock_holder(void *context)
{
    struct rwlock_wait *wait = context;
    struct filch_party *owner = writer_of(wait->rwlock);
    return owner == wait->party ? NULL : owner; /* it is let in, and is to be told */
}

static const struct filch_wait_kind rwlock_wait = {.what = "a read-write lock",
                                                   .enlist = enlist_for_rwlock,
                                                   .leave = leave_rwlock,
                                                   .object = rwlock_object,
                                                   .holder = rwlock_holder};

static bool spin_for_rwlock(struct rwlock_wait *wait)
{
    for (int i = 0; i < FILCH_SPIN_TRIES && !(word_of_rwlock(wait->rwlock) & RW_STARVING); i++) {
        if (enter_rwlock(wait)) {
            return true;
        }
        filch_spin_pause();
    }
    return enter_rwlock(wait);
}

/* The wait ended, and those that leave count on us still: they would wake none. */
static void pass_on_rwlock(struct rwlock_wait *wait)
{
    while (wait->woken) {
        if (enter_rwlock(wait)) {
            wait->unit == READER ? unlock_shared(wait->rwlock) : unlock_written(wait->rwlock);
            return;
        }
        uint32_t word = word_of_rwlock(wait->rwlock);
        wait->woken = !is_rwlock_held(word) ||
                      !change_rwlock_flags(wait->rwlock, word, word & ~(uint32_t)RW_WOKEN);
    }
}

/* What is in the way may be the parent's line alone. */
static filch_status try_for_rwlock(struct rwlock_wait *wait)
{
    struct rwlock *rwlock = wait->rwlock;
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    filch_lock_release(&rwlock->lock);
    return enter_rwlock(wait) ? FILCH_OK : FILCH_ETIMEDOUT;
}

static filch_status wait_for_rwlock(struct rwlock_wait *wait, uint64_t deadline)
{
    if (deadline == 0) {
        return try_for_rwlock(wait);
    }
    while (!enter_rwlock(wait) && !(filch_spin_may_help() && spin_for_rwlock(wait))) {
        filch_status status = filch_wait_until(&rwlock_wait, wait, deadline);
        if (wait->forked || status != FILCH_OK) {
            pass_on_rwlock(wait);
            return wait->forked ? FILCH_EFORKED : status;
        }
        if (wait->in) {
            break;
        }
        wait->woken = true;
    }
    if (wait->leads) {
        admit_readers(wait->rwlock);
    }
    return FILCH_OK;
}

/* ---- coming ---- */

FILCH_APART static filch_status lock_shared_slow(struct rwlock *rwlock, uint64_t deadline)
{
    struct filch_party *self = filch_party_self();
    uint32_t word = word_of_rwlock(rwlock);
    bool own = self && word & WRITTEN && writer_of(rwlock) == self;
    if (own || !self || word & READERS_FULL) {
        return own ? FILCH_EDEADLK : self ? FILCH_EOVERFLOW : FILCH_ENOMEM;
    }
    struct rwlock_wait wait = {.rwlock = rwlock, .party = self, .unit = READER};
    return wait_for_rwlock(&wait, deadline);
}

static inline filch_status lock_shared_until(filch_rwlock *rwlock, uint64_t deadline)
{
    if (FILCH_UNLIKELY(!rwlock)) {
        return FILCH_EINVAL;
    }
    return FILCH_LIKELY(share_rwlock(rwlock_of(rwlock)))
               ? FILCH_OK
               : lock_shared_slow(rwlock_of(rwlock), deadline);
}

filch_status filch_rwlock_lock_shared(filch_rwlock *rwlock)
{
    return lock_shared_until(rwlock, FILCH_OS_NEVER);
}

filch_status filch_rwlock_lock_shared_until(filch_rwlock *rwlock, filch_deadline until)
{
    return lock_shared_until(rwlock, filch_deadline_ns(until));
}

FILCH_APART static filch_status write_lock_slow(struct rwlock *rwlock, struct filch_party *self,
                                                uint64_t deadline)
{
    if (writer_of(rwlock) == self) {
        return FILCH_EDEADLK;
    }
    struct rwlock_wait wait = {.rwlock = rwlock, .party = self, .unit = WRITTEN};
    return wait_for_rwlock(&wait, deadline);
}

static inline filch_status write_lock_until(filch_rwlock *rwlock, uint64_t deadline)
{
    struct filch_party *self = filch_party_self();
    if (FILCH_UNLIKELY(!rwlock || !self)) {
        return rwlock ? FILCH_ENOMEM : FILCH_EINVAL;
    }
    struct rwlock *state = rwlock_of(rwlock);
    uint32_t word = 0;
    if (FILCH_LIKELY(let_in(state, &word, WRITTEN))) {
        own_rwlock(state, self);
        return FILCH_OK;
    }
    return write_lock_slow(state, self, deadline);
}

filch_status filch_rwlock_lock(filch_rwlock *rwlock)
{
    return write_lock_until(rwlock, FILCH_OS_NEVER);
}

filch_status filch_rwlock_lock_until(filch_rwlock *rwlock, filch_deadline until)
{
    return write_lock_until(rwlock, filch_deadline_ns(until));
}
