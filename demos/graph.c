/* A graph of ten jobs, each of which begins when those that it needs are done. The futures are the
 * graph. One job fails: what needs it is not begun, and ends with its error; the others go on. */
#include <stdio.h>
#include <stdlib.h>

#include <filch/filch.h>

FILCH_FUNCTION(int, made, (const char *, name), (int, kilobytes))
{
    if (kilobytes < 0) {
        return filch_raise(1, "%s cannot be made", name), 0;
    }
    return kilobytes;
}

/* What it needs is ready: get neither waits nor fails here. */
FILCH_FUNCTION(int, joined, (filch_future *, a), (filch_future *, b))
{
    int first = 0;
    int second = 0;
    if (made_get(a, &first) != FILCH_OK || made_get(b, &second) != FILCH_OK) {
        return filch_raise(2, "this is not reached"), 0;
    }
    return first + second;
}

enum { SOURCES, SETTINGS, PARSER, ENGINE, PROGRAM, TESTS, PICTURES, MANUAL, PACKAGE, SERVER, JOBS };
static const char *const names[JOBS] = {"sources", "settings", "parser", "engine",  "program",
                                        "tests",   "pictures", "manual", "package", "server"};

/* The first of two calls that has failed: both are made; one that needs a future which there is not
 * is refused. */
static filch_status first_error(filch_status first, filch_status second)
{
    return first != FILCH_OK ? first : second;
}

static filch_status begin_all(filch_pool *pool, filch_future *f[])
{
    filch_status s = made_apply_async(pool, "sources", 300, &f[SOURCES]);
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[SOURCES]), "settings", 1, &f[SETTINGS]));
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[SETTINGS]), "parser", 20, &f[PARSER]));
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[SETTINGS]), "engine", 70, &f[ENGINE]));
    s = first_error(s, joined_after(pool, FILCH_NEEDS(f[PARSER], f[ENGINE]), f[PARSER], f[ENGINE],
                                    &f[PROGRAM]));
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[PROGRAM]), "tests", 12, &f[TESTS]));
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[SOURCES]), "pictures", -1, &f[PICTURES]));
    s = first_error(s, made_after(pool, FILCH_NEEDS(f[PICTURES]), "manual", 5, &f[MANUAL]));
    s = first_error(s, joined_after(pool, FILCH_NEEDS(f[PROGRAM], f[TESTS], f[MANUAL]), f[PROGRAM],
                                    f[MANUAL], &f[PACKAGE]));
    return first_error(
        s, made_after(pool, FILCH_NEEDS(f[PROGRAM], f[TESTS]), "server", 95, &f[SERVER]));
}

static filch_status tell(int job, filch_future *future)
{
    int kilobytes = 0;
    filch_error error;
    filch_status status = made_get(future, &kilobytes);
    if (status == FILCH_OK) {
        printf("%s: %d KB\n", names[job], kilobytes);
    } else if (status == FILCH_ERAISED && filch_future_error(future, &error) == FILCH_OK) {
        printf("%s: %s\n", names[job], error.message);
        status = FILCH_OK;
    }
    return status;
}

int main(void)
{
    filch_future *futures[JOBS] = {NULL};
    filch_status status;

    FILCH_WITH_POOL(pool, NULL, &status) {
        status = begin_all(pool, futures);
        for (int i = 0; i < JOBS && status == FILCH_OK; i++) {
            status = tell(i, futures[i]);
        }
        for (int i = 0; i < JOBS; i++) {
            filch_future_free(futures[i]);
        }
    }
    if (status != FILCH_OK) {
        fprintf(stderr, "graph: %s\n", filch_strerror(status));
    }
    return status == FILCH_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
