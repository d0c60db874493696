/* filch/core.h: what all of filch stands on, as plain functions and structs.
 *
 *     static void square(size_t i, void *numbers)
 *     {
 *         ((double *)numbers)[i] *= ((double *)numbers)[i];
 *     }
 *
 *     filch_pool *pool;
 *     if (filch_pool_open(NULL, &pool) == FILCH_OK) {
 *         status = filch_parallel_for(pool, n, square, numbers);
 *         filch_pool_free(pool);
 *     }
 *
 * This is for a foreign-function interface, for a library that brings its own types, and to begin
 * reading with. Nothing here is generated. pool.h, closure.h, future.h and loop.h have what more
 * there is to say and to do about each part; FILCH_FUNCTION (function.h) and its relatives make
 * typed functions on top; filch.h includes all.
 *
 * Unless a function says otherwise, it may be called by any thread and any task, and does not
 * block. One that blocks suspends a task, which may go on on another thread; a program's own thread
 * works for the pool meanwhile. A missing argument is FILCH_EINVAL, and a call that fails has
 * changed nothing. As `pool`, NULL is the default pool.
 *
 * What a binding has to know. filch_status is an unsigned int, bool a byte. filch_closure and
 * filch_deadline are passed by value: filch_closure_make() and filch_future_wait() do without.
 * How a call is to run (until when, whom to tell of errors) is said by filch_on(pool, &options) in
 * the pool's place; that struct is in options.h, that for opening a pool in pool.h. What is called
 * back runs on any thread: a language whose threads have a state (Python, Go, Java; what Rust keeps
 * in thread_local!) calls filch_pin() (blocking.h) first in a task that waits. No exception and no
 * panic may pass through C. Captures and results are in memory of the library's, for as long as the
 * call lasts. */
#ifndef FILCH_CORE_H_PUBLIC
#define FILCH_CORE_H_PUBLIC

#include <stdbool.h>
#include <stddef.h>

#include <filch/function_info.h>
#include <filch/platform.h>
#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---- */

#define FILCH_NO_INDEX ((size_t)-1)

/* What a task raised. */
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
 * Returns: code, so that it can be passed on. */
int filch_raise(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Effect: the same with a text as it is, for languages that cannot call what takes any number of
 * arguments. text: NULL is "". */
int filch_raise_text(int code, const char *text);

/* ---- pools ---- */

typedef struct filch_pool filch_pool;
typedef struct filch_pool_options filch_pool_options; /* pool.h */

/* How a call is to run: it stands where the pool stands, filch_on(pool, &options) or FILCH_ON(pool,
 * .error = &error) (options.h). */
typedef struct filch_options filch_options;

/* Effect: opens a pool; its threads are made when work needs them. options: NULL for all defaults:
 * a worker for each processor that the process may use, the caller one of them; copied.
 * Owns: the caller; ends with filch_pool_free().
 * Errors: FILCH_EINVAL, FILCH_ENOMEM, FILCH_EAGAIN, FILCH_ENOSYS: pool.h. */
FILCH_MUST_CHECK filch_status filch_pool_open(const filch_pool_options *options, filch_pool **pool);

/* Effect: the pool accepts no more work; what it accepted will complete. Again: no-op.
 * Errors: FILCH_EINVAL, FILCH_EFORKED. */
filch_status filch_pool_close(filch_pool *pool);

/* Effect: as close; moreover tasks that have not begun never will, their futures fail with
 * FILCH_ECANCELED; tasks that run are asked to stop: filch_cancelled() is true for them, and their
 * filch_sleep() and waits for futures return FILCH_ECANCELED at once; maps leave out the elements
 * that have not begun. What a program's own thread runs in the pool is told by filch_cancelled()
 * alone. Again: no-op.
 * Errors: as close. */
filch_status filch_pool_terminate(filch_pool *pool);

/* Effect: closes, waits until all accepted work has completed and the pool's threads have ended,
 * and frees. To be quick, terminate first. Futures stay valid. NULL: no-op.
 * Errors: FILCH_EDEADLK: called from inside this pool, nothing is freed. FILCH_EFORKED: the pool
 * belongs to the parent; its memory stays. FILCH_EINVAL: it is the default pool.
 * Threads: any but the pool's tasks, when nothing else uses the pool any more: a call that has
 * submitted a task, or made one ready, does not once that task is known to run, though it may not
 * have returned yet. Blocks. */
filch_status filch_pool_free(filch_pool *pool);

/* Effect: how many workers it was opened with, defaults resolved; at least 1. NULL: of the default
 * pool; before its first use, which this is not, what it would be opened with now. */
unsigned filch_pool_workers(const filch_pool *pool);

/* ---- closures: a function with its arguments, captured by value ---- */

/* What can be called with its arguments in one block of memory. Static, usually. */
typedef struct filch_callable {
    /* Both are where a type of their size may lie, aligned to up to 64 bytes, if the library has
     * put them there. */
    void (*invoke)(void *captures, void *result);
    size_t captures_bytes;
    size_t result_bytes;             /* 0: no result, `result` is NULL */
    const filch_function_info *info; /* for errors, traces and dumps; NULL: nothing is known */
} filch_callable;

/* A plain value if its captures take at most FILCH_INLINE_BYTES and own nothing; see closure.h. A
 * binding need not know its fields: 80 bytes, aligned to 16. */
typedef struct filch_closure {
    const filch_callable *callable; /* NULL: an empty closure, which every call refuses */
    union {
        FILCH_ALIGNED(16) unsigned char bytes[FILCH_INLINE_BYTES];
        struct filch_box *box;
    } captures;
    bool boxed;
} filch_closure;

/* Effect: a closure of `callable` over a copy of captures_bytes at `captures`.
 * Args: callable: must outlive the closure; captures: may be NULL when captures_bytes is 0;
 * destroy: NULL, or called once with the captured bytes when the last reference is gone, from any
 * thread.
 * Errors: FILCH_EINVAL, FILCH_ENOMEM: *out is empty and destroy will not be called. */
FILCH_MUST_CHECK filch_status filch_closure_make(filch_closure *out, const filch_callable *callable,
                                                 const void *captures,
                                                 void (*destroy)(void *captures));

/* Effect: a closure that calls function(environment); its result is an int.
 * Args: environment: not owned; see filch_closure_make() for captures that are. */
filch_closure filch_closure_of(int (*function)(void *environment), void *environment);

/* Effect: one owner less; *closure becomes empty. NULL and empty closures are no-ops. */
void filch_closure_release(filch_closure *closure);

/* ---- tasks and futures ---- */

typedef struct filch_future filch_future;

/* Effect: call the closure inside the pool and wait for its result. The caller works itself
 * instead of sleeping.
 * Args: result: room for the closure's result, untouched on error.
 * Errors: FILCH_EINVAL, FILCH_ECLOSED, FILCH_ENOMEM, FILCH_EFORKED; FILCH_ERAISED. Blocks. */
FILCH_MUST_CHECK filch_status filch_apply(filch_pool *pool, const filch_closure *closure,
                                          void *result);

/* Effect: have the closure called by the pool, soon; returns at once.
 * Args: future: receives a reference, or pass NULL if the result will not be asked for.
 * Errors: as filch_apply, and FILCH_EAGAIN: the pool has no thread and can make none. On error the
 * closure was not called and will not be. */
FILCH_MUST_CHECK filch_status filch_apply_async(filch_pool *pool, const filch_closure *closure,
                                                filch_future **future);

/* Effect: wait until the future is ready.
 * Errors: FILCH_EINVAL; FILCH_ETIMEDOUT; FILCH_EDEADLK: the caller is the task that the future is
 * for, or nothing can end the wait (deadlock.h); FILCH_ECANCELED: the caller was asked to stop;
 * FILCH_EFORKED: it was pending in the parent of this process. How the task itself ended is for
 * get(). Blocks. */
FILCH_MUST_CHECK filch_status filch_future_wait(filch_future *future);
FILCH_MUST_CHECK filch_status filch_future_wait_until(filch_future *future, filch_deadline until);

/* Effect: wait, then copy the result of `bytes` bytes to `result`. May be called again.
 * Errors: as wait; FILCH_EINVAL: bytes is not the size of the result; and how the task ended if it
 * did not succeed: FILCH_ERAISED, FILCH_ECANCELED, FILCH_EBROKEN. result is untouched then. */
FILCH_MUST_CHECK filch_status filch_future_get(filch_future *future, void *result, size_t bytes);

/* Effect: is it ready? NULL: false. */
bool filch_future_ready(filch_future *future);

/* Effect: what is known about how it ended; error->status is FILCH_OK after success.
 * Errors: FILCH_EINVAL; FILCH_EPENDING. */
filch_status filch_future_error(filch_future *future, filch_error *error);

/* Effect: a task that has not begun never will, and the future fails with FILCH_ECANCELED; so does
 * one of a promise. A task that runs is asked to stop: filch_cancelled() is true for it and for
 * what it has forked, and its waits return FILCH_ECANCELED; what it then returns or raises is its
 * end.
 * Errors: FILCH_EALREADY: it has ended; FILCH_EINVAL; FILCH_EFORKED as wait. */
filch_status filch_future_cancel(filch_future *future);

/* Effect: one owner less. NULL: no-op. A task whose future has no owner still runs. */
void filch_future_free(filch_future *future);

/* ---- maps and loops ---- */

/* The part of a loop that its worker runs next: [next, stop). The block function stores next =
 * i + 1 before it runs element i, and reads stop again after each. */
typedef struct filch_range {
    unsigned long long next;
    unsigned long long stop;
} filch_range;

/* What a loop runs; static, usually. */
typedef struct filch_body {
    /* An environment that was copied is aligned for its size, to up to 64 bytes. */
    void (*block)(const void *environment, filch_range *range);
    size_t environment_bytes;
    size_t element_bytes; /* of the output; 0: none. n times this must not overflow. */
    /* NULL: nothing is known, and how long elements take is learned of all such loops together. */
    const filch_function_info *info;
} filch_body;

/* Effect: runs body's elements 0 to n - 1, in parallel, each once, and returns when all have run.
 * Elements may run in any order; each sees what was done before the call, and what they did is seen
 * after it. n = 0: nothing runs.
 * Args: environment: body->environment_bytes, copied.
 * Errors: FILCH_ERAISED: an element raised an error; all elements have run, unless options say
 * otherwise, and their error is that of the lowest index. FILCH_ECANCELED: it was asked to stop;
 * some elements have not run. FILCH_EINVAL; FILCH_EOVERFLOW; FILCH_ECLOSED; FILCH_ENOMEM;
 * FILCH_EFORKED; FILCH_EBROKEN: nothing has run. Blocks. */
FILCH_MUST_CHECK filch_status filch_map(filch_pool *pool, const filch_body *body,
                                        const void *environment, size_t n);

/* Effect: body(i, environment) for i = 0 to n - 1: the untyped loop.
 * Args: environment: not copied. Errors: as filch_map. Blocks. */
FILCH_MUST_CHECK filch_status filch_parallel_for(filch_pool *pool, size_t n,
                                                 void (*body)(size_t i, void *environment),
                                                 void *environment);

#ifdef __cplusplus
}
#endif

#endif
