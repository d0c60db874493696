/* What users write, which compilers must not complain about: compiled by quiet.sh, as is
 * consumer/consumer.c, which forks; never run. */
#include <filch/filch.h>

#include <unistd.h>

#include "pointers_of.h"

FILCH_FUNCTION(int, square, "The square.", (int, x))
{
    return x * x;
}

FILCH_REDUCER(long, add, (long, x), (long, y))
{
    return x + y;
}

FILCH_LOOP(fill, (size_t, i), (double *, out), (double, start))
{
    out[i] = start + (double)i;
}

FILCH_PREDICATE(is_odd, (int, x))
{
    return x % 2 != 0;
}

FILCH_CHANNEL(numbers, int);

/* Set inside, used after: done once for sure. */
FILCH_FUNCTION(int, read_one, (int, fd))
{
    char c;
    ssize_t got;
    FILCH_BLOCKING
    {
        got = read(fd, &c, 1);
    }
    return got == 1 ? c : -1;
}

FILCH_FUNCTION(int, traced, (int, x))
{
    int result;
    FILCH_TRACE_SECTION("the square")
    {
        FILCH_BLOCKING
        {
            result = square(x);
        }
    }
    return result;
}

int use_pointers(filch_pool *pool);
int use_pointers(filch_pool *pool)
{
    char text[4] = "abc";
    const char *all[3] = {text, text + 2, text + 1};
    const char *last = NULL;
    const int one = 1;
    const int *there = &one;
    void *byte = NULL;
    pointers channel;
    if (pointers_new(1, &channel) != FILCH_OK) {
        return 1;
    }
    filch_status sent = FILCH_EPENDING;
    int bad = FILCH_FIRST(filch_in(0), pointers_sending(channel, &there, &sent)) != 0 ||
              sent != FILCH_OK || later_of_reduce(pool, all, 3, text, &last) != FILCH_OK ||
              later_of_scan(pool, all, 3, text, all) != FILCH_OK ||
              byte_at_apply(pool, text, 1, &byte) != FILCH_OK ||
              byte_behind_apply(pool, text, 2, &byte) != FILCH_OK;
    pointers_free(channel);
    return bad;
}

int use_all(int fd);
int use_all(int fd)
{
    filch_status status = FILCH_OK;
    int byte = 0;
    FILCH_WITH_POOL(pool, NULL, &status) {
        filch_future *later;
        numbers box;
        double out[10];
        status = fill_for(pool, 10, out, 0.5);
        if (numbers_new(4, &box) == FILCH_OK) {
            numbers_free(box);
        }
        if (read_one_apply_async(pool, fd, &later) == FILCH_OK) {
            status = read_one_get(later, &byte);
            filch_future_free(later);
        }
        FILCH_WITH_GROUP(group, pool, NULL, &status) {
            if (traced_spawn(group, 3, &byte) != FILCH_OK) {
                return 1;
            }
        }
    }
    return status == FILCH_OK ? byte : -1;
}
