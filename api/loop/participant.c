#include "loop/participant.h"

#include <string.h>

#include "base/assert.h"
#include "base/base.h"
#include "loop/loop_range.h"
#include "sched/call_site.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/region.h"
#include "sched/thread.h"
#include "sched/unwound.h"
#include "sched/wake.h"

/* What a place's slot holds. */
struct vacancy {
    struct filch_slots_loop *loop;
    struct filch_participant *owner; /* the owner alone may look at it */
    const filch_lane *lane;          /* the owner's */
};

_Static_assert(sizeof(struct vacancy) <= FILCH_INLINE_BYTES, "a place fits a slot");

static struct vacancy *vacancy_of(filch_slot *slot)
{
    return (struct vacancy *)(void *)slot->payload;
}

static void expect_one_more(struct filch_slots_loop *loop)
{
    /* relaxed: the caller of this is not done, so the count cannot reach zero now */
    atomic_fetch_add_explicit(&loop->unfinished, 1, memory_order_relaxed);
}

void filch_slots_one_has_left(struct filch_slots_loop *loop)
{
    /* acq_rel: the last to count down has seen what all others did, and so does the caller */
    size_t unfinished = atomic_fetch_sub_explicit(&loop->unfinished, 1, memory_order_acq_rel);
    FILCH_ASSERT(unfinished > 0);
    if (unfinished == 1) {
        filch_latch_open(&loop->done);
    }
}

/* ---- places ---- */

static void run_place(filch_lane *lane, filch_slot *top, filch_slot *slot);

static void *publish_place(filch_slot *slot)
{
    struct vacancy *place = vacancy_of(slot);
    filch_range_close(&place->owner->fiber->opening, slot);
    if (!place->owner->begins) {
        filch_dispenser_return(&place->loop->dispenser, &place->owner->portion);
    }
    expect_one_more(place->loop);
    return &place->loop->frame;
}

static const filch_slot_type place_type = {run_place, publish_place, NULL};

static void push_place(struct filch_participant *participant)
{
    filch_lane *lane = &participant->fiber->lane;
    bool has_room = filch_lane_has_room(lane, 0);
    FILCH_ASSERT(has_room); /* filch_region_call() has seen to it */
    filch_slot *slot = lane->top;
    *vacancy_of(slot) = (struct vacancy){participant->loop, participant, lane};
    slot->type = &place_type;
    lane->top = slot + 1;
    participant->places++;
}

static filch_slot *newest_place(const struct filch_participant *participant)
{
    FILCH_ASSERT(participant->places > 0);
    return participant->fiber->lane.top - 1;
}

static bool newest_is_published(const struct filch_participant *participant)
{
    return filch_range_is_published(participant->fiber, newest_place(participant));
}

/* The newest is published. True: it is latent again. False: a thief has it. */
static bool take_newest_back(struct filch_participant *participant)
{
    filch_slot *slot = newest_place(participant);
    if (!filch_core_reclaim(participant->fiber, slot)) {
        return false;
    }
    filch_slots_one_has_left(participant->loop); /* who may have come; we are there still */
    filch_lane_unpublish(&participant->fiber->lane, slot);
    return true;
}

static void retire_newest(struct filch_participant *participant)
{
    filch_lane_retire(&participant->fiber->lane, newest_place(participant));
    participant->places--;
}

static void retire_places(struct filch_participant *participant)
{
    while (participant->places) {
        if (newest_is_published(participant)) {
            (void)take_newest_back(participant);
        }
        retire_newest(participant);
    }
}

/* The newest is to be latent: it is published when a body waits. */
static void keep_place(struct filch_participant *participant)
{
    if (participant->places == 2 && filch_slot_is_done(newest_place(participant) - 1)) {
        retire_places(participant); /* the lower was taken: another may be wanted */
    }
    while (participant->places && newest_is_published(participant) &&
           !take_newest_back(participant)) {
        retire_newest(participant);
    }
    if (!participant->places) {
        push_place(participant);
    }
}

static void publish_one(struct filch_participant *participant, bool oldest)
{
    struct filch_grain *grain = &participant->grain;
    struct filch_fiber *fiber = participant->fiber;
    if (grain->help == FILCH_HELP_LATE && oldest) {
        filch_core_offer_quietly(fiber, grain->last + FILCH_CALL_SITE_QUIET);
        return; /* shorter than a look at the clock */
    }
    if (grain->help == FILCH_HELP_ASK && !participant->begins) {
        filch_core_serve(fiber);
    } else if (filch_core_offer(fiber) && grain->help == FILCH_HELP_ASK) {
        filch_pool_wake(fiber->pool);
    }
    grain->last = filch_os_ticks();
}

/* Another thread asks. */
static void answer_for_place(struct filch_participant *participant)
{
    filch_lane *lane = &participant->fiber->lane;
    bool oldest = lane->split == newest_place(participant);
    if (oldest && participant->places == 2) {
        filch_lane_settle(lane); /* one lies there already */
    } else if (oldest && !filch_dispenser_wants(&participant->loop->dispenser)) {
        filch_lane_settle(lane);
        filch_lane_want(lane); /* unless a body forks */
    } else {
        publish_one(participant, oldest);
        if (newest_is_published(participant)) {
            push_place(participant);
        }
    }
}

/* While a body of some length runs none is answered: a place is to lie ready before. */
static bool is_to_lie_ready(struct filch_participant *participant)
{
    return participant->grain.costly && participant->places == 1 &&
           filch_dispenser_wants(&participant->loop->dispenser);
}

static void run_seized_place(struct filch_detached *task);

/* A thread that looks around comes in. */
static enum filch_cut cut_place(filch_slot *slot, struct filch_seized *seized)
{
    struct filch_slots_loop *loop = vacancy_of(slot)->loop;
    if (!filch_dispenser_wants(&loop->dispenser)) {
        return FILCH_CUT_NOTHING;
    }
    const struct vacancy part = {loop, NULL, NULL};
    memcpy(seized->part, &part, sizeof part);
    seized->task.run = run_seized_place;
    expect_one_more(loop);
    return FILCH_CUT_SOME;
}

/* As for other loops (loop_range.c): at once, if much is left; else when it takes longer than it
 * should. */
static bool open_newest(struct filch_participant *participant)
{
    const struct filch_grain *grain = &participant->grain;
    struct filch_dispenser *dispenser = &participant->loop->dispenser;
    size_t left = filch_dispenser_left(dispenser);
    bool is_short = grain->help == FILCH_HELP_LATE && dispenser->n <= FILCH_GRAIN_FEW;
    if (!grain->shared || is_short || left == 0) {
        return false;
    }
    bool at_once = grain->help == FILCH_HELP_ASK && left >= grain->length / FILCH_GRAIN_GROWTH;
    return filch_range_open(&participant->fiber->opening, newest_place(participant), cut_place,
                            grain->last + (at_once ? 0 : FILCH_GRAIN_TARGET));
}

/* ---- participants ---- */

static void run_indices(const struct filch_slots_loop *loop, struct filch_portion *portion)
{
    void (*body)(size_t i, size_t slot, void *environment) = loop->body;
    void *environment = loop->environment;
    size_t slot = portion->slot;
    for (size_t i = portion->next; i < portion->end; i++) { /* it falls when the rest is returned */
        portion->next = i + 1;
        body(i, slot, environment);
    }
}

FILCH_APART static void run_indices_recorded(const struct filch_slots_loop *loop,
                                             struct filch_portion *portion)
{
    filch_trace(FILCH_TRACE_CHUNK, 0, loop->frame.info, portion->next);
    run_indices(loop, portion);
    filch_trace(FILCH_TRACE_CHUNK_END, 0, loop->frame.info, portion->next);
}

static void run_what_it_has(struct filch_participant *participant)
{
    struct filch_portion *portion = &participant->portion;
    size_t first = portion->next;
    filch_slot *place = newest_place(participant);
    bool opened = open_newest(participant);
    if (filch_trace_is_on()) {
        run_indices_recorded(participant->loop, portion);
    } else {
        run_indices(participant->loop, portion);
    }
    if (opened) {
        filch_range_close(&participant->fiber->opening, place);
    }
    filch_block_ended(participant->fiber, &participant->grain, portion->next - first);
}

static void keep_place_and_answer(struct filch_participant *participant)
{
    keep_place(participant);
    if (filch_range_is_asked_for(&participant->fiber->lane) || is_to_lie_ready(participant)) {
        answer_for_place(participant);
    }
}

static bool take_indices(struct filch_participant *participant)
{
    size_t most =
        participant->grain.length < SIZE_MAX ? (size_t)participant->grain.length : SIZE_MAX;
    return filch_dispenser_take(&participant->loop->dispenser, &participant->portion, most,
                                participant->loop->parts);
}

void filch_participant_take_part(struct filch_participant *participant)
{
    for (;;) {
        keep_place_and_answer(participant);
        if (!take_indices(participant) &&
            filch_dispenser_leave(&participant->loop->dispenser, &participant->portion)) {
            retire_places(participant);
            return;
        }
        run_what_it_has(participant);
    }
}

void filch_participant_begin(struct filch_participant *caller)
{
    bool taken = take_indices(caller);
    FILCH_ASSERT(taken && caller->portion.next == 0 && caller->portion.slot == 0);
    caller->begins = true;
    keep_place_and_answer(caller);
    caller->begins = false;
    run_what_it_has(caller);
}

void filch_participant_give_up(struct filch_participant *participant)
{
    struct filch_fiber *fiber = participant->fiber;
    filch_dispenser_close(&participant->loop->dispenser);
    while (fiber->lane.top > participant->frame->base) {
        filch_slot *slot = fiber->lane.top - 1;
        bool published = slot->type == &place_type && vacancy_of(slot)->owner == participant &&
                         filch_range_is_published(fiber, slot);
        filch_range_close(&fiber->opening, slot);
        if (filch_unwound_drop(fiber) && published) {
            filch_slots_one_has_left(participant->loop); /* as in take_newest_back() */
        }
    }
}

/* One that came for a place. */
struct comer {
    struct filch_frame frame;
    struct filch_participant participant;
};

static void comer_has_left(struct comer *comer)
{
    struct filch_slots_loop *loop = comer->participant.loop;
    filch_frame_pop(&comer->frame, comer->participant.fiber);
    filch_trace(FILCH_TRACE_END, 0, NULL, filch_trace_name_of(loop)); /* before it is known */
    filch_slots_one_has_left(loop);
}

FILCH_APART static void give_up_comer(struct comer *comer)
{
    if (filch_unwound_begin(comer->participant.fiber, &comer->frame)) {
        filch_participant_give_up(&comer->participant);
        comer_has_left(comer);
    }
}

static inline void comer_left(struct comer **running)
{
    if (FILCH_UNLIKELY(*running != NULL)) {
        give_up_comer(*running);
    }
}

static void come_for_place(struct filch_slots_loop *loop, struct filch_fiber *fiber)
{
    struct comer comer;
    filch_frame_push(&comer.frame, fiber, loop->frame.fault, loop->frame.info);
    comer.frame.scope = loop->frame.scope;
    comer.frame.next = loop->frame.next;
    filch_frame_seclude_as(&comer.frame, fiber, filch_frame_modes(&loop->frame));
    comer.participant.loop = loop;
    comer.participant.fiber = fiber;
    comer.participant.frame = &comer.frame;
    comer.participant.places = 0;
    comer.participant.begins = false;
    comer.participant.grain = filch_grain_begun(fiber->pool, FILCH_HELP_ASK);
    FILCH_UNWINDS(comer_left) struct comer *running = &comer;
    if (filch_dispenser_enter(&loop->dispenser, &comer.participant.portion)) {
        filch_participant_take_part(&comer.participant);
    }
    running = NULL;
    comer_has_left(&comer);
}

/* A place that a thief has copied; or the owner's own, where nothing can come for it: what it is
 * for may need the body that is about to wait. */
static void run_place(filch_lane *lane, filch_slot *top, filch_slot *slot)
{
    (void)top; /* the lane knows */
    struct vacancy place;
    memcpy(&place, slot->payload, sizeof place);
    if (place.lane == lane) {
        filch_slots_one_has_left(place.loop);
    } else {
        come_for_place(place.loop, filch_fiber_of_lane(lane));
    }
}

static void run_seized_place(struct filch_detached *task)
{
    struct filch_seized *seized = FILCH_CONTAINER(task, struct filch_seized, task);
    struct vacancy place;
    memcpy(&place, seized->part, sizeof place);
    struct filch_picked picked = filch_core_picked();
    const filch_function_info *info = place.loop->frame.info;
    filch_trace(FILCH_TRACE_PUBLISH, 1, info, filch_trace_name_of(seized));
    filch_trace(FILCH_TRACE_BEGIN, picked.how, info, filch_trace_name_from(seized, picked.from));
    come_for_place(place.loop, filch_fiber_self());
}
