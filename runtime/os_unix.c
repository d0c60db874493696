/* os, the half that every POSIX system answers alike: clock, maps, names, signals. */
#define _GNU_SOURCE
#include "os.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t filch_os_now_ns(void)
{
    struct timespec now = {0}; /* should it be refused later */
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void filch_os_yield(void)
{
    sched_yield();
}

void filch_os_unmap(void *memory, size_t bytes)
{
    if (memory) {
        munmap(memory, bytes);
    }
}

void filch_os_trim(void *memory, size_t bytes)
{
    madvise(memory, bytes, MADV_DONTNEED);
}

size_t filch_os_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void filch_os_thread_name(const char *name)
{
    char cut[16] = {0};
    for (size_t i = 0; i < sizeof cut - 1 && name[i]; i++) {
        cut[i] = name[i];
    }
    pthread_setname_np(pthread_self(), cut);
}

void filch_os_in_child(void (*function)(void))
{
    pthread_atfork(NULL, NULL, function);
}

bool filch_os_thread_create(thrd_t *thread, thrd_start_t main, void *argument)
{
    sigset_t block;
    sigset_t before;
    sigfillset(&block);
    /* Faults are raised by the instruction itself and must reach the thread that ran it. */
    sigdelset(&block, SIGSEGV);
    sigdelset(&block, SIGBUS);
    sigdelset(&block, SIGFPE);
    sigdelset(&block, SIGILL);
    sigdelset(&block, SIGTRAP);
    sigdelset(&block, SIGPROF);
    /* The new thread inherits the mask: there is no moment in which it could be interrupted. */
    bool blocked = pthread_sigmask(SIG_BLOCK, &block, &before) == 0;
    bool made = thrd_create(thread, main, argument) == thrd_success;
    if (blocked) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return made;
}

bool filch_os_event_pipe(int *read_end, int *write_end)
{
    int ends[2];
    if (pipe(ends) != 0) {
        return false;
    }
    bool set = true; /* one that would block is worse than none */
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        set = fcntl(ends[i], F_SETFL, O_NONBLOCK) == 0 && set;
    }
    *read_end = ends[0];
    *write_end = ends[1];
    if (!set) {
        close(ends[0]);
        close(ends[1]);
    }
    return set;
}

uint64_t filch_os_seed(void)
{
    return filch_os_now_ns() ^ (uint64_t)(uintptr_t)&filch_os_seed;
}
