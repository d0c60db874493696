/* Descriptors that are closed, duplicated and used again while tasks and threads wait for them: a
 * wait ends when it must, and is never about another descriptor of the same number. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include "sleep/closing.h"
#include "sched/pool.h"
#include "sched/process.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { SCALE = 10 };
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
enum { SCALE = 10 };
#else
enum { SCALE = 1 };
#endif
#else
enum { SCALE = 1 };
#endif

static int ends[2];

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void close_plainly(int fd)
{
    ck_assert_int_eq(close(fd), 0);
}

static void put(int fd, char byte)
{
    ck_assert_int_eq(write(fd, &byte, 1), 1);
}

static atomic_int begun;

/* The byte, 0 at the end, or the error. */
static long read_byte(int fd, filch_deadline deadline)
{
    char byte = 0;
    atomic_fetch_add(&begun, 1);
    long n = filch_read_until(fd, &byte, 1, deadline);
    return n == 1 ? byte : n;
}

FILCH_FUNCTION(long, reads_byte, (int, fd), (filch_deadline, deadline))
{
    return read_byte(fd, deadline);
}

FILCH_FUNCTION(long, waits_to_read, (int, fd), (filch_deadline, deadline))
{
    atomic_fetch_add(&begun, 1);
    return -(long)filch_wait_fd_until(fd, POLLIN, deadline, NULL);
}

/* All that has been submitted, and counts itself in `begun`, waits. */
static void await_waiting(filch_pool *pool, int count)
{
    await(&begun, count);
    while (filch_pool_running(pool)) {
        sched_yield();
    }
}

static long result_of(filch_future *future)
{
    long n = 0;
    ck_assert_int_eq(filch_future_wait_until(future, filch_in(20)), FILCH_OK);
    ck_assert_int_eq(reads_byte_get(future, &n), FILCH_OK);
    filch_future_free(future);
    return n;
}

/* ---- numbers that are used again ---- */

enum { TIMED_OUT, CANCELLED, GIVEN_UP };

/* A task waits for fd, and gives up. */
static void give_up(filch_pool *pool, int fd, int how)
{
    filch_future *future;
    filch_deadline deadline = how == TIMED_OUT ? filch_in(0.001) : filch_never();
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_byte_apply_async(pool, fd, deadline, &future), FILCH_OK);
    if (how == CANCELLED) {
        await_waiting(pool, 1);
        ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    }
    ck_assert_int_eq(result_of(future), how == CANCELLED ? -ECANCELED : -ETIMEDOUT);
}

START_TEST(a_number_that_is_used_again_is_read_whatever_waited_for_it_before)
{
    filch_pool *pool = pool_opened(_i);
    for (int way = 0; way < 2 * GIVEN_UP; way++) {
        filch_future *future;
        int kept = -1;
        open_pair();
        int number = ends[0];
        give_up(pool, number, way % GIVEN_UP);
        if (way >= GIVEN_UP) { /* what it stood for lives on */
            kept = dup(number);
        }
        int far = ends[1];
        close_plainly(number);
        open_pair();
        ck_assert_int_eq(ends[0], number);
        ck_assert_int_eq(reads_byte_apply_async(pool, number, filch_never(), &future), FILCH_OK);
        await_waiting(pool, 1);
        put(ends[1], 'n');
        ck_assert_int_eq(result_of(future), 'n');
        close_plainly(ends[0]);
        close_plainly(ends[1]);
        close_plainly(far);
        if (kept >= 0) {
            close_plainly(kept);
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(a_wait_that_was_given_up_keeps_nothing_alive)
{
    filch_pool *pool = pool_opened(_i);
    for (int how = 0; how < GIVEN_UP; how++) {
        char byte;
        open_pair();
        give_up(pool, ends[0], how);
        close_plainly(ends[0]);
        ck_assert_int_eq(recv(ends[1], &byte, 1, MSG_DONTWAIT), 0); /* the end, at once */
        close_plainly(ends[1]);
    }
    pool_closed(pool);
}
END_TEST

/* A descriptor whose number stands for a new one, while what it stood for lives on as *kept, and
 * has been asked about. */
static int number_with_a_past(filch_pool *pool, int *kept, int *far)
{
    open_pair();
    give_up(pool, ends[0], CANCELLED);
    *kept = dup(ends[0]);
    *far = ends[1];
    close_plainly(ends[0]);
    return ends[0];
}

START_TEST(what_a_number_stood_for_wakes_none_that_waits_for_the_new_one)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int kept;
    int far;
    int number = number_with_a_past(pool, &kept, &far);
    open_pair();
    ck_assert_int_eq(ends[0], number);
    atomic_store(&begun, 0);
    ck_assert_int_eq(waits_to_read_apply_async(pool, number, filch_never(), &future), FILCH_OK);
    await_waiting(pool, 1);
    put(far, 'o'); /* is ready from now on, and has been asked about */
    close_plainly(far);
    filch_sleep(0.005);
    ck_assert(!filch_future_ready(future));
    put(ends[1], 'n');
    ck_assert_int_eq(result_of(future), FILCH_OK);
    close_plainly(kept);
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    pool_closed(pool);
}
END_TEST

START_TEST(waiting_beside_what_is_ready_for_ever_takes_no_time)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int kept;
    int far;
    int number = number_with_a_past(pool, &kept, &far);
    close_plainly(far);
    open_pair();
    ck_assert_int_eq(ends[0], number);
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_byte_apply_async(pool, number, filch_never(), &future), FILCH_OK);
    await_waiting(pool, 1);
    struct rusage before;
    struct rusage after;
    getrusage(RUSAGE_SELF, &before);
    struct timespec nap = {.tv_nsec = 50000000};
    thrd_sleep(&nap, NULL);
    getrusage(RUSAGE_SELF, &after);
    /* A poller that is told of the old one again and again would change threads, or run all that
     * time. */
    ck_assert_int_lt(after.ru_nvcsw - before.ru_nvcsw, 1000);
    long used = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                after.ru_utime.tv_usec - before.ru_utime.tv_usec +
                (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
                after.ru_stime.tv_usec - before.ru_stime.tv_usec;
    ck_assert_int_lt(used, 25000);
    put(ends[1], 'n');
    ck_assert_int_eq(result_of(future), 'n');
    close_plainly(kept);
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    pool_closed(pool);
}
END_TEST

START_TEST(all_that_wait_for_what_was_closed_plainly_fail_when_that_is_seen)
{
    filch_pool *pool = pool_opened(_i);
    enum { WAITING = 3 };
    filch_future *futures[WAITING];
    open_pair();
    atomic_store(&begun, 0);
    for (int i = 0; i < WAITING; i++) {
        ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &futures[i]),
                         FILCH_OK);
    }
    await_waiting(pool, WAITING);
    int kept = dup(ends[0]);
    close_plainly(ends[0]);
    put(ends[1], 'o'); /* for the first: it looks, and the others are asked for again */
    for (int i = 0; i < WAITING; i++) {
        ck_assert_int_eq(result_of(futures[i]), -EBADF);
    }
    close_plainly(kept);
    close_plainly(ends[1]);
    pool_closed(pool);
}
END_TEST

/* ---- what is ready ---- */

FILCH_FUNCTION(int, holds_the_worker, (atomic_int *, go_on))
{
    atomic_fetch_add(&begun, 1);
    await(go_on, 1);
    return 0;
}

/* It has ended, and has not had a turn since: it is in line still when the byte comes. */
START_TEST(a_wait_that_was_cancelled_takes_nothing_from_the_next_in_line)
{
    filch_pool *pool = pool_opened(0);
    filch_future *cancelled;
    filch_future *next;
    filch_future *hog;
    atomic_int go_on = 0;
    open_pair();
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &cancelled), FILCH_OK);
    await_waiting(pool, 1);
    ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &next), FILCH_OK);
    await_waiting(pool, 2);
    ck_assert_int_eq(holds_the_worker_apply_async(pool, &go_on, &hog), FILCH_OK);
    await(&begun, 3);
    ck_assert_int_eq(filch_future_cancel(cancelled), FILCH_OK);
    put(ends[1], 'n');
    struct timespec nap = {.tv_nsec = 5000000}; /* time for the answer; it may come later, too */
    thrd_sleep(&nap, NULL);
    atomic_store(&go_on, 1);
    ck_assert_int_eq(result_of(cancelled), -ECANCELED);
    ck_assert_int_eq(result_of(next), 'n');
    ck_assert_int_eq(filch_future_wait(hog), FILCH_OK);
    filch_future_free(hog);
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    pool_closed(pool);
}
END_TEST

static atomic_int false_alarms;

FILCH_FUNCTION(long, takes_bytes, (int, fd))
{
    long taken = 0;
    filch_status status;
    atomic_fetch_add(&begun, 1);
    while ((status = filch_wait_fd(fd, POLLIN, NULL)) == FILCH_OK) {
        char byte;
        ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n == 0) {
            return taken;
        }
        atomic_fetch_add(&false_alarms, n < 0);
        taken += n > 0;
    }
    return -(long)status;
}

/* On one worker nothing comes between its answer and the use of it. */
START_TEST(a_descriptor_that_was_waited_for_is_ready)
{
    filch_pool *pool = pool_opened(0);
    enum { TASKS = 4, BYTES = 2000 / SCALE };
    filch_future *futures[TASKS];
    long taken = 0;
    open_pair();
    atomic_store(&begun, 0);
    atomic_store(&false_alarms, 0);
    for (int i = 0; i < TASKS; i++) {
        ck_assert_int_eq(takes_bytes_apply_async(pool, ends[0], &futures[i]), FILCH_OK);
    }
    for (int i = 0; i < BYTES; i++) {
        await_waiting(pool, TASKS);
        put(ends[1], 'x');
    }
    close_plainly(ends[1]);
    for (int i = 0; i < TASKS; i++) {
        taken += result_of(futures[i]);
    }
    ck_assert_int_eq(taken, BYTES);
    ck_assert_int_eq(atomic_load(&false_alarms), 0);
    close_plainly(ends[0]);
    pool_closed(pool);
}
END_TEST

/* A pipe that may block has one byte for two tasks on the only worker: the one that comes too late
 * must not take the worker with it. */
START_TEST(a_byte_for_two_readers_of_a_blocking_pipe_blocks_no_worker)
{
    filch_pool *pool = pool_opened(0);
    filch_future *futures[2];
    long sum = 0;
    ck_assert_int_eq(pipe(ends), 0);
    for (int i = 0; i < 500 / SCALE; i++) {
        atomic_store(&begun, 0);
        for (int k = 0; k < 2; k++) {
            ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &futures[k]),
                             FILCH_OK);
        }
        await_waiting(pool, 2);
        put(ends[1], 1);
        await_waiting(pool, 2);
        ck_assert_int_eq(filch_write(ends[1], &(char){2}, 1), 1);
        sum += result_of(futures[0]) + result_of(futures[1]);
    }
    ck_assert_int_eq(sum, 3 * (500 / SCALE));
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    pool_closed(pool);
}
END_TEST

/* ---- what the system says at once ---- */

static int read_end(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    return ends[0];
}

static int write_end(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    return ends[1];
}

static int read_end_at_its_end(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    close_plainly(ends[1]);
    return ends[0];
}

static int broken_pipe(void)
{
    ck_assert_int_eq(pipe(ends), 0);
    close_plainly(ends[0]);
    return ends[1];
}

static int file_to_read(void)
{
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static int file_to_write(void)
{
    char name[] = "/tmp/filch-XXXXXX";
    int made = mkstemp(name);
    int fd = open(name, O_WRONLY | O_CLOEXEC);
    close_plainly(made);
    unlink(name);
    return fd;
}

static int empty_file(void)
{
    char name[] = "/tmp/filch-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    return fd;
}

static int directory(void)
{
    return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int only_a_path(void)
{
    return open("/", O_PATH | O_CLOEXEC);
}

static int null_device(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int full_device(void)
{
    return open("/dev/full", O_RDWR | O_CLOEXEC);
}

static int counter(void)
{
    return eventfd(3, EFD_CLOEXEC);
}

static int socket_without_peer(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listener_at(struct sockaddr_in *address, int room)
{
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_eq(bind(listener, (struct sockaddr *)address, sizeof *address), 0);
    ck_assert_int_eq(listen(listener, room), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)address, &length), 0);
    return listener;
}

static int listening_socket(void)
{
    struct sockaddr_in anywhere;
    return listener_at(&anywhere, 4);
}

static int socket_of_the_dead(void)
{
    open_pair();
    close_plainly(ends[1]);
    return ends[0];
}

static int closed_number(void)
{
    open_pair();
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    return ends[0];
}

static int below_all(void)
{
    return -1;
}

static int lowest(void)
{
    return INT_MIN;
}

static int above_what_is_known(void)
{
    return FILCH_FD_MOST;
}

static int highest(void)
{
    return INT_MAX;
}

struct made {
    const char *name;
    int (*make)(void);
    bool read;
    bool write;
    bool nothing; /* also without any bytes */
};

static const struct made kinds[] = {
    {"read end", read_end, false, true, true},
    {"write end", write_end, true, true, true},
    {"read end at its end", read_end_at_its_end, true, true, true},
    {"broken pipe", broken_pipe, true, true, true},
    {"file to read", file_to_read, true, true, true},
    {"file to write", file_to_write, true, true, true},
    {"empty file", empty_file, true, true, true},
    {"directory", directory, true, true, true},
    {"path", only_a_path, true, true, true},
    {"null", null_device, true, true, true},
    {"full", full_device, true, true, true},
    {"counter", counter, true, true, false},
    {"socket without a peer", socket_without_peer, true, true, false},
    {"listening socket", listening_socket, true, true, false},
    {"socket of the dead", socket_of_the_dead, true, true, true},
    {"closed", closed_number, true, true, true},
    {"-1", below_all, true, true, true},
    {"lowest", lowest, true, true, true},
    {"above what is known", above_what_is_known, true, true, true},
    {"highest", highest, true, true, true},
};

enum { KINDS = sizeof kinds / sizeof *kinds, PLAIN = 0, FILCH = 1 };

static long once(int fd, bool writes, size_t bytes, int how)
{
    char buffer[16] = {1};
    ssize_t n;
    if (how == FILCH) {
        filch_deadline deadline = filch_in(10);
        return writes ? filch_write_until(fd, buffer, bytes, deadline)
                      : filch_read_until(fd, buffer, bytes, deadline);
    }
    n = writes ? write(fd, buffer, bytes) : read(fd, buffer, bytes);
    return n < 0 ? -errno : n;
}

FILCH_FUNCTION(long, once_in_a_task, (int, fd), (bool, writes), (size_t, bytes))
{
    return once(fd, writes, bytes, FILCH);
}

static void clear_away(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] != fd && ends[i] > 2) {
            close(ends[i]); /* it may have been closed before */
        }
        ends[i] = -1;
    }
}

static void answers_alike(filch_pool *pool, const struct made *kind, bool writes, size_t bytes)
{
    long got[3];
    ends[0] = ends[1] = -1;
    int fd = kind->make();
    got[0] = once(fd, writes, bytes, PLAIN);
    clear_away(fd);
    fd = kind->make();
    got[1] = once(fd, writes, bytes, FILCH);
    clear_away(fd);
    fd = kind->make();
    ck_assert_int_eq(once_in_a_task_apply(pool, fd, writes, bytes, &got[2]), FILCH_OK);
    clear_away(fd);
    ck_assert_msg(got[0] == got[1] && got[0] == got[2],
                  "%s of %zu bytes, %s: %ld, a thread is told %ld, a task %ld",
                  writes ? "write" : "read", bytes, kind->name, got[0], got[1], got[2]);
}

START_TEST(what_the_system_answers_at_once_is_answered_at_once)
{
    filch_pool *pool = pool_opened(_i);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < KINDS; i++) {
        for (int writes = 0; writes < 2; writes++) {
            if (writes ? kinds[i].write : kinds[i].read) {
                answers_alike(pool, &kinds[i], writes, 8);
                answers_alike(pool, &kinds[i], writes, 1);
            }
            if (kinds[i].nothing) {
                answers_alike(pool, &kinds[i], writes, 0);
            }
        }
    }
    pool_closed(pool);
}
END_TEST

START_TEST(reading_and_writing_leave_the_flags_alone)
{
    filch_pool *pool = pool_opened(_i);
    for (int blocks = 0; blocks < 2; blocks++) {
        filch_future *future;
        int flags[2];
        ck_assert_int_eq(pipe2(ends, blocks ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK), 0);
        flags[0] = fcntl(ends[0], F_GETFL);
        flags[1] = fcntl(ends[1], F_GETFL);
        atomic_store(&begun, 0);
        ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &future), FILCH_OK);
        await_waiting(pool, 1);
        ck_assert_int_eq(filch_write(ends[1], "x", 1), 1);
        ck_assert_int_eq(result_of(future), 'x');
        ck_assert_int_eq(fcntl(ends[0], F_GETFL), flags[0]);
        ck_assert_int_eq(fcntl(ends[1], F_GETFL), flags[1]);
        close_plainly(ends[0]);
        close_plainly(ends[1]);
    }
    pool_closed(pool);
}
END_TEST

/* What can only be read by calls that may block. */
START_TEST(a_terminal_is_waited_for_like_a_socket)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_int_eq(grantpt(master), 0);
    ck_assert_int_eq(unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(terminal, 0);
    atomic_store(&begun, 0);
    ck_assert_int_eq(reads_byte_apply_async(pool, terminal, filch_never(), &future), FILCH_OK);
    await_waiting(pool, 1);
    ck_assert_int_eq(filch_write(master, "line\n", 5), 5);
    ck_assert_int_eq(result_of(future), 'l');
    ck_assert_int_eq(filch_write(terminal, "answer\n", 7), 7);
    atomic_store(&begun, 0);
    ck_assert_int_eq(filch_read(terminal, (char[8]){0}, 8), 4);
    ck_assert_int_eq(filch_read_until(terminal, (char[8]){0}, 8, filch_in(0.001)), -ETIMEDOUT);
    ck_assert_int_eq(reads_byte_apply_async(pool, terminal, filch_never(), &future), FILCH_OK);
    await_waiting(pool, 1);
    ck_assert_int_eq(filch_close(terminal), 0);
    ck_assert_int_eq(result_of(future), -EBADF);
    close_plainly(master);
    pool_closed(pool);
}
END_TEST

/* ---- outcomes ---- */

/* A listener that answers no more connections. */
static int full_listener(struct sockaddr_in *address, int clients[3])
{
    int listener = listener_at(address, 0);
    for (int i = 0; i < 3; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)!connect(clients[i], (struct sockaddr *)address, sizeof *address);
    }
    struct pollfd first = {.fd = clients[0], .events = POLLOUT};
    ck_assert_int_eq(poll(&first, 1, 10000), 1);
    return listener;
}

FILCH_FUNCTION(long, connects, (int, fd), (const struct sockaddr_in *, address),
               (filch_deadline, deadline))
{
    atomic_fetch_add(&begun, 1);
    return filch_connect_until(fd, (const struct sockaddr *)address, sizeof *address, deadline);
}

START_TEST(connect_says_0_only_when_it_is_connected)
{
    filch_pool *pool = pool_opened(_i);
    struct sockaddr_in address;
    int clients[3];
    filch_future *future;
    int kept;
    int far;
    int listener = full_listener(&address, clients);
    int number = number_with_a_past(pool, &kept, &far);
    ck_assert_int_eq(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), number);
    atomic_store(&begun, 0);
    ck_assert_int_eq(connects_apply_async(pool, number, &address, filch_never(), &future),
                     FILCH_OK);
    await_waiting(pool, 1);
    close_plainly(far); /* what the number stood for hangs up */
    filch_sleep(0.01);
    ck_assert(!filch_future_ready(future));
    ck_assert_int_eq(filch_future_cancel(future), FILCH_OK);
    ck_assert_int_eq(result_of(future), -ECANCELED);
    /* It is under way still: a second call waits for the same. */
    ck_assert_int_eq(connects_apply_async(pool, number, &address, filch_in(0.01), &future),
                     FILCH_OK);
    ck_assert_int_eq(result_of(future), -ETIMEDOUT);
    ck_assert_int_eq(
        filch_connect_until(number, (struct sockaddr *)&address, sizeof address, filch_in(0.01)),
        -ETIMEDOUT);
    /* One that was given up for good is not begun again. */
    atomic_store(&begun, 0);
    ck_assert_int_eq(connects_apply_async(pool, number, &address, filch_never(), &future),
                     FILCH_OK);
    await_waiting(pool, 1);
    ck_assert_int_eq(shutdown(number, SHUT_RDWR), 0);
    ck_assert_int_lt(result_of(future), 0);
    for (int i = 0; i < 3; i++) {
        close_plainly(clients[i]);
    }
    close_plainly(number);
    close_plainly(kept);
    close_plainly(listener);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(long, connects_locally, (int, fd), (const struct sockaddr_un *, address),
               (filch_deadline, deadline))
{
    atomic_fetch_add(&begun, 1);
    return filch_connect_until(fd, (const struct sockaddr *)address, sizeof *address, deadline);
}

START_TEST(connecting_to_a_local_listener_waits_until_it_has_room)
{
    filch_pool *pool = pool_opened(_i);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/filch-%d-%d", (int)getpid(), _i);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int clients[3];
    filch_future *future;
    long n;
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    for (int i = 0; i < 3; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    ck_assert_int_eq(connects_locally_apply(pool, clients[0], &address, filch_never(), &n),
                     FILCH_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(connects_locally_apply(pool, clients[1], &address, filch_in(0.005), &n),
                     FILCH_OK);
    ck_assert_int_eq(n, -ETIMEDOUT);
    ck_assert_int_eq(filch_connect_until(clients[1], (struct sockaddr *)&address, sizeof address,
                                         filch_in(0.005)),
                     -ETIMEDOUT);
    atomic_store(&begun, 0);
    ck_assert_int_eq(
        connects_locally_apply_async(pool, clients[2], &address, filch_never(), &future), FILCH_OK);
    await(&begun, 1);
    ck_assert_int_eq(filch_close(clients[2]), 0);
    ck_assert_int_eq(result_of(future), -EBADF);
    ck_assert_int_eq(
        connects_locally_apply_async(pool, clients[1], &address, filch_never(), &future), FILCH_OK);
    int accepted[2];
    for (int i = 0; i < 2; i++) {
        accepted[i] = filch_accept(listener, NULL, NULL);
        ck_assert_int_ge(accepted[i], 0);
    }
    ck_assert_int_eq(result_of(future), 0);
    put(accepted[1], 'x');
    ck_assert_int_eq(read_byte(clients[1], filch_never()), 'x');
    for (int i = 0; i < 2; i++) {
        close_plainly(clients[i]);
        close_plainly(accepted[i]);
    }
    close_plainly(listener);
    unlink(address.sun_path);
    pool_closed(pool);
}
END_TEST

/* ---- closing ---- */

enum { READS, WRITES, ACCEPTS, CONNECTS, WAITS, CALLS };

static struct sockaddr_in full_address;

static long call(int which, int fd)
{
    static char much[1 << 20];
    atomic_fetch_add(&begun, 1);
    switch (which) {
    case READS: return filch_read(fd, (char[1]){0}, 1);
    case WRITES: return filch_write(fd, much, sizeof much);
    case ACCEPTS: return filch_accept(fd, NULL, NULL);
    case CONNECTS: return filch_connect(fd, (struct sockaddr *)&full_address, sizeof full_address);
    default: return -(long)filch_wait_fd(fd, POLLIN, NULL);
    }
}

FILCH_FUNCTION(long, calls, (int, which), (int, fd))
{
    return call(which, fd);
}

FILCH_FUNCTION(long, calls_pinned, (int, which), (int, fd))
{
    if (filch_pin() != FILCH_OK) {
        return -1;
    }
    long n = call(which, fd);
    filch_unpin();
    return n;
}

struct outsider {
    int which;
    int fd;
    filch_pool *pool; /* not NULL: it is a guest there */
    long n;
    thrd_t thread;
};

static int outside(void *context)
{
    struct outsider *self = context;
    if (self->pool) {
        check_int_eq(calls_apply(self->pool, self->which, self->fd, &self->n), FILCH_OK);
    } else {
        self->n = call(self->which, self->fd);
    }
    return 0;
}

/* Until a thread of no pool sleeps, or is about to, because of fd. */
static void await_sleeper(int fd)
{
    while (!filch_fd_has_sleeper(fd)) {
        sched_yield();
    }
}

static void begin_outside(struct outsider *outsider, int which, int fd, filch_pool *pool)
{
    *outsider = (struct outsider){.which = which, .fd = fd, .pool = pool};
    ck_assert_int_eq(thrd_create(&outsider->thread, outside, outsider), thrd_success);
}

static long result_outside(struct outsider *outsider)
{
    thrd_join(outsider->thread, NULL);
    return outsider->n;
}

/* Something that the call waits for. What else has to be closed is in ends[1]. */
static int subject_of(int which)
{
    ends[0] = ends[1] = -1;
    switch (which) {
    case ACCEPTS: return listening_socket();
    case CONNECTS: return socket_without_peer();
    default: open_pair(); return ends[0];
    }
}

static void a_close_ends(filch_pool *pool, int which)
{
    long wanted = which == WAITS ? -(long)FILCH_ECLOSED : -EBADF;
    int fd = subject_of(which);
    filch_future *task;
    filch_future *pinned;
    struct outsider guest;
    struct outsider thread;
    atomic_store(&begun, 0);
    ck_assert_int_eq(calls_apply_async(pool, which, fd, &task), FILCH_OK);
    ck_assert_int_eq(calls_pinned_apply_async(pool, which, fd, &pinned), FILCH_OK);
    begin_outside(&guest, which, fd, pool);
    begin_outside(&thread, which, fd, NULL);
    await_waiting(pool, 4);
    await_sleeper(fd);
    ck_assert_int_eq(filch_close(fd), 0);
    ck_assert_int_eq(result_of(task), wanted);
    ck_assert_int_eq(result_of(pinned), wanted);
    ck_assert_int_eq(result_outside(&guest), wanted);
    ck_assert_int_eq(result_outside(&thread), wanted);
    ck_assert_int_eq(filch_close(fd), -EBADF);
    if (ends[1] >= 0) {
        close_plainly(ends[1]);
    }
}

START_TEST(a_close_ends_the_waits_of_tasks_guests_and_threads)
{
    filch_pool *pool = pool_opened(_i);
    int clients[3];
    int listener = full_listener(&full_address, clients);
    for (int which = 0; which < CALLS; which++) {
        a_close_ends(pool, which);
    }
    for (int i = 0; i < 3; i++) {
        close_plainly(clients[i]);
    }
    close_plainly(listener);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, closes, (int, fd))
{
    return filch_close(fd);
}

START_TEST(a_task_can_stop_a_server_that_is_no_task)
{
    filch_pool *pool = pool_opened(_i);
    struct sockaddr_in address;
    int listener = listener_at(&address, 4);
    struct outsider server;
    int error;
    begin_outside(&server, ACCEPTS, listener, NULL);
    await_sleeper(listener);
    ck_assert_int_eq(closes_apply(pool, listener, &error), FILCH_OK);
    ck_assert_int_eq(error, 0);
    /* Nothing keeps it alive: its address is free. */
    int next = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(next, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(result_outside(&server), -EBADF);
    close_plainly(next);
    pool_closed(pool);
}
END_TEST

START_TEST(a_close_ends_waits_when_there_are_no_descriptors_left)
{
    struct rlimit before;
    struct rlimit none;
    struct outsider thread;
    open_pair();
    int lowest_free = dup(ends[0]);
    close_plainly(lowest_free);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)lowest_free;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    begin_outside(&thread, READS, ends[0], NULL);
    await_sleeper(ends[0]);
    ck_assert_int_eq(filch_close(ends[0]), 0);
    ck_assert_int_eq(result_outside(&thread), -EBADF);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    close_plainly(ends[1]);
}
END_TEST

/* One waits, and its descriptor is closed just when something comes for it; the number is used
 * again at once. */
static void close_and_use_again(filch_pool *pool, bool in_pool)
{
    struct outsider thread;
    filch_future *task;
    open_pair();
    int number = ends[0];
    int far = ends[1];
    atomic_store(&begun, 0);
    if (in_pool) {
        ck_assert_int_eq(reads_byte_apply_async(pool, number, filch_never(), &task), FILCH_OK);
        await_waiting(pool, 1);
    } else {
        begin_outside(&thread, READS, number, NULL);
        await_sleeper(number);
    }
    put(far, 1);
    ck_assert_int_eq(filch_close(number), 0);
    open_pair();
    ck_assert_int_eq(ends[0], number);
    put(ends[1], 'n');
    long n = in_pool ? result_of(task) : result_outside(&thread);
    ck_assert_msg(n == 1 || n == -EBADF, "it read from another one: %ld", n);
    char byte;
    ck_assert_int_eq(recv(number, &byte, 1, MSG_DONTWAIT), 1);
    close_plainly(number);
    close_plainly(ends[1]);
    close_plainly(far);
}

START_TEST(what_waited_when_it_was_closed_never_reads_what_has_its_number_next)
{
    filch_pool *pool = pool_opened(_i);
    for (int i = 0; i < 1000 / SCALE; i++) {
        close_and_use_again(pool, i % 2);
    }
    pool_closed(pool);
}
END_TEST

static atomic_bool stop;

enum { FIRST_FIXED = 400, FIXED = 2 }; /* numbers that nothing gets by chance */

/* One number stands for one pair after the other. */
static int opens_and_closes(void *context)
{
    int number = *(int *)context;
    while (!atomic_load(&stop)) {
        int pair[2];
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ck_assert_int_eq(dup2(pair[0], number), number);
        sched_yield();
        ck_assert_int_eq(filch_close(number), 0);
        close_plainly(pair[0]);
        close_plainly(pair[1]);
    }
    return 0;
}

static void read_of_many(size_t i)
{
    long n = filch_read(FIRST_FIXED + (int)(i % FIXED), (char[1]){0}, 1);
    ck_assert_msg(n == -EBADF, "it read %ld", n);
}

FILCH_LOOP(reads_of_many, (size_t, i))
{
    read_of_many(i);
}

static int reads_from_outside(void *context)
{
    (void)context;
    for (size_t i = 0; i < 2000 / SCALE; i++) {
        read_of_many(i);
    }
    return 0;
}

START_TEST(a_wait_that_begins_while_it_is_closed_ends)
{
    filch_pool *pool = pool_opened(_i);
    thrd_t closers[FIXED];
    int numbers[FIXED];
    thrd_t reader;
    atomic_store(&stop, false);
    for (int i = 0; i < FIXED; i++) {
        numbers[i] = FIRST_FIXED + i;
        ck_assert_int_eq(thrd_create(&closers[i], opens_and_closes, &numbers[i]), thrd_success);
    }
    ck_assert_int_eq(thrd_create(&reader, reads_from_outside, NULL), thrd_success);
    ck_assert_int_eq(reads_of_many_for(pool, 2000 / SCALE), FILCH_OK);
    thrd_join(reader, NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < FIXED; i++) {
        thrd_join(closers[i], NULL);
    }
    pool_closed(pool);
}
END_TEST

START_TEST(pools_end_while_descriptors_are_closed)
{
    thrd_t closer;
    int number = FIRST_FIXED;
    open_pair();
    atomic_store(&stop, false);
    ck_assert_int_eq(thrd_create(&closer, opens_and_closes, &number), thrd_success);
    for (int i = 0; i < 200 / SCALE; i++) {
        filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = 1});
        long n;
        ck_assert_int_eq(reads_byte_apply(pool, ends[0], filch_in(1e-5), &n), FILCH_OK);
        ck_assert_int_eq(n, -ETIMEDOUT);
        ck_assert_int_eq(filch_pool_free(pool), FILCH_OK);
    }
    atomic_store(&stop, true);
    thrd_join(closer, NULL);
    close_plainly(ends[0]);
    close_plainly(ends[1]);
}
END_TEST

/* ---- a child of a fork ---- */

FILCH_FUNCTION(int, forks_and_reads, (int, waited_for))
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        int pair[2];
        alarm(20);
        bool well = socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 &&
                    read_byte(pair[0], filch_in(0.01)) == -ETIMEDOUT &&
                    read_byte(waited_for, filch_in(0.01)) == -ETIMEDOUT &&
                    write(pair[1], "x", 1) == 1 && read_byte(pair[0], filch_never()) == 'x' &&
                    filch_close(waited_for) == 0;
        _exit(well ? 0 : 1);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

START_TEST(a_child_of_a_fork_waits_by_itself_and_disturbs_none_of_the_parent)
{
    filch_pool *pool = pool_opened(_i);
    filch_future *future;
    struct outsider thread;
    int other[2];
    int status;
    open_pair();
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), 0);
    atomic_store(&begun, 0);
    begin_outside(&thread, READS, other[0], NULL);
    await_sleeper(other[0]);
    ck_assert_int_eq(reads_byte_apply_async(pool, ends[0], filch_never(), &future), FILCH_OK);
    await_waiting(pool, 2);
    ck_assert_int_eq(forks_and_reads_apply(pool, ends[0], &status), FILCH_OK);
    ck_assert_int_eq(status, 0);
    ck_assert(!filch_future_ready(future));
    put(ends[1], 'p');
    ck_assert_int_eq(result_of(future), 'p');
    ck_assert_int_eq(filch_close(other[0]), 0);
    ck_assert_int_eq(result_outside(&thread), -EBADF);
    close_plainly(ends[0]);
    close_plainly(ends[1]);
    close_plainly(other[1]);
    pool_closed(pool);
}
END_TEST

/* ---- chance ----
 *
 * A random program, whose director knows what must happen. Socket pairs have two ends, and each end
 * any number of descriptors, as long as there are any; for each end at most one waits. Whatever is
 * done to a descriptor that must end its wait is followed by a look that it did, and how. Plain
 * closes are of descriptors that none waits for now, though it may have just before. */

enum { PAIRS = 12, ENDS = 2 * PAIRS, NUMBERS = 256, DESCRIPTORS_MOST = 60 };
enum { STEPS = 40000 / SCALE }; /* for each number of workers, if FILCH_TEST_STEPS says no other */

enum waiter { NONE, TASK_READS, TASK_WAITS, THREAD_READS };

struct end {
    int descriptors;
    char tag; /* what is written to it */
    enum waiter waiter;
    int number; /* that the waiter waits for */
    filch_future *future;
    struct outsider thread;
};

struct program {
    filch_pool *pool;
    uint64_t seed;
    uint64_t state;
    int step;
    int descriptors;
    char last_tag;
    struct end ends[ENDS];
    int end_of[NUMBERS]; /* -1: not open, or not the program's */
};

static unsigned chance(struct program *program, unsigned most)
{
    uint64_t x = program->state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    program->state = x;
    return (unsigned)((x * 0x2545F4914F6CDD1DU) >> 40) % most;
}

static struct end *other_end(struct program *program, struct end *end)
{
    return &program->ends[(end - program->ends) ^ 1];
}

static void note(struct program *program, int number, struct end *end)
{
    ck_assert_int_lt(number, NUMBERS);
    ck_assert_int_eq(program->end_of[number], -1);
    program->end_of[number] = (int)(end - program->ends);
    end->descriptors++;
    program->descriptors++;
}

static long outcome_of_task(struct end *end)
{
    long n = 0;
    filch_status status = filch_future_wait_until(end->future, filch_in(30));
    if (status == FILCH_OK) {
        status = reads_byte_get(end->future, &n);
        filch_future_free(end->future);
    }
    return status == FILCH_OK ? n : status == FILCH_ECANCELED ? -ECANCELED : -1000 - (long)status;
}

/* Its wait must end now. `wanted`: as a read says it. */
static void must_end(struct program *program, struct end *end, long wanted)
{
    enum waiter waiter = end->waiter;
    end->waiter = NONE;
    long n = waiter == THREAD_READS ? result_outside(&end->thread) : outcome_of_task(end);
    if (waiter == TASK_WAITS) {
        char byte;
        wanted = wanted == -EBADF       ? -(long)FILCH_ECLOSED
                 : wanted == -ECANCELED ? -(long)FILCH_ECANCELED
                                        : FILCH_OK;
        n = n == -ECANCELED ? -(long)FILCH_ECANCELED : n; /* it never began */
        if (wanted == FILCH_OK) {
            recv(end->number, &byte, 1, MSG_DONTWAIT);
        }
    } else if (waiter == THREAD_READS && wanted > 0) {
        wanted = 1;
    }
    ck_assert_msg(n == wanted, "seed %llu, step %d: waiter %d of %d: %ld instead of %ld",
                  (unsigned long long)program->seed, program->step, waiter, end->number, n, wanted);
}

static void begin_waiting(struct program *program, struct end *end, int number)
{
    end->number = number;
    unsigned one_of = chance(program, 16);
    end->waiter = one_of == 0 ? THREAD_READS : one_of < 4 ? TASK_WAITS : TASK_READS;
    if (end->waiter == THREAD_READS) {
        begin_outside(&end->thread, READS, number, NULL);
    } else if (end->waiter == TASK_READS) {
        check_int_eq(reads_byte_apply_async(program->pool, number, filch_never(), &end->future),
                     FILCH_OK);
    } else {
        check_int_eq(waits_to_read_apply_async(program->pool, number, filch_never(), &end->future),
                     FILCH_OK);
    }
    if (other_end(program, end)->descriptors == 0) {
        must_end(program, end, 0);
    }
}

static void try_for_a_moment(struct program *program, struct end *end, int number)
{
    filch_deadline deadline = filch_in(1e-6 * chance(program, 100));
    end->number = number;
    end->waiter = TASK_READS;
    check_int_eq(reads_byte_apply_async(program->pool, number, deadline, &end->future), FILCH_OK);
    must_end(program, end, other_end(program, end)->descriptors ? -ETIMEDOUT : 0);
}

/* The number is closed, or stands for something else. */
static void forgotten(struct program *program, struct end *end, int number)
{
    program->end_of[number] = -1;
    program->descriptors--;
    end->descriptors--;
    struct end *other = other_end(program, end);
    if (end->descriptors == 0 && other->waiter) {
        must_end(program, other, 0);
    }
}

/* It has tried, so that it knows which descriptor it is about. */
static void await_begun(struct program *program, struct end *end)
{
    if (end->waiter == THREAD_READS) {
        await_sleeper(end->number);
        return;
    }
    while (!filch_future_running(end->future)) {
        sched_yield();
    }
    while (filch_pool_running(program->pool)) {
        sched_yield();
    }
}

static void close_it(struct program *program, struct end *end, int number, bool plainly)
{
    bool waited_for = end->waiter && end->number == number;
    if (waited_for) {
        await_begun(program, end);
    }
    if (plainly && !waited_for) {
        close_plainly(number);
    } else {
        check_int_eq(filch_close(number), 0);
    }
    if (waited_for) {
        must_end(program, end, -EBADF);
    }
    forgotten(program, end, number);
}

static void open_two(struct program *program)
{
    for (int i = 0; i < ENDS; i += 2) {
        if (!program->ends[i].descriptors && !program->ends[i + 1].descriptors) {
            int pair[2];
            check_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
            for (int k = 0; k < 2; k++) {
                program->last_tag = (char)(program->last_tag % 100 + 1);
                program->ends[i + k].tag = program->last_tag;
                note(program, pair[k], &program->ends[i + k]);
            }
            return;
        }
    }
}

/* One more for the same end, in the place of another if that is to be. */
static void duplicate(struct program *program, struct end *end, int number, int victim)
{
    struct end *loses = &program->ends[program->end_of[victim]];
    if (victim == number || (loses->waiter && loses->number == victim)) {
        if (program->descriptors < DESCRIPTORS_MOST) {
            note(program, fcntl(number, F_DUPFD_CLOEXEC, 3), end);
        }
        return;
    }
    check_int_eq(dup2(number, victim), victim);
    forgotten(program, loses, victim);
    note(program, victim, end);
}

/* One that is open, or -1. */
static int any_number(struct program *program)
{
    int nth = program->descriptors ? (int)chance(program, (unsigned)program->descriptors) : -1;
    for (int i = 0; i < NUMBERS; i++) {
        if (program->end_of[i] >= 0 && nth-- == 0) {
            return i;
        }
    }
    return -1;
}

static void do_something_to(struct program *program, int number)
{
    struct end *end = &program->ends[program->end_of[number]];
    struct end *other = other_end(program, end);
    switch (chance(program, 16)) {
    case 0:
    case 1: duplicate(program, end, number, any_number(program)); break;
    case 2:
        if (end->waiter == TASK_READS || end->waiter == TASK_WAITS) {
            filch_future_cancel(end->future);
            must_end(program, end, -ECANCELED);
        }
        break;
    case 3: close_it(program, end, number, false); break;
    case 4: close_it(program, end, number, true); break;
    case 5:
    case 6:
        if (!end->waiter) {
            try_for_a_moment(program, end, number);
        }
        break;
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        if (other->waiter) {
            put(number, other->tag);
            must_end(program, other, other->tag);
        }
        break;
    default:
        if (!end->waiter) {
            begin_waiting(program, end, number);
        }
    }
}

static void close_all(struct program *program)
{
    for (int number; (number = any_number(program)) >= 0;) {
        close_it(program, &program->ends[program->end_of[number]], number, true);
    }
}

static void run_by_chance(unsigned workers, uint64_t seed)
{
    filch_pool *pool = pool_opened_with(&(filch_pool_options){.processes = workers});
    struct program *program = calloc(1, sizeof *program);
    *program = (struct program){.pool = pool, .seed = seed, .state = seed * 2 + 1};
    for (int i = 0; i < NUMBERS; i++) {
        program->end_of[i] = -1;
    }
    const char *chosen = getenv("FILCH_TEST_STEPS");
    int steps = chosen ? atoi(chosen) : STEPS;
    for (program->step = 0; program->step < steps; program->step++) {
        int number = any_number(program);
        if (number < 0 || chance(program, 12) == 0) {
            open_two(program);
        } else {
            do_something_to(program, number);
        }
    }
    close_all(program);
    free(program);
    pool_closed(pool);
}

START_TEST(every_wait_ends_when_it_must_whatever_is_done_to_descriptors)
{
    const char *chosen = getenv("FILCH_TEST_SEED");
    uint64_t seed = chosen ? strtoull(chosen, NULL, 10) : (uint64_t)(filch_now() * 1e6);
    printf("descriptors: %d workers, seed %llu\n", 1 << _i, (unsigned long long)seed);
    fflush(stdout);
    run_by_chance(1U << _i, seed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("descriptors");
    TCase *tcase = tcase_create("descriptors");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, a_number_that_is_used_again_is_read_whatever_waited_for_it_before, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_was_given_up_keeps_nothing_alive, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, what_a_number_stood_for_wakes_none_that_waits_for_the_new_one, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, waiting_beside_what_is_ready_for_ever_takes_no_time, 0, 2);
    tcase_add_loop_test(tcase, all_that_wait_for_what_was_closed_plainly_fail_when_that_is_seen, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, a_wait_that_was_cancelled_takes_nothing_from_the_next_in_line);
    tcase_add_test(tcase, a_descriptor_that_was_waited_for_is_ready);
    tcase_add_test(tcase, a_byte_for_two_readers_of_a_blocking_pipe_blocks_no_worker);
    tcase_add_loop_test(tcase, what_the_system_answers_at_once_is_answered_at_once, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, reading_and_writing_leave_the_flags_alone, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_terminal_is_waited_for_like_a_socket, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, connect_says_0_only_when_it_is_connected, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, connecting_to_a_local_listener_waits_until_it_has_room, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_close_ends_the_waits_of_tasks_guests_and_threads, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_task_can_stop_a_server_that_is_no_task, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_close_ends_waits_when_there_are_no_descriptors_left);
    tcase_add_loop_test(tcase, what_waited_when_it_was_closed_never_reads_what_has_its_number_next,
                        0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_wait_that_begins_while_it_is_closed_ends, 0, WORKER_SWEEP);
    tcase_add_test(tcase, pools_end_while_descriptors_are_closed);
    tcase_add_loop_test(tcase, a_child_of_a_fork_waits_by_itself_and_disturbs_none_of_the_parent, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, every_wait_ends_when_it_must_whatever_is_done_to_descriptors, 0, 3);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
