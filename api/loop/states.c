#include "loop/states.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "sched/core.h"
#include "sched/thread.h"

void filch_states_init(struct filch_states *states, size_t state_bytes,
                       const filch_accumulator *accumulator, unsigned cores)
{
    states->accumulator = accumulator;
    states->bytes = state_bytes;
    states->seat_count = cores > FILCH_SEATS ? FILCH_SEATS : cores ? cores : 1;
    states->pile = NULL;
    filch_lock_init(&states->lock);
    atomic_init(&states->newest, NULL);
    for (unsigned i = 0; i < states->seat_count; i++) {
        atomic_init(&states->seats[i].state, NULL);
    }
}

/* The seat of the core that the caller is on now; after a wait it may be another one. A guest for
 * which there was no core shares the first one's. */
static unsigned own_seat(const struct filch_states *states)
{
    const struct filch_core *core = filch_thread_known()->core;
    return core ? core->index % states->seat_count : 0;
}

/* From the own seat, or from that of a core which does not use its state now. */
static struct filch_state *take_from_seats(struct filch_states *states)
{
    unsigned own = own_seat(states);
    for (unsigned i = 0; i < states->seat_count; i++) {
        struct filch_seat *seat = &states->seats[(own + i) % states->seat_count];
        /* acquire: pairs with the release in filch_states_give; what was accumulated is seen */
        struct filch_state *state =
            atomic_exchange_explicit(&seat->state, NULL, memory_order_acquire);
        if (state) {
            return state;
        }
    }
    return NULL;
}

static struct filch_state *take_from_pile(struct filch_states *states)
{
    filch_lock_acquire(&states->lock, FILCH_RANK_STATES);
    struct filch_state *state = states->pile;
    if (state) {
        states->pile = state->below;
    }
    filch_lock_release(&states->lock);
    return state;
}

/* Two states share no cache line: they are written to all the time. */
static struct filch_state *make_state(struct filch_states *states)
{
    size_t bytes;
    size_t offset = offsetof(struct filch_state, bytes);
    if (!filch_add(states->bytes, offset + FILCH_CACHE_LINE, &bytes)) {
        return NULL;
    }
    struct filch_state *state = filch_alloc_at(bytes, FILCH_CACHE_LINE, offset);
    if (!state) {
        return NULL;
    }
    state->started = false;
    /* relaxed, all: read when no block runs any more */
    state->older = atomic_load_explicit(&states->newest, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&states->newest, &state->older, state,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
    return state;
}

static filch_status start_state(struct filch_states *states, struct filch_state *state)
{
    const filch_accumulator *accumulator = states->accumulator;
    memset(state->bytes, 0, states->bytes);
    filch_status status = FILCH_OK;
    if (accumulator->start) {
        status = accumulator->start(state->bytes, accumulator->context);
    }
    state->started = status == FILCH_OK;
    return status;
}

filch_status filch_states_take(struct filch_states *states, struct filch_state **state)
{
    struct filch_state *taken = take_from_seats(states);
    if (!taken) {
        taken = take_from_pile(states);
    }
    if (!taken) {
        taken = make_state(states);
    }
    filch_status status = taken ? FILCH_OK : FILCH_ENOMEM;
    if (taken && !taken->started) {
        status = start_state(states, taken);
    }
    if (taken && status != FILCH_OK) {
        filch_states_give(states, taken);
    }
    *state = status == FILCH_OK ? taken : NULL;
    return status;
}

void filch_states_give(struct filch_states *states, struct filch_state *state)
{
    struct filch_state *none = NULL;
    struct filch_seat *seat = &states->seats[own_seat(states)];
    /* release: pairs with the acquire in take_from_seats; relaxed: it is occupied */
    if (atomic_compare_exchange_strong_explicit(&seat->state, &none, state, memory_order_release,
                                                memory_order_relaxed)) {
        return;
    }
    filch_lock_acquire(&states->lock, FILCH_RANK_STATES);
    state->below = states->pile;
    states->pile = state;
    filch_lock_release(&states->lock);
}

static void finish_state(struct filch_states *states, struct filch_state *state)
{
    const filch_accumulator *accumulator = states->accumulator;
    FILCH_ASSERT(state->started);
    state->started = false;
    if (accumulator->finish) {
        accumulator->finish(state->bytes, accumulator->context);
    }
}

void filch_states_merge(struct filch_states *states, void *into, struct filch_state *state)
{
    const filch_accumulator *accumulator = states->accumulator;
    FILCH_ASSERT(state->started);
    if (accumulator->merge) {
        accumulator->merge(into, state->bytes, accumulator->context);
    }
    finish_state(states, state);
}

/* relaxed, here and below: no block runs any more, and the loop's end orders it */

void filch_states_merge_all(struct filch_states *states, void *into)
{
    struct filch_state *state = atomic_load_explicit(&states->newest, memory_order_relaxed);
    for (; state; state = state->older) {
        if (state->started) {
            filch_states_merge(states, into, state);
        }
    }
}

void filch_states_free(struct filch_states *states)
{
    struct filch_state *state = atomic_load_explicit(&states->newest, memory_order_relaxed);
    while (state) {
        struct filch_state *older = state->older;
        if (state->started) {
            finish_state(states, state);
        }
        filch_free(state);
        state = older;
    }
}
