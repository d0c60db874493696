/* A program that uses an installed filch. */
#include <stdio.h>

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

int main(void)
{
    printf("%ld\n", fib(20));
    return 0;
}
