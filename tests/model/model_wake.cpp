// Sleeping and waking: a pool's threads run the policy itself, a program's thread submits tasks,
// enters as a guest in between, and closes the pool. A lost wake-up is a deadlock, which Relacy
// reports: no time-out ever ends a sleep here, so nothing that can be seen may need the watchman's
// tick.
#include "core.h"
#include "pool.h"
#include "process.h"
#include "strand.h"
#include "thread.h"
#include "wake.h"

#include "os.h"

// Without lend.c: no strand lends its core.
unsigned filch_lend_threads(struct filch_pool *pool)
{
    return pool->config.workers + 1;
}

void filch_lend_forget(struct filch_strand *)
{
}

void filch_os_bind(unsigned)
{
}

// Without offer.c: nobody offers anything quietly. It is never promised that somebody comes for it.
bool filch_core_is_quiet(struct filch_core *)
{
    return false;
}

filch_slot *filch_core_late_offer(struct filch_core *)
{
    return NULL;
}

static uint64_t now_ns;

template <unsigned Workers, unsigned Guests>
struct wake_model : rl::test_suite<wake_model<Workers, Guests>, 2 + Guests> {
    enum { POOL_THREADS = 2, CORES = Workers + Guests - 1, TASKS = 2 };
    typedef rl::atomic<filch_core *> core_pointer;
    alignas(FILCH_CACHE_LINE) unsigned char
        memory[sizeof(filch_pool) + (CORES - 1) * sizeof(core_pointer)];
    filch_pool *pool;
    mortal<filch_core> cores[CORES];
    filch_thread threads[POOL_THREADS + Guests];
    thrd_t handles[POOL_THREADS];
    filch_strand strands[POOL_THREADS];
    filch_slot slots[POOL_THREADS][1];
    filch_detached tasks[TASKS];
    static rl::atomic<int> *done;
    rl::atomic<int> done_;

    static void run(filch_detached *) { done->fetch_add(1, rl::mo_relaxed, $), ended(); }
    static filch_pool *the_pool;
    static void ended() { filch_pool_task_ended(the_pool); }

    void make_core(unsigned index)
    {
        filch_core *core = cores[index].begin();
        core->pool = pool;
        core->index = index;
        core->picks = core->victim = 0;
        core->next = NULL;
        core->spare = NULL;
        core->holder.store(NULL, rl::mo_relaxed, $);
        core->lane.store(NULL, rl::mo_relaxed, $);
        core->tasks.store(0, rl::mo_relaxed, $);
        core->steals.store(0, rl::mo_relaxed, $);
        core->yield_wanted.store(false, rl::mo_relaxed, $);
        filch_queue_init(&core->ready);
        filch_deque_init(&core->deque, 2, 0);
        if (index > 0) { // the first is part of the struct
            new (&pool->cores[index]) core_pointer();
        }
        pool->cores[index].store(core, rl::mo_relaxed, $);
    }

    void make_pool()
    {
        pool = the_pool = new (memory) filch_pool();
        pool->config = {};
        pool->config.workers = Workers;
        pool->core_limit = CORES;
        pool->searchers_max = 1;
        pool->crowded = false;
        pool->threads = handles;
        filch_park_init(&pool->park);
        filch_queue_init(&pool->inject);
        filch_queue_init(&pool->background);
        filch_timers_init(&pool->timers);
        filch_lock_init(&pool->lock);
        pool->running.store(0, rl::mo_relaxed, $);
        pool->searching.store(0, rl::mo_relaxed, $);
        pool->waking.store(0, rl::mo_relaxed, $);
        pool->watchman.store(NULL, rl::mo_relaxed, $);
        pool->watch_until_ns.store(0, rl::mo_relaxed, $);
        pool->ticking.store(false, rl::mo_relaxed, $);
        pool->tick_ns.store(0, rl::mo_relaxed, $);
        pool->fade_ns.store(0, rl::mo_relaxed, $);
        pool->watch_epoch.store(0, rl::mo_relaxed, $);
        pool->outside.store(filch_outside_none, rl::mo_relaxed, $);
        pool->state.store(0, rl::mo_relaxed, $);
        pool->stopping.store(false, rl::mo_relaxed, $);
        pool->broken.store(false, rl::mo_relaxed, $);
        pool->ends.store(0, rl::mo_relaxed, $);
        pool->thread_count.store(POOL_THREADS, rl::mo_relaxed, $);
        pool->ask_again_ns.store(UINT64_MAX, rl::mo_relaxed, $);
        pool->ask_pause_ns = 0;
        pool->core_count.store(CORES, rl::mo_relaxed, $);
        pool->poller.store(NULL, rl::mo_relaxed, $);
    }

    void before()
    {
        now_ns = 0;
        make_pool();
        for (unsigned i = 0; i < CORES; i++) {
            make_core(i);
        }
        for (filch_thread &thread : threads) {
            filch_parker_init(&thread.parker);
            thread.core = NULL;
            thread.strand = NULL;
            thread.woken = thread.between_jobs = false;
        }
        for (unsigned i = 0; i < POOL_THREADS; i++) {
            strands[i].pool = pool;
            strands[i].frame = NULL;
            strands[i].guest = false;
            strands[i].lent = strands[i].pins = 0;
            strands[i].party = &strands[i].own_party;
            strands[i].own_party.doing.store(0, rl::mo_relaxed, $);
            slots[i][0].state.store(0, rl::mo_relaxed, $);
            filch_lane_init(&strands[i].lane, slots[i], 1);
        }
        for (filch_detached &task : tasks) {
            task.run = run;
        }
        done = &done_;
        done->store(0, rl::mo_relaxed, $);
    }

    void pool_thread(filch_thread *thread, filch_strand *strand)
    {
        filch_core_answer_wake(pool);
        if (filch_core_obtain(pool, thread)) {
            thread->strand = strand;
            filch_core_enter(thread->core, strand);
            filch_core_main(strand);
        }
    }

    void program_thread(filch_thread *thread)
    {
        filch_pool_submit(pool, &tasks[0]);
        filch_core_acquire_guest(pool, thread); // there may be no core left for it
        filch_pool_submit(pool, &tasks[1]);
        filch_core_release_guest(pool, thread);
        filch_pool_refuse(pool, FILCH_POOL_CLOSED);
        filch_pool_drain(pool);
        RL_ASSERT(done->load(rl::mo_relaxed, $) == TASKS);
    }

    void passer_by(filch_thread *thread)
    {
        if (filch_pool_admit(pool) == FILCH_OK) {
            filch_core_acquire_guest(pool, thread);
            filch_core_release_guest(pool, thread);
            filch_pool_dismiss(pool);
        }
    }

    static filch_thread *self(unsigned index);
    void thread(unsigned index)
    {
        running = this;
        if (index < POOL_THREADS) {
            pool_thread(&threads[index], &strands[index]);
        } else if (index == POOL_THREADS) {
            program_thread(&threads[index]);
        } else {
            passer_by(&threads[index]);
        }
    }
    static wake_model *running;

    void after()
    {
        for (unsigned i = 0; i < CORES; i++) {
            filch_deque_destroy(&filch_core_at(pool, i)->deque);
            if (i > 0) {
                pool->cores[i].~core_pointer();
            }
            cores[i].end();
        }
        pool->~filch_pool();
    }
};

#define MODEL wake_model<Workers, Guests>
template <unsigned Workers, unsigned Guests> rl::atomic<int> *MODEL::done;
template <unsigned Workers, unsigned Guests> filch_pool *MODEL::the_pool;
template <unsigned Workers, unsigned Guests> MODEL *MODEL::running;

// What the runtime asks of the rest of the house.

static filch_thread *(*thread_of)(unsigned index);
template <unsigned Workers, unsigned Guests> filch_thread *MODEL::self(unsigned index)
{
    return &running->threads[index];
}

struct filch_thread *filch_thread_known(void)
{
    return thread_of(rl::ctx().threadx_ ? rl::thread_index() : 0);
}

uint64_t filch_os_now_ns(void) { return now_ns += 1000000; } // a search has one round
uint64_t filch_os_seed(void) { return 0; }
bool filch_os_thread_create(thrd_t *, thrd_start_t, void *) { return false; }
void filch_os_thread_join(thrd_t) {}
struct filch_thread *filch_process_take_thread(void) { return NULL; }
void filch_process_give_thread(struct filch_thread *) {}
bool filch_process_owns(uint32_t) { return true; }
void filch_stacks_trim(struct filch_stacks *, size_t) {}
void filch_stacks_put_bare(struct filch_stacks *, struct filch_stack *) {}
void filch_stacks_clear(struct filch_stacks *, struct filch_shelf *) {}
int filch_core_thread(void *) { return 0; }
struct filch_core *filch_core_new(struct filch_pool *, unsigned) { return NULL; }

template <unsigned Workers, unsigned Guests>
static int run(const char *name, unsigned bound, unsigned random)
{
    thread_of = MODEL::self;
    return model_run<MODEL>(name, bound, random);
}

int main()
{
    model_timeouts = false;
    return run<1, 1>("wake, 1 worker", 1, 50000) || run<2, 1>("wake, 2 workers", 1, 50000) ||
           run<2, 2>("wake, 2 workers, 2 guests", 1, 50000);
}
