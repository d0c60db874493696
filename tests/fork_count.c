/* fib(argument) on a pool of one worker; with "serial" the same recursion as plain calls, with
 * "reentrant" on two workers, by way of plain code: fast_path.sh counts the instructions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

FILCH_FORK_FUNCTION(long, fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

FILCH_FORK_FUNCTION(long, reentrant_fib, (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, reentrant_fib, n - 1);
    long right = reentrant_fib(n - 2); /* as from a callback that knows nothing of lanes */
    return FILCH_JOIN(left) + right;
}

static __attribute__((noinline)) long serial_fib(int n)
{
    if (n < 2) {
        return n;
    }
    long left = serial_fib(n - 1);
    return left + serial_fib(n - 2);
}

static filch_status fib_on(unsigned workers, int n, long *result)
{
    filch_status status;
    const filch_pool_options options = {.processes = workers};
    FILCH_WITH_POOL(pool, &options, &status) {
        status = workers == 1 ? fib_apply(pool, n, result) : reentrant_fib_apply(pool, n, result);
    }
    return status;
}

int main(int count, char **arguments)
{
    int n = count > 1 ? atoi(arguments[1]) : 0;
    const char *how = count > 2 ? arguments[2] : "";
    long result = 0;
    if (strcmp(how, "serial") == 0) {
        result = serial_fib(n);
    } else if (fib_on(strcmp(how, "reentrant") == 0 ? 2 : 1, n, &result) != FILCH_OK) {
        return 1;
    }
    printf("%ld\n", result);
    return 0;
}
