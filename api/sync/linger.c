#include "sync/linger.h"

#include "base/assert.h"
#include "base/base.h"
#include "os/os.h"
#include "sched/thread.h"

enum {
    LINGER_NS = 5000, /* less than a sleep and a wake-up cost */
    GLANCE_NS = 250,  /* a glance takes the channel's line from those that use it */
};

bool filch_channel_can_linger(const filch_channel *channel)
{
    struct filch_thread *thread = filch_thread_known();
    return channel->capacity > 0 && (!thread || !thread->fiber);
}

/* There is room, or there are values, for some calls in a row. */
static bool has_plenty_locked(const filch_channel *channel, bool sends)
{
    FILCH_ASSERT(filch_lock_is_held(&channel->lock));
    return channel->closed ||
           (sends ? channel->count <= channel->capacity / 2 : channel->count > 0);
}

static void look_away(uint64_t until_ns)
{
    while (filch_os_now_ns() < until_ns) {
        filch_relax();
    }
}

bool filch_channel_linger(filch_channel *channel, bool sends, uint64_t deadline_ns)
{
    uint64_t now_ns = filch_os_now_ns();
    uint64_t until_ns = now_ns + LINGER_NS < deadline_ns ? now_ns + LINGER_NS : deadline_ns;
    bool plenty = false;
    while (!plenty && now_ns < until_ns) {
        look_away(now_ns + GLANCE_NS);
        filch_channel_lock(channel);
        plenty = has_plenty_locked(channel, sends);
        filch_lock_release(&channel->lock);
        now_ns = filch_os_now_ns();
    }
    return plenty;
}
