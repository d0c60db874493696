#include "sync/group_wait.h"

#include "sched/pool.h"
#include "sched/process.h"
#include "sched/suspend.h"

bool filch_group_is_parents(const struct filch_group *group)
{
    return filch_process_inherited(group->pool->token);
}

static bool enlist_for_tasks(struct filch_waiter *waiter, void *cell)
{
    return filch_cell_add(cell, waiter);
}

static const struct filch_wait_kind group_wait_kind = {
    .what = "the tasks of a group", .enlist = enlist_for_tasks, .derived = true};

/* The owner begins to wait. True: no task is left. */
static bool count_owner_out(struct filch_group *group)
{
    /* acq_rel: as in one_done */
    return atomic_fetch_sub_explicit(&group->undone, 1, memory_order_acq_rel) == 1;
}

/* No task is left. One that was the last to be counted out, after the owner, completes the cell. */
static void begin_group_anew(struct filch_group *group, bool task_was_last)
{
    if (task_was_last) {
        filch_cell_settle(&group->done);
    }
    atomic_store_explicit(&group->undone, 1, memory_order_relaxed); /* relaxed: no other is left */
    filch_cell_init(&group->done);
}

void filch_group_join(struct filch_group *group)
{
    bool owner_was_last = count_owner_out(group);
    if (!owner_was_last) {
        filch_suspend_join(&group_wait_kind, &group->done);
    }
    begin_group_anew(group, !owner_was_last);
}

bool filch_group_is_done(struct filch_group *group)
{
    /* acquire: pairs with the release in one_done */
    return atomic_load_explicit(&group->undone, memory_order_acquire) == 1;
}

bool filch_group_enlist(struct filch_group *group, struct filch_waiter *place)
{
    bool owner_was_last = count_owner_out(group);
    bool waits = !owner_was_last && filch_cell_add(&group->done, place);
    group->awaited = waits;
    if (!waits) {
        begin_group_anew(group, !owner_was_last);
    }
    return waits;
}

void filch_group_stop_waiting(struct filch_group *group, struct filch_waiter *place)
{
    group->awaited = false;
    /* acq_rel: as in one_done */
    if (atomic_fetch_add_explicit(&group->undone, 1, memory_order_acq_rel) == 0) {
        begin_group_anew(group, true);
    } else {
        filch_cell_remove(&group->done, place);
    }
}
