/* filch/deadlock.h: which task or thread waits for what.
 *
 * A wait that nothing can end does not hang, it returns FILCH_EDEADLK, and the log (log.h) gets the
 * story: each task's name and place, what it waits for, and what holds that. It is looked for when
 * a pool has been idle for some 0.1 s, and when a thread of the program has waited that long:
 *
 *   cycles     tasks or threads that wait, without deadlines, for mutexes, onces or futures which
 *              the next of them holds, or runs. All these waits end.
 *   stillness  every thread of the process waits in filch, and nothing is left that could wake one.
 *              Then the waits end that no task or thread has the key to, of channels, semaphores,
 *              conditions, wait groups and promises; the others may go on when those have returned.
 *
 * A deadlock that is reported is one. Stillness is concluded only if all of this is so, seen twice,
 * and no thread was awake in between:
 *
 *   - The system says how many threads there are, and filch knows them all: a thread that has never
 *     called filch (of a library, of timer_create() with SIGEV_THREAD, of aio) might do something.
 *   - Each of them sleeps in a call of filch that has no deadline: one that is in read(), poll(),
 *     sigwait() or thrd_join(), or computes, might go on.
 *   - No task runs, is ready or is to begin; no timer of a pool runs.
 *   - No task waits for a descriptor, in filch_read() and the like, which other processes can make
 *     ready.
 *   - No wait is for a semaphore while the program has a handler for any signal but faults, which
 *     may release it (sync.h). For all else that is waited for handlers do not matter, since they
 *     may not touch it.
 *
 * So nothing is concluded where the system does not tell about threads, nor under ThreadSanitizer,
 * which has one of its own. In the child of a fork() only the threads that are there count. What is
 * not known, and must not be: an object in memory that is shared with another process, and a mutex
 * that is unlocked by another task or thread than the one that locked it. That a wait of a cycle
 * might be cancelled, or its pool terminated, is not waited for.
 *
 * A wait for oneself, for a mutex that one has, or for the end of the own task, is refused at once.
 * Waits for a stolen child, a loop or the tasks of a group cannot be ended: they are told of only.
 *
 * Source: Coffman, Elphick & Shoshani, "System deadlocks" (1971). */
#ifndef FILCH_DEADLOCK_H
#define FILCH_DEADLOCK_H

#include <stdio.h>

#include <filch/pool.h>
#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: writes a line for each live task of the pool and each thread known to filch: its name and
 * place, whether it runs, what it waits for and what holds that. NULL: of all pools. At any time;
 * what changes meanwhile may be missing.
 * Errors: FILCH_EINVAL: stream is NULL; FILCH_EFORKED; FILCH_ENOMEM. Threads: any. Does not block,
 * except for writing. */
filch_status filch_dump(filch_pool *pool, FILE *stream);

/* Effect: from now on that signal (SIGQUIT, say) makes a thread of filch's own write the dump of
 * all pools to the standard error; the program goes on. Installs a handler for it and starts the
 * thread, once per process.
 * Errors: FILCH_EINVAL: not a signal that can be handled; FILCH_EALREADY: done already, for another
 * signal; FILCH_EAGAIN, FILCH_ENOMEM; FILCH_ENOSYS: the system lets no signal be handled.
 * Threads: any. Does not block. */
filch_status filch_dump_on_signal(int signal);

#ifdef __cplusplus
}
#endif

#endif
