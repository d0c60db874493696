/* Structured concurrency: a search that asks several places and keeps what came within its time;
 * whatever was started in the group has ended when the group is left. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

struct answer {
    int found;
    const char *where;
};

FILCH_FUNCTION(struct answer, ask, (const char *, where), (double, seconds), (int, found))
{
    const struct answer nothing = {0, where};
    filch_status status = filch_sleep(seconds);
    if (status == FILCH_ECANCELED) {
        printf("%s: told to stop\n", where);
        return nothing;
    }
    if (status != FILCH_OK) {
        return filch_raise(1, "%s: %s", where, filch_strerror(status)), nothing;
    }
    return (struct answer){found, where};
}

FILCH_FUNCTION(void, ask_twice, (filch_pool *, pool), (const char *, where), (double, seconds))
{
    filch_status status;
    struct answer first = {0, where};
    struct answer second = {0, where};
    FILCH_WITH_GROUP(pair, pool, NULL, &status) { /* it inherits the deadline */
        ask_spawn(pair, where, seconds, 1, &first);
        ask_spawn(pair, where, seconds / 1000, 2, &second);
    }
    printf("%s: %d results, %s\n", where, first.found + second.found, filch_strerror(status));
    if (status != FILCH_OK && status != FILCH_ECANCELED) {
        filch_raise(1, "%s: %s", where, filch_strerror(status));
    }
}

static filch_status search_all(filch_pool *pool)
{
    filch_group_options options = {.until = filch_in(0.5)};
    struct answer cache = {0, "cache"};
    struct answer disk = {0, "disk"};
    struct answer network = {0, "network"};
    filch_status status;

    FILCH_WITH_GROUP(search, pool, &options, &status) {
        ask_spawn(search, "cache", 0.01, 3, &cache);
        ask_spawn(search, "disk", 0.1, 5, &disk);
        ask_spawn(search, "network", 60, 100, &network);
    }
    printf("Found %d in all: %s\n", cache.found + disk.found + network.found,
           filch_strerror(status));
    if (status != FILCH_OK && status != FILCH_ETIMEDOUT) {
        return status;
    }

    options.until = filch_in(0.5);
    FILCH_WITH_GROUP(search, pool, &options, &status) {
        ask_twice_spawn(search, pool, "mirror", 60);
    }
    return status == FILCH_ETIMEDOUT ? FILCH_OK : status; /* the time was up, as it was to be */
}

int main(void)
{
    filch_status status;
    FILCH_WITH_POOL(pool, NULL, &status) {
        status = search_all(pool);
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "groups: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
