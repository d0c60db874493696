/* closing: what is under way on a descriptor ends before its number can stand for another.
 *
 * For each descriptor number the process keeps two words:
 *
 *   closes   how often a filch_close() of it has begun and ended: odd while one is under way
 *   users    system calls under way that must not meet another descriptor of that number
 *
 * A call that may wait notes `closes` when it begins (and waits while it is odd): it is about the
 * descriptor of that time. Each time that it tries, or asks to be told when that is ready, it is a
 * user for as long as that takes, and it cannot become one when `closes` has changed. The one that
 * closes makes `closes` odd, lets the users end, wakes all that wait, closes, and makes it even:
 *
 *   user                                closer
 *   1 count itself in users             1 make closes odd
 *   2 read closes: another: step back   2 sleep until there are no users
 *
 * All four are sequentially consistent, so one is first: either the user steps back, or the closer
 * waits for it. A user takes one system call that does not block, with one exception: a thread of
 * no pool sleeps in poll() as a user, and with a descriptor of its own beside the one that it waits
 * for (a sleeper). The closer makes that readable.
 *
 * A plain close() is not seen here, nor a number of FILCH_FD_MOST or more. */
#ifndef FILCH_CLOSING_H
#define FILCH_CLOSING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/private.h"

enum { FILCH_FD_MOST = 1 << 20 };

/* The present `closes` of a number: what a call notes first. */
FILCH_PRIVATE uint32_t filch_fd_closes(int fd);

/* Become a user. 0, EBADF: `closes` is not what it was; ENOMEM. */
FILCH_PRIVATE int filch_fd_use(int fd, uint32_t closes);
FILCH_PRIVATE void filch_fd_unuse(int fd);

/* A close is under way: sleep until that has ended. The new `closes`. */
FILCH_PRIVATE uint32_t filch_fd_settle(int fd, uint32_t closes);

/* From here the number stands for what it did, and none is a user; those that wait are still to be
 * woken. False: there is no memory for its words, thus no user. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_fd_close_begin(int fd);
FILCH_PRIVATE void filch_fd_close_end(int fd);

/* A thread that is about to sleep in poll(). */
struct filch_fd_sleeper {
    struct filch_fd_sleeper *next; /* lock */
    int fd;
    int event; /* readable when fd is being closed; -1: the system has none, look now and then */
    int event_set;
};

/* To be done before it becomes a user; and after. */
FILCH_PRIVATE void filch_fd_sleeper_add(struct filch_fd_sleeper *sleeper, int fd);
FILCH_PRIVATE void filch_fd_sleeper_remove(struct filch_fd_sleeper *sleeper);

/* Is there one? A glance. */
FILCH_FOR_TESTS bool filch_fd_has_sleeper(int fd);

/* In the child of a fork(): no other thread is here, so nothing is under way. */
FILCH_PRIVATE void filch_fds_start_anew(void);

#endif
