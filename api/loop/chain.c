#include "loop/chain.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "loop/partition.h"

/* What is known at the boundary where a run begins. Who brings the second makes the base of the
 * next run known, and goes on from there: so at most one thread is at it at any time. */
enum { BASED = 1, MEASURED = 2 };

struct links {
    const struct filch_chain *chain;
    _Atomic(size_t) next; /* the first leaf that no thread has taken */
    /* Runs that can be finished now: so many were entered into `late`, so many taken from it. */
    _Atomic(size_t) entered;
    _Atomic(size_t) resumed;
    uint16_t late[FILCH_LEAVES_MAX];
    uint16_t leaves[FILCH_LEAVES_MAX]; /* in the run that begins with this one */
    _Atomic(unsigned char) state[FILCH_LEAVES_MAX];
};

static bool is_based(struct links *links, size_t leaf)
{
    /* acquire: pairs with add_state(); its base was written before */
    return atomic_load_explicit(&links->state[leaf], memory_order_acquire) & BASED;
}

/* True: the other part was there already. */
static bool add_state(struct links *links, size_t leaf, unsigned char part)
{
    /* acq_rel: pairs with itself, by the other part, and is_based(); the base, what was measured
     * and the number of leaves were written before */
    unsigned char old = atomic_fetch_or_explicit(&links->state[leaf], part, memory_order_acq_rel);
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
    links->chain->finish_late(links->chain->context, first, links->leaves[first]);
}

/* Its base is known, and it was measured. Returns where the next one begins. */
static size_t carry_over(struct links *links, size_t first)
{
    size_t leaves = links->leaves[first];
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

/* Take so many leaves. There are as many: each thread takes those that the loop has given to it. */
static size_t take_run(struct links *links, size_t leaves)
{
    /* relaxed, all of this word: only the number matters */
    size_t first = atomic_load_explicit(&links->next, memory_order_relaxed);
    size_t late;
    for (;;) {
        FILCH_ASSERT(first + leaves <= links->chain->count);
        if (!is_based(links, first) && resume(links, &late)) {
            finish_run_late(links, late);
            first = atomic_load_explicit(&links->next, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&links->next, &first, first + leaves,
                                                         memory_order_relaxed,
                                                         memory_order_relaxed)) {
            return first;
        }
    }
}

static void run_leaves(struct links *links, size_t leaves)
{
    size_t first = take_run(links, leaves);
    links->leaves[first] = (uint16_t)leaves;
    if (is_based(links, first)) {
        finish_run(links, first, leaves);
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

filch_status filch_chain_run(filch_pool *pool, const struct filch_chain *chain,
                             const filch_function_info *info)
{
    struct links links;
    struct links *const environment = &links;
    const filch_body body = {chain_block, sizeof environment, 0, info};
    FILCH_ASSERT(chain->count <= FILCH_LEAVES_MAX && chain->most >= 1);
    links.chain = chain;
    atomic_init(&links.next, 0);
    atomic_init(&links.entered, 0);
    atomic_init(&links.resumed, 0);
    for (size_t leaf = 0; leaf < chain->count; leaf++) {
        atomic_init(&links.state[leaf], leaf ? 0 : BASED);
    }
    filch_status status = filch_map(pool, &body, &environment, chain->count, NULL);
    return status == FILCH_OK ? finish_rest(pool, &links, info) : status;
}
