/* The report's asyncmap-chunks.py: chunks of three elements. Each runs in order as one piece,
 * so the longest takes three seconds. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { COUNT = 5 };

FILCH_FUNCTION(int, delayed_add, "This function sleeps for 1 second and then adds x and y",
               (int, x), (int, y))
{
    printf("This is worker %u performing operation delayed_add(%d, %d)\n", filch_worker_id(), x, y);
    filch_status status = filch_sleep(1);
    if (status != FILCH_OK) {
        return filch_raise(1, "delayed_add: %s", filch_strerror(status)), 0;
    }
    return x + y;
}

FILCH_FUNCTION(int, delayed_subtract,
               "This function sleeps for 1 second and then subtracts x and y", (int, x), (int, y))
{
    filch_status status = filch_sleep(1);
    if (status != FILCH_OK) {
        return filch_raise(1, "delayed_subtract: %s", filch_strerror(status)), 0;
    }
    printf("This is worker %u performing operation delayed_subtract(%d, %d)\n", filch_worker_id(),
           x, y);
    return x - y;
}

FILCH_REDUCER(int, add, (int, x), (int, y))
{
    return x + y;
}

static void print_list(const char *name, const int *list)
{
    printf("%s = [%d", name, list[0]);
    for (int i = 1; i < COUNT; i++) {
        printf(", %d", list[i]);
    }
    printf("]\n");
}

int main(void)
{
    const int a[COUNT] = {1, 2, 3, 4, 5};
    const int b[COUNT] = {6, 7, 8, 9, 10};
    int sums[COUNT] = {0};
    int differences[COUNT] = {0};
    int total_sum = 0;
    int total_difference = 0;
    filch_future *r1 = NULL;
    filch_future *r2 = NULL;
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        filch_pool *in_threes = FILCH_ON(pool, .chunksize = FILCH_CHUNK(3));
        status = delayed_add_starmap_async(in_threes, a, b, COUNT, sums, &r1);
        if (status == FILCH_OK) {
            status = delayed_subtract_starmap_async(in_threes, a, b, COUNT, differences, &r2);
        }
        if (status == FILCH_OK) {
            status = filch_future_get(r1, NULL, 0); /* waits; the sums are in their array */
        }
        if (status == FILCH_OK) {
            status = filch_future_get(r2, NULL, 0);
        }
        if (status == FILCH_OK) {
            status = add_reduce(pool, sums, COUNT, 0, &total_sum);
        }
        if (status == FILCH_OK) {
            status = add_reduce(pool, differences, COUNT, 0, &total_difference);
        }
    } /* both maps are done here in any case */
    filch_future_free(r1);
    filch_future_free(r2);
    if (status != FILCH_OK) {
        fprintf(stderr, "asyncmap-chunks: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }

    print_list("a", a);
    print_list("b", b);
    printf("The total sum of a and b is %d\n", total_sum);
    printf("The sum of element-wise differences between a and b is %d\n", total_difference);
    return EXIT_SUCCESS;
}
