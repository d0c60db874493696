/* os_spawn on Linux: memfd_create (3.17), and a directory for posix_spawn (glibc 2.29, musl
 * 1.1.24). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_spawn.h"

#include <errno.h>
#include <spawn.h>
#include <sys/mman.h>

int filch_os_spawn_file(void)
{
    int file = memfd_create("filch-input", MFD_CLOEXEC);
    return file < 0 ? -errno : file;
}

int filch_os_spawn_chdir(void *actions, const char *directory)
{
    return posix_spawn_file_actions_addchdir_np(actions, directory);
}
