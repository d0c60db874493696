/* spin: work of a chosen length, for programs that ask what a parallel call adds to it. */
#ifndef SPIN_H
#define SPIN_H

#include "sample.h"

/* Calls of mix() that take a nanosecond on this machine; set by calibrate(). */
static double steps_per_ns = 1;

static inline uint64_t spin(uint64_t x, double ns)
{
    uint64_t steps = (uint64_t)(ns * steps_per_ns);
    for (uint64_t s = 0; s <= steps; s++) {
        x = mix(x);
    }
    return x & 1;
}

static inline void calibrate(void)
{
    double best = 1e9;
    volatile uint64_t kept = 0;
    for (int i = 0; i < 9; i++) {
        double start = now_ns();
        kept = spin(kept, 1e6);
        double ns = now_ns() - start;
        best = ns < best ? ns : best;
    }
    steps_per_ns = 1e6 / best;
}

#endif
