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
    if (elements >= UINT32_MAX || each * elements / 16 > FILCH_CALL_SITE_LONG) {
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

static uint64_t load_ticks(_Atomic(uint64_t) *word)
{
    return atomic_load_explicit(word, memory_order_relaxed); /* relaxed: as above */
}

static void store_ticks(_Atomic(uint64_t) *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed); /* relaxed: as above */
}

/* The clocks of two processors may not agree: `now` may come before it. */
static bool is_since(uint64_t last, uint64_t now, uint64_t ticks)
{
    return last && now - last + ticks < 2 * ticks;
}

bool filch_pace_is_kept(struct filch_pace *pace, uint64_t now)
{
    return is_since(load_ticks(&pace->last), now, FILCH_PACE_REACH);
}

bool filch_pace_calls(struct filch_pace *pace, uint64_t now, uint64_t estimate)
{
    bool near = is_since(load_ticks(&pace->last), now, FILCH_PACE_NEAR);
    uint64_t sum = near ? load_ticks(&pace->sum) + estimate : 0;
    bool calls = sum > FILCH_PACE_CALL;
    store_ticks(&pace->sum, calls ? 0 : sum);
    if (calls) {
        store(&pace->called, 1);
    }
    return calls;
}

bool filch_pace_is_called(struct filch_pace *pace)
{
    /* relaxed: as above */
    return load(&pace->called) && atomic_exchange_explicit(&pace->called, 0, memory_order_relaxed);
}

void filch_pace_note(struct filch_pace *pace, uint64_t now)
{
    if (!is_since(load_ticks(&pace->last), now, FILCH_PACE_WRITTEN)) {
        store_ticks(&pace->last, now);
    }
}

void filch_reach_wakes(struct filch_reach *reach, uint64_t now)
{
    store_ticks(&reach->woken, now);
}

void filch_reach_comes(struct filch_reach *reach, uint64_t now)
{
    uint64_t woken = load_ticks(&reach->woken);
    uint64_t took = now - woken;
    if (!woken || took > INT64_MAX) {
        return; /* the clocks of two processors do not agree */
    }
    store_ticks(&reach->woken, 0);
    took = took < FILCH_CALL_SITE_LONG ? took : FILCH_CALL_SITE_LONG; /* it may have been held up */
    uint64_t old = load_ticks(&reach->ticks);
    store_ticks(&reach->ticks, old ? old - old / 8 + took / 8 : took);
}

uint64_t filch_reach_worth(struct filch_reach *reach)
{
    uint64_t ticks = load_ticks(&reach->ticks);
    uint64_t worth = (ticks ? ticks : FILCH_REACH_FIRST) + FILCH_REACH_PRICE;
    return worth < FILCH_CALL_SITE_LONG ? worth : FILCH_CALL_SITE_LONG;
}

bool filch_reach_spares(struct filch_reach *reach, uint64_t estimate)
{
    if (estimate < FILCH_REACH_LEAST) {
        return true;
    }
    if (estimate >= filch_reach_worth(reach)) {
        return false;
    }
    uint32_t spared = load(&reach->spared) + 1;
    store(&reach->spared, spared);
    return spared % FILCH_REACH_CHECK != 0;
}
