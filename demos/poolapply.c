/* The report's poolapply.py: apply blocks, so the two run one after the other. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

FILCH_FUNCTION(int, delayed_add, "This function waits nsecs and then adds x and y.", (int, x),
               (int, y), (int, nsecs))
{
    printf("This is worker %u going to sleep for %d second(s)\n", filch_worker_id(), nsecs);
    filch_status status = filch_sleep(nsecs);
    if (status != FILCH_OK) {
        return filch_raise(1, "delayed_add: %s", filch_strerror(status)), 0;
    }
    printf("This is worker %u waking up and adding %d and %d\n", filch_worker_id(), x, y);
    return x + y;
}

int main(void)
{
    int r1 = 0;
    int r2 = 0;
    filch_status status;

    printf("This is the Master process %u\n", filch_worker_id());

    FILCH_WITH_POOL(pool, NULL, &status) {
        status = delayed_add_apply(pool, 2, 3, 2, &r1);
        if (status == FILCH_OK) {
            status = delayed_add_apply(pool, 1, -1, 1, &r2);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "poolapply: %s\n", filch_strerror(status));
        return EXIT_FAILURE;
    }
    printf("The results are %d and %d.\n", r1, r2);
    return EXIT_SUCCESS;
}
