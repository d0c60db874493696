/* Dining philosophers. Each takes two forks; with the argument "greedy" each takes the left one
 * first, all of them at once, which is a deadlock: filch tells the story on the standard error, and
 * the waits end. Without it the last one takes the right fork first, and all dine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <filch/filch.h>

enum { SEATS = 5, COURSES = 3 };

struct table {
    filch_mutex forks[SEATS];
    filch_wait_group seated; /* the greedy ones wait for each other before the second fork */
    int greedy;
};

/* Waits until all are seated, if they are greedy, and takes the second fork; then eats. */
static filch_status eat(struct table *table, filch_mutex *second)
{
    filch_status status = FILCH_OK;
    if (table->greedy) {
        status = filch_wait_group_done(&table->seated);
        if (status == FILCH_OK) {
            status = filch_wait_group_wait(&table->seated);
        }
    }
    if (status == FILCH_OK) {
        status = filch_mutex_lock(second);
    }
    if (status == FILCH_OK) {
        status = filch_sleep(0.001); /* eats, with both forks; the core goes on with others */
        filch_mutex_unlock(second);
    }
    return status;
}

/* How many courses were eaten. */
FILCH_FUNCTION(int, dine, (struct table *, table), (int, seat))
{
    int last_is_polite = !table->greedy && seat == SEATS - 1;
    filch_mutex *first = &table->forks[last_is_polite ? 0 : seat];
    filch_mutex *second = &table->forks[last_is_polite ? seat : (seat + 1) % SEATS];
    int eaten = 0;
    filch_status status = FILCH_OK;
    while (status == FILCH_OK && eaten < COURSES) {
        status = filch_mutex_lock(first);
        if (status == FILCH_OK) {
            status = eat(table, second);
            filch_mutex_unlock(first); /* cannot fail: it is locked, by this task */
        }
        eaten += status == FILCH_OK;
    }
    if (status != FILCH_OK) {
        filch_raise(1, "seat %d: %s", seat, filch_strerror(status));
    }
    return eaten;
}

static filch_status tell(filch_future *future, int *eaten)
{
    int courses = 0;
    filch_error error;
    filch_status status = dine_get(future, &courses);
    if (status == FILCH_ERAISED && filch_future_error(future, &error) == FILCH_OK) {
        printf("%s\n", error.message);
    }
    *eaten += courses;
    filch_future_free(future);
    return status;
}

int main(int argc, char **argv)
{
    struct table table = {.greedy = argc > 1 && strcmp(argv[1], "greedy") == 0};
    filch_future *futures[SEATS] = {NULL};
    int eaten = 0;
    for (int seat = 0; seat < SEATS; seat++) {
        table.forks[seat] = (filch_mutex)FILCH_MUTEX_INIT;
    }
    filch_status status = filch_wait_group_add(&table.seated, SEATS);
    if (status == FILCH_OK) {
        FILCH_WITH_POOL(pool, NULL, &status) {
            for (int seat = 0; seat < SEATS && status == FILCH_OK; seat++) {
                status = dine_apply_async(pool, &table, seat, &futures[seat]);
            }
            for (int seat = 0; seat < SEATS; seat++) {
                filch_status dined = tell(futures[seat], &eaten);
                status = status == FILCH_OK ? dined : status;
            }
        }
    }
    printf("%d courses were eaten\n", eaten);
    if (status == FILCH_OK || (table.greedy && status == FILCH_ERAISED)) {
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "philosophers: %s\n", filch_strerror(status));
    return EXIT_FAILURE;
}
