/* filch/platform.h: what C11 and C++17 spell differently. */
#ifndef FILCH_PLATFORM_H
#define FILCH_PLATFORM_H

#ifdef __cplusplus
#define FILCH_ALIGNED(n) alignas(n)
#else
#define FILCH_ALIGNED(n) _Alignas(n)
#endif

/* Of a function in a header: made part of its caller, as a macro would be. */
#define FILCH_INLINE __attribute__((always_inline, unused)) static inline

/* Compilers tell of a call whose answer is dropped: it says whether what was wanted is there. */
#define FILCH_MUST_CHECK __attribute__((warn_unused_result))

/* A function that calls another saves first, and restores at its end, the registers that it needs
 * across the call, also when the call is hardly ever made. FILCH_CALL_KEEPING(f, a, b) calls an f
 * of two pointers that is declared as FILCH_KEEPING void, and leaves nearly all of them alone. It
 * is there only where no compiler need know that f may throw: of an asm they do not expect it. */
#if defined __x86_64__ && defined __LP64__
#define FILCH_KEEPING __attribute__((no_caller_saved_registers))
#ifndef __EXCEPTIONS
#define FILCH_CALL_KEEPING(f, a, b)                                                                \
    do {                                                                                           \
        void *filch_a = a;                                                                         \
        void *filch_b = b;                                                                         \
        __asm__ volatile("{call *" #f "@GOTPCREL(%%rip)|call qword ptr [rip + " #f "@GOTPCREL]}"   \
                         : "+D"(filch_a), "+S"(filch_b)                                            \
                         :                                                                         \
                         : FILCH_NOT_KEPT);                                                        \
    } while (0)
#define FILCH_NOT_KEPT                                                                             \
    "rax", "rcx", "rdx", "cc", "memory", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",        \
        "st(6)", "st(7)", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",  \
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15" FILCH_NOT_KEPT_MORE
#ifdef __AVX512F__
#define FILCH_NOT_KEPT_MORE                                                                        \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7"
#else
#define FILCH_NOT_KEPT_MORE
#endif
#endif
#else
#define FILCH_KEEPING
#endif

/* g++ 12 has no _Atomic in C++: C++ code never touches such words, it only needs their size. */
#ifndef FILCH_ATOMIC
#ifdef __cplusplus
#define FILCH_ATOMIC(T) T
#else
#define FILCH_ATOMIC(T) _Atomic(T)
#endif
#endif

#endif
