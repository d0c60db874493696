/* Channels and select: between tasks, and between tasks and threads. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "os/os.h"
#include "sched/pool.h"
#include "sync/channel.h"
#include "sync/linger.h"

FILCH_CHANNEL(numbers, int);

static atomic_int wrong;

static const size_t capacities[] = {0, 1, 7, FILCH_UNBOUNDED};
enum { CAPACITIES = 4 };

static numbers channel_of(size_t capacity)
{
    numbers made;
    ck_assert_int_eq(numbers_new(capacity, &made), FILCH_OK);
    return made;
}

FILCH_FUNCTION(void, counts_up, (numbers, out), (int, first), (int, n))
{
    for (int i = 0; i < n; i++) {
        wrong += numbers_send(out, first + i) != FILCH_OK;
    }
}

/* How many came, or -1: not in order. */
FILCH_FUNCTION(int, sees_rising, (numbers, in))
{
    int n = 0;
    int last = -1;
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        if (value <= last) {
            return -1;
        }
        last = value;
        n++;
    }
    return n;
}

START_TEST(values_arrive_in_order)
{
    filch_pool *pool = pool_opened(_i);
    atomic_store(&wrong, 0);
    for (int c = 0; c < CAPACITIES; c++) {
        numbers box = channel_of(capacities[c]);
        filch_future *consumer;
        int seen = 0;
        ck_assert_int_eq(sees_rising_apply_async(pool, box, &consumer), FILCH_OK);
        ck_assert_int_eq(counts_up_apply(pool, box, 0, 3000), FILCH_OK);
        ck_assert_int_eq(numbers_close(box), FILCH_OK);
        ck_assert_int_eq(sees_rising_get(consumer, &seen), FILCH_OK);
        ck_assert_int_eq(seen, 3000);
        filch_future_free(consumer);
        numbers_free(box);
    }
    ck_assert_int_eq(wrong, 0);
    pool_closed(pool);
}
END_TEST

enum { PRODUCERS = 5, EACH = 400, CONSUMERS = 4 };

static atomic_int times_seen[PRODUCERS * EACH];

/* Every value once, and of each producer in order. */
FILCH_FUNCTION(void, ticks_off, (numbers, in))
{
    int last[PRODUCERS];
    int value;
    memset(last, -1, sizeof last);
    while (numbers_receive(in, &value) == FILCH_OK) {
        atomic_fetch_add(&times_seen[value], 1);
        wrong += value <= last[value / EACH];
        last[value / EACH] = value;
    }
}

static int thread_ticks_off(void *in)
{
    ticks_off(*(numbers *)in);
    return 0;
}

static void start_traffic(filch_pool *pool, numbers box, filch_future *futures[])
{
    for (int i = 0; i < CONSUMERS; i++) {
        ck_assert_int_eq(ticks_off_apply_async(pool, box, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        ck_assert_int_eq(counts_up_apply_async(pool, box, i * EACH, EACH, &futures[CONSUMERS + i]),
                         FILCH_OK);
    }
}

static void every_value_was_seen_once(void)
{
    for (int i = 0; i < PRODUCERS * EACH; i++) {
        ck_assert_int_eq(atomic_exchange(&times_seen[i], 0), 1);
    }
    ck_assert_int_eq(wrong, 0);
}

START_TEST(many_send_and_many_receive)
{
    filch_pool *pool = pool_opened(_i);
    atomic_store(&wrong, 0);
    for (int c = 0; c < CAPACITIES; c++) {
        numbers box = channel_of(capacities[c]);
        filch_future *futures[CONSUMERS + PRODUCERS];
        thrd_t thread;
        ck_assert_int_eq(thrd_create(&thread, thread_ticks_off, &box), thrd_success);
        start_traffic(pool, box, futures);
        for (int i = CONSUMERS; i < CONSUMERS + PRODUCERS; i++) {
            ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        }
        ck_assert_int_eq(numbers_close(box), FILCH_OK);
        thrd_join(thread, NULL);
        for (int i = 0; i < CONSUMERS + PRODUCERS; i++) {
            ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
            filch_future_free(futures[i]);
        }
        every_value_was_seen_once();
        numbers_free(box);
    }
    pool_closed(pool);
}
END_TEST

static atomic_int waiting;

FILCH_FUNCTION(int, receives_one, (numbers, in))
{
    int value = -1;
    atomic_fetch_add(&waiting, 1);
    return numbers_receive(in, &value) == FILCH_OK ? value : -1;
}

static size_t receivers_in_line(filch_channel *channel)
{
    size_t count = 0;
    filch_channel_lock(channel);
    for (struct filch_wait_node *one = channel->receivers.first; one; one = one->next) {
        count++;
    }
    filch_lock_release(&channel->lock);
    return count;
}

START_TEST(receivers_are_served_in_the_order_in_which_they_came)
{
    filch_pool *pool = pool_opened(_i);
    numbers box = channel_of(0);
    filch_future *futures[8];
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(receives_one_apply_async(pool, box, &futures[i]), FILCH_OK);
        while (receivers_in_line(box.untyped) <= (size_t)i) {
            filch_sleep(1e-4);
        }
    }
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(numbers_send(box, i), FILCH_OK);
    }
    for (int i = 0; i < 8; i++) {
        int value;
        ck_assert_int_eq(receives_one_get(futures[i], &value), FILCH_OK);
        ck_assert_int_eq(value, i);
        filch_future_free(futures[i]);
    }
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, sends_one, (numbers, out), (int, value))
{
    return (int)numbers_send(out, value);
}

START_TEST(a_closed_channel_gives_what_it_has_and_ends_waits)
{
    filch_pool *pool = pool_opened(_i);
    numbers box = channel_of(2);
    filch_future *sender;
    int value = 0;
    int answer = 0;
    ck_assert_int_eq(numbers_send(box, 1), FILCH_OK);
    ck_assert_int_eq(numbers_send(box, 2), FILCH_OK);
    ck_assert_int_eq(sends_one_apply_async(pool, box, 3, &sender), FILCH_OK);
    filch_sleep(0.01); /* it waits for room now */
    ck_assert_int_eq(numbers_close(box), FILCH_OK);
    ck_assert_int_eq(numbers_close(box), FILCH_EALREADY);
    ck_assert_int_eq(sends_one_get(sender, &answer), FILCH_OK);
    ck_assert_int_eq(answer, FILCH_ECLOSED);
    ck_assert_int_eq(numbers_send(box, 4), FILCH_ECLOSED);
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
    ck_assert_int_eq(value, 2);
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_END);
    filch_future_free(sender);
    numbers_free(box);

    numbers empty = channel_of(0);
    filch_future *receiver;
    ck_assert_int_eq(sees_rising_apply_async(pool, empty, &receiver), FILCH_OK);
    filch_sleep(0.01);
    ck_assert_int_eq(numbers_close(empty), FILCH_OK);
    ck_assert_int_eq(sees_rising_get(receiver, &answer), FILCH_OK);
    ck_assert_int_eq(answer, 0);
    filch_future_free(receiver);
    numbers_free(empty);
    pool_closed(pool);
}
END_TEST

START_TEST(an_unbounded_channel_grows_and_keeps_the_order)
{
    numbers box = channel_of(FILCH_UNBOUNDED);
    int value = 0;
    int next = 0;
    int sent = 0;
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < round; i++) {
            ck_assert_int_eq(numbers_send(box, sent++), FILCH_OK);
        }
        for (int i = 0; i < round / 2; i++) { /* so that the oldest is somewhere in the middle */
            ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
            ck_assert_int_eq(value, next++);
        }
    }
    ck_assert_uint_eq(numbers_count(box), (size_t)(sent - next));
    while (next < sent) {
        ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
        ck_assert_int_eq(value, next++);
    }
    ck_assert_int_eq(numbers_receive_until(box, &value, filch_in(0)), FILCH_ETIMEDOUT);
    numbers_free(box);
}
END_TEST

START_TEST(without_memory_an_unbounded_channel_loses_nothing)
{
    numbers box = channel_of(FILCH_UNBOUNDED);
    int value = 0;
    for (int i = 0; i < 16; i++) {
        ck_assert_int_eq(numbers_send(box, i), FILCH_OK);
    }
    fail_call(1);
    ck_assert_int_eq(numbers_send(box, 16), FILCH_ENOMEM);
    fail_call(0);
    ck_assert_int_eq(numbers_send(box, 16), FILCH_OK);
    for (int i = 0; i <= 16; i++) {
        ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
        ck_assert_int_eq(value, i);
    }
    numbers_free(box);
    fail_call(1);
    ck_assert_int_eq(numbers_new(5, &box), FILCH_ENOMEM);
    fail_call(2);
    ck_assert_int_eq(numbers_new(5, &box), FILCH_ENOMEM);
    fail_call(0);
    ck_assert_ptr_null(box.untyped);
}
END_TEST

START_TEST(channels_know_bad_arguments_and_time)
{
    filch_channel *channel = NULL;
    int value = 5;
    ck_assert_int_eq(filch_channel_new(0, 1, &channel), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_new(4, 1, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_new(4, SIZE_MAX / 2, &channel), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_channel_new(SIZE_MAX, 1, &channel), FILCH_EOVERFLOW);
    ck_assert_int_eq(filch_channel_send(NULL, &value), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_receive(NULL, &value), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_close(NULL), FILCH_EINVAL);
    ck_assert_uint_eq(filch_channel_count(NULL), 0);
    filch_channel_free(NULL);
    ck_assert_int_eq(filch_channel_new(sizeof value, 1, &channel), FILCH_OK);
    ck_assert_int_eq(filch_channel_send(channel, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_receive(channel, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_channel_receive_until(channel, &value, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_channel_receive_until(channel, &value, filch_at((double)NAN)),
                     FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_channel_receive_until(channel, &value, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_channel_send_until(channel, &value, filch_in(0)),
                     FILCH_OK); /* there is room */
    ck_assert_int_eq(filch_channel_send_until(channel, &value, filch_in(0.01)), FILCH_ETIMEDOUT);
    ck_assert_uint_eq(filch_channel_count(channel), 1);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_send(channel, NULL, NULL)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_receive(channel, NULL, NULL)),
                     -FILCH_EINVAL);
    filch_channel_free(channel);
}
END_TEST

START_TEST(a_select_does_what_can_be_done)
{
    numbers a = channel_of(1);
    numbers b = channel_of(1);
    int in = 0;
    const int out = 7;
    filch_status sent = FILCH_EPENDING;
    filch_status received = FILCH_EPENDING;
    filch_case cases[] = {numbers_receiving(a, &in, &received), numbers_sending(b, &out, &sent)};
    /* there is room in b, and nothing in a */
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), NULL), 1);
    ck_assert_int_eq(sent, FILCH_OK);
    ck_assert_int_eq(filch_first(cases, 2, filch_in(0), NULL), -FILCH_ETIMEDOUT);
    ck_assert_int_eq(numbers_send(a, 3), FILCH_OK);
    ck_assert_int_eq(filch_first(cases, 2, filch_in(0), NULL), 0);
    ck_assert_int_eq(received, FILCH_OK);
    ck_assert_int_eq(in, 3);
    ck_assert_int_eq(numbers_close(a), FILCH_OK);
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), NULL), 0);
    ck_assert_int_eq(received, FILCH_END);
    cases[0] = filch_none(); /* from now on */
    ck_assert_int_eq(filch_first(cases, 2, filch_in(0.01), NULL), -FILCH_ETIMEDOUT);
    ck_assert_int_eq(numbers_close(b), FILCH_OK);
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), NULL), 1);
    ck_assert_int_eq(sent, FILCH_ECLOSED);
    numbers_free(a);
    numbers_free(b);
}
END_TEST

START_TEST(a_select_prefers_no_case)
{
    numbers boxes[3] = {channel_of(1), channel_of(1), channel_of(1)};
    int times[3] = {0};
    int in;
    for (int i = 0; i < 600; i++) {
        filch_case cases[3];
        for (int k = 0; k < 3; k++) {
            any_status(numbers_send_until(boxes[k], k, filch_in(0))); /* it may be full */
            cases[k] = numbers_receiving(boxes[k], &in, NULL);
        }
        int chosen = filch_first(cases, 3, filch_in(0), NULL);
        ck_assert_int_ge(chosen, 0);
        ck_assert_int_eq(in, chosen);
        times[chosen]++;
    }
    for (int k = 0; k < 3; k++) {
        ck_assert_int_gt(times[k], 60);
        numbers_free(boxes[k]);
    }
}
END_TEST

START_TEST(a_select_does_not_meet_itself)
{
    numbers box = channel_of(0);
    int in = 0;
    const int out = 1;
    ck_assert_int_eq(FILCH_FIRST(filch_in(0.01), numbers_receiving(box, &in, NULL),
                                 numbers_sending(box, &out, NULL),
                                 numbers_receiving(box, &in, NULL)),
                     -FILCH_ETIMEDOUT);
    ck_assert_int_eq(in, 0);
    numbers_free(box);
}
END_TEST

/* All tasks select: values go through any of three channels, and half of the tries time out. */
struct market {
    numbers stalls[3];
    numbers over; /* closed when all has been sent */
};

static filch_deadline soon(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    unsigned kind = *seed >> 16 & 3;
    return filch_in(kind == 0 ? 0 : kind == 1 ? 1e-6 : 1e-3);
}

FILCH_FUNCTION(void, sells, (struct market *, market), (int, first), (int, n))
{
    unsigned seed = (unsigned)first;
    for (int i = first; i < first + n;) {
        filch_case cases[3];
        filch_status sent = FILCH_EPENDING;
        for (int k = 0; k < 3; k++) {
            cases[k] = numbers_sending(market->stalls[k], &i, &sent);
        }
        int chosen = filch_first(cases, 3, soon(&seed), NULL);
        wrong += chosen < 0 ? chosen != -FILCH_ETIMEDOUT : sent != FILCH_OK;
        i += chosen >= 0;
        if (chosen < 0) {
            filch_yield();
        }
    }
}

FILCH_FUNCTION(void, buys, (struct market *, market), (int, number))
{
    unsigned seed = (unsigned)number + 77;
    int value = 0;
    int nothing;
    for (;;) {
        filch_case cases[4];
        filch_status status = FILCH_EPENDING;
        for (int k = 0; k < 3; k++) {
            cases[k] = numbers_receiving(market->stalls[k], &value, &status);
        }
        cases[3] = numbers_receiving(market->over, &nothing, &status);
        int chosen = filch_first(cases, 4, soon(&seed), NULL);
        if (chosen >= 0 && status == FILCH_OK) {
            atomic_fetch_add(&times_seen[value], 1);
        } else if (chosen >= 0) {
            wrong += chosen != 3 || status != FILCH_END;
            return;
        } else {
            wrong += chosen != -FILCH_ETIMEDOUT;
            filch_yield();
        }
    }
}

START_TEST(selects_lose_and_double_nothing)
{
    filch_pool *pool = pool_opened(_i);
    struct market market = {{channel_of(0), channel_of(1), channel_of(0)}, channel_of(0)};
    filch_future *futures[CONSUMERS + PRODUCERS];
    atomic_store(&wrong, 0);
    for (int i = 0; i < CONSUMERS; i++) {
        ck_assert_int_eq(buys_apply_async(pool, &market, i, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        ck_assert_int_eq(sells_apply_async(pool, &market, i * EACH, EACH, &futures[CONSUMERS + i]),
                         FILCH_OK);
    }
    for (int i = CONSUMERS; i < CONSUMERS + PRODUCERS; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
    }
    int last;
    while (numbers_receive_until(market.stalls[1], &last, filch_in(0)) == FILCH_OK) {
        atomic_fetch_add(&times_seen[last], 1);
    }
    ck_assert_int_eq(numbers_close(market.over), FILCH_OK);
    for (int i = 0; i < CONSUMERS + PRODUCERS; i++) {
        ck_assert_int_eq(filch_future_wait(futures[i]), FILCH_OK);
        filch_future_free(futures[i]);
    }
    every_value_was_seen_once();
    for (int k = 0; k < 3; k++) {
        numbers_free(market.stalls[k]);
    }
    numbers_free(market.over);
    pool_closed(pool);
}
END_TEST

struct three {
    numbers first;
    numbers second;
    numbers third;
    atomic_int step;
};

FILCH_FUNCTION(int, chooses_twice, (struct three *, three))
{
    int value = 0;
    filch_case cases[3] = {numbers_receiving(three->second, &value, NULL),
                           numbers_receiving(three->first, &value, NULL),
                           numbers_sending(three->first, &value, NULL)};
    wrong += filch_first(cases, 3, filch_never(), NULL) != 1 || value != 1;
    cases[0] = numbers_receiving(three->third, &value, NULL); /* waits where it has before */
    atomic_store(&three->step, 1);
    wrong += filch_first(cases, 1, filch_never(), NULL) != 0;
    return value;
}

START_TEST(a_select_that_was_served_stands_in_no_other_line)
{
    filch_pool *pool = pool_opened(_i);
    struct three three = {.first = channel_of(0), .second = channel_of(0), .third = channel_of(0)};
    filch_future *future;
    int value = 0;
    atomic_store(&wrong, 0);
    ck_assert_int_eq(chooses_twice_apply_async(pool, &three, &future), FILCH_OK);
    ck_assert_int_eq(numbers_send(three.first, 1), FILCH_OK);
    await(&three.step, 1);
    while (filch_pool_running(pool) > 0) {
        filch_yield(); /* until it waits */
    }
    ck_assert_int_eq(numbers_send_until(three.second, 2, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(numbers_send_until(three.first, 2, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(numbers_receive_until(three.first, &value, filch_in(0)), FILCH_ETIMEDOUT);
    ck_assert_int_eq(numbers_send(three.third, 3), FILCH_OK);
    ck_assert_int_eq(chooses_twice_get(future, &value), FILCH_OK);
    ck_assert_int_eq(value, 3);
    ck_assert_int_eq(wrong, 0);
    filch_future_free(future);
    numbers_free(three.first);
    numbers_free(three.second);
    numbers_free(three.third);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(void, waits_for_a_value, (numbers, in), (filch_status *, answer))
{
    int value;
    atomic_fetch_add(&waiting, 1);
    *answer = numbers_receive(in, &value);
}

START_TEST(cancelling_ends_waits_on_channels)
{
    filch_pool *pool = pool_opened(_i);
    numbers box = channel_of(0);
    filch_status status;
    filch_status answers[2] = {FILCH_OK, FILCH_OK};
    atomic_store(&waiting, 0);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        check_int_eq(waits_for_a_value_spawn(group, box, &answers[0]), FILCH_OK);
        check_int_eq(waits_for_a_value_spawn(group, box, &answers[1]), FILCH_OK);
        while (atomic_load(&waiting) < 2) {
            filch_sleep(1e-3);
        }
        filch_group_cancel(group);
    }
    ck_assert_int_eq(answers[0], FILCH_ECANCELED);
    ck_assert_int_eq(answers[1], FILCH_ECANCELED);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

/* ---- where a task goes on that was woken ---- */

enum { ERRANDS = 200 };

static atomic_int done_so_far;

/* Without a wait for them, which could run them on this thread. */
static void all_ended(filch_future *futures[], int n)
{
    for (int i = 0; i < n; i++) {
        while (!filch_future_ready(futures[i])) {
            filch_sleep(1e-3);
        }
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(wrong, 0);
}

FILCH_FUNCTION(void, does_as_told, (numbers, in))
{
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        atomic_store(&done_so_far, value);
    }
}

/* After each errand it computes, without a wait, until that is done. */
FILCH_FUNCTION(void, tells_and_goes_on, (numbers, out))
{
    for (int i = 1; i <= ERRANDS; i++) {
        wrong += numbers_send(out, i) != FILCH_OK;
        while (atomic_load(&done_so_far) < i) {
        }
    }
    wrong += numbers_close(out) != FILCH_OK;
}

START_TEST(one_that_is_woken_does_not_wait_for_a_task_that_goes_on)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 2});
    for (int c = 0; c < CAPACITIES; c++) {
        filch_future *futures[2];
        numbers box = channel_of(capacities[c]);
        atomic_store(&wrong, 0);
        atomic_store(&done_so_far, 0);
        ck_assert_int_eq(does_as_told_apply_async(pool, box, &futures[0]), FILCH_OK);
        ck_assert_int_eq(tells_and_goes_on_apply_async(pool, box, &futures[1]), FILCH_OK);
        all_ended(futures, 2);
        ck_assert_int_eq(done_so_far, ERRANDS);
        numbers_free(box);
    }
    pool_closed(pool);
}
END_TEST

static atomic_bool is_over;

/* Until it is over; then 0 goes round, once. */
FILCH_FUNCTION(void, hands_back, (numbers, in), (numbers, out))
{
    int value = 1;
    while (value) {
        wrong += numbers_receive(in, &value) != FILCH_OK;
        wrong += numbers_send(out, value) != FILCH_OK;
    }
}

FILCH_FUNCTION(void, talks_on, (numbers, gate), (numbers, out), (numbers, in))
{
    int value = 1;
    wrong += numbers_send(gate, 1) != FILCH_OK;
    while (value) {
        value = !atomic_load(&is_over);
        wrong += numbers_send(out, value) != FILCH_OK;
        wrong += numbers_receive(in, &value) != FILCH_OK;
    }
}

/* When it is awake the two talk already; it gives up its turn, and must get another one. */
FILCH_FUNCTION(void, ends_the_talk, (numbers, gate))
{
    int value;
    wrong += numbers_receive(gate, &value) != FILCH_OK;
    filch_yield();
    atomic_store(&is_over, true);
}

START_TEST(two_that_talk_leave_turns_to_others)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    numbers boxes[3] = {channel_of(0), channel_of(0), channel_of(0)};
    filch_future *futures[3];
    atomic_store(&wrong, 0);
    atomic_store(&is_over, false);
    ck_assert_int_eq(ends_the_talk_apply_async(pool, boxes[0], &futures[0]), FILCH_OK);
    ck_assert_int_eq(hands_back_apply_async(pool, boxes[1], boxes[2], &futures[1]), FILCH_OK);
    ck_assert_int_eq(talks_on_apply_async(pool, boxes[0], boxes[1], boxes[2], &futures[2]),
                     FILCH_OK);
    all_ended(futures, 3);
    for (int i = 0; i < 3; i++) {
        numbers_free(boxes[i]);
    }
    pool_closed(pool);
}
END_TEST

enum { BATCH = 100, BATCHES = 20 };

static atomic_int turns;
static atomic_int last_turn;

static void note_turn(int who)
{
    if (atomic_exchange(&last_turn, who) != who) {
        atomic_fetch_add(&turns, 1);
    }
}

FILCH_FUNCTION(void, fills, (numbers, out))
{
    for (int i = 0; i < BATCH * BATCHES; i++) {
        note_turn(1);
        wrong += numbers_send(out, i) != FILCH_OK;
    }
    wrong += numbers_close(out) != FILCH_OK;
}

FILCH_FUNCTION(void, empties, (numbers, in))
{
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        note_turn(2);
    }
}

START_TEST(a_buffer_is_filled_and_emptied_in_one_turn)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
    numbers box = channel_of(BATCH);
    filch_future *futures[2];
    atomic_store(&wrong, 0);
    atomic_store(&turns, 0);
    ck_assert_int_eq(empties_apply_async(pool, box, &futures[0]), FILCH_OK);
    ck_assert_int_eq(fills_apply_async(pool, box, &futures[1]), FILCH_OK);
    all_ended(futures, 2);
    ck_assert_int_le(turns, 2 * BATCHES + 4);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

enum { TALKERS = 4, WORDS = 2000 };

/* A pair that talks, as often as it is told to. */
FILCH_FUNCTION(void, speaks, (numbers, out), (numbers, in))
{
    int value = 0;
    for (int i = 0; i < WORDS; i++) {
        wrong += numbers_send(out, i) != FILCH_OK;
        wrong += numbers_receive(in, &value) != FILCH_OK || value != i;
    }
}

FILCH_FUNCTION(void, echoes, (numbers, in), (numbers, out))
{
    int value = 0;
    for (int i = 0; i < WORDS; i++) {
        wrong += numbers_receive(in, &value) != FILCH_OK;
        wrong += numbers_send(out, value) != FILCH_OK;
    }
}

static void start_pair(filch_pool *pool, numbers boxes[], filch_future *futures[])
{
    ck_assert_int_eq(echoes_apply_async(pool, boxes[0], boxes[1], &futures[0]), FILCH_OK);
    ck_assert_int_eq(speaks_apply_async(pool, boxes[0], boxes[1], &futures[1]), FILCH_OK);
}

START_TEST(pairs_that_talk_lose_and_double_nothing)
{
    filch_pool *pool = pool_opened(_i);
    numbers boxes[2 * TALKERS];
    filch_future *futures[2 * TALKERS];
    atomic_store(&wrong, 0);
    for (int i = 0; i < 2 * TALKERS; i++) {
        boxes[i] = channel_of(capacities[(i / 2) % CAPACITIES]);
    }
    for (int i = 0; i < TALKERS; i++) {
        start_pair(pool, &boxes[(size_t)2 * (size_t)i], &futures[(size_t)2 * (size_t)i]);
    }
    all_ended(futures, 2 * TALKERS);
    for (int i = 0; i < 2 * TALKERS; i++) {
        numbers_free(boxes[i]);
    }
    pool_closed(pool);
}
END_TEST

/* ---- a program's thread ---- */

static bool lingers_well(numbers box, bool sends)
{
    return filch_channel_linger(box.untyped, sends, FILCH_OS_NEVER);
}

FILCH_FUNCTION(bool, can_linger, (numbers, box))
{
    return filch_channel_can_linger(box.untyped);
}

START_TEST(a_thread_tries_again_when_there_is_plenty)
{
    enum { ROOM = 4 };
    numbers box = channel_of(ROOM);
    int value = 0;
    ck_assert(!lingers_well(box, false));
    for (int i = 0; i < ROOM; i++) {
        ck_assert_int_eq(numbers_send(box, i), FILCH_OK);
    }
    ck_assert(!lingers_well(box, true));
    ck_assert(lingers_well(box, false));
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
    ck_assert(!lingers_well(box, true)); /* there is room, but only for one */
    ck_assert_int_eq(numbers_receive(box, &value), FILCH_OK);
    ck_assert(lingers_well(box, true));
    ck_assert(!filch_channel_linger(box.untyped, true, 1)); /* the deadline is over */
    ck_assert_int_eq(numbers_send(box, 0), FILCH_OK);
    ck_assert_int_eq(numbers_close(box), FILCH_OK);
    ck_assert(lingers_well(box, true)); /* the next try says so */
    numbers_free(box);
}
END_TEST

START_TEST(one_that_is_a_task_or_is_to_meet_another_stands_in_line_at_once)
{
    filch_pool *pool = pool_opened(_i);
    numbers box = channel_of(1);
    numbers unbuffered = channel_of(0);
    filch_future *future;
    bool can = true;
    ck_assert(filch_channel_can_linger(box.untyped));
    ck_assert(!filch_channel_can_linger(unbuffered.untyped));
    ck_assert_int_eq(can_linger_apply_async(pool, box, &future), FILCH_OK);
    ck_assert_int_eq(can_linger_get(future, &can), FILCH_OK);
    ck_assert(!can);
    filch_future_free(future);
    numbers_free(unbuffered);
    numbers_free(box);
    pool_closed(pool);
}
END_TEST

static int counts_up_outside(void *box)
{
    for (int i = 0; i < 3000; i++) {
        wrong += numbers_send(*(numbers *)box, i) != FILCH_OK;
    }
    return (int)numbers_close(*(numbers *)box);
}

FILCH_FUNCTION(void, passes_on, (numbers, in), (numbers, out))
{
    int value;
    while (numbers_receive(in, &value) == FILCH_OK) {
        wrong += numbers_send(out, value) != FILCH_OK;
    }
    wrong += numbers_close(out) != FILCH_OK;
}

START_TEST(what_threads_send_through_a_task_arrives_in_order)
{
    filch_pool *pool = pool_opened(_i);
    atomic_store(&wrong, 0);
    for (int c = 0; c < CAPACITIES; c++) {
        numbers boxes[2] = {channel_of(capacities[c]), channel_of(capacities[c])};
        filch_future *passes;
        thrd_t sender;
        int closed = FILCH_EINVAL;
        int value = 0;
        ck_assert_int_eq(passes_on_apply_async(pool, boxes[0], boxes[1], &passes), FILCH_OK);
        ck_assert_int_eq(thrd_create(&sender, counts_up_outside, &boxes[0]), thrd_success);
        for (int i = 0; i < 3000; i++) {
            ck_assert_int_eq(numbers_receive(boxes[1], &value), FILCH_OK);
            ck_assert_int_eq(value, i);
        }
        ck_assert_int_eq(numbers_receive(boxes[1], &value), FILCH_END);
        ck_assert_int_eq(thrd_join(sender, &closed), thrd_success);
        ck_assert_int_eq(closed, FILCH_OK);
        all_ended(&passes, 1);
        numbers_free(boxes[0]);
        numbers_free(boxes[1]);
    }
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("channel");
    TCase *tcase = tcase_create("channel");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, values_arrive_in_order, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, many_send_and_many_receive, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, receivers_are_served_in_the_order_in_which_they_came, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_closed_channel_gives_what_it_has_and_ends_waits, 0, WORKER_SWEEP);
    tcase_add_test(tcase, an_unbounded_channel_grows_and_keeps_the_order);
    tcase_add_test(tcase, without_memory_an_unbounded_channel_loses_nothing);
    tcase_add_test(tcase, channels_know_bad_arguments_and_time);
    tcase_add_test(tcase, a_select_does_what_can_be_done);
    tcase_add_test(tcase, a_select_prefers_no_case);
    tcase_add_test(tcase, a_select_does_not_meet_itself);
    tcase_add_loop_test(tcase, selects_lose_and_double_nothing, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_select_that_was_served_stands_in_no_other_line, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_ends_waits_on_channels, 0, WORKER_SWEEP);
    tcase_add_test(tcase, one_that_is_woken_does_not_wait_for_a_task_that_goes_on);
    tcase_add_test(tcase, two_that_talk_leave_turns_to_others);
    tcase_add_test(tcase, a_buffer_is_filled_and_emptied_in_one_turn);
    tcase_add_loop_test(tcase, pairs_that_talk_lose_and_double_nothing, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_thread_tries_again_when_there_is_plenty);
    tcase_add_loop_test(tcase, one_that_is_a_task_or_is_to_meet_another_stands_in_line_at_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_threads_send_through_a_task_arrives_in_order, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
