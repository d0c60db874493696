/* deadlock: finding waits that nothing can end, and ending them.
 *
 * Two things are looked for:
 *
 *   a cycle    each of some parties waits, without a deadline, for something that the next holds.
 *              Found whatever else runs.
 *   stillness  every thread of the process sleeps in filch until another wakes it, no pool has work
 *              or timers, nothing waits for a descriptor: nothing can happen any more. Threads that
 *              filch does not know, or that wait elsewhere, might do something: then nothing is
 *              concluded.
 *
 * The waits of a cycle end with FILCH_DEADLOCKED. In stillness first those do for which no party in
 * particular is responsible, or one that does not wait itself; the others may go on when these
 * have. Waits for a child, a loop or a group cannot be ended: they are told of.
 *
 * It is looked for when a pool has been idle for a while (monitor.c), and by a thread of the
 * program that has slept for a while: looking at each wait would be quadratic in waits inside
 * waits. */
#ifndef FILCH_DEADLOCK_PRIVATE_H
#define FILCH_DEADLOCK_PRIVATE_H

#include "base/private.h"
#include "sched/process.h"
#include "sleep/wait.h"

/* Look, report to the log, and end what can be ended. `own`: what the caller itself sleeps on;
 * NULL: it does not wait. No lock is held, no core. */
FILCH_PRIVATE void filch_deadlock_look(struct filch_waiter *own);

/* From now on those that sleep do (filch_process_look). */
static inline void filch_deadlock_watch(void)
{
    filch_process_look_by(filch_deadlock_look);
}

/* Can stillness be seen at all? Not where it is not known which threads there are. */
FILCH_PRIVATE bool filch_deadlock_knows_threads(void);

#endif
