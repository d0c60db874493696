/* Other programs: what they read and write, how they end, and what is left of them. */
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int descriptors_open(void)
{
    int n = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all && readdir(all)) {
        n++;
    }
    closedir(all);
    return n;
}

/* No child is left, not even one that has ended; no descriptor is open that was not before. */
static void nothing_is_left(int descriptors)
{
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
    ck_assert_int_eq(descriptors_open(), descriptors);
}

static void put_into(const char *script, const filch_process_options *options,
                     filch_status expected, filch_process_result *result)
{
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("sh", "-c", script), options, result),
                     expected);
}

START_TEST(what_a_program_writes_is_in_the_result)
{
    filch_process_result result;
    put_into("echo out; echo err >&2; exit 3", NULL, FILCH_OK, &result);
    ck_assert(WIFEXITED(result.wait_status) && WEXITSTATUS(result.wait_status) == 3);
    ck_assert_str_eq(result.output, "out\n");
    ck_assert_uint_eq(result.output_bytes, 4);
    ck_assert_str_eq(result.errors, "err\n");
    ck_assert_uint_eq(result.errors_bytes, 4);
    filch_process_result_free(&result);
    ck_assert_ptr_null(result.output);
    filch_process_result_free(&result);
    filch_process_result_free(NULL);
    put_into("kill -9 $$", NULL, FILCH_OK, &result);
    ck_assert(WIFSIGNALED(result.wait_status) && WTERMSIG(result.wait_status) == SIGKILL);
    ck_assert_str_eq(result.output, "");
    filch_process_result_free(&result);
}
END_TEST

enum { MUCH = 300000 }; /* more than a pipe holds */

FILCH_FUNCTION(int, copies, (const char *, text))
{
    filch_process_result result;
    const filch_process_options options = {.input = text, .input_bytes = MUCH};
    filch_status status =
        filch_process_run(FILCH_COMMAND("sh", "-c", "tee /dev/stderr"), &options, &result);
    bool right = status == FILCH_OK && result.wait_status == 0 && result.output_bytes == MUCH &&
                 result.errors_bytes == MUCH && !memcmp(result.output, text, MUCH) &&
                 !memcmp(result.errors, text, MUCH);
    filch_process_result_free(&result);
    return right;
}

START_TEST(what_a_program_reads_comes_from_memory)
{
    filch_pool *pool = pool_opened(_i);
    char *text = malloc(MUCH);
    filch_future *futures[3];
    int right = 0;
    for (int i = 0; i < MUCH; i++) {
        text[i] = (char)('a' + i % 26);
    }
    ck_assert_int_eq(copies_apply(pool, text, &right), FILCH_OK);
    ck_assert(right);
    int before = descriptors_open(); /* the pool has its poller */
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(copies_apply_async(pool, text, &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(copies_get(futures[i], &right), FILCH_OK);
        ck_assert(right);
        filch_future_free(futures[i]);
    }
    nothing_is_left(before);
    free(text);
    pool_closed(pool);
}
END_TEST

START_TEST(a_program_that_does_not_read_its_input_does_no_harm)
{
    char text[1000] = {0};
    filch_process_result result;
    const filch_process_options options = {.input = text, .input_bytes = sizeof text};
    put_into("exec <&-; exit 0", &options, FILCH_OK, &result);
    ck_assert_int_eq(result.wait_status, 0);
    filch_process_result_free(&result);
    put_into("cat", NULL, FILCH_OK, &result); /* nothing to read */
    ck_assert_uint_eq(result.output_bytes, 0);
    filch_process_result_free(&result);
}
END_TEST

START_TEST(descriptors_of_the_caller_can_stand_for_its_own)
{
    int in[2];
    int out[2];
    char buffer[64] = {0};
    filch_process_result result;
    ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
    ck_assert_int_eq(write(in[1], "hello", 5), 5);
    close(in[1]);
    const filch_process_options options = {
        .input_from = in[0], .output_to = out[1], .errors_to = FILCH_WITH_OUTPUT};
    put_into("cat; echo >&2 there", &options, FILCH_OK, &result);
    ck_assert_int_eq(result.wait_status, 0);
    ck_assert_ptr_null(result.output);
    ck_assert_ptr_null(result.errors);
    ck_assert_int_eq(read(out[0], buffer, sizeof buffer), 11);
    ck_assert_str_eq(buffer, "hellothere\n");
    filch_process_result_free(&result);
    const filch_process_options lost = {
        .input_from = FILCH_DISCARD, .output_to = FILCH_DISCARD, .errors_to = FILCH_DISCARD};
    put_into("cat; echo lost; echo lost >&2", &lost, FILCH_OK, &result);
    ck_assert_ptr_null(result.output);
    filch_process_result_free(&result);
    const filch_process_options own = {
        .input_from = FILCH_INHERIT, .output_to = FILCH_INHERIT, .errors_to = FILCH_INHERIT};
    put_into("exit 4", &own, FILCH_OK, &result);
    ck_assert_int_eq(WEXITSTATUS(result.wait_status), 4);
    filch_process_result_free(&result);
    close(in[0]);
    close(out[0]);
    close(out[1]);
}
END_TEST

START_TEST(its_environment_and_its_directory_can_be_given)
{
    const char *const environment[] = {"WORD=here", "PATH=/usr/bin:/bin", NULL};
    filch_process_result result;
    filch_process_options options = {.environment = environment};
    put_into("echo $WORD$HOME", &options, FILCH_OK, &result);
    ck_assert_str_eq(result.output, "here\n");
    filch_process_result_free(&result);
    options.directory = "/";
    filch_status status =
        filch_process_run(FILCH_COMMAND("/bin/sh", "-c", "pwd"), &options, &result);
    if (status == FILCH_ENOSYS) {
        ck_assert_int_eq(result.error, ENOSYS);
    } else {
        ck_assert_int_eq(status, FILCH_OK);
        ck_assert_str_eq(result.output, "/\n");
    }
    filch_process_result_free(&result);
}
END_TEST

START_TEST(it_blocks_no_signal_and_has_no_other_descriptor)
{
    filch_process_result result;
    ck_assert_int_eq(filch_signal_block(SIGTERM), FILCH_OK);
    ck_assert(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    put_into("(kill -PIPE $$) ; echo survived", NULL, FILCH_OK, &result);
    ck_assert_int_eq(WTERMSIG(result.wait_status), SIGPIPE);
    filch_process_result_free(&result);
    put_into("kill -TERM $$; echo survived", NULL, FILCH_OK, &result);
    ck_assert_int_eq(WTERMSIG(result.wait_status), SIGTERM);
    filch_process_result_free(&result);
    const char *count = "exit $(ls /proc/self/fd | wc -l)";
    int plainly = system(count);
    put_into(count, NULL, FILCH_OK, &result);
    ck_assert_int_eq(WEXITSTATUS(result.wait_status), WEXITSTATUS(plainly));
    filch_process_result_free(&result);
}
END_TEST

/* ---- those that do not end by themselves ---- */

/* A grandchild that holds the pipe, too, is killed along. */
static const char *const hangs = "echo begun; sleep 1000 & sleep 1000";

/* All that have an end of the pipe but this process have ended. */
static void all_have_let_go(int ends[2])
{
    char byte;
    struct pollfd end = {.fd = ends[0], .events = POLLIN};
    close(ends[1]);
    ck_assert_int_eq(poll(&end, 1, 60000), 1); /* the caller may be cancelled */
    ck_assert_int_eq(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

FILCH_FUNCTION(int, runs_for_ever, (filch_deadline, until), (atomic_int *, begun))
{
    filch_process_result result;
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    const filch_process_options options = {.until = until, .errors_to = ends[1]};
    if (begun) {
        atomic_fetch_add(begun, 1);
    }
    filch_status status = filch_process_run(FILCH_COMMAND("sh", "-c", hangs), &options, &result);
    bool killed = WIFSIGNALED(result.wait_status) && WTERMSIG(result.wait_status) == SIGKILL;
    filch_process_result_free(&result);
    all_have_let_go(ends);
    return killed ? (int)status : -1;
}

START_TEST(at_its_deadline_it_is_killed_with_all_it_has_begun)
{
    filch_pool *pool = pool_opened(_i);
    filch_process_result result;
    int answer = 0;
    ck_assert_int_eq(runs_for_ever_apply(pool, filch_in(0.05), NULL, &answer), FILCH_OK);
    ck_assert_int_eq(answer, FILCH_ETIMEDOUT);
    int before = descriptors_open();
    ck_assert_int_eq(runs_for_ever_apply(pool, filch_in(0), NULL, &answer), FILCH_OK);
    ck_assert_int_eq(answer, FILCH_ETIMEDOUT);
    nothing_is_left(before);
    pool_closed(pool);
    const filch_process_options soon = {.until = filch_in(0.2)};
    put_into("echo begun; exec sleep 1000", &soon, FILCH_ETIMEDOUT, &result);
    ck_assert_str_eq(result.output, "begun\n"); /* so far */
    filch_process_result_free(&result);
    const filch_process_options quiet = {
        .until = filch_in(0.2), .output_to = FILCH_DISCARD, .errors_to = FILCH_DISCARD};
    put_into("exec sleep 1000", &quiet, FILCH_ETIMEDOUT, &result);
    filch_process_result_free(&result);
}
END_TEST

START_TEST(cancelling_the_caller_kills_it)
{
    filch_pool *pool = pool_opened(_i);
    atomic_int begun = 0;
    filch_status status;
    int answer = 0;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(runs_for_ever_spawn(group, filch_never(), &begun, &answer), FILCH_OK);
        while (atomic_load(&begun) < 1) {
            filch_sleep(1e-3);
        }
        filch_sleep(0.02);
        filch_group_cancel(group);
    }
    ck_assert_int_eq(answer, FILCH_ECANCELED);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    pool_closed(pool);
}
END_TEST

START_TEST(one_that_writes_too_much_is_killed)
{
    filch_process_result result;
    const filch_process_options options = {.most_bytes = 5000};
    put_into("while :; do echo 1234567; done", &options, FILCH_EOVERFLOW, &result);
    ck_assert_uint_eq(result.output_bytes, 5000);
    ck_assert_uint_eq(strlen(result.output), 5000);
    filch_process_result_free(&result);
    const filch_process_options exactly = {.most_bytes = 8};
    put_into("echo 1234567", &exactly, FILCH_OK, &result);
    ck_assert_str_eq(result.output, "1234567\n");
    filch_process_result_free(&result);
    put_into("echo 12345678", &exactly, FILCH_EOVERFLOW, &result);
    ck_assert_str_eq(result.output, "12345678");
    filch_process_result_free(&result);
}
END_TEST

/* ---- what is not begun ---- */

START_TEST(what_cannot_be_begun_says_why)
{
    filch_process_result result;
    int before = descriptors_open();
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("/nowhere/at/all"), NULL, &result),
                     FILCH_ERAISED);
    ck_assert_int_eq(result.error, ENOENT);
    ck_assert_ptr_null(result.output);
    const filch_process_options bad = {.output_to = 1000000};
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("true"), &bad, &result), FILCH_ECLOSED);
    ck_assert_int_eq(result.error, EBADF);
    const filch_process_options same = {.output_to = FILCH_WITH_OUTPUT};
    const filch_process_options none = {.input_bytes = 1};
    ck_assert_int_eq(filch_process_run(NULL, NULL, &result), FILCH_EINVAL);
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND(NULL), NULL, &result), FILCH_EINVAL);
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("true"), NULL, NULL), FILCH_EINVAL);
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("true"), &same, &result), FILCH_EINVAL);
    ck_assert_int_eq(filch_process_run(FILCH_COMMAND("true"), &none, &result), FILCH_EINVAL);
    ck_assert_int_eq(filch_process_wait(-1, NULL), FILCH_EINVAL);
    nothing_is_left(before);
}
END_TEST

FILCH_FUNCTION(int, writes_some, (int, k))
{
    filch_process_result result;
    const filch_process_options options = {.input = "abc", .input_bytes = 3};
    (void)k;
    filch_status status = filch_process_run(
        FILCH_COMMAND("sh", "-c", "cat; head -c 9000 /dev/zero"), &options, &result);
    bool right = status == FILCH_OK ? result.output_bytes == 9003 : status == FILCH_ENOMEM;
    filch_process_result_free(&result);
    return right ? (int)status : -1;
}

START_TEST(each_request_for_memory_may_fail_once)
{
    filch_pool *pool = pool_opened(1);
    int answer = -1;
    ck_assert_int_eq(writes_some_apply(pool, 0, &answer), FILCH_OK);
    ck_assert_int_eq(answer, FILCH_OK);
    int before = descriptors_open();
    long calls = calls_so_far();
    ck_assert_int_eq(writes_some(0), FILCH_OK); /* in the default pool: it is open now */
    ck_assert_int_eq(writes_some_apply(pool, 0, &answer), FILCH_OK);
    long needed = calls_so_far() - calls;
    before = descriptors_open();
    for (long k = 1; k <= needed + 3; k++) {
        fail_call(k);
        filch_status status = writes_some_apply(pool, (int)k, &answer);
        fail_call(0);
        ck_assert(status == FILCH_OK ? answer == FILCH_OK || answer == FILCH_ENOMEM
                                     : status == FILCH_ENOMEM || status == FILCH_EAGAIN);
        nothing_is_left(before);
    }
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
}
END_TEST

START_TEST(a_child_can_be_waited_for_alone)
{
    int wait_status = 0;
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        pause();
        _exit(0);
    }
    ck_assert_int_eq(filch_process_wait_until(child, filch_in(0.002), &wait_status),
                     FILCH_ETIMEDOUT);
    kill(child, SIGKILL);
    ck_assert_int_eq(filch_process_wait(child, &wait_status), FILCH_OK);
    ck_assert_int_eq(WTERMSIG(wait_status), SIGKILL);
    ck_assert_int_eq(filch_process_wait(child, &wait_status), FILCH_OK);
    ck_assert_int_eq(wait_status, -ECHILD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("processes");
    TCase *tcase = tcase_create("processes");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, what_a_program_writes_is_in_the_result);
    tcase_add_loop_test(tcase, what_a_program_reads_comes_from_memory, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_program_that_does_not_read_its_input_does_no_harm);
    tcase_add_test(tcase, descriptors_of_the_caller_can_stand_for_its_own);
    tcase_add_test(tcase, its_environment_and_its_directory_can_be_given);
    tcase_add_test(tcase, it_blocks_no_signal_and_has_no_other_descriptor);
    tcase_add_loop_test(tcase, at_its_deadline_it_is_killed_with_all_it_has_begun, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_the_caller_kills_it, 0, WORKER_SWEEP);
    tcase_add_test(tcase, one_that_writes_too_much_is_killed);
    tcase_add_test(tcase, what_cannot_be_begun_says_why);
    tcase_add_test(tcase, each_request_for_memory_may_fail_once);
    tcase_add_test(tcase, a_child_can_be_waited_for_alone);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
