/* The deque: order, growth, indices near the wrap, and a crowd of thieves. */
#include "fixture.h"

#include <stdlib.h>
#include <threads.h>

#include "work/deque.h"

/* Each test runs with indices from 0, and across the wrap of 64 bits. */
static const uint64_t starts[] = {0, UINT64_MAX - 5};
enum { STARTS = 2 };

START_TEST(the_owner_pops_newest_first)
{
    struct filch_deque deque;
    ck_assert(filch_deque_init(&deque, 4, starts[_i]));
    ck_assert_uint_eq(filch_deque_pop(&deque), 0);
    for (uintptr_t e = 1; e <= 20; e++) {
        ck_assert(filch_deque_push(&deque, e));
        ck_assert_uint_eq(filch_deque_count(&deque), e);
    }
    for (uintptr_t e = 20; e >= 1; e--) {
        ck_assert_uint_eq(filch_deque_pop(&deque), e);
    }
    ck_assert_uint_eq(filch_deque_pop(&deque), 0);
    ck_assert_uint_eq(filch_deque_pop(&deque), 0);
    filch_deque_destroy(&deque);
}
END_TEST

START_TEST(a_thief_steals_oldest_first)
{
    struct filch_deque deque;
    uintptr_t entry;
    ck_assert(filch_deque_init(&deque, 4, starts[_i]));
    ck_assert_int_eq(filch_deque_steal(&deque, &entry), FILCH_STEAL_EMPTY);
    ck_assert_uint_eq(filch_deque_peek(&deque), 0);
    for (uintptr_t e = 1; e <= 20; e++) {
        ck_assert(filch_deque_push(&deque, e));
    }
    for (uintptr_t e = 1; e <= 20; e++) {
        ck_assert_uint_eq(filch_deque_peek(&deque), e);
        ck_assert_int_eq(filch_deque_steal(&deque, &entry), FILCH_STEAL_GOT);
        ck_assert_uint_eq(entry, e);
    }
    ck_assert_int_eq(filch_deque_steal(&deque, &entry), FILCH_STEAL_EMPTY);
    filch_deque_destroy(&deque);
}
END_TEST

START_TEST(pop_if_takes_only_the_named_entry)
{
    struct filch_deque deque;
    ck_assert(filch_deque_init(&deque, 4, starts[_i]));
    ck_assert(!filch_deque_pop_if(&deque, 1));
    ck_assert(filch_deque_push(&deque, 1));
    ck_assert(filch_deque_push(&deque, 2));
    ck_assert(!filch_deque_pop_if(&deque, 1));
    ck_assert(filch_deque_pop_if(&deque, 2));
    ck_assert(filch_deque_pop_if(&deque, 1));
    ck_assert(!filch_deque_pop_if(&deque, 1)); /* the cell still holds it, the deque does not */
    ck_assert_uint_eq(filch_deque_count(&deque), 0);
    filch_deque_destroy(&deque);
}
END_TEST

START_TEST(a_deque_that_cannot_grow_stays_as_it_was)
{
    struct filch_deque deque;
    ck_assert(filch_deque_init(&deque, 4, starts[_i]));
    for (uintptr_t e = 1; e <= 4; e++) {
        ck_assert(filch_deque_push(&deque, e));
    }
    fail_call(1);
    ck_assert(!filch_deque_push(&deque, 5));
    ck_assert_uint_eq(filch_deque_count(&deque), 4);
    ck_assert(filch_deque_push(&deque, 5));
    for (uintptr_t e = 5; e >= 1; e--) {
        ck_assert_uint_eq(filch_deque_pop(&deque), e);
    }
    filch_deque_destroy(&deque);
}
END_TEST

/* ---- a crowd ---- */

enum { ENTRIES = 30000, THIEVES = 3 };
static struct filch_deque crowd;
static atomic_char *taken;
static atomic_int taken_count;

static void take(uintptr_t entry)
{
    ck_assert_int_eq(atomic_fetch_add(&taken[entry], 1), 0);
    atomic_fetch_add(&taken_count, 1);
}

static int thief(void *unused)
{
    (void)unused;
    while (atomic_load(&taken_count) < ENTRIES) {
        uintptr_t entry;
        if (filch_deque_steal(&crowd, &entry) == FILCH_STEAL_GOT) {
            take(entry);
        }
    }
    return 0;
}

START_TEST(every_entry_is_taken_exactly_once)
{
    thrd_t thieves[THIEVES];
    ck_assert(filch_deque_init(&crowd, 2, starts[_i]));
    taken = calloc(ENTRIES + 1, sizeof *taken);
    atomic_store(&taken_count, 0);
    for (int i = 0; i < THIEVES; i++) {
        ck_assert_int_eq(thrd_create(&thieves[i], thief, NULL), thrd_success);
    }
    uintptr_t next = 1;
    for (unsigned step = 0; next <= ENTRIES; step++) {
        for (unsigned burst = step % 7; burst > 0 && next <= ENTRIES; burst--) {
            ck_assert(filch_deque_push(&crowd, next++));
        }
        for (unsigned burst = step % 5; burst > 0; burst--) {
            uintptr_t entry = filch_deque_pop(&crowd);
            if (entry) {
                take(entry);
            }
        }
    }
    for (uintptr_t entry; (entry = filch_deque_pop(&crowd));) {
        take(entry);
    }
    for (int i = 0; i < THIEVES; i++) {
        thrd_join(thieves[i], NULL);
    }
    ck_assert_int_eq(atomic_load(&taken_count), ENTRIES);
    free(taken);
    filch_deque_destroy(&crowd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deque");
    TCase *tcase = tcase_create("deque");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, the_owner_pops_newest_first, 0, STARTS);
    tcase_add_loop_test(tcase, a_thief_steals_oldest_first, 0, STARTS);
    tcase_add_loop_test(tcase, pop_if_takes_only_the_named_entry, 0, STARTS);
    tcase_add_loop_test(tcase, a_deque_that_cannot_grow_stays_as_it_was, 0, STARTS);
    tcase_add_loop_test(tcase, every_entry_is_taken_exactly_once, 0, STARTS);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
