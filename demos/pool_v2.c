/* The report's pool_v2.py: a chosen number of workers, and which worker computes what. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { COUNT = 20, WORKERS = 8 };

FILCH_FUNCTION(long, square, "Function to return the square of the argument", (long, x))
{
    printf("Worker %u calculating square of %ld\n", filch_worker_id(), x);
    return x * x;
}

FILCH_REDUCER(long, add, (long, x), (long, y))
{
    return x + y;
}

int main(void)
{
    long r[COUNT];
    long result[COUNT];
    long total = 0;
    filch_status status;
    const filch_pool_options eight = {.processes = WORKERS};

    printf("Number of workers equals %d\n", WORKERS);

    FILCH_WITH_POOL(pool, &eight, &status) {
        for (long i = 0; i < COUNT; i++) {
            r[i] = i + 1;
        }
        /* Naming workers and chunk asks for parallelism by name: it is there even for 20 short
         * lines, which one worker would else have printed before the second was awake. */
        status = square_map(FILCH_ON(pool, .chunksize = FILCH_CHUNK(1)), r, COUNT, result);
        if (status == FILCH_OK) {
            status = add_reduce(pool, result, COUNT, 0, &total);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "pool_v2: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    printf("The sum of the square of the first %d integers is %ld\n", COUNT, total);
    return EXIT_SUCCESS;
}
