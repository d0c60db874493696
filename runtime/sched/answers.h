/* answers: what a pool calls of its poller (poll/poller.c), which is above. */
#ifndef FILCH_ANSWERS_H
#define FILCH_ANSWERS_H

struct filch_pool;
struct filch_poller;

struct filch_poller_calls {
    void (*end)(struct filch_pool *pool);
    void (*look)(struct filch_poller *poller); /* a holder of a core: make ready what is answered */
    void (*wake)(struct filch_poller *poller); /* a core is free: the poller has to look itself */
};

#endif
