/* What the smallest program takes from its start to its end: this one, started again and again.
 * With -DSERIAL the child is the same without filch. */
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample.h"

#ifndef SERIAL
#include <filch/filch.h>

FILCH_FUNCTION(int, twice, (int, x))
{
    return 2 * x;
}

static int smallest(const int *in, int *out)
{
    return twice_map(NULL, in, 8, out);
}
#else
static int smallest(const int *in, int *out)
{
    for (int i = 0; i < 8; i++) {
        out[i] = 2 * in[i];
    }
    return 0;
}
#endif

extern char **environ;

static double sample_startup(unsigned workers, int size, unsigned long long *check)
{
    char *child[] = {"/proc/self/exe", "child", NULL};
    double start = now_ns();
    (void)workers;
    for (int i = 0; i < size; i++) {
        pid_t pid;
        int status = 1;
        if (posix_spawn(&pid, child[0], NULL, NULL, child, environ) == 0) {
            waitpid(pid, &status, 0);
        }
        *check += WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 1000;
    }
    return (now_ns() - start) / size;
}

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"startup", sample_startup}};
    if (argc == 2) {
        int in[8] = {1, 2, 3, 4, 5, 6, 7, 8};
        int out[8];
        return smallest(in, out) == 0 ? out[7] : 99;
    }
    return run_rows(rows, 1, argc, argv);
}
