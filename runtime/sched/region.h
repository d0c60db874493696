/* region: the time that a call spends inside a pool.
 *
 * A task that calls into its own pool goes on on its own fiber. A program's own thread becomes a
 * guest: it takes a core and works at once, without waking any. A thread inside another
 * pool never borrows a core of this one: the call is sent there, and the caller waits. */
#ifndef FILCH_REGION_H
#define FILCH_REGION_H

#include <filch/status.h>

#include "base/private.h"
#include "work/lane.h"

struct filch_pool;
struct filch_fiber;

struct filch_region {
    struct filch_frame frame; /* not a guest's, which the fiber has */
    struct filch_fiber *fiber;
    bool guest; /* it was entered by this region */
    /* Of a region that is kept: its thread ends without having left it. */
    void (*give_up)(struct filch_region *region);
};

/* Enter on the calling thread. FILCH_EBUSY: it is inside another pool; FILCH_ECLOSED,
 * FILCH_EFORKED, FILCH_ENOMEM. Children report errors to `fault`; NULL: to the caller's frame. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_region_enter(struct filch_region *region,
                                                               struct filch_pool *pool,
                                                               struct filch_fault *fault,
                                                               const filch_function_info *info);
FILCH_PRIVATE void filch_region_leave(struct filch_region *region);

/* The frame that entering it pushed; of one that was not entered: the room for one. */
FILCH_PRIVATE struct filch_frame *filch_region_frame(struct filch_region *region);

/* It was entered as a guest and lies in memory of its own: give_up() is called if the thread ends
 * inside, on what is left of that, and leaves the region. */
FILCH_PRIVATE void filch_region_keep(struct filch_region *region,
                                     void (*give_up)(struct filch_region *region));

/* Call function(context) inside the pool, from anywhere. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_region_call(struct filch_pool *pool,
                                                              void (*function)(void *),
                                                              void *context,
                                                              struct filch_fault *fault,
                                                              const filch_function_info *info);

/* A frame on a fiber that is inside already: for tasks and loops. */
FILCH_PRIVATE void filch_frame_push(struct filch_frame *frame, struct filch_fiber *fiber,
                                    struct filch_fault *fault, const filch_function_info *info);
FILCH_PRIVATE void filch_frame_pop(struct filch_frame *frame, struct filch_fiber *fiber);

/* It was just pushed, and what runs in it is a task, not its caller's own code: it finds
 * none of the exceptions that its caller handles, and its caller finds its own modes (os_modes.h)
 * again when it is popped. The task begins with its caller's modes, or with those of another. */
FILCH_PRIVATE void filch_frame_seclude(struct filch_frame *frame, struct filch_fiber *fiber);
FILCH_PRIVATE void filch_frame_seclude_as(struct filch_frame *frame, struct filch_fiber *fiber,
                                          uint64_t modes);

/* The same for the thread's locale, on top of that: a task begins with the process's. Elements of a
 * loop do without. */
FILCH_PRIVATE void filch_frame_seclude_locale(struct filch_frame *frame, struct filch_fiber *fiber);

/* The fiber that the caller runs on, NULL: it is not inside a pool. */
FILCH_PRIVATE struct filch_fiber *filch_fiber_self(void);

/* The scope that the caller runs in, NULL: none. */
FILCH_PRIVATE struct filch_cancel_scope *filch_cancel_scope_self(void);

#endif
