/* Many tasks: spawned and waited for, asleep, waiting for one broadcast, each at a connection.
 * talk.go has the same rows with goroutines. */
#include <netinet/in.h>
#include <sys/resource.h>

#include "rounds.h"

enum { MESSAGE = 64, CONNECTIONS = 1000 };

FILCH_FUNCTION(int, same, (int, x))
{
    return x;
}

FILCH_FUNCTION(int, rest, (double, seconds))
{
    return filch_sleep(seconds) == FILCH_OK;
}

FILCH_FUNCTION(void, note, (int *, out), (filch_wait_group *, all))
{
    *out = 1;
    must(filch_wait_group_done(all) == FILCH_OK, "filch_wait_group_done()");
}

static void *memory_for(int n, size_t bytes)
{
    void *memory = calloc((size_t)n, bytes);
    must(memory != NULL, "calloc()");
    return memory;
}

static void add_up(int *numbers, int n, uint64_t *check)
{
    for (int i = 0; i < n; i++) {
        *check += (uint64_t)numbers[i];
    }
    free(numbers);
}

/* A task that is spawned into a group and waited for with it. */
static double spawn_group(filch_pool *pool, int size, uint64_t *check)
{
    int *out = memory_for(size, sizeof *out);
    filch_status status;
    double start = now_ns();
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < size; i++) {
            must(same_spawn(group, i, &out[i]) == FILCH_OK, "spawning");
        }
    }
    double ns = now_ns() - start;
    must(status == FILCH_OK, "a group");
    add_up(out, size, check);
    return ns / size;
}

FILCH_FUNCTION(double, spawn_here, (filch_pool *, pool), (int, size), (uint64_t *, check))
{
    return spawn_group(pool, size, check);
}

/* The same from inside a task. */
static double spawn_inside(filch_pool *pool, int size, uint64_t *check)
{
    filch_future *future;
    double ns = 0;
    must(spawn_here_apply_async(pool, pool, size, check, &future) == FILCH_OK &&
             filch_future_wait_until(future, filch_in(100)) == FILCH_OK &&
             spawn_here_get(future, &ns) == FILCH_OK,
         "a task that spawns");
    filch_future_free(future);
    return ns;
}

/* A future that is submitted, all before the first is waited for. */
static double spawn_futures(filch_pool *pool, int size, uint64_t *check)
{
    filch_future **futures = memory_for(size, sizeof *futures);
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        must(same_apply_async(pool, i, &futures[i]) == FILCH_OK, "submitting");
    }
    for (int i = 0; i < size; i++) {
        int x = 0;
        must(same_get(futures[i], &x) == FILCH_OK, "a future");
        filch_future_free(futures[i]);
        *check += (uint64_t)x;
    }
    double ns = now_ns() - start;
    free(futures);
    return ns / size;
}

/* A task of a wait group of so many: added, submitted, done, waited for. */
static double wait_group(filch_pool *pool, int size, uint64_t *check)
{
    filch_wait_group all = FILCH_WAIT_GROUP_INIT;
    int *out = memory_for(size, sizeof *out);
    double start = now_ns();
    for (int i = 0; i < size; i++) {
        must(filch_wait_group_add(&all, 1) == FILCH_OK &&
                 note_apply_async(pool, &out[i], &all, NULL) == FILCH_OK,
             "submitting");
    }
    must(filch_wait_group_wait(&all) == FILCH_OK, "filch_wait_group_wait()");
    double ns = now_ns() - start;
    add_up(out, size, check);
    return ns / size;
}

/* All together, from the first spawn to the last end. */
static double sleepers(filch_pool *pool, int size, uint64_t *check)
{
    int *out = memory_for(size, sizeof *out);
    filch_status status;
    double start = now_ns();
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < size; i++) {
            must(rest_spawn(group, 0.2, &out[i]) == FILCH_OK, "spawning");
        }
    }
    double ns = now_ns() - start;
    must(status == FILCH_OK, "a group");
    add_up(out, size, check);
    return ns;
}

/* ---- a broadcast ---- */

struct crowd {
    filch_mutex mutex;
    filch_condition all_here;
    filch_condition opened;
    filch_wait_group left;
    int here;
    int expected;
    bool open;
};

FILCH_FUNCTION(void, stand_by, (struct crowd *, of), (int *, out))
{
    must(filch_mutex_lock(&of->mutex) == FILCH_OK, "locking");
    if (++of->here == of->expected) {
        filch_condition_signal(&of->all_here);
    }
    while (!of->open) {
        must(filch_condition_wait(&of->opened, &of->mutex) == FILCH_OK, "waiting");
    }
    must(filch_mutex_unlock(&of->mutex) == FILCH_OK, "unlocking");
    *out = 1;
    must(filch_wait_group_done(&of->left) == FILCH_OK, "filch_wait_group_done()");
}

/* One that waits on a condition: woken by a broadcast to all, it takes the mutex, and ends. */
static double broadcast(filch_pool *pool, int size, uint64_t *check)
{
    struct crowd of = {.expected = size};
    int *out = memory_for(size, sizeof *out);
    must(filch_wait_group_add(&of.left, (unsigned)size) == FILCH_OK, "filch_wait_group_add()");
    for (int i = 0; i < size; i++) {
        must(stand_by_apply_async(pool, &of, &out[i], NULL) == FILCH_OK, "submitting");
    }
    must(filch_mutex_lock(&of.mutex) == FILCH_OK, "locking");
    while (of.here < size) {
        must(filch_condition_wait(&of.all_here, &of.mutex) == FILCH_OK, "waiting");
    }
    double start = now_ns();
    of.open = true;
    filch_condition_broadcast(&of.opened);
    must(filch_mutex_unlock(&of.mutex) == FILCH_OK, "unlocking");
    must(filch_wait_group_wait(&of.left) == FILCH_OK, "filch_wait_group_wait()");
    double ns = now_ns() - start;
    add_up(out, size, check);
    return ns / size;
}

/* ---- an echo ---- */

FILCH_FUNCTION(void, echo, (int, socket))
{
    char buffer[MESSAGE];
    ssize_t n;
    while ((n = filch_read(socket, buffer, sizeof buffer)) > 0) {
        must(filch_write(socket, buffer, (size_t)n) == n, "answering");
    }
    filch_close(socket);
}

/* All that was asked for, which may come in pieces. */
static void read_all(int socket, char *buffer, size_t bytes)
{
    for (size_t got = 0; got < bytes;) {
        ssize_t n = filch_read(socket, buffer + got, bytes - got);
        must(n > 0, "reading");
        got += (size_t)n;
    }
}

FILCH_FUNCTION(int, say, (int, client), (int, messages))
{
    char said[MESSAGE] = "";
    char heard[MESSAGE];
    for (int i = 0; i < messages; i++) {
        memcpy(said, &i, sizeof i);
        must(filch_write(client, said, MESSAGE) == MESSAGE, "writing");
        read_all(client, heard, MESSAGE);
        must(memcmp(said, heard, MESSAGE) == 0, "an echo");
    }
    filch_close(client);
    return messages;
}

static int listener_at(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    struct rlimit files;
    must(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit()");
    files.rlim_cur = files.rlim_max; /* two for each connection are needed */
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(setrlimit(RLIMIT_NOFILE, &files) == 0 &&
             bind(listener, (struct sockaddr *)address, length) == 0 &&
             listen(listener, 4096) == 0 &&
             getsockname(listener, (struct sockaddr *)address, &length) == 0,
         "listening");
    return listener;
}

static void connected(int listener, const struct sockaddr_in *address, int ends[2])
{
    ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(filch_connect(ends[0], (const struct sockaddr *)address, sizeof *address) == 0,
         "connecting");
    ends[1] = filch_accept(listener, NULL, NULL);
    must(ends[1] >= 0, "accepting");
}

/* A message of 64 bytes, there and back: a task at each end of 1,000 connections (or as many as
 * messages), which are made before. */
static double tcp_echo(filch_pool *pool, int size, uint64_t *check)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = listener_at(&address);
    int connections = size < CONNECTIONS ? size : CONNECTIONS;
    int *heard = memory_for(connections, sizeof *heard);
    int(*ends)[2] = memory_for(connections, sizeof *ends);
    filch_status status;
    for (int i = 0; i < connections; i++) {
        connected(listener, &address, ends[i]);
    }
    double start = now_ns();
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < connections; i++) {
            must(echo_spawn(group, ends[i][1]) == FILCH_OK &&
                     say_spawn(group, ends[i][0], size / connections, &heard[i]) == FILCH_OK,
                 "spawning");
        }
    }
    double ns = now_ns() - start;
    must(status == FILCH_OK, "a group");
    filch_close(listener);
    free(ends);
    add_up(heard, connections, check);
    return ns / size;
}

int main(int argc, char **argv)
{
    static const struct rounds rows[] = {{"spawn_group", spawn_group},
                                         {"spawn_inside", spawn_inside},
                                         {"spawn_futures", spawn_futures},
                                         {"wait_group", wait_group},
                                         {"sleepers", sleepers},
                                         {"broadcast", broadcast},
                                         {"tcp_echo", tcp_echo}};
    return run_rounds(rows, sizeof rows / sizeof *rows, argc, argv);
}
