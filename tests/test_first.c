/* The first of several things, of whatever kind: for tasks, and for threads of no pool. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>

#include "debug/deadlock.h"
#include "gates.h"
#include "sync/channel.h"

FILCH_CHANNEL(numbers, int);

/* One thing of each kind; what happens to them is for each test to say. */
enum { CHANNEL, PIPE, LISTENER, FUTURE, KINDS };

struct things {
    numbers box;
    int ends[2];
    int listener;
    struct sockaddr_in address;
    filch_promise *promise;
    filch_future *future;
    /* answers */
    int value;
    filch_status received;
    short came;
    int connection;
};

static void listen_at(struct things *things)
{
    socklen_t length = sizeof things->address;
    things->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    things->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(things->listener, 0);
    ck_assert_int_eq(bind(things->listener, (struct sockaddr *)&things->address, length), 0);
    ck_assert_int_eq(listen(things->listener, 16), 0);
    ck_assert_int_eq(getsockname(things->listener, (struct sockaddr *)&things->address, &length),
                     0);
}

static struct things things_new(void)
{
    struct things things = {.value = -1, .received = FILCH_EPENDING, .connection = -1};
    ck_assert_int_eq(numbers_new(1, &things.box), FILCH_OK);
    ck_assert_int_eq(pipe(things.ends), 0);
    listen_at(&things);
    ck_assert_int_eq(filch_promise_new(sizeof(int), &things.promise, &things.future), FILCH_OK);
    return things;
}

static void things_free(struct things *things)
{
    numbers_free(things->box);
    close(things->ends[0]);
    close(things->ends[1]);
    close(things->listener);
    if (things->connection >= 0) {
        close(things->connection);
    }
    filch_promise_free(things->promise);
    filch_future_free(things->future);
}

static int client_of(const struct things *things)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(
        filch_connect(client, (const struct sockaddr *)&things->address, sizeof things->address),
        0);
    return client;
}

/* Let it happen. A client's socket, or -1. */
static int happen(struct things *things, int kind)
{
    int value = 7;
    switch (kind) {
    case CHANNEL: ck_assert_int_eq(numbers_send(things->box, value), FILCH_OK); return -1;
    case PIPE: ck_assert_int_eq(write(things->ends[1], "x", 1), 1); return -1;
    case LISTENER: return client_of(things);
    default: ck_assert_int_eq(filch_promise_set_value(things->promise, &value), FILCH_OK);
    }
    return -1;
}

static int first_of(struct things *things, filch_deadline until, unsigned *turn)
{
    filch_case cases[KINDS] = {
        [CHANNEL] = numbers_receiving(things->box, &things->value, &things->received),
        [PIPE] = filch_on_fd(things->ends[0], POLLIN, &things->came),
        [LISTENER] = filch_on_accept(things->listener, &things->connection),
        [FUTURE] = filch_on_future(things->future)};
    return filch_first(cases, KINDS, until, turn);
}

/* What happened is answered, and nothing else is; nobody is left in a line. */
static void answers_are_of(const struct things *things, int kind)
{
    ck_assert_ptr_null(things->box.untyped->receivers.first);
    ck_assert_int_eq(things->value, kind == CHANNEL ? 7 : -1);
    ck_assert_int_eq(things->received, kind == CHANNEL ? FILCH_OK : FILCH_EPENDING);
    ck_assert_int_eq(things->came, kind == PIPE ? POLLIN : 0);
    ck_assert_int_eq(things->connection >= 0, kind == LISTENER);
}

static atomic_int begun;

FILCH_FUNCTION(int, waits_for_first, (struct things *, things))
{
    atomic_fetch_add(&begun, 1);
    return first_of(things, filch_never(), NULL);
}

START_TEST(a_task_is_told_what_happens_first)
{
    filch_pool *pool = pool_opened(_i);
    for (int kind = 0; kind < KINDS; kind++) {
        struct things things = things_new();
        filch_future *future;
        int chosen = -1;
        atomic_store(&begun, 0);
        ck_assert_int_eq(waits_for_first_apply_async(pool, &things, &future), FILCH_OK);
        await(&begun, 1);
        filch_sleep(0.003);
        ck_assert(!filch_future_ready(future));
        int client = happen(&things, kind);
        ck_assert_int_eq(waits_for_first_get(future, &chosen), FILCH_OK);
        ck_assert_int_eq(chosen, kind);
        answers_are_of(&things, kind);
        filch_future_free(future);
        close(client);
        things_free(&things);
    }
    pool_closed(pool);
}
END_TEST

static int thread_waits(void *things)
{
    atomic_fetch_add(&begun, 1);
    return first_of(things, filch_never(), NULL);
}

START_TEST(a_thread_of_no_pool_is_told_what_happens_first)
{
    for (int kind = 0; kind < KINDS; kind++) {
        struct things things = things_new();
        thrd_t thread;
        int chosen = -1;
        atomic_store(&begun, 0);
        ck_assert_int_eq(thrd_create(&thread, thread_waits, &things), thrd_success);
        await(&begun, 1);
        filch_sleep(0.003);
        int client = happen(&things, kind);
        thrd_join(thread, &chosen);
        ck_assert_int_eq(chosen, kind);
        answers_are_of(&things, kind);
        close(client);
        things_free(&things);
    }
}
END_TEST

START_TEST(what_is_not_chosen_has_not_happened)
{
    for (unsigned kind = 0; kind < KINDS; kind++) {
        struct things things = things_new();
        unsigned turn = kind + KINDS - 1;
        char byte;
        int client = -1;
        for (int k = 0; k < KINDS; k++) {
            int made = happen(&things, k);
            client = made >= 0 ? made : client;
        }
        ck_assert_int_eq(first_of(&things, filch_never(), &turn), (int)kind);
        ck_assert_uint_eq(turn, kind);
        answers_are_of(&things, (int)kind);
        ck_assert_uint_eq(numbers_count(things.box), kind == CHANNEL ? 0 : 1);
        ck_assert_int_eq(read(things.ends[0], &byte, 1), 1);
        int second = filch_accept_until(things.listener, NULL, NULL, filch_in(0));
        ck_assert_int_eq(second >= 0, kind != LISTENER);
        if (second >= 0) {
            close(second);
        }
        close(client);
        things_free(&things);
    }
}
END_TEST

START_TEST(those_that_can_be_done_are_served_in_turn)
{
    int ends[2];
    numbers box;
    struct gates gates = gates_new();
    unsigned turn = 3;
    int times[4] = {0};
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(numbers_new(FILCH_UNBOUNDED, &box), FILCH_OK);
    open_gate(&gates, 0);
    for (int i = 0; i < 40; i++) {
        const int value = i;
        filch_case cases[] = {filch_on_fd(ends[0], POLLIN, NULL), filch_on_future(gates.futures[0]),
                              numbers_sending(box, &value, NULL), filch_on_time(filch_in(0))};
        ck_assert_int_eq(filch_first(cases, 4, filch_never(), &turn), i % 4);
        int any = filch_first(cases, 4, filch_never(), NULL);
        ck_assert(any >= 0 && any < 4);
        times[any]++;
    }
    ck_assert_int_lt(times[0], 40); /* no case always comes before another */
    close(ends[0]);
    close(ends[1]);
    numbers_free(box);
    gates_free(&gates);
}
END_TEST

FILCH_FUNCTION(void, times_out, (filch_future *, never))
{
    filch_case cases[] = {filch_on_future(never), filch_on_time(filch_in(0.002))};
    ck_assert_int_eq(filch_first(cases, 2, filch_never(), NULL), 1);
    ck_assert_int_eq(filch_first(cases, 2, filch_in(0), NULL), 1); /* it has passed for good */
    ck_assert_int_eq(filch_first(cases, 1, filch_in(0.002), NULL), -FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_first(cases, 1, filch_in(0), NULL), -FILCH_ETIMEDOUT);
    cases[1] = filch_on_time(filch_in(3600));
    ck_assert_int_eq(filch_first(cases, 2, filch_in(0.002), NULL), -FILCH_ETIMEDOUT);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0.002), filch_none(), filch_none()), -FILCH_ETIMEDOUT);
    ck_assert_int_eq(filch_first(NULL, 0, filch_in(0.002), NULL), -FILCH_ETIMEDOUT);
}

START_TEST(a_time_is_a_case_and_a_deadline_an_answer)
{
    filch_pool *pool = pool_opened(_i);
    struct gates gates = gates_new();
    ck_assert_int_eq(times_out_apply(pool, gates.futures[0]), FILCH_OK);
    times_out(gates.futures[0]);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

START_TEST(cancelling_ends_the_wait_and_takes_nothing)
{
    filch_pool *pool = pool_opened(_i);
    struct things things = things_new();
    filch_status status;
    int chosen = 0;
    atomic_store(&begun, 0);
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(waits_for_first_spawn(group, &things, &chosen), FILCH_OK);
        while (atomic_load(&begun) < 1) {
            filch_sleep(1e-3);
        }
        filch_sleep(0.003);
        filch_group_cancel(group);
    }
    ck_assert_int_eq(status, FILCH_ECANCELED);
    ck_assert_int_eq(chosen, -FILCH_ECANCELED);
    answers_are_of(&things, KINDS);
    filch_future *future; /* all can be waited for again */
    ck_assert_int_eq(waits_for_first_apply_async(pool, &things, &future), FILCH_OK);
    happen(&things, PIPE);
    ck_assert_int_eq(waits_for_first_get(future, &chosen), FILCH_OK);
    ck_assert_int_eq(chosen, PIPE);
    filch_future_free(future);
    things_free(&things);
    pool_closed(pool);
}
END_TEST

/* ---- groups ---- */

FILCH_FUNCTION(int, naps, (double, seconds))
{
    filch_sleep(seconds);
    return 1;
}

/* Its owner comes back to the group again and again while its tasks end. */
FILCH_FUNCTION(int, waits_for_its_group, (filch_pool *, pool), (int, fd))
{
    filch_status status;
    int chosen = -1;
    int results[20] = {0};
    int sum = 0;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_group(group)), 0); /* it has no task */
        for (int i = 0; i < 20; i++) {
            ck_assert_int_eq(naps_spawn(group, 1e-4 * i, &results[i]), FILCH_OK);
            chosen = FILCH_FIRST(filch_in(1e-4), filch_on_fd(fd, POLLIN, NULL),
                                 filch_on_group(group), filch_on_group(group));
            ck_assert(chosen == 1 || chosen == 2 || chosen == -FILCH_ETIMEDOUT);
        }
        chosen = FILCH_FIRST(filch_never(), filch_on_fd(fd, POLLIN, NULL), filch_on_group(group));
        ck_assert_int_eq(chosen, 1);
        for (int i = 0; i < 20; i++) {
            sum += results[i];
        }
    }
    ck_assert_int_eq(status, FILCH_OK);
    return sum;
}

START_TEST(a_group_is_one_of_several_things_to_its_owner)
{
    filch_pool *pool = pool_opened(_i);
    int ends[2];
    int sum = 0;
    ck_assert_int_eq(pipe(ends), 0);
    for (int round = 0; round < 10; round++) {
        ck_assert_int_eq(waits_for_its_group_apply(pool, pool, ends[0], &sum), FILCH_OK);
        ck_assert_int_eq(sum, 20);
        ck_assert_int_eq(waits_for_its_group(pool, ends[0]), 20);
    }
    close(ends[0]);
    close(ends[1]);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK); /* the default pool may have grown */
}
END_TEST

/* ---- descriptors ---- */

FILCH_FUNCTION(int, accepts_or_ends, (int, listener), (filch_future *, end))
{
    int connection = -1;
    atomic_fetch_add(&begun, 1);
    int chosen =
        FILCH_FIRST(filch_never(), filch_on_accept(listener, &connection), filch_on_future(end));
    return chosen == 0 ? connection : -1 - chosen;
}

START_TEST(a_connection_is_accepted_by_one_and_the_others_wait_on)
{
    enum { CALLERS = 6 };
    filch_pool *pool = pool_opened(_i);
    struct things things = things_new();
    filch_future *futures[CALLERS];
    int clients[2];
    int accepted = 0;
    atomic_store(&begun, 0);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(
            accepts_or_ends_apply_async(pool, things.listener, things.future, &futures[i]),
            FILCH_OK);
    }
    await(&begun, CALLERS);
    filch_sleep(0.003);
    clients[0] = client_of(&things);
    clients[1] = client_of(&things);
    filch_future *first;
    filch_completions *set;
    ck_assert_int_eq(filch_as_completed(futures, CALLERS, &set), FILCH_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(filch_completions_next(set, &first, NULL), FILCH_OK);
        filch_future_free(first);
    }
    filch_completions_free(set);
    happen(&things, FUTURE);
    for (int i = 0; i < CALLERS; i++) {
        int answer = -1;
        ck_assert_int_eq(accepts_or_ends_get(futures[i], &answer), FILCH_OK);
        if (answer >= 0) {
            accepted++;
            close(answer);
        } else {
            ck_assert_int_eq(answer, -2);
        }
        filch_future_free(futures[i]);
    }
    ck_assert_int_eq(accepted, 2);
    close(clients[0]);
    close(clients[1]);
    things_free(&things);
    pool_closed(pool);
}
END_TEST

FILCH_FUNCTION(int, sees_its_end, (int, fd), (int *, connection))
{
    short came = 0;
    atomic_fetch_add(&begun, 1);
    int chosen = connection ? FILCH_FIRST(filch_never(), filch_on_accept(fd, connection))
                            : FILCH_FIRST(filch_never(), filch_on_fd(fd, POLLIN, &came));
    return chosen == 0 ? came : chosen;
}

static int thread_sees_its_end(void *fd)
{
    return sees_its_end(*(int *)fd, NULL);
}

START_TEST(a_descriptor_that_is_closed_meanwhile_is_chosen)
{
    filch_pool *pool = pool_opened(_i);
    struct things things = things_new();
    filch_future *futures[2];
    thrd_t thread;
    int fd = dup(things.ends[0]);
    int came = 0;
    atomic_store(&begun, 0);
    ck_assert_int_eq(sees_its_end_apply_async(pool, fd, NULL, &futures[0]), FILCH_OK);
    ck_assert_int_eq(
        sees_its_end_apply_async(pool, things.listener, &things.connection, &futures[1]), FILCH_OK);
    ck_assert_int_eq(thrd_create(&thread, thread_sees_its_end, &fd), thrd_success);
    await(&begun, 3);
    filch_sleep(0.003);
    ck_assert_int_eq(filch_close(fd), 0);
    ck_assert_int_eq(filch_close(things.listener), 0);
    ck_assert_int_eq(sees_its_end_get(futures[0], &came), FILCH_OK);
    ck_assert_int_eq(came, POLLNVAL);
    ck_assert_int_eq(sees_its_end_get(futures[1], &came), FILCH_OK);
    ck_assert_int_eq(came, 0);
    ck_assert_int_eq(things.connection, -EBADF);
    thrd_join(thread, &came);
    ck_assert_int_eq(came, POLLNVAL);
    filch_future_free(futures[0]);
    filch_future_free(futures[1]);
    things.listener = -1;
    things_free(&things);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK); /* the default pool may have grown */
}
END_TEST

START_TEST(files_on_disk_are_ready_and_what_is_not_open_is_said_so)
{
    filch_pool *pool = pool_opened(_i);
    char path[] = "/tmp/filch-first-XXXXXX";
    int file = mkstemp(path);
    int connection = 0;
    int came = 0;
    ck_assert_int_ge(file, 0);
    unlink(path);
    ck_assert_int_eq(sees_its_end_apply(pool, file, NULL, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLIN);
    ck_assert_int_eq(sees_its_end_apply(pool, file, &connection, &came), FILCH_OK);
    ck_assert_int_eq(connection, -ENOTSOCK);
    close(file);
    ck_assert_int_eq(sees_its_end_apply(pool, file, NULL, &came), FILCH_OK);
    ck_assert_int_eq(came, POLLNVAL);
    ck_assert_int_eq(sees_its_end_apply(pool, file, &connection, &came), FILCH_OK);
    ck_assert_int_eq(connection, -EBADF);
    pool_closed(pool);
}
END_TEST

/* ---- bad arguments, and waits that nothing ends ---- */

START_TEST(bad_cases_are_refused)
{
    int any;
    filch_case strange = filch_none();
    strange.kind = 1000;
    ck_assert_int_eq(filch_first(NULL, 1, filch_in(0), NULL), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_fd(-1, POLLIN, NULL)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_fd(0, 0, NULL)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_accept(-1, &any)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_accept(0, NULL)), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), strange), -FILCH_EINVAL);
    ck_assert_int_eq(FILCH_FIRST(filch_in(0), filch_on_future(NULL), filch_on_group(NULL),
                                 filch_on_receive(NULL, &any, NULL)),
                     -FILCH_ETIMEDOUT); /* left out */
}
END_TEST

FILCH_FUNCTION(int, waits_in_vain, (numbers, box), (filch_future *, never))
{
    int value;
    return FILCH_FIRST(filch_never(), numbers_receiving(box, &value, NULL), filch_on_future(never),
                       filch_on_future(NULL));
}

START_TEST(a_wait_that_nothing_can_end_is_told_so)
{
    filch_pool *pool = pool_opened(_i);
    numbers box;
    struct gates gates = gates_new();
    int chosen = 0;
    ck_assert_int_eq(numbers_new(0, &box), FILCH_OK);
    ck_assert_int_eq(waits_in_vain_apply(pool, box, gates.futures[0], &chosen), FILCH_OK);
    ck_assert_int_eq(chosen, -FILCH_EDEADLK);
    numbers_free(box);
    gates_free(&gates);
    pool_closed(pool);
}
END_TEST

/* ---- all at once ---- */

enum { ROUNDS = 300, SERVERS = 3 };

struct traffic {
    numbers box;
    int ends[2];
    filch_future *over;
    atomic_int values;
    atomic_int bytes;
};

static filch_deadline soon(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    unsigned kind = *seed >> 16 & 3;
    return kind == 0 ? filch_never() : filch_in(kind == 1 ? 0 : 1e-5 * kind);
}

/* Until all is over and nothing is left. */
FILCH_FUNCTION(int, serves_all, (struct traffic *, traffic), (unsigned, seed))
{
    int wrong = 0;
    for (unsigned turn = 0;;) {
        int value;
        char byte;
        short came;
        filch_status received = FILCH_EPENDING;
        filch_case cases[] = {filch_on_fd(traffic->ends[0], POLLIN, &came),
                              numbers_receiving(traffic->box, &value, &received),
                              filch_on_future(traffic->over)};
        int chosen = filch_first(cases, 3, soon(&seed), &turn);
        if (chosen == 0) { /* another may have been faster to read it */
            atomic_fetch_add(&traffic->bytes, read(traffic->ends[0], &byte, 1) == 1);
        } else if (chosen == 1) {
            wrong += received != FILCH_OK;
            atomic_fetch_add(&traffic->values, 1);
        } else if (chosen == 2 && atomic_load(&traffic->bytes) == ROUNDS &&
                   atomic_load(&traffic->values) == ROUNDS) {
            return wrong;
        } else if (chosen < 0) {
            wrong += chosen != -FILCH_ETIMEDOUT;
            filch_yield();
        } else if (chosen == 2) {
            filch_yield();
        }
    }
}

FILCH_FUNCTION(int, sends_values, (struct traffic *, traffic))
{
    int wrong = 0;
    for (int i = 0; i < ROUNDS; i++) {
        wrong += numbers_send(traffic->box, i) != FILCH_OK;
    }
    return wrong;
}

static int thread_serves(void *traffic)
{
    return serves_all(traffic, 77);
}

START_TEST(nothing_is_lost_or_done_twice)
{
    filch_pool *pool = pool_opened(_i);
    struct traffic traffic = {.values = 0};
    filch_promise *promise;
    filch_future *servers[SERVERS];
    filch_future *sender;
    thrd_t thread;
    int wrong = 0;
    ck_assert_int_eq(numbers_new(0, &traffic.box), FILCH_OK);
    ck_assert_int_eq(pipe2(traffic.ends, O_NONBLOCK), 0);
    ck_assert_int_eq(filch_promise_new(sizeof(int), &promise, &traffic.over), FILCH_OK);
    for (unsigned i = 0; i < SERVERS; i++) {
        ck_assert_int_eq(serves_all_apply_async(pool, &traffic, i, &servers[i]), FILCH_OK);
    }
    ck_assert_int_eq(sends_values_apply_async(pool, &traffic, &sender), FILCH_OK);
    ck_assert_int_eq(thrd_create(&thread, thread_serves, &traffic), thrd_success);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert_int_eq(filch_write(traffic.ends[1], "x", 1), 1);
    }
    ck_assert_int_eq(sends_values_get(sender, &wrong), FILCH_OK);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(filch_promise_set_value(promise, &wrong), FILCH_OK);
    for (int i = 0; i < SERVERS; i++) {
        ck_assert_int_eq(serves_all_get(servers[i], &wrong), FILCH_OK);
        ck_assert_int_eq(wrong, 0);
        filch_future_free(servers[i]);
    }
    thrd_join(thread, &wrong);
    ck_assert_int_eq(wrong, 0);
    ck_assert_int_eq(traffic.values, ROUNDS);
    ck_assert_int_eq(traffic.bytes, ROUNDS);
    filch_future_free(sender);
    filch_future_free(traffic.over);
    filch_promise_free(promise);
    numbers_free(traffic.box);
    close(traffic.ends[0]);
    close(traffic.ends[1]);
    ck_assert_int_eq(filch_pool_free(pool), FILCH_OK); /* the default pool may have grown */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("first");
    TCase *tcase = tcase_create("first");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, a_task_is_told_what_happens_first, 0, WORKER_SWEEP);
    tcase_add_test(tcase, a_thread_of_no_pool_is_told_what_happens_first);
    tcase_add_test(tcase, what_is_not_chosen_has_not_happened);
    tcase_add_test(tcase, those_that_can_be_done_are_served_in_turn);
    tcase_add_loop_test(tcase, a_time_is_a_case_and_a_deadline_an_answer, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, cancelling_ends_the_wait_and_takes_nothing, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_group_is_one_of_several_things_to_its_owner, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_connection_is_accepted_by_one_and_the_others_wait_on, 0,
                        WORKER_SWEEP);
    tcase_add_loop_test(tcase, a_descriptor_that_is_closed_meanwhile_is_chosen, 0, WORKER_SWEEP);
    tcase_add_loop_test(tcase, files_on_disk_are_ready_and_what_is_not_open_is_said_so, 0,
                        WORKER_SWEEP);
    tcase_add_test(tcase, bad_cases_are_refused);
    if (filch_deadlock_knows_threads()) {
        tcase_add_loop_test(tcase, a_wait_that_nothing_can_end_is_told_so, 0, WORKER_SWEEP);
    }
    tcase_add_loop_test(tcase, nothing_is_lost_or_done_twice, 0, WORKER_SWEEP);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
