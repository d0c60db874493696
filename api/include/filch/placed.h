/* filch/placed.h: futures whose task lives in them: one block of memory for what a task captures,
 * what becomes of it, and the future, where it stays from the beginning to the end.
 *
 * This is for languages whose values may not be copied byte by byte: C++ (filch.hpp) moves a lambda
 * into its place, calls it there, and puts its result, or the exception, where it was. */
#ifndef FILCH_PLACED_H
#define FILCH_PLACED_H

#include <filch/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Static, usually. */
typedef struct filch_placed {
    /* invoke(unspecified, state) is the task; captures_bytes is 0; result_bytes is the size of the
     * state, which is aligned as a type of that size may have to be, to up to 64 bytes. */
    filch_callable callable;
    /* Makes the state, in the call, before the task is submitted; must return with it made. */
    void (*place)(void *context, void *state);
    /* NULL, or called once when the last owner of the future is gone, or when the call is refused
     * after place(), whether the task has run or not; from any thread. It must not wait. */
    void (*destroy)(void *state);
} filch_placed;

/* Effect: has the pool call the task when all `needs` have succeeded, as filch_future_after() does;
 * n = 0: soon, as filch_apply_async() does. How the future ends is as told there. Its value is the
 * state: filch_future_get() copies the bytes.
 * Args: what: must outlive the future; context: for place(); needs: NULL if n is 0; future:
 * receives a reference, or NULL.
 * Errors: FILCH_EINVAL; FILCH_ENOMEM, FILCH_EOVERFLOW: place() was not called; FILCH_ECLOSED,
 * FILCH_EAGAIN: if it was, destroy() was, too; FILCH_EFORKED.
 * Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_future_place(filch_pool *pool, const filch_placed *what,
                                                 void *context, filch_future *const needs[],
                                                 size_t n, filch_future **future);

#ifdef __cplusplus
}
#endif

#endif
