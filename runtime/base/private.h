/* private: how far a function is seen that users do not call.
 *
 * Compiled file by file, they see each other (hidden from other libraries by -fvisibility=hidden).
 * Compiled as one file (filch_all.c), the compiler is to know that there are no other callers: it
 * inlines and specializes throughout, which takes a quarter to a third off short calls. */
#ifndef FILCH_PRIVATE_H
#define FILCH_PRIVATE_H

#include <filch/platform.h>

/* Before each prototype in a private header. Definitions follow it without saying so again. Tests
 * that call private functions define it as nothing. */
#ifndef FILCH_PRIVATE
#ifdef FILCH_ALL
#define FILCH_PRIVATE static
#else
#define FILCH_PRIVATE
#endif
#endif

/* Before the few that only tests call. */
#define FILCH_FOR_TESTS FILCH_PRIVATE __attribute__((unused))

/* Before those that only assertions call (assert.h). Where there are none they are named, never
 * called, and nothing is behind them. */
#ifdef FILCH_ASSERTIONS
#define FILCH_FOR_ASSERTIONS FILCH_PRIVATE
#else
#define FILCH_FOR_ASSERTIONS
#endif

/* Before the few objects that several files share. */
#define FILCH_PRIVATE_OBJECT extern __attribute__((visibility("hidden")))

/* Before what the layer to the system (os.h) and the rest call of each other. The compiler takes
 * the address of errno to be the same throughout a function, but what these functions might be
 * inlined into goes on on another thread after a wait. So they are compiled apart; or not inlined,
 * where everything is in one file that a user adds to a program (tools/amalgamate). */
#ifdef FILCH_AMALGAMATION
#define FILCH_SEAM static __attribute__((noinline, unused))
#else
#define FILCH_SEAM
#endif

#endif
