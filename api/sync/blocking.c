#include <filch/blocking.h>

#include "sched/handoff.h"

void filch_blocking_begin(void)
{
    filch_handoff_begin();
}

void filch_blocking_end(void)
{
    filch_handoff_end();
}

int filch_blocking_enter(void)
{
    filch_handoff_begin();
    return 0; /* what it is does not matter: it is there to be left */
}

void filch_blocking_leave(int *inside)
{
    (void)inside;
    filch_handoff_end();
}

filch_status filch_pin(void)
{
    return filch_handoff_pin() ? FILCH_OK : FILCH_EAGAIN;
}

void filch_unpin(void)
{
    filch_handoff_unpin();
}
