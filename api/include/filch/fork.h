/* filch/fork.h: fork and join, as cheap as a function call when no thread is idle.
 *
 *     FILCH_FORK_FUNCTION(long, fib, (int, n))
 *     {
 *         if (n < 2) {
 *             return n;
 *         }
 *         FILCH_FORK(left, fib, n - 1);            // latent: may be stolen
 *         long right = FILCH_CALL(fib, n - 2);
 *         return FILCH_JOIN(left) + right;         // not stolen: a direct call
 *     }
 *
 *     long f = fib(30);                            // from anywhere, a group's block, too
 *     status = fib_apply(pool, 30, &f);            // on a chosen pool, with a status
 *     status = fib_apply_async(pool, 30, &future); // then fib_get(future, &f)
 *     fib_spawn(group, 30, &f);                    // as a task of a group
 *
 * Inside a fork function, FILCH_FORK declares a handle, so it stands where a declaration can: not
 * as the only statement of an `if`. Each handle is joined once; one that is not joined when its
 * block is left in any way is joined there and its result dropped. Joins may come in any order;
 * newest first is the fast one. An error that a child raises belongs to the call of the outermost
 * fork function, as if the child had been called.
 *
 * Plain code in between is no hindrance: a fork function that is called from it, inside another
 * one, finds its lane again for some 60 instructions more. So a library that knows only callbacks
 * forks like this (and `both` is all that a parallel-algorithms library needs):
 *
 *     FILCH_FORK_FUNCTION(void, one, (call, f), (void *, a)) { f(a); }
 *     FILCH_FORK_FUNCTION(void, both, (call, f), (void *, a), (call, g), (void *, b))
 *     {
 *         FILCH_FORK(right, one, g, b);
 *         f(a);
 *         FILCH_JOIN(right);
 *     }
 *
 * Arguments and result of a fork function may each take at most FILCH_INLINE_BYTES, in which
 * arguments are packed to 16 bytes, whatever alignment their types have. Recursion needs stack as
 * in plain C, and has as much (filch_pool_options.stack_bytes); where many thousand forks are out
 * on one stack (a thousand on one of less than 2 MiB) the next run at once. */
#ifndef FILCH_FORK_H
#define FILCH_FORK_H

#include <string.h>

#include <filch/function.h>
#include <filch/lane.h>
#include <filch/macros.h>
#include <filch/shape.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* A call from plain code, and its stay in a pool if it is the outermost. Used by
 * generated code. */
typedef struct filch_fork_entry {
    filch_lane *lane;
    filch_slot *top;
    int outermost; /* it is to be left */
    FILCH_ALIGNED(8) unsigned char opaque[184];
} filch_fork_entry;

void filch_fork_enter(filch_fork_entry *entry, const filch_function_info *info);
void filch_fork_leave(filch_fork_entry *entry);

#ifdef __cplusplus
}
#endif

/* Declares a fork function that is defined further down: for mutual recursion. R: result type or
 * void; then the name, an optional text that describes it, and 0 to 8 parameters (type, name). */
#define FILCH_FORK_DECLARE(R, ...)                                                                 \
    FILCH_SHAPED(FILCH_FORK_DECLARE, FILCH_FUNCTION, R, __VA_ARGS__, ~)

/* Defines it; its body follows. FILCH_FORK_FUNCTION does both at once. */
#define FILCH_FORK_DEFINE(R, ...) FILCH_SHAPED(FILCH_FORK_DEFINE, FILCH_FUNCTION, R, __VA_ARGS__, ~)
#define FILCH_FORK_FUNCTION(R, ...)                                                                \
    FILCH_SHAPED(FILCH_FORK_FUNCTION, FILCH_FUNCTION, R, __VA_ARGS__, ~)
#define FILCH_FORK_FUNCTION_GENERATE(R, name, ...)                                                 \
    FILCH_FORK_DECLARE_GENERATE(R, name, __VA_ARGS__)                                              \
    FILCH_FORK_DEFINE_GENERATE(R, name, __VA_ARGS__)

/* Declares `handle` and forks function(arguments): FILCH_FORK(handle, function, arguments...).
 * As single words the parts of a handle stay in registers. */
#define FILCH_FORK(handle, ...) FILCH_FORK_I(handle, __VA_ARGS__, ~)
#define FILCH_FORK_I(handle, function, ...)                                                        \
    FILCH_ASSERT_STATIC(__builtin_strncmp(&#function[sizeof(#function) - 2], ")", 1) != 0,         \
                        "FILCH_FORK(handle, function, arguments...)");                             \
    FILCH_UNUSED filch_of_joiner_##function *const handle##_joiner = filch_of_join_##function;     \
    filch_of_kept_##function handle##_kept;                                                        \
    filch_slot **handle##_home __attribute__((cleanup(filch_fork_settle))) = &filch_fiber_top;     \
    filch_slot *handle __attribute__((cleanup(filch_fork_abandon))) = filch_of_fork_##function(    \
        filch_fiber_lane, &filch_fiber_top, &handle##_kept FILCH_TAIL(__VA_ARGS__));               \
    FILCH_UNUSED const filch_slot *const handle##_above = filch_fiber_top

/* Forks into a handle that exists: `function_handle children[8];` for forks in a loop. Every one
 * of these must be joined before the function returns; nothing does it for you. */
#define FILCH_FORK_AT(handle, ...) FILCH_FORK_AT_I(handle, __VA_ARGS__, ~)
#define FILCH_FORK_AT_I(handle, function, ...)                                                     \
    filch_of_forks_at_##function(filch_fiber_lane, &filch_fiber_top,                               \
                                 &(handle)FILCH_TAIL(__VA_ARGS__))

/* The result of a fork; runs it here if no other thread has taken it, waits if one has. FILCH_JOIN
 * for handles that FILCH_FORK declared, FILCH_JOIN_AT for those that FILCH_FORK_AT filled; in the
 * function that forked. */
#define FILCH_JOIN(handle)                                                                         \
    handle##_joiner(filch_fiber_lane, &filch_fiber_top, &handle, &handle##_home, handle##_above,   \
                    &handle##_kept)
#define FILCH_JOIN_AT(handle)                                                                      \
    __extension__({                                                                                \
        __typeof__(&(handle)) filch_at = &(handle);                                                \
        filch_slot *filch_joined = filch_at->slot;                                                 \
        filch_at->slot = NULL;                                                                     \
        filch_at->end(filch_fiber_lane, filch_joined,                                              \
                      filch_join_pop(filch_fiber_lane, &filch_fiber_top, filch_joined,             \
                                     filch_slot_above(filch_joined), &filch_at->kept,              \
                                     sizeof filch_at->kept)                                        \
                          ? NULL                                                                   \
                          : &filch_at->kept);                                                      \
    })

/* Calls a fork function from a fork function: FILCH_CALL(function, arguments...). */
#define FILCH_CALL(...) FILCH_CALL_I(__VA_ARGS__, ~)
#define FILCH_CALL_I(function, ...)                                                                \
    filch_of_call_##function(filch_fiber_lane, &filch_fiber_top FILCH_TAIL(__VA_ARGS__))

#define FILCH_FORK_DEFINE_GENERATE(R, name, doc, ...)                                              \
    FILCH_MENTION(name)                                                                            \
    static R name##_body(                                                                          \
        FILCH_UNUSED filch_lane *filch_fiber_lane,                                                 \
        FILCH_UNUSED filch_slot *filch_fiber_top FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))

/* The parts of a fork function. The lane and its top travel as two scalars, in registers. */
#define FILCH_FORK_DECLARE_GENERATE(R, name, doc, ...)                                             \
    FILCH_ARGS_TYPE(name, __VA_ARGS__)                                                             \
    FILCH_PACKED_16(filch_of_slot_##name, FILCH_FIELDS(__VA_ARGS__))                               \
    FILCH_ASSERT_STATIC(sizeof(filch_of_slot_##name) <= FILCH_INLINE_BYTES,                        \
                        "the arguments of a fork function take at most FILCH_INLINE_BYTES");       \
    FILCH_ASSERT_STATIC(FILCH_RESULT(FILCH_RESULT_BYTES_, R) <= FILCH_INLINE_BYTES,                \
                        "the result of a fork function takes at most FILCH_INLINE_BYTES");         \
    FILCH_INFO(name, doc, sizeof(name##_args))                                                     \
    typedef struct filch_of_kept_##name {                                                          \
        FILCH_RESULT(FILCH_RESULT_FIELD_, R)                                                       \
    } filch_of_kept_##name;                                                                        \
    typedef R filch_of_joiner_##name(filch_lane *, filch_slot **, filch_slot **, filch_slot ***,   \
                                     const filch_slot *, filch_of_kept_##name *);                  \
    typedef struct name##_handle {                                                                 \
        filch_slot *slot;                                                                          \
        R (*end)(filch_lane *, filch_slot *, filch_of_kept_##name *);                              \
        filch_of_kept_##name kept;                                                                 \
    } name##_handle;                                                                               \
    FILCH_UNUSED static R name(FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__));                      \
    FILCH_FORK_DEFINE_GENERATE(R, name, doc, __VA_ARGS__) __attribute__((aligned(64)));            \
    FILCH_INLINE R filch_of_call_##name(/* top is read last: an argument may be a join */          \
                                        filch_lane *filch_call_lane,                               \
                                        filch_slot **filch_top FILCH_MORE(FILCH_DECLARE,           \
                                                                          __VA_ARGS__))            \
    {                                                                                              \
        FILCH_RESULT(FILCH_RESULT_LOCAL_, R)                                                       \
        name##_body(filch_call_lane, *filch_top FILCH_MORE(FILCH_NAME, __VA_ARGS__));              \
        return FILCH_RESULT(FILCH_RESULT_LOCAL_PASS_, R);                                          \
    }                                                                                              \
    static void filch_of_run_##name(filch_lane *filch_run_lane, filch_slot *filch_run_top,         \
                                    filch_slot *filch_run_slot)                                    \
    {                                                                                              \
        FILCH_UNUSED filch_of_slot_##name *filch_args =                                            \
            (filch_of_slot_##name *)(void *)filch_run_slot->payload;                               \
        FILCH_RESULT(FILCH_RESULT_LOCAL_, R)                                                       \
        name##_body(filch_run_lane, filch_run_top FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));         \
        FILCH_RESULT(FILCH_RESULT_LEAVE_, R)                                                       \
    }                                                                                              \
    static const filch_slot_type filch_of_slots_type_##name = {filch_of_run_##name, NULL,          \
                                                               &name##_info};                      \
    FILCH_UNUSED static R filch_of_end_##name(filch_lane *filch_end_lane, filch_slot *filch_ended, \
                                              filch_of_kept_##name *filch_kept)                    \
    {                                                                                              \
        if (!filch_kept) {                                                                         \
            FILCH_UNUSED filch_of_slot_##name *filch_args =                                        \
                (filch_of_slot_##name *)(void *)filch_ended->payload;                              \
            FILCH_RESULT(FILCH_RESULT_LOCAL_, R)                                                   \
            name##_body(filch_end_lane, filch_ended FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));       \
            return FILCH_RESULT(FILCH_RESULT_LOCAL_PASS_, R);                                      \
        }                                                                                          \
        return FILCH_RESULT(FILCH_RESULT_KEPT_, R);                                                \
    }                                                                                              \
    FILCH_INLINE R filch_of_join_##name(                                                           \
        filch_lane *filch_join_lane, filch_slot **filch_top, filch_slot **filch_handle,            \
        filch_slot ***filch_home, const filch_slot *filch_above, filch_of_kept_##name *filch_kept) \
    {                                                                                              \
        filch_slot *filch_joined = *filch_handle;                                                  \
        *filch_handle = NULL;                                                                      \
        *filch_home = NULL;                                                                        \
        if (filch_join_pop(filch_join_lane, filch_top, filch_joined, filch_above, filch_kept,      \
                           FILCH_RESULT(FILCH_RESULT_BYTES_, R))) {                                \
            FILCH_UNUSED filch_of_slot_##name *filch_args =                                        \
                (filch_of_slot_##name *)(void *)filch_joined->payload;                             \
            FILCH_RESULT(FILCH_RESULT_LOCAL_, R)                                                   \
            name##_body(filch_join_lane, filch_joined FILCH_MORE(FILCH_OF_ARGS, __VA_ARGS__));     \
            FILCH_FORK_NO_LOOP                                                                     \
            return FILCH_RESULT(FILCH_RESULT_LOCAL_PASS_, R);                                      \
        }                                                                                          \
        return FILCH_RESULT(FILCH_RESULT_KEPT_, R);                                                \
    }                                                                                              \
    FILCH_INLINE filch_slot *filch_of_fork_##name(                                                 \
        filch_lane *filch_fork_lane, filch_slot **filch_top,                                       \
        filch_of_kept_##name *filch_kept FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                   \
    {                                                                                              \
        FILCH_UNUSED filch_of_slot_##name *filch_args =                                            \
            (filch_of_slot_##name *)(void *)(*filch_top)->payload;                                 \
        FILCH_EACH(FILCH_FORK_TO_ARGS, __VA_ARGS__)                                                \
        return filch_fork_push(filch_fork_lane, filch_top, &filch_of_slots_type_##name,            \
                               filch_kept, FILCH_RESULT(FILCH_RESULT_BYTES_, R));                  \
    }                                                                                              \
    FILCH_INLINE void filch_of_forks_at_##name(                                                    \
        filch_lane *filch_fork_lane, filch_slot **filch_top,                                       \
        name##_handle *filch_handle FILCH_MORE(FILCH_DECLARE, __VA_ARGS__))                        \
    {                                                                                              \
        filch_handle->end = filch_of_end_##name;                                                   \
        filch_handle->slot = filch_of_fork_##name(                                                 \
            filch_fork_lane, filch_top, &filch_handle->kept FILCH_MORE(FILCH_NAME, __VA_ARGS__));  \
    }                                                                                              \
    static R name(FILCH_LIST(FILCH_DECLARE, void, __VA_ARGS__))                                    \
    {                                                                                              \
        filch_fork_entry filch_entry;                                                              \
        filch_fork_enter(&filch_entry, &name##_info);                                              \
        FILCH_RESULT(FILCH_RESULT_LOCAL_, R)                                                       \
        name##_body(filch_entry.lane, filch_entry.top FILCH_MORE(FILCH_NAME, __VA_ARGS__));        \
        if (filch_entry.outermost) {                                                               \
            filch_fork_leave(&filch_entry);                                                        \
        }                                                                                          \
        return FILCH_RESULT(FILCH_RESULT_LOCAL_PASS_, R);                                          \
    }                                                                                              \
    FILCH_CALLABLE(R, name, __VA_ARGS__)                                                           \
    FILCH_SPAWN_OF(R, name, __VA_ARGS__)

/* Each argument is stored as it is: gcc would gather several in a vector first, which takes longer
 * than to join what was forked last. */
#define FILCH_FORK_TO_ARGS(T, x)                                                                   \
    filch_args->x = x;                                                                             \
    __asm__ volatile("" ::: "memory");

/* Behind a call that could be the last thing a function does: kept a call. As a loop, into which
 * gcc would turn the recursion, the function begins with saving registers, also where it ends at
 * once; and its beginning cannot be compiled into the callers, which gcc does if it is small. */
#define FILCH_FORK_NO_LOOP __asm__ volatile("");

#endif
