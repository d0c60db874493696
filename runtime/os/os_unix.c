/* os, the half that every POSIX system answers alike: clock, maps, names, signals. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/sanitizers.h"
#include "os/os.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* ThreadSanitizer does not know the C library's C11 threads, and a program with them crashes. */
#if defined(FILCH_TSAN) && !defined(FILCH_SHADOW_THREADS_H)
#error "under ThreadSanitizer filch is built by its CMakeLists.txt with -DFILCH_SANITIZE=thread"
#endif

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

bool filch_os_trim(void *memory, size_t bytes)
{
    return madvise(memory, bytes, MADV_DONTNEED) == 0;
}

bool filch_os_space_is_limited(void)
{
    struct rlimit space;
    return getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY;
}

enum { STACK_MOST = 64 << 20 }; /* bytes: more is not reserved for each of a thousand fibers */

size_t filch_os_stack_bytes(void)
{
    struct rlimit stack;
    bool limited = getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur < STACK_MOST;
    return limited ? (size_t)stack.rlim_cur : STACK_MOST;
}

size_t filch_os_page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Where the system cannot say where a library is from, as musl cannot, which never unloads any,
 * nothing is done.
 *
 * Weak: a program that is linked statically has no loader, and must not be given one for our sake;
 * dlopen() is looked up because its mere name makes the linker warn of it there. */
#if defined(RTLD_NODELETE) && defined(__GLIBC__)
#pragma weak dladdr1
#pragma weak dlsym

/* Where the library that contains this is loaded from. NULL: it is the program. */
static const char *own_path(void)
{
    Dl_info info;
    void *found = NULL;
    if (!dladdr1 || !dlsym ||
        !dladdr1((void *)(uintptr_t)&own_path, &info, &found, RTLD_DL_LINKMAP) || !found) {
        return NULL;
    }
    const char *path = ((struct link_map *)found)->l_name;
    return path && *path ? path : NULL;
}

void filch_os_pin_self(void)
{
    const char *path = own_path();
    void *(*open)(const char *, int) = NULL;
    int (*close)(void *) = NULL;
    if (path) {
        *(void **)&open = dlsym(RTLD_DEFAULT, "dlopen"); /* as POSIX tells to */
        *(void **)&close = dlsym(RTLD_DEFAULT, "dlclose");
    }
    void *self = open && close ? open(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) : NULL;
    if (self) {
        close(self);
    }
}
#else
void filch_os_pin_self(void)
{
}
#endif

void *filch_os_locale(void)
{
    locale_t locale = uselocale((locale_t)0);
    return locale == LC_GLOBAL_LOCALE ? NULL : locale;
}

void filch_os_set_locale(void *locale)
{
    uselocale(locale ? locale : LC_GLOBAL_LOCALE);
}

void filch_os_in_child(void (*function)(void))
{
    pthread_atfork(NULL, NULL, function);
}

/* What the library's threads leave to others. Faults are raised by the instruction itself and must
 * reach the thread that ran it. */
static sigset_t blocked_signals(void)
{
    sigset_t block;
    sigfillset(&block);
    sigdelset(&block, SIGSEGV);
    sigdelset(&block, SIGBUS);
    sigdelset(&block, SIGFPE);
    sigdelset(&block, SIGILL);
    sigdelset(&block, SIGTRAP);
    sigdelset(&block, SIGPROF);
    return block;
}

bool filch_os_thread_create(thrd_t *thread, thrd_start_t main, void *argument)
{
    sigset_t block = blocked_signals();
    sigset_t before;
    /* The new thread inherits the mask: there is no moment in which it could be interrupted. */
    bool blocked = pthread_sigmask(SIG_BLOCK, &block, &before) == 0;
    bool made = thrd_create(thread, main, argument) == thrd_success;
    if (blocked) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return made;
}

static void name_thread(const char *name)
{
    char cut[16] = {0};
    for (size_t i = 0; i < sizeof cut - 1 && name[i]; i++) {
        cut[i] = name[i];
    }
    pthread_setname_np(pthread_self(), cut);
}

void filch_os_thread_begin(const char *name)
{
    /* Once more: musl starts a thread of C11 with all signals blocked (seen in 1.2.3). */
    sigset_t block = blocked_signals();
    pthread_sigmask(SIG_SETMASK, &block, NULL);
    name_thread(name);
}

/* A task's stack is unwound to its end first, where none of our own cleanups are told; this kind of
 * handler, which is a jump, is reached from there, too. It takes a file without -fexceptions. */
void filch_os_run_guarded(void (*function)(void *), void *argument, void (*ended)(void *))
{
    pthread_cleanup_push(ended, argument);
    function(argument);
    pthread_cleanup_pop(0);
}

void filch_os_thread_exit(void)
{
    pthread_exit(PTHREAD_CANCELED);
}

int filch_os_cancel_off(void)
{
    int before = PTHREAD_CANCEL_ENABLE;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void filch_os_cancel_restore(int before)
{
    pthread_setcancelstate(before, NULL);
}

uint64_t filch_os_blocked_signals(void)
{
    sigset_t blocked;
    uint64_t bits = 0;
    if (pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0) {
        for (int signal = 1; signal <= 64; signal++) {
            bits |= (uint64_t)(sigismember(&blocked, signal) == 1) << (signal - 1);
        }
    }
    return bits;
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
           signal == SIGTRAP || signal == SIGABRT || signal == SIGSYS;
}

static bool has_handler(int signal)
{
    struct sigaction action;
    return sigaction(signal, NULL, &action) == 0 && action.sa_handler != SIG_DFL &&
           action.sa_handler != SIG_IGN;
}

bool filch_os_has_handlers(int aside)
{
    for (int signal = 1; signal <= 64; signal++) {
        if (signal != aside && !is_fault(signal) && has_handler(signal)) {
            return true;
        }
    }
    return false;
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
