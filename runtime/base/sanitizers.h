/* sanitizers: is this compiled for AddressSanitizer, or ThreadSanitizer? gcc and clang say so in
 * ways of their own. */
#ifndef FILCH_SANITIZERS_H
#define FILCH_SANITIZERS_H

#if defined(__SANITIZE_ADDRESS__)
#define FILCH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FILCH_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FILCH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FILCH_TSAN 1
#endif
#endif

#endif
