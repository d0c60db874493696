/* os_watch where the system has no such descriptors. */
#include "os/os_watch.h"

int filch_os_signal_fd(uint64_t signals)
{
    (void)signals;
    return -1;
}

int filch_os_process_fd(pid_t pid)
{
    (void)pid;
    return -1;
}
