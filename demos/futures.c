/* Futures of futures: what to do when a result is there, when all are, or the first. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

FILCH_FUNCTION(int, measured, (const char *, station), (double, seconds), (int, value))
{
    if (filch_sleep(seconds) != FILCH_OK || value < 0) {
        return filch_raise(1, "%s does not answer", station), 0;
    }
    return value;
}

FILCH_FUNCTION(double, fahrenheit, (int, celsius))
{
    return celsius * 1.8 + 32;
}

FILCH_HANDLER(double, or_else, (double, fallback))
{
    printf("%s, so we take %g\n", error->message, fallback);
    return fallback;
}

enum { STATIONS = 3 };
static const char *const names[STATIONS] = {"harbour", "airport", "summit"};

/* The first of two calls that has failed: both are made, whatever becomes of the first. */
static filch_status first_error(filch_status first, filch_status second)
{
    return first != FILCH_OK ? first : second;
}

static filch_status tell_each(filch_future *const answers[])
{
    filch_completions *done;
    filch_future *ready;
    size_t index;
    filch_status status = filch_as_completed(answers, STATIONS, &done);
    while (status == FILCH_OK && !(status = filch_completions_next(done, &ready, &index))) {
        double value = 0;
        status = filch_future_get(ready, &value, sizeof value);
        printf("%s: %g F\n", names[index], value);
        filch_future_free(ready);
    }
    filch_completions_free(done);
    return status == FILCH_END ? FILCH_OK : status;
}

int main(void)
{
    static const double delays[STATIONS] = {0.3, 0.1, 0.2};
    static const int values[STATIONS] = {20, 25, -1};
    filch_future *celsius[STATIONS] = {NULL};
    filch_future *converted[STATIONS] = {NULL};
    filch_future *answers[STATIONS] = {NULL};
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        for (int i = 0; i < STATIONS; i++) {
            status = first_error(
                status, measured_apply_async(pool, names[i], delays[i], values[i], &celsius[i]));
            status = first_error(status, fahrenheit_then(pool, celsius[i], &converted[i]));
            status = first_error(status, or_else_catch(pool, converted[i], 0, &answers[i]));
        }

        filch_future *any = NULL;
        size_t first = 0;
        status = first_error(status, filch_when_any(celsius, STATIONS, &any));
        status = first_error(status, filch_future_get(any, &first, sizeof first));
        filch_future_free(any);
        if (status == FILCH_OK) {
            printf("The first to answer is the %s\n", names[first]);
            status = tell_each(answers);
        }

        filch_future *all = NULL;
        filch_error error;
        status = first_error(status, filch_when_all(celsius, STATIONS, &all));
        status = first_error(status, filch_future_wait(all));
        status = first_error(status, filch_future_error(all, &error));
        filch_future_free(all);
        if (status == FILCH_OK) {
            printf("All have ended; number %zu failed: %s\n", error.index, error.message);
        }

        for (int i = 0; i < STATIONS; i++) {
            filch_future_free(celsius[i]);
            filch_future_free(converted[i]);
            filch_future_free(answers[i]);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "futures: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
