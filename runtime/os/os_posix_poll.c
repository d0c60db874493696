/* os_poll on other systems: poll(), with a pipe to interrupt it when there is more to ask. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/assert.h"
#include "base/memory.h"
#include "os/os_poll.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <unistd.h>

#include "os/lock.h"
#include "os/os.h"

struct question {
    int fd;
    short events;
    uint32_t number;
};

/* An interrupt that gets lost (a filter of system calls refuses to write it) is noticed after that
 * long; once one was, or cannot be read, there are none any more, only looks. */
enum { PATIENCE_MS = 2000, DEAF_MS = 10 };

struct filch_os_poll {
    int interrupt[2];
    _Atomic(bool) deaf; /* interrupts do not work */
    struct filch_lock lock;
    struct question *asked;  /* lock; the first is the pipe */
    size_t n;                /* lock */
    size_t room;             /* lock */
    struct pollfd *seen;     /* the one that waits; as long as `asked` was when it was copied */
    uint32_t *seen_numbers;  /* likewise; of the questions */
    bool polling;            /* lock; poll() has `seen`, and keeps alive what it refers to */
    _Atomic(uint32_t) polls; /* lock to write: how often it has returned */
};

struct filch_os_poll *filch_os_poll_open(void)
{
    struct filch_os_poll *set = filch_calloc(1, sizeof *set);
    if (!set) {
        return NULL;
    }
    filch_lock_init(&set->lock);
    set->room = 16;
    set->asked = filch_calloc(set->room, sizeof *set->asked);
    if (!set->asked || !filch_os_event_pipe(&set->interrupt[0], &set->interrupt[1])) {
        filch_free(set->asked);
        filch_free(set);
        return NULL;
    }
    set->asked[set->n++] = (struct question){.fd = set->interrupt[0], .events = POLLIN};
    return set;
}

void filch_os_poll_close(struct filch_os_poll *set)
{
    filch_os_event_close(set->interrupt[0], set->interrupt[1]);
    filch_free(set->asked);
    filch_free(set->seen);
    filch_free(set->seen_numbers);
    filch_free(set);
}

void filch_os_poll_interrupt(struct filch_os_poll *set)
{
    if (!filch_os_event_set(set->interrupt[1])) {
        /* relaxed, here and below: one that does not see it looks once more with patience */
        atomic_store_explicit(&set->deaf, true, memory_order_relaxed);
    }
}

/* 0, where the pipe is: it is not asked. */
static size_t index_of_locked(struct filch_os_poll *set, int fd)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    size_t i = set->n - 1;
    while (i > 0 && set->asked[i].fd != fd) {
        i--;
    }
    return i;
}

static struct question *place_of_locked(struct filch_os_poll *set, int fd)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    size_t i = index_of_locked(set, fd);
    if (i) {
        return &set->asked[i];
    }
    if (set->n == set->room) {
        struct question *more = filch_realloc(set->asked, 2 * set->room * sizeof *more);
        if (!more) {
            return NULL;
        }
        set->asked = more;
        set->room *= 2;
    }
    return &set->asked[set->n++];
}

int filch_os_poll_ask(struct filch_os_poll *set, int fd, unsigned events, uint32_t number)
{
    if (fcntl(fd, F_GETFD) < 0) {
        return errno == EBADF ? EBADF : ENOSYS;
    }
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    struct question *place = place_of_locked(set, fd);
    if (place) {
        *place = (struct question){fd, (short)events, number};
    }
    filch_lock_release(&set->lock);
    filch_os_poll_interrupt(set);
    return place ? 0 : ENOMEM;
}

/* The questions of now, in the waiter's own array; how many. */
static size_t copy_questions(struct filch_os_poll *set)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    filch_free(set->seen);
    filch_free(set->seen_numbers);
    set->seen = filch_calloc(set->n, sizeof *set->seen);
    set->seen_numbers = filch_calloc(set->n, sizeof *set->seen_numbers);
    size_t n = set->seen && set->seen_numbers ? set->n : 0;
    for (size_t i = 0; i < n; i++) {
        set->seen[i] = (struct pollfd){.fd = set->asked[i].fd, .events = set->asked[i].events};
        set->seen_numbers[i] = set->asked[i].number;
    }
    if (n && atomic_load_explicit(&set->deaf, memory_order_relaxed)) { /* as above */
        set->seen[0].fd = -1;
    }
    set->polling = n > 0;
    filch_lock_release(&set->lock);
    return n;
}

/* Without memory for the questions: try again soon. */
static int patience(struct filch_os_poll *set, size_t n)
{
    return n && !atomic_load_explicit(&set->deaf, memory_order_relaxed) ? PATIENCE_MS : DEAF_MS;
}

static void hear_interrupts(struct filch_os_poll *set)
{
    char bytes[64];
    ssize_t n;
    while ((n = read(set->interrupt[0], bytes, sizeof bytes)) > 0) {
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        atomic_store_explicit(&set->deaf, true, memory_order_relaxed); /* as above */
    }
}

static void poll_returned(struct filch_os_poll *set)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    set->polling = false;
    /* relaxed: under the lock; a thread that waits for it looks again under the lock */
    atomic_fetch_add_explicit(&set->polls, 1, memory_order_relaxed);
    filch_lock_release(&set->lock);
    filch_os_wake(&set->polls, INT_MAX);
}

static void remove_locked(struct filch_os_poll *set, size_t i)
{
    FILCH_ASSERT(filch_lock_is_held(&set->lock));
    set->asked[i] = set->asked[--set->n];
}

/* It was answered: it is asked no more, unless that was another question. */
static void answered(struct filch_os_poll *set, int fd, uint32_t number)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    size_t i = index_of_locked(set, fd);
    if (i && set->asked[i].number == number) {
        remove_locked(set, i);
    }
    filch_lock_release(&set->lock);
}

static void forget(struct filch_os_poll *set, int fd)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    size_t i = index_of_locked(set, fd);
    if (i) {
        remove_locked(set, i);
    }
    filch_lock_release(&set->lock);
}

/* Which poll() has to return first; false: none. */
static bool is_polled(struct filch_os_poll *set, uint32_t *which)
{
    filch_lock_acquire(&set->lock, FILCH_RANK_QUESTIONS);
    bool polling = set->polling;
    *which = atomic_load_explicit(&set->polls, memory_order_relaxed); /* as above */
    filch_lock_release(&set->lock);
    return polling;
}

void filch_os_poll_drop(struct filch_os_poll *set, int fd)
{
    uint32_t first;
    uint32_t now;
    forget(set, fd);
    if (!is_polled(set, &first)) {
        return;
    }
    filch_os_poll_interrupt(set);
    while (is_polled(set, &now) && now == first) { /* a later one does not ask for it */
        filch_os_wait(&set->polls, first, FILCH_OS_NEVER);
    }
}

size_t filch_os_poll_wait(struct filch_os_poll *set, struct filch_os_ready *ready, size_t most)
{
    size_t n = copy_questions(set);
    size_t filled = 0;
    int some = poll(set->seen, (nfds_t)n, patience(set, n));
    bool refused = some < 0 && errno != EINTR && errno != EAGAIN && errno != ENOMEM;
    poll_returned(set);
    if (refused) {
        return FILCH_OS_POLL_REFUSED;
    }
    if (n && set->seen[0].revents) {
        hear_interrupts(set);
    }
    for (size_t i = 1; some > 0 && i < n && filled < most; i++) {
        if (set->seen[i].revents) {
            answered(set, set->seen[i].fd, set->seen_numbers[i]);
            ready[filled++] = (struct filch_os_ready){
                set->seen[i].fd, (unsigned)set->seen[i].revents, set->seen_numbers[i]};
        }
    }
    return filled;
}

#ifdef FILCH_OS_POSIX
bool filch_os_poll_looks(const struct filch_os_poll *set)
{
    (void)set;
    return false;
}

size_t filch_os_poll_look(struct filch_os_poll *set, struct filch_os_ready *ready, size_t most)
{
    (void)set, (void)ready, (void)most;
    return 0;
}
#endif
