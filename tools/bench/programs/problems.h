/* problems: what several programs compute, whatever they compute it with. C and C++. */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include "sample.h"

/* One element of a loop in which few are long, and these come last. */
static inline long heavy(size_t i, size_t n)
{
    uint64_t steps = 20 + 40000000 / ((n - i) * (n - i) + 400);
    uint64_t x = i;
    for (uint64_t s = 0; s < steps; s++) {
        x = mix(x);
    }
    return (long)(x & 0xff);
}

struct node {
    struct node *left;
    struct node *right;
    long value;
};

/* In heap order, so that no order of visits is the memory's. */
static inline void plant(struct node *nodes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t child = 2 * i + 1;
        nodes[i].value = (long)(mix(i) & 0xff);
        nodes[i].left = child < count ? &nodes[child] : NULL;
        nodes[i].right = child < count ? &nodes[child + 1] : NULL;
    }
}

#endif
