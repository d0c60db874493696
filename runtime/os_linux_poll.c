/* os_poll on Linux: epoll, each question good for one answer. */
#define _GNU_SOURCE
#include "memory.h"
#include "os.h"
#include "os_poll.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { AT_ONCE = 128 };

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
    struct epoll_event event = {.events = EPOLLIN, .data.fd = -1};
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

/* A descriptor that was closed meanwhile, and its number used again, is new to epoll. */
int filch_os_poll_ask(struct filch_os_poll *poll, int fd, unsigned events)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT, .data.fd = fd};
    if (epoll_ctl(poll->epoll, EPOLL_CTL_MOD, fd, &event) == 0) {
        return 0;
    }
    return errno == ENOENT && epoll_ctl(poll->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void filch_os_poll_drop(struct filch_os_poll *set, int fd)
{
    (void)set; /* epoll watches without keeping anything alive */
    (void)fd;
}

size_t filch_os_poll_wait(struct filch_os_poll *poll, struct filch_os_ready *ready, size_t most)
{
    struct epoll_event events[AT_ONCE];
    int n = epoll_wait(poll->epoll, events, most < AT_ONCE ? (int)most : AT_ONCE, -1);
    size_t filled = 0;
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd < 0) {
            eventfd_t count;
            eventfd_read(poll->interrupt, &count);
        } else {
            ready[filled++] = (struct filch_os_ready){events[i].data.fd, events[i].events};
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
