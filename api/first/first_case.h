/* first_case: what filch_first() does with a case of each kind.
 *
 * One waiter stands for the whole call. A channel claims it (wait.h) and does the case in its own
 * name; all other kinds only end the wait: that is a hint, and the caller looks for itself when it
 * is up again. So nothing is taken that is not chosen, and what another was faster to take is
 * waited for again. */
#ifndef FILCH_FIRST_CASE_H
#define FILCH_FIRST_CASE_H

#include <filch/first.h>

#include "base/private.h"
#include "poll/poller.h"
#include "sleep/wait.h"

enum filch_case_number {
    FILCH_CASE_NONE,
    FILCH_CASE_SEND,
    FILCH_CASE_RECEIVE,
    FILCH_CASE_FUTURE,
    FILCH_CASE_GROUP,
    FILCH_CASE_TIME,
    FILCH_CASE_FD,
    FILCH_CASE_ACCEPT,
    FILCH_CASE_SIGNAL,
    FILCH_CASE_SIGNALS,
    FILCH_CASE_PROCESS,
    FILCH_CASE_KINDS
};

struct filch_first;

/* Static. NULL in a field: nothing. Channels have only `valid`, see first_channels.c. */
struct filch_case_kind {
    bool (*valid)(const filch_case *one);
    /* Something before the first look, and after the last. */
    void (*begin)(filch_case *one);
    void (*end)(filch_case *one);
    /* FILCH_OK: it can be waited for. */
    filch_status (*prepare)(filch_case *one, struct filch_first *first);
    /* If it can be done, do it. */
    bool (*done)(filch_case *one);
    /* False: it is there already, or cannot be waited for; prepare() or done() will say so. */
    bool (*enlist)(filch_case *one, struct filch_waiter *waiter);
    void (*leave)(filch_case *one);
    bool outside; /* something outside of the program can do it: a descriptor of any sort */
    bool derived; /* as in party.h */
};

FILCH_PRIVATE_OBJECT const struct filch_case_kind filch_case_kinds[FILCH_CASE_KINDS];

/* One call. */
struct filch_first {
    filch_case *cases;
    size_t n;
    size_t next;          /* the case to be looked at first */
    filch_case *lowest;   /* those with a channel, by its address */
    uint64_t deadline_ns; /* cases with a time of their own included */
    bool glances;         /* the system does not watch one of them: look now and then */
};

static inline bool filch_case_is_channel(const filch_case *one)
{
    return one->kind == FILCH_CASE_SEND || one->kind == FILCH_CASE_RECEIVE;
}

/* ---- channels: first_channels.c ---- */

FILCH_PRIVATE void filch_first_add_channel(struct filch_first *first, filch_case *one);

/* Do it if it can be done. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_first_try_channel(filch_case *one);

/* FILCH_OK: it can be waited for. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_first_check_channel(const filch_case *one);

/* Do one of those with a channel or, if none can be done, stand in all lines. True: we do. */
FILCH_PRIVATE FILCH_MUST_CHECK bool filch_first_enlist_channels(struct filch_first *first,
                                                                struct filch_waiter *waiter);
FILCH_PRIVATE void filch_first_leave_channels(struct filch_first *first);

/* The one that was done, by us or by another thread. NULL: none. */
FILCH_PRIVATE filch_case *filch_first_done_channel(const struct filch_first *first);

/* ---- descriptors, and what is watched through one: first_fds.c ---- */

FILCH_PRIVATE bool filch_case_fd_is_valid(const filch_case *one);
FILCH_PRIVATE void filch_case_fd_begin(filch_case *one);
FILCH_PRIVATE filch_status filch_case_fd_prepare(filch_case *one, struct filch_first *first);
FILCH_PRIVATE bool filch_case_fd_done(filch_case *one);
FILCH_PRIVATE bool filch_case_fd_enlist(filch_case *one, struct filch_waiter *waiter);
FILCH_PRIVATE void filch_case_fd_leave(filch_case *one);
FILCH_PRIVATE bool filch_case_accept_is_valid(const filch_case *one);
FILCH_PRIVATE bool filch_case_accept_done(filch_case *one);

/* ---- signals and processes: first_watch.c ---- */

FILCH_PRIVATE void filch_case_watch_begin(filch_case *one);
FILCH_PRIVATE void filch_case_watch_end(filch_case *one);
FILCH_PRIVATE bool filch_case_signal_is_valid(const filch_case *one);
FILCH_PRIVATE filch_status filch_case_signal_prepare(filch_case *one, struct filch_first *first);
FILCH_PRIVATE bool filch_case_signal_done(filch_case *one);
FILCH_PRIVATE bool filch_case_process_is_valid(const filch_case *one);
FILCH_PRIVATE filch_status filch_case_process_prepare(filch_case *one, struct filch_first *first);
FILCH_PRIVATE bool filch_case_process_done(filch_case *one);

#endif
