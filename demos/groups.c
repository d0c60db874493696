/* Structured concurrency: a search that asks several places and keeps what came within its time;
 * whatever was started in the group has ended when the group is left. */
#include <stdio.h>

#include <filch/filch.h>

struct answer {
    int found;
    const char *where;
};

FILCH_FUNCTION(struct answer, ask, (const char *, where), (double, seconds), (int, found))
{
    const struct answer nothing = {0, where};
    if (filch_sleep(seconds) == FILCH_ECANCELED) {
        printf("%s: told to stop\n", where);
        return nothing;
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
}

int main(void)
{
    const filch_group_options half_a_second = {.timeout_s = 0.5};
    struct answer cache = {0, "cache"};
    struct answer disk = {0, "disk"};
    struct answer network = {0, "network"};
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        filch_status searched;
        FILCH_WITH_GROUP(search, pool, &half_a_second, &searched) {
            ask_spawn(search, "cache", 0.01, 3, &cache);
            ask_spawn(search, "disk", 0.1, 5, &disk);
            ask_spawn(search, "network", 60, 100, &network);
        }
        printf("Found %d in all: %s\n", cache.found + disk.found + network.found,
               filch_strerror(searched));

        FILCH_WITH_GROUP(search, pool, &half_a_second, &searched) {
            ask_twice_spawn(search, pool, "mirror", 60);
        }
    }
    return status == FILCH_OK ? 0 : 1;
}
