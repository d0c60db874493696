// Parking: two workers, a producer of three jobs, then the end. A lost wake-up is a deadlock, which
// Relacy reports. The work counter is as weak as the deque's publication.
#include "sleep/park.h"

#include "os/os.h"

struct park_model : rl::test_suite<park_model, 3> {
    enum { JOBS = 3, STOP = 1000 };
    filch_park park;
    filch_parker parkers[2];
    rl::atomic<int> work;
    rl::atomic<int> done;

    void before()
    {
        filch_park_init(&park);
        filch_parker_init(&parkers[0]);
        filch_parker_init(&parkers[1]);
        work.store(0, rl::mo_relaxed, $);
        done.store(0, rl::mo_relaxed, $);
    }

    // 1: did a job; 0: nothing there; -1: stop.
    int try_work()
    {
        int n = work.load(rl::mo_acquire, $);
        while (n % STOP > 0) {
            if (work.compare_exchange_strong(n, n - 1, rl::mo_acq_rel, $, rl::mo_relaxed, $)) {
                done.fetch_add(1, rl::mo_relaxed, $);
                return 1;
            }
        }
        return n >= STOP ? -1 : 0;
    }

    void worker(filch_parker *parker)
    {
        for (;;) {
            int found = try_work();
            if (found == 0) {
                filch_park_announce(&park, parker);
                found = try_work();
                if (found == 0) {
                    filch_parker_wait(parker, FILCH_OS_NEVER);
                }
                filch_park_retract(&park, parker);
            }
            if (found < 0) {
                return;
            }
        }
    }

    void thread(unsigned index)
    {
        if (index > 0) {
            worker(&parkers[index - 1]);
            return;
        }
        for (int i = 0; i < JOBS; i++) {
            work.fetch_add(1, rl::mo_release, $);
            filch_park_wake_one(&park);
        }
        work.fetch_add(STOP, rl::mo_release, $);
        filch_park_wake_all(&park);
    }

    void after() { RL_ASSERT(done.load(rl::mo_relaxed, $) == JOBS); }
};

int main()
{
    return model_run<park_model>("park", 2, 150000);
}
