/* os_poll on Linux: epoll, each question good for one answer. */
#define _GNU_SOURCE
#include "memory.h"
#include "os.h"
#include "os_poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum { AT_ONCE = 128 };

static const uint64_t interrupted = UINT64_MAX; /* instead of a descriptor and a question */

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLPRI == EPOLLPRI &&
                   POLLERR == EPOLLERR && POLLHUP == EPOLLHUP && POLLRDHUP == EPOLLRDHUP,
               "both count alike");

struct filch_os_poll {
    int epoll;
    int interrupt;
};

struct filch_os_poll *filch_os_poll_open(void)
{
    struct filch_os_poll *poll = filch_malloc(sizeof *poll);
    if (!poll) {
        return NULL;
    }
    poll->epoll = epoll_create1(EPOLL_CLOEXEC);
    poll->interrupt = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = interrupted};
    if (poll->epoll < 0 || poll->interrupt < 0 ||
        epoll_ctl(poll->epoll, EPOLL_CTL_ADD, poll->interrupt, &event) != 0) {
        filch_os_poll_close(poll);
        return NULL;
    }
    return poll;
}

void filch_os_poll_close(struct filch_os_poll *poll)
{
    if (poll->epoll >= 0) {
        close(poll->epoll);
    }
    if (poll->interrupt >= 0) {
        close(poll->interrupt);
    }
    filch_free(poll);
}

/* epoll knows a descriptor by its number and what it stands for: one whose number has been used
 * again is new to it, and back again when a duplicate has been put in its place. */
int filch_os_poll_ask(struct filch_os_poll *poll, int fd, unsigned events, uint32_t question)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT,
                                .data.u64 = (uint64_t)question << 32 | (uint32_t)fd};
    do {
        if (epoll_ctl(poll->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
            return 0;
        }
        if (errno == ENOENT && epoll_ctl(poll->epoll, EPOLL_CTL_ADD, fd, &event) == 0) {
            return 0;
        }
    } while (errno == EEXIST);
    return errno;
}

void filch_os_poll_drop(struct filch_os_poll *set, int fd)
{
    (void)set; /* epoll watches without keeping anything alive: let it, one call less */
    (void)fd;
}

size_t filch_os_poll_wait(struct filch_os_poll *poll, struct filch_os_ready *ready, size_t most)
{
    struct epoll_event events[AT_ONCE];
    int n = epoll_wait(poll->epoll, events, most < AT_ONCE ? (int)most : AT_ONCE, -1);
    size_t filled = 0;
    for (int i = 0; i < n; i++) {
        uint64_t data = events[i].data.u64;
        if (data == interrupted) {
            eventfd_t count;
            eventfd_read(poll->interrupt, &count);
        } else {
            ready[filled++] = (struct filch_os_ready){(int)(uint32_t)data, events[i].events,
                                                      (uint32_t)(data >> 32)};
        }
    }
    return filled;
}

void filch_os_poll_interrupt(struct filch_os_poll *poll)
{
    int cancel = filch_os_cancel_off();
    eventfd_write(poll->interrupt, 1);
    filch_os_cancel_restore(cancel);
}

/* Not known to this kernel or not allowed is as good as not possible. */
static ssize_t result(ssize_t n)
{
    return n >= 0 ? n : errno == ENOSYS || errno == EPERM ? -EOPNOTSUPP : -errno;
}

ssize_t filch_os_read_now(int fd, void *buffer, size_t bytes)
{
    struct iovec part = {.iov_base = buffer, .iov_len = bytes};
    return result(preadv2(fd, &part, 1, -1, RWF_NOWAIT));
}

ssize_t filch_os_write_now(int fd, const void *buffer, size_t bytes)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)buffer, .iov_len = bytes};
    return result(pwritev2(fd, &part, 1, -1, RWF_NOWAIT));
}
