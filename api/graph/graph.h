/* graph: nodes, what needs what, and a run. */
#ifndef FILCH_GRAPH_PRIVATE_H
#define FILCH_GRAPH_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <filch/graph.h>

#include "base/base.h"
#include "base/private.h"
#include "future/dot.h"
#include "os/lock.h"
#include "pool/fault.h"
#include "sleep/wait.h"
#include "work/work.h"

/* So many nodes of a class at once. */
struct filch_limit {
    struct filch_lock lock;
    unsigned free;            /* lock */
    struct filch_node *first; /* lock: those that wait, in line */
    struct filch_node *last;  /* lock */
    struct filch_graph *graph;
    struct filch_limit *next; /* of the graph */
};

struct filch_node {
    FILCH_ALIGNED(FILCH_CACHE_LINE) struct filch_detached task;
    _Atomic(size_t) undone; /* needs that have not ended; renewed by the node itself */
    _Atomic(bool) skipped;  /* one of them has failed; the same */
    bool limited;           /* it has a place of its limit: its runner */
    unsigned char state;    /* enum filch_dot_state, of the last run; its runner */
    struct filch_node **followers;
    size_t follower_count;
    size_t need_count;
    size_t first_need;         /* where they begin in the graph's list */
    struct filch_limit *limit; /* or NULL */
    struct filch_node *next;   /* lock of the limit; or in the line of a run without threads */
    struct filch_graph *graph;
    size_t number;
    void *result; /* behind the node, if the program did not ask for it; NULL: there is none */
    filch_closure closure;
};

struct filch_need_of_node {
    size_t need, node; /* numbers */
};

struct filch_graph {
    struct filch_node **nodes;
    size_t node_count, node_room;
    struct filch_need_of_node *needs; /* by node, each once, if `sorted` */
    size_t need_count, need_room;
    bool sorted;
    struct filch_limit *limits;
    filch_status made; /* the first that went wrong */

    /* What a run needs; of the nodes as they are if `ready`. */
    bool ready;
    struct filch_node **followers; /* of all nodes */
    struct filch_node **first;     /* those that need nothing */
    size_t first_count;

    /* A run. */
    _Atomic(uint32_t) runs; /* not bool: not every processor exchanges bytes */
    struct filch_pool *pool;
    struct filch_frame *frame; /* the caller's: errors go there */
    uint64_t modes;            /* the caller's */
    _Atomic(bool) stopped;     /* a node was left out because all were asked to stop */
    bool alone;                /* there are no threads: what is ready lies in a line */
    struct filch_node *line;   /* of that */
    FILCH_ALIGNED(FILCH_CACHE_LINE) _Atomic(size_t) undone; /* nodes */
    struct filch_latch done;
};

static inline const filch_function_info *filch_node_info(const struct filch_node *node)
{
    return node->closure.callable->info;
}

FILCH_PRIVATE void filch_graph_sort_needs(struct filch_graph *graph);

/* See that it is ready. FILCH_EDEADLK: there is a cycle, and the log tells it; FILCH_ENOMEM,
 * FILCH_EOVERFLOW. */
FILCH_PRIVATE FILCH_MUST_CHECK filch_status filch_graph_prepare(struct filch_graph *graph);

/* Inside its pool, by its caller: a struct filch_graph, all of it. */
FILCH_PRIVATE void filch_graph_run_inside(void *graph);

#endif
