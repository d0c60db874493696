/* What the machine itself takes: the scale for every absolute goal. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "sample.h"

static double sample_fence(unsigned workers, int size, unsigned long long *check)
{
    (void)workers;
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        atomic_thread_fence(memory_order_seq_cst);
    }
    *check = 1;
    return (now_ns() - start) / size;
}

static double sample_clock(unsigned workers, int size, unsigned long long *check)
{
    (void)workers;
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        *check |= now_ns() > 0;
    }
    return (now_ns() - start) / size;
}

static _Atomic(uint32_t) turn;

static void wait_for_turn(uint32_t mine)
{
    uint32_t now;
    while ((now = atomic_load(&turn)) != mine) {
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
    }
}

static void give_turn(uint32_t other)
{
    atomic_store(&turn, other);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static int partner(void *size)
{
    for (int i = 0; i < *(int *)size; i++) {
        wait_for_turn(1);
        give_turn(0);
    }
    return 0;
}

static double sample_futex(unsigned workers, int size, unsigned long long *check)
{
    (void)workers;
    thrd_t thread;
    thrd_create(&thread, partner, &size);
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        give_turn(1);
        wait_for_turn(0);
    }
    double ns = (now_ns() - start) / size;
    thrd_join(thread, NULL);
    *check = 1;
    return ns;
}

static int nothing(void *unused)
{
    (void)unused;
    return 0;
}

static double sample_thread(unsigned workers, int size, unsigned long long *check)
{
    (void)workers;
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        thrd_t thread;
        thrd_create(&thread, nothing, NULL);
        thrd_join(thread, NULL);
    }
    *check = 1;
    return (now_ns() - start) / size;
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"fence", sample_fence},
                                      {"clock", sample_clock},
                                      {"futex", sample_futex},
                                      {"thread", sample_thread}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
