/* deadlock_describe: the story of a deadlock. */
#include "debug/deadlock_search.h"

#include "base/memory.h"
#include "debug/describe.h"
#include "os/log.h"

enum { STORY_LINES = 100 };

static bool belongs_to_story(const struct filch_deadlock_search *search,
                             const struct filch_deadlock_wait *wait)
{
    return search->still || wait->in_cycle;
}

static void tell_one(struct filch_text *text, const struct filch_deadlock_search *search,
                     const struct filch_deadlock_wait *wait)
{
    uint32_t number = wait->number;
    filch_text_add(text, "  ");
    filch_describe_party(text, wait->party);
    if (filch_party_hold(wait->party, &number)) {
        filch_text_add(text, " ");
        filch_describe_wait(text, wait->party,
                            wait->next == FILCH_DEADLOCK_NONE ? NULL
                                                              : search->waits[wait->next].party);
        filch_party_let_go(wait->party);
    }
    filch_text_add(text, wait->ends ? ": ends with FILCH_EDEADLK\n" : "\n");
}

void filch_deadlock_describe(const struct filch_deadlock_search *search)
{
    struct filch_text text = {.string = NULL};
    size_t lines = 0;
    filch_text_add(&text, search->still
                              ? "deadlock: all wait, and nothing is left to wake any of them\n"
                              : "deadlock: these wait for each other\n");
    for (size_t i = 0; i < search->n; i++) {
        const struct filch_deadlock_wait *wait = &search->waits[i];
        if (belongs_to_story(search, wait) && lines++ < STORY_LINES) {
            tell_one(&text, search, wait);
        }
    }
    if (lines > STORY_LINES) {
        filch_text_add(&text, "  and %zu more\n", lines - STORY_LINES);
    }
    if (text.string) {
        filch_log(FILCH_LOG_ERROR, text.string);
    }
    filch_free(text.string);
}

uint64_t filch_deadlock_signature(const struct filch_deadlock_search *search)
{
    uint64_t sum = search->still;
    for (size_t i = 0; i < search->n; i++) {
        const struct filch_deadlock_wait *wait = &search->waits[i];
        if (belongs_to_story(search, wait)) {
            sum = (sum ^ (uint64_t)(uintptr_t)wait->party ^ wait->number) * 0x9e3779b97f4a7c15u;
        }
    }
    return sum;
}
