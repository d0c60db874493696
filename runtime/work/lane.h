/* lane: the life of latent work.
 *
 * A slot's state word says which thread may run it:
 *
 *   LATENT     0            the owner; every slot at or above `split`
 *   PUBLISHED  frame | 1    the first to compare-exchange it; `frame` is the owner's frame that
 *                           forked it, which the thief needs for errors
 *   HELD       frame | 5    the owner; nothing takes it, also not through an old entry of a deque
 *   TAKEN      2            the thief
 *   WAITER     waiter | 4   the thief; the owner has gone to sleep over it
 *   DONE       3            none: the result is in the payload
 *
 *   fork     plain stores, state untouched (LATENT)
 *   publish  owner   LATENT -> PUBLISHED     split moves up past it; its address goes into a deque
 *   hold     owner   PUBLISHED -> HELD       before a wait
 *   let go   any     HELD -> PUBLISHED
 *   take     thief   PUBLISHED -> TAKEN
 *   back     owner   PUBLISHED or HELD -> LATENT   a join found it unstolen
 *   await    owner   TAKEN -> WAITER
 *   finish   thief   TAKEN or WAITER -> DONE
 *   join     owner   DONE -> LATENT
 *
 * An address left in a deque after `back` is harmless: taking needs the state to be PUBLISHED. If
 * the slot has been forked and published again meanwhile, a thief that meets the old entry may as
 * well run the new work; the other entry then finds nothing. For this the slots of a pool stay
 * mapped until the pool is freed. No slot is ever counted, allocated or freed. */
#ifndef FILCH_RUNTIME_LANE_H
#define FILCH_RUNTIME_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/lane.h>

#include "base/private.h"
#include "base/exceptions.h"

struct filch_waiter;

/* What the function that forks is part of: a task, a call of a pool, a stolen slot, a loop's
 * piece. Errors go to its fault; frames of one fiber form a chain. */
struct filch_frame {
    FILCH_ALIGNED(8) struct filch_frame *parent; /* on the same fiber */
    filch_slot *base;                            /* slots from here up belong to this frame */
    struct filch_fault *fault; /* where filch_raise() reports; shared with stolen children */
    struct filch_cancel_scope
        *scope; /* what it is cancelled with, or NULL; shared in the same way */
    const filch_function_info *info;
    const unsigned long long *next; /* a loop's: one more than the running index; else NULL */
    unsigned long long *stop; /* a loop's, while its elements run here: where they end; or NULL */
    _Atomic(uint32_t) *crowd; /* a loop's: how many of its elements wait (crowd.h); else NULL */
    uint64_t modes;           /* what its stolen children begin with (os_modes.h); see below */

    /* region.h: what its caller finds again when it has ended. */
    bool secluded; /* there is something to find */
    bool is_above; /* it runs above its thread's own code, or others' work: the next are set */
    bool secludes_locale; /* so is `locale` */
    uint64_t outside;     /* modes */
    struct filch_exceptions exceptions;
    void *locale;
};

/* The owner writes them, thieves read. One that forks keeps its modes until it has joined, so they
 * are the same for all that are out. */
static inline void filch_frame_set_modes(struct filch_frame *frame, uint64_t modes)
{
    /* relaxed: the slot that is published next carries it over. Written if it differs: thieves have
     * the line, too. */
    if (__atomic_load_n(&frame->modes, __ATOMIC_RELAXED) != modes) {
        __atomic_store_n(&frame->modes, modes, __ATOMIC_RELAXED);
    }
}

static inline uint64_t filch_frame_modes(const struct filch_frame *frame)
{
    return __atomic_load_n(&frame->modes, __ATOMIC_RELAXED); /* relaxed: as above */
}

/* The type of a slot whose work its owner is running in place: not to be published. */
FILCH_PRIVATE_OBJECT const filch_slot_type filch_slot_running;

/* Of its `count` slots the first `clean` are latent, the others anything: they are cleaned when the
 * lane grows into them. Behind them there are FILCH_LANE_SPARE more: one for a fork that is run at
 * once, because the lane is full (join.c), the others for ranges of loops. */
FILCH_PRIVATE void filch_lane_init(filch_lane *lane, filch_slot *slots, size_t clean, size_t count);

enum { FILCH_LANE_RANGES = 64, FILCH_LANE_SPARE = FILCH_LANE_RANGES + 1 };

/* How many of them are clean by now. */
FILCH_PRIVATE size_t filch_lane_clean_slots(const filch_lane *lane, const filch_slot *slots);

/* Owner: grow until `slot`, the newest one, is part of it. False: it cannot grow so far. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_lane_grow(filch_lane *lane, const filch_slot *slot);

/* Owner: is there room for a range and `more` after it? The first slot for one is clean then. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_lane_has_room(filch_lane *lane, size_t more);

/* Any thread: ask the owner to look up at its next fork or join. */
FILCH_PRIVATE void filch_lane_poison(filch_lane *lane);

/* Owner: has a thread asked, or does the next fork want it? */
FILCH_PRIVATE bool filch_lane_is_asked(const filch_lane *lane);

/* Owner: undo the poison. Always before serving, so that a later poison is not wiped. */
FILCH_PRIVATE void filch_lane_settle(filch_lane *lane);

/* Owner: publish the oldest latent slot on behalf of the frame it belongs to, innermost given.
 * NULL: nothing is latent. The caller puts it where thieves look. */
FILCH_PRIVATE filch_slot *filch_lane_publish(filch_lane *lane, struct filch_frame *frame);

/* Thief: the frame that forked it, or NULL: it cannot be got any more. */
FILCH_PRIVATE FILCH_MUST_CHECK struct filch_frame *filch_slot_take(filch_slot *slot);

/* Thief: take it only if it was published for `frame`. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_slot_take_for(filch_slot *slot,
                                                        struct filch_frame *frame);

/* Thief: the result is in the payload. The slot is not touched after this. */
FILCH_PRIVATE void filch_slot_finish(filch_slot *slot);

/* Owner: have nothing take it until it is let go. False: it has been taken already. */
FILCH_PRIVATE bool filch_slot_hold(filch_slot *slot);

/* Any thread: false: its owner has taken it back. */
FILCH_PRIVATE bool filch_slot_let_go(filch_slot *slot);

/* Owner: true: it is latent again. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_slot_take_back(filch_slot *slot);

/* Owner: false: it is done, the waiter was not registered. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_slot_await(filch_slot *slot, struct filch_waiter *waiter);

/* Any thread: a hint: could it be taken now? */
FILCH_PRIVATE bool filch_slot_is_published(filch_slot *slot);

FILCH_PRIVATE bool filch_slot_is_done(filch_slot *slot);

/* Owner: a slot is joined. The first free slot now: it falls past holes, unless `slot` was not the
 * newest and becomes one. */
FILCH_PRIVATE filch_slot *filch_lane_retire(filch_lane *lane, filch_slot *slot);

/* Owner: undo the publication of the newest published slot, which was taken back. */
FILCH_PRIVATE void filch_lane_unpublish(filch_lane *lane, filch_slot *slot);

/* Owner: the next fork is to be served. */
FILCH_PRIVATE void filch_lane_want(filch_lane *lane);

#endif
