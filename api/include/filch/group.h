/* filch/group.h: structured concurrency: tasks that are all done when their group is left.
 *
 *     filch_status status;
 *     int a, b;
 *     FILCH_WITH_GROUP(group, pool, NULL, &status) {
 *         half_spawn(group, 10, &a);
 *         half_spawn(group, 20, &b);
 *     }
 *     // both are done, or status says what went wrong
 *
 * A group belongs to the task or thread that opened it, and is closed by it, after all groups that
 * the same owner has opened since; while a program's own thread has one open, it holds one of the
 * pool's workers. Its tasks may spawn more into it.
 *
 * A group is cancelled as a whole: by filch_group_cancel(), by an error if asked for, by its
 * deadline, or with what it is inside of. Then its tasks are asked to stop, and so is its owner
 * from opening to closing: in the block, filch_cancelled() is true and waits return
 * FILCH_ECANCELED. What is opened, called, looped or forked in the block is inside the group:
 * groups in groups are cancelled along and end no later than the deadline of the outermost, whether
 * a task opened them or the owner, in the same function or in one that it calls. Only tasks of
 * filch_apply_async() and its like are not. To wait for the group itself is no wait that ends
 * early: its tasks have ended when it is left, and what they were given may be freed.
 *
 * In its block a program's own thread is one of the pool's workers. What blocks there without filch
 * (pthread_join(), sleep()) goes into FILCH_BLOCKING { ... } (blocking.h): where there is one
 * worker, nothing else would run.
 *
 * To wait for things that others begin, or that are no tasks: filch_wait_group (sync.h). */
#ifndef FILCH_GROUP_H
#define FILCH_GROUP_H

#include <filch/closure.h>
#include <filch/error.h>
#include <filch/macros.h>
#include <filch/pool.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_group filch_group;

/* Zero in a field means its default. */
typedef struct filch_group_options {
    int cancel_on_error;  /* not 0: the first error cancels the others. Default: they go on */
    filch_deadline until; /* when the group is cancelled; default: never */
} filch_group_options;

/* Effect: opens a group, inside of which the caller is until it closes it. If the caller has been
 * asked to stop, the group is cancelled from the start. options: NULL for defaults; copied.
 * Errors: FILCH_EINVAL; FILCH_ENOMEM, FILCH_ECLOSED, FILCH_EFORKED,
 * FILCH_EBROKEN; *group is NULL.
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_group_open(filch_pool *pool, const filch_group_options *options,
                                               filch_group **group);

/* Effect: has the closure called as part of the group, soon; at once, by the caller, if there is no
 * memory to put it off. If the group is cancelled before it begins, it is not called.
 * Args: result: room for the closure's result until the group has been waited for; NULL: the result
 * is dropped. Tasks that raise an error leave there what they returned.
 * Errors: FILCH_EINVAL.
 * Threads: the group's owner and its tasks. Does not block, unless it calls at once. */
filch_status filch_group_spawn(filch_group *group, const filch_closure *closure, void *result);

/* Effect: as filch_group_spawn(), of a closure that is made of `callable` and `captures` for this
 * call. What generated code uses. */
filch_status filch_group_spawn_captured(filch_group *group, const filch_callable *callable,
                                        const void *captures, void *result);

/* Effect: waits until all tasks of the group are done. The caller runs some of them itself. More
 * may be spawned afterwards.
 * Args: error: NULL, or told what was raised first.
 * Errors: FILCH_ERAISED: a task raised an error; FILCH_ECANCELED: the group was cancelled,
 * FILCH_ETIMEDOUT: its deadline passed, before all tasks were done or before the owner called this;
 * FILCH_EBROKEN: a
 * worker of the pool could not start; FILCH_EINVAL. All tasks are done then, too.
 * Threads: the group's owner. Blocks; may migrate. */
FILCH_MUST_CHECK filch_status filch_group_wait(filch_group *group, filch_error *error);

/* Effect: tasks that have not begun never will; those that run are asked to stop, and so is the
 * owner until it has closed the group: filch_cancelled() is true for them and their waits return
 * FILCH_ECANCELED.
 * Errors: FILCH_EINVAL.
 * Threads: any, while the group is open. Does not block. */
filch_status filch_group_cancel(filch_group *group);

/* Effect: waits as filch_group_wait() does, then frees the group. NULL: no-op.
 * Errors: as wait, the group is gone; but FILCH_EINVAL: the caller is not its owner, or has a group
 * open that it opened after this one; nothing has happened then.
 * Threads: the group's owner. Blocks; may migrate. */
filch_status filch_group_close(filch_group *group, filch_error *error);

/* Used by FILCH_WITH_GROUP. */
typedef struct filch_group_visit {
    filch_group *group;
    filch_status *status;
} filch_group_visit;
filch_group_visit filch_group_with(filch_pool *pool, const filch_group_options *options,
                                   filch_status *status);
void filch_group_leave(filch_group_visit *visit);

/* clang-format off */
/* FILCH_WITH_GROUP(group, pool, options, &status) { ... }
 *
 * Effect: opens a group for the block that follows; leaving the block in any way waits for its
 * tasks and closes it. `status` then says how they ended, if the block has not set it to anything
 * but FILCH_OK; or why the group could not be opened, in which case the block is skipped. With a
 * deadline and no tasks it is a time-out for the block. What was raised:
 * FILCH_WITH_GROUP(group, FILCH_ON(pool, .error = &error), NULL, &status). */
#define FILCH_WITH_GROUP(name, pool, ...)                                                          \
    for (filch_group_visit name##_visit __attribute__((cleanup(filch_group_leave))) =              \
                               filch_group_with(pool, __VA_ARGS__),                                \
                           *name##_once = name##_visit.group ? &name##_visit : NULL;               \
         name##_once; name##_once = NULL)                                                          \
        for (FILCH_UNUSED filch_group *const name = name##_visit.group; name##_once;               \
             name##_once = NULL)
/* clang-format on */

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* name_spawn() of a FILCH_FUNCTION; generated with it. */
#define FILCH_SPAWN_OF(R, name, ...)                                                               \
    FILCH_UNUSED static inline filch_status name##_spawn(                                          \
        filch_group *filch_of FILCH_MORE(FILCH_DECLARE, __VA_ARGS__)                               \
            FILCH_RESULT(FILCH_RESULT_POINTER_, R))                                                \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_group_spawn_captured(filch_of, &name##_callable, filch_args,                  \
                                          FILCH_RESULT(FILCH_RESULT_PASS_, R));                    \
    }
/* clang-format on */

#endif
