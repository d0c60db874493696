#include "sleep/closing.h"

#include <errno.h>

#include "base/assert.h"
#include "base/base.h"
#include "os/lock.h"
#include "os/os.h"

enum { SETTLE_NS = 1000000 }; /* close() may take long, and does not tell when it has returned */

struct number { /* a line each: neighbours are used on different cores */
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(uint32_t) closes;
    _Atomic(uint32_t) users;
};

enum { FDS_PER_CHUNK = 512, FD_CHUNKS = FILCH_FD_MOST / FDS_PER_CHUNK };

struct number_chunk {
    struct number numbers[FDS_PER_CHUNK];
};

/* Descriptors are the process's. Zero is a valid start. */
static struct {
    struct filch_lock sleepers_lock;
    struct filch_fd_sleeper *sleepers;                /* sleepers_lock */
    _Atomic(struct number_chunk *) chunks[FD_CHUNKS]; /* never removed */
} fds;

/* NULL: nothing is known of that number, which is a valid start. */
static struct number *known_number(int fd)
{
    if (fd < 0 || fd >= FILCH_FD_MOST) {
        return NULL;
    }
    /* acquire: pairs with the release in made */
    struct number_chunk *chunk =
        atomic_load_explicit(&fds.chunks[fd / FDS_PER_CHUNK], memory_order_acquire);
    return chunk ? &chunk->numbers[fd % FDS_PER_CHUNK] : NULL;
}

/* The same, made if it must be. NULL: no memory. */
static struct number *made_number(int fd)
{
    struct number *number = known_number(fd);
    if (number) {
        return number;
    }
    struct number_chunk *none = NULL;
    struct number_chunk *chunk = filch_os_map(sizeof *chunk); /* for good */
    /* release: pairs with the acquire in known; the chunk is zeroed. relaxed on failure:
     * known_number() reads it again */
    if (chunk &&
        !atomic_compare_exchange_strong_explicit(&fds.chunks[fd / FDS_PER_CHUNK], &none, chunk,
                                                 memory_order_release, memory_order_relaxed)) {
        filch_os_unmap(chunk, sizeof *chunk);
    }
    return known_number(fd);
}

uint32_t filch_fd_closes(int fd)
{
    struct number *number = known_number(fd);
    /* acquire: pairs with the exchange in filch_fd_close_end; the number's new meaning is known */
    return number ? atomic_load_explicit(&number->closes, memory_order_acquire) : 0;
}

int filch_fd_use(int fd, uint32_t closes)
{
    if (fd < 0 || fd >= FILCH_FD_MOST) {
        return 0; /* the system says what it is, if anything */
    }
    struct number *number = made_number(fd);
    if (!number) {
        return ENOMEM;
    }
    /* seq_cst, both: pair with those of filch_fd_close_begin, see closing.h */
    atomic_fetch_add_explicit(&number->users, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&number->closes, memory_order_seq_cst) == closes) {
        return 0;
    }
    filch_fd_unuse(fd);
    return EBADF;
}

void filch_fd_unuse(int fd)
{
    struct number *number = known_number(fd);
    /* seq_cst, both: pair with those of filch_fd_close_begin: it sees no user, or we see it */
    uint32_t users =
        number ? atomic_fetch_sub_explicit(&number->users, 1, memory_order_seq_cst) : 1;
    FILCH_ASSERT(users > 0);
    if (number && users == 1 &&
        atomic_load_explicit(&number->closes, memory_order_seq_cst) % 2 == 1) {
        filch_os_wake(&number->users, 1);
    }
}

uint32_t filch_fd_settle(int fd, uint32_t closes)
{
    struct number *number = known_number(fd);
    while (number && closes % 2 == 1) {
        filch_os_wait(&number->closes, closes, filch_os_now_ns() + SETTLE_NS);
        closes = filch_fd_closes(fd);
    }
    return closes;
}

/* Of several that close the same number, one at a time. */
static void make_odd(struct number *number, int fd)
{
    uint32_t even;
    do {
        even = filch_fd_settle(fd, filch_fd_closes(fd));
        /* seq_cst: pairs with filch_fd_use; relaxed on failure: it is read again */
    } while (!atomic_compare_exchange_strong_explicit(&number->closes, &even, even + 1,
                                                      memory_order_seq_cst, memory_order_relaxed));
}

static void rouse_sleepers(int fd)
{
    filch_lock_acquire(&fds.sleepers_lock, FILCH_RANK_SLEEPERS);
    for (struct filch_fd_sleeper *s = fds.sleepers; s; s = s->next) {
        if (s->fd == fd && s->event >= 0) {
            filch_os_event_set(s->event_set);
        }
    }
    filch_lock_release(&fds.sleepers_lock);
}

bool filch_fd_close_begin(int fd)
{
    struct number *number = fd < FILCH_FD_MOST ? made_number(fd) : NULL;
    if (!number) {
        return false;
    }
    make_odd(number, fd);
    /* seq_cst: pairs with filch_fd_use and filch_fd_unuse */
    uint32_t users = atomic_load_explicit(&number->users, memory_order_seq_cst);
    if (users) {
        rouse_sleepers(fd); /* one that is a user has been in the list before */
    }
    while (users) {
        filch_os_wait(&number->users, users, FILCH_OS_NEVER);
        users = atomic_load_explicit(&number->users, memory_order_seq_cst); /* as above */
    }
    return true;
}

void filch_fd_close_end(int fd)
{
    struct number *number = known_number(fd);
    FILCH_ASSERT(number && filch_fd_closes(fd) % 2 == 1); /* it has begun */
    /* release: pairs with the acquire in filch_fd_closes */
    atomic_fetch_add_explicit(&number->closes, 1, memory_order_release);
}

void filch_fd_sleeper_add(struct filch_fd_sleeper *sleeper, int fd)
{
    sleeper->fd = fd;
    if (!filch_os_event_make(&sleeper->event, &sleeper->event_set)) {
        sleeper->event = sleeper->event_set = -1;
    }
    filch_lock_acquire(&fds.sleepers_lock, FILCH_RANK_SLEEPERS);
    sleeper->next = fds.sleepers;
    fds.sleepers = sleeper;
    filch_lock_release(&fds.sleepers_lock);
}

void filch_fd_sleeper_remove(struct filch_fd_sleeper *sleeper)
{
    filch_lock_acquire(&fds.sleepers_lock, FILCH_RANK_SLEEPERS);
    struct filch_fd_sleeper **link = &fds.sleepers;
    while (*link && *link != sleeper) { /* not there in the child of a fork() */
        link = &(*link)->next;
    }
    if (*link) {
        *link = sleeper->next;
    }
    filch_lock_release(&fds.sleepers_lock);
    if (sleeper->event >= 0) {
        filch_os_event_close(sleeper->event, sleeper->event_set);
    }
}

bool filch_fd_has_sleeper(int fd)
{
    filch_lock_acquire(&fds.sleepers_lock, FILCH_RANK_SLEEPERS);
    struct filch_fd_sleeper *sleeper = fds.sleepers;
    while (sleeper && sleeper->fd != fd) {
        sleeper = sleeper->next;
    }
    filch_lock_release(&fds.sleepers_lock);
    return sleeper != NULL;
}

void filch_fds_start_anew(void)
{
    filch_lock_init(&fds.sleepers_lock);
    fds.sleepers = NULL;
    for (size_t i = 0; i < FD_CHUNKS; i++) {
        /* relaxed, all: the only thread */
        struct number_chunk *chunk = atomic_load_explicit(&fds.chunks[i], memory_order_relaxed);
        for (size_t k = 0; chunk && k < FDS_PER_CHUNK; k++) {
            atomic_store_explicit(&chunk->numbers[k].closes, 0, memory_order_relaxed);
            atomic_store_explicit(&chunk->numbers[k].users, 0, memory_order_relaxed);
        }
    }
}
