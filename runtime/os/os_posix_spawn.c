/* os_spawn where the system has no files in memory, and posix_spawn no directory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_spawn.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int filch_os_spawn_file(void)
{
    char path[] = "/tmp/filch-input-XXXXXX";
    int file = mkstemp(path);
    if (file < 0) {
        return -errno;
    }
    unlink(path);
    return file;
}

int filch_os_spawn_chdir(void *actions, const char *directory)
{
    (void)actions;
    (void)directory;
    return ENOSYS;
}
