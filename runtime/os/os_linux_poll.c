/* os_poll on Linux: epoll, each question good for one answer; poll() where a filter of system calls
 * refuses epoll. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/memory.h"
#include "os/os.h"
#include "os/os_plain_poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 8
#endif

enum { EVENTS_AT_ONCE = 128 };

static const uint64_t interrupted = UINT64_MAX; /* instead of a descriptor and a question */

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLPRI == EPOLLPRI &&
                   POLLERR == EPOLLERR && POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP,
               "both count alike");

struct filch_os_poll {
    struct filch_os_plain_poll *plain; /* NULL: epoll does it */
    int epoll;
    int interrupt[2]; /* maybe one descriptor twice */
};

/* Is the set told of interrupts, and can it be waited for? It is told at each, not as long as there
 * is something to read: reading may be refused, too. */
static bool watches_interrupts(struct filch_os_poll *set)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = interrupted};
    return epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->interrupt[0], &event) == 0 &&
           epoll_wait(set->epoll, &event, 1, 0) >= 0;
}

static bool open_epoll(struct filch_os_poll *set)
{
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0) {
        return false;
    }
    if (filch_os_event_make(&set->interrupt[0], &set->interrupt[1])) {
        if (watches_interrupts(set)) {
            return true;
        }
        filch_os_event_close(set->interrupt[0], set->interrupt[1]);
    }
    close(set->epoll);
    return false;
}

struct filch_os_poll *filch_os_poll_open(void)
{
    struct filch_os_poll *set = filch_malloc(sizeof *set);
    if (!set) {
        return NULL;
    }
    set->plain = NULL;
    if (!open_epoll(set) && !(set->plain = filch_os_plain_poll_open())) {
        filch_free(set);
        return NULL;
    }
    return set;
}

void filch_os_poll_close(struct filch_os_poll *set)
{
    if (set->plain) {
        filch_os_plain_poll_close(set->plain);
    } else {
        close(set->epoll);
        filch_os_event_close(set->interrupt[0], set->interrupt[1]);
    }
    filch_free(set);
}

/* epoll says EPERM of a descriptor that it cannot watch, a file on disk, which poll() says is
 * ready; a filter may say so of any. */
static int meaning_of(int error, int fd, unsigned events)
{
    struct pollfd one = {.fd = fd, .events = (short)events};
    bool refused = error == ENOSYS || error == EACCES || (error == EPERM && poll(&one, 1, 0) != 1);
    return refused ? ENOSYS : error;
}

/* epoll knows a descriptor by its number and what it stands for: one whose number has been used
 * again is new to it, and back again when a duplicate has been put in its place. */
int filch_os_poll_ask(struct filch_os_poll *set, int fd, unsigned events, uint32_t question)
{
    if (set->plain) {
        return filch_os_plain_poll_ask(set->plain, fd, events, question);
    }
    struct epoll_event event = {.events = events | EPOLLONESHOT,
                                .data.u64 = (uint64_t)question << 32 | (uint32_t)fd};
    do {
        if (epoll_ctl(set->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
            return 0;
        }
        if (errno == ENOENT && epoll_ctl(set->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
            return 0;
        }
    } while (errno == EEXIST);
    return meaning_of(errno, fd, events);
}

/* epoll watches without keeping anything alive. */
void filch_os_poll_drop(struct filch_os_poll *set, int fd)
{
    if (set->plain) {
        filch_os_plain_poll_drop(set->plain, fd);
    }
}

static void hear_interrupt(struct filch_os_poll *set)
{
    char bytes[64];
    ssize_t n = read(set->interrupt[0], bytes, sizeof bytes);
    (void)n; /* if it is refused, there is room for very many */
}

static size_t wait_in_epoll(struct filch_os_poll *set, struct filch_os_ready *ready, size_t most,
                            int milliseconds)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int n = epoll_wait(set->epoll, events, most < EVENTS_AT_ONCE ? (int)most : EVENTS_AT_ONCE,
                       milliseconds);
    size_t filled = 0;
    for (int i = 0; i < n; i++) {
        uint64_t data = events[i].data.u64;
        if (data == interrupted) {
            hear_interrupt(set);
        } else {
            ready[filled++] = (struct filch_os_ready){(int)(uint32_t)data, events[i].events,
                                                      (uint32_t)(data >> 32)};
        }
    }
    return n < 0 && errno != EINTR ? FILCH_OS_POLL_REFUSED : filled;
}

size_t filch_os_poll_wait(struct filch_os_poll *set, struct filch_os_ready *ready, size_t most)
{
    return set->plain ? filch_os_plain_poll_wait(set->plain, ready, most)
                      : wait_in_epoll(set, ready, most, -1);
}

bool filch_os_poll_looks(const struct filch_os_poll *set)
{
    return !set->plain;
}

size_t filch_os_poll_look(struct filch_os_poll *set, struct filch_os_ready *ready, size_t most)
{
    return wait_in_epoll(set, ready, most, 0);
}

void filch_os_poll_interrupt(struct filch_os_poll *set)
{
    if (set->plain) {
        filch_os_plain_poll_interrupt(set->plain);
    } else if (!filch_os_event_set(set->interrupt[1])) {
        /* Writing is refused: what could be written to is ready for that, told once. */
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET,
                                    .data.u64 = interrupted};
        epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->interrupt[1], &event);
        epoll_ctl(set->epoll, EPOLL_CTL_MOD, set->interrupt[1], &event);
    }
}

/* Where the file is, and without waiting; musl has no names for these calls before 1.2.5. Not known
 * to this kernel or not allowed is as good as not possible. */
static ssize_t do_now(long call, int fd, const struct iovec *part)
{
    long n = syscall(call, fd, part, 1L, -1L, -1L, RWF_NOWAIT);
    return n >= 0 ? n : errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
}

ssize_t filch_os_read_now(int fd, void *buffer, size_t bytes)
{
    return do_now(SYS_preadv2, fd, &(struct iovec){.iov_base = buffer, .iov_len = bytes});
}

ssize_t filch_os_write_now(int fd, const void *buffer, size_t bytes)
{
    void *from = (void *)(uintptr_t)buffer;
    return do_now(SYS_pwritev2, fd, &(struct iovec){.iov_base = from, .iov_len = bytes});
}
