/* Signals and processes. Where the system tells of them through a descriptor, one is made for the
 * call, and waited for as any other; else the caller looks now and then. */
#include "first/first_case.h"

#include "first/first_fd.h"
#include "os/os.h"
#include "os/os_watch.h"

/* A descriptor of the call's own: it is made when it is known that one must wait. */
void filch_case_watch_begin(filch_case *one)
{
    *filch_case_fd_of(one) = (struct filch_case_fd){.wait = {.fd = -1}};
}

void filch_case_watch_end(filch_case *one)
{
    int fd = filch_case_fd_of(one)->wait.fd;
    if (fd >= 0) {
        filch_os_event_close(fd, fd);
    }
}

static filch_status prepare_watch(filch_case *one, struct filch_first *first, int made)
{
    struct filch_case_fd *state = filch_case_fd_of(one);
    if (made >= 0) {
        filch_case_fd_watch(state, made, POLLIN);
    }
    state->set = true; /* it is asked for once */
    if (state->wait.fd < 0) {
        first->glances = state->unwatched = true;
        return FILCH_OK;
    }
    return filch_case_fd_prepare(one, first);
}

/* ---- signals ---- */

/* 0: some are no signals, or there are none. */
static uint64_t signals_of_case(const filch_case *one)
{
    const int alone[2] = {one->number, 0};
    const int *signals = one->kind == FILCH_CASE_SIGNALS ? one->subject : alone;
    uint64_t all = 0;
    for (int i = 0; signals && signals[i]; i++) {
        uint64_t bit = filch_os_signal_bit(signals[i]);
        if (!bit) {
            return 0;
        }
        all |= bit;
    }
    return all;
}

bool filch_case_signal_is_valid(const filch_case *one)
{
    return signals_of_case(one) != 0;
}

filch_status filch_case_signal_prepare(filch_case *one, struct filch_first *first)
{
    bool asked = filch_case_fd_of(one)->set;
    return prepare_watch(one, first, asked ? -1 : filch_os_signal_fd(signals_of_case(one)));
}

bool filch_case_signal_done(filch_case *one)
{
    struct filch_os_signal taken;
    bool done = filch_os_signal_take(signals_of_case(one), &taken) > 0;
    if (done && one->out) {
        *(filch_signal *)one->out =
            (filch_signal){taken.number, taken.code, taken.sender, taken.value};
    }
    return done;
}

/* ---- processes ---- */

bool filch_case_process_is_valid(const filch_case *one)
{
    return one->number > 0;
}

filch_status filch_case_process_prepare(filch_case *one, struct filch_first *first)
{
    bool asked = filch_case_fd_of(one)->set;
    return prepare_watch(one, first, asked ? -1 : filch_os_process_fd(one->number));
}

bool filch_case_process_done(filch_case *one)
{
    int wait_status = 0;
    int reaped = filch_os_process_reap(one->number, &wait_status);
    if (reaped != 0 && one->out) {
        *(int *)one->out = reaped > 0 ? wait_status : reaped;
    }
    return reaped != 0;
}
