// A slot's life: its owner forks, publishes, joins, and forks again in the same slot, while two
// thieves hold its address, one from the first time and one from the second. The work runs once per
// fork, its result is seen, and an address left over from the first time does no harm.
#include "work/lane.h"

#include "os/os.h"
#include "sleep/park.h"
#include "sleep/wait.h"

static void run_nothing(filch_lane *, filch_slot *, filch_slot *) {}
static const filch_slot_type type = {run_nothing, NULL, NULL};

struct lane_model : rl::test_suite<lane_model, 3> {
    filch_slot slots[2];
    filch_lane lane;
    filch_frame frame;
    filch_parker parker;
    rl::var<int> argument;
    rl::var<int> result;
    rl::atomic<int> published[2]; // stands for the deque: release and acquire
    rl::atomic<int> runs;

    void before()
    {
        slots[0].state.store(0, rl::mo_relaxed, $);
        slots[1].state.store(0, rl::mo_relaxed, $);
        filch_lane_init(&lane, slots, 2, 2);
        frame.parent = NULL;
        frame.base = slots;
        filch_parker_init(&parker);
        published[0].store(0, rl::mo_relaxed, $);
        published[1].store(0, rl::mo_relaxed, $);
        runs.store(0, rl::mo_relaxed, $);
    }

    void run()
    {
        result($) = argument($) + 1;
        runs.fetch_add(1, rl::mo_relaxed, $);
    }

    void fork_and_join(int round)
    {
        filch_slot *slot = lane.top;
        argument($) = round;
        slot->type = &type;
        lane.top = slot + 1;
        RL_ASSERT(filch_lane_publish(&lane, &frame) == slot);
        published[round].store(1, rl::mo_release, $);
        if (filch_slot_take_back(slot)) {
            run();
        } else if (!filch_slot_is_done(slot)) {
            filch_waiter waiter;
            filch_waiter_init(&waiter, NULL, &parker);
            if (filch_slot_await(slot, &waiter) && filch_waiter_arm(&waiter)) {
                while (!filch_waiter_fired(&waiter)) {
                    filch_parker_wait(&parker, FILCH_OS_NEVER);
                }
            }
        }
        RL_ASSERT(result($) == round + 1);
        RL_ASSERT(filch_lane_retire(&lane, slot) == slot);
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            fork_and_join(0);
            fork_and_join(1);
            return;
        }
        if (published[index - 1].load(rl::mo_acquire, $) && filch_slot_take(&slots[0])) {
            run();
            filch_slot_finish(&slots[0]);
        }
    }

    void after() { RL_ASSERT(runs.load(rl::mo_relaxed, $) == 2); }
};

int main()
{
    return model_run<lane_model>("lane", 3, 200000);
}
