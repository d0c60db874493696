/* filch/task.h: what a task can ask and do. All of it works in ordinary threads too.
 * What becomes of a task, or thread, that ends in the middle: pool.h.
 *
 * The context of a task. A task runs on some thread, and after each wait maybe on another. Of what
 * programs know as their thread's:
 *
 *   floating-point modes: how is rounded, what traps, what is flushed to zero (fesetround(), the
 *     control words of x87 and SSE, fpcr). A task begins with those of its submitter, the one
 *     that called name_apply(), _apply_async(), _spawn(), _then(), _for(), and so on. They are its
 *     own, across waits, too, and end with it: no other task finds them, nor does the thread that
 *     waits for it. Elements that run one after the other on one thread share them, as in a plain
 *     loop, until the loop has ended there. A fork's function has its caller's, which leaves them
 *     as they are until it has joined; when no other thread took the fork it is called like any
 *     function, and has to put back what it changes. The flags that tell what has happened
 *     (fetestexcept()) mean nothing after a wait.
 *
 *   exceptions in C++: a task sees its own alone, and may wait while it handles one, or while one
 *     passes. None may leave a task. In elements of a loop and forks, too, `throw;` is for what
 *     they have caught themselves.
 *
 *   locale (uselocale()): a task begins with the process's, setlocale()'s. One that it sets ends
 *     with it, and is to be put back before it waits.
 *
 *   signals that are blocked (pthread_sigmask()), and the thread's name: the thread's. A worker
 *     blocks all signals but those that its own instructions raise, and SIGPROF; it is called
 *     "filch". filch changes neither afterwards, nor ever those of a program's own thread, and does
 *     not look, since only the kernel knows: a task that changes one puts it back before it waits
 *     or ends, or the thread's next task finds it.
 *
 *   errno, thread-local variables: the thread's, and another's after a wait. */
#ifndef FILCH_TASK_H
#define FILCH_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: waits. A task is suspended and its core goes on with other work.
 * Args: seconds: 0 or less, or NaN: returns at once; infinite: until the pool is terminated.
 * Errors: FILCH_ECANCELED: the caller was asked to stop, see filch_cancelled(); FILCH_ENOMEM.
 * Threads: any. Blocks; may migrate. */
filch_status filch_sleep(double seconds);

/* Effect: the same, until then. */
filch_status filch_sleep_until(filch_deadline until);

/* Effect: lets others that are ready go first. Threads: any. May migrate. */
void filch_yield(void);

/* Effect: which worker runs the caller, 1, 2, ...; 0 outside of every pool. A task's may change at
 * each call that can block. A program's own thread that helps in a pool has a number too, beyond
 * the pool's workers if all of those are busy. */
unsigned filch_worker_id(void);

/* Effect: the operating system's number of the calling thread. */
uint64_t filch_thread_id(void);

/* Effect: has the caller been asked to stop: its future was cancelled, or a group that it is a task
 * of or has open (group.h), or the deadline of one has passed, or its pool was terminated? Long
 * computations look now and then, and return. */
bool filch_cancelled(void);

#ifdef __cplusplus
}
#endif

#endif
