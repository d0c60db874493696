/* os_spawn, the half that every POSIX system answers alike. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that ignores SIGPIPE, as this one may, is not what the program expects to be. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    int error = posix_spawnattr_setflags(
        attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    error = error ? error : posix_spawnattr_setsigmask(attributes, &none);
    return error ? error : posix_spawnattr_setsigdefault(attributes, &defaults);
}

/* Not one of 0 to 2, so none overwrites another's source. */
static int set_files(posix_spawn_file_actions_t *actions, const struct filch_os_spawn *spawn)
{
    int error = spawn->directory ? filch_os_spawn_chdir(actions, spawn->directory) : 0;
    for (int i = 0; i < 3 && !error; i++) {
        error = posix_spawn_file_actions_adddup2(actions, spawn->files[i], i);
    }
    return error;
}

static int begin_child(const struct filch_os_spawn *spawn, posix_spawn_file_actions_t *actions,
                       posix_spawnattr_t *attributes, pid_t *pid)
{
    /* they are not changed: POSIX has no better type for them */
    char *const *argv = (char *const *)(uintptr_t)spawn->argv;
    char *const *variables =
        spawn->environment ? (char *const *)(uintptr_t)spawn->environment : environ;
    int error = set_attributes(attributes);
    error = error ? error : set_files(actions, spawn);
    return error ? error : posix_spawnp(pid, argv[0], actions, attributes, argv, variables);
}

int filch_os_spawn(const struct filch_os_spawn *spawn)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) {
        return -error;
    }
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = begin_child(spawn, &actions, &attributes, &pid);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : (int)pid;
}

void filch_os_spawn_kill(pid_t pid)
{
    kill(-pid, SIGKILL);
    kill(pid, SIGKILL);
}

int filch_os_spawn_reap(pid_t pid)
{
    int wait_status = 0;
    pid_t reaped;
    do {
        reaped = waitpid(pid, &wait_status, 0);
    } while (reaped < 0 && errno == EINTR);
    return reaped < 0 ? -errno : wait_status;
}

/* `fd`, which is ours, or an error, with a number above 2. */
static int moved_up(int fd)
{
    if (fd < 0) {
        return fd;
    }
    int moved = filch_os_spawn_dup(fd);
    close(fd);
    return moved;
}

int filch_os_spawn_dup(int fd)
{
    int other = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return other < 0 ? -errno : other;
}

int filch_os_spawn_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -errno;
    }
    ends[0] = moved_up(ends[0]);
    ends[1] = moved_up(ends[1]);
    int error = ends[0] < 0 ? ends[0] : ends[1] < 0 ? ends[1] : 0;
    if (error) {
        filch_os_spawn_close(ends[0]);
        filch_os_spawn_close(ends[1]);
    }
    return error;
}

int filch_os_spawn_null(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return moved_up(fd < 0 ? -errno : fd);
}

static int write_all(int file, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(file, bytes, n);
        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
    return lseek(file, 0, SEEK_SET) < 0 ? -errno : 0;
}

int filch_os_spawn_input(const void *bytes, size_t n)
{
    int file = moved_up(filch_os_spawn_file());
    int error = file < 0 ? file : write_all(file, bytes, n);
    if (error < 0 && file >= 0) {
        close(file);
    }
    return error < 0 ? error : file;
}

void filch_os_spawn_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}
