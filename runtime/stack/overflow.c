#define _GNU_SOURCE
#include "stack/overflow.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/os.h"
#include "sched/process.h"
#include "stack/strand.h"
#include "sched/thread.h"

enum { HANDLER_BYTES = 16384 };

/* Made once and kept: a fault may come at any time. */
struct filch_overflow {
    struct sigaction before;
};

static size_t handler_stack_bytes(void)
{
    return HANDLER_BYTES + filch_os_signal_frame_bytes();
}

static void say(const char *text)
{
    /* Nothing else is safe in a signal handler; that it fails is not worth more than silence. */
    if (write(STDERR_FILENO, text, strlen(text)) < 0) {
        return;
    }
}

static void say_number(unsigned long number)
{
    char digits[24];
    char *end = digits + sizeof digits - 1;
    *end = '\0';
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    say(end);
}

/* The strand of the calling thread, if the address lies in the guard below its stack. */
static struct filch_strand *overflown(const void *address)
{
    struct filch_thread *thread = filch_thread_known();
    struct filch_strand *strand = thread ? thread->strand : NULL;
    if (!strand || strand->guest) {
        return NULL;
    }
    uintptr_t at = (uintptr_t)address;
    uintptr_t low = (uintptr_t)strand->stack.low;
    return at < low && low - at <= filch_os_page_bytes() ? strand : NULL;
}

static void report(const struct filch_strand *strand)
{
    const filch_function_info *info = strand->frame ? strand->frame->info : NULL;
    say("filch: stack overflow in task ");
    say(info ? info->name : "(unknown)");
    if (info) {
        say(" (");
        say(info->file);
        say(":");
        say_number((unsigned long)info->line);
        say(")");
    }
    say(", its stack has ");
    say_number(strand->stack.bytes);
    say(" bytes\n");
}

static void handle(int signal, siginfo_t *fault, void *context)
{
    const struct sigaction *before = &filch_process()->overflow->before;
    struct filch_strand *strand = overflown(fault->si_addr);
    if (strand) {
        report(strand);
    } else if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(signal, fault, context);
        return;
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
        return;
    }
    /* The instruction faults again, now unhandled, and the process ends as it would have. */
    struct sigaction dies = {.sa_handler = SIG_DFL};
    sigaction(signal, &dies, NULL);
}

void filch_overflow_install(void)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    if (!process->overflow && (process->overflow = filch_calloc(1, sizeof *process->overflow))) {
        struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&ours.sa_mask);
        sigaction(SIGSEGV, &ours, &process->overflow->before);
    }
    filch_lock_release(&process->lock);
}

bool filch_overflow_begin_thread(void)
{
    stack_t stack = {.ss_sp = filch_malloc(handler_stack_bytes()),
                     .ss_size = handler_stack_bytes()};
    if (stack.ss_sp && sigaltstack(&stack, NULL) != 0) {
        filch_free(stack.ss_sp);
        stack.ss_sp = NULL;
    }
    return stack.ss_sp != NULL;
}

void filch_overflow_end_thread(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    stack_t had = {.ss_flags = SS_DISABLE};
    if (sigaltstack(&none, &had) == 0 && !(had.ss_flags & SS_DISABLE)) {
        filch_free(had.ss_sp);
    }
}
