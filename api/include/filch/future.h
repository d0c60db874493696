/* filch/future.h: results that are not there yet, and promises that bring them.
 *
 * A future is counted: the call that makes one gives the caller a reference, which
 * filch_future_free() returns. It outlives its pool; its result can be read any number of times
 * and from any thread. A caller that has seen that a future is ready may return its reference, and
 * free the promise that it is of, though the call that set it may not have returned yet. A wait
 * from a task suspends the task and frees its core; from any other
 * thread it sleeps, after having run the awaited task itself if no other has begun it. */
#ifndef FILCH_FUTURE_H
#define FILCH_FUTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <filch/closure.h>
#include <filch/error.h>
#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_future filch_future;
typedef struct filch_promise filch_promise;

/* Effect: call the closure inside the pool and wait for its result. The caller works itself
 * instead of sleeping.
 * Args: pool: NULL: the default one; result: room for the closure's result, untouched on error;
 * error: NULL, or told what was raised.
 * Errors: FILCH_EINVAL, FILCH_ECLOSED, FILCH_ENOMEM, FILCH_EFORKED; FILCH_ERAISED.
 * Threads: any. Blocks; may migrate when called from a task. */
filch_status filch_apply(filch_pool *pool, const filch_closure *closure, void *result,
                         filch_error *error);

/* Effect: have the closure called by the pool, soon; returns at once.
 * Args: future: receives a reference, or pass NULL if the result will not be asked for.
 * Errors: as filch_apply, and FILCH_EAGAIN: the pool has no thread and can make none. On error the
 * closure was not called and will not be.
 * Threads: any. Does not block. */
filch_status filch_apply_async(filch_pool *pool, const filch_closure *closure,
                               filch_future **future);

/* What the end of a task or of an asynchronous map calls: one of the two, once, by the thread
 * that ended it, before the future is ready, so that a waiter for the future sees what it did. They
 * should be short, and must not wait for the future. What they raise is dropped. */
typedef struct filch_async_options {
    /* NULL, or: it succeeded. result: as of the closure; NULL if that has none, and of a map. */
    void (*callback)(void *context, const void *result);
    /* NULL, or: it failed or was cancelled. */
    void (*error_callback)(void *context, const filch_error *error);
    void *context;
    /* Not 0: it begins when nothing else is to be done, or when it has waited while a good deal of
     * other work was begun: it is put off, not starved. */
    int background;
} filch_async_options;

/* Effect: as filch_apply_async, with callbacks. options: NULL for none; copied.
 * If the call is refused, neither is called. */
filch_status filch_apply_async_with(filch_pool *pool, const filch_closure *closure,
                                    const filch_async_options *options, filch_future **future);

/* Effect: wait until the future is ready.
 * Errors: FILCH_EINVAL; FILCH_EDEADLK: the caller is the task that the future is for;
 * FILCH_ECANCELED: the caller was asked to stop, see filch_cancelled(); FILCH_EDEADLK: nothing can
 * end the wait, see deadlock.h; FILCH_EFORKED: it was pending in the parent of this process. How
 * the task itself ended is for get().
 * Threads: any. Blocks; may migrate. */
filch_status filch_future_wait(filch_future *future);

/* Effect: as wait, for `seconds` at most. 0 or less, or NaN: does not wait; infinite: no limit.
 * Errors: as wait; FILCH_ETIMEDOUT. */
filch_status filch_future_wait_for(filch_future *future, double seconds);

/* Effect: wait, then copy the result of `bytes` bytes to `result`. May be called again.
 * Errors: as wait; FILCH_EINVAL: bytes is not the size of the result; and how the task ended if it
 * did not succeed: FILCH_ERAISED, FILCH_ECANCELED, FILCH_EBROKEN. result is untouched then. */
filch_status filch_future_get(filch_future *future, void *result, size_t bytes);

/* Effect: as get, without waiting: FILCH_EPENDING when it is not ready. */
filch_status filch_future_try_get(filch_future *future, void *result, size_t bytes);

/* Effect: is it ready; has it ended without an error; was it cancelled before it began (both false
 * while it is not ready); does its task run now. NULL: false.
 * Threads: any. Do not block. */
bool filch_future_ready(filch_future *future);
bool filch_future_successful(filch_future *future);
bool filch_future_cancelled(filch_future *future);
bool filch_future_running(filch_future *future);

/* Effect: what is known about how it ended; error->status is FILCH_OK after success.
 * Errors: FILCH_EINVAL; FILCH_EPENDING. Does not block. */
filch_status filch_future_error(filch_future *future, filch_error *error);

/* Effect: a task that has not begun never will, and the future fails with FILCH_ECANCELED; so does
 * one of a promise. A task that runs is asked to stop: filch_cancelled() is true for it and for
 * what it has forked, and its waits return FILCH_ECANCELED; what it then returns or raises is its
 * end.
 * Errors: FILCH_EALREADY: it has ended; FILCH_EINVAL; FILCH_EFORKED as wait. Does not block. */
filch_status filch_future_cancel(filch_future *future);

/* Effect: writes a line for logs and debuggers, e.g. "<filch_future square state=pending>". */
int filch_future_repr(filch_future *future, char *buffer, size_t bytes);

/* Effect: a descriptor that is readable as soon as the future is ready, for poll(), epoll and event
 * loops. Only wait on it: do not read, write or close it. The same one each time; it is closed when
 * the future's last owner has freed it.
 * Errors: FILCH_EINVAL; FILCH_ENOMEM; FILCH_EAGAIN: no descriptor is to be had. Does not block. */
filch_status filch_future_fd(filch_future *future, int *descriptor);

/* Effect: one more owner; returns the same future. */
filch_future *filch_future_retain(filch_future *future);

/* Effect: one owner less. NULL: no-op. A task whose future has no owner still runs. */
void filch_future_free(filch_future *future);

/* Effect: a promise, and the future that it completes with a value of `bytes` bytes (may be 0).
 * Owns: the caller, both. Errors: FILCH_EINVAL, FILCH_ENOMEM, FILCH_EOVERFLOW. */
filch_status filch_promise_new(size_t bytes, filch_promise **promise, filch_future **future);

/* Effect: completes the future; value: `bytes` bytes, copied.
 * Errors: FILCH_EALREADY: it was complete, the first value stands; FILCH_EINVAL; FILCH_EFORKED: it
 * was made by the parent of this process, whose tasks wait for it.
 * Threads: any, also outside of every pool. Does not block. */
filch_status filch_promise_set_value(filch_promise *promise, const void *value);

/* Effect: completes the future with an error, as filch_raise(code, "%s", message) in a task would.
 * Errors: as set_value. message may be NULL. */
filch_status filch_promise_set_error(filch_promise *promise, int code, const char *message);

/* Effect: gives the promise up; if it was not set its future fails with FILCH_EBROKEN. NULL:
 * no-op. */
void filch_promise_free(filch_promise *promise);

#ifdef __cplusplus
}
#endif

#endif
