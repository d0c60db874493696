/* Sorting by merging, and the least of many.
 *
 * Halves are sorted into the other of two arrays and merged back; a merge of many is split where
 * the middle of the longer part belongs in the other.
 *
 * Source: Cormen, Leiserson, Rivest & Stein, "Introduction to Algorithms", 27.3 (parallel merge).
 */
#include <filch/order.h>

#include <string.h>

#include <filch/fork.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/partition.h"
#include "os/os_ticks.h"
#include "pool/run_in_pool.h"

enum {
    FEW_TO_SORT = 24,     /* elements that are sorted by insertion */
    FORKED = 512,         /* elements that are worth a fork */
    MERGED_SERIAL = 4096, /* elements that are merged as one piece */
    SMALL = 64,           /* bytes: a few elements of that size are merged on the caller's stack */
    DEAR = 30000,         /* ticks (os.h) of a comparison that is worth a theft by itself */
    DEAR_MOST = 65536,    /* elements: more of them fork often enough anyway */
};

/* Into how small pieces a sort is divided. */
struct fineness {
    size_t few;    /* sorted by insertion */
    size_t forked; /* elements that are worth a fork */
    size_t merged; /* as one piece */
};

static const struct fineness for_cheap = {FEW_TO_SORT, FORKED, MERGED_SERIAL};
static const struct fineness for_dear = {2, 4, 4};

struct sorting {
    const filch_order *order;
    unsigned char *elements;
    unsigned char *scratch;
    size_t n;
    struct fineness fine;
};

static unsigned char *element_at(const struct sorting *s, unsigned char *base, size_t index)
{
    return base + index * s->order->element_bytes;
}

FILCH_FORK_FUNCTION(void, merge, (const struct sorting *, s), (const unsigned char *, a),
                    (size_t, n_a), (const unsigned char *, b), (size_t, n_b),
                    (unsigned char *, out))
{
    const filch_order *order = s->order;
    size_t bytes = order->element_bytes;
    if (n_a + n_b <= s->fine.merged) {
        order->merge(a, n_a, b, n_b, out);
        return;
    }
    /* Of equals those of a come first: what is split off b below a's middle is strictly less. */
    size_t half_a = n_a >= n_b ? n_a / 2 : order->count_not_after(a, n_a, b + n_b / 2 * bytes);
    size_t half_b = n_a >= n_b ? order->count_before(b, n_b, a + half_a * bytes) : n_b / 2;
    FILCH_FORK(lower, merge, s, a, half_a, b, half_b, out);
    FILCH_CALL(merge, s, a + half_a * bytes, n_a - half_a, b + half_b * bytes, n_b - half_b,
               out + (half_a + half_b) * bytes);
    FILCH_JOIN(lower);
}

/* Where the sorted range ends up: the array, or the scratch memory. */
enum place { IN_PLACE, IN_SCRATCH };

static unsigned char *place_of(const struct sorting *s, enum place place)
{
    return place == IN_PLACE ? s->elements : s->scratch;
}

static void sort_few(const struct sorting *s, size_t first, size_t n, enum place place)
{
    s->order->sort_few(element_at(s, s->elements, first), n);
    if (place == IN_SCRATCH) {
        memcpy(element_at(s, s->scratch, first), element_at(s, s->elements, first),
               n * s->order->element_bytes);
    }
}

/* Are the halves in order as they are, one behind the other? */
static bool in_order(const struct sorting *s, const unsigned char *a, size_t n_a,
                     const unsigned char *b)
{
    return s->order->count_before(b, 1, a + (n_a - 1) * s->order->element_bytes) == 0;
}

FILCH_FORK_FUNCTION(void, sort, (const struct sorting *, s), (size_t, first), (size_t, n),
                    (enum place, place))
{
    if (n <= s->fine.few) {
        sort_few(s, first, n, place);
        return;
    }
    size_t half = n / 2;
    enum place other = place == IN_PLACE ? IN_SCRATCH : IN_PLACE;
    if (n >= s->fine.forked) {
        FILCH_FORK(lower, sort, s, first, half, other);
        FILCH_CALL(sort, s, first + half, n - half, other);
        FILCH_JOIN(lower);
    } else {
        FILCH_CALL(sort, s, first, half, other);
        FILCH_CALL(sort, s, first + half, n - half, other);
    }
    unsigned char *a = element_at(s, place_of(s, other), first);
    unsigned char *b = element_at(s, place_of(s, other), first + half);
    unsigned char *out = element_at(s, place_of(s, place), first);
    if (in_order(s, a, half, b)) {
        memcpy(out, a, n * s->order->element_bytes);
    } else {
        FILCH_CALL(merge, s, a, half, b, n - half, out);
    }
}

static bool is_dear_at(const struct sorting *s, size_t index)
{
    uint64_t began = filch_os_ticks();
    s->order->count_before(element_at(s, s->elements, index + 1), 1,
                           element_at(s, s->elements, index));
    return filch_os_ticks() - began > DEAR;
}

/* One comparison may have been interrupted, hardly two. */
static bool is_dear(const struct sorting *s)
{
    return s->n > for_dear.few && s->n <= DEAR_MOST && is_dear_at(s, 0) && is_dear_at(s, 1);
}

static filch_status run_sort(filch_pool *pool, void *context)
{
    struct sorting *s = context;
    (void)pool;
    s->fine = is_dear(s) ? for_dear : for_cheap;
    sort(s, 0, s->n, IN_PLACE);
    return FILCH_OK;
}

static filch_status check_sort(const filch_order *order, const void *elements, size_t n)
{
    size_t bytes;
    if (!order || !order->element_bytes || (n && !elements)) {
        return FILCH_EINVAL;
    }
    return filch_multiply(n, order->element_bytes, &bytes) ? FILCH_OK : FILCH_EOVERFLOW;
}

filch_status filch_sort(filch_pool *pool, const filch_order *order, void *elements, size_t n)
{
    filch_status status = check_sort(order, elements, n);
    if (status != FILCH_OK) {
        return filch_options_refuse(pool, status);
    }
    FILCH_ALIGNED(64) unsigned char small[FEW_TO_SORT * SMALL];
    struct sorting s = {.order = order, .elements = elements, .n = n, .scratch = small};
    if (n > FEW_TO_SORT || order->element_bytes > SMALL) {
        s.scratch = filch_malloc_for(order->element_bytes, n * order->element_bytes);
        if (!s.scratch) {
            return filch_options_refuse(pool, FILCH_ENOMEM);
        }
    }
    status = filch_run_in_pool(pool, run_sort, &s, FILCH_USES_IN_CALL, order->info);
    if (s.scratch != small) {
        filch_free(s.scratch);
    }
    return status;
}

/* ---- the least and the greatest ---- */

struct choosing {
    const filch_order *order;
    size_t (*best)(const void *elements, size_t n);
    const unsigned char *elements;
    struct filch_partition leaves;
    size_t *bests; /* of each leaf: its index in the array */
    size_t chosen;
};

static void choose_leaf(void *context, size_t leaf)
{
    struct choosing *c = context;
    size_t first = filch_leaf_first(&c->leaves, leaf);
    c->bests[leaf] = first + c->best(c->elements + first * c->order->element_bytes,
                                     filch_leaf_elements(&c->leaves, leaf));
}

/* The best of the leaves' bests: they are copied together, and ours is the first of the best. */
static filch_status choose_among(struct choosing *c)
{
    size_t bytes = c->order->element_bytes;
    unsigned char *candidates = filch_malloc_for(bytes, c->leaves.count * bytes);
    if (!candidates) {
        return FILCH_ENOMEM;
    }
    for (size_t leaf = 0; leaf < c->leaves.count; leaf++) {
        memcpy(candidates + leaf * bytes, c->elements + c->bests[leaf] * bytes, bytes);
    }
    c->chosen = c->bests[c->best(candidates, c->leaves.count)];
    filch_free(candidates);
    return FILCH_OK;
}

static filch_status choose(filch_pool *pool, void *context)
{
    struct choosing *c = context;
    c->bests = filch_malloc(c->leaves.count * sizeof *c->bests);
    if (!c->bests) {
        return FILCH_ENOMEM;
    }
    filch_status status =
        filch_partition_run(pool, c->leaves.count, choose_leaf, c, c->order->info);
    if (status == FILCH_OK) {
        status = choose_among(c);
    }
    filch_free(c->bests);
    return status;
}

static filch_status choose_one(filch_pool *pool, struct choosing *c, size_t n, size_t *index)
{
    filch_status status = index && n ? check_sort(c->order, c->elements, n) : FILCH_EINVAL;
    if (status != FILCH_OK) {
        return filch_options_refuse(pool, status);
    }
    c->leaves = filch_partition_of(n);
    status = filch_run_in_pool(pool, choose, c, FILCH_USES_IN_PIECES, c->order->info);
    if (status == FILCH_OK) {
        *index = c->chosen;
    }
    return status;
}

filch_status filch_min(filch_pool *pool, const filch_order *order, const void *elements, size_t n,
                       size_t *index)
{
    struct choosing c = {
        .order = order, .best = order ? order->first_least : NULL, .elements = elements};
    return choose_one(pool, &c, n, index);
}

filch_status filch_max(filch_pool *pool, const filch_order *order, const void *elements, size_t n,
                       size_t *index)
{
    struct choosing c = {
        .order = order, .best = order ? order->first_greatest : NULL, .elements = elements};
    return choose_one(pool, &c, n, index);
}
