/* os_plain_poll, which is what other systems have for os_poll. */
#include "os/os_plain_poll.h"

#define filch_os_poll filch_os_plain_poll
#define filch_os_poll_open filch_os_plain_poll_open
#define filch_os_poll_close filch_os_plain_poll_close
#define filch_os_poll_ask filch_os_plain_poll_ask
#define filch_os_poll_drop filch_os_plain_poll_drop
#define filch_os_poll_wait filch_os_plain_poll_wait
#define filch_os_poll_interrupt filch_os_plain_poll_interrupt
#include "os/os_posix_poll.c"

#undef filch_os_poll
#undef filch_os_poll_open
#undef filch_os_poll_close
#undef filch_os_poll_ask
#undef filch_os_poll_drop
#undef filch_os_poll_wait
#undef filch_os_poll_interrupt
