#include "os/rank.h"

#ifdef FILCH_ASSERTIONS
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define UNDER(rank) ((uint32_t)1 << FILCH_RANK_##rank)

_Static_assert(FILCH_RANKS <= 32, "a set of ranks is a word");

/* What the making ready of a fiber takes (filch_fibers_ready), one after the other, and what may be
 * taken under that: a thread is made, and its name is looked up in the process object. */
static const uint32_t process_and_traces = UNDER(PROCESS) | UNDER(TRACES);
#define MAKING_READY (UNDER(QUEUE) | UNDER(PARK) | UNDER(POOL) | process_and_traces)

/* The order of the locks. `inner` is what may be taken while one of that kind is held: what is
 * taken at once, and what may be taken under that in turn. */
struct order {
    const char *name;
    uint32_t inner;
};

static const struct order orders[FILCH_RANKS] = {
    /* The list of pools: in the child of a fork(). */
    [FILCH_RANK_WAIT_QUEUE] = {"a wait queue", UNDER(PROCESS) | UNDER(POOLS) | UNDER(STACKS)},
    [FILCH_RANK_CHANNEL] = {"a channel", UNDER(CHANNEL)}, /* by rising address */
    [FILCH_RANK_COMPLETIONS] = {"a set of futures", UNDER(CELL)},
    [FILCH_RANK_POOLS] = {"the list of pools", UNDER(STACKS) | UNDER(DESCRIPTOR) |
                                                   UNDER(QUESTIONS) | UNDER(PARTY) | UNDER(DUMP) |
                                                   UNDER(LOG) | MAKING_READY},
    [FILCH_RANK_STACKS] = {"the stacks of a pool", UNDER(PARTY) | UNDER(DUMP) | MAKING_READY},
    [FILCH_RANK_DESCRIPTOR] = {"a descriptor", UNDER(QUESTIONS) | MAKING_READY},
    [FILCH_RANK_SCOPE] = {"a scope", UNDER(SCOPE) | MAKING_READY}, /* downwards: cancel.c */
    [FILCH_RANK_TIMERS] = {"timers", MAKING_READY},
    [FILCH_RANK_CELL] = {"a cell", MAKING_READY},
    /* Others are tried, and not waited for (deadlock.c). */
    [FILCH_RANK_PARTY] = {"a party", UNDER(PARTY) | UNDER(DUMP) | MAKING_READY},
    [FILCH_RANK_POOL] = {"a pool", process_and_traces},
    [FILCH_RANK_DUMP] = {"dumps", UNDER(PROCESS)},
    [FILCH_RANK_PROCESS] = {"the process", 0},
    [FILCH_RANK_REGISTRY] = {"the registry", 0},
    [FILCH_RANK_TRACES] = {"traces", 0},
    [FILCH_RANK_QUEUE] = {"a queue", 0},
    [FILCH_RANK_PARK] = {"a park", 0},
    [FILCH_RANK_PERMITS] = {"permits", 0},
    [FILCH_RANK_PENDING] = {"what is pending", 0},
    [FILCH_RANK_FAULT] = {"a fault", 0},
    [FILCH_RANK_LINE] = {"a pipeline", 0},
    [FILCH_RANK_TURN] = {"a turn of a pipeline", 0},
    [FILCH_RANK_LIMIT] = {"a limit of a graph", 0},
    [FILCH_RANK_STATES] = {"states of a fold", 0},
    [FILCH_RANK_SLOTS] = {"slots of a loop", 0},
    [FILCH_RANK_SLEEPERS] = {"sleepers in system calls", 0},
    [FILCH_RANK_QUESTIONS] = {"a set of descriptors", 0},
    [FILCH_RANK_OVERFLOW] = {"the handler of overflows", 0},
    [FILCH_RANK_LOG] = {"the log", 0},
};

/* ---- what a thread holds ---- */

enum {
    LISTED = 16,
    MANY_LISTED = 8, /* so many of a kind of which one holds any number; the others find room */
};

/* A signal handler may interrupt a change and take and drop locks itself. It leaves each word as it
 * found it, but for slots that are free; so a slot is claimed before its rank is written. */
static _Thread_local struct {
    const void *volatile locks[LISTED]; /* NULL: a free slot */
    volatile unsigned char ranks[LISTED];
    volatile unsigned unlisted; /* more of those of which there may be many */
    volatile uint32_t unlisted_ranks;
    volatile unsigned parties;
    volatile bool forked; /* it may drop what the parent took */
} held;

static const char claimed; /* its address stands in a slot that is being filled */

/* No function here is inlined: between two calls a fiber may have changed threads, and a compiler
 * would keep the address of what is a thread's (thread.c). */
static uint32_t ranks_held(void)
{
    uint32_t ranks = held.unlisted ? held.unlisted_ranks : 0;
    for (int i = 0; i < LISTED; i++) {
        if (held.locks[i] && held.locks[i] != &claimed) {
            ranks |= (uint32_t)1 << held.ranks[i];
        }
    }
    return held.parties ? ranks | UNDER(PARTY) : ranks;
}

static void fail_rank(const char *wanted, const char *verb, const char *other)
{
    const char *const words[] = {"the lock of ", wanted, verb, other, NULL};
    filch_assert_failed_words(words, __FILE__, __LINE__, __func__);
}

static void check_pair(enum filch_rank outer, enum filch_rank rank)
{
    if (!(orders[outer].inner & (uint32_t)1 << rank)) {
        fail_rank(orders[rank].name, " must not be taken under that of ", orders[outer].name);
    }
}

static void check_same_kind(const void *lock, enum filch_rank rank)
{
    for (int i = 0; i < LISTED; i++) {
        if (held.locks[i] == lock) {
            fail_rank(orders[rank].name, " is taken twice", "");
        }
        if (rank == FILCH_RANK_CHANNEL && held.locks[i] && held.ranks[i] == rank &&
            (uintptr_t)held.locks[i] > (uintptr_t)lock) {
            fail_rank(orders[rank].name, " must not be taken under that of ",
                      "a channel with a higher address");
        }
    }
}

FILCH_APART void filch_rank_check(const void *lock, enum filch_rank rank)
{
    uint32_t ranks = ranks_held();
    if (!ranks) {
        return;
    }
    check_same_kind(lock, rank);
    for (unsigned outer = 0; outer < FILCH_RANKS; outer++) {
        if (ranks & (uint32_t)1 << outer) {
            check_pair((enum filch_rank)outer, rank);
        }
    }
}

/* Scopes that are nested, the channels of one select. */
static bool may_be_many(enum filch_rank rank)
{
    return rank == FILCH_RANK_SCOPE || rank == FILCH_RANK_CHANNEL;
}

FILCH_APART void filch_rank_take(const void *lock, enum filch_rank rank)
{
    int room = may_be_many(rank) ? MANY_LISTED : LISTED;
    for (int i = 0; i < room; i++) {
        if (!held.locks[i]) {
            held.locks[i] = &claimed;
            held.ranks[i] = (unsigned char)rank;
            held.locks[i] = lock;
            return;
        }
    }
    FILCH_ASSERT(may_be_many(rank));
    held.unlisted_ranks |= (uint32_t)1 << rank;
    held.unlisted++;
}

FILCH_APART void filch_rank_drop(const void *lock)
{
    for (int i = 0; i < LISTED; i++) {
        if (held.locks[i] == lock) {
            held.locks[i] = NULL;
            return;
        }
    }
    bool this_thread_holds_it = held.unlisted > 0;
    FILCH_ASSERT(this_thread_holds_it || held.forked);
    if (this_thread_holds_it) {
        held.unlisted--;
        held.unlisted_ranks = held.unlisted ? held.unlisted_ranks : 0;
    }
}

FILCH_APART void filch_rank_take_party(void)
{
    held.parties++;
}

FILCH_APART void filch_rank_drop_party(void)
{
    FILCH_ASSERT(held.parties > 0 || held.forked);
    held.parties -= held.parties > 0;
}

FILCH_APART bool filch_rank_is_held(const void *lock)
{
    for (int i = 0; i < LISTED; i++) {
        if (held.locks[i] == lock) {
            return true;
        }
    }
    return held.unlisted > 0 || held.forked;
}

FILCH_APART bool filch_rank_holds_any(void)
{
    return ranks_held() != 0;
}

FILCH_APART void filch_rank_start_anew(void)
{
    held.forked = held.forked || ranks_held() != 0;
    for (int i = 0; i < LISTED; i++) {
        held.locks[i] = NULL;
    }
    held.unlisted = 0;
    held.parties = 0;
}
#endif
