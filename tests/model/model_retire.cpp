// Surplus threads: one ends when it has been idle, at the moment when the only other that
// could run what there is lends its core and waits for that. The pool counts one thread more that is
// always elsewhere: whether a thread comes must not depend on it. As in the wake model a lost
// wake-up is a deadlock: only the sleep of a surplus thread may end by itself.
#include "model_pool.h"

#include "sched/handoff.h"
#include "sched/threads.h"

enum { LENDER, IDLER, SPARE, THREADS, ELSEWHERE = 1 };

struct retire_model : rl::test_suite<retire_model, THREADS>, house<1, 2, THREADS, THREADS> {
    enum { UNUSED, STARTED, OVER };
    filch_detached wanted;
    rl::atomic<uint32_t> spare; // the life of the thread that a waker may make
    rl::atomic<uint32_t> come;  // `wanted` has run
    bool tired; // a sleep has ended by itself
    static retire_model *running;

    static filch_thread *self(unsigned index) { return &running->threads[index]; }

    void before()
    {
        running = this;
        build();
        tired = false;
        filch_lock_init(&pool->permits.lock);
        pool->permits.most = THREADS;
        pool->permits.taken.store(0, rl::mo_relaxed, $);
        pool->permits.wanted = {};
        pool->thread_count.store(THREADS - 1 + ELSEWHERE, rl::mo_relaxed, $);
        pool->ask_again_ns.store(0, rl::mo_relaxed, $);
        pool->monitor.store(&threads[LENDER], rl::mo_relaxed, $);
        wanted.run = signal;
        spare.store(UNUSED, rl::mo_relaxed, $);
        come.store(0, rl::mo_relaxed, $);
    }

    // A task, bound to its thread: a model has no contexts to switch between.
    void lend_and_wait(filch_thread *thread, filch_fiber *fiber)
    {
        filch_pool_continue(pool, &wanted);
        fiber->pins = 1;
        filch_handoff_begin();
        while (come.load(rl::mo_relaxed, $) == 0) {
            filch_os_wait(&come, 0, FILCH_OS_NEVER);
        }
        filch_handoff_end();
        fiber->pins = 0;
        if (thread->core) {
            filch_core_leave(thread->core);
            filch_core_release(thread);
        }
    }

    static void signal(filch_detached *)
    {
        filch_pool *pool = running->pool;
        running->come.store(1, rl::mo_relaxed, $);
        filch_os_wake(&running->come, 1);
        filch_pool_task_ended(pool);
    }

    // In half of the runs others do a lot meanwhile: the idler is through with its sleep, and gone,
    // before anything happens; or all happens between its sleep and its end.
    static void dawdle()
    {
        for (unsigned steps = rl::rand(2) * 40; steps > 0; steps--) {
            rl::ctx().sched();
        }
    }

    void pool_thread(unsigned index)
    {
        do {
            run_fibers(&threads[index], &fibers[index]);
            dawdle();
        } while (!filch_pool_retire(pool));
    }

    void spare_thread()
    {
        while (spare.load(rl::mo_relaxed, $) == UNUSED) {
            filch_os_wait(&spare, UNUSED, FILCH_OS_NEVER);
        }
        if (spare.load(rl::mo_relaxed, $) == STARTED) {
            pool_thread(SPARE);
        }
    }

    void set_spare(uint32_t state)
    {
        uint32_t unused = UNUSED;
        if (spare.compare_exchange_strong(unused, state, rl::mo_relaxed, $)) {
            filch_os_wake(&spare, 1);
        }
    }

    // It was the monitor, and has found work; so the other sleeps as one of those who may go.
    void lender(filch_thread *thread, filch_fiber *fiber)
    {
        filch_thread *me = thread;
        dawdle();
        RL_ASSERT(filch_core_acquire(pool, thread));
        if (!pool->monitor.compare_exchange_strong(me, NULL, rl::mo_seq_cst, $)) {
            filch_core_answer_wake(pool);
        }
        thread->fiber = fiber;
        filch_core_enter(thread->core, fiber);
        lend_and_wait(thread, fiber);
        set_spare(OVER);
        pool->stopping.store(true, rl::mo_seq_cst, $); // as in filch_pool_drain()
        filch_pool_wake_all(pool);
    }

    void thread(unsigned index)
    {
        switch (index) {
        case LENDER: lender(&threads[index], &fibers[index]); break;
        case SPARE: spare_thread(); break;
        default: pool_thread(index);
        }
    }

    void after() { demolish(); }
};

retire_model *retire_model::running;

// What the runtime asks of the rest of the house.

bool filch_os_thread_create(thrd_t *, thrd_start_t, void *)
{
    retire_model::running->set_spare(retire_model::STARTED);
    return true;
}

struct filch_thread *filch_process_take_thread(void)
{
    retire_model *model = retire_model::running;
    bool unused = model->spare.load(rl::mo_relaxed, $) == retire_model::UNUSED;
    return unused ? &model->threads[SPARE] : NULL;
}

void filch_process_give_thread(struct filch_thread *) {}
void filch_core_serve_all(struct filch_fiber *) {}
void filch_fiber_leave(struct filch_fiber *, struct filch_thread *) { RL_ASSERT(!"it is bound"); }
void filch_suspend_join(const struct filch_wait_kind *, void *) { RL_ASSERT(!"there are permits"); }
extern "C" thrd_t thrd_current(void) { return 0; }
extern "C" int thrd_detach(thrd_t) { return 0; }

// A surplus thread sleeps for a second, the monitor for a quarter at most. Once is enough.
bool model_may_time_out(uint64_t deadline_ns)
{
    bool too_many = deadline_ns != FILCH_OS_NEVER && deadline_ns > now_ns + 500000000;
    bool may = too_many && !retire_model::running->tired;
    retire_model::running->tired |= too_many;
    return may;
}

int main()
{
    thread_of = retire_model::self;
    return model_run<retire_model>("retire", 0, 50000);
}
