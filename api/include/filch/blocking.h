/* filch/blocking.h: calls that block in the system, and code that must stay on its thread.
 *
 *     FILCH_BLOCKING {
 *         rc = getaddrinfo(host, port, NULL, &list);
 *     }
 *
 * A break or continue in it leaves it, and not the loop around it.
 *
 * Where filch has a call that suspends the task (io.h, sync.h, filch_sleep()), that is cheaper. */
#ifndef FILCH_BLOCKING_H
#define FILCH_BLOCKING_H

#include <filch/macros.h>
#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: from here to the end the calling task may block its thread: its core goes to another
 * thread, one that is idle or a new one. At most `blocking_threads` of the pool's options can be in
 * there at a time, pinned ones included; at that bound a task is suspended until another comes out,
 * in the order in which they came. The task goes on on the same thread inside; after the end it
 * waits for a core if all are taken, and may go on on another thread. Threads that are too many
 * after that end when they have been idle for a second. Pairs may be nested: the inner ones do
 * nothing. Calls of filch inside are allowed, and may move the task to another thread as ever.
 * Outside of pools these do nothing; a program's own thread in a pool lends its core without a
 * bound.
 * Threads: any. Both block; may migrate. A cancelled task is not told: the call is to be made. */
void filch_blocking_begin(void);
void filch_blocking_end(void);

/* FILCH_BLOCKING { ... }: the same around a block, also if it is left by break, return or goto. */
#define FILCH_BLOCKING FILCH_BLOCK(int, filch_blocking_enter(), filch_blocking_leave)

/* Effect: binds the calling task to its thread until it is unpinned: thread-local variables and
 * pthread mutexes can be used across calls that block. While it waits its thread sleeps, and its
 * core goes to another thread, as above. Pairs may be nested; the end of the task unpins it.
 * Errors: FILCH_EAGAIN: `blocking_threads` are in use. Threads: any; outside of a pool's tasks they
 * do nothing. Do not block. */
FILCH_MUST_CHECK filch_status filch_pin(void);
void filch_unpin(void);

/* Used by FILCH_BLOCKING. */
int filch_blocking_enter(void);
void filch_blocking_leave(int *inside);

#ifdef __cplusplus
}
#endif

#endif
