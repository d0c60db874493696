/* os_spawn: making child processes, and what lies between them and their parent. All functions
 * answer a negative errno where they fail; all descriptors are above 2 and closed on exec. */
#ifndef FILCH_OS_SPAWN_H
#define FILCH_OS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/private.h"

struct filch_os_spawn {
    const char *const *argv;
    const char *const *environment; /* NULL: the caller's */
    const char *directory;          /* NULL: the caller's */
    int files[3];                   /* its standard input, output and errors */
};

/* In a process group of its own, with no signal blocked. Its number. -ENOSYS: it cannot be begun
 * in a directory. */
FILCH_SEAM int filch_os_spawn(const struct filch_os_spawn *spawn);

/* Kill it, and all of its group; it has not been reaped. */
FILCH_SEAM void filch_os_spawn_kill(pid_t pid);

/* Wait until it has ended, and reap it. Its wait status, or -ECHILD. */
FILCH_SEAM int filch_os_spawn_reap(pid_t pid);

/* ends[0] is read from, ends[1] is written to. */
FILCH_SEAM int filch_os_spawn_pipe(int ends[2]);

/* A descriptor of its own for what `fd` stands for; for /dev/null. */
FILCH_SEAM int filch_os_spawn_dup(int fd);
FILCH_SEAM int filch_os_spawn_null(void);

/* A file in memory, or without a name, to read these bytes from. */
FILCH_SEAM int filch_os_spawn_input(const void *bytes, size_t n);

/* Below 0: none. */
FILCH_SEAM void filch_os_spawn_close(int fd);

/* ---- what systems answer differently, for os_unix_spawn.c ---- */

/* An empty file that nothing else knows; any number. */
FILCH_SEAM int filch_os_spawn_file(void);

/* `actions` is a posix_spawn_file_actions_t. 0 or an errno. */
FILCH_SEAM int filch_os_spawn_chdir(void *actions, const char *directory);

#endif
