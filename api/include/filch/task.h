/* filch/task.h: what a task can ask and do. All of it works in ordinary threads too. What becomes
 * of a task, or thread, that ends in the middle: pool.h. */
#ifndef FILCH_TASK_H
#define FILCH_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include <filch/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Effect: waits. A task is suspended and its core goes on with other work.
 * Args: seconds: 0 or less, or NaN: returns at once; infinite: until the pool is terminated.
 * Errors: FILCH_ECANCELED: the caller was asked to stop, see filch_cancelled(); FILCH_ENOMEM.
 * Threads: any. Blocks; may migrate. */
filch_status filch_sleep(double seconds);

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
