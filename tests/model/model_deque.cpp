// The deque: each entry is handed out once, and the thread that gets it sees what was written before
// it was pushed. Owner: four pushes, two pops, capacity 2 with one growth; two thieves steal twice
// each; indices cross the wrap.
#include "work/deque.h"

struct deque_model : rl::test_suite<deque_model, 3> {
    enum { ENTRIES = 4 };
    filch_deque deque;
    rl::var<int> payload[ENTRIES + 1];
    rl::atomic<int> taken[ENTRIES + 1];
    rl::atomic<int> all_taken;

    void before()
    {
        RL_ASSERT(filch_deque_init(&deque, 2, UINT64_MAX - 1));
        for (auto &t : taken) {
            t.store(0, rl::mo_relaxed, $);
        }
        all_taken.store(0, rl::mo_relaxed, $);
    }

    void take(uintptr_t entry)
    {
        RL_ASSERT(payload[entry]($) == static_cast<int>(entry));
        RL_ASSERT(taken[entry].fetch_add(1, rl::mo_relaxed, $) == 0);
        all_taken.fetch_add(1, rl::mo_relaxed, $);
    }

    void push(uintptr_t entry)
    {
        payload[entry]($) = static_cast<int>(entry);
        RL_ASSERT(filch_deque_push(&deque, entry));
    }

    void pop()
    {
        if (uintptr_t entry = filch_deque_pop(&deque)) {
            take(entry);
        }
    }

    void thread(unsigned index)
    {
        if (index == 0) {
            push(1);
            push(2);
            push(3); // grows
            pop();
            push(4);
            pop();
            return;
        }
        for (int i = 0; i < 2; i++) {
            uintptr_t entry;
            if (filch_deque_steal(&deque, &entry) == FILCH_STEAL_GOT) {
                take(entry);
            }
        }
    }

    void after()
    {
        while (uintptr_t entry = filch_deque_pop(&deque)) {
            take(entry);
        }
        RL_ASSERT(all_taken.load(rl::mo_relaxed, $) == ENTRIES);
        filch_deque_destroy(&deque);
    }
};

// The last entry: owner and thief race for it, again and again.
struct last_entry_model : rl::test_suite<last_entry_model, 2> {
    filch_deque deque;
    rl::atomic<int> taken;

    void before()
    {
        RL_ASSERT(filch_deque_init(&deque, 2, 0));
        taken.store(0, rl::mo_relaxed, $);
    }

    void thread(unsigned index)
    {
        for (int i = 0; i < 2; i++) {
            uintptr_t entry = 0;
            if (index == 0) {
                filch_deque_push(&deque, 1);
                entry = filch_deque_pop(&deque);
            } else if (filch_deque_steal(&deque, &entry) != FILCH_STEAL_GOT) {
                entry = 0;
            }
            taken.fetch_add(entry != 0, rl::mo_relaxed, $);
        }
    }

    void after()
    {
        RL_ASSERT(taken.load(rl::mo_relaxed, $) == 2);
        filch_deque_destroy(&deque);
    }
};

int main()
{
    return model_run<last_entry_model>("last entry", 4, 100000) |
           model_run<deque_model>("deque", 3, 200000);
}
