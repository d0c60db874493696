// Sleeping and waking: a pool's threads run the policy itself, a program's thread submits tasks,
// enters as a guest in between, and closes the pool. A lost wake-up is a deadlock, which Relacy
// reports: no time-out ever ends a sleep here, so nothing that can be seen may need the monitor's
// tick.
#include "model_pool.h"

// Without handoff.c: no fiber lends its core.
unsigned filch_handoff_threads(struct filch_pool *pool)
{
    return pool->config.workers + 1;
}

bool filch_handoff_is_bound(const struct filch_fiber *)
{
    return false;
}

void filch_handoff_forget(struct filch_fiber *)
{
}

enum { POOL_THREADS = 2 };

template <unsigned Workers, unsigned Guests>
using house_of_wake =
    house<Workers, Workers + Guests - 1, POOL_THREADS, POOL_THREADS + Guests>;

template <unsigned Workers, unsigned Guests>
struct wake_model : rl::test_suite<wake_model<Workers, Guests>, POOL_THREADS + Guests>,
                    house_of_wake<Workers, Guests> {
    using house_of_wake<Workers, Guests>::pool;
    using house_of_wake<Workers, Guests>::threads;
    using house_of_wake<Workers, Guests>::fibers;
    enum { TASKS = 2 };
    filch_detached tasks[TASKS];
    static rl::atomic<int> *done;
    rl::atomic<int> done_;

    static void run(filch_detached *) { done->fetch_add(1, rl::mo_relaxed, $), ended(); }
    static filch_pool *the_pool;
    static void ended() { filch_pool_task_ended(the_pool); }

    void before()
    {
        this->build();
        the_pool = pool;
        for (filch_detached &task : tasks) {
            task.run = run;
        }
        done = &done_;
        done->store(0, rl::mo_relaxed, $);
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
            this->run_fibers(&threads[index], &fibers[index]);
        } else if (index == POOL_THREADS) {
            program_thread(&threads[index]);
        } else {
            passer_by(&threads[index]);
        }
    }
    static wake_model *running;

    void after() { this->demolish(); }
};

#define MODEL wake_model<Workers, Guests>
template <unsigned Workers, unsigned Guests> rl::atomic<int> *MODEL::done;
template <unsigned Workers, unsigned Guests> filch_pool *MODEL::the_pool;
template <unsigned Workers, unsigned Guests> MODEL *MODEL::running;

template <unsigned Workers, unsigned Guests> filch_thread *MODEL::self(unsigned index)
{
    return &running->threads[index];
}

bool filch_os_thread_create(thrd_t *, thrd_start_t, void *) { return false; }
struct filch_thread *filch_process_take_thread(void) { return NULL; }
void filch_process_give_thread(struct filch_thread *) {}

template <unsigned Workers, unsigned Guests>
static int run(const char *name, unsigned bound, unsigned random)
{
    thread_of = MODEL::self;
    return model_run<MODEL>(name, bound, random);
}

int main()
{
    model_timeouts = false;
    return run<1, 1>("wake, 1 worker", 1, 200000) || run<2, 1>("wake, 2 workers", 1, 50000) ||
           run<2, 2>("wake, 2 workers, 2 guests", 1, 50000);
}
