#include "sched/call_site.h"

enum { STREAK = 3, STREAK_MAX = 1000 };

static uint32_t load(_Atomic(uint32_t) *word)
{
    return atomic_load_explicit(word, memory_order_relaxed); /* relaxed: a guess, see call_site.h */
}

static void store(_Atomic(uint32_t) *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed); /* relaxed: as above */
}

struct filch_call_site *filch_call_site_of(struct filch_call_sites *sites, const void *place)
{
    uint64_t hash = (uint64_t)(uintptr_t)place * 0x9e3779b97f4a7c15u;
    struct filch_call_site *site = &sites->table[hash >> 58];
    /* relaxed, both: a guess, see call_site.h */
    if (atomic_load_explicit(&site->place, memory_order_relaxed) != place) {
        atomic_store_explicit(&site->place, place, memory_order_relaxed);
        store(&site->streak, 0);
    }
    return site;
}

uint64_t filch_call_site_estimate(struct filch_call_site *site, size_t elements)
{
    return load(&site->streak) >= STREAK && elements < UINT32_MAX
               ? (uint64_t)load(&site->ticks_16) * elements / 16
               : UINT64_MAX;
}

void filch_call_site_learn(struct filch_call_site *site, size_t elements, uint64_t ran,
                           uint64_t ticks)
{
    uint64_t each = ran && ticks < UINT32_MAX / 16 ? ticks * 16 / ran + 1 : UINT32_MAX;
    uint32_t streak = load(&site->streak);
    if (elements >= UINT32_MAX || each * elements / 16 > FILCH_CALL_SITE_SHORT) {
        store(&site->streak, 0);
        return;
    }
    uint64_t old = streak ? load(&site->ticks_16) : each;
    /* Dearer is believed at once, cheaper slowly. */
    store(&site->ticks_16, (uint32_t)(each > old ? each : old - (old - each) / 8));
    if (streak < STREAK_MAX) {
        store(&site->streak, streak + 1);
    }
}
