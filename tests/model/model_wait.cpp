// Completion. A cell with a waiter that stays, one that gives up, and a completer; each drops its
// reference and the last frees the cell. A latch in a frame that its waiter leaves at once. An object
// with a line, which its waiter frees when it has been served, while a scope is being cancelled that
// it waits in. Relacy reports a touch of freed memory, a race on the result, and a waiter that sleeps
// for ever.
#include "sleep/wait.h"

#include "sleep/wait_list.h"
#include "os/lock.h"
#include "os/os.h"
#include "sleep/park.h"

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

struct line_model : rl::test_suite<line_model, 3> {
    struct object {
        filch_lock lock;
        filch_wait_list line;
        bool given; // not handed to a waiter yet
    };
    struct frame {
        filch_waiter waiter;
        filch_wait_node place;
        rl::var<int> result;
    };
    mortal<object> memory;
    mortal<frame> frames;
    object *shared;
    frame *waiting; // scope_lock; in the list of the scope
    bool cancelled; // scope_lock
    filch_lock scope_lock;
    filch_parker parker;
    bool freed;

    void before()
    {
        shared = memory.begin();
        filch_lock_init(&shared->lock);
        filch_lock_init(&scope_lock);
        filch_parker_init(&parker);
        shared->line = filch_wait_list();
        shared->given = freed = cancelled = false;
        waiting = NULL;
    }

    void after()
    {
        if (!freed) {
            memory.end();
        }
    }

    void serve()
    {
        filch_claims claims = filch_claims();
        filch_lock_acquire(&shared->lock, FILCH_RANK_WAIT_QUEUE);
        filch_wait_node *place = filch_wait_list_claim_locked(&shared->line, &claims);
        if (place) {
            FILCH_CONTAINER(place, frame, place)->result($) = 7;
        }
        shared->given = !place;
        filch_lock_release(&shared->lock);
        filch_claims_tell(&claims);
    }

    void cancel()
    {
        filch_lock_acquire(&scope_lock, FILCH_RANK_SCOPE);
        cancelled = true;
        if (waiting) {
            filch_waiter_end(&waiting->waiter, FILCH_CLOSED);
        }
        filch_lock_release(&scope_lock);
    }

    bool enter_scope(frame *own)
    {
        filch_lock_acquire(&scope_lock, FILCH_RANK_SCOPE);
        waiting = cancelled ? NULL : own;
        filch_lock_release(&scope_lock);
        return waiting != NULL;
    }

    void leave_scope()
    {
        filch_lock_acquire(&scope_lock, FILCH_RANK_SCOPE);
        waiting = NULL;
        filch_lock_release(&scope_lock);
    }

    // True: it is given already.
    bool enlist(frame *own)
    {
        filch_lock_acquire(&shared->lock, FILCH_RANK_WAIT_QUEUE);
        bool given = shared->given;
        if (!given) {
            filch_wait_list_add_locked(&shared->line, &own->place, &own->waiter);
        }
        filch_lock_release(&shared->lock);
        return given;
    }

    void leave_line(frame *own)
    {
        filch_lock_acquire(&shared->lock, FILCH_RANK_WAIT_QUEUE);
        filch_wait_list_remove_locked(&shared->line, &own->place);
        filch_lock_release(&shared->lock);
    }

    void wait()
    {
        frame *own = frames.begin();
        filch_waiter_init(&own->waiter, NULL, &parker);
        bool entered = enter_scope(own);
        bool given = entered && enlist(own);
        if (entered && !given && filch_waiter_arm(&own->waiter)) {
            wait_on(&parker, &own->waiter);
        }
        leave_scope();
        bool served = given;
        if (entered && !given) {
            RL_ASSERT(filch_waiter_fired(&own->waiter)); // none goes on while it is claimed
            served = filch_waiter_outcome(&own->waiter) == FILCH_SIGNALED;
            if (served) {
                RL_ASSERT(own->result($) == 7);
            } else {
                leave_line(own);
            }
        }
        frames.end();
        if (served) { // no other waiter needs it
            freed = true;
            memory.end();
        }
    }

    void thread(unsigned index)
    {
        index == 0 ? serve() : index == 1 ? wait() : cancel();
    }
};

int main()
{
    return model_run<latch_model>("latch", 5, 100000) | model_run<cell_model>("cell", 3, 200000) |
           model_run<line_model>("line", 3, 200000);
}
