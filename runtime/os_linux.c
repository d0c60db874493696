/* os on Linux: futex for sleeping, light guards (6.13) where the kernel has them. */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; older kernels answer EINVAL */
#endif

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

bool filch_os_wait(_Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    struct timespec until = to_timespec(deadline_ns);
    /* WAIT_BITSET takes an absolute time on the monotonic clock; plain WAIT a relative one, which
     * would drift each time a signal interrupts it. */
    long rc = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
                      deadline_ns == FILCH_OS_NEVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    return !(rc != 0 && errno == ETIMEDOUT);
}

void filch_os_wake(_Atomic(uint32_t) *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

bool filch_os_wakes_from_handlers(void)
{
    return true; /* it is one system call */
}

void *filch_os_map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    /* Stacks touch a page or two of each megabyte: a huge page would commit them whole. */
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

bool filch_os_guard(void *memory, size_t bytes)
{
    /* A light guard lives in the page tables and splits no mapping; mprotect() makes a mapping of
     * its own, of which Linux allows about 65,000 in a process. */
    if (madvise(memory, bytes, MADV_GUARD_INSTALL) == 0) {
        return true;
    }
    return mprotect(memory, bytes, PROT_NONE) == 0;
}

_Atomic(uint32_t) *filch_os_fork_word(void)
{
    size_t bytes = filch_os_page_bytes();
    void *page = filch_os_map(bytes);
    if (page && madvise(page, bytes, MADV_WIPEONFORK) != 0) {
        filch_os_unmap(page, bytes);
        return NULL;
    }
    return page;
}

enum { CPUS_MOST = 1 << 20 }; /* more no kernel has */

/* The affinity mask of a thread, to be freed, and how many processors it has room for. The kernel
 * refuses a mask shorter than its own: it grows until it fits. NULL: it is not to be had. */
static cpu_set_t *affinity_of(pid_t thread, size_t *cpus)
{
    for (*cpus = 1024; *cpus <= CPUS_MOST; *cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(*cpus);
        if (set && sched_getaffinity(thread, CPU_ALLOC_SIZE(*cpus), set) == 0) {
            return set;
        }
        CPU_FREE(set);
    }
    return NULL;
}

unsigned filch_os_affinity_count(void)
{
    size_t cpus;
    cpu_set_t *set = affinity_of(0, &cpus);
    int count = set ? CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set) : 0;
    CPU_FREE(set);
    return count > 0 ? (unsigned)count : 1;
}

unsigned filch_os_processors(unsigned *numbers, unsigned most)
{
    size_t cpus;
    /* the first thread's mask: our own has one processor in it if we are bound */
    cpu_set_t *set = affinity_of(getpid(), &cpus);
    unsigned n = 0;
    for (size_t cpu = 0; set && cpu < cpus && n < most; cpu++) {
        if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(cpus), set)) {
            numbers[n++] = (unsigned)cpu;
        }
    }
    CPU_FREE(set);
    return n;
}

void filch_os_bind(unsigned processor)
{
    size_t cpus = (size_t)processor + 1;
    cpu_set_t *one = CPU_ALLOC(cpus);
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (one) {
        CPU_ZERO_S(bytes, one);
        CPU_SET_S(processor, bytes, one);
        sched_setaffinity(0, bytes, one);
        CPU_FREE(one);
    }
}

uint64_t filch_os_thread_id(void)
{
    return (uint64_t)syscall(SYS_gettid);
}

/* From a folder's count of links, two of which are not threads: one system call, no file. */
unsigned filch_os_thread_count(void)
{
    struct stat tasks;
    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 2 ? (unsigned)tasks.st_nlink - 2
                                                                      : 0;
}

size_t filch_os_signal_frame_bytes(void)
{
#ifdef AT_MINSIGSTKSZ
    return getauxval(AT_MINSIGSTKSZ);
#else
    return 0;
#endif
}

const char *filch_os_getenv(const char *name)
{
    return secure_getenv(name);
}

bool filch_os_event_make(int *read_end, int *write_end)
{
    *read_end = *write_end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *read_end >= 0;
}

void filch_os_event_set(int write_end)
{
    int cancel = filch_os_cancel_off();
    eventfd_write(write_end, 1);
    filch_os_cancel_restore(cancel);
}

void filch_os_event_close(int read_end, int write_end)
{
    int cancel = filch_os_cancel_off();
    (void)write_end; /* the same */
    close(read_end);
    filch_os_cancel_restore(cancel);
}
