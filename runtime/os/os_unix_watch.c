/* os_watch, the half that every POSIX system answers alike. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_signal_set.h"
#include "os/os_watch.h"

#include <errno.h>
#include <sys/wait.h>
#include <time.h>

uint64_t filch_os_signal_bit(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    bool is = signal >= 1 && signal <= 64 && sigaddset(&set, signal) == 0;
    return is ? (uint64_t)1 << (signal - 1) : 0;
}

int filch_os_signal_take(uint64_t signals, struct filch_os_signal *taken)
{
    const struct timespec at_once = {0};
    const sigset_t set = filch_os_signal_set(signals);
    siginfo_t info;
    int number;
    do {
        number = sigtimedwait(&set, &info, &at_once);
    } while (number < 0 && errno == EINTR);
    if (number > 0) {
        *taken = (struct filch_os_signal){.number = number,
                                          .code = info.si_code,
                                          .sender = info.si_pid,
                                          .value = info.si_value.sival_int};
    }
    return number >= 0 ? number : errno == EAGAIN ? 0 : -errno;
}

int filch_os_process_reap(pid_t pid, int *wait_status)
{
    pid_t reaped;
    do {
        reaped = waitpid(pid, wait_status, WNOHANG);
    } while (reaped < 0 && errno == EINTR);
    return reaped < 0 ? -errno : (int)reaped;
}

bool filch_os_signal_block(int signal)
{
    const sigset_t set = filch_os_signal_set(filch_os_signal_bit(signal));
    return filch_os_signal_bit(signal) && pthread_sigmask(SIG_BLOCK, &set, NULL) == 0;
}
