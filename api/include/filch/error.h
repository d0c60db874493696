/* filch/error.h: errors that tasks raise, and what is known about them.
 *
 *     FILCH_FUNCTION(double, root, (double, x))
 *     {
 *         if (x < 0) {
 *             return filch_raise(EDOM, "no real root of %g", x), 0;
 *         }
 *         return sqrt(x);
 *     }
 *
 *     FILCH_FUNCTION(double, mean_root, (double *, x), (size_t, n))
 *     {
 *         ...
 *         FILCH_TRY(root_map(NULL, x, n, y), 0);              if it is not FILCH_OK: raise it and
 *         FILCH_TRY_FROM(future, sum_get(future, &sum), 0);   return 0; here with what sum raised
 *
 * The rule: a filch_status says what the call came to; what is raised says what the task came to,
 * and is told to those who ask for its result; calls of io.h answer as the system does: -errno.
 * A function that is called returns its status; the body of a task raises. The code of what is
 * raised is a number of <errno.h>, or the program's own: a time-out that was met as
 * FILCH_ETIMEDOUT and one that was met as -ETIMEDOUT are both raised as ETIMEDOUT. */
#ifndef FILCH_ERROR_H
#define FILCH_ERROR_H

#include <filch/core.h> /* filch_error, filch_raise() */
#include <filch/macros.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: as filch_raise(filch_errno_of(status), "%s", filch_strerror(status)). FILCH_OK: nothing.
 * As always the first that a task raises counts: what the call has raised itself stands.
 * Returns: status. Threads: any. Does not block. */
filch_status filch_raise_status(filch_status status);

/* Effect: raises a number of <errno.h>, of either sign, with the system's text for it. 0: nothing.
 * Returns: the number, above 0. Threads: any. Does not block. */
int filch_raise_errno(int code);

/* Effect: raises again what is known of another error, with its code, message and function, and,
 * except in a loop, which has its own, its index. An error whose status is not FILCH_ERAISED is
 * raised as filch_raise_status() does; FILCH_OK: nothing.
 * Returns: its status; FILCH_EINVAL: NULL. Threads: any. Does not block. */
filch_status filch_raise_error(const filch_error *error);

/* Effect: the same for what ended the future, if it is ready. It does not wait.
 * Returns: how it ended; FILCH_EINVAL: NULL; FILCH_EPENDING. Nothing is raised then.
 * Threads: any. Does not block. */
filch_status filch_raise_from(filch_future *future);

/* Used by FILCH_TRY_FROM. */
FILCH_UNUSED static inline void filch_raise_tried(filch_future *future, filch_status status)
{
    if (!filch_future_ready(future) || filch_raise_from(future) != status) {
        filch_raise_status(status);
    }
}

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* FILCH_TRY(call, result): does the call; if that answers anything but FILCH_OK, raises it and
 * returns `result` from the function, which is left out in a function of type void.
 * FILCH_TRY_FROM(future, call, result): the same for a call that is about a future: what the
 * future's task has raised is raised again. */
#define FILCH_TRY(...)                                                                             \
    FILCH_CAT(FILCH_TRY_, FILCH_COUNT_9(__VA_ARGS__))                                              \
    (sizeof(#__VA_ARGS__) > 1, filch_raise_status(filch_tried), __VA_ARGS__)
#define FILCH_TRY_FROM(future, ...)                                                                \
    FILCH_CAT(FILCH_TRY_, FILCH_COUNT_9(__VA_ARGS__))                                              \
    (sizeof(#__VA_ARGS__) > 1, filch_raise_tried(future, filch_tried), __VA_ARGS__)
#define FILCH_TRY_0(given, raise, call) FILCH_TRY_OR(given, raise, call, return)
#define FILCH_TRY_1(given, raise, call, ...) FILCH_TRY_OR(given, raise, call, return __VA_ARGS__)
#define FILCH_TRY_OR(given, raise, call, ...)                                                      \
    do {                                                                                           \
        FILCH_ASSERT_STATIC(given, "FILCH_TRY(call, result); _FROM(future, call, result)");        \
        const filch_status filch_tried = (call);                                                   \
        if (filch_tried != FILCH_OK) {                                                             \
            raise;                                                                                 \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

/* FILCH_TRY_IO(n, call, result): n = call, of io.h or another that answers -errno; if n is below 0,
 * raises that number, e.g. ECONNRESET, and returns `result`. */
#define FILCH_TRY_IO(n, ...)                                                                       \
    FILCH_CAT(FILCH_TRY_IO_, FILCH_COUNT_9(__VA_ARGS__))                                           \
    (sizeof(#__VA_ARGS__) > 1, n, __VA_ARGS__)
#define FILCH_TRY_IO_0(given, n, call) FILCH_TRY_IO_OR(given, n, call, return)
#define FILCH_TRY_IO_1(given, n, call, ...) FILCH_TRY_IO_OR(given, n, call, return __VA_ARGS__)
#define FILCH_TRY_IO_OR(given, n, call, ...)                                                       \
    do {                                                                                           \
        FILCH_ASSERT_STATIC(given, "FILCH_TRY_IO(n, call, result)");                               \
        (n) = (call);                                                                              \
        if ((n) < 0) {                                                                             \
            filch_raise_errno((int)(n));                                                           \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)
/* clang-format on */

#endif
