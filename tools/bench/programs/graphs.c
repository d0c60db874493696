/* Graphs of tasks: futures after futures, made anew for each run; and graphs that are made once and
 * run again and again, or made anew. */
#include <filch/filch.h>

#include "graphs.h"

FILCH_FUNCTION(void, visit, (struct shape *, shape), (int, node))
{
    run_node(shape, node);
}

struct runner {
    filch_pool *pool;
    struct shape *shape;
    filch_future **futures;
    filch_graph *graph;
};

static void make_and_wait(void *context)
{
    struct runner *runner = context;
    struct shape *shape = runner->shape;
    filch_future **futures = runner->futures;
    for (int i = 0; i < shape->count; i++) {
        filch_future *needs[MOST_NEEDS];
        const struct node_of *node = &shape->nodes[i];
        for (int k = 0; k < node->need_count; k++) {
            needs[k] = futures[node->needs[k]];
        }
        must(visit_after(runner->pool, needs, (size_t)node->need_count, shape, i, &futures[i]) ==
                 FILCH_OK,
             "visit_after()");
    }
    for (int i = shape->count - 1; i >= 0; i--) {
        must(visit_get(futures[i]) == FILCH_OK, "visit_get()");
        filch_future_free(futures[i]);
    }
}

static filch_graph *graph_of(struct shape *shape)
{
    filch_graph *graph;
    filch_node **nodes = calloc((size_t)shape->count, sizeof(filch_node *));
    must(nodes && filch_graph_new(&graph) == FILCH_OK, "making a graph");
    for (int i = 0; i < shape->count; i++) {
        visit_node(graph, shape, i, &nodes[i]);
        for (int k = 0; k < shape->nodes[i].need_count; k++) {
            filch_node_needs(nodes[i], nodes[shape->nodes[i].needs[k]]);
        }
    }
    free(nodes);
    return graph;
}

static void run_again(void *context)
{
    const struct runner *runner = context;
    must(filch_graph_run(runner->pool, runner->graph) == FILCH_OK, "running a graph");
}

static void make_and_run(void *context)
{
    const struct runner *runner = context;
    filch_graph *graph = graph_of(runner->shape);
    must(filch_graph_run(runner->pool, graph) == FILCH_OK, "running a graph");
    must(filch_graph_free(graph) == FILCH_OK, "freeing a graph");
}

static double sample(unsigned workers, struct shape shape, void (*round)(void *context),
                     unsigned long long *check)
{
    struct runner runner = {.shape = &shape};
    runner.futures = calloc((size_t)shape.count, sizeof(filch_future *));
    runner.graph = graph_of(&shape);
    must(runner.futures != NULL, "calloc()");
    must(filch_pool_open(&(filch_pool_options){.processes = workers}, &runner.pool) == FILCH_OK,
         "opening a pool");
    double ns = time_rounds(&shape, round, &runner, check);
    must(filch_pool_free(runner.pool) == FILCH_OK, "freeing a pool");
    must(filch_graph_free(runner.graph) == FILCH_OK, "freeing a graph");
    free(runner.futures);
    shape_free(&shape);
    return ns;
}

#define SAMPLES(name)                                                                              \
    static double sample_##name(unsigned workers, int size, unsigned long long *check)             \
    {                                                                                              \
        return sample(workers, name##_of(size), make_and_run, check);                              \
    }                                                                                              \
    static double sample_##name##_again(unsigned workers, int size, unsigned long long *check)     \
    {                                                                                              \
        return sample(workers, name##_of(size), run_again, check);                                 \
    }                                                                                              \
    static double sample_##name##_futures(unsigned workers, int size, unsigned long long *check)   \
    {                                                                                              \
        return sample(workers, name##_of(size), make_and_wait, check);                             \
    }

SAMPLES(wavefront)
SAMPLES(random)
SAMPLES(tree)

int main(int argc, char **argv)
{
    static const struct row rows[] = {{"wavefront", sample_wavefront},
                                      {"random", sample_random},
                                      {"tree", sample_tree},
                                      {"wavefront_again", sample_wavefront_again},
                                      {"random_again", sample_random_again},
                                      {"tree_again", sample_tree_again},
                                      {"wavefront_futures", sample_wavefront_futures},
                                      {"random_futures", sample_random_futures},
                                      {"tree_futures", sample_tree_futures}};
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}
