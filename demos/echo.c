/* A server and its clients on the loopback: a task for each end of each connection, all open at
 * once. echo [CONNECTIONS], by default 1,000; 0: the server alone. SIGTERM stops it. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <filch/filch.h>

FILCH_FUNCTION(void, echo, (int, socket))
{
    char buffer[64];
    ssize_t n = 1;
    while (n > 0 && (n = filch_read(socket, buffer, sizeof buffer)) > 0) {
        n = filch_write(socket, buffer, (size_t)n);
    }
    filch_close(socket); /* an error ends this connection, and no other */
}

static filch_wait_group connected;
static atomic_int well;
/* Says a word when all are connected, within 10 s, and hears it. Its error cancels the group. */
FILCH_FUNCTION(void, talk, (const struct sockaddr_in *, to))
{
    char heard[5] = "";
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* if there is none: -EBADF */
    ssize_t n = filch_connect(client, (const struct sockaddr *)to, sizeof *to);
    if (n == 0 && filch_wait_group_done(&connected) == FILCH_OK &&
        filch_wait_group_wait_until(&connected, filch_in(10)) == FILCH_OK) {
        n = filch_write(client, "hello", 5);
    }
    for (ssize_t got = 0; got < 5 && n > 0; got += n) {
        n = filch_read(client, heard + got, 5 - (size_t)got);
    }
    filch_close(client);
    well += memcmp(heard, "hello", 5) == 0;
    if (n <= 0) {
        filch_raise(1, "a client: %s", n < 0 ? strerror((int)-n) : "not answered");
    }
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? atoi(argv[1]) : 1000;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    struct rlimit files;
    int limited = getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max; /* two for each connection are needed */
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || filch_signal_block(SIGTERM) != FILCH_OK || /* it is waited for instead */
        bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 || limited != 0 ||
        setrlimit(RLIMIT_NOFILE, &files) != 0) {
        return perror("echo"), EXIT_FAILURE;
    }
    if (connections == 0) {
        fprintf(stderr, "port %d\n", ntohs(address.sin_port));
    }
    bool stopped = false;
    filch_error error;
    filch_status status;
    FILCH_WITH_POOL(pool, &(filch_pool_options){.stack_bytes = 64 * 1024}, &status) {
        FILCH_WITH_GROUP(all, pool, &(filch_group_options){.cancel_on_error = 1}, &status) {
            bool begun = filch_wait_group_add(&connected, (unsigned)connections) == FILCH_OK;
            for (int i = 0; (i < connections || !connections) && begun; i++) {
                int socket = -1;
                begun = !connections || talk_spawn(all, &address) == FILCH_OK;
                stopped = begun && FILCH_FIRST(filch_never(), filch_on_signal(SIGTERM, NULL),
                                               filch_on_accept(listener, &socket)) == 0;
                begun = begun && socket >= 0 && echo_spawn(all, socket) == FILCH_OK;
            }
            /* it ends all waits in the group; else that waits for clients that still talk */
            status = begun ? FILCH_OK : filch_group_cancel(all);
            status = filch_group_wait(all, &error);
        }
    }
    printf("%d of %d connections heard their own word\n", well, connections);
    if (!stopped && (status != FILCH_OK || well != connections)) {
        const char *why = status == FILCH_ERAISED ? error.message : filch_strerror(status);
        return fprintf(stderr, "echo: %s\n", why), EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
