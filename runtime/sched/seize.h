/* seize: what a loop has before it while one of its blocks runs is open to thieves.
 *
 * A worker that is asked looks up between two blocks; an element may take as long as it likes. So
 * while a block runs, the rest of its range behind the block is open: a thread that looks around
 * cuts a part off and runs it, without the owner's help. The fiber has one word for it: the slot of
 * the range that is open, or one of the values below. Who exchanges the slot for `busy` has the
 * range for itself, for some ten instructions; the owner closes the range after the block, and
 * before it does anything else with the slot.
 *
 * What is hardly worth it, or known to be short, is open only when its time has come: then the
 * block takes longer than was known. */
#ifndef FILCH_SEIZE_H
#define FILCH_SEIZE_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/lane.h>

#include "base/private.h"
#include "base/base.h"
#include "work/work.h"

struct filch_core;
struct filch_fiber;

/* A part that was cut off: a core has room for one, and runs it next. */
struct filch_seized {
    struct filch_detached task;
    FILCH_ALIGNED(16) unsigned char part[FILCH_INLINE_BYTES];
};

enum filch_cut {
    FILCH_CUT_NOTHING, /* nothing more is to be had here */
    FILCH_CUT_SOME,
    FILCH_CUT_LAST, /* some, and nothing more is to be had */
};

/* Any thread, which has the range for itself: cut a part off, and say how it is run. */
typedef enum filch_cut filch_cutter(filch_slot *slot, struct filch_seized *seized);

/* In a fiber. */
struct filch_opening {
    _Atomic(filch_slot *) slot; /* what is open, or NULL, or below */
    _Atomic(uint64_t) from;     /* ticks: a thread that looks around may cut from then on */
    filch_cutter *cut;          /* the owner; others after they have seen the slot */
};

/* A fresh fiber. A thread that is late may still look at what was here before. */
FILCH_PRIVATE void filch_opening_init(struct filch_opening *opening);

/* The owner: a block begins. False: a range below this one on the fiber is open. */
FILCH_PRIVATE bool filch_range_open(struct filch_opening *opening, filch_slot *slot,
                                    filch_cutter *cut, uint64_t from);

/* The owner: this slot is no longer open, if it was; what was cut off is seen. */
FILCH_PRIVATE void filch_range_close(struct filch_opening *opening, filch_slot *slot);

/* The holder of `core`: cut off of what `victim` runs, and have it run here next. 0: nothing. */
FILCH_PRIVATE uintptr_t filch_core_seize(struct filch_core *core, struct filch_core *victim);

/* Any thread: does something lie open there that has been worth a thread for a while? */
FILCH_PRIVATE bool filch_core_is_seizable(struct filch_core *victim);

#endif
