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

/* g++ 12 has no _Atomic in C++: C++ code never touches such words, it only needs their size. */
#ifndef FILCH_ATOMIC
#ifdef __cplusplus
#define FILCH_ATOMIC(T) T
#else
#define FILCH_ATOMIC(T) _Atomic(T)
#endif
#endif

#endif
