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

/* A tree that is there in numbers only: the node `seed`, with so many below it, itself included. Of
 * a large one nearly all are in one half, now the left and now the right: 4 * 10^6 nodes are 16,000
 * deep. */
enum { MOST_ASIDE = 512 };

struct split {
    long value; /* of the node; the rest is its halves', of which one can be empty */
    long left;
    long right;
};

static inline struct split split_at(long nodes, uint64_t seed)
{
    uint64_t x = mix(mix(mix(seed)));
    long rest = nodes - 1;
    long aside = (long)(x % MOST_ASIDE);
    aside = aside < rest ? aside : rest / 2;
    struct split s = {(long)(x >> 56), aside, rest - aside};
    return x >> 32 & 1 ? s : (struct split){s.value, s.right, s.left};
}

/* What can be packed, and how much is gained by it. */
struct thing {
    int gain;
    int weight;
};

enum { MOST_THINGS = 40 };

/* Returns what about half of them weigh. */
static inline int things_to_pack(struct thing *things, int n)
{
    int weight = 0;
    for (int i = 0; i < n; i++) {
        things[i].gain = 1 + (int)(mix((uint64_t)i + 1) % 100);
        things[i].weight = 1 + (int)(mix((uint64_t)i + 1000) % 100);
        weight += things[i].weight;
    }
    return weight / 2;
}

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
