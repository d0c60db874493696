/* A server and its clients in one program, on the loopback: plain sequential code, a task for each
 * end of each connection. echo [CONNECTIONS]: 1,000 if it is not said; all are open at the same
 * time. */
#include <math.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

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

FILCH_FUNCTION(void, serve, (filch_pool *, pool), (int, listener), (int, connections))
{
    filch_status status;
    FILCH_WITH_GROUP(group, pool, NULL, &status) {
        for (int i = 0; i < connections; i++) {
            int socket = filch_accept(listener, NULL, NULL, INFINITY);
            if (socket < 0) {
                break;
            }
            echo_spawn(group, socket);
        }
        filch_close(listener);
    }
}

/* Says a word, waits until all are connected, and hears it. 1 if all was well. */
FILCH_FUNCTION(int, talk, (const struct sockaddr_in *, to), (filch_wait_group *, connected))
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
    return memcmp(heard, "hello", 5) == 0;
}

static int listen_at(struct sockaddr_in *address)
{
    socklen_t length = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)address, &length) != 0) {
        perror("listen");
        exit(1);
    }
    return listener;
}

/* As many connections as there may be descriptors for: two each. */
static int within_limits(int connections)
{
    struct rlimit files = {.rlim_cur = 2 * (rlim_t)connections + 50,
                           .rlim_max = 2 * (rlim_t)connections + 50};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) { /* only root may have more than the maximum */
        getrlimit(RLIMIT_NOFILE, &files);
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int most = (int)(files.rlim_cur / 2) - 25;
    return connections < most ? connections : most;
}

int main(int argc, char **argv)
{
    int connections = within_limits(argc > 1 ? atoi(argv[1]) : 1000);
    struct sockaddr_in address;
    int listener = listen_at(&address);
    filch_wait_group connected = FILCH_WAIT_GROUP_INIT;
    int *well = calloc((size_t)connections, sizeof *well);
    int all = 0;
    filch_status status;
    filch_wait_group_add(&connected, (unsigned)connections);
    FILCH_WITH_POOL(pool, &(filch_pool_options){.stack_bytes = 64 * 1024}, &status) {
        serve_apply_async(pool, pool, listener, connections, NULL);
        FILCH_WITH_GROUP(clients, pool, NULL, &status) {
            for (int i = 0; i < connections; i++) {
                talk_spawn(clients, &address, &connected, &well[i]);
            }
        }
    }
    for (int i = 0; i < connections; i++) {
        all += well[i];
    }
    printf("%d of %d connections heard their own word\n", all, connections);
    free(well);
    return status == FILCH_OK && all == connections ? 0 : 1;
}
