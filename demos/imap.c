/* Results one by one while the next are being computed, from a source without an end, of which no
 * more is taken than may be at once; and a map with a progress bar (on a terminal). */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { N = 2000 };

/* How many steps the Collatz sequence takes from n to 1. */
FILCH_FUNCTION(int, collatz, (long, n))
{
    int steps = 0;
    if (n == 13) {
        return filch_raise(13, "we do not do 13"), 0;
    }
    for (; n > 1; steps++) {
        n = n % 2 ? 3 * n + 1 : n / 2;
    }
    return steps;
}
FILCH_RANGE(collatz, long);

/* 1, 2, 3, ... for ever: what Python calls a generator. */
static filch_status next_number(void *context, collatz_args *arguments)
{
    long *n = context;
    arguments->n = ++*n;
    return FILCH_OK;
}

static filch_status one_by_one(filch_pool *pool)
{
    const filch_imap_options options = {.at_once = 8};
    filch_iterator *it = NULL;
    filch_error last;
    long taken = 0;
    int steps = 0;
    filch_status status = collatz_imap_from(pool, next_number, &taken, &options, &it);
    while (status == FILCH_OK && steps < 100) {
        status = collatz_imap_next(it, &steps);
        if (status == FILCH_ERAISED) { /* this item has failed: on with the next one */
            status = filch_iterator_error(it, &last);
            printf("item %zu: %s\n", last.index, last.message);
        }
    }
    if (status == FILCH_OK) {
        status = filch_iterator_error(it, &last);
    }
    filch_iterator_free(it);
    if (status == FILCH_OK) {
        printf("%zu is the first number with 100 steps or more: %d\n", last.index + 1, steps);
        printf("taken from the source: %s\n",
               taken <= (long)last.index + 9 ? "at most 8 more" : "too many");
    }
    return status;
}

int main(void)
{
    static int results[N];
    static long numbers[N];
    filch_progress_bar bar = {.label = "collatz"};
    filch_status status;
    for (long i = 0; i < N; i++) {
        numbers[i] = i + 14;
    }
    FILCH_WITH_POOL(pool, NULL, &status) {
        status = one_by_one(pool);
        if (status == FILCH_OK) {
            status = collatz_map_range(pool, 1000000, 1, N, results);
        }
        if (status == FILCH_OK) {
            printf("1000000 takes %d steps, 1000001 takes %d\n", results[0], results[1]);
            status = collatz_map(
                FILCH_ON(pool, .progress = filch_progress_bar_show, .progress_context = &bar),
                numbers, N, results);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "imap: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
