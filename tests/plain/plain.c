/* filch/core.h and no other header: a pool, an error, a future, a loop and a map, with nothing that
 * is generated. plain.py and plain.rs do the same. */
#include <filch/core.h>
#include <stdio.h>
#include <string.h>

static int answer(void *environment)
{
    return *(int *)environment;
}

static int fail(void *environment)
{
    return filch_raise_text(7, environment);
}

static void square(size_t i, void *environment)
{
    double *numbers = environment;
    numbers[i] *= numbers[i];
}

struct arrays {
    const double *in;
    double *out;
};

static void halve(const void *environment, filch_range *range)
{
    const struct arrays *arrays = environment;
    while (range->next < range->stop) {
        unsigned long long i = range->next++;
        arrays->out[i] = arrays->in[i] / 2;
    }
}

static int run(filch_pool *pool)
{
    static const filch_body halves = {.block = halve, .environment_bytes = sizeof(struct arrays)};
    static char reason[] = "100 % of it";
    double in[3] = {1, 2, 3}, out[3] = {0};
    int value = 42, result = 0;
    filch_error error;
    filch_future *future = NULL;
    filch_future *failed = NULL;
    filch_closure answers = filch_closure_of(answer, &value);
    filch_closure fails = filch_closure_of(fail, reason);

    bool raised = filch_apply(pool, &fails, &result) == FILCH_ERAISED &&
                  filch_apply_async(pool, &fails, &failed) == FILCH_OK &&
                  filch_future_wait(failed) == FILCH_OK &&
                  filch_future_error(failed, &error) == FILCH_OK && error.code == 7 &&
                  strcmp(error.message, reason) == 0 && error.index == FILCH_NO_INDEX;
    bool fetched = filch_apply_async(pool, &answers, &future) == FILCH_OK &&
                   filch_future_get(future, &result, sizeof result) == FILCH_OK && result == 42;
    bool squared = filch_parallel_for(pool, 3, square, in) == FILCH_OK && in[2] == 9;
    bool halved = filch_map(pool, &halves, &(struct arrays){in, out}, 3) == FILCH_OK &&
                  out[0] == 0.5 && out[2] == 4.5;
    filch_future_free(failed);
    filch_future_free(future);
    printf("%d %d %d %d\n", raised, fetched, squared, halved);
    return !(raised && fetched && squared && halved);
}

int main(void)
{
    filch_pool *pool;
    int failed = filch_pool_open(NULL, &pool) == FILCH_OK ? run(pool) : 1;
    return failed || filch_pool_free(pool) != FILCH_OK;
}
