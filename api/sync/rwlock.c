/* Read-mostly locks. One word says who is in:
 *
 *   READER * n | WAITED | WRITTEN
 *
 *   WRITTEN   it is locked by a writer, `owner`
 *   WAITED    the line is not empty; all that come now stand in line, too
 *   n         readers; while it is WRITTEN or WAITED also those that have counted themselves before
 *             they saw that, and take it back
 *
 * A reader that comes adds itself, and is in if it is neither WRITTEN nor WAITED. It takes itself
 * back under the lock of the line: unless nothing stands in its way any more. A writer comes by one
 * exchange, if all is 0. Those that have to wait are served in order, under the lock of the line,
 * readers until there is a writer, a writer when none is counted: by the writer that leaves, the
 * last reader, or the one that has taken itself back as the last. So no writer waits for readers
 * that came after it, and no reader for a second writer.
 *
 * Where WAITED is seen with no reader counted, under the lock, all that are counted from then on
 * have seen WAITED and will take themselves back: a writer is let in beside them.
 *
 * The last touch. A writer that leaves, and the last reader, is in until it has the lock of the
 * line, if there is one. Those in line are not through before they are served, under that lock, and
 * are told after its release; one that has timed out takes it once more. So the lock may be
 * released after the word has said that it is free. Where the line is empty the word's exchange is
 * all.
 *
 * Orders: what lets one in acquires, what lets it out releases. One that is served is told, by a
 * thread which has acquired what the last one released. The flag WAITED needs no order: it changes,
 * and is looked after, under the lock. */
#include <filch/sync.h>

#include "base/assert.h"
#include "base/base.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/thread.h"
#include "sync/rwlock_word.h"
#include "sync/spin.h"

/* ---- the line ---- */

static void name_writer(const struct rwlock_wait *wait)
{
    if (wait->unit == WRITTEN) {
        own_rwlock(wait->rwlock, wait->party);
    }
}

/* It has been claimed. */
static void enter_locked(const struct rwlock_wait *wait)
{
    /* relaxed: the word has been acquired under this lock, and those counted since are not in */
    atomic_fetch_add_explicit(&wait->rwlock->word, wait->unit, memory_order_relaxed);
    name_writer(wait);
}

/* Those in line are the parent's. */
static void forget_parents_line_locked(struct rwlock *rwlock)
{
    FILCH_ASSERT(filch_lock_is_held(&rwlock->lock));
    if (FILCH_UNLIKELY(filch_process_inherited(rwlock->token))) {
        rwlock->line = (struct filch_wait_list){NULL, NULL};
        rwlock->token = 0;
        /* relaxed: see the top */
        atomic_fetch_and_explicit(&rwlock->word, ~(uint32_t)RW_WAITED, memory_order_relaxed);
    }
}

/* Let in all that may be. */
static void serve_rwlock_locked(struct rwlock *rwlock, struct filch_claims *claims)
{
    FILCH_ASSERT(filch_lock_is_held(&rwlock->lock));
    struct filch_wait_node *place;
    while ((place = rwlock->line.first)) {
        struct filch_waiter *waiter = place->waiter;
        /* acquire: pairs with the release in let_out */
        uint32_t word = atomic_load_explicit(&rwlock->word, memory_order_acquire);
        if (!may_enter(word, rwlock_wait_at(place)->unit)) {
            return;
        }
        filch_wait_list_remove_locked(&rwlock->line, place);
        if (filch_waiter_claim(waiter, claims)) {
            enter_locked(rwlock_wait_at(place));
        }
    }
    /* relaxed: see the top. Those let in are in before this goes. */
    atomic_fetch_and_explicit(&rwlock->word, ~(uint32_t)RW_WAITED, memory_order_relaxed);
}

/* Take away what the caller had, and serve. */
static void leave_and_serve_locked(struct rwlock *rwlock, uint32_t less,
                                   struct filch_claims *claims)
{
    /* release: pairs with the acquire in serve_rwlock_locked, and those of all that come later */
    atomic_fetch_sub_explicit(&rwlock->word, less, memory_order_release);
    serve_rwlock_locked(rwlock, claims);
}

/* Of one that is in. False: the line is empty, it is still. */
static bool leave_rwlock_line(struct rwlock *rwlock, uint32_t less)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    bool waited = rwlock->line.first != NULL;
    if (waited) {
        leave_and_serve_locked(rwlock, less, &claims);
    }
    filch_lock_release(&rwlock->lock);
    filch_claims_tell(&claims);
    return waited;
}

/* True: nothing stands in the way of the reader that has counted itself. Else it is counted no
 * more. */
static bool decide_on_reader(struct rwlock *rwlock)
{
    struct filch_claims claims = {NULL, NULL};
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    /* acquire: pairs with the release in let_out */
    uint32_t word = atomic_load_explicit(&rwlock->word, memory_order_acquire);
    bool in = !(word & WRITTEN) && !rwlock->line.first && !(word & READERS_FULL);
    if (!in) {
        leave_and_serve_locked(rwlock, READER, &claims);
    }
    filch_lock_release(&rwlock->lock);
    filch_claims_tell(&claims);
    return in;
}

/* ---- waiting ---- */

/* False: it is in. */
static bool stand_in_rwlock_line_locked(struct rwlock_wait *wait, struct filch_waiter *waiter)
{
    struct rwlock *rwlock = wait->rwlock;
    for (;;) {
        uint32_t word = word_of_rwlock(rwlock);
        if (!rwlock->line.first && may_enter(word, wait->unit)) {
            if (let_in(rwlock, word, wait->unit)) {
                name_writer(wait);
                return false;
            }
        } else if (let_in(rwlock, word, word & RW_WAITED ? 0 : RW_WAITED)) {
            filch_wait_list_add_locked(&rwlock->line, &wait->place, waiter);
            return true;
        }
    }
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

/* Those behind it may be let in now. */
static void leave_rwlock(struct filch_waiter *waiter, void *context)
{
    struct rwlock_wait *wait = context;
    struct filch_claims claims = {NULL, NULL};
    (void)waiter;
    filch_lock_acquire(&wait->rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    filch_wait_list_remove_locked(&wait->rwlock->line, &wait->place);
    serve_rwlock_locked(wait->rwlock, &claims);
    filch_lock_release(&wait->rwlock->lock);
    filch_claims_tell(&claims);
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

/* What is in the way may be the parent's line alone. */
static filch_status try_to_write(struct rwlock_wait *wait)
{
    struct rwlock *rwlock = wait->rwlock;
    filch_lock_acquire(&rwlock->lock, FILCH_RANK_WAIT_QUEUE);
    forget_parents_line_locked(rwlock);
    bool in = let_in(rwlock, 0, WRITTEN);
    filch_lock_release(&rwlock->lock);
    if (in) {
        name_writer(wait);
    }
    return in ? FILCH_OK : FILCH_ETIMEDOUT;
}

static filch_status wait_for_rwlock(struct rwlock_wait *wait, uint64_t deadline)
{
    if (deadline == 0) {
        return wait->unit == WRITTEN ? try_to_write(wait) : FILCH_ETIMEDOUT;
    }
    filch_status status = filch_wait_until(&rwlock_wait, wait, deadline);
    return wait->forked ? FILCH_EFORKED : status;
}

/* May the writer be running now? Readers are not spun for: there may always be some. */
static bool is_worth_a_spin(uint32_t word)
{
    return word & WRITTEN && !(word & RW_WAITED) && filch_spin_may_help();
}

/* ---- to read ---- */

/* One that has counted itself. True: it is in. */
static bool spin_to_read(struct rwlock *rwlock)
{
    uint32_t word = word_of_rwlock(rwlock);
    for (int i = 0; i < FILCH_SPIN_TRIES && is_worth_a_spin(word); i++) {
        filch_spin_pause();
        /* acquire: pairs with the release in let_out */
        word = atomic_load_explicit(&rwlock->word, memory_order_acquire);
        if (!(word & (WRITTEN | RW_WAITED | READERS_FULL))) {
            return true;
        }
    }
    return false;
}

FILCH_APART static filch_status lock_shared_slow(struct rwlock *rwlock, uint32_t word,
                                                 uint64_t deadline)
{
    struct filch_party *self = filch_party_self();
    bool own = self && word & WRITTEN && writer_of(rwlock) == self;
    if ((deadline != 0 && !own && spin_to_read(rwlock)) || decide_on_reader(rwlock)) {
        return FILCH_OK;
    }
    if (own || !self || word & READERS_FULL) {
        return own ? FILCH_EDEADLK : self ? FILCH_EOVERFLOW : FILCH_ENOMEM;
    }
    struct rwlock_wait wait = {.rwlock = rwlock, .party = self, .unit = READER};
    return wait_for_rwlock(&wait, deadline);
}

static filch_status lock_shared_until(filch_rwlock *rwlock, uint64_t deadline)
{
    if (FILCH_UNLIKELY(!rwlock)) {
        return FILCH_EINVAL;
    }
    uint32_t word = count_reader(rwlock_of(rwlock));
    return FILCH_LIKELY(!(word & (WRITTEN | RW_WAITED | READERS_FULL)))
               ? FILCH_OK
               : lock_shared_slow(rwlock_of(rwlock), word, deadline);
}

filch_status filch_rwlock_lock_shared(filch_rwlock *rwlock)
{
    return lock_shared_until(rwlock, FILCH_OS_NEVER);
}

filch_status filch_rwlock_lock_shared_until(filch_rwlock *rwlock, double deadline)
{
    return lock_shared_until(rwlock, filch_deadline_at(deadline));
}

filch_status filch_rwlock_unlock_shared(filch_rwlock *rwlock)
{
    struct rwlock *state = rwlock_of(rwlock);
    uint32_t word;
    while (state && (word = word_of_rwlock(state)) >= READER) {
        bool serves = (word & (WRITTEN | RW_WAITED)) == RW_WAITED && word < 2 * READER;
        if (serves ? leave_rwlock_line(state, READER) : let_out(state, word, READER)) {
            return FILCH_OK;
        }
    }
    return FILCH_EINVAL;
}

/* ---- to write ---- */

static bool spin_to_write(struct rwlock *rwlock)
{
    for (int i = 0; i < FILCH_SPIN_TRIES && is_worth_a_spin(word_of_rwlock(rwlock)); i++) {
        filch_spin_pause();
        if (word_of_rwlock(rwlock) == 0 && let_in(rwlock, 0, WRITTEN)) {
            return true;
        }
    }
    return false;
}

FILCH_APART static filch_status write_lock_slow(struct rwlock_wait *wait, uint64_t deadline)
{
    if (writer_of(wait->rwlock) == wait->party) {
        return FILCH_EDEADLK;
    }
    if (deadline != 0 && spin_to_write(wait->rwlock)) {
        name_writer(wait);
        return FILCH_OK;
    }
    return wait_for_rwlock(wait, deadline);
}

static filch_status write_lock_until(filch_rwlock *rwlock, uint64_t deadline)
{
    struct filch_party *self = filch_party_self();
    if (FILCH_UNLIKELY(!rwlock || !self)) {
        return rwlock ? FILCH_ENOMEM : FILCH_EINVAL;
    }
    struct rwlock *state = rwlock_of(rwlock);
    if (FILCH_LIKELY(let_in(state, 0, WRITTEN))) {
        own_rwlock(state, self);
        return FILCH_OK;
    }
    struct rwlock_wait wait = {.rwlock = state, .party = self, .unit = WRITTEN};
    return write_lock_slow(&wait, deadline);
}

filch_status filch_rwlock_lock(filch_rwlock *rwlock)
{
    return write_lock_until(rwlock, FILCH_OS_NEVER);
}

filch_status filch_rwlock_lock_until(filch_rwlock *rwlock, double deadline)
{
    return write_lock_until(rwlock, filch_deadline_at(deadline));
}

filch_status filch_rwlock_unlock(filch_rwlock *rwlock)
{
    struct rwlock *state = rwlock_of(rwlock);
    if (!state || !(word_of_rwlock(state) & WRITTEN)) {
        return FILCH_EINVAL;
    }
    own_rwlock(state, NULL);
    for (;;) {
        uint32_t word = word_of_rwlock(state);
        if (word & RW_WAITED ? leave_rwlock_line(state, WRITTEN) : let_out(state, word, WRITTEN)) {
            return FILCH_OK;
        }
    }
}
