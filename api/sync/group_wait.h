/* group_wait: the inside of a group, and how its owner waits for it, alone or with other things. */
#ifndef FILCH_GROUP_WAIT_H
#define FILCH_GROUP_WAIT_H

#include <filch/group.h>

#include "base/private.h"
#include "pool/fault.h"
#include "sched/cancel.h"
#include "sched/region.h"
#include "sleep/wait.h"

struct filch_group {
    struct filch_pool *pool;
    struct filch_region region; /* the owner's stay, if `entered`; its frame is there always */
    bool entered;
    bool cancel_on_error;
    struct filch_fault fault;
    filch_error *told; /* NULL, or whom to tell of it */
    uint64_t until_ns; /* its own deadline */
    struct filch_cancel_scope scope;
    _Atomic(size_t) undone;  /* tasks that are not done, and one for the owner until it waits */
    _Atomic(bool) cut_short; /* some task was not run, or it or the owner was asked to stop */
    bool awaited;            /* the owner; beside other things */
    struct filch_cell done;
};

/* In the child of a fork(): its tasks are in the parent. */
FILCH_PRIVATE bool filch_group_is_parents(const struct filch_group *group);

/* Its owner waits until all tasks are done. */
FILCH_PRIVATE void filch_group_join(struct filch_group *group);

/* All tasks are done. The owner asks. */
FILCH_PRIVATE bool filch_group_is_done(struct filch_group *group);

/* Its owner waits with `place`, one at a time. False: all are done. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_group_enlist(struct filch_group *group,
                                                       struct filch_waiter *place);

/* However the wait that enlist began has ended: no thread touches `place` after this. */
FILCH_PRIVATE void filch_group_stop_waiting(struct filch_group *group, struct filch_waiter *place);

#endif
