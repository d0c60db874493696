/* os_file, for POSIX systems. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static filch_status check_and_lock(int file)
{
    struct stat about;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_uid != geteuid() ||
        about.st_nlink != 1) {
        return FILCH_EINVAL;
    }
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
        return FILCH_EBUSY;
    }
    return fchmod(file, 0600) == 0 && ftruncate(file, 0) == 0 ? FILCH_OK : FILCH_EAGAIN;
}

static filch_status open_uncancelled(const char *path, int *file)
{
    /* nonblocking: a pipe of that name must not hold us up; it is refused below */
    int opened =
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    *file = -1;
    if (opened < 0) {
        return errno == EMFILE || errno == ENFILE || errno == ENOSPC ? FILCH_EAGAIN : FILCH_EINVAL;
    }
    filch_status status = check_and_lock(opened);
    if (status == FILCH_OK) {
        *file = opened;
    } else {
        close(opened);
    }
    return status;
}

/* The callers of these have locks in hand: no thread is cancelled here. */
filch_status filch_os_file_open(const char *path, int *file)
{
    int cancel = filch_os_cancel_off();
    filch_status status = open_uncancelled(path, file);
    filch_os_cancel_restore(cancel);
    return status;
}

void filch_os_file_close(int file)
{
    if (file >= 0) {
        int cancel = filch_os_cancel_off();
        close(file);
        filch_os_cancel_restore(cancel);
    }
}

/* May a file be so long (ulimit -f)? To try is a signal that kills. */
static bool may_be(uintmax_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           bytes <= limit.rlim_cur;
}

bool filch_os_file_grow(int file, size_t bytes)
{
    int cancel = filch_os_cancel_off();
    int error;
    do {
        error = may_be(bytes) ? posix_fallocate(file, 0, (off_t)bytes) : EFBIG;
    } while (error == EINTR);
    filch_os_cancel_restore(cancel);
    return error == 0;
}

void filch_os_file_cut(int file, size_t bytes)
{
    if (ftruncate(file, (off_t)bytes) != 0) {
        return; /* it stays longer than it need be: readers skip what is unused */
    }
}

static bool write_uncancelled(int file, const void *data, size_t bytes)
{
    const char *from = data;
    off_t end = lseek(file, 0, SEEK_END);
    if (end < 0 || !may_be((uintmax_t)end + bytes)) {
        return false;
    }
    while (bytes > 0) {
        ssize_t written = write(file, from, bytes);
        if (written <= 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            from += written;
            bytes -= (size_t)written;
        }
    }
    return true;
}

bool filch_os_file_write(int file, const void *data, size_t bytes)
{
    int cancel = filch_os_cancel_off();
    bool all = write_uncancelled(file, data, bytes);
    filch_os_cancel_restore(cancel);
    return all;
}

void *filch_os_file_map(int file, size_t bytes)
{
    int flags = file >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void filch_os_file_prepare(void *memory, size_t bytes)
{
    madvise(memory, bytes, MADV_POPULATE_WRITE); /* older kernels do not know it: EINVAL */
}

void filch_os_file_retire(void *memory, size_t used, size_t bytes)
{
    if (used &&
        mmap(memory, used, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED) {
        return; /* all of it stays as it is */
    }
    if (bytes > used) {
        munmap((char *)memory + used, bytes - used);
    }
}

#if defined(__x86_64__)

/* The kernel lists it only while it holds it for usable. */
static bool kernel_trusts_counter(void)
{
    char clocks[256] = {0};
    int cancel = filch_os_cancel_off();
    int list = open("/sys/devices/system/clocksource/clocksource0/available_clocksource",
                    O_RDONLY | O_CLOEXEC);
    ssize_t got = list >= 0 ? read(list, clocks, sizeof clocks - 1) : -1;
    filch_os_file_close(list);
    filch_os_cancel_restore(cancel);
    return got > 0 && strstr(clocks, "tsc");
}

bool filch_os_ticks_agree(void)
{
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d = 0;
    bool invariant = __get_cpuid(0x80000007u, &a, &b, &c, &d) && (d & 1u << 8);
    return invariant && kernel_trusts_counter();
}

#else

bool filch_os_ticks_agree(void)
{
#if defined(__aarch64__)
    return true; /* the generic timer is one for the system */
#else
    return false;
#endif
}

#endif

uint64_t filch_os_process_id(void)
{
    return (uint64_t)getpid();
}

void filch_os_program(char *name, size_t bytes)
{
    snprintf(name, bytes, "%s", program_invocation_name ? program_invocation_name : "");
}
