/* stuck_tell: the story of a deadlock. */
#include "debug/stuck_search.h"

#include "base/memory.h"
#include "debug/tell.h"
#include "os/log.h"

enum { STORY_LINES = 100 };

static bool belongs_to_story(const struct filch_stuck_search *search,
                             const struct filch_stuck_wait *wait)
{
    return search->still || wait->in_cycle;
}

static void tell_one(struct filch_words *words, const struct filch_stuck_search *search,
                     const struct filch_stuck_wait *wait)
{
    uint32_t number = wait->number;
    filch_say(words, "  ");
    filch_tell_party(words, wait->party);
    if (filch_party_hold(wait->party, &number)) {
        filch_say(words, " ");
        filch_tell_wait(words, wait->party,
                        wait->next == FILCH_STUCK_NOBODY ? NULL : search->waits[wait->next].party);
        filch_party_let_go(wait->party);
    }
    filch_say(words, wait->ends ? ": ends with FILCH_EDEADLK\n" : "\n");
}

void filch_stuck_tell(const struct filch_stuck_search *search)
{
    struct filch_words words = {.text = NULL};
    size_t lines = 0;
    filch_say(&words, search->still ? "deadlock: everybody waits, and nobody is left to wake one\n"
                                    : "deadlock: these wait for each other\n");
    for (size_t i = 0; i < search->n; i++) {
        const struct filch_stuck_wait *wait = &search->waits[i];
        if (belongs_to_story(search, wait) && lines++ < STORY_LINES) {
            tell_one(&words, search, wait);
        }
    }
    if (lines > STORY_LINES) {
        filch_say(&words, "  and %zu more\n", lines - STORY_LINES);
    }
    if (words.text) {
        filch_log(FILCH_LOG_ERROR, words.text);
    }
    filch_free(words.text);
}

uint64_t filch_stuck_signature(const struct filch_stuck_search *search)
{
    uint64_t sum = search->still;
    for (size_t i = 0; i < search->n; i++) {
        const struct filch_stuck_wait *wait = &search->waits[i];
        if (belongs_to_story(search, wait)) {
            sum = (sum ^ (uint64_t)(uintptr_t)wait->party ^ wait->number) * 0x9e3779b97f4a7c15u;
        }
    }
    return sum;
}
