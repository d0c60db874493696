#include "sleep/park.h"

#include "base/assert.h"
#include "os/os.h"

void filch_parker_init(struct filch_parker *parker)
{
    atomic_init(&parker->token, 0);
    atomic_init(&parker->processor, FILCH_PARKER_FREE);
    atomic_init(&parker->kept_off, FILCH_PARKER_FREE);
    parker->listed = false;
    parker->next = parker->prev = NULL;
}

void filch_parker_unpark(struct filch_parker *parker)
{
    /* release: pairs with the acquire in filch_parker_poll; what the waker did is seen */
    if (atomic_exchange_explicit(&parker->token, 1, memory_order_release) == 0) {
        filch_os_wake(&parker->token, 1);
    }
}

/* ---- which processor ----
 *
 * Between a waker's keep_off() and its token none else moves the thread, and the thread itself not
 * before it has that token. An older one may come in between: then it is MOVING still. */

static void keep_off(struct filch_parker *parker, int processor)
{
    int nothing = FILCH_PARKER_FREE;
    /* acquire: pairs with the release in let_back(): what the system was asked for is in order */
    if (atomic_compare_exchange_strong_explicit(&parker->kept_off, &nothing, FILCH_PARKER_MOVING,
                                                memory_order_acquire, memory_order_relaxed)) {
        bool done = filch_os_keep_off(parker->thread, processor);
        /* relaxed: the token that follows carries it over */
        atomic_store_explicit(&parker->kept_off, done ? processor : FILCH_PARKER_FREE,
                              memory_order_relaxed);
    }
}

/* Its own thread, which is awake. */
static void let_back(struct filch_parker *parker)
{
    /* relaxed: if it is ours to see, it came with the token */
    int processor = atomic_load_explicit(&parker->kept_off, memory_order_relaxed);
    if (FILCH_UNLIKELY(processor >= 0)) {
        filch_os_let_back(parker->thread, processor);
        /* release: pairs with the acquire in keep_off() */
        atomic_store_explicit(&parker->kept_off, FILCH_PARKER_FREE, memory_order_release);
    }
}

void filch_parker_unpark_apart(struct filch_parker *parker)
{
    int here = filch_os_processor();
    /* relaxed: a guess, if it has not gone to sleep yet */
    if (here >= 0 && atomic_load_explicit(&parker->processor, memory_order_relaxed) == here) {
        keep_off(parker, here);
    }
    filch_parker_unpark(parker);
}

/* ---- sleeping ---- */

bool filch_parker_poll(struct filch_parker *parker)
{
    /* acquire: pairs with the release in filch_parker_unpark. An exchange, not a store: a token
     * that arrives in between must not be wiped unseen. */
    bool woken = atomic_exchange_explicit(&parker->token, 0, memory_order_acquire) != 0;
    if (woken) {
        let_back(parker);
    }
    return woken;
}

bool filch_parker_wait(struct filch_parker *parker, uint64_t deadline_ns)
{
    bool in_time = true;
    /* relaxed: a guess */
    atomic_store_explicit(&parker->processor, filch_os_processor(), memory_order_relaxed);
    FILCH_ASSERT(!filch_rank_holds_any()); /* others may need it to wake us */
    while (!filch_parker_poll(parker)) {
        if (!in_time) {
            return false;
        }
        in_time = filch_os_wait(&parker->token, 0, deadline_ns);
    }
    return true;
}

void filch_park_init(struct filch_park *park)
{
    filch_lock_init(&park->lock);
    atomic_init(&park->sleepers, 0);
    park->newest = NULL;
}

static void count_locked(struct filch_park *park, uint32_t delta)
{
    /* relaxed: written under the lock; publishers are ordered by the fences of the handshake */
    uint32_t sleepers = atomic_load_explicit(&park->sleepers, memory_order_relaxed);
    FILCH_ASSERT(filch_lock_is_held(&park->lock) && (sleepers || delta == 1));
    atomic_store_explicit(&park->sleepers, sleepers + delta, memory_order_relaxed);
}

static void unlist_locked(struct filch_park *park, struct filch_parker *parker)
{
    FILCH_ASSERT(filch_lock_is_held(&park->lock) && parker->listed);
    FILCH_ASSERT(parker->prev || park->newest == parker);
    if (parker->prev) {
        parker->prev->next = parker->next;
    } else {
        park->newest = parker->next;
    }
    if (parker->next) {
        parker->next->prev = parker->prev;
    }
    parker->listed = false;
    count_locked(park, (uint32_t)-1);
    FILCH_ASSERT(!park->newest == !filch_park_sleepers(park));
}

void filch_park_announce(struct filch_park *park, struct filch_parker *parker)
{
    filch_lock_acquire(&park->lock, FILCH_RANK_PARK);
    FILCH_ASSERT(!parker->listed);
    parker->listed = true;
    parker->prev = NULL;
    parker->next = park->newest;
    if (park->newest) {
        park->newest->prev = parker;
    }
    park->newest = parker;
    count_locked(park, 1);
    filch_lock_release(&park->lock);
    /* seq_cst: the sleeper's half; pairs with the fence in filch_park_choose */
    atomic_thread_fence(memory_order_seq_cst);
}

bool filch_park_retract(struct filch_park *park, struct filch_parker *parker)
{
    filch_lock_acquire(&park->lock, FILCH_RANK_PARK);
    bool was_listed = parker->listed;
    if (was_listed) {
        unlist_locked(park, parker);
    }
    filch_lock_release(&park->lock);
    return was_listed;
}

static struct filch_parker *take_newest(struct filch_park *park)
{
    filch_lock_acquire(&park->lock, FILCH_RANK_PARK);
    struct filch_parker *parker = park->newest;
    if (parker) {
        unlist_locked(park, parker);
    }
    filch_lock_release(&park->lock);
    return parker;
}

struct filch_parker *filch_park_choose(struct filch_park *park)
{
    /* seq_cst: the publisher's half; pairs with the fence in filch_park_announce */
    atomic_thread_fence(memory_order_seq_cst);
    return filch_park_sleepers(park) ? take_newest(park) : NULL;
}

bool filch_park_wake_one(struct filch_park *park)
{
    struct filch_parker *parker = filch_park_choose(park);
    if (parker) {
        filch_parker_unpark(parker);
    }
    return parker != NULL;
}

void filch_park_wake_all(struct filch_park *park)
{
    while (filch_park_wake_one(park)) {
    }
}

uint32_t filch_park_sleepers(struct filch_park *park)
{
    /* relaxed: a hint, or ordered by the caller's fence */
    return atomic_load_explicit(&park->sleepers, memory_order_relaxed);
}
