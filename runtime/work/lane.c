#include "work/lane.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "base/base.h"
#include "sleep/wait.h"

static const uintptr_t latent = 0, published = 1, taken = 2, done = 3, awaited = 4, held_back = 5;
static const uintptr_t tag_bits = 7;
enum { GROWS_BY = 64 };                  /* slots that are cleaned at a time */
static const uintptr_t traced_limit = 1; /* makes every fork slow, as 0 does, but none asks */

_Static_assert(_Alignof(struct filch_frame) >= 8 && _Alignof(struct filch_waiter) >= 8,
               "the bits of the tag are free in their addresses");
_Static_assert(sizeof(filch_slot) == 64, "a slot is one cache line");
_Static_assert(offsetof(filch_slot, payload) % 16 == 0, "generated code counts on that much");

const filch_slot_type filch_slot_running = {NULL, NULL, NULL};

static void set_word(uintptr_t *word, uintptr_t value)
{
    /* relaxed: limit and bound carry no data; see lane.h */
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static uintptr_t state_of(filch_slot *slot)
{
    /* relaxed: a hint for the compare-exchange that follows */
    return atomic_load_explicit(&slot->state, memory_order_relaxed);
}

static void reset_state(filch_slot *slot)
{
    /* relaxed: only the owner acts on LATENT */
    atomic_store_explicit(&slot->state, latent, memory_order_relaxed);
}

void filch_lane_init(filch_lane *lane, filch_slot *slots, size_t clean, size_t count)
{
    FILCH_ASSERT(clean <= count);
    lane->top = lane->split = slots;
    lane->full = (uintptr_t)(slots + clean);
    lane->end = (uintptr_t)(slots + count);
    lane->holes = lane->traced = 0;
    filch_lane_settle(lane);
}

size_t filch_lane_clean_slots(const filch_lane *lane, const filch_slot *slots)
{
    return (lane->full - (uintptr_t)slots) / sizeof *slots;
}

bool filch_lane_grow(filch_lane *lane, const filch_slot *slot)
{
    FILCH_ASSERT(lane->full <= lane->end);
    if ((uintptr_t)slot < lane->full) {
        return true;
    }
    if ((uintptr_t)slot >= lane->end) {
        return false;
    }
    /* Those in front of it are ranges, pushed beyond the end, and may be others' by now. */
    uintptr_t grown = (uintptr_t)slot;
    for (int i = 0; i < GROWS_BY && grown < lane->end; i++) {
        reset_state((filch_slot *)grown);
        grown += sizeof(filch_slot);
    }
    lane->full = grown;
    if (!filch_lane_is_asked(lane)) {
        filch_lane_settle(lane);
    }
    return true;
}

bool filch_lane_has_room(filch_lane *lane, size_t more)
{
    if (!filch_lane_grow(lane, lane->top)) {
        reset_state(lane->top); /* nothing has it */
    }
    return (uintptr_t)(lane->top + more) < lane->end + FILCH_LANE_RANGES * sizeof(filch_slot);
}

/* Many may ask at once, again and again: the owner's line is written by the first only. */
static void poison_word(uintptr_t *word, uintptr_t poison)
{
    /* relaxed: if the owner wipes it just now it is about to look, which is what we want */
    if (__atomic_load_n(word, __ATOMIC_RELAXED) != poison) {
        set_word(word, poison);
    }
}

void filch_lane_poison(filch_lane *lane)
{
    poison_word(&lane->limit, 0);
    poison_word(&lane->bound, UINTPTR_MAX);
}

static void set_bound(filch_lane *lane)
{
    /* With holes every join is slow, until top has fallen past them. */
    bool slow = lane->holes || lane->traced;
    set_word(&lane->bound, slow ? UINTPTR_MAX : (uintptr_t)lane->split);
}

void filch_lane_settle(filch_lane *lane)
{
    set_word(&lane->limit, lane->traced ? traced_limit : lane->full);
    set_bound(lane);
}

bool filch_lane_is_asked(const filch_lane *lane)
{
    /* relaxed: see filch_fork_is_slow */
    return __atomic_load_n(&lane->limit, __ATOMIC_RELAXED) == 0;
}

/* The frame that forked `slot`: the innermost one that starts at or below it. */
static struct filch_frame *frame_of(struct filch_frame *frame, const filch_slot *slot)
{
    FILCH_ASSERT(frame);
    while (frame->parent && frame->base > slot) {
        frame = frame->parent;
    }
    return frame;
}

filch_slot *filch_lane_publish(filch_lane *lane, struct filch_frame *frame)
{
    while (lane->split < lane->top) {
        filch_slot *slot = lane->split++;
        if (!slot->type || slot->type == &filch_slot_running) {
            continue;
        }
        void *owner = slot->type->publish ? slot->type->publish(slot) : frame_of(frame, slot);
        FILCH_ASSERT(state_of(slot) == latent);
        FILCH_ASSERT(owner && ((uintptr_t)owner & tag_bits) == 0);
        /* release: pairs with the acquire in take; the thief sees type and payload */
        atomic_store_explicit(&slot->state, (uintptr_t)owner | published, memory_order_release);
        set_bound(lane);
        return slot;
    }
    return NULL;
}

static bool exchange_state(filch_slot *slot, uintptr_t from, uintptr_t to)
{
    /* acquire: pairs with the release in publish (for a thief). Relaxed on failure: another thread
     * has it, nothing was learned. */
    return atomic_compare_exchange_strong_explicit(&slot->state, &from, to, memory_order_acquire,
                                                   memory_order_relaxed);
}

struct filch_frame *filch_slot_take(filch_slot *slot)
{
    uintptr_t state = state_of(slot);
    if ((state & tag_bits) != published || !exchange_state(slot, state, taken)) {
        return NULL;
    }
    return (struct filch_frame *)(state & ~tag_bits);
}

bool filch_slot_take_for(filch_slot *slot, struct filch_frame *frame)
{
    uintptr_t wanted = (uintptr_t)frame | published;
    return state_of(slot) == wanted && exchange_state(slot, wanted, taken);
}

bool filch_slot_hold(filch_slot *slot)
{
    uintptr_t state = state_of(slot);
    return (state & tag_bits) == published &&
           exchange_state(slot, state, (state & ~tag_bits) | held_back);
}

bool filch_slot_let_go(filch_slot *slot)
{
    uintptr_t state = state_of(slot);
    uintptr_t to = (state & ~tag_bits) | published;
    /* release: pairs with the acquire in take; type and payload, which we have from the acquire in
     * crowd.c's take_held, are seen. Relaxed on failure: it is the owner's. */
    return (state & tag_bits) == held_back &&
           atomic_compare_exchange_strong_explicit(&slot->state, &state, to, memory_order_release,
                                                   memory_order_relaxed);
}

bool filch_slot_take_back(filch_slot *slot)
{
    uintptr_t state = state_of(slot);
    if ((state & tag_bits) == held_back && exchange_state(slot, state, latent)) {
        return true;
    }
    state = state_of(slot); /* it may just have been let go */
    return (state & tag_bits) == published && exchange_state(slot, state, latent);
}

void filch_slot_finish(filch_slot *slot)
{
    /* acq_rel: release pairs with await and is_done, the owner reads the result; acquire pairs
     * with await, we read the waiter. Our last touch of the slot. */
    uintptr_t state = atomic_exchange_explicit(&slot->state, done, memory_order_acq_rel);
    /* Latent: its owner had nowhere to publish it. */
    FILCH_ASSERT(state == taken || state == latent || (state & tag_bits) == awaited);
    if ((state & tag_bits) == awaited) {
        filch_waiter_end((struct filch_waiter *)(state & ~tag_bits), FILCH_SIGNALED);
    }
}

bool filch_slot_await(filch_slot *slot, struct filch_waiter *waiter)
{
    uintptr_t expected = taken;
    uintptr_t wanted = (uintptr_t)waiter | awaited;
    FILCH_ASSERT(waiter && ((uintptr_t)waiter & tag_bits) == 0);
    /* release: pairs with the exchange in finish; acquire on failure: it is DONE, the result is
     * read next. acq_rel because C11 wants success at least as strong as failure. */
    bool waits = atomic_compare_exchange_strong_explicit(
        &slot->state, &expected, wanted, memory_order_acq_rel, memory_order_acquire);
    FILCH_ASSERT(waits || expected == done); /* it is a thief's, and has one owner */
    return waits;
}

bool filch_slot_is_published(filch_slot *slot)
{
    return (state_of(slot) & tag_bits) == published;
}

bool filch_slot_is_done(filch_slot *slot)
{
    /* acquire: pairs with the release in finish */
    return atomic_load_explicit(&slot->state, memory_order_acquire) == done;
}

void filch_lane_want(filch_lane *lane)
{
    set_word(&lane->limit, 0);
}

void filch_lane_unpublish(filch_lane *lane, filch_slot *slot)
{
    FILCH_ASSERT(slot + 1 == lane->split && state_of(slot) == latent);
    lane->split = slot;
    set_bound(lane);
}

filch_slot *filch_lane_retire(filch_lane *lane, filch_slot *slot)
{
    FILCH_ASSERT(slot < lane->top && slot->type); /* it is joined once */
    FILCH_ASSERT(state_of(slot) == latent || state_of(slot) == done);
    reset_state(slot);
    slot->type = NULL;
    lane->holes++;
    while (lane->holes && !(lane->top - 1)->type) {
        lane->top--;
        lane->holes--;
    }
    if (lane->split > lane->top) {
        lane->split = lane->top;
    }
    FILCH_ASSERT(lane->split <= lane->top);
    set_bound(lane);
    return lane->top;
}
