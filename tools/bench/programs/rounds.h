/* rounds: several rounds of a row in one pool, of which the median counts, and tasks to talk in
 * them. The checksum is of all rounds. */
#ifndef ROUNDS_H
#define ROUNDS_H

#include <math.h>

#include <filch/filch.h>

#include "sample.h"

enum { ROUNDS = 5, MOST_CREW = 64 };

struct rounds {
    const char *name;
    /* Nanoseconds an operation; adds what was computed to *check. */
    double (*round)(filch_pool *pool, int size, uint64_t *check);
};

static inline int run_rounds(const struct rounds *rows, size_t count, int argc, char **argv)
{
    for (size_t i = 0; argc > 3 && i < count; i++) {
        if (strcmp(rows[i].name, argv[1]) == 0) {
            filch_pool *pool;
            double times[ROUNDS];
            uint64_t check = 0;
            filch_pool_options options = {.processes = (unsigned)atoi(argv[2])};
            must(filch_pool_open(&options, &pool) == FILCH_OK, "opening a pool");
            for (int r = 0; r < ROUNDS; r++) {
                times[r] = rows[i].round(pool, atoi(argv[3]), &check);
            }
            must(filch_pool_free(pool) == FILCH_OK, "freeing a pool");
            printf("%.3f %llu\n", median(times, ROUNDS), (unsigned long long)check);
            return 0;
        }
    }
    fprintf(stderr, "usage: %s ROW WORKERS SIZE\n", argv[0]);
    return 2;
}

/* Some tasks that all return a number, and are waited for one after the other. */
struct crew {
    filch_pool *pool;
    int count;
    filch_future *tasks[MOST_CREW];
};

#define BEGIN(crew, function, ...)                                                                 \
    must(function##_apply_async((crew)->pool, __VA_ARGS__, &(crew)->tasks[(crew)->count++]) ==     \
             FILCH_OK,                                                                             \
         #function)

static inline uint64_t ended(struct crew *crew)
{
    uint64_t sum = 0;
    for (int i = 0; i < crew->count; i++) {
        uint64_t result = 0;
        must(filch_future_get(crew->tasks[i], &result, sizeof result) == FILCH_OK, "a task");
        filch_future_free(crew->tasks[i]);
        sum += result;
    }
    crew->count = 0;
    return sum;
}

#endif
