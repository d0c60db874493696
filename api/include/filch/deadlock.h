/* filch/deadlock.h: who waits for what.
 *
 * A wait that nobody can end does not hang, it returns FILCH_EDEADLK, and the log (log.h) gets the
 * story: each task's name and place, what it waits for, and who holds that. It is looked for when a
 * pool has been idle for some 0.1 s, and when a thread of the program has waited that long:
 *
 * cycles tasks or threads that wait, without deadlines, for mutexes, onces or futures which the
 *              next of them holds, or runs. All these waits end.
 *   stillness  every thread of the process waits in filch, and nothing is left that could wake one:
 * no timer, no descriptor, no running task. Then the waits end that nobody holds the key
 *              to, of channels, semaphores, conditions, wait groups and promises; the others may go
 * on when those have returned. A thread that waits elsewhere (in read(), thrd_join()), or
 *              that filch has never seen, might still do something: nothing is concluded then.
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
 * place, whether it runs, what it waits for and who holds that. NULL: of all pools. At any time;
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
