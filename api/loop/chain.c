#include "loop/chain.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "loop/loop_run.h"
#include "loop/partition.h"
#include "os/os_ticks.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"

/* What is known at the boundary where a run begins. Who brings the second makes the base of the
 * next run known, and goes on from there: so at most one thread is at it at any time. */
enum { BASED = 1, MEASURED = 2 };

struct links {
    const struct filch_chain *chain;
    bool shared;             /* there are threads that may wait for each other */
    _Atomic(size_t) next;    /* the first leaf that no thread has taken */
    _Atomic(size_t) awaited; /* the first leaf of the run that all later ones wait for */
    _Atomic(uint32_t) ticks; /* what a leaf took lately */
    /* Runs that can be finished now: so many were entered into `late`, so many taken from it. */
    _Atomic(size_t) entered;
    _Atomic(size_t) resumed;
    uint16_t late[FILCH_LEAVES_MAX];
    struct run {
        _Atomic(uint32_t) began; /* ticks, the lower half */
        _Atomic(uint16_t) leaves;
        _Atomic(uint32_t) state;
    } runs[FILCH_LEAVES_MAX]; /* by their first leaves */
};

static size_t leaves_of(struct links *links, size_t first)
{
    /* relaxed: add_state() has carried it over, or it is a guess */
    return atomic_load_explicit(&links->runs[first].leaves, memory_order_relaxed);
}

static bool is_based(struct links *links, size_t leaf)
{
    /* acquire: pairs with add_state(); its base was written before */
    return atomic_load_explicit(&links->runs[leaf].state, memory_order_acquire) & BASED;
}

/* True: the other part was there already. */
static bool add_state(struct links *links, size_t leaf, uint32_t part)
{
    /* acq_rel: pairs with itself, by the other part, and is_based(); the base, what was measured
     * and the number of leaves were written before */
    uint32_t old = atomic_fetch_or_explicit(&links->runs[leaf].state, part, memory_order_acq_rel);
    FILCH_ASSERT(!(old & part));
    return old != 0;
}

/* It can be finished: a thread that finds nothing better will. */
static void enter(struct links *links, size_t first)
{
    /* relaxed: only one thread at a time enters, and has seen what the one before has */
    size_t at = atomic_load_explicit(&links->entered, memory_order_relaxed);
    FILCH_ASSERT(at < links->chain->count);
    links->late[at] = (uint16_t)first;
    /* release: pairs with the acquire in resume() */
    atomic_store_explicit(&links->entered, at + 1, memory_order_release);
}

/* False: there is none. */
static bool resume(struct links *links, size_t *first)
{
    /* relaxed, all of this word: only the number matters */
    size_t at = atomic_load_explicit(&links->resumed, memory_order_relaxed);
    /* acquire: pairs with the release in enter(); the run's base is known */
    while (at < atomic_load_explicit(&links->entered, memory_order_acquire)) {
        if (atomic_compare_exchange_weak_explicit(&links->resumed, &at, at + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            *first = links->late[at];
            return true;
        }
    }
    return false;
}

static void finish_run_late(struct links *links, size_t first)
{
    links->chain->finish_late(links->chain->context, first, leaves_of(links, first));
}

/* Its base is known, and it was measured. Returns where the next one begins. */
static size_t carry_over(struct links *links, size_t first)
{
    size_t leaves = leaves_of(links, first);
    links->chain->carry(links->chain->context, first, leaves);
    return first + leaves;
}

/* The base of a run is known now, and so it goes on through those that were measured before. */
static void make_based(struct links *links, size_t first)
{
    while (first < links->chain->count && add_state(links, first, BASED)) {
        size_t next = carry_over(links, first);
        enter(links, first);
        first = next;
    }
    /* relaxed: a guess */
    atomic_store_explicit(&links->awaited, first, memory_order_relaxed);
}

static void finish_run(struct links *links, size_t first, size_t leaves)
{
    links->chain->finish(links->chain->context, first, leaves);
    make_based(links, first + leaves);
}

/* By the time that this is done it may have become known what is before it. */
static void measure_run(struct links *links, size_t first, size_t leaves)
{
    links->chain->measure(links->chain->context, first, leaves);
    if (add_state(links, first, MEASURED)) {
        make_based(links, carry_over(links, first));
        finish_run_late(links, first);
    }
}

/* ---- waiting ----
 *
 * Two threads that come to an end at about the same time had better not both measure: what one is
 * about to make known the other need not go over twice. So a thread waits if that is to be expected
 * soon: in less than half of the time that it would measure. */

/* So many ticks from now the run that all wait for is done, if it takes as long as others did.
 * Negative: it is overdue. */
static int64_t ticks_to_wait(struct links *links, uint32_t now, uint32_t leaf_ticks)
{
    /* relaxed, both: a guess */
    size_t awaited = atomic_load_explicit(&links->awaited, memory_order_relaxed);
    if (awaited >= links->chain->count) {
        return INT64_MAX;
    }
    uint32_t began = atomic_load_explicit(&links->runs[awaited].began, memory_order_relaxed);
    return (int64_t)leaves_of(links, awaited) * leaf_ticks - (int32_t)(now - began);
}

static bool is_worth_waiting(struct links *links, size_t leaves)
{
    /* relaxed: a guess */
    uint32_t leaf_ticks = atomic_load_explicit(&links->ticks, memory_order_relaxed);
    int64_t half = (int64_t)leaves * leaf_ticks / 2;
    int64_t wait = ticks_to_wait(links, (uint32_t)filch_os_ticks(), leaf_ticks);
    return wait < half && wait > -half / 2;
}

/* Take so many leaves. There are as many: each thread takes those that the loop has given to it. */
static size_t take_run(struct links *links, size_t leaves)
{
    size_t late;
    for (;;) {
        /* relaxed, all of this word: only the number matters */
        size_t first = atomic_load_explicit(&links->next, memory_order_relaxed);
        FILCH_ASSERT(first + leaves <= links->chain->count);
        bool based = is_based(links, first);
        if (!based && resume(links, &late)) {
            finish_run_late(links, late);
        } else if (!based && is_worth_waiting(links, leaves)) {
            filch_relax();
        } else if (atomic_compare_exchange_weak_explicit(&links->next, &first, first + leaves,
                                                         memory_order_relaxed,
                                                         memory_order_relaxed)) {
            return first;
        }
    }
}

static uint32_t run_begins(struct links *links, size_t first)
{
    uint32_t now = links->shared ? (uint32_t)filch_os_ticks() : 0;
    /* relaxed: a guess */
    atomic_store_explicit(&links->runs[first].began, now, memory_order_relaxed);
    return now;
}

static void run_ends(struct links *links, uint32_t began, size_t leaves)
{
    if (links->shared) {
        uint32_t took = (uint32_t)filch_os_ticks() - began;
        /* relaxed: a guess */
        atomic_store_explicit(&links->ticks, took / (uint32_t)leaves, memory_order_relaxed);
    }
}

static void run_leaves(struct links *links, size_t leaves)
{
    size_t first = take_run(links, leaves);
    uint32_t began = run_begins(links, first);
    /* relaxed: add_state() carries it over */
    atomic_store_explicit(&links->runs[first].leaves, (uint16_t)leaves, memory_order_relaxed);
    if (is_based(links, first)) {
        finish_run(links, first, leaves);
        run_ends(links, began, leaves);
    } else {
        measure_run(links, first, leaves);
    }
}

/* A loop over numbers of leaves, not over leaves. */
static void chain_block(const void *environment, filch_range *range)
{
    struct links *const *links = environment;
    while (range->next < range->stop) {
        unsigned long long left = range->stop - range->next;
        size_t most = (*links)->chain->most;
        size_t leaves = left < most ? (size_t)left : most;
        range->next += leaves; /* the others may be taken away while these run */
        run_leaves(*links, leaves);
    }
}

static void finish_some(void *context, size_t which)
{
    struct links *links = context;
    (void)which;
    size_t first;
    if (resume(links, &first)) {
        finish_run_late(links, first);
    }
}

/* All leaves are finished or can be. The loop has ended: what it did is seen. */
static filch_status finish_rest(filch_pool *pool, struct links *links,
                                const filch_function_info *info)
{
    /* relaxed, both: no thread is at it any more */
    size_t left = atomic_load_explicit(&links->entered, memory_order_relaxed) -
                  atomic_load_explicit(&links->resumed, memory_order_relaxed);
    if (left <= 1) {
        finish_some(links, 0);
        return FILCH_OK;
    }
    return filch_partition_run(pool, left, finish_some, links, info);
}

static void links_init(struct links *links, const struct filch_chain *chain)
{
    links->chain = chain;
    links->shared = filch_fiber_self()->pool->config.workers > 1;
    atomic_init(&links->next, 0);
    atomic_init(&links->awaited, 0);
    atomic_init(&links->ticks, 0);
    atomic_init(&links->entered, 0);
    atomic_init(&links->resumed, 0);
    memset(links->runs, 0, chain->count * sizeof *links->runs);
    atomic_init(&links->runs[0].state, BASED);
}

filch_status filch_chain_run(filch_pool *pool, const struct filch_chain *chain,
                             const filch_function_info *info)
{
    struct links links;
    struct links *const environment = &links;
    const filch_body body = {chain_block, sizeof environment, 0, info};
    FILCH_ASSERT(chain->count <= FILCH_LEAVES_MAX && chain->most >= 1);
    links_init(&links, chain);
    filch_status status = filch_map_chained(pool, &body, &environment, chain->count);
    return status == FILCH_OK ? finish_rest(pool, &links, info) : status;
}
