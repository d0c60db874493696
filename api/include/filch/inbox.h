/* filch/inbox.h: work that only one thread may do: the one with the window, with the device, with a
 * library that is not for several. That thread has an inbox and serves it; tasks post closures to
 * it, and wait for what becomes of them as for any other task.
 *
 *     filch_inbox *window;                                  the main thread:
 *     filch_inbox_new(NULL, &window);
 *     ...
 *     while (filch_inbox_serve(window) == FILCH_OK) { }
 *
 *     filch_closure call = redraw_bind(x, y);               a task:
 *     filch_inbox_post(window, &call, &future);
 *     redraw_get(future, &area);
 *
 * The thread that has served the last letter may free the inbox, though the call that posted it may
 * not have returned yet. */
#ifndef FILCH_INBOX_H
#define FILCH_INBOX_H

#include <filch/closure.h>
#include <filch/future.h>
#include <filch/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_inbox filch_inbox;

/* Effect: an empty inbox. pool: in which what is posted runs, on the serving thread: it can use
 * maps and forks as filch_apply() can. NULL: the default pool.
 * Owns: the caller; ends with filch_inbox_free(), when it is not used any more: what is in it then
 * is cancelled (FILCH_ECANCELED). NULL: no-op.
 * Errors: FILCH_EINVAL, FILCH_ENOMEM. Threads: any. Do not block. */
FILCH_MUST_CHECK filch_status filch_inbox_new(filch_pool *pool, filch_inbox **inbox);
void filch_inbox_free(filch_inbox *inbox);

/* Effect: has the closure called by the thread that serves the inbox, in the order of posting. The
 * closure is retained. future: NULL if it is not wanted; else it is the caller's to free.
 * Errors: FILCH_ECLOSED; FILCH_EINVAL; FILCH_ENOMEM. Threads: any. Does not block. */
FILCH_MUST_CHECK filch_status filch_inbox_post(filch_inbox *inbox, const filch_closure *closure,
                                               filch_future **future);

/* Effect: waits until there is something, and calls all that is there on the calling thread.
 * With filch_in(0) for a deadline it does not wait, for a loop that has other things to do.
 * Returns: FILCH_END: it is closed, and empty.
 * Errors: FILCH_ETIMEDOUT: nothing came; FILCH_EINVAL: the caller is inside a pool; FILCH_EDEADLK:
 * nothing is left that could post (deadlock.h); FILCH_ENOMEM. Threads: a program's own. Blocks. */
FILCH_MUST_CHECK filch_status filch_inbox_serve(filch_inbox *inbox);
FILCH_MUST_CHECK filch_status filch_inbox_serve_until(filch_inbox *inbox, filch_deadline until);

/* Effect: nothing more can be posted. Errors: FILCH_EALREADY, FILCH_EINVAL. Threads: any. Does not
 * block. */
filch_status filch_inbox_close(filch_inbox *inbox);

#ifdef __cplusplus
}
#endif

#endif
