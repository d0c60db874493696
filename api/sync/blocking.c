#include <filch/blocking.h>

#include "sched/lend.h"

void filch_blocking_begin(void)
{
    filch_lend_begin();
}

void filch_blocking_end(void)
{
    filch_lend_end();
}

int filch_blocking_enter(void)
{
    filch_lend_begin();
    return 0; /* what it is does not matter: it is there to be left */
}

void filch_blocking_leave(int *inside)
{
    (void)inside;
    filch_lend_end();
}

filch_status filch_pin(void)
{
    return filch_lend_pin() ? FILCH_OK : FILCH_EAGAIN;
}

void filch_unpin(void)
{
    filch_lend_unpin();
}
