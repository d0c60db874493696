/* filch/pool.h: pools of workers.
 *
 *     filch_status status;
 *     FILCH_WITH_POOL(pool, NULL, &status) {
 *         status = square_map(pool, numbers, 5000, squares);
 *     }
 *
 * Opening a pool starts no thread: the first work that can use one does. A program's own thread
 * that calls into a pool works too, on one of the pool's cores, until its call returns. NULL as
 * pool means the default pool, opened at its first use with default options.
 *
 * Ends of threads. A program's own thread may end inside a call, by pthread_exit(), thrd_exit() or
 * pthread_cancel(), in code of its own that the call runs: then it gives back what it held. What
 * has not begun of the call is dropped, what others run of it is waited for before the functions
 * that called filch are left; so is an open group, which is cancelled, and the forks of a fork
 * function, at the very end of the thread: those must not use the ended thread's variables. A
 * future's task that it ran because it waited for the future fails with FILCH_EBROKEN. A C++
 * exception that leaves a call is treated in the same way. Locks that it had taken stay locked.
 * A task's thread is not its own: for a task, callback, hook or stage of a pipeline to end it is a
 * fatal error, which says its name (log.h) and calls abort(). exit() may be called anywhere; its
 * handlers may use pools, but inside a task none can free the pool of that task (FILCH_EDEADLK).
 *
 * Cancellation. Only calls that wait for descriptors (io.h) are points of cancellation, and those
 * only outside of a pool (not in a group's block, say); any other wait goes on, and the request
 * stays until later. Asynchronous cancellation is not supported.
 *
 * Plug-ins. A library that contains filch stays loaded, from its first call of filch until the
 * process ends, whatever dlclose() is told.
 *
 * fork(). A child has none of the pools' threads. What was under way in the parent never ends
 * there: calls with a pool of the parent's, and waits for a future, promise, group, channel,
 * iterator, inbox or set of futures that was made there, are refused with FILCH_EFORKED, at once;
 * futures that were ready are, and values that a channel had can be received. So are all waits in
 * the child of a task, also filch_sleep(): it may exec or exit. One that goes on with work of the
 * parent's, because its task returns, say, is ended by abort(). A child of a thread that was inside
 * a pool (in a group's block, say) is outside of it. All else is as in any process: the child may
 * open pools and make what it waits for. */
#ifndef FILCH_POOL_H_PUBLIC
#define FILCH_POOL_H_PUBLIC

#include <filch/core.h> /* filch_pool_open(), _close(), _terminate(), _free(), _workers() */
#include <filch/options.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FILCH_WORKERS_MAX 1024
#define FILCH_BLOCKING_MAX 4096

/* For filch_pool_open(). Zero in a field means its default.
 *
 * FILCH_EINVAL: processes above FILCH_WORKERS_MAX, a stack too small; FILCH_ENOMEM, also for a
 * stack too large; FILCH_EAGAIN: eager_threads, and one could not be made; FILCH_ENOSYS: a filter
 * of system calls (seccomp) refuses one that no pool can do without, named through filch_log_to().
 * What else it refuses is done in another way, left out, or is the error of the call that needs it.
 * One that comes later is met as well as can be: without futex a pool that is open goes on slowly,
 * as long as the C library does not end the process over it.
 * A pool whose threads the system refuses asks again, at first after 1 ms and then at growing
 * intervals up to 256 ms, when one is needed. */
struct filch_pool_options {
    /* Workers, 1 to FILCH_WORKERS_MAX. Default: the environment variable FILCH_WORKERS if it holds
       such a number, else filch_cpu_count(). */
    unsigned processes;
    /* Stack of a task, rounded up to pages; only what is used of it takes memory. Least:
       filch_stack_bytes_min(); most: 1 GiB. Default: as much as the program's main thread has
       (RLIMIT_STACK; at least 1, at most 64 MiB), for as many as 1,024 tasks under way; those
       beyond have 1 MiB, as all have where address space is scarce (32 bits, RLIMIT_AS). */
    size_t stack_bytes;
    /* Tasks that may be in FILCH_BLOCKING or pinned at a time, for each of which there may be one
       more thread: blocking.h. Default: 64; most: FILCH_BLOCKING_MAX. */
    unsigned blocking_threads;
    /* Not 0: the pool's threads run on one processor each of the process's affinity mask: a
       physical core for each worker while there are any, package by package, then the cores'
       further processors, then round and round. For machines of one's own; the system mostly knows
       better. Default: no. */
    int bind_workers;
    /* Not 0: make all threads now, and fail if one cannot be made. Default: threads are made when
       work needs them; the pool works with fewer. */
    int eager_threads;
    /* NULL, or called once for each worker, before its first work, by the thread that is that
       worker then: to prepare what belongs to a worker, found again by filch_worker_id(). One that
       raises an error (filch_raise()) breaks the pool: what is pending fails with FILCH_EBROKEN and
       that error, and so does what is asked of the pool from then on. It should not wait. */
    void (*start)(void *context, unsigned worker);
    /* NULL, or called once for each worker that has started, when the pool is joined, by the thread
       that joins it. */
    void (*finish)(void *context, unsigned worker);
    void *hooks_context;
    /* Not 0: leave SIGSEGV alone. Default: a task that overflows its stack prints one line with its
       name before the segmentation fault ends the process; for this the first pool installs a
       handler, which passes all other faults on to the one before it. (Builds with a sanitizer
       leave that to the sanitizer.) */
    int leave_sigsegv;
};

/* Effect: waits until all accepted work has completed and the pool's threads have ended. Again:
 * no-op.
 * Errors: FILCH_EBUSY: neither closed nor terminated; FILCH_EDEADLK: called from inside this pool;
 * FILCH_EINVAL, FILCH_EFORKED.
 * Threads: any but the pool's tasks. Blocks. */
filch_status filch_pool_join(filch_pool *pool);

/* Effect: how much stack a task has, of the first 1,024 if that is the default. NULL: as for
 * filch_pool_workers(). */
size_t filch_pool_stack_bytes(const filch_pool *pool);

/* Effect: tells what broke the pool: what its start hook raised. error->status is FILCH_OK if it is
 * not broken.
 * Errors: FILCH_EINVAL. Threads: any. Does not block. */
filch_status filch_pool_error(filch_pool *pool, filch_error *error);

/* Effect: writes a line for logs and debuggers, e.g. "<filch_pool state=running workers=2>".
 * NULL: the default pool's; before its first use its state is "unopened".
 * Returns: what snprintf would. */
int filch_pool_repr(const filch_pool *pool, char *buffer, size_t bytes);

/* Effect: processors that this process may really use: the smallest of its affinity mask and its
 * cgroups' quotas (rounded up), at least 1. Looked at once.
 * Threads: any. Does not block. */
unsigned filch_cpu_count(void);

/* Effect: why it is that number, in words, e.g. "2: affinity mask". Static, never NULL. */
const char *filch_cpu_count_reason(void);

/* Effect: the least stack_bytes that filch_pool_open() accepts on this machine. */
size_t filch_stack_bytes_min(void);

/* Used by FILCH_WITH_POOL. */
filch_pool *filch_pool_with(const filch_pool_options *options, filch_status *status);
void filch_pool_leave(filch_pool **pool);

/* clang-format off */
/* FILCH_WITH_POOL(pool, options, &status) { ... }
 *
 * Effect: opens a pool for the block that follows; leaving the block in any way (its end, break,
 * return, goto) closes, joins and frees the pool. If opening fails, the block is skipped and
 * `status` says why. Unlike Python's, leaving it lets accepted work complete; call
 * filch_pool_terminate() before if you do not want that. */
#define FILCH_WITH_POOL(pool, ...)                                                                 \
    for (filch_pool *pool __attribute__((cleanup(filch_pool_leave))) =                             \
                        filch_pool_with(__VA_ARGS__),                                              \
                    *pool##_once = pool;                                                           \
         pool##_once; pool##_once = NULL)
/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
