/* Many at a time: blocks that go from thread to thread, timers that fire together, answers for many
 * descriptors. */
#define _GNU_SOURCE
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <threads.h>
#include <unistd.h>

#include "base/blocks.h"
#include "base/memory.h"
#include "os/os.h"
#include "sched/thread.h"
#include "sleep/timer.h"
#include "sleep/wait.h"

/* As the library that is counted asks for them. */
void *counted_malloc(size_t bytes);
void counted_free(void *memory);
extern int counted_blocks_are_kept;

/* ---- blocks ---- */

enum { BYTES = 100, BLOCKS = 200 };

static struct filch_depot depot;

static void give_all_back(void)
{
    while (filch_depot_trim(&depot, 0)) {
    }
}

START_TEST(a_block_comes_back_to_the_next_that_asks_for_its_size)
{
    long alive = allocations_alive();
    struct filch_blocks mine = {.loose = {NULL}};
    void *block = counted_malloc(filch_block_bytes(BYTES));
    ck_assert_ptr_null(filch_blocks_take(&mine, &depot, BYTES));
    ck_assert(filch_blocks_keep(&mine, &depot, block, BYTES));
    ck_assert_ptr_null(filch_blocks_take(&mine, &depot, BYTES + FILCH_BLOCK_UNIT));
    ck_assert_ptr_eq(filch_blocks_take(&mine, &depot, filch_block_bytes(BYTES)), block);
    ck_assert_ptr_null(filch_blocks_take(&mine, &depot, BYTES));
    counted_free(block);
    ck_assert_int_eq(allocations_alive(), alive);
}
END_TEST

START_TEST(who_asks_for_zeroed_memory_gets_what_another_gave_back)
{
    ck_assert_ptr_nonnull(filch_thread_self()); /* one that keeps some */
    const int kept_before = counted_blocks_are_kept;
    counted_blocks_are_kept = true;
    unsigned char *block = filch_malloc(BYTES);
    memset(block, 0xff, BYTES);
    filch_free(block);
    unsigned char *zeroed = filch_calloc(1, BYTES);
    ck_assert_ptr_eq(zeroed, block);
    for (int i = 0; i < BYTES; i++) {
        ck_assert_uint_eq(zeroed[i], 0);
    }
    counted_blocks_are_kept = kept_before;
    filch_free(zeroed);
}
END_TEST

START_TEST(little_is_kept_when_the_last_pool_has_ended)
{
    enum { MANY = 20000, LITTLE = 3000 };
    static void *blocks[MANY];
    const int kept_before = counted_blocks_are_kept;
    filch_pool *pool = pool_opened(0);
    long alive = allocations_alive();
    counted_blocks_are_kept = true;
    for (int i = 0; i < MANY; i++) {
        blocks[i] = filch_malloc(BYTES);
        ck_assert_ptr_nonnull(blocks[i]);
    }
    for (int i = 0; i < MANY; i++) {
        filch_free(blocks[i]);
    }
    ck_assert_int_ge(allocations_alive(), alive + MANY);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    ck_assert_int_le(allocations_alive(), alive + LITTLE);
    counted_blocks_are_kept = kept_before;
}
END_TEST

START_TEST(a_large_block_is_not_kept)
{
    struct filch_blocks mine = {.loose = {NULL}};
    size_t large = FILCH_BLOCK_CLASSES * FILCH_BLOCK_UNIT + 1;
    void *block = counted_malloc(large);
    ck_assert(!filch_blocks_keep(&mine, &depot, block, large));
    ck_assert_ptr_null(filch_blocks_take(&mine, &depot, large));
    ck_assert_uint_eq(filch_block_bytes(SIZE_MAX), SIZE_MAX);
    counted_free(block);
}
END_TEST

START_TEST(what_one_has_too_much_of_another_gets)
{
    long alive = allocations_alive();
    struct filch_blocks mine = {.loose = {NULL}};
    struct filch_blocks others = {.loose = {NULL}};
    for (int i = 0; i < BLOCKS; i++) {
        ck_assert(
            filch_blocks_keep(&mine, &depot, counted_malloc(filch_block_bytes(BYTES)), BYTES));
    }
    void *block = filch_blocks_take(&others, &depot, BYTES);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, filch_block_bytes(BYTES));
    ck_assert(filch_blocks_keep(&others, &depot, block, BYTES));
    ck_assert_int_eq(allocations_alive(), alive + BLOCKS);
    filch_blocks_clear(&mine, &depot);
    filch_blocks_clear(&others, &depot);
    give_all_back();
    ck_assert_int_eq(allocations_alive(), alive);
}
END_TEST

static _Atomic(void *) passed[BLOCKS];
static atomic_long from_hand;

static int make_blocks(void *rounds)
{
    struct filch_blocks mine = {.loose = {NULL}};
    for (int i = 0; i < *(int *)rounds * BLOCKS; i++) {
        while (atomic_load(&passed[i % BLOCKS])) {
            filch_os_yield();
        }
        unsigned char *block = filch_blocks_take(&mine, &depot, BYTES);
        atomic_fetch_add(&from_hand, block != NULL);
        block = block ? block : counted_malloc(filch_block_bytes(BYTES));
        memset(block, i % 251, BYTES);
        atomic_store(&passed[i % BLOCKS], block);
    }
    filch_blocks_clear(&mine, &depot);
    return 0;
}

START_TEST(blocks_go_from_thread_to_thread_and_each_has_one_owner)
{
    long alive = allocations_alive();
    int rounds = 50;
    struct filch_blocks mine = {.loose = {NULL}};
    thrd_t maker;
    ck_assert_int_eq(thrd_create(&maker, make_blocks, &rounds), thrd_success);
    for (int i = 0; i < rounds * BLOCKS; i++) {
        unsigned char *block;
        while (!(block = atomic_load(&passed[i % BLOCKS]))) {
            filch_os_yield();
        }
        for (int k = 0; k < BYTES; k++) {
            check_int_eq(block[k], i % 251);
        }
        ck_assert(filch_blocks_keep(&mine, &depot, block, BYTES));
        atomic_store(&passed[i % BLOCKS], NULL);
    }
    thrd_join(maker, NULL);
    ck_assert_int_gt(atomic_load(&from_hand), 0);
    filch_blocks_clear(&mine, &depot);
    give_all_back();
    ck_assert_int_eq(allocations_alive(), alive);
}
END_TEST

/* ---- timers ---- */

static int fired;

static void count(struct filch_timer *timer, enum filch_timer_end end,
                  struct filch_ready_batch *batch)
{
    (void)end, (void)batch;
    fired++;
    *(int *)timer->context += 1;
}

START_TEST(timers_of_one_deadline_fire_some_at_a_time_and_each_once)
{
    enum { TIMERS = 3 * FILCH_TIMER_AT_ONCE + 1 };
    struct filch_timers timers;
    static struct filch_timer all[TIMERS];
    static int each[TIMERS];
    filch_timers_init(&timers);
    fired = 0;
    for (int i = 0; i < TIMERS; i++) {
        all[i] = (struct filch_timer){.deadline_ns = 7, .fire = count, .context = &each[i]};
        ck_assert(filch_timers_arm(&timers, &all[i]) == (i == 0));
    }
    ck_assert_uint_eq(filch_timers_fire(&timers, 6), 0);
    for (int i = 1; i <= 3; i++) {
        ck_assert_uint_eq(filch_timers_fire(&timers, 7), FILCH_TIMER_AT_ONCE);
        ck_assert_int_eq(fired, i * FILCH_TIMER_AT_ONCE);
        ck_assert_uint_eq(filch_timers_earliest(&timers), 7);
    }
    ck_assert_uint_eq(filch_timers_fire(&timers, 7), 1);
    ck_assert_uint_eq(filch_timers_fire(&timers, 7), 0);
    ck_assert_uint_eq(filch_timers_earliest(&timers), FILCH_OS_NEVER);
    for (int i = 0; i < TIMERS; i++) {
        ck_assert_int_eq(each[i], 1);
    }
}
END_TEST

static struct filch_timers shared_timers;
static atomic_int firing;

static int fire_always(void *unused)
{
    (void)unused;
    uint64_t now_ns = 0;
    while (atomic_load(&firing)) {
        filch_timers_fire(&shared_timers, ++now_ns);
    }
    return 0;
}

/* A timer and what it fires into are its owner's again after a disarm: as ThreadSanitizer sees. */
START_TEST(a_timer_that_is_disarmed_while_others_fire_has_fired_or_never_will)
{
    enum { ROUNDS = 20000, MINE = 8 };
    struct filch_timer mine[MINE];
    int hits[MINE] = {0};
    int once = 0;
    thrd_t other;
    filch_timers_init(&shared_timers);
    fired = 0;
    atomic_store(&firing, 1);
    ck_assert_int_eq(thrd_create(&other, fire_always, NULL), thrd_success);
    for (int i = 0; i < ROUNDS; i++) {
        int k = i % MINE;
        if (i >= MINE) {
            filch_timers_disarm(&shared_timers, &mine[k]);
            ck_assert_int_le(hits[k], 1);
            once += hits[k];
        }
        hits[k] = 0;
        mine[k] = (struct filch_timer){
            .deadline_ns = (uint64_t)i * 2, .fire = count, .context = &hits[k]};
        filch_timers_arm(&shared_timers, &mine[k]);
    }
    for (int k = 0; k < MINE; k++) {
        filch_timers_disarm(&shared_timers, &mine[k]);
        once += hits[k];
    }
    atomic_store(&firing, 0);
    thrd_join(other, NULL);
    ck_assert_int_eq(fired, once);
    ck_assert_uint_eq(filch_timers_earliest(&shared_timers), FILCH_OS_NEVER);
}
END_TEST

/* ---- tasks ---- */

FILCH_FUNCTION(int, rest, (double, seconds))
{
    return filch_sleep(seconds) == FILCH_OK;
}

START_TEST(one_that_sleeps_shortly_is_not_held_up_by_those_that_sleep_long)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *long_ones[100];
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(rest_apply_async(pool, 1e6, &long_ones[i]), FILCH_OK);
    }
    for (int i = 0; i < 20; i++) { /* the pool may be asleep until the end of the others */
        filch_future *future;
        int slept = 0;
        ck_assert_int_eq(rest_apply_async(pool, i % 2 ? 1e-3 : 1e-6, &future), FILCH_OK);
        ck_assert_int_eq(rest_get(future, &slept), FILCH_OK);
        ck_assert_int_eq(slept, 1);
        filch_future_free(future);
    }
    for (int i = 0; i < 100; i++) {
        ck_assert(!filch_future_ready(long_ones[i]));
        ck_assert_int_eq(filch_future_cancel(long_ones[i]), FILCH_OK);
        ck_assert_int_eq(filch_future_wait(long_ones[i]), FILCH_OK);
        filch_future_free(long_ones[i]);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(many_that_sleep_equally_long_all_wake)
{
    enum { SLEEPERS = 1000 };
    filch_pool *pool = pool_opened(_i);
    static int slept[SLEEPERS];
    filch_status status;
    memset(slept, 0, sizeof slept);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < SLEEPERS; i++) {
            ck_assert_int_eq(rest_spawn(group, 0.01, &slept[i]), FILCH_OK);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    for (int i = 0; i < SLEEPERS; i++) {
        check_int_eq(slept[i], 1);
    }
    pool_closed(pool);
}
END_TEST

/* ---- descriptors ---- */

static atomic_int talking;
static atomic_int begun;

FILCH_FUNCTION(void, echo, (int, fd))
{
    char c;
    atomic_fetch_add(&begun, 1);
    while (filch_read(fd, &c, 1) == 1) {
        ck_assert_int_eq(filch_write(fd, &c, 1), 1);
    }
    filch_close(fd);
}

FILCH_FUNCTION(void, talk, (int, fd), (int, times))
{
    atomic_fetch_add(&begun, 1);
    for (int i = 0; i < times; i++) {
        char c = (char)i;
        char heard = 0;
        ck_assert_int_eq(filch_write(fd, &c, 1), 1);
        ck_assert_int_eq(filch_read(fd, &heard, 1), 1);
        check_int_eq(heard, c);
    }
    filch_close(fd);
    atomic_fetch_sub(&talking, 1);
}

/* Holds a core for as long as they talk, and makes no call: or gives turns away. */
FILCH_FUNCTION(void, keep_busy, (int, yields))
{
    while (atomic_load(&talking)) {
        if (yields) {
            filch_yield();
        }
    }
}

static void talk_with(int sweep, int pairs, int times, bool busy)
{
    filch_pool *pool = pool_opened(sweep);
    filch_status status;
    atomic_store(&talking, pairs);
    atomic_store(&begun, 0);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < pairs; i++) {
            int ends[2];
            ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
            ck_assert_int_eq(echo_spawn(group, ends[0]), FILCH_OK);
            ck_assert_int_eq(talk_spawn(group, ends[1], times), FILCH_OK);
        }
        while (atomic_load(&begun) < 2 * pairs) {
            filch_sleep(1e-4);
        }
        if (busy) {
            for (unsigned w = 1; w < workers_of(sweep); w++) {
                ck_assert_int_eq(keep_busy_spawn(group, 0), FILCH_OK);
            }
            ck_assert_int_eq(keep_busy_spawn(group, 1), FILCH_OK);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    pool_closed(pool);
}

START_TEST(many_descriptors_are_answered)
{
    talk_with(_i, 50, 40, false);
}
END_TEST

START_TEST(descriptors_are_answered_while_all_cores_are_held)
{
    talk_with(_i, 4, 500, true);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("many");
    TCase *tcase = tcase_create("many");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, a_block_comes_back_to_the_next_that_asks_for_its_size);
    tcase_add_test(tcase, who_asks_for_zeroed_memory_gets_what_another_gave_back);
    tcase_add_test(tcase, little_is_kept_when_the_last_pool_has_ended);
    tcase_add_test(tcase, a_large_block_is_not_kept);
    tcase_add_test(tcase, what_one_has_too_much_of_another_gets);
    tcase_add_test(tcase, blocks_go_from_thread_to_thread_and_each_has_one_owner);
    tcase_add_test(tcase, timers_of_one_deadline_fire_some_at_a_time_and_each_once);
    tcase_add_test(tcase, a_timer_that_is_disarmed_while_others_fire_has_fired_or_never_will);
    tcase_add_loop_test(tcase, one_that_sleeps_shortly_is_not_held_up_by_those_that_sleep_long, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, many_that_sleep_equally_long_all_wake, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, many_descriptors_are_answered, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, descriptors_are_answered_while_all_cores_are_held, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
