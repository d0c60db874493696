/* os_signal_set: for the implementations of os_watch.h, what <signal.h> shows to few. */
#ifndef FILCH_OS_SIGNAL_SET_H
#define FILCH_OS_SIGNAL_SET_H

#include <signal.h>
#include <stdint.h>

static inline sigset_t filch_os_signal_set(uint64_t signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (int signal = 1; signal <= 64; signal++) {
        if (signals >> (signal - 1) & 1) {
            sigaddset(&set, signal);
        }
    }
    return set;
}

#endif
