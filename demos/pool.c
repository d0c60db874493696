/* The report's pool.py: the sum of the squares of the first 5,000 integers, on all processors. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { COUNT = 5000 };

FILCH_FUNCTION(long long, square, "Function to return the square of the argument", (long long, x))
{
    return x * x;
}

FILCH_REDUCER(long long, add, (long long, x), (long long, y))
{
    return x + y;
}

int main(void)
{
    static long long r[COUNT];
    static long long result[COUNT];
    long long total = 0;
    filch_status status;

    printf("Number of cores available equals %u\n", filch_cpu_count());

    FILCH_WITH_POOL(pool, NULL, &status) {
        for (long long i = 0; i < COUNT; i++) {
            r[i] = i + 1;
        }
        status = square_map(pool, r, COUNT, result);
        if (status == FILCH_OK) {
            status = add_reduce(pool, result, COUNT, 0, &total);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "pool: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    printf("The sum of the square of the first %d integers is %lld\n", COUNT, total);
    return EXIT_SUCCESS;
}
