#include <filch/first.h>

#include "os/os_watch.h"

filch_status filch_signal_block(int signal)
{
    return filch_os_signal_block(signal) ? FILCH_OK : FILCH_EINVAL;
}

int filch_signal_wait(const int *signals, filch_signal *taken)
{
    return filch_signal_wait_until(signals, filch_never(), taken);
}

int filch_signal_wait_until(const int *signals, filch_deadline until, filch_signal *taken)
{
    filch_signal any;
    filch_case one = filch_on_signals(signals, taken ? taken : &any);
    int chosen = filch_first(&one, 1, until, NULL);
    return chosen < 0 ? chosen : taken ? taken->number : any.number;
}
