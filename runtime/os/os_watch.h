/* os_watch: signals and child processes, waited for like descriptors where the system has such. */
#ifndef FILCH_OS_WATCH_H
#define FILCH_OS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/private.h"

/* Sets of signals: the one with number n is bit n - 1. 0: there is no such signal. */
FILCH_SEAM uint64_t filch_os_signal_bit(int signal);

/* A descriptor that poll() finds readable while one of the signals is pending for the process, or
 * while the child has ended. It is closed on exec. Below 0: the system has none to give; ask as
 * below now and then. */
FILCH_SEAM int filch_os_signal_fd(uint64_t signals);
FILCH_SEAM int filch_os_process_fd(pid_t pid);

struct filch_os_signal { /* of a siginfo_t */
    int number;
    int code;
    pid_t sender;
    int value;
};

/* Take one of the signals, which the caller blocks. Its number; 0: none is pending; below 0: a
 * negative errno. */
FILCH_SEAM int filch_os_signal_take(uint64_t signals, struct filch_os_signal *taken);

/* Reap the child if it has ended. Its number, 0: it runs; below 0: a negative errno. */
FILCH_SEAM int filch_os_process_reap(pid_t pid, int *wait_status);

/* Let the calling thread, and those that it makes, block a signal. False: there is no such. */
FILCH_SEAM bool filch_os_signal_block(int signal);

#endif
