/* "We can also use multiple pools in a single script": two pools at once, each used from a task of
 * the other. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { COUNT = 10 };

FILCH_FUNCTION(long, square, (long, x))
{
    return x * x;
}

FILCH_FUNCTION(long, cube, (long, x))
{
    return x * x * x;
}

FILCH_REDUCER(long, add, (long, x), (long, y))
{
    return x + y;
}

/* Runs in one pool and maps in another; waiting for it costs this pool no core. */
FILCH_FUNCTION(long, sum_of_cubes_in, (filch_pool *, other), (const long *, numbers))
{
    long cubes[COUNT];
    long total = 0;
    filch_status status = cube_map(other, numbers, COUNT, cubes);
    if (status == FILCH_OK) {
        status = add_reduce(other, cubes, COUNT, 0, &total);
    }
    if (status != FILCH_OK) {
        filch_raise(1, "the sum of the cubes: %s", filch_strerror(status));
    }
    return total;
}

int main(void)
{
    long numbers[COUNT];
    long squares[COUNT];
    long total = 0;
    long cubes = 0;
    filch_status first;
    filch_status second = FILCH_OK;

    for (long i = 0; i < COUNT; i++) {
        numbers[i] = i + 1;
    }
    FILCH_WITH_POOL(one, NULL, &first) {
        FILCH_WITH_POOL(two, NULL, &second) {
            first = square_map(one, numbers, COUNT, squares);
            if (first == FILCH_OK) {
                second = add_reduce(two, squares, COUNT, 0, &total);
            }
            if (second == FILCH_OK) {
                second = sum_of_cubes_in_apply(one, two, numbers, &cubes);
            }
        }
    }
    if (first != FILCH_OK || second != FILCH_OK) {
        fprintf(stderr, "two_pools: %s\n", filch_strerror(first != FILCH_OK ? first : second));
        return EXIT_FAILURE;
    }
    printf("The sum of the squares of the first %d integers is %ld\n", COUNT, total);
    printf("The sum of the cubes of the first %d integers is %ld\n", COUNT, cubes);
    return EXIT_SUCCESS;
}
