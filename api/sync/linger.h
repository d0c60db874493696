/* linger: how a program's thread waits for a channel before it stands in line.
 *
 * It runs beside those at the other end. Were it in line at once, each of them would serve it with
 * one value, by the long way, and the two would meet at every value. So it looks on from outside,
 * now and then, until there is room or there are values for some calls in a row. A fiber needs none
 * of this: it goes on when those at the other end have come to their own end. */
#ifndef FILCH_LINGER_H
#define FILCH_LINGER_H

#include "sync/channel.h"

/* Is the caller a thread that holds no core, and the channel one with room for values? */
FILCH_PRIVATE bool filch_channel_can_linger(const filch_channel *channel);

/* True: it is worth another try. False: some us have passed, or the deadline: stand in line. */
FILCH_PRIVATE bool filch_channel_linger(filch_channel *channel, bool sends, uint64_t deadline_ns);

#endif
