/* filch_all: the library as one file, and the list of its sources.
 *
 * Compiled this way its private functions are static (base/private.h): a compiler that sees all
 * callers inlines and specializes throughout. CMakeLists.txt reads the list below, too, to compile
 * the same sources one by one. Without CMake:
 *
 *     cc -O2 -fexceptions -fvisibility=hidden -Iruntime -Iapi -Iruntime/include -Iapi/include \
 *         -c api/filch_all.c runtime/os/os_unix*.c runtime/os/os_linux.c runtime/os/os_linux_poll.c \
 *         runtime/os/os_linux_spawn.c runtime/os/os_linux_watch.c runtime/stack/switch_x86_64.S
 *
 * The layer to the system stays apart; why: base/private.h. */
#define FILCH_ALL
/* Of names of other files; each alone is compiled with it. */
#pragma GCC diagnostic ignored "-Wshadow"
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* too late where a source says so: headers have been included by then */
#endif

#if !defined(__linux__) && !defined(FILCH_OS_POSIX)
#define FILCH_OS_POSIX
#endif
#if (!defined(__x86_64__) && !defined(__aarch64__)) || defined(__ILP32__)
#undef FILCH_SWITCH_UCONTEXT
#define FILCH_SWITCH_UCONTEXT
#endif

#include "base/assert.c"
#include "base/blocks.c"
#include "base/memory.c"
#include "base/status.c"

#include "os/cpu.c"
#include "os/lock.c"
#include "os/log.c"
#include "os/rank.c"
#include "os/topology.c"
#ifdef FILCH_OS_POSIX
#include "os/os_posix_poll.c"
#else
#include "os/os_linux_plain_poll.c"
#endif

#include "trace/recording.c"
#include "trace/recording_names.c"
#include "trace/tracer.c"

#include "sleep/closing.c"
#include "sleep/park.c"
#include "sleep/party.c"
#include "sleep/timer.c"
#include "sleep/wait.c"

#include "work/deque.c"
#include "work/lane.c"
#include "work/queue.c"

#include "stack/overflow.c"
#include "stack/slab.c"
#include "stack/stack.c"
#include "stack/trim.c"
#ifdef FILCH_SWITCH_UCONTEXT
#include "stack/switch_ucontext.c"
#else
#include "stack/switch_asm.c"
#endif

#include "sched/acquire.c"
#include "sched/assert_host.c"
#include "sched/call_site.c"
#include "sched/cancel.c"
#include "sched/core.c"
#include "sched/crowd.c"
#include "sched/seize.c"
#include "sched/fiber.c"
#include "sched/handoff.c"
#include "sched/join.c"
#include "sched/monitor.c"
#include "sched/open.c"
#include "sched/pending.c"
#include "sched/pool.c"
#include "sched/post.c"
#include "sched/process.c"
#include "sched/publish.c"
#include "sched/quiescence.c"
#include "sched/ready.c"
#include "sched/region.c"
#include "sched/starve.c"
#include "sched/stint.c"
#include "sched/suspend.c"
#include "sched/thread.c"
#include "sched/threads.c"
#include "sched/trace_host.c"
#include "sched/unwound.c"
#include "sched/wake.c"
#include "sched/worker.c"

#include "poll/descriptors.c"
#include "poll/poller.c"

#include "debug/deadlock.c"
#include "debug/deadlock_describe.c"
#include "debug/describe.c"
#include "debug/dump.c"

#include "trace/trace.c"

#include "pool/call_options.c"
#include "pool/closure.c"
#include "pool/dump.c"
#include "pool/dump_signal.c"
#include "pool/error.c"
#include "pool/hooks.c"
#include "pool/pools.c"
#include "pool/registry.c"
#include "pool/run_in_pool.c"
#include "pool/task.c"
#include "pool/typed.c"
#include "pool/version.c"

#include "future/after.c"
#include "future/apply.c"
#include "future/callbacks.c"
#include "future/completions.c"
#include "future/dot.c"
#include "future/fits.c"
#include "future/future.c"
#include "future/future_fd.c"
#include "future/needs.c"
#include "future/owners.c"
#include "future/placed.c"
#include "future/promise.c"
#include "future/task_future.c"
#include "future/then.c"
#include "future/waiting.c"
#include "future/when.c"

#include "sync/blocking.c"
#include "sync/channel.c"
#include "sync/channel_wait.c"
#include "sync/condition.c"
#include "sync/group.c"
#include "sync/group_macros.c"
#include "sync/group_wait.c"
#include "sync/inbox.c"
#include "sync/linger.c"
#include "sync/mutex.c"
#include "sync/once.c"
#include "sync/rwlock.c"
#include "sync/semaphore.c"
#include "sync/wait_group.c"
#include "sync/wait_queue.c"

#include "fork/fork.c"

#include "loop/chain.c"
#include "loop/dispenser.c"
#include "loop/fold.c"
#include "loop/grid.c"
#include "loop/imap.c"
#include "loop/imap_batch.c"
#include "loop/loop.c"
#include "loop/loop_block.c"
#include "loop/loop_range.c"
#include "loop/loop_run.c"
#include "loop/loop_state.c"
#include "loop/map_reduce.c"
#include "loop/participant.c"
#include "loop/partition.c"
#include "loop/pipeline.c"
#include "loop/pipeline_open.c"
#include "loop/predicate.c"
#include "loop/progress.c"
#include "loop/progress_bar.c"
#include "loop/reduce.c"
#include "loop/reducer_check.c"
#include "loop/scan.c"
#include "loop/slots.c"
#include "loop/sort.c"
#include "loop/states.c"

#include "graph/graph.c"
#include "graph/graph_order.c"
#include "graph/graph_run.c"

#include "io/io.c"
#include "io/io_wait.c"

#include "first/first.c"
#include "first/first_cases.c"
#include "first/first_channels.c"
#include "first/first_fds.c"
#include "first/first_watch.c"
#include "first/processes.c"
#include "first/signals.c"

#ifdef FILCH_AMALGAMATION /* what stays apart elsewhere */
#include "os/os_unix.c"
#include "os/os_unix_file.c"
#include "os/os_unix_spawn.c"
#include "os/os_unix_watch.c"
#ifdef FILCH_OS_POSIX
#include "os/os_posix.c"
#include "os/os_posix_spawn.c"
#include "os/os_posix_watch.c"
#else
#include "os/os_linux.c"
#include "os/os_linux_poll.c"
#include "os/os_linux_spawn.c"
#include "os/os_linux_watch.c"
#endif
#if defined(FILCH_SWITCH_UCONTEXT)
#elif defined(__x86_64__)
#include "stack/switch_x86_64.S"
#else
#include "stack/switch_aarch64.S"
#endif
#endif
