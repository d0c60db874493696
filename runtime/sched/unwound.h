/* unwound: calls and tasks that do not return, because their thread ends in the middle of them
 * (pthread_exit, thrd_exit, pthread_cancel) or because a C++ exception leaves them.
 *
 * The thread's stack is taken down frame by frame, and what has FILCH_UNWINDS is told, innermost
 * first: for this the library is compiled with -fexceptions, which costs nothing until it happens.
 * At that moment the frames above are still there: others that run pieces of a call may refer to
 * them and are waited for. A guest whose call has no frame of ours on the stack (a fork function, a
 * group) is seen to when its thread's data is destroyed, thread.c; all that others refer to is in
 * memory that stays.
 *
 * A fiber of the pool that runs on a program's thread (stint.h) is taken down as far as its stack
 * goes; then the thread ends on its own. Anywhere else a pool's fiber cannot do this: the thread is
 * needed. It is a fatal error. */
#ifndef FILCH_UNWOUND_H
#define FILCH_UNWOUND_H

#include "base/private.h"
#include "base/base.h"
#include "work/lane.h"

struct filch_fiber;
struct filch_thread;

/* Of a variable: call function(&variable) whenever its scope is left. To be told of unwinding
 * alone, the scope clears the variable before its end. */
#define FILCH_UNWINDS(function) __attribute__((cleanup(function)))

/* What ran on `fiber` above `frame` and in the slots from `bottom` on will not return. A guest,
 * or on a stint: the slots are taken off its lane, unrun; those that others run are waited for.
 * Else a fatal error. */
FILCH_PRIVATE void filch_unwound_to(struct filch_fiber *fiber, struct filch_frame *frame,
                                    filch_slot *bottom);

/* The first half of it: a pool's fiber that is on no stint does not come back from this. False:
 * there is nothing more to do, since the pool belongs to the parent of this process. */
FILCH_PRIVATE bool filch_unwound_begin(struct filch_fiber *fiber, struct filch_frame *frame);

/* Take the newest slot of a guest's lane off it. True: it was not run, and no other thread will. */
FILCH_PRIVATE bool filch_unwound_drop(struct filch_fiber *fiber);

/* The program's code that must return to us, on whatever thread, because others count on what comes
 * after it: callbacks, hooks, stages. A thread of the program's that is cancelled meanwhile ends at
 * a later point of cancellation. That it does not return is a fatal error. Begin; call it; set
 * `returned`; end, by FILCH_UNWINDS(filch_must_return_end). */
struct filch_must_return {
    bool returned;
    bool uncancelled; /* `state` is to be restored */
    int state;
};
FILCH_PRIVATE struct filch_must_return filch_must_return_begin(void);
FILCH_PRIVATE void filch_must_return_end(struct filch_must_return *must);

/* What the thread runs ends it, where that must not be: say so, naming it, and abort. NULL: a
 * thread that filch does not know. */
FILCH_PRIVATE _Noreturn void filch_unwound_fatally(struct filch_thread *thread);

#endif
