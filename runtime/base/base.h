/* base: what every other file may use and what uses nothing itself. */
#ifndef FILCH_BASE_H
#define FILCH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <filch/platform.h>

/* Fields written by different threads lie at least this far apart. 64 is right for x86-64 and
 * most aarch64 parts. */
#define FILCH_CACHE_LINE 64

/* How often a lock is tried before its taker sleeps or yields. The models say once. */
#ifndef FILCH_SPINS
#define FILCH_SPINS 64
#endif

#define FILCH_LIKELY(x) __builtin_expect(!!(x), 1)
#define FILCH_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Of a function: seldom called, and not to be made part of its caller. */
#define FILCH_APART __attribute__((noinline))

/* The struct that contains `member` at `pointer`. */
#define FILCH_CONTAINER(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

static inline size_t filch_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sizes come from users: every product and sum of them goes through these. False: it overflowed. */
FILCH_MUST_CHECK static inline bool filch_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

FILCH_MUST_CHECK static inline bool filch_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* What a type of that size may be aligned to, at most: its size is a multiple of its alignment, so
 * the latter need not be known. From 16, which all memory has, to 64, the most that filch knows. */
static inline size_t filch_alignment_for(size_t bytes)
{
    size_t lowest = bytes & (~bytes + 1);
    return lowest > 64 ? 64 : lowest < 16 ? 16 : lowest;
}

/* The same for values of two sizes that lie in the same memory. */
static inline size_t filch_alignment_for_both(size_t bytes, size_t others)
{
    size_t one = filch_alignment_for(bytes);
    size_t other = filch_alignment_for(others);
    return one > other ? one : other;
}

/* The next multiple of an alignment. The caller knows that there is one. */
static inline size_t filch_aligned_up(size_t bytes, size_t alignment)
{
    return (bytes + alignment - 1) & ~(alignment - 1);
}

/* Soon to be touched, and maybe not at hand. Any address will do. */
static inline void filch_prefetch(const void *address)
{
    __builtin_prefetch(address);
}

/* The same for so many lines from there on, then for so many before it, the nearest first: what is
 * asked for first comes first. */
static inline void filch_prefetch_around(const void *address, int from, int before)
{
    for (int i = 0; i < from; i++) {
        filch_prefetch((const char *)address + i * FILCH_CACHE_LINE);
    }
    for (int i = 1; i <= before; i++) {
        filch_prefetch((const char *)address - i * FILCH_CACHE_LINE);
    }
}

/* Tell the processor that we are spinning. */
static inline void filch_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

#endif
