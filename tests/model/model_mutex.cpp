// A mutex, three threads: one has it twice, one gives up waiting the first time. The one that unlocks
// last frees it: Relacy reports a touch after that, two that have it at once, and a waiter that sleeps for
// ever. The model sees to the rest: those that wait are served in order, also one that was woken in
// vain, none is passed over once it has waited for long, and no flag is left.
#include "sync/mutex.h"

#include "debug/deadlock.h"
#include "future/waiting.h"
#include "os/os.h"
#include "pool/deadline.h"
#include "sched/process.h"
#include "sched/suspend.h"
#include "sched/thread.h"
#include "sleep/park.h"
#include "sync/patience.h"
#include "sync/spin.h"

enum { THREADS = 3 };

struct mutex_model;
static mutex_model *current;
static uint64_t now_ns;

struct mutex_model : rl::test_suite<mutex_model, THREADS> {
    struct object {
        filch_mutex_state state;
        rl::var<int> left; // how often it is to be had yet
    };
    mortal<object> memory;
    mortal<filch_waiter> frames[THREADS];
    filch_parker parkers[THREADS];
    filch_party parties[THREADS];
    object *shared;

    // Each thread's own, and written where no other can come between it and what it tells.
    uint64_t since_ns[THREADS]; // it stands in line since then; 0: it does not
    bool starves[THREADS];      // it does, for the second time, and has waited for too long
    bool passed[THREADS];       // it has taken it on the way into the line, some time ago

    void before()
    {
        current = this;
        now_ns = 1;
        shared = memory.begin();
        shared->state.word.store(0, rl::mo_relaxed, $);
        filch_lock_init(&shared->state.lock);
        shared->state.token = 0;
        shared->state.line = filch_wait_list();
        shared->left($) = THREADS + 1;
        for (int i = 0; i < THREADS; i++) {
            filch_parker_init(&parkers[i]);
            leave(i);
            passed[i] = false;
        }
    }

    void leave(unsigned self)
    {
        since_ns[self] = 0;
        starves[self] = false;
    }

    // Served, or woken to try again: before all that came later.
    void check_order(uint64_t own_ns)
    {
        for (uint64_t other_ns : since_ns) {
            RL_ASSERT(other_ns == 0 || own_ns <= other_ns);
        }
    }

    void check_patience(unsigned self)
    {
        for (unsigned i = 0; i < THREADS; i++) {
            RL_ASSERT(i == self || passed[self] || !starves[i]);
        }
    }

    filch_outcome sleep(unsigned self, filch_waiter *waiter, bool gives_up)
    {
        bool armed = filch_waiter_arm(waiter);
        if (gives_up && rl::rand(2) && filch_waiter_fire(waiter, FILCH_TIMED_OUT)) {
            leave(self);
        }
        while (armed && !filch_waiter_fired(waiter)) {
            filch_parker_wait(&parkers[self], FILCH_OS_NEVER);
        }
        return filch_waiter_outcome(waiter);
    }

    filch_outcome wait(unsigned self, const filch_wait_kind *kind, filch_mutex_wait *wait,
                       bool gives_up)
    {
        if (gives_up && rl::rand(2)) {
            return FILCH_TIMED_OUT; // before it stands in line; maybe it was woken
        }
        filch_waiter *waiter = frames[self].begin();
        filch_waiter_init(waiter, NULL, &parkers[self]);
        uint64_t before_ns = wait->since_ns;
        filch_outcome outcome = FILCH_SIGNALED;
        passed[self] = !kind->enlist(waiter, wait);
        if (!passed[self]) {
            since_ns[self] = wait->since_ns;
            starves[self] = before_ns && now_ns - before_ns >= FILCH_PATIENCE_NS;
            outcome = sleep(self, waiter, gives_up);
            if (outcome == FILCH_SIGNALED) {
                check_order(wait->since_ns);
            } else {
                kind->leave(waiter, wait);
            }
            leave(self);
        }
        frames[self].end();
        return outcome;
    }

    void have(unsigned self)
    {
        filch_mutex *mutex = (filch_mutex *)&shared->state;
        bool has = self == 2 && filch_mutex_lock_until(mutex, {nullptr, 1}) == FILCH_OK;
        has = has || filch_mutex_lock(mutex) == FILCH_OK;
        RL_ASSERT(has);
        check_patience(self);
        passed[self] = false;
        bool last = --shared->left($) == 0;
        RL_ASSERT(filch_mutex_unlock(mutex) == FILCH_OK);
        if (last) {
            RL_ASSERT(shared->state.word.load(rl::mo_relaxed, $) == 0);
            memory.end();
        }
    }

    void thread(unsigned self)
    {
        have(self);
        if (self == 0) {
            have(self);
        }
    }
};

filch_status filch_wait_until(const filch_wait_kind *kind, void *context, uint64_t deadline)
{
    filch_outcome outcome = current->wait(rl::thread_index(), kind, (filch_mutex_wait *)context,
                                          deadline != FILCH_OS_NEVER);
    return outcome == FILCH_SIGNALED ? FILCH_OK : FILCH_ETIMEDOUT;
}

struct filch_party *filch_party_known(void)
{
    return &current->parties[rl::thread_index()];
}
struct filch_party *filch_party_self(void)
{
    return filch_party_known();
}

// Some wait for long.
uint64_t filch_os_now_ns(void)
{
    return now_ns += rl::rand(2) ? 2 * FILCH_PATIENCE_NS : 1;
}

uint64_t filch_deadline_ns(filch_deadline)
{
    return 1;
}

// Without conditions, child processes, and the search for deadlocks.
void filch_suspend_join(const filch_wait_kind *, void *)
{
}
void filch_process_look_by(filch_look *)
{
}
void filch_deadlock_look(filch_waiter *)
{
}
uint32_t filch_process_token(void)
{
    return 1;
}
bool filch_process_owns(uint32_t)
{
    return true;
}
bool filch_process_lacks(const filch_party *, uint32_t)
{
    return false;
}

int main()
{
    return model_run<mutex_model>("mutex", 1, 2000000);
}
