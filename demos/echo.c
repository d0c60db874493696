/* A server and its clients on the loopback: plain sequential code, a task for each end of each
 * connection, all open at the same time. echo [CONNECTIONS]: 1,000 if it is not said; 0: the server
 * alone, for other clients. SIGTERM stops it. */
#define _GNU_SOURCE
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

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

/* Says a word when all are connected, and hears it. */
FILCH_FUNCTION(void, talk, (const struct sockaddr_in *, to), (filch_wait_group *, connected),
               (atomic_int *, well))
{
    char heard[5] = "";
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    filch_connect(client, (const struct sockaddr *)to, sizeof *to, INFINITY);
    filch_wait_group_done(connected);
    filch_wait_group_wait(connected);
    ssize_t n = filch_write(client, "hello", 5, INFINITY); /* an error ends here at the latest */
    for (ssize_t got = 0; got < 5 && n > 0; got += n) {
        n = filch_read(client, heard + got, 5 - (size_t)got, INFINITY);
    }
    filch_close(client);
    *well += memcmp(heard, "hello", 5) == 0;
}

/* Closing the listener ends the wait for connections, and terminating the pool all others. */
FILCH_FUNCTION(void, stop_at_signal, (filch_pool *, pool), (int, signals), (int, listener),
               (atomic_bool *, stopped))
{
    struct signalfd_siginfo signal;
    *stopped = filch_read(signals, &signal, sizeof signal, INFINITY) > 0;
    filch_close(listener);
    if (*stopped) {
        filch_pool_terminate(pool);
    }
}

int main(int argc, char **argv)
{
    int connections = argc > 1 ? atoi(argv[1]) : 1000;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof address;
    sigset_t term;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max; /* two for each connection are needed */
    setrlimit(RLIMIT_NOFILE, &files);
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL); /* it is read instead */
    int signals = signalfd(-1, &term, SFD_CLOEXEC);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 || listen(listener, 4096) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 || signals < 0) {
        return 1;
    }
    if (connections == 0) {
        fprintf(stderr, "port %d\n", ntohs(address.sin_port));
    }
    filch_status status;
    filch_wait_group connected = FILCH_WAIT_GROUP_INIT;
    atomic_int well = 0;
    atomic_bool stopped = false;
    filch_wait_group_add(&connected, (unsigned)connections);
    FILCH_WITH_POOL(pool, &(filch_pool_options){.stack_bytes = 64 * 1024}, &status) {
        stop_at_signal_apply_async(pool, pool, signals, listener, &stopped, NULL);
        for (int i = 0; i < connections; i++) {
            talk_apply_async(pool, &address, &connected, &well, NULL);
        }
        for (int i = 0, socket = 0; (i < connections || !connections) && socket >= 0; i++) {
            socket = filch_accept(listener, NULL, NULL, INFINITY);
            echo_apply_async(pool, socket, NULL); /* an error ends at its first read */
        }
        filch_close(signals); /* leaving the pool waits for those who talk still */
    }
    printf("%d of %d connections heard their own word\n", well, connections);
    return status == FILCH_OK && (stopped || well == connections) ? 0 : 1;
}
