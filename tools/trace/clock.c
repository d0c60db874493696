#include "clock.h"

#include <math.h>
#include <stdlib.h>

#include "amount.h"
#include "memory.h"

static const double longest_ns = 1e17;      /* three years */
static const double apart_ns = 50e6;        /* lines are at least that long */
static const double believed_error = 0.005; /* of a line's slope, against the header's */

void clock_begin(struct clock *clock, uint64_t ticks, uint64_t ns, uint64_t ticks_per_second)
{
    clock->start = (struct clock_pair){ticks, ns};
    clock->ns_per_tick = 1e9 / (double)ticks_per_second;
}

bool clock_knows(const struct clock *clock, uint64_t ticks)
{
    return ticks >= clock->start.ticks &&
           (double)(ticks - clock->start.ticks) * clock->ns_per_tick < longest_ns;
}

void clock_add(struct clock *clock, uint64_t ticks, uint64_t ns)
{
    if (clock_knows(clock, ticks) && ns >= clock->start.ns) {
        *ARRAY_PUSH(clock->pairs) = (struct clock_pair){ticks, ns};
    }
}

static int by_ticks(const void *a, const void *b)
{
    const struct clock_pair *one = a;
    const struct clock_pair *other = b;
    return one->ticks < other->ticks ? -1 : one->ticks > other->ticks;
}

/* A pair between whose two readings the thread was interrupted makes a line too steep. */
static bool is_believed(const struct clock *clock, struct clock_pair from, struct clock_pair to)
{
    double ticks = (double)(to.ticks - from.ticks);
    double ns = (double)to.ns - (double)from.ns;
    return ns >= apart_ns && fabs(ns / (ticks * clock->ns_per_tick) - 1) < believed_error;
}

void clock_fit(struct clock *clock)
{
    size_t kept = 0;
    struct clock_pair last = clock->start;
    ARRAY_SORT(clock->pairs, by_ticks);
    for (size_t i = 0; i < clock->pairs.count; i++) {
        struct clock_pair pair = clock->pairs.at[i];
        if (pair.ticks > last.ticks && is_believed(clock, last, pair)) {
            clock->pairs.at[kept++] = last = pair;
        }
    }
    clock->pairs.count = kept;
}

/* The pair that a line to `ticks` starts from is the one before clock->last. */
static void find_line(struct clock *clock, uint64_t ticks)
{
    size_t low = 0;
    size_t high = clock->pairs.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (clock->pairs.at[middle].ticks <= ticks) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    clock->last = low;
}

int64_t clock_ns(struct clock *clock, uint64_t ticks)
{
    const struct clock_pair *pairs = clock->pairs.at;
    size_t count = clock->pairs.count;
    bool same = (clock->last == 0 || pairs[clock->last - 1].ticks <= ticks) &&
                (clock->last == count || pairs[clock->last].ticks > ticks);
    if (!same) {
        find_line(clock, ticks);
    }
    size_t next = clock->last;
    struct clock_pair from = next ? pairs[next - 1] : clock->start;
    double slope = clock->ns_per_tick;
    if (next < count) {
        slope = (double)(pairs[next].ns - from.ns) / (double)(pairs[next].ticks - from.ticks);
    } else if (next > 0) { /* after the last: as it went before */
        struct clock_pair before = next > 1 ? pairs[next - 2] : clock->start;
        slope = (double)(from.ns - before.ns) / (double)(from.ticks - before.ticks);
    }
    double ns = (double)(from.ns - clock->start.ns) + (double)(ticks - from.ticks) * slope;
    return amount_of(ns);
}

void clock_free(struct clock *clock)
{
    free(clock->pairs.at);
}
