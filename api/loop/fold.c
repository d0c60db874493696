/* Folds: elements are accumulated block by block into states, which are merged.
 *
 * In the fixed order each block has a state of its own, and blocks and merges are those of a binary
 * tree that depends on the number of elements alone. A state goes up in the tree as far as its
 * neighbour is there already, so that few are alive at a time: about the tree's height for each
 * worker. Of two neighbours the first leaves its state where they meet, and the second merges them.
 *
 * In the fast order the call of a block takes any state that is free (states.h). */
#include <filch/fold.h>

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "loop/loop_run.h"
#include "loop/partition.h"
#include "loop/states.h"
#include "pool/call_options.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/region.h"
#include "sched/unwound.h"

struct fold {
    const filch_fold_step *step;
    const void *environment;
    const void *elements;
    const filch_accumulator *accumulator;
    void *result;
    struct filch_loop loop;
    struct filch_fault fault;
    struct filch_partition blocks; /* in the fixed order */
    /* Where those before a block and those from it on meet, by that block: the state of the first
     * to come. At 0, that of all. */
    _Atomic(struct filch_state *) *meetings;
    struct filch_states states;
};

/* The two are neighbours; the lower one takes the other in and goes on. */
static struct filch_state *merge_two(struct fold *fold, struct filch_state *lower,
                                     struct filch_state *upper)
{
    filch_states_merge(&fold->states, lower->bytes, upper);
    filch_states_give(&fold->states, upper);
    return lower;
}

/* NULL: the neighbour is not there yet, and finds ours. Else the neighbour's. */
static struct filch_state *meet(struct fold *fold, size_t at, struct filch_state *state)
{
    struct filch_state *other = NULL;
    /* acq_rel: pairs with itself, by the neighbour; what either has accumulated is seen */
    if (atomic_compare_exchange_strong_explicit(&fold->meetings[at], &other, state,
                                                memory_order_acq_rel, memory_order_acquire)) {
        return NULL;
    }
    /* relaxed: only the two come here, and then the end of the loop */
    atomic_store_explicit(&fold->meetings[at], NULL, memory_order_relaxed);
    return other;
}

/* A block is done: up in the tree. `first` is the first block of what the state holds. */
static void climb(struct fold *fold, struct filch_state *state, size_t first)
{
    for (size_t span = 1; span < fold->blocks.count; span *= 2) {
        bool upper = first & span;
        size_t at = upper ? first : first + span;
        if (at >= fold->blocks.count) {
            continue; /* at the end, without a neighbour */
        }
        struct filch_state *other = meet(fold, at, state);
        if (!other) {
            return;
        }
        state = upper ? merge_two(fold, other, state) : merge_two(fold, state, other);
        first -= upper ? span : 0;
    }
    FILCH_ASSERT(first == 0);
    /* relaxed: the loop's end orders it */
    atomic_store_explicit(&fold->meetings[0], state, memory_order_relaxed);
}

static void accumulate(struct fold *fold, filch_range *range)
{
    struct filch_state *state;
    size_t first = (size_t)range->next;
    filch_status status = filch_states_take(&fold->states, &state);
    if (status != FILCH_OK) {
        filch_loop_halt(&fold->loop, status);
        return;
    }
    fold->step->block(fold->environment, fold->elements, range, state->bytes);
    if (fold->meetings) {
        climb(fold, state, first / fold->blocks.length);
    } else {
        filch_states_give(&fold->states, state);
    }
}

static void fold_block(const void *environment, filch_range *range)
{
    struct fold *const *fold = environment;
    accumulate(*fold, range);
}

/* All elements have run, or, by the caller's wish, not all after one raised an error: then some did
 * not find their neighbours. By where they wait for them they are in order. */
static void merge_in_order(struct fold *fold)
{
    for (size_t i = 0; i < fold->blocks.count; i++) {
        /* relaxed: the loop has ended */
        struct filch_state *state = atomic_load_explicit(&fold->meetings[i], memory_order_relaxed);
        if (state) {
            filch_states_merge(&fold->states, fold->result, state);
        }
    }
}

static void run_and_merge(struct fold *fold)
{
    filch_loop_run_here(&fold->loop);
    /* relaxed: no element runs any more */
    if (atomic_load_explicit(&fold->loop.halted, memory_order_relaxed) != FILCH_OK) {
        return;
    }
    if (fold->meetings) {
        merge_in_order(fold);
    } else {
        filch_states_merge_all(&fold->states, fold->result);
    }
}

/* Also if an element does not return (unwound.h). */
static void end_fold(struct fold **fold)
{
    filch_states_free(&(*fold)->states);
    filch_free((*fold)->meetings);
}

static void run_fold(void *context)
{
    FILCH_UNWINDS(end_fold) struct fold *fold = context;
    filch_states_init(&fold->states, fold->step->state_bytes, fold->accumulator,
                      filch_core_count(filch_fiber_self()->pool));
    fold->meetings = NULL;
    if (fold->accumulator->order == FILCH_FOLD_FIXED) {
        fold->meetings = filch_calloc(fold->blocks.count, sizeof *fold->meetings);
        if (!fold->meetings) {
            filch_loop_halt(&fold->loop, FILCH_ENOMEM);
            return;
        }
    }
    run_and_merge(fold);
}

/* Why it was halted comes before what was raised: nothing was merged then. */
static filch_status fold_result(const struct fold *fold, filch_error *error)
{
    filch_status status = filch_loop_result(&fold->loop, error);
    /* relaxed: no element runs any more */
    int halted = atomic_load_explicit(&fold->loop.halted, memory_order_relaxed);
    if (halted != FILCH_OK) {
        status = (filch_status)halted;
    }
    if (error) {
        error->status = status;
    }
    return status;
}

static bool is_valid(const filch_fold_step *step, const void *elements, size_t n,
                     const filch_accumulator *accumulator, const void *result)
{
    return step && step->block && step->state_bytes && accumulator &&
           (accumulator->order == FILCH_FOLD_FIXED || accumulator->order == FILCH_FOLD_FAST) &&
           !accumulator->merge == !result && (elements || !n || !step->element_bytes);
}

filch_status filch_fold(filch_pool *pool, const filch_fold_step *step, const void *environment,
                        const void *elements, size_t n, const filch_accumulator *accumulator,
                        void *result)
{
    const filch_options *options = filch_options_of(pool);
    if (!is_valid(step, elements, n, accumulator, result)) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    struct fold fold;
    struct fold *const itself = &fold;
    const filch_body body = {fold_block, sizeof itself, step->element_bytes, step->info};
    filch_status status = filch_loop_init(&fold.loop, &body, &itself, n, options, &fold.fault);
    fold.step = step;
    fold.environment = environment;
    fold.elements = elements;
    fold.accumulator = accumulator;
    fold.result = result;
    if (status == FILCH_OK && accumulator->order == FILCH_FOLD_FIXED) {
        status = filch_partition_loop(&fold.blocks, &fold.loop);
    }
    if (status == FILCH_OK) {
        status = filch_loop_enter(&fold.loop, pool, run_fold, &fold);
    }
    if (status == FILCH_OK) {
        status = fold_result(&fold, filch_options_error(options));
    }
    return filch_options_end(options, status);
}
