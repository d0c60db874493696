/* os: everything filch asks of the operating system.
 *
 * One implementation is chosen at configure time: os_linux.c (futex, light guards) or os_posix.c
 * (condition variables, for other systems and to keep the seam honest). Times are nanoseconds on
 * a monotonic clock; no wall clock is read anywhere. */
#ifndef FILCH_OS_H
#define FILCH_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <threads.h>

#include "base/private.h"

#define FILCH_OS_NEVER UINT64_MAX /* a deadline that never comes */

enum { FILCH_PATH_BYTES = 4096 }; /* the longest path, with its end */

FILCH_SEAM uint64_t filch_os_now_ns(void);

/* The name of a call that the system refuses and filch cannot do without; NULL: there is none. */
FILCH_SEAM const char *filch_os_refused(void);

/* Sleep while *word == expected, at most until deadline_ns. False: the deadline has passed. True
 * says nothing: wake-ups may be spurious, so callers loop on their own condition. The word is
 * alive until this returns: a sleeper may look at it itself now and then. */
FILCH_SEAM bool filch_os_wait(_Atomic(uint32_t) *word, uint32_t expected, uint64_t deadline_ns);

/* Wake at most `count` sleepers on word. The word's memory need not be alive any more. */
FILCH_SEAM void filch_os_wake(_Atomic(uint32_t) *word, int count);

/* Let another thread run. */
FILCH_SEAM void filch_os_yield(void);

/* Zeroed, lazily committed memory in small pages; NULL when there is none. */
FILCH_SEAM FILCH_MUST_CHECK void *filch_os_map(size_t bytes);
FILCH_SEAM void filch_os_unmap(void *memory, size_t bytes);

/* Has the process a limit on its address space? Then what can be mapped later is not certain. */
FILCH_SEAM bool filch_os_space_is_limited(void);

/* How far the stack of the program's main thread may grow; of one without limit some bytes. */
FILCH_SEAM size_t filch_os_stack_bytes(void);

/* Make pages fault on access. False: the system has no more guards to give. */
FILCH_SEAM bool filch_os_guard(void *memory, size_t bytes);

/* Give the pages back to the system; they read as zero afterwards. False: it refuses, and they are
 * as they were. */
FILCH_SEAM bool filch_os_trim(void *memory, size_t bytes);

/* Has the system given pages to any of that, some kilobytes? True also where it does not tell. */
FILCH_SEAM bool filch_os_is_resident(void *memory, size_t bytes);

FILCH_SEAM size_t filch_os_page_bytes(void);

/* What the kernel pushes on a stack to deliver a signal; 0 when it does not tell. */
FILCH_SEAM size_t filch_os_signal_frame_bytes(void);

/* A word that reads zero in the child of a fork(): how a pool notices that its threads are gone.
 * The system wipes it if it can; the function of filch_os_in_child() is to do so, too. NULL when
 * there is no memory for it. */
FILCH_SEAM _Atomic(uint32_t) *filch_os_fork_word(void);

/* Have function() called in the child of every fork() from now on, before fork() returns there. */
FILCH_SEAM void filch_os_in_child(void (*function)(void));

/* Processors in this process's affinity mask, at least 1. */
FILCH_SEAM unsigned filch_os_affinity_count(void);

/* Their numbers, `most` of them at most; how many. 0: the system does not tell. */
FILCH_SEAM unsigned filch_os_processors(unsigned *numbers, unsigned most);

/* Keep the calling thread on a processor. Best effort. */
FILCH_SEAM void filch_os_bind(unsigned processor);

/* The caller has just made the thread, which does nothing yet, and goes on running: the thread is
 * not to wait for the caller's processor. Best effort. */
FILCH_SEAM void filch_os_thread_move(thrd_t thread);

/* The processor that the caller is on, or was just now; below 0: the system does not tell. */
FILCH_SEAM int filch_os_processor(void);

/* Take a processor from those that a thread may run on, and give it back. Best effort.
 * False: it was not one of several. */
FILCH_SEAM FILCH_MUST_CHECK bool filch_os_keep_off(uint64_t thread, int processor);
FILCH_SEAM void filch_os_let_back(uint64_t thread, int processor);

/* As getenv(), but NULL in a program that runs with privileges its caller has not. */
FILCH_SEAM const char *filch_os_getenv(const char *name);

/* The kernel's number of the calling thread. */
FILCH_SEAM uint64_t filch_os_thread_id(void);

/* How many threads the process has; 0: the system does not tell. */
FILCH_SEAM unsigned filch_os_thread_count(void);

/* If this code is part of a library that was loaded, keep it where it is until the process ends:
 * what runs it later, a thread, a destructor or a handler, must find it there. It takes the
 * loader's lock. Best effort; any number of times. */
FILCH_SEAM void filch_os_pin_self(void);

/* The calling thread's own locale; NULL: it goes by the process's. */
FILCH_SEAM void *filch_os_locale(void);
FILCH_SEAM void filch_os_set_locale(void *locale);

/* Start a thread that leaves asynchronous signals to the program's own threads. False: the system
 * has none to give. */
FILCH_SEAM FILCH_MUST_CHECK bool filch_os_thread_create(thrd_t *thread, thrd_start_t main,
                                                        void *argument);

/* What that thread calls first. Its name is for debuggers and top(1), and cut to 15 bytes. */
FILCH_SEAM void filch_os_thread_begin(const char *name);

/* Wait until it has ended. */
FILCH_SEAM void filch_os_thread_join(thrd_t thread);

/* Call function(argument); if it does not return because the calling thread is ended inside, on
 * whatever stack, call ended(argument). */
FILCH_SEAM void filch_os_run_guarded(void (*function)(void *), void *argument,
                                     void (*ended)(void *));

/* The calling thread, a program's own, ends, as if it were cancelled; with musl its stack is not
 * taken down. */
FILCH_SEAM void filch_os_thread_exit(void);

/* The calling thread cannot be cancelled from here to there; what was so before. */
FILCH_SEAM int filch_os_cancel_off(void);
FILCH_SEAM void filch_os_cancel_restore(int before);

/* The signals that the calling thread blocks, the one with number n as bit n - 1. */
FILCH_SEAM uint64_t filch_os_blocked_signals(void);

/* Has the program a handler for some signal? Faults aside, which a thread brings on itself, and the
 * signal `aside`. */
FILCH_SEAM bool filch_os_has_handlers(int aside);

/* May filch_os_wake() be called by a signal handler? */
FILCH_SEAM bool filch_os_wakes_from_handlers(void);

/* Two ends of something that poll() finds readable once it was set; maybe the same descriptor.
 * False: the system has none to give. */
FILCH_SEAM FILCH_MUST_CHECK bool filch_os_event_make(int *read_end, int *write_end);
FILCH_SEAM bool filch_os_event_set(int write_end); /* false: the system refuses */
FILCH_SEAM void filch_os_event_close(int read_end, int write_end);

/* The same made of a pipe, for the implementations of filch_os_event_make(). */
FILCH_SEAM FILCH_MUST_CHECK bool filch_os_event_pipe(int *read_end, int *write_end);

/* Random bits for where a pool's first victim search starts; quality is irrelevant. */
FILCH_SEAM uint64_t filch_os_seed(void);

#endif
