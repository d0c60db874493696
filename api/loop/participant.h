/* participant: one that runs indices of a loop with slots (slots.c).
 *
 * Participants take runs of indices from a dispenser. The caller is the first. On its lane each has
 * a place: latent work, like a fork, which is to become one more participant. It is published when
 * a thread asks, or when a body waits or forks; with that, what has not begun of the running run is
 * given back. While a run goes on a thread that looks around may come in without being asked
 * (seize.h). */
#ifndef FILCH_PARTICIPANT_H
#define FILCH_PARTICIPANT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/private.h"
#include "loop/dispenser.h"
#include "loop/grain.h"
#include "sleep/wait.h"
#include "work/lane.h"

struct filch_fiber;

struct filch_slots_loop {
    struct filch_frame frame; /* what its places are published for */
    void (*body)(size_t i, size_t slot, void *environment);
    void *environment;
    unsigned long long raised_at; /* what frame.next points to: the caller's index, plus one */
    bool begun;                   /* the pool has taken it on */
    size_t parts;
    struct filch_dispenser dispenser;
    _Atomic(size_t) unfinished; /* the caller, and those that have come or may yet, for a place */
    struct filch_latch done;
};

struct filch_participant {
    struct filch_portion portion;
    struct filch_slots_loop *loop;
    struct filch_fiber *fiber;
    struct filch_frame *frame;
    unsigned places; /* on the top of its lane, 0 to 2; of two the lower is published */
    bool begins;     /* the caller with its first run, which others are told of: it is to keep it */
    struct filch_grain grain;
};

/* The caller, before any other comes: the first indices, in slot 0. */
FILCH_PRIVATE void filch_participant_begin(struct filch_participant *caller);

/* Run indices until there are none, from having a slot to having none. */
FILCH_PRIVATE void filch_participant_take_part(struct filch_participant *participant);

/* A body will not return: nothing more begins, and what it ran on top of is taken off the lane. */
FILCH_PRIVATE void filch_participant_give_up(struct filch_participant *participant);

/* The loop may be gone after this. */
FILCH_PRIVATE void filch_slots_one_has_left(struct filch_slots_loop *loop);

#endif
