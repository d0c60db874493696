#include "sched/process.h"

#include "base/assert.h"
#include "base/base.h"
#include "base/memory.h"
#include "os/os.h"
#include "sched/core.h"
#include "sched/fiber.h"
#include "sched/pool.h"
#include "sched/thread.h"
#include "sleep/closing.h"
#include "trace/recording.h"

/* Zero is a valid start: locks free, lists empty. tools/gdb begins here. */
static struct filch_process the_process;

struct filch_process *filch_process(void)
{
    return &the_process;
}

void filch_process_pin(void)
{
    struct filch_process *process = filch_process();
    /* relaxed, both: it may be done twice */
    if (!atomic_load_explicit(&process->pinned, memory_order_relaxed)) {
        filch_os_pin_self();
        atomic_store_explicit(&process->pinned, true, memory_order_relaxed);
    }
}

/* The parent's threads are not here; they must not count as asleep, nor be looked at. Their records
 * are not used again: a mutex whose owner is one of them is not the next thread's. */
static void forget_threads(struct filch_process *process, struct filch_thread *self)
{
    struct filch_thread *next;
    for (struct filch_thread *t = filch_process_newest_thread(process); t; t = next) {
        next = t->older;
        if (t != self) {
            t->older = process->absent_threads;
            process->absent_threads = t;
        }
    }
    process->spare_threads = NULL;
    if (self) {
        self->older = NULL;
    }
    /* relaxed: the process has one thread */
    atomic_store_explicit(&process->newest_thread, self, memory_order_relaxed);
}

/* The one thread that the child has. If it was inside a pool it has left that: what it goes on with
 * there cannot be waited for. */
static void leave_pool(struct filch_thread *thread)
{
    if (thread->core) {
        filch_tracer_detach(&thread->core->seat); /* the other cores' holders are not here */
    }
    if (thread->fiber) {
        thread->left = thread->fiber->guest ? FILCH_LEFT_REGION : FILCH_LEFT_TASK;
    }
    thread->core = NULL;
    thread->fiber = NULL;
    thread->between_jobs = false;
    thread->parker.thread = filch_os_thread_id();
    if (thread->party.thread_id) {
        thread->party.thread_id = thread->parker.thread;
    }
}

/* In the child of a fork(): locks may have been held by threads that are not here, and no more are
 * the pools. */
static void start_anew_in_child(void)
{
    struct filch_process *process = filch_process();
    struct filch_thread *thread = filch_thread_known();
    filch_lock_forget_holders();
    process->pools = NULL;
    process->forked = true;
    atomic_store_explicit(&process->posters, 0, memory_order_relaxed); /* there is one thread */
    process->dump_signal = 0;        /* nor is the thread that dumps */
    process->has_dump_event = false; /* it is the parent's */
    _Atomic(uint32_t) *word = atomic_load_explicit(&process->fork_word, memory_order_relaxed);
    if (word) { /* where the system has not wiped it; relaxed, both: one thread is here */
        atomic_store_explicit(word, 0, memory_order_relaxed);
    }
    forget_threads(process, thread);
    filch_fds_start_anew();
    filch_recording_abandon();
    if (thread) {
        leave_pool(thread);
    }
}

void filch_process_look_by(filch_look *look)
{
    /* relaxed, both: a constant */
    if (!atomic_load_explicit(&filch_process()->look, memory_order_relaxed)) {
        atomic_store_explicit(&filch_process()->look, look, memory_order_relaxed);
    }
}

void filch_process_look(struct filch_waiter *own)
{
    /* relaxed: as above */
    filch_look *look = atomic_load_explicit(&filch_process()->look, memory_order_relaxed);
    if (look) {
        look(own);
    }
}

void filch_process_add_pool(struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    pool->next_pool = process->pools;
    pool->number = ++process->pool_number;
    process->pools = pool;
    filch_lock_release(&process->pools_lock);
}

static void for_all_cores(void (*visit)(struct filch_core *core))
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    for (struct filch_pool *pool = process->pools; pool; pool = pool->next_pool) {
        unsigned count = filch_core_count(pool);
        for (unsigned i = 0; i < count; i++) {
            visit(filch_core_at(pool, i));
        }
    }
    filch_lock_release(&process->pools_lock);
}

static void attach_core(struct filch_core *core)
{
    filch_tracer_attach(&core->seat, core);
}

static void detach_core(struct filch_core *core)
{
    filch_tracer_detach(&core->seat);
}

void filch_process_join_recording(void)
{
    for_all_cores(attach_core);
}

void filch_process_leave_recording(void)
{
    for_all_cores(detach_core);
}

bool filch_process_remove_pool(struct filch_pool *pool)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    struct filch_pool **link = &process->pools;
    while (*link && *link != pool) {
        link = &(*link)->next_pool;
    }
    if (*link) { /* not so in a child, which has forgotten it */
        *link = pool->next_pool;
    }
    bool others = process->pools != NULL;
    filch_lock_release(&process->pools_lock);
    /* acquire: pairs with the release in filch_fiber_post */
    while (atomic_load_explicit(&process->posters, memory_order_acquire)) {
        filch_os_yield();
    }
    return others;
}

static uint32_t make_token(struct filch_process *process)
{
    filch_process_pin();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    /* relaxed: written under the lock */
    _Atomic(uint32_t) *word = atomic_load_explicit(&process->fork_word, memory_order_relaxed);
    if (!word && (word = filch_os_fork_word())) {
        filch_os_in_child(start_anew_in_child);
        /* release: pairs with the acquire in filch_process_token */
        atomic_store_explicit(&process->fork_word, word, memory_order_release);
    }
    uint32_t token = 0;
    if (word) {
        /* relaxed, both: only the child's single thread can see the wiped word first */
        token = atomic_load_explicit(word, memory_order_relaxed);
        if (token == 0) {
            token = ++process->last_token;
            atomic_store_explicit(word, token, memory_order_relaxed);
        }
    }
    filch_lock_release(&process->lock);
    return token;
}

uint32_t filch_process_token(void)
{
    struct filch_process *process = filch_process();
    /* acquire: pairs with the release above */
    _Atomic(uint32_t) *word = atomic_load_explicit(&process->fork_word, memory_order_acquire);
    uint32_t token = word ? atomic_load_explicit(word, memory_order_relaxed) : 0; /* as above */
    return token ? token : make_token(process);
}

bool filch_process_owns(uint32_t token)
{
    /* relaxed, both: as above. A thread that has a token has seen that there is a word. */
    _Atomic(uint32_t) *word =
        atomic_load_explicit(&filch_process()->fork_word, memory_order_relaxed);
    return atomic_load_explicit(word, memory_order_relaxed) == token;
}

struct party_search {
    const struct filch_party *party;
    bool found;
};

static void compare_fiber(struct filch_stack *stack, void *context)
{
    struct party_search *search = context;
    search->found = search->found || &((struct filch_fiber *)stack)->own_party == search->party;
}

bool filch_process_has_party(const struct filch_party *party)
{
    struct filch_process *process = filch_process();
    struct party_search search = {.party = party};
    for (struct filch_thread *t = filch_process_newest_thread(process); t; t = t->older) {
        search.found = search.found || &t->party == party;
    }
    filch_lock_acquire(&process->pools_lock, FILCH_RANK_POOLS);
    for (struct filch_pool *pool = process->pools; pool && !search.found; pool = pool->next_pool) {
        filch_stacks_each(&pool->stacks, compare_fiber, &search);
    }
    filch_lock_release(&process->pools_lock);
    return search.found;
}

bool filch_process_lacks(const struct filch_party *holder, uint32_t token)
{
    return filch_process()->forked && holder && !(token && filch_process_owns(token)) &&
           !filch_process_has_party(holder);
}

/* The lock is held. NULL: no memory. */
static struct filch_thread *make_record(struct filch_process *process)
{
    FILCH_ASSERT(filch_lock_is_held(&process->lock));
    struct filch_thread *thread = filch_calloc(1, sizeof *thread);
    if (thread) {
        filch_parker_init(&thread->parker);
        filch_memory_add_count(&thread->heap);
        thread->older = filch_process_newest_thread(process);
        /* release: pairs with the acquire in filch_process_newest_thread */
        atomic_store_explicit(&process->newest_thread, thread, memory_order_release);
    }
    return thread;
}

struct filch_thread *filch_process_take_thread(void)
{
    struct filch_process *process = filch_process();
    filch_process_token(); /* a child must know which threads are not here */
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    struct filch_thread *thread = process->spare_threads;
    if (thread) {
        process->spare_threads = thread->next;
    } else {
        thread = make_record(process);
    }
    if (thread) {
        FILCH_ASSERT(!thread->live && !thread->parker.listed);
        atomic_store_explicit(&thread->pool, (struct filch_pool *)NULL,
                              memory_order_relaxed); /* see filch_thread_pool */
        thread->processor = 0;
        thread->live = true;
    }
    filch_lock_release(&process->lock);
    return thread;
}

void filch_process_give_thread(struct filch_thread *thread)
{
    struct filch_process *process = filch_process();
    filch_lock_acquire(&process->lock, FILCH_RANK_PROCESS);
    FILCH_ASSERT(thread->live && !thread->core); /* given back once, and with nothing */
    thread->live = false;
    thread->next = process->spare_threads;
    process->spare_threads = thread;
    filch_lock_release(&process->lock);
}
