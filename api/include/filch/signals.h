/* filch/signals.h: signals as something to wait for, in place of handlers.
 *
 *     filch_signal_block(SIGTERM);                                  first thing in main()
 *     ...
 *     filch_signal_wait(FILCH_SIGNALS(SIGTERM), NULL);              until it is sent
 *
 * Together with other things: filch_on_signal() (first.h). A signal that is blocked stays pending
 * until it is waited for: none is lost between two waits; but of several of the same number the
 * system keeps one. It must be sent to the process, as kill() and the terminal do, not to one of
 * its threads. Faults, SIGTRAP and SIGPROF cannot be waited for: threads of filch take them.
 *
 * On Linux a signal wakes its waiter through a signalfd, made for the call. Elsewhere, and where
 * there is no descriptor left, a waiter looks every 1 to 16 ms. */
#ifndef FILCH_SIGNALS_H
#define FILCH_SIGNALS_H

#include <signal.h>
#include <sys/types.h>

#include <filch/status.h>
#include <filch/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One that was taken: as in a siginfo_t. */
typedef struct filch_signal {
    int number;
    int code;
    pid_t sender;
    int value; /* of sigqueue() */
} filch_signal;

/* Effect: the calling thread, and those that it makes from now on, leave the signal to those that
 * wait for it. To be called before other threads are made; filch's own block nearly all signals
 * anyway. Processes that it makes inherit that, but for those of filch_process_run().
 * Errors: FILCH_EINVAL: there is no such signal. Threads: any. Does not block. */
filch_status filch_signal_block(int signal);

/* Effect: waits for one of the signals, with a 0 behind them, and takes it. *taken, unless it is
 * NULL, says more.
 * Returns: its number; or below 0 minus a status, as of filch_first(): -FILCH_ETIMEDOUT,
 * -FILCH_ECANCELED, -FILCH_EINVAL: NULL, none, or one that is no signal.
 * Threads: any. Block; may migrate. */
FILCH_MUST_CHECK int filch_signal_wait(const int *signals, filch_signal *taken);
FILCH_MUST_CHECK int filch_signal_wait_until(const int *signals, filch_deadline until,
                                             filch_signal *taken);

#ifdef __cplusplus
}
#else
/* Some signals: an array that lives as long as the block that it is in. */
#define FILCH_SIGNALS(...) ((const int[]){__VA_ARGS__, 0})
#endif

#endif
