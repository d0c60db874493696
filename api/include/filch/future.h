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

#include <filch/closure.h>
#include <filch/core.h> /* filch_apply(), filch_apply_async(), filch_future_get() and others */
#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_promise filch_promise;

/* Effect: as filch_apply() and filch_apply_async(), of a closure that is made of `callable`
 * and `captures` for this call. What generated code uses. */
FILCH_MUST_CHECK filch_status filch_apply_captured(filch_pool *pool, const filch_callable *callable,
                                                   const void *captures, void *result);
FILCH_MUST_CHECK filch_status filch_apply_async_captured(filch_pool *pool,
                                                         const filch_callable *callable,
                                                         const void *captures,
                                                         filch_future **future);

/* Effect: as get, of a result of the type that `as` gives, which tells its size, too. What
 * generated code uses.
 * Errors: as get; FILCH_EINVAL: also, at once: the future's is of another type or size, as then.h
 * has it; a line in the log (log.h) says which. */
FILCH_MUST_CHECK filch_status filch_future_get_as(filch_future *future, const filch_callable *as,
                                                  void *result);

/* Effect: as get, without waiting: FILCH_EPENDING when it is not ready. */
FILCH_MUST_CHECK filch_status filch_future_try_get(filch_future *future, void *result,
                                                   size_t bytes);

/* Effect: has it ended without an error; was it cancelled before it began (both false while it is
 * not ready); does its task run now. NULL: false. */
bool filch_future_successful(filch_future *future);
bool filch_future_cancelled(filch_future *future);
bool filch_future_running(filch_future *future);

/* Effect: writes a line for logs and debuggers, e.g. "<filch_future square state=pending>". */
int filch_future_repr(filch_future *future, char *buffer, size_t bytes);

/* Effect: a descriptor that is readable as soon as the future is ready, for poll(), epoll and event
 * loops. Only wait on it: do not read, write or close it. The same one each time; it is closed when
 * the future's last owner has freed it.
 * Errors: FILCH_EINVAL; FILCH_ENOMEM; FILCH_EAGAIN: there are no more. Does not block. */
FILCH_MUST_CHECK filch_status filch_future_fd(filch_future *future, int *descriptor);

/* Effect: one more owner; returns the same future. */
filch_future *filch_future_retain(filch_future *future);

/* Effect: a promise, and the future that it completes with a value of `bytes` bytes (may be 0).
 * Owns: the caller, both. Errors: FILCH_EINVAL, FILCH_ENOMEM, FILCH_EOVERFLOW. */
FILCH_MUST_CHECK filch_status filch_promise_new(size_t bytes, filch_promise **promise,
                                                filch_future **future);

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
