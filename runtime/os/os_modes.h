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

static inline uint16_t filch_os_x87_word(void)
{
    uint16_t word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static inline void filch_os_set_x87_word(uint16_t word)
{
    /* An old flag whose trap the new word allows would trap at once. */
    __asm__ volatile("fnclex; fldcw %0" : : "m"(word));
}

/* What a thread is to find again: its modes and, of SSE, its flags. */
static inline uint64_t filch_os_keep_modes(void)
{
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    return (uint64_t)filch_os_x87_word() << 32 | mxcsr;
}

static inline uint64_t filch_os_modes_kept(uint64_t kept)
{
    return kept & ~(uint64_t)FILCH_MXCSR_FLAGS;
}

static inline void filch_os_set_modes(uint64_t modes)
{
    uint32_t mxcsr = (uint32_t)modes;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    filch_os_set_x87_word((uint16_t)(modes >> 32));
}

/* To load the word of SSE takes a sixth of the time of a look at it; with x87 it is the look. */
static inline void filch_os_restore_modes(uint64_t kept)
{
    uint32_t mxcsr = (uint32_t)kept;
    uint16_t x87 = (uint16_t)(kept >> 32);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    if (filch_os_x87_word() != x87) {
        filch_os_set_x87_word(x87);
    }
}

#else

#define FILCH_OS_MODES_DEFAULT 0

#if defined(__aarch64__)

static inline uint64_t filch_os_keep_modes(void)
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

static inline uint64_t filch_os_keep_modes(void)
{
    return FILCH_OS_MODES_DEFAULT;
}

static inline void filch_os_set_modes(uint64_t modes)
{
    (void)modes;
}

#endif

static inline uint64_t filch_os_modes_kept(uint64_t kept)
{
    return kept; /* the flags are in a register of their own */
}

static inline void filch_os_restore_modes(uint64_t kept)
{
    if (filch_os_keep_modes() != kept) {
        filch_os_set_modes(kept);
    }
}

#endif

static inline uint64_t filch_os_modes(void)
{
    return filch_os_modes_kept(filch_os_keep_modes());
}

#endif
