/* os_watch on Linux: signalfd (2.6.27) and pidfd_open (5.3), by their numbers where a C library is
 * older than they are. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_signal_set.h"
#include "os/os_watch.h"

#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

int filch_os_signal_fd(uint64_t signals)
{
    sigset_t set = filch_os_signal_set(signals);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int filch_os_process_fd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}
