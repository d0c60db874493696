// Completion. A cell with a waiter that stays, one that gives up, and a completer; each drops its
// reference and the last frees the cell. A latch in a frame that its waiter leaves at once. Relacy
// reports a touch of freed memory, a race on the result, and a waiter that sleeps for ever.
#include "wait.h"

#include "os.h"
#include "park.h"

namespace {

void wait_on(filch_parker *parker, filch_waiter *waiter)
{
    while (!filch_waiter_fired(waiter)) {
        filch_parker_wait(parker, FILCH_OS_NEVER);
    }
}

} // namespace

struct counted_cell {
    filch_cell cell;
    rl::atomic<int> owners;
    rl::var<int> result;
};

struct cell_model : rl::test_suite<cell_model, 3> {
    mortal<counted_cell> memory;
    mortal<filch_waiter> frames[3];
    counted_cell *shared;
    filch_parker parkers[3];

    void before()
    {
        shared = memory.begin();
        filch_cell_init(&shared->cell);
        shared->owners.store(3, rl::mo_relaxed, $);
        for (auto &parker : parkers) {
            filch_parker_init(&parker);
        }
    }

    void drop()
    {
        if (shared->owners.fetch_sub(1, rl::mo_acq_rel, $) == 1) {
            memory.end();
        }
    }

    void thread(unsigned index)
    {
        filch_cell *cell = &shared->cell;
        if (index == 0) {
            shared->result($) = 7;
            filch_waiters_call(filch_cell_complete(cell));
        } else {
            filch_waiter *waiter = frames[index].begin();
            filch_waiter_init(waiter, NULL, &parkers[index]);
            bool done = !filch_cell_add(cell, waiter);
            bool timed_out = false;
            if (!done && filch_waiter_arm(waiter)) {
                if (index == 1) {
                    wait_on(&parkers[1], waiter);
                } else {
                    timed_out = filch_waiter_fire(waiter, FILCH_TIMED_OUT);
                    if (timed_out) {
                        filch_cell_remove(cell, waiter);
                    } else {
                        wait_on(&parkers[2], waiter);
                    }
                }
            }
            if (!timed_out) {
                RL_ASSERT(filch_cell_done(cell));
                RL_ASSERT(shared->result($) == 7);
            }
            frames[index].end();
        }
        drop();
    }
};

struct latch_model : rl::test_suite<latch_model, 2> {
    struct frame {
        filch_latch latch;
        filch_waiter waiter;
        rl::var<int> result;
    };
    mortal<frame> memory;
    frame *shared;
    filch_parker parker;

    void before()
    {
        shared = memory.begin();
        filch_latch_init(&shared->latch);
        filch_parker_init(&parker);
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            shared->result($) = 7;
            filch_latch_open(&shared->latch);
            return;
        }
        filch_waiter_init(&shared->waiter, NULL, &parker);
        if (filch_latch_add(&shared->latch, &shared->waiter) && filch_waiter_arm(&shared->waiter)) {
            wait_on(&parker, &shared->waiter);
        }
        RL_ASSERT(shared->result($) == 7);
        memory.end();
    }
};

int main()
{
    return model_run<latch_model>("latch", 5, 100000) | model_run<cell_model>("cell", 3, 200000);
}
