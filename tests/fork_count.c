/* fib(argument) on a pool of one worker, or with a second argument the same recursion as plain
 * calls: fast_path.sh counts the instructions of both. */
#include <stdio.h>
#include <stdlib.h>

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

static __attribute__((noinline)) long serial_fib(int n)
{
    if (n < 2) {
        return n;
    }
    long left = serial_fib(n - 1);
    return left + serial_fib(n - 2);
}

int main(int count, char **arguments)
{
    int n = count > 1 ? atoi(arguments[1]) : 0;
    long result = 0;
    if (count > 2) {
        result = serial_fib(n);
    } else {
        filch_status status;
        const filch_pool_options one = {.processes = 1};
        FILCH_WITH_POOL(pool, &one, &status) {
            status = fib_apply(pool, n, &result);
        }
        if (status != FILCH_OK) {
            return 1;
        }
    }
    printf("%ld\n", result);
    return 0;
}
