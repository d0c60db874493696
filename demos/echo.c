/* A server and its clients, two processes on the loopback: plain sequential code, a task for each
 * end of each connection. echo [CONNECTIONS]: 1,000 if it is not said; all are open at the same
 * time. */
#include <math.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filch/filch.h>

FILCH_FUNCTION(void, echo, (int, socket))
{
    char buffer[64];
    ssize_t n;
    while ((n = filch_read(socket, buffer, sizeof buffer, INFINITY)) > 0) {
        filch_write(socket, buffer, (size_t)n, INFINITY);
    }
    filch_close(socket);
}

static int serve(int listener, int connections)
{
    filch_status status;
    FILCH_WITH_POOL(pool, &(filch_pool_options){.stack_bytes = 64 * 1024}, &status) {
        for (int i = 0, socket = 0; i < connections && socket >= 0; i++) {
            socket = filch_accept(listener, NULL, NULL, INFINITY);
            echo_apply_async(pool, socket, NULL); /* an error ends at its first read */
        }
        filch_close(listener); /* leaving the pool waits for those who talk still */
    }
    return status == FILCH_OK ? 0 : 1;
}

/* Says a word when all are connected, and hears it. */
FILCH_FUNCTION(void, talk, (const struct sockaddr_in *, to), (filch_wait_group *, connected),
               (atomic_int *, well))
{
    char heard[5] = "";
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = filch_connect(client, (const struct sockaddr *)to, sizeof *to, INFINITY);
    filch_wait_group_done(connected);
    filch_wait_group_wait(connected);
    if (error == 0 && filch_write(client, "hello", 5, INFINITY) == 5) {
        for (ssize_t got = 0, n = 1; got < 5 && n > 0; got += n) {
            n = filch_read(client, heard + got, 5 - (size_t)got, INFINITY);
        }
    }
    filch_close(client);
    *well += memcmp(heard, "hello", 5) == 0;
}

static int talk_all(const struct sockaddr_in *to, int connections)
{
    filch_wait_group connected = FILCH_WAIT_GROUP_INIT;
    atomic_int all = 0;
    filch_wait_group_add(&connected, (unsigned)connections);
    filch_status status;
    FILCH_WITH_POOL(pool, &(filch_pool_options){.stack_bytes = 64 * 1024}, &status) {
        for (int i = 0; i < connections; i++) {
            talk_apply_async(pool, to, &connected, &all, NULL);
        }
    }
    printf("%d of %d connections heard their own word\n", all, connections);
    return status == FILCH_OK && all == connections ? 0 : 1;
}

static int listen_at(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &length) != 0) {
        exit(1);
    }
    return listener;
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? atoi(argv[1]) : 1000;
    struct sockaddr_in address;
    int listener = listen_at(&address);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max; /* one for each connection is needed, on each side */
    setrlimit(RLIMIT_NOFILE, &files);
    if (fork() == 0) { /* before there are any pools */
        return talk_all(&address, connections);
    }
    int failed = 1;
    return serve(listener, connections) != 0 || wait(&failed) < 0 || failed != 0;
}
