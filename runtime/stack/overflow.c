#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "stack/overflow.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "os/lock.h"
#include "os/os.h"

enum { HANDLER_BYTES = 16384 };

/* The handler is the process's. It is installed once: a fault may come at any time. */
static struct {
    struct filch_lock lock;
    bool installed;            /* lock */
    struct sigaction before;   /* constant from then on */
    filch_overflow_find *find; /* the same */
} handler;

size_t filch_overflow_stack_bytes(void)
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

static bool lies_below(const struct filch_overflow_stack *stack, const void *address)
{
    uintptr_t at = (uintptr_t)address;
    uintptr_t low = (uintptr_t)stack->low;
    return at < low && low - at <= stack->guard;
}

static void report(const struct filch_overflow_stack *stack)
{
    const filch_function_info *info = stack->info;
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
    say_number(stack->bytes);
    say(" bytes\n");
}

static void handle(int signal, siginfo_t *fault, void *context)
{
    const struct sigaction *before = &handler.before;
    struct filch_overflow_stack stack;
    bool sent = fault->si_code <= 0; /* by a process, not for what an instruction did */
    if (!sent && handler.find(&stack) && lies_below(&stack, fault->si_addr)) {
        report(&stack);
    } else if (before->sa_flags & SA_SIGINFO) {
        before->sa_sigaction(signal, fault, context);
        return;
    } else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN) {
        before->sa_handler(signal);
        return;
    } else if (sent && before->sa_handler == SIG_IGN) {
        return;
    }
    /* The instruction faults again, now unhandled, and the process ends as it would have. */
    struct sigaction dies = {.sa_handler = SIG_DFL};
    sigaction(signal, &dies, NULL);
    if (sent) {
        raise(signal); /* it is blocked while we handle it, and comes when we return */
    }
}

void filch_overflow_install(filch_overflow_find *find)
{
    filch_lock_acquire(&handler.lock, FILCH_RANK_OVERFLOW);
    if (!handler.installed) {
        struct sigaction ours = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
        sigemptyset(&ours.sa_mask);
        handler.find = find;
        sigaction(SIGSEGV, NULL, &handler.before); /* which a fault may need before we are back */
        handler.installed = sigaction(SIGSEGV, &ours, &handler.before) == 0;
    }
    filch_lock_release(&handler.lock);
}

void filch_overflow_begin_thread(void *stack)
{
    if (stack) {
        stack_t ours = {.ss_sp = stack, .ss_size = filch_overflow_stack_bytes()};
        sigaltstack(&ours, NULL);
    }
}

void filch_overflow_end_thread(void)
{
    stack_t none = {.ss_flags = SS_DISABLE};
    sigaltstack(&none, NULL);
}
