/* The runtime's parts on their own: queue, timers, stacks, context switch, lock, park, cells,
 * latches, lanes, processor count. The deque has a suite of its own. */
#define _GNU_SOURCE
#include "fixture.h"

#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <threads.h>
#include <unistd.h>

#include "base/base.h"
#include "base/memory.h"
#include "stack/context.h"
#include "sched/core.h"
#include "os/cpu.h"
#include "work/lane.h"
#include "os/lock.h"
#include "os/os.h"
#include "os/os_ticks.h"
#include "loop/grain.h"
#include "sleep/park.h"
#include "os/topology.h"
#include "work/queue.h"
#include "sched/region.h"
#include "sched/cancel.h"
#include "sched/call_site.h"
#include "stack/stack.h"
#include "sched/thread.h"
#include "sched/threads.h"
#include "sleep/timer.h"
#include "sleep/wait.h"

/* ---- lock ---- */

static struct filch_lock lock;
static long guarded;

static int add_under_lock(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20000; i++) {
        filch_lock_acquire(&lock, FILCH_RANK_PENDING);
        guarded++;
        filch_lock_release(&lock);
    }
    return 0;
}

START_TEST(a_lock_excludes)
{
    thrd_t threads[4];
    filch_lock_init(&lock);
    guarded = 0;
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(thrd_create(&threads[i], add_under_lock, NULL), thrd_success);
    }
    for (int i = 0; i < 4; i++) {
        thrd_join(threads[i], NULL);
    }
    ck_assert_int_eq(guarded, 80000);
}
END_TEST

/* ---- queue ---- */

START_TEST(a_queue_is_first_in_first_out)
{
    struct filch_queue queue;
    struct filch_work items[10];
    filch_queue_init(&queue);
    ck_assert(filch_queue_empty(&queue));
    ck_assert_ptr_null(filch_queue_pop(&queue));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10; i++) {
            filch_queue_push(&queue, &items[i]);
        }
        for (int i = 0; i < 10; i++) {
            ck_assert_ptr_eq(filch_queue_pop(&queue), &items[i]);
        }
        ck_assert(filch_queue_empty(&queue));
    }
}
END_TEST

START_TEST(what_is_next_in_a_queue_can_be_taken_out)
{
    struct filch_queue queue;
    struct filch_work items[4];
    filch_queue_init(&queue);
    ck_assert(!filch_queue_take_out(&queue, &items[0], false));
    for (int i = 0; i < 4; i++) {
        filch_queue_push(&queue, &items[i]);
    }
    ck_assert(!filch_queue_take_out(&queue, &items[2], false)); /* too far behind */
    ck_assert(!filch_queue_take_out(&queue, &items[0], true));
    ck_assert(filch_queue_take_out(&queue, &items[1], true));
    ck_assert(filch_queue_take_out(&queue, &items[0], false));
    ck_assert(!filch_queue_take_out(&queue, &items[0], false));
    ck_assert(filch_queue_take_out(&queue, &items[3], true)); /* the last */
    filch_queue_push(&queue, &items[0]);
    ck_assert_ptr_eq(filch_queue_pop(&queue), &items[2]);
    ck_assert_ptr_eq(filch_queue_pop(&queue), &items[0]);
    ck_assert(filch_queue_empty(&queue));
    filch_queue_push(&queue, &items[1]);
    ck_assert(filch_queue_take_out(&queue, &items[1], false)); /* the only one */
    ck_assert_ptr_null(filch_queue_pop(&queue));
}
END_TEST

START_TEST(a_turn_of_a_queue_pushes_and_pops)
{
    struct filch_queue queue;
    struct filch_work items[3];
    filch_queue_init(&queue);
    ck_assert_ptr_eq(filch_queue_rotate(&queue, &items[0]), &items[0]);
    ck_assert(filch_queue_empty(&queue));
    filch_queue_push(&queue, &items[0]);
    ck_assert_ptr_eq(filch_queue_rotate(&queue, &items[1]), &items[0]);
    filch_queue_push(&queue, &items[2]);
    ck_assert_ptr_eq(filch_queue_rotate(&queue, &items[0]), &items[1]);
    ck_assert_ptr_eq(filch_queue_pop(&queue), &items[2]);
    ck_assert_ptr_eq(filch_queue_pop(&queue), &items[0]);
    ck_assert(filch_queue_empty(&queue));
}
END_TEST

/* ---- timers ---- */

static uint64_t last_fired;
static int fired;
static int closed;

static void record(struct filch_timer *timer, enum filch_timer_end end,
                   struct filch_ready_batch *batch)
{
    (void)batch;
    ck_assert(end == FILCH_TIMER_CLOSED || timer->deadline_ns >= last_fired);
    last_fired = timer->deadline_ns;
    fired++;
    closed += end == FILCH_TIMER_CLOSED;
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

START_TEST(timers_fire_in_order_and_only_when_due)
{
    enum { TIMERS = 2000 };
    struct filch_timers timers;
    static struct filch_timer all[TIMERS];
    unsigned seed = 1;
    filch_timers_init(&timers);
    last_fired = 0;
    fired = 0;
    for (int i = 0; i < TIMERS; i++) {
        all[i] = (struct filch_timer){.deadline_ns = 1 + next_random(&seed) % 1000, .fire = record};
        filch_timers_arm(&timers, &all[i]);
    }
    int removed = 0;
    for (int i = 0; i < TIMERS; i += 3, removed++) {
        filch_timers_disarm(&timers, &all[i]);
        filch_timers_disarm(&timers, &all[i]);
    }
    for (uint64_t now = 0; now <= 1000; now += 100) {
        while (filch_timers_fire(&timers, now)) {
        }
        ck_assert_uint_le(last_fired, now);
        ck_assert_uint_gt(filch_timers_earliest(&timers), now);
    }
    ck_assert_int_eq(fired, TIMERS - removed);
    ck_assert_uint_eq(filch_timers_earliest(&timers), FILCH_OS_NEVER);
}
END_TEST

START_TEST(closed_timers_fire_at_once)
{
    struct filch_timers timers;
    struct filch_timer a = {.deadline_ns = FILCH_OS_NEVER, .fire = record};
    struct filch_timer b = {.deadline_ns = FILCH_OS_NEVER, .fire = record};
    filch_timers_init(&timers);
    closed = 0;
    ck_assert(filch_timers_arm(&timers, &a));
    ck_assert_uint_eq(filch_timers_fire(&timers, FILCH_OS_NEVER - 1), 0);
    filch_timers_close(&timers);
    ck_assert_int_eq(closed, 1);
    filch_timers_arm(&timers, &b);
    ck_assert_int_eq(closed, 2);
    filch_timers_disarm(&timers, &a);
}
END_TEST

/* ---- what a pool remembers of its callers ---- */

START_TEST(a_site_is_known_to_be_short_after_three_short_calls)
{
    static struct filch_call_sites sites;
    const int here = 0;
    struct filch_call_site *site = filch_call_site_of(&sites, &here);
    ck_assert_uint_eq(filch_call_site_estimate(site, 1), UINT64_MAX);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(filch_call_site_estimate(site, 100), UINT64_MAX);
        filch_call_site_learn(site, 100, 50, 500);
    }
    ck_assert_uint_ge(filch_call_site_estimate(site, 100), 1000);
    ck_assert_uint_le(filch_call_site_estimate(site, 100), 1100);
    ck_assert_uint_ge(filch_call_site_estimate(site, 100000), FILCH_CALL_SITE_LONG);
    filch_call_site_learn(site, 100, 50, 5000); /* dearer is believed at once */
    ck_assert_uint_ge(filch_call_site_estimate(site, 100), 10000);
    filch_call_site_learn(site, 100, 1, 5000); /* and this is long */
    ck_assert_uint_eq(filch_call_site_estimate(site, 1), UINT64_MAX);
    filch_call_site_learn(site, 100, 0, 0); /* others ran everything: nothing is known */
    ck_assert_uint_eq(filch_call_site_estimate(site, 1), UINT64_MAX);
}
END_TEST

START_TEST(a_thread_is_called_for_many_loops_at_short_distance)
{
    struct filch_pace pace = {0};
    uint64_t now = 1000;
    const uint64_t estimate = 20000;
    ck_assert(!filch_pace_is_kept(&pace, now));
    uint64_t waited = 0;
    for (int calls = 0; calls < 3;) {
        bool calls_now = filch_pace_calls(&pace, now, estimate);
        waited += estimate;
        ck_assert_int_eq(filch_pace_is_called(&pace), calls_now);
        ck_assert(!filch_pace_is_called(&pace)); /* one thread, once */
        if (calls_now) {
            ck_assert_uint_ge(waited, FILCH_PACE_CALL);
            calls++;
            waited = 0;
        }
        now += estimate;
        filch_pace_note(&pace, now);
        ck_assert(filch_pace_is_kept(&pace, now));
        ck_assert(filch_pace_is_kept(&pace, now - 10)); /* another processor's clock */
        now += FILCH_PACE_NEAR / 2;
    }
    ck_assert(!filch_pace_is_kept(&pace, now + FILCH_PACE_REACH));
    for (int i = 0; i < 1000; i++) { /* one that comes now and then needs none */
        ck_assert(!filch_pace_calls(&pace, now, estimate));
        filch_pace_note(&pace, now);
        now += 2 * FILCH_PACE_NEAR;
    }
}
END_TEST

static void come_after(struct filch_reach *reach, uint64_t ticks)
{
    const uint64_t woken = 1000000;
    filch_reach_wakes(reach, woken);
    filch_reach_comes(reach, woken + ticks);
}

START_TEST(a_call_wakes_a_thread_if_it_is_longer_than_that_takes_to_come)
{
    struct filch_reach reach = {0};
    const uint64_t call = 200000;
    come_after(&reach, 100);
    ck_assert(filch_reach_spares(&reach, FILCH_REACH_LEAST - 1));
    ck_assert(!filch_reach_spares(&reach, call));
    come_after(&reach, INT64_MAX); /* one lost its processor */
    ck_assert(!filch_reach_spares(&reach, call));
    for (int i = 0; i < 50; i++) {
        come_after(&reach, (uint64_t)-100); /* another processor's clock */
    }
    ck_assert(!filch_reach_spares(&reach, call));
    for (int i = 0; i < 50; i++) {
        come_after(&reach, call);
    }
    ck_assert(filch_reach_spares(&reach, call));
    ck_assert_uint_gt(filch_reach_worth(&reach), call);
    ck_assert(!filch_reach_spares(&reach, FILCH_CALL_SITE_LONG));
    ck_assert(!filch_reach_spares(&reach, UINT64_MAX)); /* not known */
    for (int i = 0; i < 50; i++) {
        come_after(&reach, INT64_MAX);
    }
    ck_assert(!filch_reach_spares(&reach, FILCH_CALL_SITE_LONG));
    for (int i = 0; i < 50; i++) {
        come_after(&reach, 100);
    }
    ck_assert(!filch_reach_spares(&reach, call));
}
END_TEST

START_TEST(how_long_it_takes_is_looked_at_again_now_and_then)
{
    struct filch_reach reach = {0};
    int wakes = 0;
    for (int i = 0; i < 1000; i++) { /* of calls that wake none nothing would be learned */
        come_after(&reach, 250000);
    }
    for (int i = 0; i < 10 * FILCH_REACH_CHECK; i++) {
        wakes += !filch_reach_spares(&reach, 100000);
    }
    ck_assert_int_eq(wakes, 10);
}
END_TEST

START_TEST(a_site_is_given_up_to_another_place)
{
    static struct filch_call_sites sites;
    static char topology[FILCH_SITES + 1];
    for (int i = 0; i < 3; i++) {
        filch_call_site_learn(filch_call_site_of(&sites, &topology[0]), 1, 1, 1);
    }
    ck_assert_uint_ne(filch_call_site_estimate(filch_call_site_of(&sites, &topology[0]), 1),
                      UINT64_MAX);
    for (int i = 1; i <= FILCH_SITES; i++) { /* two of these fall together */
        ck_assert_uint_eq(filch_call_site_estimate(filch_call_site_of(&sites, &topology[i]), 1),
                          UINT64_MAX);
    }
}
END_TEST

START_TEST(a_block_grows_while_it_is_short_and_shrinks_when_it_is_long)
{
    static struct filch_pool pool;
    pool.config.workers = 2;
    struct filch_grain pace = filch_grain_begun(&pool, FILCH_HELP_ASK);
    ck_assert(pace.shared);
    ck_assert_uint_eq(pace.length, 1);
    filch_grain_learn(&pace, 1, 10);
    ck_assert_uint_eq(pace.length, 8);
    filch_grain_learn(&pace, 8, FILCH_GRAIN_TARGET / 3);
    ck_assert_uint_eq(pace.length, 16);
    filch_grain_learn(&pace, 16, FILCH_GRAIN_TARGET);
    ck_assert_uint_eq(pace.length, 16);
    filch_grain_learn(&pace, 16, FILCH_GRAIN_TARGET * 3);
    ck_assert_uint_eq(pace.length, 8);
    ck_assert_uint_eq(pace.elements, 1 + 8 + 16 + 16);
    for (int i = 0; i < 100; i++) {
        filch_grain_learn(&pace, 1, 1); /* pieces of ranges that were split often */
        ck_assert_uint_ge(pace.length, 8);
    }
    for (int i = 0; i < 100; i++) {
        filch_grain_learn(&pace, 1, UINT32_MAX);
        ck_assert_uint_ge(pace.length, 1);
    }
}
END_TEST

/* ---- stacks and switches ---- */

static void count_one(struct filch_stack *stack, void *count)
{
    (void)stack;
    ++*(size_t *)count;
}

START_TEST(stacks_are_reused_and_have_room_where_they_say)
{
    struct filch_stacks stacks;
    struct filch_shelf shelf = {0};
    filch_stacks_init(&stacks, 64 * 1024);
    struct filch_stack *all[40];
    for (int i = 0; i < 40; i++) {
        all[i] = filch_stacks_get(&stacks, &shelf);
        ck_assert_ptr_nonnull(all[i]);
        ck_assert_uint_ge(all[i]->bytes, 64 * 1024);
        ck_assert_uint_eq((uintptr_t)all[i]->low % 16, 0);
        ck_assert_uint_eq((uintptr_t)all[i] % 64, 0);
        ck_assert((char *)all[i]->low + all[i]->bytes == (char *)all[i]);
        memset(all[i]->low, 1, all[i]->bytes);
        memset((char *)all[i] + FILCH_STACK_HEADER_BYTES, 1, all[i]->slots * sizeof(filch_slot));
        ck_assert(filch_stack_intact(all[i]));
    }
    struct filch_stack *last = all[39];
    for (int i = 0; i < 40; i++) {
        filch_stacks_put(&stacks, NULL, all[i]);
    }
    filch_stacks_trim(&stacks, 1);
    ck_assert_ptr_eq(filch_stacks_get(&stacks, &shelf), last);
    ck_assert_uint_eq(*(unsigned char *)last->low, 1);
    struct filch_stack *trimmed = filch_stacks_get(&stacks, &shelf);
    ck_assert_uint_eq(*(unsigned char *)trimmed->low, 0);
    filch_stacks_put(&stacks, NULL, trimmed);
    filch_stacks_put(&stacks, NULL, last);
    filch_stacks_destroy(&stacks);
}
END_TEST

START_TEST(a_shelf_keeps_few_stacks_and_none_is_lost)
{
    enum { N = 100, KEPT_MOST = 32 };
    struct filch_stacks stacks;
    struct filch_shelf shelf = {0};
    struct filch_shelf other = {0};
    struct filch_stack *all[N];
    filch_stacks_init(&stacks, 64 * 1024);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            all[i] = filch_stacks_get(&stacks, i % 3 ? &shelf : &other);
            ck_assert_ptr_nonnull(all[i]);
            for (int k = 0; k < i; k++) {
                ck_assert_ptr_ne(all[i], all[k]);
            }
        }
        for (int i = 0; i < N; i++) {
            filch_stacks_put(&stacks, i % 2 ? &shelf : &other, all[i]);
        }
        ck_assert_uint_le(stacks.live_count, 2 * KEPT_MOST);
        ck_assert_ptr_eq(filch_stacks_get(&stacks, &shelf), all[N - 1]); /* its pages are there */
        filch_stacks_put(&stacks, &shelf, all[N - 1]);
    }
    filch_stacks_clear(&stacks, &shelf);
    filch_stacks_clear(&stacks, &other);
    ck_assert_uint_eq(stacks.live_count, 0);
    size_t count = 0;
    filch_stacks_each(&stacks, count_one, &count);
    ck_assert_uint_eq(count, N);
    filch_stacks_destroy(&stacks);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static struct filch_context here;
static struct filch_context there;
static double kept;
static int rounding_there;

static void switches(void *argument)
{
    double sum = *(double *)argument;
    fesetround(FE_UPWARD);
    for (int i = 0;; i++) {
        sum += i;
        kept = sum;
        rounding_there = fegetround();
        filch_context_switch(&there, &here);
    }
}

START_TEST(a_switch_keeps_registers_and_the_rounding_mode)
{
    FILCH_ALIGNED(16) static char stack[64 * 1024];
    double argument = 0.5;
    double x = 1.25;
    filch_context_make(&there, stack, sizeof stack, switches, &argument);
    for (int i = 0; i < 1000; i++) {
        x += i;
        filch_context_switch(&here, &there);
        ck_assert(fegetround() == FE_TONEAREST);
        ck_assert(rounding_there == FE_UPWARD);
        ck_assert(x - 1.25 == kept - 0.5);
    }
}
END_TEST
#endif

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
enum { X87_ROUNDS_DOWN = 0x400 };

static unsigned x87_control(void)
{
    unsigned short word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static void set_x87_control(unsigned control)
{
    unsigned short word = (unsigned short)control;
    __asm__ volatile("fldcw %0" : : "m"(word));
}

static void rounds_down(void *unused)
{
    (void)unused;
    set_x87_control(x87_control() | X87_ROUNDS_DOWN);
    for (;;) {
        rounding_there = (int)x87_control();
        filch_context_switch(&there, &here);
    }
}

START_TEST(a_switch_keeps_the_old_units_rounding_mode_alone)
{
    FILCH_ALIGNED(16) static char stack[64 * 1024];
    filch_context_make(&there, stack, sizeof stack, rounds_down, NULL);
    for (int i = 0; i < 10; i++) {
        filch_context_switch(&here, &there);
        ck_assert((x87_control() & X87_ROUNDS_DOWN) == 0);
        ck_assert((rounding_there & X87_ROUNDS_DOWN) != 0);
    }
}
END_TEST
#endif

/* ---- park ---- */

static struct filch_park park;
static struct filch_parker parkers[3];
static atomic_int work;
static atomic_int consumed;
static atomic_bool stop;

static int park_worker(void *argument)
{
    struct filch_parker *parker = argument;
    for (;;) {
        int n = atomic_load(&work);
        if (n > 0) {
            if (atomic_compare_exchange_strong(&work, &n, n - 1)) {
                atomic_fetch_add(&consumed, 1);
            }
            continue;
        }
        filch_park_announce(&park, parker);
        if (atomic_load(&work) == 0 && !atomic_load(&stop)) {
            filch_parker_wait(parker, FILCH_OS_NEVER);
        }
        filch_park_retract(&park, parker);
        if (atomic_load(&stop)) {
            return 0;
        }
    }
}

START_TEST(no_wake_up_is_lost)
{
    thrd_t threads[3];
    filch_park_init(&park);
    for (int i = 0; i < 3; i++) {
        filch_parker_init(&parkers[i]);
        ck_assert_int_eq(thrd_create(&threads[i], park_worker, &parkers[i]), thrd_success);
    }
    for (int i = 0; i < 20000; i++) {
        atomic_fetch_add(&work, 1);
        filch_park_wake_one(&park);
        if (i % 3 == 0) {
            await(&consumed, i + 1); /* they all go to sleep again and again */
        }
    }
    await(&consumed, 20000);
    atomic_store(&stop, true);
    filch_park_wake_all(&park);
    for (int i = 0; i < 3; i++) {
        thrd_join(threads[i], NULL);
    }
    ck_assert_uint_eq(filch_park_sleepers(&park), 0);
}
END_TEST

START_TEST(a_parker_waits_until_its_deadline)
{
    struct filch_parker parker;
    filch_parker_init(&parker);
    ck_assert(!filch_parker_wait(&parker, 0));
    uint64_t deadline = filch_os_now_ns() + 2000000;
    ck_assert(!filch_parker_wait(&parker, deadline));
    ck_assert_uint_ge(filch_os_now_ns(), deadline);
    filch_parker_unpark(&parker);
    filch_parker_unpark(&parker);
    ck_assert(filch_parker_wait(&parker, 0));
    ck_assert(!filch_parker_poll(&parker));
}
END_TEST

struct sleeper {
    struct filch_parker parker;
    pid_t thread;
    atomic_int step; /* of a thread that is given a token before it looks for one, and one after */
};

static bool may_use(const struct sleeper *sleeper, int processor)
{
    cpu_set_t set;
    ck_assert_int_eq(sched_getaffinity(sleeper->thread, sizeof set, &set), 0);
    return CPU_ISSET((size_t)processor, &set);
}

static int sleep_twice(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->parker.thread = filch_os_thread_id();
    sleeper->thread = gettid();
    atomic_store(&sleeper->step, 1);
    await(&sleeper->step, 2);
    filch_parker_wait(&sleeper->parker, FILCH_OS_NEVER);
    atomic_store(&sleeper->step, 3);
    filch_parker_wait(&sleeper->parker, FILCH_OS_NEVER);
    atomic_store(&sleeper->step, 4);
    await(&sleeper->step, 5);
    return 0;
}

/* Where there is one processor only it stays there, and so it does if the system tells none. */
START_TEST(a_thread_that_is_woken_is_kept_off_its_wakers_processor_until_it_is_awake)
{
    struct sleeper sleeper = {.step = 0};
    int ours = filch_os_processor() >= 0 ? filch_os_processor() : 0;
    bool is_kept_off = filch_os_processor() >= 0 && filch_os_affinity_count() > 1;
    thrd_t thread;
    filch_parker_init(&sleeper.parker);
    ck_assert_int_eq(thrd_create(&thread, sleep_twice, &sleeper), thrd_success);
    await(&sleeper.step, 1);
    filch_os_bind((unsigned)ours); /* so that we stay there; the thread is not bound */
    atomic_store(&sleeper.parker.processor, ours + 1);
    filch_parker_unpark_apart(&sleeper.parker);
    ck_assert(may_use(&sleeper, ours)); /* it fell asleep elsewhere */
    atomic_store(&sleeper.parker.processor, ours);
    filch_parker_unpark_apart(&sleeper.parker);
    ck_assert_int_eq(may_use(&sleeper, ours), !is_kept_off);
    filch_parker_unpark_apart(&sleeper.parker); /* once more does nothing */
    atomic_store(&sleeper.step, 2);
    await(&sleeper.step, 3);
    ck_assert(may_use(&sleeper, ours));
    filch_parker_unpark(&sleeper.parker);
    await(&sleeper.step, 4);
    ck_assert(may_use(&sleeper, ours));
    atomic_store(&sleeper.step, 5);
    thrd_join(thread, NULL);
}
END_TEST

static int wake_often(void *argument)
{
    struct sleeper *sleeper = argument;
    for (int i = 0; i < 2000; i++) {
        atomic_store(&sleeper->parker.processor, filch_os_processor()); /* as if it were asleep */
        filch_parker_unpark_apart(&sleeper->parker);
    }
    filch_parker_unpark(&sleeper->parker);
    atomic_fetch_add(&sleeper->step, 1);
    return 0;
}

static int sleep_often(void *argument)
{
    struct sleeper *sleeper = argument;
    sleeper->parker.thread = filch_os_thread_id();
    sleeper->thread = gettid();
    atomic_store(&sleeper->step, 1);
    while (atomic_load(&sleeper->step) < 3) {
        filch_parker_wait(&sleeper->parker, filch_os_now_ns() + 100000);
    }
    filch_parker_poll(&sleeper->parker);
    atomic_store(&sleeper->step, 4);
    await(&sleeper->step, 5);
    return 0;
}

START_TEST(however_many_wake_a_thread_it_may_use_all_processors_again)
{
    struct sleeper sleeper = {.step = 0};
    cpu_set_t before;
    cpu_set_t after;
    thrd_t thread;
    thrd_t wakers[2];
    filch_parker_init(&sleeper.parker);
    ck_assert_int_eq(sched_getaffinity(0, sizeof before, &before), 0);
    ck_assert_int_eq(thrd_create(&thread, sleep_often, &sleeper), thrd_success);
    await(&sleeper.step, 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(thrd_create(&wakers[i], wake_often, &sleeper), thrd_success);
    }
    for (int i = 0; i < 2; i++) {
        thrd_join(wakers[i], NULL);
    }
    await(&sleeper.step, 4);
    ck_assert_int_eq(sched_getaffinity(sleeper.thread, sizeof after, &after), 0);
    ck_assert(CPU_EQUAL(&before, &after));
    atomic_store(&sleeper.step, 5);
    thrd_join(thread, NULL);
}
END_TEST

/* ---- waiters, cells, latches ---- */

START_TEST(a_waiter_is_fired_once_and_woken_only_if_armed)
{
    struct filch_parker parker;
    struct filch_waiter waiter;
    filch_parker_init(&parker);
    filch_waiter_init(&waiter, NULL, &parker);
    ck_assert(!filch_waiter_fire(&waiter, FILCH_SIGNALED)); /* not armed: nothing to wake */
    ck_assert(!filch_waiter_arm(&waiter));
    ck_assert(!filch_waiter_fire(&waiter, FILCH_TIMED_OUT));
    ck_assert_int_eq(filch_waiter_outcome(&waiter), FILCH_SIGNALED);
    filch_waiter_init(&waiter, NULL, &parker);
    ck_assert(filch_waiter_arm(&waiter));
    ck_assert(filch_waiter_fire(&waiter, FILCH_TIMED_OUT));
    ck_assert(!filch_waiter_fire(&waiter, FILCH_SIGNALED));
}
END_TEST

START_TEST(a_claimed_waiter_stays_until_it_is_told)
{
    for (int early = 0; early < 2; early++) {
        struct filch_parker parker;
        struct filch_waiter waiter;
        struct filch_claims claims = {NULL, NULL};
        filch_parker_init(&parker);
        filch_waiter_init(&waiter, NULL, &parker);
        ck_assert(early || filch_waiter_arm(&waiter));
        ck_assert(filch_waiter_claim(&waiter, &claims));
        ck_assert(!filch_waiter_claim(&waiter, &claims));
        ck_assert(filch_waiter_decided(&waiter));
        ck_assert(!filch_waiter_fired(&waiter));
        ck_assert(!filch_waiter_end(&waiter, FILCH_TIMED_OUT)); /* too late */
        ck_assert(!early || filch_waiter_arm(&waiter));         /* it will be woken */
        ck_assert(!filch_parker_poll(&parker));
        filch_claims_tell(&claims);
        ck_assert(filch_parker_poll(&parker));
        ck_assert_int_eq(filch_waiter_outcome(&waiter), FILCH_SIGNALED);
    }
}
END_TEST

START_TEST(who_is_claimed_and_told_before_it_is_armed_does_not_sleep)
{
    struct filch_parker parker;
    struct filch_waiter waiters[2];
    struct filch_claims claims = {NULL, NULL};
    filch_parker_init(&parker);
    filch_waiter_init(&waiters[0], NULL, &parker);
    filch_waiter_init(&waiters[1], NULL, &parker);
    ck_assert(filch_waiter_claim(&waiters[0], &claims));
    ck_assert(filch_waiter_claim(&waiters[1], &claims));
    filch_claims_tell(&claims);
    ck_assert(!filch_waiter_arm(&waiters[0]));
    ck_assert(!filch_waiter_arm(&waiters[1]));
    ck_assert(!filch_parker_poll(&parker));
    claims = (struct filch_claims){NULL, NULL};
    ck_assert(!filch_waiter_claim(&waiters[0], &claims)); /* it has been fired */
    ck_assert_ptr_null(claims.first);
}
END_TEST

/* ---- scopes ---- */

static void *cancel_scope(void *scope)
{
    filch_cancel_scope_cancel(scope);
    return NULL;
}

/* In a thread with little stack. */
static void cancel_in_little_stack(struct filch_cancel_scope *scope)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    ck_assert_int_eq(pthread_attr_setstacksize(&attributes, 128 << 10), 0);
    ck_assert_int_eq(pthread_create(&thread, &attributes, cancel_scope, scope), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

START_TEST(scopes_are_cancelled_to_any_depth_and_no_further)
{
    enum { DEPTH = 1000000 };
    struct filch_cancel_scope *scopes = calloc(DEPTH, sizeof *scopes);
    struct filch_parker parker;
    struct filch_waiter waiter;
    struct filch_cancel_scope beside;
    filch_cancel_scope_open(&scopes[0], NULL, FILCH_OS_NEVER);
    filch_cancel_scope_open(&scopes[1], &scopes[0], FILCH_OS_NEVER);
    filch_cancel_scope_open(&beside, &scopes[0], FILCH_OS_NEVER);
    for (int i = 2; i < DEPTH; i++) {
        filch_cancel_scope_open(&scopes[i], &scopes[i - 1], FILCH_OS_NEVER);
    }
    filch_parker_init(&parker);
    filch_waiter_init(&waiter, NULL, &parker);
    ck_assert(filch_cancel_scope_add(&scopes[DEPTH - 1], &waiter));
    ck_assert(filch_waiter_arm(&waiter));
    cancel_in_little_stack(&scopes[1]);
    ck_assert_int_eq(filch_waiter_outcome(&waiter), FILCH_CLOSED);
    filch_cancel_scope_remove(&waiter);
    ck_assert(!filch_cancel_scope_is_cancelled(&scopes[0]));
    ck_assert(!filch_cancel_scope_is_cancelled(&beside));
    cancel_in_little_stack(&scopes[0]); /* again, and its other child, too */
    ck_assert(filch_cancel_scope_is_cancelled(&beside));
    for (int i = DEPTH - 1; i > 0; i--) {
        if (!filch_cancel_scope_is_cancelled(&scopes[i])) {
            ck_abort_msg("%d is not cancelled", i);
        }
        filch_cancel_scope_close(&scopes[i]);
    }
    filch_cancel_scope_close(&beside);
    filch_cancel_scope_close(&scopes[0]);
    free(scopes);
}
END_TEST

/* The parent of each is the one with half its number. */
START_TEST(a_tree_of_scopes_is_cancelled_below_one)
{
    enum { N = 1000 };
    for (int top = 1; top < N; top += 13) {
        struct filch_cancel_scope scopes[N];
        filch_cancel_scope_open(&scopes[1], NULL, FILCH_OS_NEVER);
        for (int i = 2; i < N; i++) {
            filch_cancel_scope_open(&scopes[i], &scopes[i / 2], FILCH_OS_NEVER);
        }
        filch_cancel_scope_cancel(&scopes[top]);
        for (int i = N - 1; i >= 1; i--) {
            int above = i;
            while (above > top) {
                above /= 2;
            }
            check_int_eq(filch_cancel_scope_is_cancelled(&scopes[i]), above == top);
            filch_cancel_scope_close(&scopes[i]);
        }
    }
}
END_TEST

START_TEST(a_cell_wakes_all_who_stay_and_refuses_late_ones)
{
    struct filch_parker parker[4];
    struct filch_waiter waiters[4];
    struct filch_cell cell;
    filch_cell_init(&cell);
    for (int i = 0; i < 4; i++) {
        filch_parker_init(&parker[i]);
        filch_waiter_init(&waiters[i], NULL, &parker[i]);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert(filch_cell_add(&cell, &waiters[i]));
        ck_assert(filch_waiter_arm(&waiters[i]));
    }
    filch_cell_remove(&cell, &waiters[1]);
    ck_assert(!filch_cell_done(&cell));
    ck_assert_ptr_null(filch_cell_complete(&cell));
    ck_assert(filch_cell_done(&cell));
    ck_assert(filch_parker_poll(&parker[0]));
    ck_assert(!filch_parker_poll(&parker[1]));
    ck_assert(filch_parker_poll(&parker[2]));
    ck_assert(!filch_cell_add(&cell, &waiters[3]));
    filch_cell_remove(&cell, &waiters[0]);
}
END_TEST

START_TEST(a_latch_opens_for_one_waiter_before_or_after)
{
    struct filch_parker parker;
    struct filch_waiter waiter;
    struct filch_latch latch;
    filch_parker_init(&parker);
    filch_waiter_init(&waiter, NULL, &parker);
    filch_latch_init(&latch);
    ck_assert(filch_latch_add(&latch, &waiter));
    ck_assert(filch_waiter_arm(&waiter));
    filch_latch_open(&latch);
    ck_assert(filch_parker_poll(&parker));
    ck_assert(filch_latch_is_open(&latch));
    ck_assert(!filch_latch_add(&latch, &waiter));
}
END_TEST

/* ---- lanes ---- */

static void run_nothing(filch_lane *lane, filch_slot *top, filch_slot *slot)
{
    (void)lane, (void)top, (void)slot;
}

static const filch_slot_type some_type = {run_nothing, NULL, NULL};

static filch_slot *fork_one(filch_lane *lane)
{
    filch_slot *slot = lane->top++;
    slot->type = &some_type;
    return slot;
}

START_TEST(a_lane_publishes_oldest_first_and_takes_back)
{
    static filch_slot slots[8];
    filch_lane lane;
    struct filch_frame inner_frame;
    struct filch_frame outer_frame = {.base = slots};
    filch_lane_init(&lane, slots, 8, 8);
    filch_slot *a = fork_one(&lane);
    filch_slot *b = fork_one(&lane);
    inner_frame = (struct filch_frame){.parent = &outer_frame, .base = lane.top};
    filch_slot *c = fork_one(&lane);
    ck_assert_ptr_eq(filch_lane_publish(&lane, &inner_frame), a);
    ck_assert(!filch_join_is_own(&lane, a));
    ck_assert(filch_join_is_own(&lane, c));
    ck_assert_ptr_eq(filch_slot_take(a), &outer_frame);
    ck_assert_ptr_null(filch_slot_take(a));
    ck_assert(!filch_slot_take_back(a));
    ck_assert_ptr_eq(filch_lane_publish(&lane, &inner_frame), b);
    ck_assert_ptr_eq(filch_lane_publish(&lane, &inner_frame), c);
    ck_assert_ptr_null(filch_lane_publish(&lane, &inner_frame));
    ck_assert(!filch_slot_take_for(c, &outer_frame));
    ck_assert(filch_slot_take_for(c, &inner_frame));
    ck_assert(filch_slot_take_back(b));
    filch_slot_finish(c);
    ck_assert(filch_slot_is_done(c));
    ck_assert_ptr_eq(filch_lane_retire(&lane, c), c);
    ck_assert_ptr_eq(filch_lane_retire(&lane, b), b);
    filch_slot_finish(a);
    ck_assert_ptr_eq(filch_lane_retire(&lane, a), a);
    ck_assert_ptr_eq(lane.split, a);
}
END_TEST

START_TEST(top_falls_past_slots_joined_out_of_order)
{
    static filch_slot slots[8];
    filch_lane lane;
    filch_lane_init(&lane, slots, 8, 8);
    filch_slot *a = fork_one(&lane);
    filch_slot *b = fork_one(&lane);
    filch_slot *c = fork_one(&lane);
    ck_assert_ptr_eq(filch_lane_retire(&lane, b), c + 1);
    ck_assert(!filch_join_is_own(&lane, c)); /* holes make every join slow */
    ck_assert_ptr_eq(filch_lane_retire(&lane, c), b);
    ck_assert(filch_join_is_own(&lane, a));
    ck_assert_uint_eq(lane.holes, 0);
}
END_TEST

START_TEST(poison_makes_forks_and_joins_look_up)
{
    static filch_slot slots[8];
    filch_lane lane;
    filch_lane_init(&lane, slots, 8, 8);
    filch_slot *a = fork_one(&lane);
    ck_assert(!filch_fork_is_slow(&lane, lane.top));
    ck_assert(filch_join_is_own(&lane, a));
    filch_lane_poison(&lane);
    ck_assert(filch_fork_is_slow(&lane, lane.top));
    ck_assert(!filch_join_is_own(&lane, a));
    filch_lane_settle(&lane);
    ck_assert(!filch_fork_is_slow(&lane, lane.top));
}
END_TEST

START_TEST(a_lane_grows_into_memory_that_was_anything)
{
    enum { CLEAN = 2, COUNT = 300 };
    static filch_slot slots[COUNT + FILCH_LANE_SPARE];
    filch_lane lane;
    memset(slots + CLEAN, 0xff, sizeof slots - CLEAN * sizeof *slots);
    filch_lane_init(&lane, slots, CLEAN, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert(filch_fork_is_slow(&lane, lane.top) == ((uintptr_t)lane.top >= lane.full));
        filch_slot *slot = fork_one(&lane);
        ck_assert(filch_lane_grow(&lane, slot));
        ck_assert(!filch_slot_is_published(slot) && !filch_slot_is_done(slot));
    }
    ck_assert(filch_fork_is_slow(&lane, lane.top));
    ck_assert(!filch_lane_grow(&lane, lane.top));
    ck_assert_uint_eq(filch_lane_clean_slots(&lane, slots), COUNT);
    for (int i = 0; i < FILCH_LANE_RANGES; i++) { /* behind them there is room for loops */
        ck_assert(filch_lane_has_room(&lane, 0));
        filch_slot *slot = fork_one(&lane);
        ck_assert(!filch_slot_is_published(slot) && !filch_slot_is_done(slot));
        ck_assert(filch_fork_is_slow(&lane, lane.top));
    }
    ck_assert(!filch_lane_has_room(&lane, 0));
    filch_lane_init(&lane, slots, 0, COUNT);
    ck_assert(filch_lane_has_room(&lane, 0));
    ck_assert_ptr_eq(filch_lane_publish(&lane, &(struct filch_frame){.base = slots}), NULL);
    filch_slot *range = fork_one(&lane);
    ck_assert_ptr_eq(filch_lane_publish(&lane, &(struct filch_frame){.base = slots}), range);
    ck_assert(filch_lane_grow(&lane, fork_one(&lane)));
    ck_assert(filch_slot_is_published(range)); /* it stays what it was */
    filch_lane_poison(&lane);
    lane.top = slots;
    ck_assert(filch_lane_has_room(&lane, COUNT + FILCH_LANE_RANGES - 1));
    ck_assert(!filch_lane_has_room(&lane, COUNT + FILCH_LANE_RANGES));
    ck_assert(filch_lane_grow(&lane, slots) && filch_lane_is_asked(&lane)); /* the poison stays */
}
END_TEST

/* ---- offers ---- */

FILCH_FORK_FUNCTION(int, one_more, (int, n))
{
    return n + 1;
}

enum { HIDDEN, SEEN, INTERRUPTED };

/* Offer a child that none may take before `patience` ticks have passed, and look. */
FILCH_FORK_FUNCTION(int, offer_a_child, (uint64_t, patience))
{
    struct filch_fiber *fiber = filch_fiber_self();
    struct filch_core *core = filch_thread_known()->core;
    FILCH_FORK(child, one_more, 1);
    ck_assert(!filch_core_work_visible(fiber->pool)); /* it is latent */
    uint64_t due = filch_os_ticks() + patience;
    ck_assert(filch_core_offer_quietly(fiber, due));
    bool quiet = filch_core_is_quiet(core);
    bool seen = filch_core_late_offer(core) || filch_core_work_visible(fiber->pool);
    bool in_time = filch_os_ticks() < due;
    while (filch_os_ticks() < due) {
    }
    ck_assert(!filch_core_is_quiet(core));
    ck_assert(filch_core_late_offer(core) && filch_core_work_visible(fiber->pool));
    ck_assert_int_eq(FILCH_JOIN(child), 2);
    ck_assert(!filch_core_work_visible(fiber->pool));
    ck_assert(!in_time || quiet);
    return patience && !in_time ? INTERRUPTED : seen ? SEEN : HIDDEN;
}

START_TEST(a_quiet_offer_is_for_no_thread_before_its_time)
{
    filch_pool *pool = pool_opened(0);
    int found = INTERRUPTED;
    for (int i = 0; i < 1000 && found == INTERRUPTED; i++) {
        ck_assert_int_eq(offer_a_child_apply(pool, 1 << 19, &found), FILCH_OK);
    }
    ck_assert_int_eq(found, HIDDEN);
    ck_assert_int_eq(offer_a_child_apply(pool, 0, &found), FILCH_OK);
    ck_assert_int_eq(found, SEEN);
    pool_closed(pool);
}
END_TEST

FILCH_FORK_FUNCTION(int, offer_and_wait, (uint64_t, patience))
{
    struct filch_fiber *fiber = filch_fiber_self();
    FILCH_FORK(child, one_more, 1);
    ck_assert(filch_core_offer_quietly(fiber, filch_os_ticks() + patience));
    filch_core_serve_all(fiber); /* as every wait does first */
    bool visible = filch_core_work_visible(fiber->pool);
    ck_assert_int_eq(FILCH_JOIN(child), 2);
    return visible;
}

START_TEST(a_quiet_offer_is_open_to_all_when_its_owner_waits)
{
    filch_pool *pool = pool_opened(0);
    int visible;
    ck_assert_int_eq(offer_and_wait_apply(pool, 1 << 19, &visible), FILCH_OK);
    ck_assert(visible);
    pool_closed(pool);
}
END_TEST

enum { LATENT = 64 };

/* What it gives in the end. */
static int given_to_many(struct filch_fiber *fiber)
{
    const filch_slot *before = NULL;
    for (int i = 0; i < 5; i++) {
        before = fiber->lane.split;
        filch_core_serve(fiber);
    }
    return (int)(fiber->lane.split - before);
}

FILCH_FORK_FUNCTION(int, is_asked_again_and_again)
{
    struct filch_fiber *fiber = filch_fiber_self();
    one_more_handle children[LATENT];
    for (int i = 0; i < LATENT; i++) {
        FILCH_FORK_AT(children[i], one_more, i);
    }
    fiber->help = FILCH_HELP_ASK;
    fiber->more = 0;
    fiber->served = filch_os_ticks();
    int most = given_to_many(fiber);
    int left = (int)(fiber->lane.top - fiber->lane.split);
    for (int i = LATENT - 1; i >= 0; i--) {
        ck_assert_int_eq(FILCH_JOIN_AT(children[i]), i + 1);
    }
    return left > 0 ? most : -1;
}

START_TEST(what_is_asked_again_at_once_gives_more_and_never_all)
{
    filch_pool *pool = pool_opened(0);
    int most = 0;
    for (int i = 0; i < 1000 && most < 8; i++) { /* it may be interrupted in between */
        ck_assert_int_eq(is_asked_again_and_again_apply(pool, &most), FILCH_OK);
        ck_assert_int_ge(most, 0);
    }
    ck_assert_int_ge(most, 8);
    pool_closed(pool);
}
END_TEST

/* ---- processor count ---- */

static void put(const char *root, const char *path, const char *text)
{
    char full[512];
    char command[600];
    snprintf(full, sizeof full, "%s/%s", root, path);
    snprintf(command, sizeof command, "mkdir -p $(dirname %s)", full);
    ck_assert_int_eq(system(command), 0);
    FILE *file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static const struct cpu_case {
    const char *cgroup;      /* of /proc/self/cgroup */
    const char *files[3][2]; /* path, text */
    unsigned affinity;
    unsigned count;
    enum filch_cpu_reason reason;
} cpu_cases[] = {
    {"", {{0}}, 8, 8, FILCH_CPU_AFFINITY},
    {"", {{0}}, 0, 1, FILCH_CPU_AFFINITY},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "max 100000\n"}}, 8, 8, FILCH_CPU_AFFINITY},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "200000 100000\n"}}, 8, 2, FILCH_CPU_CGROUP_V2},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "150000 100000\n"}}, 8, 2, FILCH_CPU_CGROUP_V2},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "1000 100000\n"}}, 8, 1, FILCH_CPU_CGROUP_V2},
    {"0::/a/b\n",
     {{"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"}},
     8,
     3,
     FILCH_CPU_CGROUP_V2},
    {"0::/not/mounted/here\n",
     {{"sys/fs/cgroup/cpu.max", "100000 100000"}},
     8,
     1,
     FILCH_CPU_CGROUP_V2},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "900000 100000\n"}}, 8, 8, FILCH_CPU_AFFINITY},
    {"4:cpu,cpuacct:/job\n",
     {{"sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n"},
      {"sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n"}},
     8,
     3,
     FILCH_CPU_CGROUP_V1},
    {"3:memory:/job\n2:cpu:/job\n",
     {{"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n"}},
     4,
     4,
     FILCH_CPU_AFFINITY},
    {"5:cpuset:/job\n",
     {{"sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "1\n"},
      {"sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "1\n"}},
     4,
     4,
     FILCH_CPU_AFFINITY},
    {"garbage\n:::\n0:\n\n", {{"sys/fs/cgroup/cpu.max", "-5 x\n"}}, 4, 4, FILCH_CPU_AFFINITY},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "99999999999999999999 1\n"}}, 4, 4, FILCH_CPU_AFFINITY},
    {"0::/\n", {{"sys/fs/cgroup/cpu.max", "100000 0\n"}}, 4, 4, FILCH_CPU_AFFINITY},
};

START_TEST(quotas_of_both_kinds_of_cgroups_are_honoured)
{
    const struct cpu_case *c = &cpu_cases[_i];
    char root[] = "/tmp/filch-cpu-XXXXXX";
    char command[100];
    ck_assert_ptr_nonnull(mkdtemp(root));
    put(root, "proc/self/cgroup", c->cgroup);
    for (int i = 0; i < 3 && c->files[i][0]; i++) {
        put(root, c->files[i][0], c->files[i][1]);
    }
    struct filch_cpu cpu = filch_cpu_detect(root, c->affinity);
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
    ck_assert_uint_eq(cpu.count, c->count);
    ck_assert_int_eq(cpu.reason, c->reason);
}
END_TEST

/* ---- topology ---- */

static const struct places_case {
    unsigned n;
    unsigned numbers[8];
    int cores[8]; /* of each number: package * 100 + core; -1: the system does not tell */
    unsigned order[8];
} places_cases[] = {
    {4, {0, 1, 2, 3}, {-1, -1, -1, -1}, {0, 1, 2, 3}},
    {4, {0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}},
    {4, {0, 1, 2, 3}, {0, 1, 0, 1}, {0, 1, 2, 3}},                       /* siblings last */
    {4, {0, 1, 2, 3}, {0, 0, 1, 1}, {0, 2, 1, 3}},                       /* side by side */
    {4, {0, 1, 2, 3}, {0, 100, 1, 101}, {0, 2, 1, 3}},                   /* by package */
    {6, {0, 1, 2, 3, 4, 5}, {0, 0, 100, 100, 1, 1}, {0, 4, 2, 1, 5, 3}}, /* both */
    {3, {1, 4, 5}, {0, 0, 7}, {1, 5, 4}},                                /* a part of them */
    {8, {0, 1, 2, 3, 4, 5, 6, 7}, {0, 0, 0, 0, 1, 1, 1, 1}, {0, 4, 1, 5, 2, 6, 3, 7}},
};

static void describe_processor(const char *root, unsigned number, int core)
{
    char path[100];
    char text[20];
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%u/topology/%s", number,
             "physical_package_id");
    snprintf(text, sizeof text, "%d\n", core / 100);
    put(root, path, text);
    snprintf(path, sizeof path, "sys/devices/system/cpu/cpu%u/topology/%s", number, "core_id");
    snprintf(text, sizeof text, "%d\n", core % 100);
    put(root, path, text);
}

START_TEST(workers_share_no_core_while_another_is_free)
{
    const struct places_case *c = &places_cases[_i];
    char root[] = "/tmp/filch-topology-XXXXXX";
    char command[64];
    unsigned numbers[8];
    ck_assert_ptr_nonnull(mkdtemp(root));
    for (unsigned i = 0; i < c->n; i++) {
        numbers[i] = c->numbers[i];
        if (c->cores[i] >= 0) {
            describe_processor(root, c->numbers[i], c->cores[i]);
        }
    }
    struct filch_topology topology = {numbers, c->n};
    ck_assert(filch_topology_order(&topology, root));
    snprintf(command, sizeof command, "rm -r %s", root);
    ck_assert_int_eq(system(command), 0);
    for (unsigned i = 0; i < c->n; i++) {
        ck_assert_uint_eq(numbers[i], c->order[i]);
    }
}
END_TEST

static atomic_int moved;
static cpu_set_t allowed;

static int says_where_it_may_run(void *unused)
{
    (void)unused;
    await(&moved, 1);
    return sched_getaffinity(0, sizeof allowed, &allowed);
}

START_TEST(a_thread_that_is_moved_may_run_where_its_maker_may)
{
    thrd_t thread;
    cpu_set_t ours;
    ck_assert_int_eq(sched_getaffinity(0, sizeof ours, &ours), 0);
    for (int i = 0; i < 20; i++) {
        CPU_ZERO(&allowed);
        atomic_store(&moved, 0);
        ck_assert(filch_os_thread_create(&thread, says_where_it_may_run, NULL));
        filch_os_thread_move(thread);
        atomic_store(&moved, 1);
        filch_os_thread_join(thread);
        ck_assert(CPU_EQUAL(&ours, &allowed));
    }
}
END_TEST

static int binds_itself(void *gate)
{
    filch_os_bind((unsigned)(filch_os_processor() >= 0 ? filch_os_processor() : 0));
    atomic_store((atomic_int *)gate, 1);
    await(gate, 2);
    return sched_getaffinity(0, sizeof allowed, &allowed);
}

/* One that is moved may run where its maker may; one that was not stays where it was bound. */
static cpu_set_t where_it_may_run_if(bool has_begun)
{
    static struct filch_pool pool;
    static struct filch_thread record;
    thrd_t thread;
    atomic_int gate = 0;
    ck_assert(filch_os_thread_create(&thread, binds_itself, &gate));
    await(&gate, 1);
    pool.threads = &thread;
    atomic_store(&pool.thread_count, 1);
    atomic_store(&pool.starting, &record);
    if (has_begun) {
        filch_pool_thread_begins(&pool, &record);
    }
    filch_pool_move_starting(&pool);
    ck_assert_ptr_null(atomic_load(&pool.starting));
    atomic_store(&gate, 2);
    filch_os_thread_join(thread);
    return allowed;
}

START_TEST(a_thread_is_moved_until_it_has_begun)
{
    cpu_set_t ours;
    ck_assert_int_eq(sched_getaffinity(0, sizeof ours, &ours), 0);
    cpu_set_t starting = where_it_may_run_if(false);
    cpu_set_t begun = where_it_may_run_if(true);
    ck_assert(CPU_EQUAL(&starting, &ours));
    ck_assert_int_eq(CPU_COUNT(&begun), filch_os_processor() >= 0 ? 1 : CPU_COUNT(&ours));
}
END_TEST

FILCH_LOOP(takes_ticks, (size_t, i), (uint64_t, ticks))
{
    (void)i;
    for (uint64_t began = filch_os_ticks(); filch_os_ticks() - began < ticks;) {
    }
}

START_TEST(a_long_loop_does_not_leave_a_new_thread_where_it_is)
{
    static struct filch_thread record;
    filch_pool *pool = pool_opened(1);
    ck_assert_int_eq(takes_ticks_for(pool, 2, FILCH_GRAIN_ALONE), FILCH_OK);
    ck_assert_uint_gt(atomic_load(&pool->thread_count), 0);
    atomic_store(&pool->starting, &record);
    ck_assert_int_eq(takes_ticks_for(pool, 64, FILCH_GRAIN_ALONE), FILCH_OK);
    ck_assert_ptr_ne(atomic_load(&pool->starting), &record);
    pool_closed(pool);
}
END_TEST

START_TEST(all_processors_have_a_place)
{
    struct filch_topology topology;
    ck_assert(filch_topology_find(&topology, ""));
    ck_assert(topology.count == 0 || topology.count == filch_os_affinity_count());
    for (unsigned i = 0; i < topology.count; i++) {
        for (unsigned k = 0; k < i; k++) {
            ck_assert_uint_ne(topology.numbers[i], topology.numbers[k]);
        }
    }
    filch_topology_forget(&topology);
}
END_TEST

/* Also where that of malloc() is aligned to less. */
START_TEST(memory_is_aligned_to_sixteen)
{
    for (size_t bytes = 1; bytes < 200; bytes++) {
        void *got[] = {filch_malloc(bytes), filch_calloc(1, bytes), filch_alloc_at(bytes, 16, 0)};
        for (int i = 0; i < 3; i++) {
            ck_assert_ptr_nonnull(got[i]);
            check_int_eq((int)((uintptr_t)got[i] % 16), 0);
            filch_free(got[i]);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mechanisms");
    TCase *tcase = tcase_create("mechanisms");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, memory_is_aligned_to_sixteen);
    tcase_add_test(tcase, a_lock_excludes);
    tcase_add_test(tcase, a_queue_is_first_in_first_out);
    tcase_add_test(tcase, what_is_next_in_a_queue_can_be_taken_out);
    tcase_add_test(tcase, a_turn_of_a_queue_pushes_and_pops);
    tcase_add_test(tcase, timers_fire_in_order_and_only_when_due);
    tcase_add_test(tcase, closed_timers_fire_at_once);
    tcase_add_test(tcase, a_site_is_known_to_be_short_after_three_short_calls);
    tcase_add_test(tcase, a_thread_is_called_for_many_loops_at_short_distance);
    tcase_add_test(tcase, a_site_is_given_up_to_another_place);
    tcase_add_test(tcase, a_call_wakes_a_thread_if_it_is_longer_than_that_takes_to_come);
    tcase_add_test(tcase, how_long_it_takes_is_looked_at_again_now_and_then);
    tcase_add_test(tcase, a_block_grows_while_it_is_short_and_shrinks_when_it_is_long);
    tcase_add_test(tcase, stacks_are_reused_and_have_room_where_they_say);
    tcase_add_test(tcase, a_shelf_keeps_few_stacks_and_none_is_lost);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    tcase_add_test(tcase, a_switch_keeps_registers_and_the_rounding_mode);
#if defined(__x86_64__)
    tcase_add_test(tcase, a_switch_keeps_the_old_units_rounding_mode_alone);
#endif
#endif
    tcase_add_test(tcase, no_wake_up_is_lost);
    tcase_add_test(tcase, a_parker_waits_until_its_deadline);
    tcase_add_test(tcase,
                   a_thread_that_is_woken_is_kept_off_its_wakers_processor_until_it_is_awake);
    tcase_add_test(tcase, however_many_wake_a_thread_it_may_use_all_processors_again);
    tcase_add_test(tcase, a_waiter_is_fired_once_and_woken_only_if_armed);
    tcase_add_test(tcase, a_claimed_waiter_stays_until_it_is_told);
    tcase_add_test(tcase, who_is_claimed_and_told_before_it_is_armed_does_not_sleep);
    tcase_add_test(tcase, scopes_are_cancelled_to_any_depth_and_no_further);
    tcase_add_test(tcase, a_tree_of_scopes_is_cancelled_below_one);
    tcase_add_test(tcase, a_cell_wakes_all_who_stay_and_refuses_late_ones);
    tcase_add_test(tcase, a_latch_opens_for_one_waiter_before_or_after);
    tcase_add_test(tcase, a_lane_publishes_oldest_first_and_takes_back);
    tcase_add_test(tcase, top_falls_past_slots_joined_out_of_order);
    tcase_add_test(tcase, poison_makes_forks_and_joins_look_up);
    tcase_add_test(tcase, a_lane_grows_into_memory_that_was_anything);
    tcase_add_test(tcase, a_quiet_offer_is_for_no_thread_before_its_time);
    tcase_add_test(tcase, a_quiet_offer_is_open_to_all_when_its_owner_waits);
    tcase_add_test(tcase, what_is_asked_again_at_once_gives_more_and_never_all);
    tcase_add_loop_test(tcase, quotas_of_both_kinds_of_cgroups_are_honoured, 0,
                        (int)(sizeof cpu_cases / sizeof *cpu_cases));
    tcase_add_loop_test(tcase, workers_share_no_core_while_another_is_free, 0,
                        (int)(sizeof places_cases / sizeof *places_cases));
    tcase_add_test(tcase, a_thread_that_is_moved_may_run_where_its_maker_may);
    tcase_add_test(tcase, a_thread_is_moved_until_it_has_begun);
    tcase_add_test(tcase, a_long_loop_does_not_leave_a_new_thread_where_it_is);
    tcase_add_test(tcase, all_processors_have_a_place);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
