/* What FILCH_WITH_GROUP and the functions that FILCH_FUNCTION generates call. */
#include <filch/group.h>

filch_status filch_group_spawn_captured(filch_group *group, const filch_callable *callable,
                                        const void *captures, void *result)
{
    filch_closure closure;
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status == FILCH_OK) {
        status = filch_group_spawn(group, &closure, result);
        filch_closure_release(&closure);
    }
    return status;
}

filch_group_visit filch_group_with(filch_pool *pool, const filch_group_options *options,
                                   filch_status *status)
{
    filch_group_visit visit = {NULL, status};
    filch_status opened = filch_group_open(pool, options, &visit.group);
    if (status) {
        *status = opened;
    }
    return visit;
}

void filch_group_leave(filch_group_visit *visit)
{
    if (visit->group) {
        filch_status status = filch_group_close(visit->group, NULL);
        if (visit->status && *visit->status == FILCH_OK) { /* else the block has said so */
            *visit->status = status;
        }
    }
}
