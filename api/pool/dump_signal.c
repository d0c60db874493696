/* A dump at a signal. The handler only wakes a thread, which may do what a handler may not. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <filch/deadlock.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <threads.h>
#include <unistd.h>

#include "os/os.h"
#include "sched/process.h"
#include "sched/thread.h"

static void ask_for_dump(int signal)
{
    int saved = errno; /* of the code that was interrupted */
    (void)signal;
    filch_os_event_set(filch_process()->dump_event[1]);
    errno = saved;
}

/* Wait for the next question. False: the system does not let us (a filter of system calls). */
static bool dump_is_asked(struct filch_thread *thread, int event)
{
    struct pollfd one = {.fd = event, .events = POLLIN};
    char asked[8];
    do {
        filch_thread_nap(thread); /* it wakes no thread: it does not count (deadlock.h) */
        int ready = poll(&one, 1, -1);
        filch_thread_rise(thread);
        if (ready == 1 && read(event, asked, sizeof asked) > 0) {
            return true;
        }
    } while (errno == EINTR || errno == EAGAIN);
    return false;
}

static int dump_whenever_asked(void *record)
{
    struct filch_process *process = filch_process();
    int event = process->dump_event[0];
    filch_os_thread_begin("filch-dump");
    filch_thread_adopt(record);
    while (dump_is_asked(record, event)) {
        filch_dump(NULL, stderr);
    }
    filch_lock_acquire(&process->dump_lock, FILCH_RANK_DUMP);
    process->dump_signal = 0; /* the next to ask for it finds out that it is refused */
    filch_lock_release(&process->dump_lock);
    filch_thread_resign();
    return 0;
}

/* It stays when its thread ends: a handler may be about to set it, and must not meet another file
 * under its number. The next thread waits for the same. */
static bool has_event(struct filch_process *process)
{
    process->has_dump_event = process->has_dump_event ||
                              filch_os_event_make(&process->dump_event[0], &process->dump_event[1]);
    return process->has_dump_event;
}

static filch_status start_dumper(struct filch_process *process)
{
    struct filch_thread *thread = filch_process_take_thread();
    thrd_t dumper;
    if (!thread) {
        return FILCH_ENOMEM;
    }
    if (!has_event(process) || !filch_os_thread_create(&dumper, dump_whenever_asked, thread)) {
        filch_process_give_thread(thread);
        return FILCH_EAGAIN;
    }
    thrd_detach(dumper);
    return FILCH_OK;
}

/* Faults cannot be survived, and two signals not be caught. */
static filch_status check_signal(int signal)
{
    struct sigaction before;
    if (signal == SIGKILL || signal == SIGSTOP || signal == SIGSEGV || signal == SIGBUS ||
        signal == SIGILL || signal == SIGFPE) {
        return FILCH_EINVAL;
    }
    if (sigaction(signal, NULL, &before) == 0) {
        return FILCH_OK;
    }
    return errno == EINVAL ? FILCH_EINVAL : FILCH_ENOSYS;
}

static filch_status dump_on_locked(struct filch_process *process, int signal)
{
    struct sigaction action = {.sa_handler = ask_for_dump, .sa_flags = SA_RESTART};
    if (process->dump_signal) {
        return process->dump_signal == signal ? FILCH_OK : FILCH_EALREADY;
    }
    filch_status status = check_signal(signal);
    if (status == FILCH_OK) {
        status = start_dumper(process);
    }
    if (status == FILCH_OK) {
        sigemptyset(&action.sa_mask);
        process->dump_signal = sigaction(signal, &action, NULL) == 0 ? signal : 0;
        status = process->dump_signal ? FILCH_OK : FILCH_EINVAL;
    }
    return status;
}

filch_status filch_dump_on_signal(int signal)
{
    struct filch_process *process = filch_process();
    filch_process_pin();
    filch_lock_acquire(&process->dump_lock, FILCH_RANK_DUMP);
    filch_status status = dump_on_locked(process, signal);
    filch_lock_release(&process->dump_lock);
    return status;
}
