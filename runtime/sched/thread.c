#include "sched/thread.h"

#include <threads.h>

#include "base/base.h"
#include "os/os.h"
#include "sched/process.h"
#include "stack/overflow.h"

static _Thread_local struct filch_thread *self;

static void set_self(struct filch_thread *thread)
{
    self = thread;
    filch_memory_count_as(thread ? &thread->heap : NULL);
}

/* Runs when a thread ends: hand its record on. */
static tss_t at_exit;
static once_flag at_exit_once = ONCE_FLAG_INIT;
static bool at_exit_made; /* written once, under at_exit_once */

static void thread_ends(void *record)
{
    struct filch_thread *thread = record;
    if (thread->fiber) {
        filch_thread_give_up(thread);
    }
    set_self(NULL);
    filch_process_give_thread(thread);
}

static void make_at_exit(void)
{
    at_exit_made = tss_create(&at_exit, thread_ends) == thrd_success;
}

/* noinline and opaque: a fiber may read this on one thread and again on another, so the compiler
 * must neither keep the value nor the variable's address (llvm #98479). */
__attribute__((noinline)) struct filch_thread *filch_thread_known(void)
{
    __asm__ volatile("" ::: "memory");
    return self;
}

static __attribute__((noinline)) struct filch_thread *first_meeting(void)
{
    filch_process_pin();
    call_once(&at_exit_once, make_at_exit);
    struct filch_thread *thread = at_exit_made ? filch_process_take_thread() : NULL;
    if (thread && tss_set(at_exit, thread) != thrd_success) {
        filch_process_give_thread(thread);
        thread = NULL;
    }
    if (thread) {
        thread->party.thread_id = thread->parker.thread = filch_os_thread_id();
        thread->party.releases = NULL; /* the last owner may have ended inside a destructor */
        thread->blocked_signals = filch_os_blocked_signals();
    }
    set_self(thread);
    return thread;
}

void filch_thread_adopt(struct filch_thread *thread)
{
    thread->parker.thread = filch_os_thread_id();
    set_self(thread);
}

void filch_thread_furnish(struct filch_thread *thread)
{
    if (!thread->fault_stack) {
        thread->fault_stack = filch_malloc(filch_overflow_stack_bytes());
    }
}

void filch_thread_resign(void)
{
    struct filch_thread *thread = self;
    set_self(NULL);
    filch_process_give_thread(thread);
}

struct filch_thread *filch_thread_self(void)
{
    struct filch_thread *thread = filch_thread_known();
    return FILCH_LIKELY(thread != NULL) ? thread : first_meeting();
}

/* As filch_thread_known: one call for what is asked at every lock. */
__attribute__((noinline)) struct filch_party *filch_party_known(void)
{
    __asm__ volatile("" ::: "memory");
    struct filch_thread *thread = self;
    if (FILCH_UNLIKELY(!thread)) {
        return NULL;
    }
    return thread->fiber ? thread->fiber->party : &thread->party;
}

struct filch_party *filch_party_self(void)
{
    struct filch_party *party = filch_party_known();
    return FILCH_LIKELY(party != NULL) || !first_meeting() ? party : filch_party_known();
}

/* seq_cst: the count of sleepers (deadlock.c) reads all twice; between them no thread was awake. */
void filch_thread_nap(struct filch_thread *thread)
{
    atomic_fetch_add_explicit(&thread->naps, 1, memory_order_seq_cst);
}

void filch_thread_rise(struct filch_thread *thread)
{
    atomic_fetch_add_explicit(&thread->naps, 1, memory_order_seq_cst); /* as above */
}
