/* check: as much of Check as the suites use, for compilers that Check is not there for (cross.sh).
 *
 * Each run of a test is a process of its own, which a failed assertion ends, on whatever thread. */
#ifndef FILCH_SHADOW_CHECK_H
#define FILCH_SHADOW_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHECK_TESTS_MAX = 200, CHECK_CASES_MAX = 8, CHECK_FIXTURES_MAX = 4 };
enum print_output { CK_NORMAL, CK_ENV };

typedef struct check_test {
    const char *name;
    void (*run)(int i);
    int begin;
    int end;
} check_test;

typedef struct TCase {
    unsigned timeout_s;
    int test_count;
    int fixture_count;
    check_test tests[CHECK_TESTS_MAX];
    void (*setup[CHECK_FIXTURES_MAX])(void);
    void (*teardown[CHECK_FIXTURES_MAX])(void);
} TCase;

typedef struct Suite {
    int case_count;
    TCase *cases[CHECK_CASES_MAX];
} Suite;

typedef struct SRunner {
    Suite *suite;
    int failed;
} SRunner;

#define START_TEST(name) static void name(__attribute__((unused)) int _i)
#define END_TEST

#define CHECK_FAIL(...)                                                                            \
    do {                                                                                           \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                            \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fprintf(stderr, "\n");                                                                     \
        _exit(1);                                                                                  \
    } while (0)
#define ck_abort_msg(...) CHECK_FAIL(__VA_ARGS__)
#define ck_assert_msg(holds, ...)                                                                  \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            CHECK_FAIL(__VA_ARGS__);                                                               \
        }                                                                                          \
    } while (0)
#define ck_assert(holds) ck_assert_msg(holds, "%s does not hold", #holds)

#define CHECK_COMPARE(T, format, a, relation, b)                                                   \
    do {                                                                                           \
        T check_a = (T)(a);                                                                        \
        T check_b = (T)(b);                                                                        \
        ck_assert_msg(check_a relation check_b,                                                    \
                      "%s " #relation " %s: it is " format " and " format, #a, #b, check_a,        \
                      check_b);                                                                    \
    } while (0)
#define ck_assert_int_eq(a, b) CHECK_COMPARE(intmax_t, "%jd", a, ==, b)
#define ck_assert_int_ne(a, b) CHECK_COMPARE(intmax_t, "%jd", a, !=, b)
#define ck_assert_int_lt(a, b) CHECK_COMPARE(intmax_t, "%jd", a, <, b)
#define ck_assert_int_le(a, b) CHECK_COMPARE(intmax_t, "%jd", a, <=, b)
#define ck_assert_int_gt(a, b) CHECK_COMPARE(intmax_t, "%jd", a, >, b)
#define ck_assert_int_ge(a, b) CHECK_COMPARE(intmax_t, "%jd", a, >=, b)
#define ck_assert_uint_eq(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, ==, b)
#define ck_assert_uint_ne(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, !=, b)
#define ck_assert_uint_lt(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, <, b)
#define ck_assert_uint_le(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, <=, b)
#define ck_assert_uint_gt(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, >, b)
#define ck_assert_uint_ge(a, b) CHECK_COMPARE(uintmax_t, "%ju", a, >=, b)
#define ck_assert_ptr_eq(a, b) CHECK_COMPARE(const volatile void *, "%p", a, ==, b)
#define ck_assert_ptr_ne(a, b) CHECK_COMPARE(const volatile void *, "%p", a, !=, b)
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b) ck_assert_msg(strcmp(a, b) == 0, "\"%s\" is not \"%s\"", a, b)
#define ck_assert_str_ne(a, b) ck_assert_msg(strcmp(a, b) != 0, "both are \"%s\"", a)

#define suite_create(name) ((Suite *)calloc(1, sizeof(Suite)))
#define tcase_create(name) ((TCase *)calloc(1, sizeof(TCase)))
#define suite_add_tcase(suite, tcase) ((void)((suite)->cases[(suite)->case_count++] = (tcase)))
#define tcase_set_timeout(tcase, seconds) ((void)((tcase)->timeout_s = (unsigned)(seconds)))
#define tcase_add_test(tcase, test) tcase_add_loop_test(tcase, test, 0, 1)
#define tcase_add_loop_test(tcase, test, from, to)                                                 \
    ((void)((tcase)->tests[(tcase)->test_count++] = (check_test){#test, test, from, to}))
#define tcase_add_checked_fixture(tcase, before, after)                                            \
    ((void)((tcase)->setup[(tcase)->fixture_count] = (before),                                     \
            (tcase)->teardown[(tcase)->fixture_count++] = (after)))

static inline SRunner *srunner_create(Suite *suite)
{
    SRunner *runner = calloc(1, sizeof *runner);
    if (!runner) {
        abort();
    }
    runner->suite = suite;
    return runner;
}

static inline void check_run_here(const TCase *tcase, const check_test *test, int i)
{
    setpgid(0, 0);
    alarm(tcase->timeout_s ? tcase->timeout_s : 4);
    for (int f = 0; f < tcase->fixture_count; f++) {
        tcase->setup[f]();
    }
    test->run(i);
    for (int f = 0; f < tcase->fixture_count; f++) {
        tcase->teardown[f]();
    }
    exit(0);
}

static inline int check_fails(const TCase *tcase, const check_test *test, int i)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        check_run_here(tcase, test, i);
    }
    int status = -1;
    while (waitpid(child, &status, 0) < 0 && child > 0) {
    }
    if (status != 0) {
        fprintf(stderr, "%s(%d) failed with status 0x%x\n", test->name, i, (unsigned)status);
    }
    return status != 0;
}

static inline void srunner_run_all(SRunner *runner, enum print_output mode)
{
    int runs = 0;
    (void)mode;
    for (int c = 0; c < runner->suite->case_count; c++) {
        const TCase *tcase = runner->suite->cases[c];
        for (int t = 0; t < tcase->test_count; t++) {
            for (int i = tcase->tests[t].begin; i < tcase->tests[t].end; i++, runs++) {
                runner->failed += check_fails(tcase, &tcase->tests[t], i);
            }
        }
    }
    printf("%d passed, %d failed\n", runs - runner->failed, runner->failed);
}

static inline int srunner_ntests_failed(const SRunner *runner)
{
    return runner->failed;
}

static inline void srunner_free(SRunner *runner)
{
    for (int c = 0; c < runner->suite->case_count; c++) {
        free(runner->suite->cases[c]);
    }
    free(runner->suite);
    free(runner);
}

#endif
