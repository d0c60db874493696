/* Assertions: what must not be is noticed, the message says where and on which core, and what is
 * allowed passes. Each violation is done in a child of its own, whose standard error is read. */
#define _GNU_SOURCE
#include "fixture.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "base/assert.h"
#include "os/lock.h"
#include "os/os.h"
#include "sched/cancel.h"
#include "sched/core.h"
#include "sched/pool.h"
#include "sched/threads.h"
#include "sleep/park.h"
#include "sleep/party.h"
#include "sleep/wait.h"
#include "stack/slab.h"
#include "sync/channel.h"
#include "sync/wait_queue.h"
#include "work/lane.h"

/* ---- a child that is to be ended by an assertion ---- */

static char said[4000];

static void become_victim(int error, void (*violation)(int), int which)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    dup2(error, STDERR_FILENO);
    violation(which);
    _exit(0);
}

/* What it says, all of it, and nothing follows. */
static const char *last_words_of(void (*violation)(int), int which)
{
    int ends[2];
    int status = 0;
    size_t length = 0;
    ssize_t n;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        become_victim(ends[1], violation, which);
    }
    close(ends[1]);
    while ((n = read(ends[0], said + length, sizeof said - 1 - length)) > 0) {
        length += (size_t)n;
    }
    close(ends[0]);
    said[length] = '\0';
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "it lives, and said: %s",
                  said);
    return said;
}

#define check_says(text)                                                                           \
    ck_assert_msg(strstr(said, text) != NULL, "not said: %s\nbut: %s", text, said)

static filch_pool *pool_of_one(void)
{
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = 1}, &pool), FILCH_OK);
    return pool;
}

/* ---- what is said ---- */

static void expect_too_much(int unused)
{
    (void)unused;
    FILCH_ASSERT(said[0] == 'x');
}

FILCH_FUNCTION(int, expects_too_much, (int, x))
{
    expect_too_much(x);
    return x;
}

static void expect_too_much_in_pool(int unused)
{
    int out;
    filch_future *future;
    (void)unused;
    ck_assert_int_eq(expects_too_much_apply_async(pool_of_one(), 1, &future), FILCH_OK);
    for (;;) { /* or we would run it */
        sched_yield();
    }
    any_status(expects_too_much_get(future, &out));
}

static void handle(int number)
{
    expect_too_much(number);
}

static void expect_too_much_in_handler(int unused)
{
    (void)unused;
    signal(SIGUSR1, handle);
    raise(SIGUSR1);
}

START_TEST(one_that_fails_says_what_and_where)
{
    last_words_of(expect_too_much, 0);
    check_says("filch: assertion failed: said[0] == 'x', at ");
    check_says("test_assertions.c:");
    check_says(", in expect_too_much (no core, no fiber)\n");
    ck_assert_ptr_eq(strchr(said, '\n') + 1, said + strlen(said)); /* one line */
}
END_TEST

START_TEST(one_that_fails_in_a_pool_says_on_which_core_and_in_which_fiber)
{
    last_words_of(expect_too_much_in_pool, 0);
    check_says("said[0] == 'x'");
    check_says(" (thread ");
    check_says(", pool 1, core 0, fiber 0x");
}
END_TEST

START_TEST(one_may_fail_in_a_signal_handler)
{
    last_words_of(expect_too_much_in_handler, 0);
    check_says(", in expect_too_much ");
}
END_TEST

/* ---- the order of locks ---- */

static struct filch_lock locks[2];

static const struct pair {
    enum filch_rank outer;
    enum filch_rank inner;
    const char *says;
} wrong_pairs[] = {
    {FILCH_RANK_QUEUE, FILCH_RANK_POOL,
     "the lock of a pool must not be taken under that of a queue"},
    {FILCH_RANK_QUEUE, FILCH_RANK_PARK,
     "the lock of a park must not be taken under that of a queue"},
    {FILCH_RANK_POOL, FILCH_RANK_STACKS, "stacks of a pool must not be taken under that of a pool"},
    {FILCH_RANK_POOL, FILCH_RANK_POOL, "the lock of a pool must not be taken under that of a pool"},
    {FILCH_RANK_PROCESS, FILCH_RANK_POOLS,
     "list of pools must not be taken under that of the process"},
    {FILCH_RANK_STACKS, FILCH_RANK_POOLS, "must not be taken under that of the stacks of a pool"},
    {FILCH_RANK_TRACES, FILCH_RANK_LOG,
     "the lock of the log must not be taken under that of traces"},
    {FILCH_RANK_TIMERS, FILCH_RANK_SCOPE,
     "the lock of a scope must not be taken under that of timers"},
    {FILCH_RANK_CELL, FILCH_RANK_CELL, "the lock of a cell must not be taken under that of a cell"},
    {FILCH_RANK_CELL, FILCH_RANK_COMPLETIONS,
     "a set of futures must not be taken under that of a cell"},
    {FILCH_RANK_WAIT_QUEUE, FILCH_RANK_QUEUE, "must not be taken under that of a wait queue"},
    {FILCH_RANK_WAIT_QUEUE, FILCH_RANK_WAIT_QUEUE, "must not be taken under that of a wait queue"},
};
enum { WRONG_PAIRS = sizeof wrong_pairs / sizeof *wrong_pairs };

static void take_pair(int which)
{
    filch_lock_acquire(&locks[0], wrong_pairs[which].outer);
    filch_lock_acquire(&locks[1], wrong_pairs[which].inner);
}

START_TEST(a_lock_is_not_taken_under_one_that_it_does_not_belong_under)
{
    last_words_of(take_pair, _i);
    check_says(wrong_pairs[_i].says);
}
END_TEST

static void take_lower_channel(int unused)
{
    (void)unused;
    filch_lock_acquire(&locks[1], FILCH_RANK_CHANNEL);
    filch_lock_acquire(&locks[0], FILCH_RANK_CHANNEL);
}

START_TEST(channels_are_locked_by_rising_address)
{
    last_words_of(take_lower_channel, 0);
    check_says("under that of a channel with a higher address");
}
END_TEST

static void take_twice(int unused)
{
    (void)unused;
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
}

START_TEST(a_lock_is_not_taken_twice)
{
    last_words_of(take_twice, 0);
    check_says("the lock of a scope is taken twice");
}
END_TEST

static void hold_scopes(struct filch_cancel_scope *scopes)
{
    filch_lock_acquire(&scopes[1].lock, FILCH_RANK_SCOPE);
    filch_cancel_scope_cancel(&scopes[0]);
}

static void cancel_from_below(int unused)
{
    struct filch_cancel_scope scopes[2];
    (void)unused;
    filch_cancel_scope_open(&scopes[0], NULL, FILCH_OS_NEVER);
    filch_cancel_scope_open(&scopes[1], &scopes[0], FILCH_OS_NEVER);
    hold_scopes(scopes);
}

START_TEST(scopes_are_locked_downwards)
{
    last_words_of(cancel_from_below, 0);
    check_says("the lock of a scope is taken twice");
}
END_TEST

static void release_free_lock(int unused)
{
    (void)unused;
    filch_lock_release(&locks[0]);
}

static int release_first(void *unused)
{
    (void)unused;
    filch_lock_release(&locks[0]);
    return 0;
}

static void release_on_another_thread(int unused)
{
    thrd_t other;
    (void)unused;
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
    thrd_create(&other, release_first, NULL);
    thrd_join(other, NULL);
}

START_TEST(a_lock_is_released_by_its_holder)
{
    last_words_of(release_free_lock, 0);
    check_says("this_thread_holds_it");
    last_words_of(release_on_another_thread, 0);
    check_says("this_thread_holds_it");
}
END_TEST

/* ---- functions that want a lock held ---- */

static void open_slab(void)
{
    struct filch_stacks stacks;
    filch_stacks_init(&stacks, filch_stack_minimum());
    filch_slab_open_locked(&stacks, &stacks.stocks[0]);
}

static void serve_queue(void)
{
    struct filch_wait_queue queue = {.count = 0};
    struct filch_claims claims = {NULL, NULL};
    filch_wait_queue_serve_locked(&queue, &claims);
}

static void try_case(void)
{
    int value = 0;
    filch_channel *channel;
    struct filch_claims claims = {NULL, NULL};
    ck_assert_int_eq(filch_channel_new(sizeof value, 1, &channel), FILCH_OK);
    filch_case one = filch_on_send(channel, &value, NULL);
    ck_assert(filch_channel_try_locked(channel, &one, &claims));
}

static void ask_for_thread(void)
{
    thrd_t thread;
    filch_pool_ask_thread_locked(pool_of_one(), &thread, filch_core_thread, NULL);
}

static void (*const unlocked_calls[])(void) = {open_slab, serve_queue, try_case, ask_for_thread};
enum { UNLOCKED_CALLS = sizeof unlocked_calls / sizeof *unlocked_calls };

static void call_unlocked(int which)
{
    unlocked_calls[which]();
}

START_TEST(what_is_called_locked_wants_its_lock_held)
{
    last_words_of(call_unlocked, _i);
    check_says("filch_lock_is_held(&");
    check_says("_locked (");
}
END_TEST

/* ---- waits ---- */

static void park_with_lock(int unused)
{
    struct filch_parker parker = {.token = 1};
    (void)unused;
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
    filch_parker_wait(&parker, FILCH_OS_NEVER);
}

START_TEST(no_thread_sleeps_with_a_lock)
{
    last_words_of(park_with_lock, 0);
    check_says("!filch_rank_holds_any()");
    check_says("in filch_parker_wait");
}
END_TEST

FILCH_FUNCTION(int, yields_with_a_lock, (int, x))
{
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
    filch_yield();
    return x;
}

static void yield_with_lock(int unused)
{
    filch_future *future;
    (void)unused;
    ck_assert_int_eq(yields_with_a_lock_apply_async(pool_of_one(), 1, &future), FILCH_OK);
    for (;;) {
        sched_yield();
    }
}

START_TEST(no_fiber_leaves_its_stack_with_a_lock)
{
    last_words_of(yield_with_lock, 0);
    check_says("!filch_rank_holds_any()");
    check_says(", core 0, fiber 0x");
}
END_TEST

static void keep_lock(struct filch_detached *task)
{
    (void)task;
    filch_lock_acquire(&locks[0], FILCH_RANK_SCOPE);
}

static void end_with_lock(int unused)
{
    static struct filch_detached task = {.run = keep_lock};
    (void)unused;
    ck_assert_int_eq(filch_pool_submit(pool_of_one(), &task), FILCH_OK);
    for (;;) {
        sched_yield();
    }
}

START_TEST(no_task_ends_with_a_lock)
{
    last_words_of(end_with_lock, 0);
    check_says("!filch_rank_holds_any()");
    check_says("in filch_core_main");
}
END_TEST

static void tell_twice(void)
{
    struct filch_parker parker;
    struct filch_waiter waiter;
    struct filch_claims claims = {NULL, NULL};
    filch_parker_init(&parker);
    filch_waiter_init(&waiter, NULL, &parker);
    ck_assert(filch_waiter_arm(&waiter));
    ck_assert(filch_waiter_claim(&waiter, &claims));
    filch_claims_tell(&claims);
    filch_claims_tell(&claims);
}

static void arm_twice(void)
{
    struct filch_parker parker;
    struct filch_waiter waiter;
    filch_parker_init(&parker);
    filch_waiter_init(&waiter, NULL, &parker);
    ck_assert(filch_waiter_arm(&waiter));
    ck_assert(filch_waiter_arm(&waiter));
}

static void complete_twice(void)
{
    struct filch_cell cell;
    filch_cell_init(&cell);
    ck_assert_ptr_null(filch_cell_complete(&cell));
    ck_assert_ptr_null(filch_cell_complete(&cell));
}

static void open_latch_twice(void)
{
    struct filch_latch latch;
    filch_latch_init(&latch);
    filch_latch_open(&latch);
    filch_latch_open(&latch);
}

static void end_wait_twice(void)
{
    static const struct filch_wait_kind kind = {.what = "nothing"};
    struct filch_party party = {.forever = true};
    filch_party_begin_wait(&party, &kind, NULL, NULL, true);
    filch_party_end_wait(&party);
    filch_party_end_wait(&party);
}

static void let_go_twice(void)
{
    static const struct filch_wait_kind kind = {.what = "nothing"};
    struct filch_party party = {.forever = true};
    uint32_t any = 0;
    filch_party_begin_wait(&party, &kind, NULL, NULL, true);
    ck_assert(filch_party_hold(&party, &any));
    filch_party_let_go(&party);
    filch_party_let_go(&party);
}

static void announce_twice(void)
{
    struct filch_park park;
    struct filch_parker parker;
    filch_park_init(&park);
    filch_parker_init(&parker);
    filch_park_announce(&park, &parker);
    filch_park_announce(&park, &parker);
}

/* ---- slots ---- */

static const filch_slot_type some_type = {NULL, NULL, NULL};
static filch_slot slots[4];
static filch_lane lane;
static struct filch_frame frame;

static filch_slot *fork_and_publish(void)
{
    filch_lane_init(&lane, slots, 4, 4);
    frame.base = slots;
    lane.top->type = &some_type;
    lane.top++;
    return filch_lane_publish(&lane, &frame);
}

static void retire_twice(void)
{
    filch_slot *slot = fork_and_publish();
    ck_assert(filch_slot_take_back(slot));
    filch_lane_retire(&lane, slot);
    filch_lane_retire(&lane, slot);
}

static void retire_what_is_published(void)
{
    filch_lane_retire(&lane, fork_and_publish());
}

static void finish_what_was_not_taken(void)
{
    filch_slot_finish(fork_and_publish());
}

static void finish_twice(void)
{
    filch_slot *slot = fork_and_publish();
    ck_assert_ptr_eq(filch_slot_take(slot), &frame);
    filch_slot_finish(slot);
    filch_slot_finish(slot);
}

static void push_nothing(void)
{
    struct filch_deque deque;
    ck_assert(filch_deque_init(&deque, 4, 0));
    ck_assert(filch_deque_push(&deque, 0));
}

static const struct misuse {
    void (*call)(void);
    const char *where;
} misuses[] = {
    {tell_twice, "in tell "},
    {arm_twice, "in filch_waiter_arm "},
    {complete_twice, "in filch_cell_complete "},
    {open_latch_twice, "in filch_latch_open "},
    {end_wait_twice, "in filch_party_end_wait "},
    {let_go_twice, "in filch_"},
    {announce_twice, "in filch_park_announce "},
    {retire_twice, "in filch_lane_retire "},
    {retire_what_is_published, "in filch_lane_retire "},
    {finish_what_was_not_taken, "in filch_slot_finish "},
    {finish_twice, "in filch_slot_finish "},
    {push_nothing, "in filch_deque_push "},
};
enum { MISUSES = sizeof misuses / sizeof *misuses };

static void do_misuse(int which)
{
    misuses[which].call();
}

START_TEST(a_step_that_the_protocol_does_not_have_is_noticed)
{
    last_words_of(do_misuse, _i);
    check_says(misuses[_i].where);
}
END_TEST

/* ---- cores and counts ---- */

FILCH_FUNCTION(int, takes_from_anothers_deque, (filch_pool *, pool))
{
    filch_core_withdraw(filch_core_new(pool, 1), slots, true);
    return 0;
}

static void take_from_anothers_deque(int unused)
{
    filch_future *future;
    filch_pool *pool = pool_of_one();
    (void)unused;
    ck_assert_int_eq(takes_from_anothers_deque_apply_async(pool, pool, &future), FILCH_OK);
    for (;;) {
        sched_yield();
    }
}

START_TEST(the_deque_of_a_core_is_its_holders)
{
    last_words_of(take_from_anothers_deque, 0);
    check_says("filch_core_is_own(core)");
}
END_TEST

static void end_more_than_began(int unused)
{
    filch_pool *pool = pool_of_one();
    (void)unused;
    filch_pool_task_ended(pool);
    filch_pool_close(pool);
    filch_pool_join(pool);
}

START_TEST(no_more_tasks_end_than_began)
{
    last_words_of(end_more_than_began, 0);
    check_says("left >= 0");
}
END_TEST

/* ---- what is allowed ---- */

static const struct pair right_pairs[] = {
    {FILCH_RANK_POOLS, FILCH_RANK_STACKS, NULL}, {FILCH_RANK_STACKS, FILCH_RANK_QUEUE, NULL},
    {FILCH_RANK_POOL, FILCH_RANK_PROCESS, NULL}, {FILCH_RANK_TIMERS, FILCH_RANK_POOL, NULL},
    {FILCH_RANK_CELL, FILCH_RANK_PARK, NULL},    {FILCH_RANK_COMPLETIONS, FILCH_RANK_CELL, NULL},
    {FILCH_RANK_SCOPE, FILCH_RANK_SCOPE, NULL},  {FILCH_RANK_CHANNEL, FILCH_RANK_CHANNEL, NULL},
    {FILCH_RANK_POOLS, FILCH_RANK_LOG, NULL},    {FILCH_RANK_DUMP, FILCH_RANK_PROCESS, NULL},
    {FILCH_RANK_POOL, FILCH_RANK_TRACES, NULL},
};

START_TEST(legal_pairs_pass_and_are_released_in_any_order)
{
    for (size_t i = 0; i < sizeof right_pairs / sizeof *right_pairs; i++) {
        for (int first = 0; first < 2; first++) {
            filch_lock_acquire(&locks[0], right_pairs[i].outer);
            filch_lock_acquire(&locks[1], right_pairs[i].inner);
            ck_assert(filch_lock_is_held(&locks[0]) && filch_lock_is_held(&locks[1]));
            filch_lock_release(&locks[first]);
            ck_assert(!filch_lock_is_held(&locks[first]) && filch_lock_is_held(&locks[1 - first]));
            filch_lock_release(&locks[1 - first]);
            ck_assert(!filch_rank_holds_any());
        }
    }
}
END_TEST

START_TEST(a_lock_may_be_tried_whatever_is_held)
{
    filch_lock_acquire(&locks[0], FILCH_RANK_TRACES);
    ck_assert(filch_lock_try_acquire(&locks[1], FILCH_RANK_WAIT_QUEUE));
    ck_assert(!filch_lock_try_acquire(&locks[1], FILCH_RANK_WAIT_QUEUE));
    filch_lock_release(&locks[1]);
    filch_lock_release(&locks[0]);
    ck_assert(!filch_rank_holds_any());
}
END_TEST

enum { MANY = 100 };

START_TEST(many_scopes_are_locked_at_once)
{
    static struct filch_cancel_scope scopes[MANY];
    for (int i = 0; i < MANY; i++) {
        filch_cancel_scope_open(&scopes[i], i ? &scopes[i - 1] : NULL, FILCH_OS_NEVER);
    }
    filch_cancel_scope_cancel(&scopes[0]);
    ck_assert(filch_cancel_scope_is_cancelled(&scopes[MANY - 1]));
    ck_assert(!filch_rank_holds_any());
    for (int i = MANY - 1; i >= 0; i--) {
        filch_cancel_scope_close(&scopes[i]);
    }
}
END_TEST

START_TEST(under_many_scopes_others_are_taken_one_after_the_other)
{
    static struct filch_lock scopes[MANY];
    for (int i = 0; i < MANY; i++) {
        filch_lock_acquire(&scopes[i], FILCH_RANK_SCOPE);
    }
    for (int i = 0; i < 2; i++) {
        filch_lock_acquire(&locks[i], i ? FILCH_RANK_PARK : FILCH_RANK_QUEUE);
        filch_lock_release(&locks[i]);
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert(filch_rank_holds_any());
        filch_lock_release(&scopes[i]);
    }
    ck_assert(!filch_rank_holds_any());
}
END_TEST

START_TEST(many_channels_are_locked_at_once)
{
    filch_channel *channels[MANY];
    filch_case cases[MANY];
    int value = 7;
    for (int i = 0; i < MANY; i++) {
        ck_assert_int_eq(filch_channel_new(sizeof value, 1, &channels[i]), FILCH_OK);
        cases[i] = filch_on_receive(channels[i], &value, NULL);
    }
    ck_assert_int_eq(filch_channel_send(channels[MANY / 2], &value), FILCH_OK);
    ck_assert_int_eq(filch_first(cases, MANY, filch_in(0), NULL), MANY / 2);
    ck_assert_int_eq(filch_first(cases, MANY, filch_in(1e-3), NULL), -FILCH_ETIMEDOUT);
    ck_assert(!filch_rank_holds_any());
    for (int i = 0; i < MANY; i++) {
        filch_channel_free(channels[i]);
    }
}
END_TEST

/* A handler that releases a semaphore may come while its thread has any lock. */
static filch_semaphore semaphore;

static void release_semaphore(int unused)
{
    (void)unused;
    filch_semaphore_release(&semaphore, 1);
}

START_TEST(a_handler_may_release_a_semaphore_whatever_is_held)
{
    filch_semaphore_init(&semaphore, 0);
    signal(SIGUSR1, release_semaphore);
    filch_lock_acquire(&locks[0], FILCH_RANK_TRACES);
    raise(SIGUSR1);
    ck_assert(filch_lock_is_held(&locks[0]));
    filch_lock_release(&locks[0]);
    ck_assert_int_eq(filch_semaphore_acquire(&semaphore), FILCH_OK);
    ck_assert(!filch_rank_holds_any());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("assertions");
    TCase *tcase = tcase_create("assertions");
    tcase_add_test(tcase, one_that_fails_says_what_and_where);
    tcase_add_test(tcase, one_that_fails_in_a_pool_says_on_which_core_and_in_which_fiber);
    tcase_add_test(tcase, one_may_fail_in_a_signal_handler);
    tcase_add_loop_test(tcase, a_lock_is_not_taken_under_one_that_it_does_not_belong_under, 0,
                        WRONG_PAIRS);
    tcase_add_test(tcase, channels_are_locked_by_rising_address);
    tcase_add_test(tcase, a_lock_is_not_taken_twice);
    tcase_add_test(tcase, scopes_are_locked_downwards);
    tcase_add_test(tcase, a_lock_is_released_by_its_holder);
    tcase_add_loop_test(tcase, what_is_called_locked_wants_its_lock_held, 0, UNLOCKED_CALLS);
    tcase_add_test(tcase, no_thread_sleeps_with_a_lock);
    tcase_add_test(tcase, no_fiber_leaves_its_stack_with_a_lock);
    tcase_add_test(tcase, no_task_ends_with_a_lock);
    tcase_add_loop_test(tcase, a_step_that_the_protocol_does_not_have_is_noticed, 0, MISUSES);
    tcase_add_test(tcase, the_deque_of_a_core_is_its_holders);
    tcase_add_test(tcase, no_more_tasks_end_than_began);
    tcase_add_test(tcase, legal_pairs_pass_and_are_released_in_any_order);
    tcase_add_test(tcase, a_lock_may_be_tried_whatever_is_held);
    tcase_add_test(tcase, many_scopes_are_locked_at_once);
    tcase_add_test(tcase, under_many_scopes_others_are_taken_one_after_the_other);
    tcase_add_test(tcase, many_channels_are_locked_at_once);
    tcase_add_test(tcase, a_handler_may_release_a_semaphore_whatever_is_held);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
