/* Dining philosophers. Each takes two forks; with the argument "greedy" each takes the left one
 * first, all of them at once, which is a deadlock: filch tells the story on the standard error, and
 * the waits end. Without it the last one takes the right fork first, and all dine. */
#include <stdio.h>
#include <string.h>

#include <filch/filch.h>

enum { SEATS = 5, COURSES = 3 };

struct table {
    filch_mutex forks[SEATS];
    filch_wait_group seated; /* the greedy ones wait for each other before the second fork */
    int greedy;
};

/* How many courses were eaten. */
FILCH_FUNCTION(int, dine, (struct table *, table), (int, seat))
{
    int last_is_polite = !table->greedy && seat == SEATS - 1;
    filch_mutex *first = &table->forks[last_is_polite ? 0 : seat];
    filch_mutex *second = &table->forks[last_is_polite ? seat : (seat + 1) % SEATS];
    int eaten = 0;
    while (eaten < COURSES) {
        filch_mutex_lock(first);
        if (table->greedy) {
            filch_wait_group_done(&table->seated);
            filch_wait_group_wait(&table->seated);
        }
        filch_status status = filch_mutex_lock(second);
        if (status == FILCH_OK) {
            filch_sleep(0.001); /* eats, with both forks; the core goes on with others */
            eaten++;
            filch_mutex_unlock(second);
        }
        filch_mutex_unlock(first);
        if (status != FILCH_OK) {
            return filch_raise((int)status, "seat %d: %s", seat, filch_strerror(status)), 0;
        }
    }
    return eaten;
}

static int tell(filch_future *future)
{
    int eaten = 0;
    filch_error error;
    if (dine_get(future, &eaten) != FILCH_OK && filch_future_error(future, &error) == FILCH_OK) {
        printf("%s\n", error.message);
    }
    filch_future_free(future);
    return eaten;
}

int main(int argc, char **argv)
{
    struct table table = {.greedy = argc > 1 && strcmp(argv[1], "greedy") == 0};
    filch_future *futures[SEATS];
    filch_status status;
    int eaten = 0;
    for (int seat = 0; seat < SEATS; seat++) {
        table.forks[seat] = (filch_mutex)FILCH_MUTEX_INIT;
    }
    filch_wait_group_add(&table.seated, SEATS);
    FILCH_WITH_POOL(pool, NULL, &status) {
        for (int seat = 0; seat < SEATS; seat++) {
            dine_apply_async(pool, &table, seat, &futures[seat]);
        }
        for (int seat = 0; seat < SEATS; seat++) {
            eaten += tell(futures[seat]);
        }
    }
    printf("%d courses were eaten\n", eaten);
    return status == FILCH_OK ? 0 : 1;
}
