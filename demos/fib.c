/* Fork and join without a cut-off: each call may be stolen, and costs next to nothing if not. */
#include <stdio.h>

#include <filch/filch.h>

FILCH_FORK_FUNCTION(long, fib, "The n-th Fibonacci number", (int, n))
{
    if (n < 2) {
        return n;
    }
    FILCH_FORK(left, fib, n - 1);
    long right = FILCH_CALL(fib, n - 2);
    return FILCH_JOIN(left) + right;
}

int main(void)
{
    printf("fib(35) = %ld\n", fib(35));
    return 0;
}
