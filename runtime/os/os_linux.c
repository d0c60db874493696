/* os on Linux: futex for sleeping, light guards (6.13) where the kernel has them.
 *
 * A program may forbid itself system calls (seccomp). What is only advice is left out then, and
 * what there is another way for is done that way. Without futex there is no pool, see
 * filch_os_refused(); one that is open when futex is forbidden goes on slowly, see below. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/os.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
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

/* As <linux/futex.h> says, which a C library does not bring along. */
enum { WAKE_PRIVATE = 1 | 128, WAIT_BITSET_PRIVATE = 9 | 128 };
static const uint32_t match_any = UINT32_MAX;

/* The time that SYS_futex takes. On 32 bits, where there is a younger call for more seconds, it is
 * two words, however long time_t is: enough for a clock that began when the machine did. */
#ifdef SYS_futex_time64
struct futex_time {
    long tv_sec;
    long tv_nsec;
};
#else
#define futex_time timespec
#endif

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* ---- sleeping ----
 *
 * A wake-up that the system refuses does not arrive: the sleeper finds out for itself. So no sleep
 * in the kernel is without an end: the sleeper looks at its word, after 2 s and then at doubling
 * intervals, which an idle process does not notice. Once a call was refused to any thread, all look
 * much sooner; one that may not even sleep naps in between. */

enum { JOIN_SPIN_NS = 50000 }; /* a thread that ends is awaited so long before we sleep */

static const uint64_t look_min_ns = 2000000000;
static const uint64_t look_max_ns = 16000000000;
static const uint64_t refused_min_ns = 50000; /* the same where wake-ups get lost */
static const uint64_t refused_max_ns = 16000000;

static _Atomic(bool) futex_refused; /* to any thread, once: never false again */

static bool is_refused(void)
{
    /* relaxed: a thread that sees it later looks later */
    return atomic_load_explicit(&futex_refused, memory_order_relaxed);
}

/* Whatever it is that a filter answers in the kernel's place. */
static bool note_refusal(int error)
{
    bool refused = error && error != EAGAIN && error != EINTR && error != ETIMEDOUT &&
                   error != EFAULT; /* the one woken may be gone */
    if (refused) {
        atomic_store_explicit(&futex_refused, true, memory_order_relaxed); /* as above */
    }
    return refused;
}

static uint64_t next_deadline_ns(uint64_t last_ns)
{
    uint64_t min_ns = is_refused() ? refused_min_ns : look_min_ns;
    uint64_t max_ns = is_refused() ? refused_max_ns : look_max_ns;
    uint64_t next_ns = last_ns ? 2 * last_ns : min_ns;
    return next_ns < max_ns ? next_ns : max_ns;
}

/* Without the system's help, or with another call's. */
static void nap_until(uint64_t until_ns)
{
    struct timespec until = to_timespec(until_ns);
    int error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    if (error && error != EINTR && poll(NULL, 0, 1) != 0) {
        sched_yield();
    }
}

/* 0 or an errno; ETIMEDOUT also when it was no sleep in the kernel. */
static int sleep_on_word(_Atomic(uint32_t) *word, uint32_t expected, uint64_t until_ns)
{
    struct timespec end = to_timespec(until_ns);
    struct futex_time until = {.tv_sec = (long)end.tv_sec, .tv_nsec = (long)end.tv_nsec};
    /* WAIT_BITSET takes an absolute time on the monotonic clock; plain WAIT a relative one, which
     * would drift each time a signal interrupts it. */
    long rc = syscall(SYS_futex, word, WAIT_BITSET_PRIVATE, expected, &until, NULL, match_any);
    int error = rc == 0 ? 0 : errno;
    if (note_refusal(error)) {
        uint64_t soon_ns = filch_os_now_ns() + refused_max_ns;
        nap_until(soon_ns < until_ns ? soon_ns : until_ns);
        return ETIMEDOUT;
    }
    return error;
}

bool filch_os_wait(_Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    uint64_t look_ns = 0;
    for (;;) {
        look_ns = next_deadline_ns(look_ns);
        uint64_t now_ns = filch_os_now_ns();
        bool last = look_ns >= deadline_ns || deadline_ns - look_ns <= now_ns;
        if (sleep_on_word(word, expected, last ? deadline_ns : now_ns + look_ns) != ETIMEDOUT) {
            return true;
        }
        /* Acquire: pairs with the store of a waker whose call was refused. */
        if (atomic_load_explicit(word, memory_order_acquire) != expected) {
            return true;
        }
        if (last && filch_os_now_ns() >= deadline_ns) {
            return false;
        }
    }
}

void filch_os_wake(_Atomic(uint32_t) *word, int count)
{
    if (syscall(SYS_futex, word, WAKE_PRIVATE, count, NULL, NULL, 0) < 0) {
        note_refusal(errno);
    }
}

static bool has_futex(void)
{
    _Atomic(uint32_t) unused = 0;
    bool has = syscall(SYS_futex, &unused, WAKE_PRIVATE, 1, NULL, NULL, 0) == 0;
    return has || !note_refusal(errno);
}

const char *filch_os_refused(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) {
        return "clock_gettime";
    }
    return has_futex() ? NULL : "futex";
}

/* The thread has been told, or will end by itself: that is nearer than the end of a sleep. */
static bool thread_ends_soon(thrd_t thread)
{
    uint64_t until_ns = filch_os_now_ns() + JOIN_SPIN_NS;
    int error;
    while ((error = pthread_tryjoin_np(thread, NULL)) == EBUSY && filch_os_now_ns() < until_ns) {
        filch_os_yield(); /* it may be on this processor */
    }
    return error != EBUSY;
}

/* The C library ends a process whose futex calls fail, and joining a thread is one. */
void filch_os_thread_join(thrd_t thread)
{
    if (thread_ends_soon(thread)) {
        return;
    }
    while (!has_futex()) {
        if (pthread_tryjoin_np(thread, NULL) != EBUSY) {
            return;
        }
        nap_until(filch_os_now_ns() + refused_max_ns / 16);
    }
    thrd_join(thread, NULL);
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
    /* Stacks touch a page or two of each megabyte: a huge page would commit them whole. (If this
     * is refused they cost more, and work.) */
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

bool filch_os_is_resident(void *memory, size_t bytes)
{
    unsigned char present[64]; /* one for each page, of which the lowest bit counts */
    size_t pages = bytes / filch_os_page_bytes();
    bool is = pages > sizeof present || mincore(memory, bytes, present) != 0;
    for (size_t i = 0; !is && i < pages; i++) {
        is = present[i] & 1;
    }
    return is;
}

_Atomic(uint32_t) *filch_os_fork_word(void)
{
    size_t bytes = filch_os_page_bytes();
    void *page = filch_os_map(bytes);
    if (page) {
        /* If this is refused, children that are made past the C library stay undetected. */
        madvise(page, bytes, MADV_WIPEONFORK);
    }
    return page;
}

enum { CPUS_MOST = 1 << 20 }; /* more no kernel has */

/* The affinity mask of a thread, to be freed, and how many processors it has room for. The kernel
 * refuses a mask shorter than its own: it grows until it fits. NULL: it cannot be read. */
static cpu_set_t *affinity_of(pid_t thread, size_t *cpus)
{
    bool longer = true;
    for (*cpus = 1024; longer && *cpus <= CPUS_MOST; *cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(*cpus);
        if (set && sched_getaffinity(thread, CPU_ALLOC_SIZE(*cpus), set) == 0) {
            return set;
        }
        longer = !set || errno == EINVAL; /* if not, it is refused */
        CPU_FREE(set);
    }
    return NULL;
}

unsigned filch_os_affinity_count(void)
{
    size_t cpus;
    cpu_set_t *set = affinity_of(0, &cpus);
    long count = set ? CPU_COUNT_S(CPU_ALLOC_SIZE(cpus), set) : sysconf(_SC_NPROCESSORS_ONLN);
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

/* Linux often puts a thread where its maker is, and looks for a better place milliseconds later.
 * One that is forbidden to be there is moved at once, and stays away when that is allowed again. */
void filch_os_thread_move(thrd_t thread)
{
    size_t cpus;
    cpu_set_t *set = affinity_of(0, &cpus);
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    int here = sched_getcpu();
    if (set && here >= 0 && CPU_ISSET_S((size_t)here, bytes, set) && CPU_COUNT_S(bytes, set) > 1) {
        CPU_CLR_S((size_t)here, bytes, set);
        pthread_setaffinity_np((pthread_t)thread, bytes, set);
        CPU_SET_S((size_t)here, bytes, set);
        pthread_setaffinity_np((pthread_t)thread, bytes, set);
    }
    CPU_FREE(set);
}

int filch_os_processor(void)
{
    return sched_getcpu();
}

/* Without asking for memory: threads are woken here. Of more processors than such a set has room
 * for the system does not tell. */
bool filch_os_keep_off(uint64_t thread, int processor)
{
    cpu_set_t set;
    if (processor >= CPU_SETSIZE || sched_getaffinity((pid_t)thread, sizeof set, &set) != 0 ||
        !CPU_ISSET((size_t)processor, &set) || CPU_COUNT(&set) == 1) {
        return false;
    }
    CPU_CLR((size_t)processor, &set);
    return sched_setaffinity((pid_t)thread, sizeof set, &set) == 0;
}

void filch_os_let_back(uint64_t thread, int processor)
{
    cpu_set_t set;
    if (sched_getaffinity((pid_t)thread, sizeof set, &set) == 0) {
        CPU_SET((size_t)processor, &set);
        sched_setaffinity((pid_t)thread, sizeof set, &set);
    }
}

uint64_t filch_os_thread_id(void)
{
    long id = syscall(SYS_gettid);
    return id > 0 ? (uint64_t)id : (uint64_t)(uintptr_t)pthread_self();
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
    return *read_end >= 0 || filch_os_event_pipe(read_end, write_end);
}

bool filch_os_event_set(int write_end)
{
    int cancel = filch_os_cancel_off();
    bool set = eventfd_write(write_end, 1) == 0 || errno == EAGAIN; /* EAGAIN: it is set already */
    filch_os_cancel_restore(cancel);
    return set;
}

void filch_os_event_close(int read_end, int write_end)
{
    int cancel = filch_os_cancel_off();
    close(read_end);
    if (write_end != read_end) {
        close(write_end);
    }
    filch_os_cancel_restore(cancel);
}
