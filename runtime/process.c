#include "process.h"

#include "base.h"
#include "closing.h"
#include "memory.h"
#include "os.h"
#include "core.h"
#include "pool.h"
#include "recording.h"
#include "thread.h"

struct filch_process *filch_process(void)
{
    static struct filch_process process; /* zero is a valid start: locks free, lists empty */
    return &process;
}

/* In the child of a fork(): locks may have been held by threads that are not here, and no more are
 * the pools. */
static void start_anew_in_child(void)
{
    struct filch_process *process = filch_process();
    filch_lock_init(&process->lock);
    filch_lock_init(&process->pools_lock);
    filch_lock_init(&process->dump_lock);
    process->pools = NULL;
    process->dump_signal = 0; /* nor is the thread that dumps */
    if (process->fork_word) { /* where the system has not wiped it; relaxed: one thread is here */
        atomic_store_explicit(process->fork_word, 0, memory_order_relaxed);
    }
    filch_fds_start_anew();
    filch_recording_abandon();
    struct filch_thread *thread = filch_thread_known();
    if (thread && thread->core) {
        filch_tracer_detach(thread->core); /* the other cores' holders are not here */
    }
}

void filch_process_add_pool(struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock);
    pool->next_pool = process->pools;
    pool->number = ++process->pool_number;
    process->pools = pool;
    filch_lock_release(&process->pools_lock);
}

static void for_all_cores(void (*visit)(struct filch_core *core))
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock);
    for (struct filch_pool *pool = process->pools; pool; pool = pool->next_pool) {
        unsigned count = filch_core_count(pool);
        for (unsigned i = 0; i < count; i++) {
            visit(filch_core_at(pool, i));
        }
    }
    filch_lock_release(&process->pools_lock);
}

void filch_recording_join_all(void)
{
    for_all_cores(filch_tracer_attach);
}

void filch_recording_leave_all(void)
{
    for_all_cores(filch_tracer_detach);
}

void filch_process_remove_pool(struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock);
    struct filch_pool **link = &process->pools;
    while (*link && *link != pool) {
        link = &(*link)->next_pool;
    }
    if (*link) { /* not so in a child, which has forgotten it */
        *link = pool->next_pool;
    }
    filch_lock_release(&process->pools_lock);
}

uint32_t filch_process_token(void)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    if (!process->fork_word) {
        process->fork_word = filch_os_fork_word();
        filch_os_in_child(start_anew_in_child);
    }
    uint32_t token = 0;
    if (process->fork_word) {
        /* relaxed, both: only the child's single thread can see the wiped word first */
        token = atomic_load_explicit(process->fork_word, memory_order_relaxed);
        if (token == 0) {
            token = ++process->last_token;
            atomic_store_explicit(process->fork_word, token, memory_order_relaxed);
        }
    }
    filch_lock_release(&process->lock);
    return token;
}

bool filch_process_owns(uint32_t token)
{
    /* relaxed: as above. fork_word is set before the first token is given out. */
    return atomic_load_explicit(filch_process()->fork_word, memory_order_relaxed) == token;
}

struct filch_thread *filch_process_take_thread(void)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    struct filch_thread *thread = process->spare_threads;
    if (thread) {
        process->spare_threads = thread->next;
    }
    if (!thread && (thread = filch_calloc(1, sizeof *thread))) {
        filch_parker_init(&thread->parker);
        thread->older = process->newest_thread;
        process->newest_thread = thread;
    }
    if (thread) {
        thread->processor = 0;
        thread->live = true;
    }
    filch_lock_release(&process->lock);
    return thread;
}

void filch_process_give_thread(struct filch_thread *thread)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock);
    thread->live = false;
    thread->next = process->spare_threads;
    process->spare_threads = thread;
    filch_lock_release(&process->lock);
}
