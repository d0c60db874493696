/* Types: whatever size and alignment values have, they are where their type may lie, and whole,
 * wherever the library keeps them. */
#include "fixture.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __AVX__
#include <immintrin.h>
#endif

/* Larger than some types that are aligned to more than it is. */
struct letter {
    char text[97];
};

/* That nothing is at an address where it must not be. The compiler, which takes it for granted,
 * does not know what is looked at. */
static void see(const volatile void *value, size_t alignment)
{
    const volatile void *volatile unknown = value;
    check_int_eq((int)((uintptr_t)unknown % alignment), 0);
}

static void *array_new(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

static void array_free(void *memory)
{
    free(memory);
}

static atomic_int both;

typedef struct byte {
    unsigned char byte;
} byte;
typedef struct three {
    unsigned char bytes[3];
} three;
typedef struct sixteen {
    _Alignas(16) unsigned char bytes[16];
} sixteen;
typedef struct seventeen {
    unsigned char bytes[17];
} seventeen;
typedef struct at_32 {
    _Alignas(32) unsigned char bytes[32];
} at_32;
typedef struct at_64 {
    _Alignas(64) unsigned char bytes[64];
} at_64;
typedef struct ninety_six {
    _Alignas(32) unsigned char bytes[96];
} ninety_six;
typedef struct page {
    unsigned char bytes[4096];
} page;

#define TYPE byte
#define TYPE_BYTES 1
#include "types_of.h"
#define TYPE three
#define TYPE_BYTES 3
#include "types_of.h"
#define TYPE sixteen
#define TYPE_BYTES 16
#include "types_of.h"
#define TYPE seventeen
#define TYPE_BYTES 17
#include "types_of.h"
#define TYPE at_32
#define TYPE_BYTES 32
#include "types_of.h"
#define TYPE at_64
#define TYPE_BYTES 64
#include "types_of.h"
#define TYPE ninety_six
#define TYPE_BYTES 96
#include "types_of.h"
#define TYPE page
#define TYPE_BYTES 4096
#include "types_of.h"

#ifdef __AVX__
typedef __m256 eight_floats;
typedef struct two_vectors {
    __m256d vectors[2];
} two_vectors;
#define TYPE eight_floats
#define TYPE_BYTES 32
#include "types_of.h"
#define TYPE two_vectors
#define TYPE_BYTES 64
#include "types_of.h"
#define OF_VECTORS(what, pool)                                                                     \
    eight_floats_##what(pool);                                                                     \
    two_vectors_##what(pool);
#else
#define OF_VECTORS(what, pool)
#endif

/* All that is done with one type. */
#define ALL_OF(type, pool)                                                                         \
    type##_closures(pool);                                                                         \
    type##_spawned(pool);                                                                          \
    type##_signatures(pool);                                                                       \
    type##_maps(pool);                                                                             \
    type##_imaps(pool);                                                                            \
    type##_continued(pool);                                                                        \
    type##_loops(pool);                                                                            \
    type##_reduced(pool);                                                                          \
    type##_chosen(pool);                                                                           \
    type##_ordered(pool);                                                                          \
    type##_channels(pool);                                                                         \
    type##_pipelines(pool);                                                                        \
    type##_forks(pool);

/* A test of all types. */
#define TEST_OF_ALL(name, what)                                                                    \
    START_TEST(name)                                                                               \
    {                                                                                              \
        filch_pool *pool = pool_opened(_i);                                                        \
        byte_##what(pool);                                                                         \
        three_##what(pool);                                                                        \
        sixteen_##what(pool);                                                                      \
        seventeen_##what(pool);                                                                    \
        at_32_##what(pool);                                                                        \
        at_64_##what(pool);                                                                        \
        ninety_six_##what(pool);                                                                   \
        page_##what(pool);                                                                         \
        OF_VECTORS(what, pool)                                                                     \
        pool_closed(pool);                                                                         \
    }                                                                                              \
    END_TEST

TEST_OF_ALL(captures_and_results_of_closures_are_aligned, closures)
TEST_OF_ALL(captures_and_results_of_a_group_are_aligned, spawned)
TEST_OF_ALL(values_of_signatures_hold_aligned_captures, signatures)
TEST_OF_ALL(maps_take_and_give_any_type, maps)
TEST_OF_ALL(arguments_and_results_of_imap_are_aligned, imaps)
TEST_OF_ALL(what_follows_a_future_finds_aligned_values, continued)
TEST_OF_ALL(what_the_elements_of_a_loop_share_is_aligned, loops)
TEST_OF_ALL(totals_of_reductions_and_scans_are_aligned, reduced)
TEST_OF_ALL(predicates_take_any_type, chosen)
TEST_OF_ALL(sorting_keeps_elements_aligned, ordered)
TEST_OF_ALL(channels_carry_any_type, channels)
TEST_OF_ALL(items_of_a_pipeline_are_aligned, pipelines)
TEST_OF_ALL(forks_take_and_give_any_type_stolen_or_not, forks)

/* ---- memory that is as badly aligned as it may be ---- */

static void *get_badly(void *context, size_t bytes, size_t alignment)
{
    static atomic_uint turn;
    (void)context;
    char *memory = aligned_alloc(64, (bytes + 48 + 63) / 64 * 64);
    return memory && alignment <= 16 ? memory + 16 * (atomic_fetch_add(&turn, 1) % 4) : memory;
}

static void give(void *context, void *memory, size_t bytes)
{
    (void)context;
    (void)bytes;
    free((char *)memory - (uintptr_t)memory % 64);
}

/* What malloc() happens to align is no merit of the library. */
START_TEST(no_alignment_is_a_matter_of_luck)
{
    const filch_memory_hooks hooks = {get_badly, give, NULL};
    if (filch_memory_use(&hooks) == FILCH_EBUSY) {
        return; /* not a process of its own (CK_FORK=no): the hooks come too late */
    }
    filch_pool *pool;
    ck_assert_int_eq(filch_pool_open(&(filch_pool_options){.processes = workers_of(_i)}, &pool),
                     FILCH_OK);
    ALL_OF(sixteen, pool)
    ALL_OF(at_32, pool)
    ALL_OF(at_64, pool)
    ALL_OF(ninety_six, pool)
    ck_assert_int_eq(filch_pool_close(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_join(pool), FILCH_OK);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

/* A task that there is no memory for runs at once, and its result goes to the stack. */
static void spawned_without_memory(filch_group *group, int deep)
{
    volatile char shift[16 * deep + 1];
    filch_closure closure;
    shift[0] = 1;
    ck_assert_int_eq(
        filch_closure_make(&closure, &at_64_numbered_seen, &(int){deep + shift[0]}, NULL),
        FILCH_OK);
    fail_call(1);
    ck_assert_int_eq(filch_group_spawn(group, &closure, NULL), FILCH_OK);
    fail_call(0);
    filch_closure_release(&closure);
}

START_TEST(a_result_that_is_dropped_is_aligned_without_memory_too)
{
    filch_pool *pool = pool_opened(0);
    filch_status status;
    byte_spawned(pool); /* its worker has what it needs from now on */
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int deep = 0; deep < 8; deep++) {
            spawned_without_memory(group, deep);
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    pool_closed(pool);
}
END_TEST

/* ---- types of whose alignment the size says too little ---- */

/* A typedef can be aligned to more than its size. As a parameter it makes a struct of captures
 * that is as large as it is aligned. */
typedef int lonely __attribute__((aligned(64)));

FILCH_FUNCTION(int, of_lonely, (lonely, a), (char, b))
{
    see(&a, 64);
    return a + b;
}

FILCH_FORK_FUNCTION(int, fork_of_lonely, (lonely, a), (char, b))
{
    see(&a, 64);
    return a + b;
}

START_TEST(a_parameter_may_be_aligned_to_more_than_its_size)
{
    filch_pool *pool = pool_opened(_i);
    int got = 0;
    filch_future *future;
    ck_assert_int_eq(of_lonely_apply_async(pool, 40, 2, &future), FILCH_OK);
    ck_assert_int_eq(of_lonely_get(future, &got), FILCH_OK);
    ck_assert_int_eq(got, 42);
    filch_future_free(future);
    ck_assert_int_eq(fork_of_lonely_apply(pool, 40, 3, &got), FILCH_OK);
    ck_assert_int_eq(got, 43);
    pool_closed(pool);
}
END_TEST

/* ---- numbers ---- */

FILCH_FUNCTION(long double, half, (long double, x))
{
    see(&x, _Alignof(long double));
    return x / 2;
}
FILCH_RANGE(half, long double);

START_TEST(a_range_may_be_of_long_doubles)
{
    filch_pool *pool = pool_opened(_i);
    long double out[100];
    ck_assert_int_eq(half_map_range(pool, 1, 2, 100, out), FILCH_OK);
    for (int i = 0; i < 100; i++) {
        check_int_eq(out[i] == (1 + 2 * i) / 2.0L, true);
    }
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("types");
    TCase *tcase = tcase_create("types");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, captures_and_results_of_closures_are_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, captures_and_results_of_a_group_are_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, values_of_signatures_hold_aligned_captures, 0, 1);
    tcase_add_loop_test(tcase, maps_take_and_give_any_type, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, arguments_and_results_of_imap_are_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_follows_a_future_finds_aligned_values, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_the_elements_of_a_loop_share_is_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, totals_of_reductions_and_scans_are_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, predicates_take_any_type, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, sorting_keeps_elements_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, channels_carry_any_type, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, items_of_a_pipeline_are_aligned, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, forks_take_and_give_any_type_stolen_or_not, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, no_alignment_is_a_matter_of_luck, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_result_that_is_dropped_is_aligned_without_memory_too);
    tcase_add_loop_test(tcase, a_parameter_may_be_aligned_to_more_than_its_size, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_range_may_be_of_long_doubles, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
