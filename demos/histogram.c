/* Accumulating: how many steps numbers take to 1 (halve the even, triple the odd and add 1),
 * counted in a histogram for each participant, which are added up; and a mean, in one pass. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

enum { N = 30000, BINS = 7, WIDTH = 50 };

static int steps_of(unsigned long long x)
{
    int steps = 0;
    while (x != 1) {
        x = x % 2 ? 3 * x + 1 : x / 2;
        steps++;
    }
    return steps;
}

struct histogram {
    long count[BINS];
    int longest;
};

FILCH_FOLD(struct histogram, count_steps, (int, x))
{
    int steps = steps_of((unsigned long long)x);
    into->count[steps / WIDTH]++;
    into->longest = steps > into->longest ? steps : into->longest;
}

static void add_up(struct histogram *into, struct histogram *from, void *context)
{
    (void)context;
    for (int i = 0; i < BINS; i++) {
        into->count[i] += from->count[i];
    }
    into->longest = from->longest > into->longest ? from->longest : into->longest;
}

FILCH_REDUCER(double, add, (double, a), (double, b))
{
    return a + b;
}

static double log_of_steps(int x)
{
    double bits = 0;
    for (int steps = steps_of((unsigned long long)x); steps > 1; steps /= 2) {
        bits++;
    }
    return bits;
}

FILCH_MAP_REDUCE(double, sum_of_logs, log_of_steps, add, (int, x));

static filch_status study(filch_pool *pool, const int *numbers)
{
    const count_steps_accumulator how = {.merge = add_up, .order = FILCH_FOLD_FAST};
    struct histogram all = {.longest = 0};
    double sum;
    filch_status status = count_steps_fold(pool, numbers, N, &how, &all);
    if (status != FILCH_OK) {
        return status;
    }
    for (int i = 0; i < BINS; i++) {
        printf("%3d to %3d steps: %5ld\n", i * WIDTH, (i + 1) * WIDTH - 1, all.count[i]);
    }
    printf("The longest way takes %d\n", all.longest);
    status = sum_of_logs(pool, numbers, N, 0, &sum);
    if (status == FILCH_OK) {
        printf("Their binary logarithms, rounded down, are %.4f in the mean\n", sum / N);
    }
    return status;
}

int main(void)
{
    int *numbers = malloc(N * sizeof *numbers);
    filch_status status = FILCH_ENOMEM;
    if (numbers) {
        for (int i = 0; i < N; i++) {
            numbers[i] = i + 1;
        }
        FILCH_WITH_POOL(pool, NULL, &status) {
            status = study(pool, numbers);
        }
    }
    free(numbers);
    if (status != FILCH_OK) {
        fprintf(stderr, "histogram: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
