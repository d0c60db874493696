#include "debug/deadlock.h"

#include "base/assert.h"
#include "debug/deadlock_search.h"

#include <stdlib.h>

#include "base/memory.h"
#include "debug/describe.h"
#include "os/log.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/process.h"
#include "sched/starve.h"
#include "sched/thread.h"
#include "stack/sanitize.h"

/* ---- stillness ---- */

static bool sleeps(struct filch_thread *thread)
{
    /* seq_cst, both: see filch_thread_nap */
    return atomic_load_explicit(&thread->naps, memory_order_seq_cst) % 2 == 1 &&
           atomic_load_explicit(&thread->parker.token, memory_order_seq_cst) == 0;
}

bool filch_deadlock_knows_threads(void)
{
    return !filch_sanitize_has_threads() && filch_os_thread_count() > 0;
}

/* All threads but the caller's sleep, and filch knows them all. `naps`: how often all have. */
static bool all_sleep(uint64_t *naps)
{
    struct filch_process *process = filch_process();
    struct filch_thread *self = filch_thread_known();
    unsigned known = 0;
    bool all = true;
    *naps = 0;
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    for (struct filch_thread *t = filch_process_newest_thread(process); t; t = t->older) {
        if (t->live) {
            known++;
            all = all && (t == self || sleeps(t));
            *naps += atomic_load_explicit(&t->naps, memory_order_relaxed); /* read in sleeps() */
        }
    }
    filch_lock_release(&process->lock);
    return all && known == filch_os_thread_count();
}

static bool pools_rest(void)
{
    FILCH_ASSERT(filch_lock_is_held(&filch_process()->pools_lock));
    for (struct filch_pool *pool = filch_process()->pools; pool; pool = pool->next_pool) {
        if (filch_pool_running(pool) > 0 || filch_core_work_visible(pool) ||
            filch_pool_is_starving(pool) || filch_crowd_is_held(pool) ||
            filch_timers_earliest(&pool->timers) != FILCH_OS_NEVER) {
            return false;
        }
    }
    return true;
}

/* No thread was awake between the two looks at all threads, when the pools rested. */
static bool is_still(void)
{
    uint64_t before;
    uint64_t after;
    return filch_deadlock_knows_threads() && all_sleep(&before) && pools_rest() &&
           all_sleep(&after) && before == after;
}

/* ---- which waits for which ---- */

static void note_wait(struct filch_deadlock_search *search, const struct filch_deadlock_wait *wait)
{
    if (search->n == search->room) {
        size_t room = search->room ? 2 * search->room : 64;
        struct filch_deadlock_wait *more = filch_realloc(search->waits, room * sizeof *more);
        if (!more) {
            search->forgets = true;
            return;
        }
        search->waits = more;
        search->room = room;
    }
    search->waits[search->n++] = *wait;
}

/* A handler of the program may be the one to end it, at any time. The one for dumps is ours. */
static bool handlers_may_come(struct filch_deadlock_search *search)
{
    if (!search->asked_for_handlers) {
        struct filch_process *process = filch_process();
        filch_lock_acquire(&process->dump_lock, FILCH_RANK_DUMP);
        int dumps = process->dump_signal;
        filch_lock_release(&process->dump_lock);
        search->asked_for_handlers = true;
        search->has_handlers = filch_os_has_handlers(dumps);
    }
    return search->has_handlers;
}

static void look_at(struct filch_deadlock_search *search, struct filch_party *party)
{
    struct filch_deadlock_wait wait = {.party = party, .next = FILCH_DEADLOCK_NONE};
    if (!filch_party_hold(party, &wait.number)) {
        return;
    }
    const struct filch_wait_kind *kind = party->kind;
    wait.holder = kind->holder ? kind->holder(party->context) : NULL;
    wait.derived = kind->derived;
    bool moved = kind->moved && kind->moved(party->context);
    wait.endable = party->waiter && !moved;
    bool over = wait.endable && filch_waiter_decided(party->waiter);
    bool forever = party->forever || moved;
    bool outside = kind->outside || (kind->in_handlers && handlers_may_come(search));
    filch_party_let_go(party);
    if (over || outside || !forever) {
        search->still = false;
    } else if (search->still || wait.holder) {
        note_wait(search, &wait);
    }
}

/* What is done with each party. */
struct sight {
    struct filch_deadlock_search *search;
    void (*look)(struct filch_deadlock_search *search, struct filch_party *party);
};

static void look_at_fiber(struct filch_stack *stack, void *context)
{
    struct sight *sight = context;
    sight->look(sight->search, &((struct filch_fiber *)stack)->own_party);
}

static void look_at_threads(const struct sight *sight)
{
    struct filch_thread *newest = filch_process_newest_thread(filch_process()); /* they stay */
    for (struct filch_thread *t = newest; t; t = t->older) {
        sight->look(sight->search, &t->party);
    }
}

static int by_party(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct filch_deadlock_wait *)a)->party;
    uintptr_t y = (uintptr_t)((const struct filch_deadlock_wait *)b)->party;
    return x < y ? -1 : x > y;
}

/* A party that is not found does not wait, or is not there any more. */
static void find_holders(struct filch_deadlock_search *search)
{
    if (search->n) { /* qsort() takes no NULL, not even to sort nothing */
        qsort(search->waits, search->n, sizeof *search->waits, by_party);
    }
    for (size_t i = 0; i < search->n; i++) {
        const struct filch_deadlock_wait key = {.party = search->waits[i].holder};
        const struct filch_deadlock_wait *holder =
            key.party ? bsearch(&key, search->waits, search->n, sizeof key, by_party) : NULL;
        search->waits[i].next = holder ? (long)(holder - search->waits) : FILCH_DEADLOCK_NONE;
    }
}

/* ---- cycles ---- */

/* Each wait has at most one holder: from each, go until there is none, or one that was met before:
 * met on this way, it is in a cycle. */
static void mark_cycles(struct filch_deadlock_search *search)
{
    for (size_t i = 0; i < search->n; i++) {
        long at = (long)i;
        while (at != FILCH_DEADLOCK_NONE && search->waits[at].mark == 0) {
            search->waits[at].mark = (unsigned)i + 1;
            at = search->waits[at].next;
        }
        bool cycle = at != FILCH_DEADLOCK_NONE && search->waits[at].mark == (unsigned)i + 1;
        for (; cycle && !search->waits[at].in_cycle; at = search->waits[at].next) {
            search->waits[at].in_cycle = true;
        }
    }
}

/* The same wait, for the same holder, as when the cycle was found. All of a cycle waited then and
 * do now, so they did in between: it is one. */
static bool goes_on(const struct filch_deadlock_wait *wait)
{
    uint32_t number = wait->number;
    if (!filch_party_hold(wait->party, &number)) {
        return false;
    }
    struct filch_party *holder = wait->party->kind->holder(wait->party->context);
    filch_party_let_go(wait->party);
    return holder == wait->holder;
}

static bool cycle_goes_on(struct filch_deadlock_search *search, size_t first)
{
    long at = (long)first;
    do {
        if (!goes_on(&search->waits[at])) {
            return false;
        }
        at = search->waits[at].next;
    } while (at != (long)first);
    return true;
}

static size_t end_cycles(struct filch_deadlock_search *search)
{
    size_t ends = 0;
    for (size_t i = 0; i < search->n; i++) {
        struct filch_deadlock_wait *wait = &search->waits[i];
        wait->in_cycle = wait->in_cycle && cycle_goes_on(search, i);
        wait->ends = wait->in_cycle && wait->endable;
        ends += wait->in_cycle;
    }
    return ends;
}

/* ---- which waits end ---- */

static size_t end_those(struct filch_deadlock_search *search,
                        bool (*should)(const struct filch_deadlock_wait *wait))
{
    size_t ends = 0;
    for (size_t i = 0; i < search->n; i++) {
        search->waits[i].ends = search->waits[i].endable && should(&search->waits[i]);
        ends += search->waits[i].ends;
    }
    return ends;
}

static bool none_is_responsible(const struct filch_deadlock_wait *wait)
{
    return !wait->derived && wait->next == FILCH_DEADLOCK_NONE;
}

static bool any_wait(const struct filch_deadlock_wait *wait)
{
    (void)wait;
    return true;
}

/* True: there is something to tell. */
static bool judge(struct filch_deadlock_search *search)
{
    find_holders(search);
    mark_cycles(search);
    if (end_cycles(search) > 0) {
        return true;
    }
    if (!search->still || search->forgets || search->n == 0) {
        return false;
    }
    if (end_those(search, none_is_responsible) == 0) {
        end_those(search, any_wait);
    }
    return true;
}

/* All are held until the outcomes of all have been decided: the first that went on would give the
 * next what that waits for. */
static void decide_ends(struct filch_deadlock_search *search)
{
    for (size_t i = 0; i < search->n; i++) {
        struct filch_deadlock_wait *wait = &search->waits[i];
        uint32_t number = wait->number;
        wait->ends = wait->ends && filch_party_hold(wait->party, &number);
        wait->sleeps = wait->ends && filch_waiter_fire(wait->party->waiter, FILCH_DEADLOCKED);
    }
}

static void end_waits(struct filch_deadlock_search *search)
{
    decide_ends(search);
    for (size_t i = 0; i < search->n; i++) {
        struct filch_deadlock_wait *wait = &search->waits[i];
        if (wait->ends) {
            struct filch_waiter *waiter = wait->party->waiter;
            struct filch_fiber *fiber = waiter->fiber; /* read before it can go on */
            struct filch_parker *parker = waiter->parker;
            filch_party_let_go(wait->party);
            if (wait->sleeps && fiber) {
                filch_fibers_ready(&fiber, 1);
            } else if (wait->sleeps) {
                filch_parker_unpark(parker);
            }
        }
    }
}

static void look_at_all(struct filch_deadlock_search *search,
                        void (*look)(struct filch_deadlock_search *search,
                                     struct filch_party *party))
{
    FILCH_ASSERT(filch_lock_is_held(&filch_process()->pools_lock));
    struct sight sight = {search, look};
    for (struct filch_pool *pool = filch_process()->pools; pool; pool = pool->next_pool) {
        filch_stacks_each(&pool->stacks, look_at_fiber, &sight);
    }
    look_at_threads(&sight);
}

/* ---- without memory to note which wait: what can be ended is, at once ---- */

static void end_one(struct filch_deadlock_search *search, struct filch_party *party, bool derived)
{
    uint32_t any = 0;
    if (!filch_party_hold(party, &any)) {
        return;
    }
    if (party->waiter && party->forever && party->kind->derived == derived) {
        search->n += filch_waiter_end(party->waiter, FILCH_DEADLOCKED);
    }
    filch_party_let_go(party);
}

static void end_original(struct filch_deadlock_search *search, struct filch_party *party)
{
    end_one(search, party, false);
}

static void end_derived(struct filch_deadlock_search *search, struct filch_party *party)
{
    end_one(search, party, true);
}

/* The others may go on when those have for which nothing in particular is responsible. */
static void end_unnoted(struct filch_deadlock_search *search)
{
    search->n = 0;
    look_at_all(search, end_original);
    if (search->n == 0) {
        look_at_all(search, end_derived);
    }
}

void filch_deadlock_look(struct filch_waiter *own)
{
    struct filch_process *process = filch_process();
    struct filch_deadlock_search search = {.waits = NULL};
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    search.still = (!own || !filch_waiter_decided(own)) && is_still();
    look_at_all(&search, look_at);
    if (search.still && search.forgets) {
        end_unnoted(&search);
    } else if (judge(&search)) {
        uint64_t now = filch_deadlock_signature(&search);
        if (now != process->reported_deadlock) {
            filch_deadlock_describe(&search);
        }
        process->reported_deadlock = now;
        end_waits(&search);
    }
    filch_lock_release(&process->pools_lock);
    filch_free(search.waits);
}
