/* filch/error.h: errors that tasks raise, and what is known about them.
 *
 *     FILCH_FUNCTION(double, root, (double, x))
 *     {
 *         if (x < 0) {
 *             return filch_raise(EDOM, "no real root of %g", x), 0;
 *         }
 *         return sqrt(x);
 *     }
 */
#ifndef FILCH_ERROR_H
#define FILCH_ERROR_H

#include <stddef.h>

#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FILCH_NO_INDEX ((size_t)-1)

typedef struct filch_error {
    filch_status status;  /* FILCH_OK: no error; FILCH_ERAISED: the rest is valid */
    int code;             /* as given to filch_raise() */
    size_t index;         /* of the element, in a map or loop; else FILCH_NO_INDEX */
    const char *function; /* the name of the function that was called or mapped */
    char message[120];    /* always terminated; cut if it was longer */
} filch_error;

/* Effect: marks the task, map, loop or call that the caller is part of as failed, and goes on:
 * return right after it. In a map or loop every element still runs, and the error of the lowest
 * index is kept; elsewhere the first is. Outside of any task it only returns.
 * Args: code: any number but 0, which is taken as -1; format and what follows: as for printf.
 * Returns: code, so that it can be passed on.
 * Threads: any. Does not block. */
int filch_raise(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
