/* filch/sync.h: mutexes, semaphores, conditions and the like for tasks: one that waits is suspended
 * and its core goes on with other work. Ordinary threads can use them, too, and sleep.
 *
 * All are FIFO: first come, first served; of mutexes and read-write locks one that comes while
 * others wait may be first, see there. They are plain structs, zero or their _INIT when new, that
 * stay where they are; there is nothing to free. Waits end early, with FILCH_ECANCELED, when the
 * caller is asked to stop (filch_cancelled()), and with FILCH_ETIMEDOUT at their deadline (time.h).
 *
 * An object may be freed, or its memory used for something else, as soon as it is known that the
 * others are through with it, as a POSIX mutex may be destroyed immediately after it is unlocked:
 * by the one that unlocks last, takes the last permit, has woken all that wait on a condition, sees
 * that all is done or that the once was run, though the calls of the others that led to that may
 * not have returned yet. A wait that can still end otherwise (that times out, or is cancelled) uses
 * its object until it has returned.
 *
 * Signal handlers: filch_semaphore_release() may be called by one, whatever it interrupts, and so
 * may filch_now(), filch_future_ready(), filch_future_successful(), filch_future_cancelled(),
 * filch_future_try_get() and filch_future_fd(), of a future that has its descriptor already.
 * Nothing else may. A task that waits for a permit goes on when one of the threads that its pool
 * has comes to it: a handler makes none. That is for handlers of signals that filch's threads leave
 * to the program's own, not of SIGPROF and of faults; that were installed without SA_NODEFER; and
 * where the library was built for Linux (POSIX alone has no wake-up that is safe there).
 *
 * fork(): what is neither held nor waited for can be used by the child as by the parent; those that
 * wait in the parent are not woken by it. FILCH_EFORKED says that only the parent could end a wait:
 * for a mutex that one of its threads or tasks has, a lock that it writes under, or a once that it
 * runs; for a wait group that it has added to; for a semaphore that it has initialized or waited
 * for. Initialize these anew in the child, and read-write locks that the parent reads under: how
 * many do is known, and not which.
 *
 * Every function that waits: threads: any. Blocks; may migrate. Errors also FILCH_EINVAL (NULL),
 * FILCH_ENOMEM (a thread's first call). */
#ifndef FILCH_SYNC_H
#define FILCH_SYNC_H

#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one at a time ---- */

/* Held by one task or thread at a time. */
typedef struct filch_mutex {
    unsigned long long opaque[5];
} filch_mutex;
/* clang-format off */
#define FILCH_MUTEX_INIT {{0}}
/* clang-format on */

/* Effect: waits until the mutex is free and takes it. Errors: FILCH_EDEADLK: the caller has it.
 * One that waits may be passed over by others that come while it is free, until it has waited for
 * 1 ms; then it is served in its turn. So no wait is longer by more than 1 ms, and the turn that
 * one has taken by then, than if all were served in order. */
FILCH_MUST_CHECK filch_status filch_mutex_lock(filch_mutex *mutex);
FILCH_MUST_CHECK filch_status filch_mutex_lock_until(filch_mutex *mutex, filch_deadline until);

/* Effect: lets go of it, and wakes the one that has waited longest. By the task or thread that
 * locked it, which may be on another thread by then, since tasks move. Errors: FILCH_EINVAL: it is
 * free. Does not block. */
filch_status filch_mutex_unlock(filch_mutex *mutex);

/* ---- many that read, or one that writes ---- */

/* Held by many that read, or by one that writes. */
typedef struct filch_rwlock {
    unsigned long long opaque[5];
} filch_rwlock;
/* clang-format off */
#define FILCH_RWLOCK_INIT {{0}}
/* clang-format on */

/* Effect: waits until nothing writes under the lock, and shares it with others that read. One that
 * comes while others read and a writer waits is let in after that, together with all readers in
 * line before the next writer. So neither keeps the other out; and one that has the lock shared
 * must not ask for it again. Those that wait are served in order, and as with a mutex may be passed
 * over, by others that come while nothing has the lock, until they have waited for 1 ms.
 * Errors: FILCH_EDEADLK: the caller writes under it; FILCH_EOVERFLOW: 2^27 have it shared. */
FILCH_MUST_CHECK filch_status filch_rwlock_lock_shared(filch_rwlock *rwlock);
FILCH_MUST_CHECK filch_status filch_rwlock_lock_shared_until(filch_rwlock *rwlock,
                                                             filch_deadline until);

/* Effect: waits until no other has the lock, and takes it.
 * Errors: FILCH_EDEADLK: the caller has it so already. */
FILCH_MUST_CHECK filch_status filch_rwlock_lock(filch_rwlock *rwlock);
FILCH_MUST_CHECK filch_status filch_rwlock_lock_until(filch_rwlock *rwlock, filch_deadline until);

/* Effect: of one that has it shared; of the one that writes: lets go of it. By the task or thread
 * that locked it. Errors: FILCH_EINVAL: it is not locked so. Do not block. */
filch_status filch_rwlock_unlock_shared(filch_rwlock *rwlock);
filch_status filch_rwlock_unlock(filch_rwlock *rwlock);

/* ---- so many at a time ---- */

/* So many permits. */
typedef struct filch_semaphore {
    unsigned long long opaque[5];
} filch_semaphore;

/* Effect: a semaphore with `count` permits, fewer than UINT_MAX. */
void filch_semaphore_init(filch_semaphore *semaphore, unsigned count);

/* Effect: waits for a permit and takes it. */
FILCH_MUST_CHECK filch_status filch_semaphore_acquire(filch_semaphore *semaphore);
FILCH_MUST_CHECK filch_status filch_semaphore_acquire_until(filch_semaphore *semaphore,
                                                            filch_deadline until);

/* Effect: gives `count` permits. Errors: FILCH_EOVERFLOW: UINT_MAX or more. Does not block.
 * Signal handlers may call it, see above. */
filch_status filch_semaphore_release(filch_semaphore *semaphore, unsigned count);

/* ---- until something is the case ---- */

/* Where those wait who hold a mutex and need a change of what it protects. */
typedef struct filch_condition {
    unsigned long long opaque[5];
} filch_condition;
/* clang-format off */
#define FILCH_CONDITION_INIT {{0}}
/* clang-format on */

/* Effect: unlocks the mutex, waits to be signalled, and locks it again, whatever it returns. There
 * are no spurious wake-ups, but what was signalled may be over again: look in a loop.
 * Errors: FILCH_ETIMEDOUT, FILCH_ECANCELED: with the mutex locked; FILCH_EINVAL: it was not. */
FILCH_MUST_CHECK filch_status filch_condition_wait(filch_condition *condition, filch_mutex *mutex);
FILCH_MUST_CHECK filch_status filch_condition_wait_until(filch_condition *condition,
                                                         filch_mutex *mutex, filch_deadline until);

/* Effect: wakes the one that has waited longest; all that wait. Do not block. */
filch_status filch_condition_signal(filch_condition *condition);
filch_status filch_condition_broadcast(filch_condition *condition);

/* ---- until so many things are done ---- */

/* How many things are not done yet, whatever does them: a count, and a wait for zero. It
 * knows nothing of tasks; for tasks that are spawned and waited for in one place, and their errors,
 * deadlines and cancellation, take a group (group.h). */
typedef struct filch_wait_group {
    unsigned long long opaque[5];
} filch_wait_group;
/* clang-format off */
#define FILCH_WAIT_GROUP_INIT {{0}}
/* clang-format on */

/* Effect: so many more things are to be done; one is. Do not block.
 * Errors: FILCH_EOVERFLOW: more than UINT_MAX; FILCH_EINVAL: nothing is left to be done. */
filch_status filch_wait_group_add(filch_wait_group *group, unsigned count);
filch_status filch_wait_group_done(filch_wait_group *group);

/* Effect: waits until nothing is left to be done. Any number may wait. */
FILCH_MUST_CHECK filch_status filch_wait_group_wait(filch_wait_group *group);
FILCH_MUST_CHECK filch_status filch_wait_group_wait_until(filch_wait_group *group,
                                                          filch_deadline until);

/* ---- once ---- */

/* Something that is done once, by the first call that needs it. */
typedef struct filch_once {
    unsigned long long opaque[5];
} filch_once;
/* clang-format off */
#define FILCH_ONCE_INIT {{0}}
/* clang-format on */

/* Effect: the first caller calls function(context), the others wait until it has returned. If it
 * ends its thread instead, one of them calls it.
 * Errors: what the function returned, to all of them, then and later: it is not tried again, unless
 * the once is initialized anew. (What it raises is the first caller's task's alone: a function that
 * raises returns FILCH_ERAISED.) FILCH_EDEADLK: function calls this itself. Waits are not ended by
 * cancellation. */
FILCH_MUST_CHECK filch_status filch_once_run(filch_once *once,
                                             filch_status (*function)(void *context),
                                             void *context);

#ifdef __cplusplus
}
#endif

#endif
