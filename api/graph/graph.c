/* Graphs as they are made, run and freed. */
#include "graph/graph.h"

#include "base/memory.h"
#include "pool/call_options.h"
#include "pool/default_pool.h"
#include "sched/pool.h"
#include "sched/region.h"

enum { LIST_ROOM = 16 };

filch_status filch_graph_new(filch_graph **graph)
{
    if (!graph) {
        return FILCH_EINVAL;
    }
    struct filch_graph *made = filch_alloc_at(sizeof *made, _Alignof(struct filch_graph), 0);
    if (made) {
        *made = (struct filch_graph){.made = FILCH_OK};
        atomic_init(&made->runs, false);
    }
    *graph = made;
    return made ? FILCH_OK : FILCH_ENOMEM;
}

/* Only one that does not run is changed. */
static filch_status check_graph(struct filch_graph *graph)
{
    if (!graph) {
        return FILCH_EINVAL;
    }
    /* relaxed: for one that calls against the rule; its own run is over for one that does not */
    return atomic_load_explicit(&graph->runs, memory_order_relaxed) ? FILCH_EBUSY : FILCH_OK;
}

/* What went wrong while it was made is what its runs come to. */
static filch_status note_made(struct filch_graph *graph, filch_status status)
{
    if (status != FILCH_OK && status != FILCH_EBUSY && graph && graph->made == FILCH_OK) {
        graph->made = status;
    }
    return status;
}

/* Room for one more. */
static bool grow_list(void **list, size_t count, size_t *room, size_t bytes)
{
    size_t more = *room ? 2 * *room : LIST_ROOM;
    size_t wanted;
    if (count < *room) {
        return true;
    }
    void *grown = filch_multiply(more, bytes, &wanted) ? filch_realloc(*list, wanted) : NULL;
    if (grown) {
        *list = grown;
        *room = more;
    }
    return grown != NULL;
}

static struct filch_node *node_new(struct filch_graph *graph, const filch_closure *closure,
                                   void *result)
{
    size_t wanted = closure->callable->result_bytes;
    size_t bytes;
    struct filch_node *node = filch_add(sizeof *node, result ? 0 : wanted, &bytes)
                                  ? filch_alloc_at(bytes, FILCH_CACHE_LINE, 0)
                                  : NULL;
    if (node) {
        void *place = result ? result : (void *)(node + 1); /* as aligned as the node */
        *node = (struct filch_node){.graph = graph,
                                    .number = graph->node_count,
                                    .result = wanted ? place : NULL,
                                    .closure = filch_closure_retain(closure)};
        atomic_init(&node->undone, 0);
        atomic_init(&node->skipped, false);
    }
    return node;
}

static filch_status add_node(struct filch_graph *graph, const filch_closure *closure, void *result,
                             struct filch_node **out)
{
    void *list = graph->nodes;
    bool room = grow_list(&list, graph->node_count, &graph->node_room, sizeof *graph->nodes);
    graph->nodes = list;
    struct filch_node *node = room ? node_new(graph, closure, result) : NULL;
    if (!node) {
        return FILCH_ENOMEM;
    }
    graph->nodes[graph->node_count++] = node;
    graph->ready = false;
    if (out) {
        *out = node;
    }
    return FILCH_OK;
}

filch_status filch_graph_add(filch_graph *graph, const filch_closure *closure, void *result,
                             filch_node **node)
{
    if (node) {
        *node = NULL;
    }
    filch_status status = check_graph(graph);
    if (status == FILCH_OK) {
        status =
            closure && closure->callable ? add_node(graph, closure, result, node) : FILCH_EINVAL;
    }
    return note_made(graph, status);
}

filch_status filch_graph_add_captured(filch_graph *graph, const filch_callable *callable,
                                      const void *captures, void *result, filch_node **node)
{
    filch_closure closure;
    filch_status status = filch_closure_make(&closure, callable, captures, NULL);
    if (status != FILCH_OK) {
        if (node) {
            *node = NULL;
        }
        return graph ? note_made(graph, status) : FILCH_EINVAL;
    }
    status = filch_graph_add(graph, &closure, result, node);
    filch_closure_release(&closure);
    return status;
}

static filch_status add_need(struct filch_graph *graph, size_t node, size_t need)
{
    void *list = graph->needs;
    bool room = grow_list(&list, graph->need_count, &graph->need_room, sizeof *graph->needs);
    graph->needs = list;
    if (!room) {
        return FILCH_ENOMEM;
    }
    graph->needs[graph->need_count++] = (struct filch_need_of_node){.need = need, .node = node};
    graph->ready = graph->sorted = false;
    return FILCH_OK;
}

filch_status filch_node_needs(filch_node *node, filch_node *need)
{
    struct filch_graph *graph = node ? node->graph : need ? need->graph : NULL;
    filch_status status = check_graph(graph);
    if (status == FILCH_OK) {
        status = node && need && need->graph == graph ? add_need(graph, node->number, need->number)
                                                      : FILCH_EINVAL;
    }
    return note_made(graph, status);
}

static struct filch_limit *limit_new(struct filch_graph *graph, unsigned most)
{
    struct filch_limit *limit = filch_malloc(sizeof *limit);
    if (limit) {
        *limit = (struct filch_limit){.free = most, .graph = graph, .next = graph->limits};
        filch_lock_init(&limit->lock);
        graph->limits = limit;
    }
    return limit;
}

filch_status filch_graph_limit(filch_graph *graph, unsigned most, filch_limit **limit)
{
    filch_status status = check_graph(graph);
    status = status == FILCH_OK && !(most && limit) ? FILCH_EINVAL : status;
    struct filch_limit *made = status == FILCH_OK ? limit_new(graph, most) : NULL;
    if (limit) {
        *limit = made;
    }
    return note_made(graph, status == FILCH_OK && !made ? FILCH_ENOMEM : status);
}

filch_status filch_node_limit(filch_node *node, filch_limit *limit)
{
    struct filch_graph *graph = node ? node->graph : limit ? limit->graph : NULL;
    filch_status status = check_graph(graph);
    if (status == FILCH_OK && (!node || (limit && limit->graph != graph))) {
        status = FILCH_EINVAL;
    }
    if (status == FILCH_OK) {
        node->limit = limit;
    }
    return note_made(graph, status);
}

/* ---- a run ---- */

static const filch_function_info graph_info = {.name = "graph", .doc = "", .file = ""};

static filch_status run_in(struct filch_pool *pool, struct filch_graph *graph,
                           const filch_options *options)
{
    struct filch_fault fault;
    filch_fault_init(&fault);
    filch_latch_init(&graph->done);
    atomic_init(&graph->undone, graph->node_count);
    atomic_init(&graph->stopped, false);
    graph->pool = pool;
    filch_options_check(options, pool, FILCH_USES_IN_CALL, &graph_info);
    filch_status status =
        filch_call_with(pool, options, filch_graph_run_inside, graph, &fault, &graph_info);
    if (status != FILCH_OK) {
        return status;
    }
    status = filch_fault_result(&fault, filch_options_error(options));
    /* relaxed: all is done */
    if (status == FILCH_OK && atomic_load_explicit(&graph->stopped, memory_order_relaxed)) {
        status = filch_pool_ended_as(pool, FILCH_ECANCELED);
    }
    return status;
}

static filch_status run_claimed_graph(struct filch_pool *pool, struct filch_graph *graph)
{
    const filch_options *options = filch_options_of(pool);
    filch_status status = graph->made;
    if (status == FILCH_OK) {
        status = filch_pool_resolve(pool, &pool);
    }
    if (status == FILCH_OK && !graph->ready) {
        status = filch_graph_prepare(graph);
    }
    return status == FILCH_OK ? run_in(pool, graph, options) : status;
}

filch_status filch_graph_run(filch_pool *pool, filch_graph *graph)
{
    if (!graph) {
        return filch_options_refuse(pool, FILCH_EINVAL);
    }
    /* acquire: pairs with the release below; the next run sees what the last has left */
    if (atomic_exchange_explicit(&graph->runs, 1, memory_order_acquire)) {
        return filch_options_refuse(pool, FILCH_EBUSY);
    }
    filch_status status = run_claimed_graph(pool, graph);
    atomic_store_explicit(&graph->runs, 0, memory_order_release);
    return filch_options_end(filch_options_of(pool), status);
}

/* ---- the rest ---- */

filch_status filch_graph_dump(filch_graph *graph, FILE *stream)
{
    filch_status status = stream ? check_graph(graph) : FILCH_EINVAL;
    if (status != FILCH_OK) {
        return status;
    }
    filch_graph_sort_needs(graph);
    filch_dot_begin(stream);
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct filch_node *node = graph->nodes[i];
        filch_dot_node(stream, i, filch_node_info(node), (enum filch_dot_state)node->state, NULL);
    }
    for (size_t i = 0; i < graph->need_count; i++) {
        filch_dot_edge(stream, graph->needs[i].need, graph->needs[i].node);
    }
    filch_dot_end(stream);
    return FILCH_OK;
}

filch_status filch_graph_free(filch_graph *graph)
{
    filch_status status = graph ? check_graph(graph) : FILCH_OK;
    if (!graph || status != FILCH_OK) {
        return status;
    }
    for (size_t i = 0; i < graph->node_count; i++) {
        filch_closure_release(&graph->nodes[i]->closure);
        filch_free(graph->nodes[i]);
    }
    while (graph->limits) {
        struct filch_limit *limit = graph->limits;
        graph->limits = limit->next;
        filch_free(limit);
    }
    filch_free(graph->nodes);
    filch_free(graph->needs);
    filch_free(graph->followers);
    filch_free(graph->first);
    filch_free(graph);
    return FILCH_OK;
}
