/* filch/graph.h: graphs of tasks that run again and again.
 *
 *     FILCH_FUNCTION(void, read_input, (struct world *, world)) { ... }
 *     FILCH_FUNCTION(double, move, (struct world *, world), (int, part)) { ... }
 *     FILCH_FUNCTION(void, draw, (struct world *, world)) { ... }
 *
 *     filch_graph *graph;
 *     filch_node *input, *left, *right, *picture;
 *     filch_graph_new(&graph);
 *     read_input_node(graph, &world, &input);
 *     move_node(graph, &world, 0, NULL, &left);        a result goes to a place of the program's,
 *     move_node(graph, &world, 1, &speed, &right);     the same in each run; NULL: to none
 *     draw_node(graph, &world, &picture);
 *     filch_node_needs(left, input);
 *     filch_node_needs(right, input);
 *     filch_node_needs(picture, left);
 *     filch_node_needs(picture, right);
 *     for (each frame) {
 *         status = filch_graph_run(FILCH_ON(pool, .error = &error), graph);
 *     }
 *     filch_graph_free(graph);
 *
 * What cannot be made (no memory, a NULL) is remembered: the calls above need not be checked, since
 * filch_graph_run() answers it. A run takes no memory, except for the first after a change, and
 * calls each node once, when all that it needs have been called. For a graph that runs once futures
 * are simpler, and carry values (then.h, name_after).
 *
 * When a node raises an error, those that need it, directly or through others, are not called; the
 * others are. The error that counts is that of the node that was added first; its index is that
 * node's number, from 0. So it is the same in each run.
 *
 * A run stops at its deadline (FILCH_ON(pool, .until = filch_in(2)), options.h), or when its caller
 * is asked to stop (filch_cancelled()), as a task whose future is cancelled. Then nodes that have
 * not begun never do.
 *
 * A graph is for one thread at a time. All of it is freed with it. Nodes may wait, fork, and run
 * other graphs.
 *
 * Source: the counters of needs are those of Blumofe & Leiserson, "Scheduling multithreaded
 * computations by work stealing" (1999), section 2. */
#ifndef FILCH_GRAPH_H
#define FILCH_GRAPH_H

#include <stddef.h>
#include <stdio.h>

#include <filch/core.h>
#include <filch/macros.h>

FILCH_SHORT_ERRORS

#ifdef __cplusplus
extern "C" {
#endif

typedef struct filch_graph filch_graph;
typedef struct filch_node filch_node;
typedef struct filch_limit filch_limit;

/* Effect: a graph without nodes. Owns: the caller. Errors: FILCH_EINVAL, FILCH_ENOMEM: *graph is
 * NULL, and the calls below refuse it. */
filch_status filch_graph_new(filch_graph **graph);

/* Effect: one node more, which calls the closure in each run.
 * Args: closure: shared; result: where its result is to be, as long as the graph is there, or NULL;
 * node: receives it, NULL on error; or NULL.
 * Errors: FILCH_EINVAL: a missing graph, or an empty closure; FILCH_ENOMEM; FILCH_EOVERFLOW;
 * FILCH_EBUSY: it runs. Threads: one at a time. Does not block. */
filch_status filch_graph_add(filch_graph *graph, const filch_closure *closure, void *result,
                             filch_node **node);

/* Effect: the same, of a closure that is made of `callable` and `captures` for this call. What
 * generated code uses. */
filch_status filch_graph_add_captured(filch_graph *graph, const filch_callable *callable,
                                      const void *captures, void *result, filch_node **node);

/* Effect: `node` is called after `need`, in each run. Both are of one graph. Twice is once.
 * Errors, threads: as filch_graph_add(). That there is a cycle is told by the next run. */
filch_status filch_node_needs(filch_node *node, filch_node *need);

/* Effect: of the nodes that get this limit no more than `most` run at once. The others wait for
 * their turn without holding a core, in the order in which they could have begun.
 * Errors: as filch_graph_add(); FILCH_EINVAL: also for 0. */
filch_status filch_graph_limit(filch_graph *graph, unsigned most, filch_limit **limit);

/* Effect: the node gets the limit, which is of the same graph, in place of another; NULL: none.
 * Errors, threads: as filch_graph_add(). */
filch_status filch_node_limit(filch_node *node, filch_limit *limit);

/* Effect: runs it, and returns when all nodes have been called, or left out. The caller works, too.
 * Each node sees what those did that it needs, and the caller what all did.
 * Errors: FILCH_ERAISED; FILCH_ETIMEDOUT, FILCH_ECANCELED: it was asked to stop, some nodes were
 * not called. Nothing was called: FILCH_EDEADLK: there is a cycle, whose nodes are in the log
 * (log.h);
 * FILCH_EBUSY: it runs already; FILCH_EINVAL; FILCH_ENOMEM; FILCH_EOVERFLOW: also of what went
 * wrong when it was made; FILCH_ECLOSED, FILCH_EFORKED, FILCH_EBROKEN.
 * Threads: any. Blocks; may migrate when called from a task. */
FILCH_MUST_CHECK filch_status filch_graph_run(filch_pool *pool, filch_graph *graph);

/* Effect: writes it in the language of Graphviz, as filch_dump_graph() does: an ellipse is a node
 * that the last run did not call, a double circle one that succeeded, an octagon one that failed.
 * Errors: FILCH_EINVAL; FILCH_EBUSY. Threads: one at a time. Does not block, except for writing. */
filch_status filch_graph_dump(filch_graph *graph, FILE *stream);

/* Effect: frees it, with its nodes, limits and closures. NULL: no-op.
 * Errors: FILCH_EBUSY: it runs, nothing is freed. */
filch_status filch_graph_free(filch_graph *graph);

#ifdef __cplusplus
}
#endif

/* clang-format off */
/* name_node() of a FILCH_FUNCTION; generated with it. */
#define FILCH_NODE_OF(R, name, ...)                                                                \
    FILCH_UNUSED static inline filch_status name##_node(                                           \
        filch_graph *filch_in FILCH_MORE(FILCH_DECLARE, __VA_ARGS__)                               \
            FILCH_RESULT(FILCH_RESULT_POINTER_, R), filch_node **filch_out_node)                   \
    {                                                                                              \
        FILCH_CAPTURED(name, __VA_ARGS__)                                                          \
        return filch_graph_add_captured(filch_in, &name##_callable, filch_args,                    \
                                        FILCH_RESULT(FILCH_RESULT_PASS_, R), filch_out_node);      \
    }
/* clang-format on */

#endif
