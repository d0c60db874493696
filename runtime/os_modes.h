/* os_modes: the modes of floating-point arithmetic, which are a thread's: how it rounds, what it
 * flushes to zero, and what traps. The flags that tell what has happened are not among them.
 *
 * On a processor that is not named here there is one set of modes, 0, which filch leaves alone. */
#ifndef FILCH_OS_MODES_H
#define FILCH_OS_MODES_H

#include <stdint.h>

#if defined(__x86_64__)

enum { FILCH_MXCSR_FLAGS = 0x3f };

#define FILCH_OS_MODES_DEFAULT ((uint64_t)0x37f << 32 | 0x1f80) /* as a process begins: x87, SSE */

static inline uint64_t filch_os_modes(void)
{
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (uint64_t)x87 << 32 | (mxcsr & ~(uint32_t)FILCH_MXCSR_FLAGS);
}

static inline void filch_os_set_modes(uint64_t modes)
{
    uint32_t mxcsr = (uint32_t)modes;
    uint16_t x87 = (uint16_t)(modes >> 32);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    /* An old flag whose trap the new word allows would trap at once. */
    __asm__ volatile("fnclex; fldcw %0" : : "m"(x87));
}

#elif defined(__aarch64__)

#define FILCH_OS_MODES_DEFAULT 0

static inline uint64_t filch_os_modes(void)
{
    uint64_t fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    return fpcr;
}

static inline void filch_os_set_modes(uint64_t modes)
{
    __asm__ volatile("msr fpcr, %0" : : "r"(modes));
}

#else

#define FILCH_OS_MODES_DEFAULT 0

static inline uint64_t filch_os_modes(void)
{
    return FILCH_OS_MODES_DEFAULT;
}

static inline void filch_os_set_modes(uint64_t modes)
{
    (void)modes;
}

#endif

/* Whatever they are now. Loaded only if they differ: that clears the flags. */
static inline void filch_os_restore_modes(uint64_t modes)
{
    if (filch_os_modes() != modes) {
        filch_os_set_modes(modes);
    }
}

#endif
