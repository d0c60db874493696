/* Futures of futures: what to do when a result is there, when all are, or the first. */
#include <stdio.h>

#include <filch/filch.h>

FILCH_FUNCTION(int, measured, (const char *, station), (double, seconds), (int, value))
{
    filch_sleep(seconds);
    if (value < 0) {
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

int main(void)
{
    static const char *const names[STATIONS] = {"harbour", "airport", "summit"};
    static const double delays[STATIONS] = {0.3, 0.1, 0.2};
    static const int values[STATIONS] = {20, 25, -1};
    filch_future *celsius[STATIONS];
    filch_future *converted[STATIONS];
    filch_future *answers[STATIONS];
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        for (int i = 0; i < STATIONS; i++) {
            measured_apply_async(pool, names[i], delays[i], values[i], &celsius[i]);
            fahrenheit_then(pool, celsius[i], &converted[i]);
            or_else_catch(pool, converted[i], 0, &answers[i]);
        }

        filch_future *any;
        size_t first = 0;
        filch_when_any(celsius, STATIONS, &any);
        filch_future_get(any, &first, sizeof first);
        printf("The first to answer is the %s\n", names[first]);
        filch_future_free(any);

        filch_completions *done;
        filch_future *ready;
        size_t index;
        filch_as_completed(answers, STATIONS, &done);
        while (filch_completions_next(done, &ready, &index) == FILCH_OK) {
            double value = 0;
            filch_future_get(ready, &value, sizeof value);
            printf("%s: %g F\n", names[index], value);
            filch_future_free(ready);
        }
        filch_completions_free(done);

        filch_future *all;
        filch_error error;
        filch_when_all(celsius, STATIONS, &all);
        filch_future_wait(all);
        filch_future_error(all, &error);
        printf("All have ended; number %zu failed: %s\n", error.index, error.message);
        filch_future_free(all);

        for (int i = 0; i < STATIONS; i++) {
            filch_future_free(celsius[i]);
            filch_future_free(converted[i]);
            filch_future_free(answers[i]);
        }
    }
    return status == FILCH_OK ? 0 : 1;
}
