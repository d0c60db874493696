#include <filch/predicate.h>

#include <stdatomic.h>

#include "base/base.h"
#include "base/memory.h"
#include "loop/chain.h"
#include "loop/partition.h"
#include "pool/run_in_pool.h"

/* ---- count, any, all, find ---- */

struct predicate_call {
    const filch_predicate *predicate;
    size_t (*find)(const void *environment, const void *elements, filch_range *range);
    const void *environment;
    const void *elements;
    _Atomic(size_t) *answer; /* a count, or the lowest index found */
};

static void count_some(const void *environment, filch_range *range)
{
    const struct predicate_call *question = environment;
    size_t found =
        question->predicate->count(question->environment, question->elements, range, NULL);
    /* relaxed: the loop's end orders it */
    atomic_fetch_add_explicit(question->answer, found, memory_order_relaxed);
}

static void find_some(const void *environment, filch_range *range)
{
    const struct predicate_call *question = environment;
    /* relaxed, all: only the number matters, and the loop's end orders it */
    size_t lowest = atomic_load_explicit(question->answer, memory_order_relaxed);
    size_t found = range->next < lowest
                       ? question->find(question->environment, question->elements, range)
                       : FILCH_NO_INDEX;
    while (found < lowest &&
           !atomic_compare_exchange_weak_explicit(question->answer, &lowest, found,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    if (range->next < range->stop) {
        range->next = range->stop; /* what is left here cannot be the first */
    }
}

static bool predicate_is_valid(const filch_predicate *predicate, const void *environment,
                               const void *elements, size_t n, const void *answer)
{
    return predicate && predicate->element_bytes && environment && answer && (elements || !n);
}

static filch_status ask_predicate(filch_pool *pool, const struct predicate_call *question, size_t n,
                                  void (*block)(const void *environment, filch_range *range))
{
    size_t bytes;
    if (!filch_multiply(n, question->predicate->element_bytes, &bytes)) {
        return filch_options_refuse(pool, FILCH_EOVERFLOW);
    }
    const filch_body body = {block, sizeof *question, 0, question->predicate->info};
    return filch_map(pool, &body, question, n);
}

filch_status filch_count(filch_pool *pool, const filch_predicate *predicate,
                         const void *environment, const void *elements, size_t n, size_t *count)
{
    if (!predicate_is_valid(predicate, environment, elements, n, count)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    _Atomic(size_t) found = 0;
    const struct predicate_call question = {predicate, NULL, environment, elements, &found};
    filch_status status = ask_predicate(pool, &question, n, count_some);
    if (status == FILCH_OK) {
        *count = atomic_load_explicit(&found, memory_order_relaxed); /* relaxed: all are done */
    }
    return status;
}

static filch_status first(filch_pool *pool, const struct predicate_call *what, size_t n,
                          size_t *index)
{
    _Atomic(size_t) found = FILCH_NO_INDEX;
    struct predicate_call question = *what;
    question.answer = &found;
    filch_status status = ask_predicate(pool, &question, n, find_some);
    if (status == FILCH_OK) {
        *index = atomic_load_explicit(&found, memory_order_relaxed); /* relaxed: all are done */
    }
    return status;
}

filch_status filch_find(filch_pool *pool, const filch_predicate *predicate, const void *environment,
                        const void *elements, size_t n, size_t *index)
{
    if (!predicate_is_valid(predicate, environment, elements, n, index)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    const struct predicate_call question = {predicate, predicate->find, environment, elements,
                                            NULL};
    return first(pool, &question, n, index);
}

filch_status filch_any(filch_pool *pool, const filch_predicate *predicate, const void *environment,
                       const void *elements, size_t n, bool *answer)
{
    size_t index = FILCH_NO_INDEX;
    if (!answer) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    filch_status status = filch_find(pool, predicate, environment, elements, n, &index);
    if (status == FILCH_OK) {
        *answer = index != FILCH_NO_INDEX;
    }
    return status;
}

filch_status filch_all(filch_pool *pool, const filch_predicate *predicate, const void *environment,
                       const void *elements, size_t n, bool *answer)
{
    size_t index = FILCH_NO_INDEX;
    if (!predicate_is_valid(predicate, environment, elements, n, answer)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    const struct predicate_call question = {predicate, predicate->find_not, environment, elements,
                                            NULL};
    filch_status status = first(pool, &question, n, &index);
    if (status == FILCH_OK) {
        *answer = index == FILCH_NO_INDEX;
    }
    return status;
}

/* ---- filter: a chain of leaves, each of which needs how many were kept before it ---- */

struct filtering {
    const filch_predicate *predicate;
    const void *environment;
    const unsigned char *elements;
    unsigned char *out;
    unsigned char *flags; /* of leaves that are measured only */
    size_t *kept;         /* by each leaf */
    size_t *bases;        /* kept before each leaf, and in all */
    size_t total;         /* kept in all, in the end */
    struct filch_partition leaves;
};

static filch_range range_of(const struct filtering *filtering, size_t leaf)
{
    size_t first_element = filch_leaf_first(&filtering->leaves, leaf);
    return (filch_range){first_element,
                         first_element + filch_leaf_elements(&filtering->leaves, leaf)};
}

static unsigned char *place_of_first(const struct filtering *filtering, size_t leaf)
{
    return filtering->out + filtering->bases[leaf] * filtering->predicate->element_bytes;
}

static void filter_leaves(void *context, size_t first, size_t leaves)
{
    struct filtering *filtering = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        filch_range range = range_of(filtering, leaf);
        size_t kept = filtering->predicate->filter(filtering->environment, filtering->elements,
                                                   &range, place_of_first(filtering, leaf));
        filtering->bases[leaf + 1] = filtering->bases[leaf] + kept;
    }
}

static void flag_leaves(void *context, size_t first, size_t leaves)
{
    struct filtering *filtering = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        filch_range range = range_of(filtering, leaf);
        filtering->kept[leaf] = filtering->predicate->count(
            filtering->environment, filtering->elements, &range, filtering->flags);
    }
}

static void carry_counts(void *context, size_t first, size_t leaves)
{
    struct filtering *filtering = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        filtering->bases[leaf + 1] = filtering->bases[leaf] + filtering->kept[leaf];
    }
}

static void pack_leaves(void *context, size_t first, size_t leaves)
{
    struct filtering *filtering = context;
    for (size_t leaf = first; leaf < first + leaves; leaf++) {
        filch_range range = range_of(filtering, leaf);
        filtering->predicate->pack(filtering->elements +
                                       range.next * filtering->predicate->element_bytes,
                                   filtering->flags + range.next, (size_t)(range.stop - range.next),
                                   place_of_first(filtering, leaf));
    }
}

static filch_status filter(filch_pool *pool, void *context)
{
    struct filtering *filtering = context;
    size_t count = filtering->leaves.count;
    const struct filch_chain chain = {
        .count = count,
        .most = filch_leaves_at_hand(&filtering->leaves, filtering->predicate->element_bytes),
        .finish = filter_leaves,
        .measure = flag_leaves,
        .carry = carry_counts,
        .finish_late = pack_leaves,
        .context = filtering};
    filtering->bases = filch_calloc(2 * count + 1, sizeof *filtering->bases);
    filtering->flags = filch_malloc(filtering->leaves.n ? filtering->leaves.n : 1);
    filch_status status = FILCH_ENOMEM;
    if (filtering->bases && filtering->flags) {
        filtering->kept = filtering->bases + count + 1;
        status = filch_chain_run(pool, &chain, filtering->predicate->info);
    }
    filtering->total = status == FILCH_OK ? filtering->bases[count] : 0;
    filch_free(filtering->bases);
    filch_free(filtering->flags);
    return status;
}

filch_status filch_filter(filch_pool *pool, const filch_predicate *predicate,
                          const void *environment, const void *elements, size_t n, void *out,
                          size_t *count)
{
    size_t bytes;
    if (!predicate_is_valid(predicate, environment, elements, n, count) || (n && !out)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    if (!filch_multiply(n, predicate->element_bytes, &bytes)) {
        return filch_options_refuse(pool, FILCH_EOVERFLOW);
    }
    struct filtering filtering = {.predicate = predicate,
                                  .environment = environment,
                                  .elements = elements,
                                  .out = out,
                                  .leaves = filch_partition_for_chain(n)};
    filch_status status =
        filch_run_in_pool(pool, filter, &filtering, FILCH_USES_IN_PIECES, predicate->info);
    if (status == FILCH_OK) {
        *count = filtering.total;
    }
    return status;
}
