#include "unwound.h"

#include <stdio.h>
#include <stdlib.h>

#include "core.h"
#include "log.h"
#include "pool.h"
#include "process.h"
#include "strand.h"
#include "thread.h"

_Noreturn void filch_unwound_fatally(struct filch_thread *thread)
{
    struct filch_party *party = thread->strand ? thread->strand->party : &thread->party;
    const filch_function_info *info = filch_party_doing(party); /* the frames may be gone */
    char message[512];
    if (info) {
        snprintf(message, sizeof message,
                 "task %.100s (%.200s:%d) has ended the thread that runs it (pthread_exit, thrd_exit, "
                 "pthread_cancel), or an exception left it: a task must return\n",
                 info->name, info->file, info->line);
    } else {
        snprintf(message, sizeof message,
                 "a task, callback or hook has ended the thread that runs it: it must return\n");
    }
    filch_log(FILCH_LOG_ERROR, message);
    abort();
}

bool filch_unwound_begin(struct filch_strand *strand, struct filch_frame *frame)
{
    if (!strand->guest) {
        filch_unwound_fatally(filch_thread_known());
    }
    strand->frame = frame;
    return filch_process_owns(strand->pool->token);
}

/* Others may still want it. */
static bool is_live(const filch_slot *slot)
{
    return slot->type && slot->type != &filch_slot_running;
}

bool filch_unwound_drop(struct filch_strand *strand)
{
    filch_lane *lane = &strand->lane;
    filch_slot *slot = lane->top - 1;
    bool ours = is_live(slot) && (slot >= lane->split || filch_core_reclaim(strand, slot));
    filch_lane_retire(lane, slot);
    return ours;
}

void filch_unwound_to(struct filch_strand *strand, struct filch_frame *frame, filch_slot *bottom)
{
    if (filch_unwound_begin(strand, frame)) {
        while (strand->lane.top > bottom) {
            filch_unwound_drop(strand);
        }
    }
}
