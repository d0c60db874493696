/* graphs: the graphs of tasks that graphs.c and its peers run: what each node needs, and what it
 * does with that. */
#ifndef GRAPHS_H
#define GRAPHS_H

#include "sample.h"

enum { MOST_NEEDS = 4 };

struct node_of {
    int needs[MOST_NEEDS];
    int need_count;
};

struct shape {
    struct node_of *nodes; /* each needs earlier ones only */
    int count;
    uint64_t *values;
};

static inline struct shape shape_new(int count)
{
    struct shape shape;
    shape.nodes = (struct node_of *)calloc((size_t)count, sizeof *shape.nodes);
    shape.values = (uint64_t *)calloc((size_t)count, sizeof *shape.values);
    shape.count = count;
    must(shape.nodes && shape.values, "calloc()");
    return shape;
}

static inline void shape_free(struct shape *shape)
{
    free(shape->nodes);
    free(shape->values);
}

static inline void need_node(struct shape *shape, int node, int need)
{
    struct node_of *at = &shape->nodes[node];
    for (int i = 0; i < at->need_count; i++) {
        if (at->needs[i] == need) {
            return;
        }
    }
    at->needs[at->need_count++] = need;
}

/* A square whose places need the one above and the one on the left. */
static inline struct shape wavefront_of(int count)
{
    int side = 1;
    while ((side + 1) * (side + 1) <= count) {
        side++;
    }
    struct shape shape = shape_new(side * side);
    for (int i = 0; i < shape.count; i++) {
        if (i >= side) {
            need_node(&shape, i, i - side);
        }
        if (i % side > 0) {
            need_node(&shape, i, i - 1);
        }
    }
    return shape;
}

/* Up to four of the 100 before it. */
static inline struct shape random_of(int count)
{
    struct shape shape = shape_new(count);
    for (int i = 1; i < count; i++) {
        int needs = (int)(mix((uint64_t)i) % (MOST_NEEDS + 1));
        int span = i < 100 ? i : 100;
        for (int k = 0; k < needs; k++) {
            need_node(&shape, i, i - 1 - (int)(mix((uint64_t)(8 * i + k)) % (uint64_t)span));
        }
    }
    return shape;
}

/* Each needs its parent. */
static inline struct shape tree_of(int count)
{
    struct shape shape = shape_new(count);
    for (int i = 1; i < count; i++) {
        need_node(&shape, i, (i - 1) / 2);
    }
    return shape;
}

static inline void run_node(struct shape *shape, int node)
{
    const struct node_of *at = &shape->nodes[node];
    uint64_t value = 1;
    for (int i = 0; i < at->need_count; i++) {
        value += 3 * shape->values[at->needs[i]];
    }
    shape->values[node] = value;
}

static inline unsigned long long sum_of_values(const struct shape *shape)
{
    unsigned long long sum = 0;
    for (int i = 0; i < shape->count; i++) {
        sum += shape->values[i];
    }
    return sum;
}

enum { ROUNDS = 50, WARM_ROUNDS = 5 };

/* Nanoseconds a node of round(context), which runs the whole. */
static inline double time_rounds(struct shape *shape, void (*round)(void *context), void *context,
                                 unsigned long long *check)
{
    double start = 0;
    for (int i = -WARM_ROUNDS; i < ROUNDS; i++) {
        if (i == 0) {
            start = now_ns();
        }
        memset(shape->values, 0, (size_t)shape->count * sizeof *shape->values);
        round(context);
    }
    double ns = (now_ns() - start) / ((double)ROUNDS * shape->count);
    *check = sum_of_values(shape);
    return ns;
}

#endif
