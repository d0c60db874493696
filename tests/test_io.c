/* Descriptors: tasks that read, write, accept and connect as if they blocked. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static int ends[2];

static void open_pipe(void)
{
    ck_assert_int_eq(pipe(ends), 0);
}

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
}

static void close_both(void)
{
    ck_assert_int_eq(filch_close(ends[0]), 0);
    ck_assert_int_eq(filch_close(ends[1]), 0);
}

static atomic_int begun;

FILCH_FUNCTION(long, reads_some, (int, fd), (double, seconds))
{
    char buffer[64];
    atomic_fetch_add(&begun, 1);
    return filch_read_until(fd, buffer, sizeof buffer, filch_in(seconds));
}

START_TEST(a_task_that_reads_waits_until_something_comes)
{
    filch_pool *pool = pool_opened(_i);
    void (*const opens[])(void) = {open_pipe, open_pair};
    for (int k = 0; k < 2; k++) {
        filch_future *future;
        long n = 0;
        opens[k]();
        atomic_store(&begun, 0);
        ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &future), FILCH_OK);
        await(&begun, 1);
        filch_sleep(0.005);
        ck_assert(!filch_future_ready(future));
        ck_assert_int_eq(filch_write(ends[1], "hello", 5), 5);
        ck_assert_int_eq(reads_some_get(future, &n), FILCH_OK);
        ck_assert_int_eq(n, 5);
        filch_future_free(future);
        close_both();
    }
    pool_closed(pool);
}
END_TEST

START_TEST(other_tasks_run_while_one_waits_for_a_descriptor)
{
    filch_pool *pool = pool_opened(_i);
    enum { READERS = 50 };
    int pipes[READERS][2];
    filch_future *futures[READERS];
    atomic_store(&begun, 0);
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(pipe(pipes[i]), 0);
        ck_assert_int_eq(reads_some_apply_async(pool, pipes[i][0], 1e9, &futures[i]), FILCH_OK);
    }
    await(&begun, READERS); /* each has begun, on however few workers */
    for (int i = READERS - 1; i >= 0; i--) {
        long n = 0;
        ck_assert_int_eq(filch_write(pipes[i][1], "x", 1), 1);
        ck_assert_int_eq(reads_some_get(futures[i], &n), FILCH_OK);
        ck_assert_int_eq(n, 1);
        filch_future_free(futures[i]);
        ck_assert_int_eq(filch_close(pipes[i][0]), 0);
        ck_assert_int_eq(filch_close(pipes[i][1]), 0);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(waits_for_descriptors_end_with_the_deadline_and_when_cancelled)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    long n = 0;
    open_pipe();
    ck_assert_int_eq(reads_some_apply(pool, ends[0], 0.01, &n), FILCH_OK);
    ck_assert_int_eq(n, -ETIMEDOUT);
    ck_assert_int_eq(reads_some_apply(pool, ends[0], -1, &n), FILCH_OK); /* only tries */
    ck_assert_int_eq(n, -ETIMEDOUT);
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &future), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(reads_some_get(future, &n), FILCH_OK);
    ck_assert_int_eq(n, -ECANCELED);
    filch_future_free(future);
    close_both();
    pool_closed(pool);
}
END_TEST

START_TEST(closing_a_descriptor_wakes_those_who_wait_for_it)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *futures[3];
    open_pair();
    atomic_store(&begun, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &futures[i]), FILCH_OK);
    }
    await(&begun, 3);
    filch_sleep(0.01);
    ck_assert_int_eq(filch_close(ends[0]), 0);
    for (int i = 0; i < 3; i++) {
        long n = 0;
        ck_assert_int_eq(reads_some_get(futures[i], &n), FILCH_OK);
        ck_assert_int_eq(n, -EBADF);
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(filch_close(ends[0]), -EBADF);
    ck_assert_int_eq(filch_close(ends[1]), 0);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(long, writes_much, (int, fd), (size_t, bytes))
{
    char *buffer = malloc(bytes);
    for (size_t i = 0; i < bytes; i++) {
        buffer[i] = (char)(i * 7);
    }
    long n = filch_write(fd, buffer, bytes);
    free(buffer);
    filch_close(fd);
    return n;
}

/* How many bytes came, -1 if one was wrong. */
FILCH_FUNCTION(long, reads_all, (int, fd))
{
    char buffer[1000];
    size_t total = 0;
    ssize_t n;
    while ((n = filch_read(fd, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++, total++) {
            if (buffer[i] != (char)(total * 7)) {
                return -1;
            }
        }
    }
    return n == 0 ? (long)total : (long)n;
}

START_TEST(much_goes_through_pipes_and_sockets)
{
    filch_pool *pool = pool_opened(_i);
    void (*const opens[])(void) = {open_pipe, open_pair};
    for (int k = 0; k < 2; k++) {
        filch_future *writer;
        long n = 0;
        opens[k]();
        ck_assert_int_eq(writes_much_apply_async(pool, ends[1], 1000003, &writer), FILCH_OK);
        ck_assert_int_eq(reads_all_apply(pool, ends[0], &n), FILCH_OK);
        ck_assert_int_eq(n, 1000003);
        ck_assert_int_eq(writes_much_get(writer, &n), FILCH_OK);
        ck_assert_int_eq(n, 1000003);
        filch_future_free(writer);
        ck_assert_int_eq(filch_close(ends[0]), 0);
    }
    pool_closed(pool);
}
END_TEST

/* ---- connections ---- */

static int listener;
static struct sockaddr_in address;

static void listen_somewhere(void)
{
    socklen_t length = sizeof address;
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 64), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
}

FILCH_FUNCTION(int, echoes, (int, socket))
{
    char buffer[100];
    ssize_t n;
    while ((n = filch_read(socket, buffer, sizeof buffer)) > 0) {
        if (filch_write(socket, buffer, (size_t)n) != n) {
            return -1;
        }
    }
    return filch_close(socket);
}

FILCH_FUNCTION(int, serves, (filch_pool *, pool), (int, connections))
{
    filch_status status;
    int accepted = 0;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        while (accepted < connections) {
            int socket = filch_accept(listener, NULL, NULL);
            if (socket < 0) {
                return socket;
            }
            check_int_eq(echoes_spawn(group, socket, NULL), FILCH_OK);
            accepted++;
        }
    }
    return accepted;
}

enum { CLIENTS = 60, ROUNDS = 5 };

static atomic_int wrong;

FILCH_LOOP(asks_and_hears, (size_t, i))
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int bad = client < 0;
    bad += filch_connect(client, (struct sockaddr *)&address, sizeof address) != 0;
    for (int round = 0; !bad && round < ROUNDS; round++) {
        char said[32];
        char heard[32] = "";
        int length = snprintf(said, sizeof said, "client %zu round %d", i, round);
        bad += filch_write(client, said, (size_t)length) != length;
        for (ssize_t got = 0; !bad && got < length;) {
            ssize_t n = filch_read(client, heard + got, sizeof heard - (size_t)got);
            bad += n <= 0;
            got += n;
        }
        bad += strncmp(said, heard, (size_t)length) != 0;
        filch_sleep(1e-4 * (double)(i % 3));
    }
    bad += filch_close(client) != 0;
    atomic_fetch_add(&wrong, bad);
}

START_TEST(a_server_and_its_clients_talk_in_one_pool)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *server;
    int accepted = 0;
    atomic_store(&wrong, 0);
    listen_somewhere();
    ck_assert_int_eq(serves_apply_async(pool, pool, CLIENTS, &server), FILCH_OK);
    ck_assert_int_eq(asks_and_hears_for(pool, CLIENTS), FILCH_OK);
    ck_assert_int_eq(serves_get(server, &accepted), FILCH_OK);
    ck_assert_int_eq(accepted, CLIENTS);
    ck_assert_int_eq(wrong, 0);
    filch_future_free(server);
    ck_assert_int_eq(filch_close(listener), 0);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, connects_to_no_listener)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = filch_connect(client, (struct sockaddr *)&address, sizeof address);
    filch_close(client);
    return error;
}

FILCH_FUNCTION(int, accepts_until, (double, seconds))
{
    return filch_accept_until(listener, NULL, NULL, filch_in(seconds));
}

START_TEST(connections_that_fail_say_why)
{
    filch_pool *pool = pool_opened(_i);
    int error = 0;
    listen_somewhere();
    ck_assert_int_eq(accepts_until_apply(pool, 0.01, &error), FILCH_OK);
    ck_assert_int_eq(error, -ETIMEDOUT);
    ck_assert_int_eq(filch_close(listener), 0);
    ck_assert_int_eq(connects_to_no_listener_apply(pool, &error), FILCH_OK);
    ck_assert_int_eq(error, -ECONNREFUSED);
    ck_assert_int_eq(accepts_until_apply(pool, 0.01, &error), FILCH_OK);
    ck_assert_int_eq(error, -EBADF);
    pool_closed(pool);
}
END_TEST

/* ---- what is special ---- */

FILCH_FUNCTION(int, waits_for, (int, fd), (short, events), (double, seconds))
{
    short came = 0;
    filch_status status = filch_wait_fd_until(fd, events, filch_in(seconds), &came);
    return status == FILCH_OK ? came : -(int)status;
}

START_TEST(descriptors_of_all_kinds_can_be_waited_for)
{
    filch_pool *pool = pool_opened(_i);
    int came = 0;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(waits_for_apply(pool, file, POLLIN, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLIN); /* always ready */
    ck_assert_int_eq(filch_close(file), 0);
    open_pipe();
    ck_assert_int_eq(waits_for_apply(pool, ends[1], POLLOUT, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLOUT);
    ck_assert_int_eq(waits_for_apply(pool, ends[0], POLLIN, 0.01, &came), FILCH_OK);
    ck_assert_int_eq(came, -FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_close(ends[1]), 0);
    ck_assert_int_eq(waits_for_apply(pool, ends[0], POLLIN, 1, &came), FILCH_OK);
    ck_assert(came & POLLHUP);
    ck_assert_int_eq(filch_close(ends[0]), 0);
    ck_assert_int_eq(waits_for_apply(pool, ends[0], POLLIN, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, -FILCH_EINVAL);
    ck_assert_int_eq(waits_for_apply(pool, -1, POLLIN, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, -FILCH_EINVAL);
    ck_assert_int_eq(waits_for_apply(pool, 1 << 30, POLLIN, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, -FILCH_EINVAL);
    ck_assert_int_eq(waits_for_apply(pool, 0, 0, 1, &came), FILCH_OK);
    ck_assert_int_eq(came, -FILCH_EINVAL);
    pool_closed(pool);
}
END_TEST

START_TEST(one_task_reads_and_another_writes_the_same_socket)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *reader;
    filch_future *writer;
    char big[4096] = {0};
    int came = 0;
    long n = 0;
    open_pair();
    while (send(ends[0], big, sizeof big, MSG_DONTWAIT) > 0) { /* it is full now */
    }
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &reader), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(waits_for_apply_async(pool, ends[0], POLLOUT, 1e9, &writer), FILCH_OK);
    filch_sleep(0.01);
    ck_assert(!filch_future_ready(reader));
    ck_assert(!filch_future_ready(writer));
    ck_assert_int_eq(filch_write(ends[1], "x", 1), 1);
    ck_assert_int_eq(reads_some_get(reader, &n), FILCH_OK);
    ck_assert_int_eq(n, 1);
    ck_assert(!filch_future_ready(writer));
    while (recv(ends[1], big, sizeof big, MSG_DONTWAIT) > 0) {
    }
    ck_assert_int_eq(waits_for_get(writer, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLOUT);
    filch_future_free(reader);
    filch_future_free(writer);
    close_both();
    pool_closed(pool);
}
END_TEST

START_TEST(a_plain_thread_can_wait_for_descriptors_too)
{
    char buffer[8];
    short came = 0;
    open_pair();
    ck_assert_int_eq(filch_wait_fd_until(ends[0], POLLIN, filch_in(0.01), &came), FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_read_until(ends[0], buffer, sizeof buffer, filch_in(0)), -ETIMEDOUT);
    ck_assert_int_eq(filch_write(ends[1], "abc", 3), 3);
    ck_assert_int_eq(filch_wait_fd(ends[0], POLLIN, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLIN);
    ck_assert_int_eq(filch_read(ends[0], buffer, sizeof buffer), 3);
    ck_assert_int_eq(filch_close(ends[1]), 0);
    ck_assert_int_eq(filch_read(ends[0], buffer, sizeof buffer), 0);
    ck_assert_int_eq(filch_write(ends[0], "abc", 3), -EPIPE);
    ck_assert_int_eq(filch_close(ends[0]), 0);
    ck_assert_int_eq(filch_read(ends[0], buffer, sizeof buffer), -EBADF);
}
END_TEST

START_TEST(terminating_a_pool_ends_waits_for_descriptors)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    long n = 0;
    open_pipe();
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &future), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(filch_pool_terminate(pool), FILCH_OK);
    ck_assert_int_eq(reads_some_get(future, &n), FILCH_OK);
    ck_assert_int_eq(n, -ECANCELED);
    filch_future_free(future);
    close_both();
    pool_closed(pool);
}
END_TEST

/* A task that never yields starves neither descriptors nor timers nor work from outside, as long as
 * there is another worker. */
FILCH_FUNCTION(int, never_yields_until, (atomic_int *, flag))
{
    while (!atomic_load(flag)) {
    }
    return 0;
}

START_TEST(a_task_that_never_yields_starves_none_on_other_cores)
{
    filch_pool *pool = pool_opened(1 + _i); /* two workers and more */
    filch_future *hog;
    filch_future *reader;
    atomic_int stop = 0;
    long n = 0;
    open_pipe();
    ck_assert_int_eq(never_yields_until_apply_async(pool, &stop, &hog), FILCH_OK);
    while (!filch_future_running(hog)) {
        filch_yield();
    }
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 1e9, &reader), FILCH_OK);
    await(&begun, 1); /* work from outside has begun */
    ck_assert_int_eq(filch_write(ends[1], "x", 1), 1);
    ck_assert_int_eq(reads_some_get(reader, &n), FILCH_OK);
    ck_assert_int_eq(n, 1);
    filch_future_free(reader);
    ck_assert_int_eq(reads_some_apply_async(pool, ends[0], 0.01, &reader), FILCH_OK);
    while (!filch_future_ready(reader)) { /* its timer fires though we do not help */
        thrd_sleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    atomic_store(&stop, 1);
    ck_assert_int_eq(filch_future_wait(hog), FILCH_OK);
    filch_future_free(reader);
    filch_future_free(hog);
    close_both();
    pool_closed(pool);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io");
    TCase *tcase = tcase_create("io");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_task_that_reads_waits_until_something_comes, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, other_tasks_run_while_one_waits_for_a_descriptor, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, waits_for_descriptors_end_with_the_deadline_and_when_cancelled, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, closing_a_descriptor_wakes_those_who_wait_for_it, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, much_goes_through_pipes_and_sockets, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_server_and_its_clients_talk_in_one_pool, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, connections_that_fail_say_why, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, descriptors_of_all_kinds_can_be_waited_for, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, one_task_reads_and_another_writes_the_same_socket, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_plain_thread_can_wait_for_descriptors_too);
    tcase_add_loop_test(tcase, terminating_a_pool_ends_waits_for_descriptors, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_that_never_yields_starves_none_on_other_cores, 0,
                        WORKER_SWEEP - 1);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
