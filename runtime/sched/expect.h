/* expect: what a pool has accepted and that will come later, when something else has happened. */
#ifndef FILCH_EXPECT_H
#define FILCH_EXPECT_H

#include <stdbool.h>

struct filch_pool;

struct filch_expected {
    struct filch_expected *next; /* expect_lock of the pool */
    struct filch_expected *prev; /* expect_lock of the pool */
    bool listed;                 /* expect_lock of the pool */
    bool come;                   /* expect_lock of the pool: too late to list it */
    void (*retain)(struct filch_expected *expected); /* it stays until cancel has returned */
    void (*cancel)(struct filch_expected *expected); /* the pool was terminated */
};

/* It is accepted and may take time. False: the pool was terminated, it is to be cancelled. */
bool filch_pool_list_expected(struct filch_pool *pool, struct filch_expected *expected);

/* It has come, or never will. */
void filch_pool_expected(struct filch_pool *pool, struct filch_expected *expected);

#endif
