/* filch/filch.h: everything that filch offers, in one include.
 *
 * Conventions, unless a function says otherwise. Creation returns a status and sets its last
 * argument, NULL on failure. A call that fails has changed nothing. NULL where a handle is freed
 * is a no-op, NULL anywhere else is FILCH_EINVAL. Times are seconds as a double,
 * points in time are of a type of their own (time.h). No function exits, aborts or prints.
 *
 * A task may go on on another thread after any call that can block: pointers to thread-local
 * variables, errno among them, do not survive such a call, and a pthread mutex must not be held
 * across one. */
#ifndef FILCH_FILCH_H
#define FILCH_FILCH_H

#include <filch/block.h>
#include <filch/blocking.h>
#include <filch/channel.h>
#include <filch/closure.h>
#include <filch/core.h>
#include <filch/deadlock.h>
#include <filch/error.h>
#include <filch/first.h>
#include <filch/fold.h>
#include <filch/fork.h>
#include <filch/function.h>
#include <filch/future.h>
#include <filch/futures.h>
#include <filch/graph.h>
#include <filch/grid.h>
#include <filch/group.h>
#include <filch/imap.h>
#include <filch/inbox.h>
#include <filch/io.h>
#include <filch/log.h>
#include <filch/loop.h>
#include <filch/map_reduce.h>
#include <filch/memory.h>
#include <filch/options.h>
#include <filch/order.h>
#include <filch/pipeline.h>
#include <filch/placed.h>
#include <filch/pool.h>
#include <filch/predicate.h>
#include <filch/process.h>
#include <filch/progress.h>
#include <filch/reduce.h>
#include <filch/registry.h>
#include <filch/signals.h>
#include <filch/slots.h>
#include <filch/signature.h>
#include <filch/source.h>
#include <filch/status.h>
#include <filch/sync.h>
#include <filch/task.h>
#include <filch/then.h>
#include <filch/time.h>
#include <filch/trace.h>
#include <filch/version.h>

#endif
