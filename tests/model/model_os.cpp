// The operating system of the models: futexes, with spurious wake-ups.
#include "os/os.h"

#include "sleep/wait.h"

bool model_spurious;
bool model_timeouts = true;

__attribute__((weak)) bool model_may_time_out(uint64_t deadline_ns)
{
    return model_timeouts && deadline_ns != FILCH_OS_NEVER;
}

bool filch_os_wait(_Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns)
{
    rl::context &c = rl::ctx();
    c.sched();
    c.atomic_thread_fence_seq_cst();
    uint32_t value;
    {
        rl::preemption_disabler together(c);
        value = word->load(rl::mo_acquire, $);
    }
    if (value != expected) {
        return true;
    }
    return word->wait(c, model_may_time_out(deadline_ns), model_spurious, $) !=
           rl::unpark_reason_timeout;
}

void filch_os_wake(_Atomic(uint32_t) *word, int count)
{
    rl::context &c = rl::ctx();
    c.sched();
    c.atomic_thread_fence_seq_cst();
    word->wake(c, count, $);
}

/* Where threads run is not modelled. */
int filch_os_processor(void)
{
    return -1;
}

bool filch_os_keep_off(uint64_t, int)
{
    return false;
}

void filch_os_let_back(uint64_t, int)
{
}

void filch_os_yield(void)
{
    rl::yield(1, $);
}

int filch_os_cancel_off(void)
{
    return 0;
}

void filch_os_cancel_restore(int before)
{
    (void)before;
}

// Of the models without thread.c and deadlock.c: sleepers are not counted.
__attribute__((weak)) void filch_thread_nap(struct filch_thread *)
{
}

__attribute__((weak)) void filch_thread_rise(struct filch_thread *)
{
}

__attribute__((weak)) void filch_process_look(struct filch_waiter *)
{
}

// Of the models without suspend.c: nothing forks.
__attribute__((weak)) void filch_suspend_end_child(const char *)
{
}
