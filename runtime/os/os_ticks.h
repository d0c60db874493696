/* os_ticks: a cheaper clock, for lengths that need not be exact: one to five ticks a nanosecond.
 * May differ between processors (filch_os_ticks_agree() tells). */
#ifndef FILCH_OS_TICKS_H
#define FILCH_OS_TICKS_H

#include <stdint.h>

#include "os/os.h"

static inline uint64_t filch_os_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t count;
    uint64_t per_second;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(per_second));
    return per_second < 1000000000 ? count * (1000000000 / (per_second | 1)) : count;
#else
    return filch_os_now_ns();
#endif
}

#endif
