/* clock: from the ticks of a trace to nanoseconds since its start, by straight lines between pairs
 * of both that were recorded along the way. */
#ifndef FILCH_TOOL_CLOCK_H
#define FILCH_TOOL_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock_pair {
    uint64_t ticks;
    uint64_t ns;
};

struct clock {
    struct clock_pair start;
    double ns_per_tick; /* as the header has it */
    struct {
        struct clock_pair *at;
        size_t count, room;
    } pairs;
    size_t last; /* the line that was used last */
};

void clock_begin(struct clock *clock, uint64_t ticks, uint64_t ns, uint64_t ticks_per_second);

/* Any order; pairs that make no sense are left out. */
void clock_add(struct clock *clock, uint64_t ticks, uint64_t ns);

/* All have been added. */
void clock_fit(struct clock *clock);

/* Can that have been recorded? */
bool clock_knows(const struct clock *clock, uint64_t ticks);
int64_t clock_ns(struct clock *clock, uint64_t ticks);
void clock_free(struct clock *clock);

#endif
